"""Unbiased estimators of the gradient of E_q[log p(x|z)], and their variance (T17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from ..settings import check_int
from .evaluate import check_images

AT_ONCE = 1000  # decoded images whose gradient is taken at once, a few MB each


@dataclass(frozen=True)
class GradientEstimates:
    """Single-draw estimates of ∂E_q[log p(x|z)]/∂(μ, log σ²), (L, B, 2D) each, from the same draws.

    pathwise: by reparameterization, ∂ log p(x|μ + σε). score: log p(x|z) ∂ log q(z). with_baseline:
    (log p(x|z) − b) ∂ log q(z), with b the mean of log p(x|z) over the other draws, which is independent of this one.
    """

    pathwise: Tensor
    score: Tensor
    with_baseline: Tensor

    def variance_ratio(self, of: str = "score") -> float:
        """Variance of an estimator over that of the pathwise one, each summed over its elements."""
        other: Tensor = getattr(self, of)
        return float(other.var(0).sum() / self.pathwise.var(0).sum())


def gradient_estimates(
    model: VAE,
    x: Tensor,
    draws: int = 100,
    *,
    q: DiagonalGaussian | None = None,
    generator: torch.Generator | None = None,
) -> GradientEstimates:
    """All estimators on the same images and the same draws of z.

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1].
        draws: L ≥ 2.
        q: one for each image; the encoder's if None.
        generator: source of the draws.

    Source: Kingma & Welling (2014), section 2.2 for the score function and 2.4 for reparameterization; Mnih & Rezende
    (2016), arXiv:1602.06725, section 2.4, for the mean of the other draws as a baseline.
    """
    check_int("draws", draws, 2, 1_000_000)
    check_images(x)
    if q is None:
        with torch.no_grad():
            q = model.posterior(x)
    eps = torch.randn((draws, *q.mu.shape), generator=generator, dtype=x.dtype, device=x.device)
    parts = [slopes(model, x, z) for z in q.sample(eps).split(max(1, AT_ONCE // len(x)))]
    log_px_z, by_z = (torch.cat(part) for part in zip(*parts, strict=True))
    pathwise = torch.cat([by_z, by_z * 0.5 * q.std * eps], -1)
    score_of_q = torch.cat([eps / q.std, 0.5 * (eps.square() - 1)], -1)
    of_others = (log_px_z.sum(0) - log_px_z) / (draws - 1)
    score, with_baseline = (value.unsqueeze(-1) * score_of_q for value in (log_px_z, log_px_z - of_others))
    return GradientEstimates(pathwise, score, with_baseline)


def slopes(model: VAE, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x|z), (L, B) nats, and its gradient with respect to z, (L, B, D), of draws z of (L, B, D)."""
    z = z.detach().requires_grad_()
    log_px_z = model.log_px_z(x, z)
    (by_z,) = torch.autograd.grad(log_px_z.sum(), z)
    return log_px_z.detach(), by_z


def as_draws_grow(estimates: Tensor, counts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The mean of the first n estimates and its standard error, for each n.

    Args:
        estimates: (L, …), one for each draw.
        counts: each from 2 to L.

    Returns:
        (N, …) each, in float64; the error is the standard deviation over √n.
    """
    for count in counts:
        check_int("counts", count, 2, len(estimates))
    wide = estimates.double()
    parts = [wide[:count] for count in counts]
    mean = torch.stack([part.mean(0) for part in parts])
    error = torch.stack([part.std(0) / count**0.5 for part, count in zip(parts, counts, strict=True)])
    return mean, error
