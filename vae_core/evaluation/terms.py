"""The ELBO of a q for one image, by the same draws for every q, so that two of them can be compared."""

from __future__ import annotations

from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from ..objective import ELBO, elbo_of
from .noise import common_noise


def worth(model: VAE, x: Tensor, q: DiagonalGaussian) -> ELBO:
    """The ELBO's terms for a q from the common draws, decoded once and kept: x (B, 1, 28, 28), q (B, D)."""
    return elbo_of(model, x, q, common_noise(q.mu.shape[1]))
