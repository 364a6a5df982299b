"""The cards on KL: an expectation, not symmetric, never negative."""

from __future__ import annotations

from vae_core.densities import gaussian_kl, gaussian_log_prob

from .card import Card, Lead, Line, Question

_KL = (gaussian_kl, "torch.addcmul")
_LOG = (gaussian_log_prob, "return -0.5")

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
        ),
        lead=Lead("elbo", "kl-bars"),
        code={"kl": _KL, "mc": _LOG},
        lines=(
            Line("(9)", r"\term{kl}{\mathrm{KL}(q\|p)} = \term{mc}{\mathbb{E}_{q}[\log q(z) - \log p(z)]}",
                 "the mean difference of information, estimated from the draws", "mc"),
            Line("(10)", r"\phantom{\mathrm{KL}(q\|p)} = \term{quadrature}{\int q(z)\log\frac{q(z)}{p(z)}\,dz}",
                 "by quadrature: the area above 0 less the area below it", "quadrature"),
            Line("", r"\phantom{\mathrm{KL}(q\|p)} = \log\frac{\sigma_p}{\sigma_q} + "
                 r"\frac{\sigma_q^2+(\mu_q-\mu_p)^2}{2\sigma_p^2} - \tfrac12", "for Gaussians, in closed form", "kl"),
        ),
        example=r"Example: $q = \mathcal N(1, 0.6^2)$ and $p = \mathcal N(0, 1)$. $\log(1/0.6) = 0.51$, "
        r"$(0.6^2 + 1^2)/2 = 0.68$; $0.51 + 0.68 - 0.50 = 0.69$ nats. At $z = 1$ a draw says "
        r"$\log(1/0.6) + 1/2 = 1.01$; at $z = 0$ it says $0.51 - 1.39 = -0.88$.",
    ),
)  # fmt: skip
