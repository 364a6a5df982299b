"""The cards on learning: what the balance of the two terms does, shown on recorded trainings."""

from __future__ import annotations

from vae_core.likelihood import Likelihood
from vae_core.objective import Objective

from .card import Card, Line, Question, Way

CARDS = (
    Card(
        name="mean",
        short="Sum or mean?",
        claim="Averaging over pixels makes the KL 784 times as heavy.",
        text="Many programs average the reconstruction over the 28 · 28 = 784 pixels and add the KL as it is. Play "
        "both trainings, then move $n$. Which has the lower loss?",
        rows=("T10", "T18"),
        formula=r"\term{elbo}{\mathrm{loss}} = \tfrac1n\,\term{reconstruction}{\big(-\log p(x|z)\big)} + "
        r"\term{kl}{\mathrm{KL}(q(z|x)\|p(z))}",
        question=Question(
            "The pixels' terms are averaged instead of summed. What does that change?",
            (
                "Nothing: a constant factor moves no minimum",
                "The step size only",
                "The balance: it is β = 784",
            ),
            2,
            "A factor on the whole loss would move no minimum. This one stands on one term alone, and "
            "784 · (reconstruction/784 + KL) = reconstruction + 784 KL: no picture is worth its KL any more.",
            "Now play both to the end, then move n to 784.",
        ),
        code={
            "reconstruction": (Likelihood.total, ".sum(-1)"),
            "kl": (Objective.counted_kl, "kl_per_dim.sum(1)"),
            "elbo": (Objective.loss, "self.beta * self.counted_kl"),
        },
        lines=(
            Line("§9", r"\term{reconstruction}{-\log p(x|z)} = \sum_{i=1}^{784} -\log p(x_i|z)",
                 "pixels are independent given z, so their log-probabilities add up", "reconstruction"),
            Line("(43)", r"\term{elbo}{-G} = \term{reconstruction}{-\tfrac1L\sum_l \log p(x|z^{(l)})} + "
                 r"\term{kl}{\mathrm{KL}}", "the sum", "loss_sum"),
            Line("", r"\tfrac{1}{784}\,\term{reconstruction}{\big(-\log p(x|z)\big)} + \term{kl}{\mathrm{KL}}",
                 "the mean over pixels", "loss_mean"),
            Line("", r"784 \cdot \mathrm{loss}_{\mathrm{mean}} = \term{reconstruction}{-\log p(x|z)} + "
                 r"784\,\term{kl}{\mathrm{KL}}", "the same minimum as β = 784", "loss_784"),
        ),
        example="With the mean, a KL of 18 nats would have to save 784 · 18 = 14,112 nats of reconstruction. The whole "
        "reconstruction of a blur costs about 206. So q(z|x) becomes the prior, and the decoder draws the mean of all "
        "images. Sum the pixels, or divide the KL by 784 as well.",
    ),
    Card(
        name="break",
        short="Break it",
        claim="Take one thing away, and see what it was there for.",
        text="Each of these trainings differs from the usual one in a single setting. Say what will come of it; then "
        "watch its terms and its pictures beside those of the usual one.",
        rows=("T17", "T18", "T19"),
        formula=r"\term{elbo}{\mathrm{loss}} = \term{reconstruction}{-\mathbb{E}_q[\log p(x|z)]} + "
        r"\beta\,\term{kl}{\mathrm{KL}(q(z|x)\|p(z))}",
        code={
            "reconstruction": (Likelihood.total, ".sum(-1)"),
            "kl": (Objective.counted_kl, "kl_per_dim.sum(1)"),
            "elbo": (Objective.loss, "self.beta * self.counted_kl"),
        },
        lines=(
            Line("(43)", r"\term{elbo}{\mathrm{loss}} = \term{reconstruction}{-\tfrac1L\sum_l \log p(x|z^{(l)})} + "
                 r"\beta\,\term{kl}{\mathrm{KL}}", "β = 0 and β = 10 change the weight of one term", "loss_other"),
            Line("§9", r"\term{reconstruction}{-\log p(x|z)}", "of the training that is shown", "reconstruction_other"),
            Line("§10", r"\term{reconstruction}{-\log p(x|z)} = \frac{\|x - \mu(z)\|^2}{2\sigma^2} + "
                 r"\tfrac{784}{2}\log(2\pi\sigma^2)", "for Gaussian pixels: a tiny σ makes every squared error dear"),
            Line("§8", r"z = \mu + \sigma \odot \varepsilon", "detached, z is a constant, and the encoder learns from "
                 "the KL alone"),
            Line("(39)", r"\term{kl}{\mathrm{KL}} = \sum_j \log\frac{\sigma_p}{\sigma_j} + "
                 r"\frac{\sigma_j^2 + (\mu_j - \mu_p)^2}{2\sigma_p^2} - \tfrac12",
                 "a prior at $\\mu_p = 10$ costs 50 nats a dimension until the codes have moved", "kl_other"),
        ),
        ways=(
            Way("beta-0", "β = 0", "plain", Question(
                "Nothing pulls q(z|x) towards the prior any more. What comes?",
                ("Better copies and better samples", "Better copies, useless samples", "The KL goes to 0"),
                1,
                "Without a price for the KL, q becomes as narrow and goes as far away as it likes: that is an "
                "autoencoder. The prior then draws z where no image was ever put.",
                "Now press Play.",
            )),
            Way("beta-10", "β = 10", "plain", Question(
                "The KL counts ten times. What becomes of the ten dimensions?",
                ("Each is used a little less", "Some fall asleep altogether", "All fall asleep"),
                1,
                "A dimension that does not save ten times its KL is given up, and its q becomes the prior for every "
                "image. The others go on, and the pictures blur.",
                "Now press Play.",
            )),
            Way("tiny-sigma", "σ = 0.01", "gaussian", Question(
                "A Gaussian pixel may be off by no more than 0.01. What comes?",
                ("A much larger loss, and more KL", "A smaller loss: the copies are sharp", "No change: σ is a unit"),
                0,
                "A squared error is divided by 2σ², so each costs far more, and the KL hardly counts beside it: a tiny "
                "σ works like a tiny β. The copies barely gain, and the samples suffer.",
                "Now press Play.",
            )),
            Way("detached", "z detached", "plain", Question(
                "The gradient of the reconstruction stops at z. What does the encoder learn?",
                ("To describe x, only slower", "Nothing: it stays as it began", "To answer the prior for every x"),
                2,
                "Only the KL still reaches the encoder, and it is smallest where q(z|x) is the prior. z then says "
                "nothing of x, so the best picture is one blur. −ELBO falls all the same.",
                "Now press Play.",
            )),
            Way("one-dimension", "one dimension", "plain", Question(
                "z is a single number. What does its dimension do?",
                ("It carries what each of the ten did", "It carries more than any of the ten", "It falls asleep"),
                1,
                "Alone, it saves more reconstruction per nat than any of ten, so it is worth a higher KL. Yet digits "
                "lie on one line now, and many share a place: 4 becomes 9.",
                "Now press Play.",
            )),
            Way("linear", "no hidden layers", "plain", Question(
                "Encoder and decoder are one matrix each. What is lost?",
                ("Nothing: ten dimensions are still ten", "Many nats of reconstruction", "It cannot be trained at all"),
                1,
                "A linear decoder can only add ten fixed patterns, so its pictures lie on a flat sheet. All ten "
                "dimensions are used, but they reach fewer images. With Gaussian pixels it would be probabilistic PCA.",
                "Now press Play.",
            )),
            Way("far-prior", "prior at 10", "plain", Question(
                "The prior has its mean at 10 in each dimension. What comes?",
                ("The KL stays near 50 nats a dimension", "Collapse: z never pays for its KL",
                 "The codes move there"),
                2,
                "Only μ − μ_p counts in the KL, so where the prior lies is a convention: the first steps carry the "
                "codes over. It costs a slower start, and here about ten nats at the end.",
                "Now press Play.",
            )),
        ),
    ),
)  # fmt: skip
