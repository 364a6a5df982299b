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
from . import ppca
from .evaluate import IMAGES_AT_ONCE, Proposal, check_images, log_likelihood
from .fit import climb
from .noise import common_noise, fitting_noise
from .truth import exact_terms

LEARNING_RATE = 0.03
REFINED_AT_ONCE = 20  # images, each with all of its draws in memory


@dataclass(frozen=True)
class Gaps:
    """The terms for each image: nats, (B,) each; exact: (B,) bool, whether all three are, else they are estimates."""

    elbo: Tensor
    refined_elbo: Tensor
    log_px: Tensor
    exact: Tensor

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
    model: VAE, x: Tensor, *, max_steps: int = 3000, eps: Tensor | None = None
) -> Iterator[tuple[DiagonalGaussian, Tensor]]:
    """Gradient ascent on each image's ELBO from the encoder's q, with θ fixed and common random numbers (T15).

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1].
        max_steps: most steps; it ends earlier once no image gains any more.
        eps: (L, 1, D) or (L, B, D), fixed over the steps; if None, `fitting_noise`.

    Yields:
        Each q and its ELBO from these draws, (B,) nats; the encoder's own first.
    """
    check_images(x)
    with torch.no_grad():
        start = model.posterior(x)
    noise = (fitting_noise(model.config.latent_dim) if eps is None else eps).to(x)
    yield from climb(start, lambda q: elbo_of(model, x, q, noise).elbo, steps=max_steps, learning_rate=LEARNING_RATE)


def refine(model: VAE, x: Tensor, *, max_steps: int = 3000) -> DiagonalGaussian:
    """The q of each image that maximizes its ELBO with θ fixed: in closed form, or the best of `ascend` (T15)."""
    if ppca.is_ppca(model.config):
        return ppca.best_gaussian(model, x)
    parts = [_refine(model, part, max_steps) for part in x.split(REFINED_AT_ONCE)]
    return DiagonalGaussian(*(torch.cat(each) for each in zip(*parts, strict=True)))


def _refine(model: VAE, x: Tensor, max_steps: int) -> DiagonalGaussian:
    (mu, logvar), best = next(way := ascend(model, x, max_steps=max_steps))
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

    What is known exactly is not estimated (`exact_terms`). Elsewhere both ELBOs use the same draws, which the refined q
    was not fitted to: their difference is more precise than either, and favours neither.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model needs it.
        samples: K of the estimate of log p(x), drawn from the refined q.
        draws: of z for each ELBO.
        generator: source of the draws of that estimate.
    """
    check_int("draws", draws, 2, 100_000)
    refined = refine(model, x)
    with torch.inference_mode():
        encoders = model.posterior(x)
        eps = common_noise(model.config.latent_dim, draws, seed=2).to(x)
        elbo, refined_elbo = (elbo_of(model, x, q, eps).elbo for q in (encoders, refined))
        parts = map(DiagonalGaussian, refined.mu.split(IMAGES_AT_ONCE), refined.logvar.split(IMAGES_AT_ONCE))
        log_px = log_likelihood(model, x, samples, generator, proposal=lambda *_: Proposal.of(next(parts)))
        exact = torch.zeros_like(log_px, dtype=torch.bool)
        of_encoders, of_refined = exact_terms(model, x, encoders), exact_terms(model, x, refined)
        if of_encoders is not None and of_refined is not None:
            exact = of_encoders.elbo.isfinite() & of_refined.elbo.isfinite()
            log_px = torch.where(exact, of_refined.log_px, log_px)
            elbo = torch.where(exact, of_encoders.elbo, elbo)
            refined_elbo = torch.where(exact, of_refined.elbo, refined_elbo)
    return Gaps(elbo, refined_elbo, log_px, exact)
