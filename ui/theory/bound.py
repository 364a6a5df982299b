"""The cards on the bound: Jensen's inequality, the evidence as ELBO and gap, and what the encoder loses."""

from __future__ import annotations

from vae_core.evaluation import posterior
from vae_core.objective import ELBO

from .card import Card, Lead, Line, Question

W = r"\frac{p(x|z)\,p(z)}{q(z|x)}"

CARDS = (
    Card(
        name="gap",
        short="Evidence = ELBO + gap",
        claim="What the bound misses is exactly how wrong q is.",
        text="The evidence does not care which q you choose. Drag the ellipse: ELBO and gap trade places, and "
        "their sum stays.",
        rows=("T6", "T14"),
        formula=r"\term{evidence}{\log p(x)} = \term{elbo}{\mathrm{ELBO}} + "
        r"\term{gap}{\mathrm{KL}(q(z|x)\,\|\,p(z|x))}",
        question=Question(
            "You drag q away from the posterior. What happens to $\\log p(x)$?",
            ("It falls with the ELBO", "It stays", "It rises"),
            1,
            "There is no q in $\\log p(x)$. The ELBO is not the log-likelihood: it lies below it by the gap, and a q "
            "that is worse makes the gap larger, not the image less likely.",
        ),
        lead=Lead("draw"),
        code={
            "elbo": (ELBO.elbo, "self.reconstruction - self.kl"),
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
)  # fmt: skip
