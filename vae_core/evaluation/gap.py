"""The gap between log p(x) and the ELBO, and its two causes, image by image (T14, T15).

With q* the best Gaussian for one image, found by gradient with θ fixed:

    log p(x) − ELBO(q) = [ELBO(q*) − ELBO(q)] + [log p(x) − ELBO(q*)]
    gap                = amortization gap       + approximation gap

Source: Cremer, Li & Duvenaud (2018), "Inference suboptimality in variational autoencoders".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from ..objective import elbo_of
from ..settings import check_int
from .evaluate import IMAGES_AT_ONCE, Proposal, check_images, log_likelihood
from .fit import climb, paired_noise

LEARNING_RATE = 0.03


@dataclass(frozen=True)
class Gaps:
    """The terms for each image: nats, (B,) each."""

    elbo: Tensor
    refined_elbo: Tensor
    log_px: Tensor

    @property
    def amortization(self) -> Tensor:
        """What the encoder loses compared with the best Gaussian for that image."""
        return self.refined_elbo - self.elbo

    @property
    def approximation(self) -> Tensor:
        """What the best diagonal Gaussian loses compared with the true posterior."""
        return self.log_px - self.refined_elbo

    @property
    def total(self) -> Tensor:
        """log p(x) − ELBO."""
        return self.log_px - self.elbo


def ascend(
    model: VAE,
    x: Tensor,
    *,
    draws: int = 64,
    max_steps: int = 3000,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[DiagonalGaussian, Tensor]]:
    """Gradient ascent on each image's ELBO from the encoder's q, with θ fixed and common random numbers (T15).

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1].
        draws: of ε, fixed over the steps, in pairs of opposite sign.
        max_steps: most steps; it ends earlier once no image gains any more.
        eps: (L, B, D) or (L, 1, D), used instead of those ε.
        generator: source of ε.

    Yields:
        Each q and its ELBO from these draws, (B,) nats; the encoder's own first.
    """
    check_int("draws", draws, 2, 100_000)
    check_images(x)
    with torch.no_grad():
        start = model.posterior(x)
    noise = paired_noise(draws, start.mu, generator) if eps is None else eps
    yield from climb(start, lambda q: elbo_of(model, x, q, noise).elbo, steps=max_steps, learning_rate=LEARNING_RATE)


def refine(
    model: VAE, x: Tensor, *, draws: int = 64, max_steps: int = 3000, generator: torch.Generator | None = None
) -> DiagonalGaussian:
    """The q of each image that maximizes its ELBO with θ fixed: the best of `ascend` (T15)."""
    (mu, logvar), best = next(way := ascend(model, x, draws=draws, max_steps=max_steps, generator=generator))
    for q, bound in way:
        better = (bound > best)[:, None]
        mu, logvar = torch.where(better, q.mu, mu), torch.where(better, q.logvar, logvar)
        best = torch.maximum(bound, best)
    return DiagonalGaussian(mu, logvar)


def gaps(
    model: VAE,
    x: Tensor,
    samples: int = 1000,
    *,
    draws: int = 256,
    generator: torch.Generator | None = None,
) -> Gaps:
    """The gap of each image, split into its two parts.

    Both ELBOs use the same fresh draws, so that their difference is more precise than either.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model needs it.
        samples: K of the estimate of log p(x), drawn from the refined q.
        draws: of z for each ELBO.
        generator: source of all draws.
    """
    refined = refine(model, x, generator=generator)
    with torch.inference_mode():
        eps = torch.randn((draws, *refined.mu.shape), generator=generator, dtype=x.dtype, device=x.device)
        refined_elbo, elbo = (elbo_of(model, x, q, eps).elbo for q in (refined, model.posterior(x)))
        parts = map(DiagonalGaussian, refined.mu.split(IMAGES_AT_ONCE), refined.logvar.split(IMAGES_AT_ONCE))
        log_px = log_likelihood(model, x, samples, generator, proposal=lambda *_: Proposal.of(next(parts)))
    return Gaps(elbo, refined_elbo, log_px)
