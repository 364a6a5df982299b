"""The cards on the Gaussian case: its KL in closed form, L draws and the batch, and the likelihoods."""

from __future__ import annotations

from vae_core.densities import DiagonalGaussian, gaussian_kl

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
)
