"""Two unbiased estimators of the gradient of E_q[log p(x|z)], and their variance (T17)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..model import VAE
from ..settings import check_int
from .evaluate import check_images


@dataclass(frozen=True)
class GradientEstimates:
    """Single-draw estimates of ∂E_q[log p(x|z)]/∂(μ, log σ²), (L, B, 2D) each, from the same draws.

    pathwise: by reparameterization, ∂ log p(x|μ + σε). score: log p(x|z) ∂ log q(z).
    """

    pathwise: Tensor
    score: Tensor

    def variance_ratio(self) -> float:
        """Variance of the score-function estimate over that of the pathwise one, each summed over its elements."""
        return float(self.score.var(0).sum() / self.pathwise.var(0).sum())


def gradient_estimates(
    model: VAE, x: Tensor, draws: int = 100, *, generator: torch.Generator | None = None
) -> GradientEstimates:
    """Both estimators on the same images and the same draws of z.

    Args:
        model: not changed.
        x: (B, 1, 28, 28) in [0, 1].
        draws: L ≥ 2.
        generator: source of the draws.

    Source: Kingma & Welling (2014), section 2.2 for the score function and 2.4 for reparameterization.
    """
    check_int("draws", draws, 2, 1_000_000)
    check_images(x)
    with torch.no_grad():
        q = model.posterior(x)
    eps = torch.randn((draws, *q.mu.shape), generator=generator, dtype=x.dtype, device=x.device)
    z = q.sample(eps).requires_grad_()
    log_px_z = model.log_px_z(x, z)  # (L, B)
    (by_z,) = torch.autograd.grad(log_px_z.sum(), z)
    pathwise = torch.cat([by_z, by_z * 0.5 * q.std * eps], -1)
    score_of_q = torch.cat([eps / q.std, 0.5 * (eps.square() - 1)], -1)
    return GradientEstimates(pathwise, log_px_z.detach().unsqueeze(-1) * score_of_q)
