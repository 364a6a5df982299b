"""The cards on the bound: Jensen's inequality, the evidence as ELBO and gap, and what the encoder loses."""

from __future__ import annotations

from vae_core.evaluation import gap, posterior
from vae_core.evaluation.evaluate import log_weights
from vae_core.objective import ELBO

from .card import Card, Lead, Line, Question

W = r"\frac{p(x|z)\,p(z)}{q(z|x)}"

CARDS = (
    Card(
        name="jensen",
        short="Jensen",
        claim="The log of a mean is never below the mean of the logs.",
        text="Draw z from q and weigh each: $w = p(x,z)/q(z|x)$. The mean of w is p(x); the mean of log w is the ELBO. "
        "Between them lie the bounds of K draws: more draws, a tighter bound.",
        rows=("T13",),
        formula=r"\term{evidence}{\log \mathbb{E}_q[w]} \;\ge\; "
        r"\mathbb{E}\Big[\term{average}{\log \tfrac1K\sum_k w_k}\Big] \;\ge\; \term{elbo}{\mathbb{E}_q[\log w]}",
        question=Question(
            "Take the log of the mean of 100 weights in place of one. What comes of it?",
            ("The ELBO again, only less noisy", "A bound nearer to $\\log p(x)$", "$\\log p(x)$ itself"),
            1,
            "On average it rises with K and stays below $\\log p(x)$, though a single try may lie above. But a tighter "
            "bound teaches q less: one good draw of five is enough for it.",
            "Now drag K to 100.",
        ),
        lead=Lead("elbo"),
        code={
            "average": (ELBO.importance_weighted, "logsumexp(0)"),
            "weight": (log_weights, "return model.log_px_z"),
        },
        needs="plane",
        lines=(
            Line("(22)", r"\term{evidence}{\log p(x)} = \log \int p(x, z)\,dz", "by quadrature", "log_px"),
            Line("(23)", r"= \log \int q(z|x)\,\term{weight}{\frac{p(x, z)}{q(z|x)}}\,dz", "times q / q", "log_px"),
            Line("(24)", r"= \log \mathbb{E}_q[w] \approx \log \tfrac1n\sum_i w_i", "by all draws made here", "all"),
            Line("(25)", r"\ge \mathbb{E}_q[\log w] = \term{elbo}{\mathrm{ELBO}}", "by the same draws", "elbo"),
            Line("§4", r"\log \tfrac1K\sum_k w_k \ge \tfrac1K\sum_k \log w_k",
                 "for any K weights, since the log is concave; on the left", "log_mean"),
            Line("§4", r"\tfrac1K\sum_k \log w_k", "and on the right", "mean_log"),
            Line("§5", r"\mathbb{E}\Big[\term{average}{\log \tfrac1K\sum_k w_k}\Big] \le "
                 r"\term{evidence}{\log p(x)}", "rises with K: K = 1 is the ELBO", "average"),
        ),
        example="Two weights, 1 and 3. The log of their mean is $\\log 2 = 0.69$; the mean of their logs is "
        "$\\tfrac12 \\log 3 = 0.55$. Were both 2, both would be 0.69: what Jensen's inequality loses is their spread.",
    ),
    Card(
        name="gap",
        short="Evidence = ELBO + gap",
        claim="What the bound misses is exactly how wrong q is.",
        text="The evidence does not care which q you choose. Drag the ellipse: ELBO and gap trade places, and "
        "their sum stays. The gap is KL(q‖p), an average under q: one can draw from q, and not from the posterior.",
        rows=("T6", "T14"),
        formula=r"\term{evidence}{\log p(x)} = \term{elbo}{\mathrm{ELBO}} + "
        r"\term{gap}{\mathrm{KL}(q(z|x)\,\|\,p(z|x))}",
        question=Question(
            "You drag q away from the posterior. What happens to $\\log p(x)$?",
            ("It falls with the ELBO", "It stays", "It rises"),
            1,
            "There is no q in $\\log p(x)$. The ELBO is not the log-likelihood: it lies below it by the gap, and a q "
            "that is worse makes the gap larger, not the image less likely.",
            "Now drag the ellipse.",
        ),
        lead=Lead("draw"),
        code={
            "elbo": (ELBO, "self.reconstruction - self.kl"),
            "gap": (posterior._cross, "log_q - log_joint"),
        },
        needs="plane",
        lines=(
            Line("(17)", r"\term{gap}{\mathrm{KL}(q\|p(z|x))} = -\int q(z|x)\,\log\frac{p(z|x)}{q(z|x)}\,dz \ge 0",
                 "The first way begins with KL ≥ 0; here it is summed over a grid of z.", "gap"),
            Line("(18)", r"= -\int q(z|x)\,\log\frac{p(x|z)\,p(z)}{q(z|x)\,p(x)}\,dz", "by Bayes' theorem", "gap"),
            Line("(19)", rf"= \int q(z|x)\,\log p(x)\,dz - \int q(z|x)\,\log {W}\,dz", "", "gap"),
            Line("(20)", r"\int q(z|x)\,\log p(x)\,dz = \term{evidence}{\log p(x)}",
                 "p(x) has no z in it, and q integrates to 1", "log_px"),
            Line("(21)", rf"\term{{evidence}}{{\log p(x)}} \ge \mathbb{{E}}_q\Big[\log {W}\Big] = "
                 r"\term{elbo}{\mathrm{ELBO}}", "since (17) is not below 0", "elbo"),
            Line("(22)", r"\term{evidence}{\log p(x)} = \log \int p(x|z)\,p(z)\,dz",
                 "The second way begins with the evidence, and needs Jensen's inequality.",
                 "log_px"),
            Line("(23)", rf"= \log \int q(z|x)\,{W}\,dz = \log \mathbb{{E}}_q\Big[{W}\Big]", "times q / q", "log_px"),
            Line("(25)", rf"\ge \mathbb{{E}}_q\Big[\log {W}\Big] = \term{{elbo}}{{\mathrm{{ELBO}}}}",
                 "log of a mean ≥ mean of the log: the same number as in (21)", "elbo"),
            Line("(26)", r"\term{reconstruction}{\mathbb{E}_q[\log p(x|z)]}", "Either way, the ELBO has two terms.",
                 "reconstruction"),
            Line("(27)", r"\mathbb{E}_q\Big[\log\frac{p(z)}{q(z|x)}\Big] = -\term{kl}{\mathrm{KL}(q(z|x)\|p(z))}", "",
                 "minus_kl"),
            Line("(28)", r"\term{evidence}{\log p(x)} \ge \term{reconstruction}{\mathbb{E}_q[\log p(x|z)]} - "
                 r"\term{kl}{\mathrm{KL}(q(z|x)\|p(z))}", "", "elbo"),
            Line("§6", r"\term{evidence}{\log p(x)} = \term{elbo}{\mathrm{ELBO}} + "
                 r"\term{gap}{\mathrm{KL}(q(z|x)\|p(z|x))}", "what (21) leaves out is (17)", "log_px"),
        ),
        example="With $\\log p(x) = -90$ and a q that is worth an ELBO of $-93$, q is 3 nats from the posterior. A "
        "better q may be worth $-91$: then it is 1 nat away. The image is as likely as before.",
    ),
    Card(
        name="amortization",
        short="Amortization",
        claim="One encoder for all images pays for each of them.",
        text="The encoder answers every image with one set of weights. Climb the ELBO for this image alone, with the "
        "model fixed: the gain is the amortization gap. What is left is the approximation gap.",
        rows=("T15",),
        formula=r"\term{gap}{\text{gap}} = \term{amortization}{\mathrm{ELBO}(q^*) - \mathrm{ELBO}(q)} + "
        r"\term{approximation}{\mathrm{KL}(q^*\|p(z|x))}",
        question=Question(
            "Could an encoder that is large enough close the whole gap?",
            ("Yes, all of it", "Only the amortization gap", "No part of it"),
            1,
            "The best that any encoder can answer is $q^*$. It is still an upright ellipse, and the posterior is not: "
            "what is left takes another family of q, or another model.",
            "Now find the best q.",
        ),
        lead=Lead("draw"),
        code={
            "amortization": (gap.Gaps, "return self.refined_elbo - self.elbo"),
            "approximation": (gap.Gaps, "return self.log_px - self.refined_elbo"),
        },
        needs="plane",
        lines=(
            Line("§6", r"\term{evidence}{\log p(x)} - \term{elbo}{\mathrm{ELBO}(q)}", "the gap of the encoder's q",
                 "whole"),
            Line("§6", r"q^* = \arg\max_{\mu, \sigma}\, \mathrm{ELBO}(\mathcal{N}(\mu, \mathrm{diag}\,\sigma^2))",
                 "with the model fixed; its ELBO", "best"),
            Line("", r"\term{amortization}{\mathrm{ELBO}(q^*) - \mathrm{ELBO}(q)} \ge 0", "amortization gap",
                 "amortization"),
            Line("", r"\term{approximation}{\mathrm{KL}(q^*\|p(z|x))} \ge 0",
                 "approximation gap, by itself on a grid", "approximation"),
            Line("§6", r"\max_\phi \mathrm{ELBO} \iff \min_\phi \mathrm{KL}(q\|p(z|x))",
                 "for a fixed model only: then log p(x) is a constant"),
        ),
        example="An image with $\\log p(x) = -90$; the encoder's q is worth $-93$, the best one $-90.5$. Of the gap of "
        "3 nats, 2.5 are amortization and 0.5 approximation.",
    ),
)  # fmt: skip
