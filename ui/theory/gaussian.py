"""The cards on the Gaussian case: its KL in closed form, reparameterization, L draws and likelihoods."""

from __future__ import annotations

from vae_core.densities import gaussian_kl

from .card import Card, Lead, Line, Question

CARDS = (
    Card(
        name="gaussian",
        short="Gaussians",
        claim="Between two Gaussians, KL is three plain terms.",
        text="For Gaussians the integral of KL can be done with pen and paper: a price for widths that differ, one for "
        "means that differ, and one for being wide. Drag either curve by its top and its side.",
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
        code={"kl": (gaussian_kl, "torch.addcmul"), "shift": (gaussian_kl, "mu, logvar = (mu - prior_mean)")},
        lines=(
            Line("(31)", r"\term{kl}{\mathrm{KL}(q\|p)} = \int q(z)\,[\log q(z) - \log p(z)]\,dz", "by quadrature",
                 "quadrature"),
            Line("(33)", r"\mathbb{E}_q[\log q(z)] = -\tfrac12\log(2\pi\sigma_q^2) - \tfrac12", "", "log_q"),
            Line("(36)", r"\mathbb{E}_q[\log p(z)] = -\tfrac12\log(2\pi\sigma_p^2) - "
                 r"\frac{\sigma_q^2 + (\mu_q-\mu_p)^2}{2\sigma_p^2}", "", "log_p"),
            Line("(39)", r"\term{kl}{\mathrm{KL}(q\|p)} = \log\frac{\sigma_p}{\sigma_q} + "
                 r"\frac{\sigma_q^2 + (\mu_q-\mu_p)^2}{2\sigma_p^2} - \tfrac12", "in closed form", "kl"),
        ),
    ),
)  # fmt: skip
