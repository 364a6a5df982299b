"""The cards on KL: an expectation, not symmetric, never negative."""

from __future__ import annotations

from vae_core.densities import gaussian_kl, gaussian_log_prob
from vae_core.evaluation import posterior

from .card import Card, Lead, Line, Question

_KL = (gaussian_kl, "torch.addcmul")
_LOG = (gaussian_log_prob, "return -0.5")
_QUADRATURE = (posterior._cross, "weights * (log_q - log_joint)")  # the sum over a grid, here over an axis

CARDS = (
    Card(
        name="kl",
        short="KL",
        claim="KL is an average, taken under q.",
        text="log(q/p) is positive where q is above p, and negative where it is below. KL is its average under q: the "
        "signed area of the lower plot. Drag q and p by top and side. Draws from q estimate the same number.",
        rows=("T2",),
        formula=r"\term{kl}{\mathrm{KL}(q\|p)} = \term{mc}{\mathbb{E}_q[\log q - \log p]} = "
        r"\term{quadrature}{\int q\,\log\frac{q}{p}\,dz}",
        question=Question(
            "KL is never negative. You estimate it from one draw of q. Can the estimate be negative?",
            ("No: KL never is", "Yes: log q − log p at that draw may be", "Only if q = p"),
            1,
            "One draw gives log q(z) − log p(z), which is negative wherever p is above q. Only the average under q "
            "cannot be negative; an estimate of it can. Try n = 1 several times.",
            "Now set n to 1, and draw again a few times.",
        ),
        lead=Lead("elbo", "kl-bars"),
        code={"kl": _KL, "mc": _LOG, "quadrature": _QUADRATURE},
        lines=(
            Line("(9)", r"\term{kl}{\mathrm{KL}(q\|p)} = \term{mc}{\mathbb{E}_{q}[\log q(z) - \log p(z)]}",
                 "the mean difference of information, estimated from the draws", "mc"),
            Line("(10)", r"\phantom{\mathrm{KL}(q\|p)} = \term{quadrature}{\int q(z)\log\frac{q(z)}{p(z)}\,dz}",
                 "by quadrature: the area above 0 less the area below it", "quadrature"),
            Line("", r"\phantom{\mathrm{KL}(q\|p)} = \log\frac{\sigma_p}{\sigma_q} + "
                 r"\frac{\sigma_q^2+(\mu_q-\mu_p)^2}{2\sigma_p^2} - \tfrac12", "for Gaussians, in closed form", "kl"),
        ),
        example=r"Example: $q = \mathcal N(1, 0.8^2)$ and $p = \mathcal N(0, 1)$. $\log(1/0.8) = 0.22$, "
        r"$(0.8^2 + 1^2)/2 = 0.82$; $0.22 + 0.82 - 0.50 = 0.54$ nats. At $z = 1$ a draw says "
        r"$\log(1/0.8) + 1/2 = 0.72$; at $z = 0$ it says $0.22 - 0.78 = -0.56$.",
    ),
    Card(
        name="asymmetry",
        short="Two directions",
        claim="KL is not a distance: it has a direction.",
        text="KL(q‖p) averages under q, KL(p‖q) under p: each weighs other places, and their numbers differ. Let each "
        "fit one Gaussian q to two humps. Drag p and q, and try a p that is 0 outside a box.",
        rows=("T3",),
        formula=r"\term{forward}{\mathrm{KL}(q\|p)} = \mathbb{E}_q\big[\log\tfrac qp\big] \neq "
        r"\mathbb{E}_p\big[\log\tfrac pq\big] = \term{backward}{\mathrm{KL}(p\|q)}",
        question=Question(
            "p has two humps, q is one Gaussian. Which q makes KL(q‖p) least?",
            ("one over both humps", "one on a single hump", "the same as for KL(p‖q)"),
            1,
            "KL(q‖p) averages under q, and q pays wherever it lies on little p: it keeps to one hump. KL(p‖q) averages "
            "under p, so q must cover both. The ELBO uses the first, which needs draws of q alone: the posterior "
            "gives none.",
            "Now minimize both.",
        ),
        lead=Lead("draw"),
        code={"forward": _QUADRATURE, "backward": _QUADRATURE},
        lines=(
            Line("(10)", r"\term{forward}{\mathrm{KL}(q\|p)} = \int q(z)\log\frac{q(z)}{p(z)}\,dz",
                 "infinite if q has mass where p is 0", "forward"),
            Line("", r"\term{backward}{\mathrm{KL}(p\|q)} = \int p(z)\log\frac{p(z)}{q(z)}\,dz",
                 "infinite if p has mass where q is 0", "backward"),
            Line("(11)", r"\term{forward}{\mathrm{KL}(q\|p)} \neq \term{backward}{\mathrm{KL}(p\|q)}",
                 "equal if q = p, and otherwise only by chance"),
        ),
        example=r"Example: a hump far from the other holds the share $0.55$ of p. If q is that hump, $p = 0.55\,q$ "
        r"there, and $\mathrm{KL}(q\|p) = \log(1/0.55) = 0.60$ nats, wherever the other hump is. "
        r"$\mathrm{KL}(p\|q)$ grows with the square of its distance.",
    ),
    Card(
        name="nonnegative",
        short="KL ≥ 0",
        claim="KL is never negative: log t lies below t − 1.",
        text="At any z let t = p/q. How far log t lies below the line t − 1 is its slack, never below 0. Under q the "
        "mean of t is 1, so the line averages to 0, and the mean slack is the KL. Drag t, q and p.",
        rows=("T4",),
        formula=r"\term{kl}{\mathrm{KL}(q\|p)} = \term{minus_log}{\mathbb{E}_q[-\log t]} = "
        r"\term{slack}{\mathbb{E}_q[t - 1 - \log t]} \ge 0",
        question=Question(
            "Where p is above q, log(q/p) is negative. If p is above q at almost every z, is the KL negative?",
            ("Yes: nearly all of it is negative", "No, never", "It comes to exactly 0"),
            1,
            "Both areas are 1: if p is above q almost everywhere, q is far above p somewhere, and the mean is taken "
            "under q. Every slack is at least 0, so their mean is, too; it is 0 only for q = p.",
            "Now drag q or p.",
        ),
        lead=Lead("draw"),
        code={"kl": _KL, "slack": _QUADRATURE},
        lines=(
            Line("", r"\log t \le t - 1", "Figure 1: equal only at $t = 1$; the number is the slack at the dragged $t$",
                 "slack_at_t"),
            Line("(12)", r"-\term{kl}{\mathrm{KL}(q\|p)} = -\int q(z)\log\frac{q(z)}{p(z)}\,dz", "", "log_t"),
            Line("(13)", r"\phantom{-\mathrm{KL}(q\|p)} = \int q(z)\log\frac{p(z)}{q(z)}\,dz",
                 "the mean of log t under q", "log_t"),
            Line("(14)", r"\phantom{-\mathrm{KL}(q\|p)} \le \int q(z)\left(\frac{p(z)}{q(z)} - 1\right)dz",
                 "the mean of $t - 1$: greater by the mean slack", "bound"),
            Line("(15)", r"\phantom{-\mathrm{KL}(q\|p)} = \int p(z)\,dz - \int q(z)\,dz", "two areas of 1", "bound"),
            Line("(16)", r"\phantom{-\mathrm{KL}(q\|p)} = 1 - 1 = 0", "hence the KL is at least 0"),
        ),
        example=r"Example: at $t = 2.5$, $\log t = 0.92$ and $t - 1 = 1.50$: the slack is $0.58$. A mean of "
        r"$-\log t$ over few draws may be negative; a mean of slacks cannot be, and both estimate the same KL.",
    ),
)  # fmt: skip
