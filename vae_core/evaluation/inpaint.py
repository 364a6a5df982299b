"""Completes an image with only some pixels known: p(x_hidden | x_visible) = ∫ p(x_hidden|z) p(z|x_visible) dz.

The pixels are independent given z, so hidden ones drop out of the likelihood and p(z|x_visible) ∝ p(z) p(x_visible|z).
The encoder was never trained on holes: its q(z|x) of a filled-in image only starts the search for a better q.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from ..settings import check_int
from .evaluate import check_images
from .fit import climb
from .noise import fitting_noise

LEARNING_RATE = 0.1  # at the first step; falls linearly to 0
DRAWS = 32  # that q is fitted to


def visible_log_px_z(model: VAE, x: Tensor, z: Tensor, hidden: Tensor) -> Tensor:
    """log p(x_visible|z): the log-likelihood summed over the pixels that are not hidden (T19).

    Args:
        x: (B, 1, 28, 28) in [0, 1].
        z: (..., B, D).
        hidden: (B, 1, 28, 28) bool.

    Returns:
        (..., B) nats per image.
    """
    log_p = model.likelihood.log_prob(x, model.decode(z))
    return log_p.masked_fill(hidden, 0.0).flatten(-3).sum(-1)


@torch.no_grad()
def fill_in(model: VAE, x: Tensor, hidden: Tensor, rounds: int = 30) -> Tensor:
    """x with hidden pixels replaced by E[x|z] at the mean of q(z|x), `rounds` times: (B, 1, 28, 28) in [0, 1].

    Source: after Rezende, Mohamed & Wierstra (2014), appendix F.
    """
    check_int("rounds", rounds, 1, 10_000)
    filled = x.masked_fill(hidden, 0.0)
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

    The search uses Adam with common random numbers, and starts from the encoder's q of `fill_in`.

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1]; hidden pixels are ignored.
        hidden: (B, 1, 28, 28) bool.
        steps: of the search.
    """
    check_images(x)
    with torch.no_grad():
        start = model.posterior(fill_in(model, x, hidden))
    eps = fitting_noise(model.config.latent_dim, DRAWS).to(x)

    def bound(q: DiagonalGaussian) -> Tensor:
        return visible_log_px_z(model, x, q.sample(eps), hidden).mean(0) - q.kl(model.prior).sum(-1)

    *_, (last, _) = climb(start, bound, steps=steps + 1, learning_rate=LEARNING_RATE, falls=True)
    return last


@torch.no_grad()
def completions(model: VAE, x: Tensor, hidden: Tensor, z: Tensor) -> Tensor:
    """x with its hidden pixels replaced by E[x|z]: z of (L, B, D) gives (L, B, 1, 28, 28)."""
    return torch.where(hidden, model.x_hat(z), x)
