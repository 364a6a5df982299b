"""The card on the gradient through a draw: reparameterization."""

from __future__ import annotations

from vae_core.densities import reparameterize
from vae_core.evaluation.gradients import gradient_estimates
from vae_core.objective import drawn

from ..glossary import field_id
from .card import Card, Lead, Line, Question

CARDS = (
    Card(
        name="reparameterization",
        short="Reparameterization",
        claim="Hold the noise still, and every draw follows μ and σ.",
        text="A draw has no slope; but written so, the chance is all in ε. Drag μ or σ: each dot keeps its ε and moves "
        "along, so that the slope of log p(x|z) at the dots passes through to μ and σ.",
        rows=("T17",),
        formula=r"\term{z}{z} = \mu + \sigma \odot \varepsilon, \qquad "
        r"\frac{\partial z}{\partial \mu} = 1, \quad \frac{\partial z}{\partial \sigma} = \varepsilon",
        question=Question(
            "Detach z: the reconstruction’s gradient stops there. What comes of the training?",
            ("The same, later", "KL 0, one blur for all", "−ELBO rises"),
            1,
            "The encoder hears only the KL: q becomes the prior. The decoder still learns the mean picture, and −ELBO "
            "falls a little: a falling loss does not say that z is used.",
            "Now press Detach z, then Follow the gradient.",
        ),
        lead=Lead("train", field_id("gradient")),
        code={
            "z": (reparameterize, "return mu + torch.exp"),
            "reconstruction": (gradient_estimates, "pathwise = torch.cat"),
            "score": (gradient_estimates, "score, with_baseline ="),
            "detached": (drawn, "z.detach()"),
        },
        lines=(
            Line("§8", r"\term{z}{z} = \mu + \sigma \odot \varepsilon, \quad \varepsilon \sim \mathcal{N}(0, I)",
                 "the first dot", "z"),
            Line("§8", r"\term{reconstruction}{\nabla_\mu \mathbb{E}_q[\log p(x|z)]} = "
                 r"\mathbb{E}_\varepsilon[\nabla_z \log p(x|z)]", "since ∂z/∂μ = 1; the mean over the dots", "to_mu"),
            Line("§8", r"\term{reconstruction}{\nabla_\sigma \mathbb{E}_q[\log p(x|z)]} = "
                 r"\mathbb{E}_\varepsilon[\varepsilon \odot \nabla_z \log p(x|z)]", "since ∂z/∂σ = ε", "to_sigma"),
            Line("", r"\term{score}{\nabla_\mu \mathbb{E}_q[\log p(x|z)]} = "
                 r"\mathbb{E}_q[\log p(x|z)\, \nabla_\mu \log q(z|x)]",
                 "score function: no slope of the decoder is needed", "score"),
            Line("", r"= \mathbb{E}_q[(\log p(x|z) - b)\, \nabla_\mu \log q(z|x)]",
                 "for every b that does not depend on z, since $\\mathbb{E}_q[\\nabla_\\mu \\log q] = 0$; here the "
                 "mean over the other draws", "with_baseline"),
            Line("", r"\term{detached}{\nabla_\mu \log p(x|\bar z) = 0}, \quad \bar z \text{ a constant}",
                 "detached: only $\\nabla_\\mu(-\\mathrm{KL}) = (\\mu_p - \\mu)/\\sigma_p^2$ is left", "kl_mu"),
        ),
        example="One dimension, μ = 1, σ = 0.5, ε = −2: z = 1 − 0.5 · 2 = 0. If log p(x|z) rises by 3 nats per unit at "
        "z = 0, this draw passes 3 on to μ, and −2 · 3 = −6 to σ: a smaller σ would move it uphill.",
        needs="plane",
    ),
)  # fmt: skip
