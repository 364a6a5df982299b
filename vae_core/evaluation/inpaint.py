"""Scores and completes an image with only some pixels known.

The pixels are independent given z, so hidden ones drop out of the likelihood: p(x_visible, z) = p(z) p(x_visible|z).
What the model makes of the hidden ones is p(x_hidden | x_visible) = ∫ p(x_hidden|z) p(z|x_visible) dz.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..densities import DiagonalGaussian
from ..likelihood import Likelihood, OfVisible
from ..model import VAE
from ..objective import elbo_of
from ..settings import check_int
from .evaluate import check_images
from .fit import climb
from .noise import common_noise, fitting_noise

LEARNING_RATE = 0.1  # at the first step; falls linearly to 0
DRAWS = 32  # that q is fitted to
GUESSES = 256  # draws of the prior, of which those that explain the visible pixels best begin
FILLINGS = 8  # of the hidden pixels that are tried


def visible(model: VAE, hidden: Tensor) -> VAE:
    """The model of the visible pixels alone; the model itself where nothing is hidden.

    It takes whole images, whose hidden pixels are ignored: its log p(x|z) and all that follows from it, such as the
    ELBO, log p(x) and p(z|x), are of x_visible (T6, T14, T19). It still decodes whole images.

    Args:
        model: not changed; its weights are shared.
        hidden: (28, 28) bool.
    """
    return _Visible(model, hidden) if bool(hidden.any()) else model


class _Visible(VAE):
    """What `visible` returns."""

    def __init__(self, model: VAE, hidden: Tensor) -> None:
        nn.Module.__init__(self)  # instead of VAE's, which makes new weights
        self.config, self.encoder, self.decoder = model.config, model.encoder, model.decoder
        if self.config.likelihood == "gaussian":
            self.log_sigma = model.log_sigma
        self.hidden = hidden

    @property
    def likelihood(self) -> Likelihood:
        return OfVisible(super().likelihood, ~self.hidden.flatten())

    @torch.no_grad()
    def posterior(self, x: Tensor) -> DiagonalGaussian:
        """The encoder's q(z|x) of x with its hidden pixels filled in, as the encoder was never trained on holes.

        What they are filled with depends on what they are at first. So several begin, black and as draws of the prior
        have them, and each image gets the q with the largest ELBO.
        """
        guesses = self.sample_prior(GUESSES, torch.Generator(x.device).manual_seed(0))
        best = self.log_px_pairs(x, guesses).topk(FILLINGS - 1, 0).indices  # (FILLINGS − 1, B)
        starts = torch.cat([torch.zeros_like(x)[None], self.x_hat(guesses[best]).clamp(0, 1)])
        filled = fill_in(self, torch.where(self.hidden, starts, x).flatten(0, 1), self.hidden)
        q = super().posterior(filled)
        elbos = elbo_of(self, filled, q, common_noise(q.mu.shape[1], DRAWS).to(x)).elbo
        chosen = elbos.unflatten(0, (FILLINGS, len(x))).argmax(0) * len(x) + torch.arange(len(x), device=x.device)
        return DiagonalGaussian(q.mu[chosen], q.logvar[chosen])


@torch.no_grad()
def fill_in(model: VAE, x: Tensor, hidden: Tensor, rounds: int = 30) -> Tensor:
    """x with hidden pixels replaced by E[x|z] at the mean of q(z|x), `rounds` times: (B, 1, 28, 28) in [0, 1].

    Source: after Rezende, Mohamed & Wierstra (2014), appendix F.
    """
    check_int("rounds", rounds, 1, 10_000)
    filled = x
    for _ in range(rounds):
        filled = torch.where(hidden, model.x_hat(model.encode(filled)[0]).clamp(0, 1), x)
    return filled


def visible_posterior(
    model: VAE,
    x: Tensor,
    hidden: Tensor,
    *,
    steps: int = 200,
) -> DiagonalGaussian:
    """The diagonal Gaussian q nearest to p(z|x_visible): it maximizes E_q[log p(x_visible|z)] − KL(q‖p(z)).

    The search uses Adam with common random numbers, and starts from the encoder's q of the filled-in image.

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1]; hidden pixels are ignored.
        hidden: (28, 28) bool.
        steps: of the search.
    """
    check_images(x)
    view = visible(model, hidden)
    with torch.no_grad():
        start = view.posterior(x)
    eps = fitting_noise(model.config.latent_dim, DRAWS).to(x)

    def bound(q: DiagonalGaussian) -> Tensor:
        return elbo_of(view, x, q, eps).elbo

    *_, (last, _) = climb(start, bound, steps=steps + 1, learning_rate=LEARNING_RATE, falls=True)
    return last


@torch.no_grad()
def completions(model: VAE, x: Tensor, hidden: Tensor, z: Tensor) -> Tensor:
    """x with its hidden pixels replaced by E[x|z]: z of (L, B, D) gives (L, B, 1, 28, 28)."""
    return torch.where(hidden, model.x_hat(z), x)
