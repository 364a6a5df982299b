"""The card on what training promises: the gap over a training, and what the ELBO leaves open."""

from __future__ import annotations

from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import log_weights
from vae_core.evaluation.information import information
from vae_core.objective import Objective

from .card import Card, Lead, Line, Question

CARDS = (
    Card(
        name="promises",
        short="Promises",
        claim="Training raises the ELBO. It promises no more.",
        text="A larger ELBO may mean a better model, a better q, or both. Only with the decoder held fixed must the "
        "gap shrink. Six pictures show what that leaves open; each has its own numbers.",
        rows=("T15", "T20"),
        formula=r"\term{elbo}{\mathrm{ELBO}} = \term{evidence}{\log p(x)} - "
        r"\term{gap}{\mathrm{KL}(q(z|x)\,\|\,p(z|x))}",
        question=Question(
            "Training raised the ELBO by 10 nats. What else must have happened?",
            (
                "log p(x) rose by 10 nats",
                "The gap shrank by 10 nats",
                "Only their difference rose by 10",
            ),
            2,
            "The ELBO is log p(x) minus the gap, and training moves both. In the recorded training log p(x) rises far "
            "more than the gap changes, but nothing forces the gap to shrink.",
            "Now press Play.",
        ),
        lead=Lead("elbo", "elbo-curves"),
        code={
            "elbo": (log_weights, "return model.log_px_z"),
            "evidence": (ppca.log_likelihood, "return -0.5"),
            "gap": (ppca.kl_to_posterior, "return kl_divergence"),
            "bound": (Objective.loss, "self.counted_kl"),
            "kl": (DiagonalGaussian.kl, "gaussian_kl"),
            "marginal": (information, "return Information"),
        },
        lines=(
            Line("§6", r"\term{elbo}{\mathrm{ELBO}} = \term{evidence}{\log p(x)} - \term{gap}{\mathrm{gap}}",
                 "100 held-out images, at the shown step of the recorded training", "elbo"),
            Line("§6", r"\nabla_\phi\,\term{elbo}{\mathrm{ELBO}} = -\nabla_\phi\,\term{gap}{\mathrm{gap}}",
                 "log p(x) does not depend on the encoder: for a fixed decoder the gap must shrink"),
            Line("§6", r"\nabla_\theta\,\term{elbo}{\mathrm{ELBO}} = \nabla_\theta\,\term{evidence}{\log p(x)} - "
                 r"\nabla_\theta\,\term{gap}{\mathrm{gap}}", "the decoder may raise the ELBO by either"),
            Line("", r"\max\,\term{evidence}{\log p} = -\tfrac12\bigl(\textstyle\sum_{j \le D} \log\lambda_j + "
                 r"(784 - D)\log\sigma^2 + 784\,(1 + \log 2\pi)\bigr)",
                 "the linear model's optimum: see PCA", "optimum"),
            Line("", r"\term{bound}{-\mathrm{rec} + \beta}\,\term{kl}{\mathrm{KL}} \ge -\term{evidence}{\log p(x)}",
                 r"holds for β ≥ 1; the left side for this image", "bound"),
            Line("", r"\mathbb{E}_x\,\term{kl}{\mathrm{KL}(q(z|x)\|p(z))} = I(x; z) + "
                 r"\term{marginal}{\mathrm{KL}(q(z)\|p(z))}", "the mean KL of the test images: see q(z)", "mean_kl"),
        ),
        example="The linear Gaussian model is the one whose maximum is known in closed form. The shipped one was "
        "trained by the ELBO alone and comes within a third of a nat of that maximum: up to a rotation of z, its axes "
        "are the principal axes of the images. Here the ELBO delivers what it does not promise.",
    ),
)  # fmt: skip
