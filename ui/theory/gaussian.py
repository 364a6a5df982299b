"""The cards on the Gaussian case: its KL in closed form, L draws and the batch, and the likelihoods."""

from __future__ import annotations

from vae_core.densities import (
    DiagonalGaussian,
    bernoulli_log_prob,
    continuous_bernoulli_log_prob,
    gaussian_kl,
    gaussian_log_prob,
)
from vae_core.objective import Objective, elbo_of_decoded

from .card import Card, Lead, Line, Question

KL = r"-\term{kl}{\mathrm{KL}(q\|p)}"
LOG = r"\log\frac{\sigma_q}{\sigma_p}"
FROM_P = r"\frac{(z-\mu_p)^2}{2\sigma_p^2}"
FROM_Q = r"\frac{(z-\mu_q)^2}{2\sigma_q^2}"
ALL = r"\int q(z)\Big[\!"

STEPS = (
    Line("(29)", r"p(z) = \frac{1}{\sqrt{2\pi\sigma_p^2}}\,e^{-(z-\mu_p)^2/2\sigma_p^2}", "the prior"),
    Line("(30)", r"q(z) = \frac{1}{\sqrt{2\pi\sigma_q^2}}\,e^{-(z-\mu_q)^2/2\sigma_q^2}",
         "the encoder’s answer, in one dimension"),
    Line("(31)", rf"{KL} = \int q(z) \log\frac{{p(z)}}{{q(z)}}\,dz", "by quadrature, as all that follow", "eq31"),
    Line("", r"\approx \frac1n \sum_i \log\frac{p(z_i)}{q(z_i)},\; z_i \sim q", "by n = 1,000 draws",
         "draws"),
    Line("(32)", rf"= {ALL} -\tfrac12\log 2\pi - \log\sigma_p - {FROM_P} + \tfrac12\log 2\pi + \log\sigma_q + "
         rf"{FROM_Q}\Big]dz", "both logarithms written out", "eq32"),
    Line("(33)", rf"= {ALL} -\log\sigma_p - {FROM_P} + \log\sigma_q + {FROM_Q}\Big]dz", "$\\log 2\\pi$ cancels",
         "eq33"),
    Line("(34)", rf"= \mathbb{{E}}_q\Big[{LOG} - {FROM_P} + {FROM_Q}\Big]", "an integral against q is a mean under q",
         "eq34"),
    Line("(35)", rf"= {LOG} + \mathbb{{E}}_q\Big[{FROM_Q} - {FROM_P}\Big]", "a constant is its own mean", "eq35"),
    Line("(36)", rf"= {LOG} - \frac{{\mathbb{{E}}_q[(z-\mu_p)^2]}}{{2\sigma_p^2}} + "
         r"\frac{\mathbb{E}_q[(z-\mu_q)^2]}{2\sigma_q^2}", "the mean of a sum is the sum of means", "eq36"),
    Line("(37)", rf"= {LOG} - \frac{{\mathbb{{E}}_q[(z-\mu_p)^2]}}{{2\sigma_p^2}} + \tfrac12",
         "$\\mathbb{E}_q[(z-\\mu_q)^2]$ is the variance $\\sigma_q^2$", "eq37"),
    Line("(38)", rf"= {LOG} - \frac{{\mathbb{{E}}_q[(z-\mu_q)^2] + 2\delta\,\mathbb{{E}}_q[z-\mu_q] + \delta^2}}"
         r"{2\sigma_p^2} + \tfrac12",
         "$(z-\\mu_q+\\delta)^2$ with $\\delta = \\mu_q-\\mu_p$; the middle term is 0", "eq38"),
    Line("(39)", rf"= {LOG} - \frac{{\sigma_q^2 + (\mu_q-\mu_p)^2}}{{2\sigma_p^2}} + \tfrac12", "in closed form",
         "eq39"),
    Line("(40)", r"-\mathrm{KL}(q\|\mathcal{N}(0,1)) = \tfrac12\big[1 + \log\sigma_q^2 - \sigma_q^2 - \mu_q^2\big]",
         "q as it is now, against the prior N(0, 1)", "eq40"),
    Line("§7", r"\term{kl}{\mathrm{KL}(q(z|x)\|p(z))} = \sum_j \mathrm{KL}_j", "the image in hand: dimensions are "
         "independent under q and p, so their KLs add up", "kl_image"),
)  # fmt: skip

SQUARES = r"\|x - \hat x\|^2"
LIKELIHOODS = (
    Line("§10", r"\log p(x|z) = \sum_{i=1}^{784} \log p(x_i|z)", "given z, the pixels are independent"),
    Line("§10", r"\term{bernoulli}{\log p(x|z)} = \sum_i x_i \log \hat x_i + (1-x_i) \log(1-\hat x_i)",
         "Bernoulli: −(binary cross-entropy), never above 0; of grey pixels no probability of the data",
         "bernoulli"),
    Line("§10", rf"\term{{gaussian}}{{\log p(x|z)}} = -\frac{{{SQUARES}}}{{2\sigma^2}} - "
         r"\tfrac{784}{2}\log(2\pi\sigma^2)", "Gaussian, its constants kept", "gaussian"),
    Line("", rf"{SQUARES}", "the squared error, summed over the pixels", "sse"),
    Line("", r"-\tfrac{784}{2}\log(2\pi\sigma^2)", "of a perfect prediction: above 0 as soon as σ < 0.399, since a "
         "density may exceed 1", "ceiling"),
    Line("", rf"2\sigma^2 \cdot (-\mathrm{{ELBO}}) = {SQUARES} + 2\sigma^2\,\term{{kl}}{{\mathrm{{KL}}}} + "
         r"\mathrm{const}", "for a fixed σ, 2σ² plays the part of β", "beta"),
    Line("", rf"\tfrac{{1}}{{784}}{SQUARES} + \term{{kl}}{{\mathrm{{KL}}}}", "the mean over pixels is a Gaussian with "
         "σ² = 784/2 = 392: β = 784 beside the squared error"),
    Line("§10", r"\term{continuous}{\log p(x|z)} = \sum_i x_i \log\lambda_i + (1-x_i)\log(1-\lambda_i) + "
         r"\log C(\lambda_i)", "continuous Bernoulli, a density on [0, 1]; with "
         "$\\lambda = \\hat x$ for a decoder of another kind",
         "continuous"),
)  # fmt: skip

DATUM = r"\tfrac12\sum_j\big[1 + \log\sigma_j^2 - \sigma_j^2 - \mu_j^2\big]"
DRAWS = (
    Line("(41)", rf"{DATUM} + \term{{reconstruction}}{{\log p(x|z)}},\; z \sim q(z|x)", "one datum and one draw, the "
         "newest", "single"),
    Line("", rf"-\term{{kl}}{{\mathrm{{KL}}}} = {DATUM}", "the same for every draw; here for the prior N(0, 1)",
         "minus_kl"),
    Line("(42)", rf"\term{{elbo}}{{G}} = {DATUM} + "
         r"\frac1L\sum_{l=1}^L \term{reconstruction}{\log p(x|z^{(l)})}", "L draws", "estimate"),
    Line("(43)", r"\mathcal{L} = -\term{elbo}{G}", "the loss, of which training takes the gradient", "loss"),
    Line("", r"\mathrm{sd}[G] = \frac{s}{\sqrt L}", "the draws are independent, so their variances add up and the mean "
         "has 1/L of one’s", "expected"),
    Line("", r"\mathrm{sd}[G]", "measured, over all groups of L draws", "measured"),
    Line("", r"\frac1B\sum_{i=1}^B G_i", "the mean of a batch", "batch_mean"),
    Line("", r"\sqrt{\frac1{BL}\,\overline{s_i^2}}", "what the draws add to its spread", "of_draws"),
    Line("", r"\sqrt{\frac1B\,\mathrm{Var}_i[\mathrm{ELBO}_i]}", "what the choice of B images adds", "of_images"),
)  # fmt: skip

CARDS = (
    Card(
        name="gaussian",
        short="Gaussians",
        claim="Between two Gaussians, KL is three plain terms.",
        text=r"Here the integral can be done by hand: $\log(\sigma_p/\sigma_q)$ grows as q gets narrower than p, "
        r"$\sigma_q^2$ as it gets wider, $(\mu_q-\mu_p)^2$ as it moves away. Drag each curve by its top and by its "
        "side.",
        rows=("T7", "T8", "T16"),
        formula=r"\term{kl}{\mathrm{KL}(q\|p)} = \term{widths}{\log\frac{\sigma_p}{\sigma_q}} + "
        r"\frac{\term{spread}{\sigma_q^2} + \term{shift}{(\mu_q - \mu_p)^2}}{2\sigma_p^2} - \tfrac12",
        question=Question(
            "q = N(0, 1) makes the KL zero. Should the encoder answer N(0, 1) for every image?",
            ("Yes: that minimizes the loss", "No: z would say nothing of x", "It cannot: the KL is never 0"),
            1,
            "If q(z|x) is the prior for every x, the KL is 0 and z carries nothing: the decoder cannot tell images "
            "apart. That is posterior collapse, not the aim.",
            "Now drag q onto p.",
        ),
        lead=Lead("elbo", "kl-bars"),
        code={
            "kl": (gaussian_kl, "torch.addcmul"),
            "shift": (gaussian_kl, "mu, logvar = (mu - prior_mean)"),
            "spread": (DiagonalGaussian.kl, "gaussian_kl(self.mu"),
        },
        lines=STEPS,
        example=r"With q = N(1, 0.6²) and p = N(0, 1): $\log\tfrac{1}{0.6} = 0.51$, $\tfrac{0.36}{2} = 0.18$ and "
        r"$\tfrac{1}{2} = 0.50$ make $0.51 + 0.18 + 0.50 - 0.50 = 0.69$ nats.",
    ),
    Card(
        name="draws",
        short="L draws",
        claim="Four times the draws halve the error.",
        text="The reconstruction term is a mean over draws of z. Drag L: the estimates move together, but only as "
        "1/√L. In a batch the images differ by far more than the draws do, and so one draw each will do.",
        rows=("T9", "T10"),
        formula=r"\term{elbo}{G} = -\term{kl}{\mathrm{KL}(q\|p)} + \frac1L\sum_{l=1}^{L} "
        r"\term{reconstruction}{\log p(x|z^{(l)})}",
        question=Question(
            "From L = 1 to L = 64 draws, how much less do the estimates spread?",
            ("64 times", "8 times", "not at all"),
            1,
            "Variances of independent draws add up: that of their mean falls as 1/L, and its root, the spread, as "
            "1/√L. The mean stays where it is: one draw is noisy, but not biased.",
            "Now drag L to 64.",
        ),
        lead=Lead("train"),
        code={
            "elbo": (Objective.loss, "terms.reconstruction.mean()"),
            "kl": (DiagonalGaussian.kl, "gaussian_kl(self.mu"),
            "reconstruction": (elbo_of_decoded, "return ELBO("),
        },
        lines=DRAWS,
        example=r"If one draw has a spread of $s = 4$ nats, 16 draws have $4/\sqrt{16} = 1$. For a batch of 100 images "
        r"with one draw each the draws count $4/\sqrt{100} = 0.4$ nats.",
    ),
    Card(
        name="likelihoods",
        short="Likelihoods",
        claim="The likelihood decides what an error costs.",
        text="The reconstruction term is log p(x|z), and p is yours to choose. Here one image and one prediction x̂ are "
        "scored three ways. Slide σ, and point at a pixel.",
        rows=("T19",),
        formula=r"\log p(x_i|z) = \begin{cases} \term{bernoulli}{x_i\log\hat x_i + (1-x_i)\log(1-\hat x_i)} \\ "
        r"\term{gaussian}{-(x_i-\hat x_i)^2/2\sigma^2 - \tfrac12\log 2\pi\sigma^2} \end{cases}",
        question=Question(
            "Is the reconstruction term the mean squared error?",
            ("Yes, always", "Only of a Gaussian, scaled and shifted", "Only for black and white pixels"),
            1,
            "It is log p(x|z), whatever p is. A Gaussian makes it −‖x − x̂‖²/2σ² plus a constant, a Bernoulli makes it "
            "cross-entropy. Plain MSE beside the KL has quietly chosen σ² = 392.",
            "Now slide σ, or point at a pixel.",
        ),
        lead=Lead("train"),
        code={
            "bernoulli": (bernoulli_log_prob, "x * logits - F.softplus"),
            "gaussian": (gaussian_log_prob, "return -0.5"),
            "continuous": (continuous_bernoulli_log_prob, "return bernoulli_log_prob"),
        },
        lines=LIKELIHOODS,
        example=r"With σ = 0.0975, the log-density of a perfect pixel is $-\log(0.0975\sqrt{2\pi}) = 1.41$ nats, and "
        r"of 784 of them $1105$. An ELBO of 643.75 is therefore no miracle: it lies 461 nats below that.",
    ),
)
