"""The cards on probability: the model, Bayes' theorem, information and KL."""

from __future__ import annotations

from vae_core.densities import Prior
from vae_core.evaluation.evaluate import _log_likelihood, log_weights
from vae_core.evaluation.posterior import _evidence, log_joint
from vae_core.objective import elbo_of

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
            "Now press Sample z, draw x.",
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
            "Now drag the observation or its noise.",
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
    Card(
        name="information",
        short="Information",
        claim="Information is −log p: the likelier, the less there is to tell.",
        text="An event of probability p tells −log p nats. One nat, or 1.44 bits, is the surprise at an event of "
        "probability 1/e. Drag p, and the width of the density. Then see how surprising x is among test images, and "
        "take the empty image.",
        rows=("T2",),
        formula=r"I_p(x) = \term{evidence}{-\log p(x)} \;\le\; \term{elbo}{-\mathrm{ELBO}(x)}",
        question=Question(
            "An image without any ink is no digit. How surprising is it to the model?",
            ("more than any digit", "as a typical digit", "less than most digits"),
            2,
            "It is likelier than nine in ten MNIST digits, yet nothing like them: likely is not typical. And a density "
            "may exceed 1: its −log is negative then.",
            "Now take the empty image.",
        ),
        lead=Lead("draw"),
        code={"evidence": (_log_likelihood, "total - math.log(samples)"), "elbo": (elbo_of, "return elbo_of_decoded")},
        lines=(
            Line("(6)", r"I_p(x) = \term{evidence}{-\log p(x)}", "of the event, in nats", "nats"),
            Line("", r"I_p(x) = -\log_2 p(x) = \frac{-\log p(x)}{\log 2}", "of the event, in bits", "bits"),
            Line("(6)", r"I_p(x) = \term{evidence}{-\log p(x)}", "of the image in hand", "evidence"),
            Line("", r"I_p(x) = I_p(x_1) + I_p(x_2)", "of independent parts it adds up: of twice the event", "twice"),
            Line("(7)–(8)", r"I_q(x) - I_p(x) = \log p(x) - \log q(x)",
                 "how much more q is surprised than p: its mean under p is the next card’s KL"),
        ),
        example=r"A fair coin’s head has $p = \tfrac12$: $-\log \tfrac12 = 0.69$ nats $= 1$ bit. An image with "
        r"$-\log p(x) = 115$ nats is as surprising as 166 heads in a row.",
    ),
    Card(
        name="integral",
        short="The integral",
        claim="Nearly all of the evidence comes from a few rare z.",
        text="p(x) sums over every z. Draws from the prior estimate it for any model, but hardly one explains x. "
        "Draws from q go where it matters, and their weights make up for it. Drag n, the number of draws.",
        rows=("T12",),
        formula=r"\term{evidence}{\log p(x)} = \log\!\int\! p(z)\,p(x|z)\,dz \approx "
        r"\log \frac1n \sum_k \term{weight}{w_k}",
        question=Question(
            "The mean of p(x|z) over 100 draws from the prior is p(x) on average. And its log?",
            ("about log p(x)", "mostly far too low", "mostly far too high"),
            1,
            "Nearly every draw misses the few z that explain x, and a rare hit makes up for the rest: right on "
            "average, yet in a single try it is almost always too low.",
            "Now drag n to 10,000.",
        ),
        lead=Lead("draw"),
        code={"evidence": (_log_likelihood, "torch.logaddexp"), "weight": (log_weights, "return model.log_px_z")},
        lines=(
            Line("§2", r"\term{evidence}{\log p(x)} = \log \int p(z)\,p(x|z)\,dz", "by quadrature", "evidence"),
            Line("§2", r"\approx \log \frac1n \sum_k p(x|z_k),\quad z_k \sim p(z)", "n draws from the prior",
                 "from_prior"),
            Line("§2", r"\approx \log \frac1n \sum_k \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)},\quad z_k \sim q(z|x)",
                 "n draws from q", "from_q"),
            Line("", r"\term{weight}{w_k} = \frac{p(x|z_k)\,p(z_k)}{r(z_k)},\quad z_k \sim r", "whatever r is"),
            Line("", r"n_{\mathrm{eff}} = \frac{(\sum_k w_k)^2}{\sum_k w_k^2}",
                 "so many draws of equal weight would do as well: of q’s", "effective_q"),
        ),
        example=r"Two draws with weights $w = 1$ and $3$: their mean is $2$, its log $0.69$; the mean of their logs is "
        r"only $0.55$. They are worth $(1 + 3)^2 / (1 + 9) = 1.6$ draws of equal weight.",
    ),
)  # fmt: skip
