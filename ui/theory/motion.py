"""The card on training: the objective of a batch, its negative, and the steps that make it small."""

from __future__ import annotations

from vae_core.densities import DiagonalGaussian
from vae_core.objective import Objective, elbo, elbo_of, elbo_of_decoded

from .card import Card, Line, Question

_GAIN = r"\term{gain}{G}"
_LOSS = r"\term{loss}{\mathcal{L}}"

CARDS = (
    Card(
        name="motion",
        short="In motion",
        claim="Training is seven moves, again and again.",
        text="Training looks for the weights that make the objective $G$ of a batch large: it minimizes the loss, "
        "$-G$. This is a real training on MNIST, recorded. Watch one step in slow motion, then let it run.",
        rows=("T10", "T18"),
        formula=rf"{_LOSS} = -G = \tfrac1B\textstyle\sum_i\,\big(\term{{reconstruction}}{{-\log p(x_i|z_i)}} + "
        r"\term{kl}{\mathrm{KL}(q_i\|p)}\big)",
        question=Question(
            "What does a step of training change?",
            ("$\\mu$, $\\sigma$ and $z$ of these images", "the weights of both networks", "the decoder’s weights"),
            1,
            "μ, σ and z are computed for each batch and then forgotten; only weights stay. The gradient passes through "
            "x̂, z, σ and μ to the weights of both networks, so that the next image, too, gets a new q.",
            "Now go through the moves of one step, then press Play.",
        ),
        code={
            "encode": (elbo, "q = model.posterior(x)"),
            "draw": (DiagonalGaussian.sample, "return reparameterize("),
            "decode": (elbo_of, "model.decode(z)"),
            "reconstruction": (elbo_of_decoded, "model.log_px(x, params)"),
            "kl": (DiagonalGaussian.kl, "return gaussian_kl("),
            "loss": (Objective.loss, "self.beta * self.counted_kl(terms)"),
        },
        lines=(
            Line("(42)", rf"{_GAIN} = \tfrac1B\textstyle\sum_i \big[{{-\mathrm{{KL}}(q(z|x_i)\|p(z))}} + "
                 r"\tfrac1L\sum_l \log p(x_i|z_i^{(l)})\big]", "of the batch that is shown, with L = 1", "gain"),
            Line("(43)", rf"{_LOSS} = -G", "to be made small", "loss"),
            Line("§9", rf"{_LOSS} = \term{{reconstruction}}{{-\mathbb{{E}}_q[\log p(x|z)]}} + "
                 r"\term{kl}{\mathrm{KL}(q(z|x)\|p(z))}", "the two means over the batch", "sum"),
            Line("(44)", rf"(\theta^*, \phi^*) = \arg\min_{{\theta, \phi}} {_LOSS}",
                 "where training goes"),
            Line("", _LOSS, "for the same batch and $\\varepsilon$ after one step towards it", "after"),
            Line("§8", r"\partial z/\partial\mu = 1,\quad \partial z/\partial\sigma = \varepsilon", "so autograd "
                 "passes through a draw: the $\\varepsilon$ of the image", "noise"),
        ),
        example="In the first step the decoder knows only the average digit, so −log p(x|z) is about 205 nats "
        "whatever z is; q is almost the prior, so the KL is near 0. Every later fall of the loss is bought: "
        "some nats of KL for many nats of reconstruction.",
    ),
)  # fmt: skip
