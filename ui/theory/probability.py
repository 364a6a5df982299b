"""The cards on probability: the model, Bayes' theorem, information and KL."""

from __future__ import annotations

from vae_core.densities import Prior
from vae_core.evaluation.posterior import _evidence, log_joint

from .card import Card, Lead, Line, Question

CARDS = (
    Card(
        name="model",
        short="The model",
        claim="A picture becomes a place, and a place a picture.",
        text="",
        rows=("T5", "T11"),
        question=Question(
            "Sample z from the prior and draw x: which part of the machine takes no part?",
            ("the prior", "the decoder", "the encoder"),
            2,
            "The model is the prior and the decoder: they make pictures. The encoder only guesses which z a picture "
            "came from. And x̂ is the mean of p(x|z), not a sample: a sample has noise in every pixel.",
        ),
    ),
    Card(
        name="bayes",
        short="Bayes’ theorem",
        claim="Prior times likelihood, divided by its own area, is the posterior.",
        text="The likelihood says how well each z explains x; the area under prior times likelihood is the evidence. "
        "Drag the observation by its top and its noise by its side; then point at the maps below.",
        rows=("T1",),
        formula=r"\term{posterior}{p(z|x)} = \frac{\term{likelihood}{p(x|z)}\;\term{prior}{p(z)}}"
        r"{\term{evidence}{p(x)}}",
        question=Question(
            "Seen as a function of z, what is the area under the likelihood p(x|z)?",
            ("always 1", "p(x), the evidence", "it depends"),
            2,
            "For each z, p(x|z) is a density in x; it is none in z. Here its area over z is 1/w, and only with the "
            "prior as its weight does it come to p(x).",
        ),
        lead=Lead("latents"),
        code={
            "prior": (Prior.log_prob, "gaussian_log_prob"),
            "posterior": (log_joint, "model.log_px_pairs"),
            "evidence": (_evidence, "torch.logsumexp"),
        },
        lines=(
            Line("(1)", r"\term{posterior}{p(z|x)} = \frac{\term{likelihood}{p(x|z)}\,\term{prior}{p(z)}}"
                 r"{\term{evidence}{p(x)}}", "at this z", "posterior"),
            Line("(2)–(3)", r"p(x, z) = \term{likelihood}{p(x|z)}\,\term{prior}{p(z)}", "at this z", "joint"),
            Line("(4)–(5)", r"\term{evidence}{p(x)} = \int \term{likelihood}{p(x|z)}\,\term{prior}{p(z)}\,dz",
                 "by quadrature", "evidence"),
            Line("§3", r"\int \term{posterior}{p(z|x)}\,dz = 1", "", "area_posterior"),
            Line("§3", r"\log \term{posterior}{p(z|x)} = \log \term{likelihood}{p(x|z)} + \log \term{prior}{p(z)}"
                 r" - \log \term{evidence}{p(x)}", "the image in hand, at the point on its maps", "log_posterior"),
        ),
        example=r"With $w = 2$, noise 0.8 and $x = 2.4$, the evidence is $N(2.4;\,0,\,2^2 + 0.8^2) = 0.0996$, and the "
        r"posterior is $N(1.03,\,0.37^2)$: between the prior’s mean 0 and $x/w = 1.2$.",
    ),
)  # fmt: skip
