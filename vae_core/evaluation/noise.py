"""Common noise: the same draws of ε for every q, so that two of them can be compared and one of them improved."""

from __future__ import annotations

import math

import torch
from torch import Tensor

DRAWS = 64
FITTED = 128  # draws that a q is fitted to; with fewer it fits these draws rather than its true ELBO
MATCHED = 0.8  # dimensions for each draw up to which the draws can match mean and covariance


def common_noise(dims: int, draws: int = DRAWS, seed: int = 0) -> Tensor:
    """ε of the common draws of z, (L, 1, D); with mean 0 and covariance I exactly where D ≤ 0.8 L.

    Near q, log p(x|z) is nearly quadratic in z, and such draws give a quadratic's expectation exactly: with the shipped
    models the error of the ELBO is a third to a seventeenth of that with as many independent draws. A q that is fitted
    to independent draws fits their accidents, too, and is worse than its own bound says.

    Args:
        dims: D.
        draws: L.
        seed: of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    eps = torch.randn((draws, dims), generator=generator, dtype=torch.float64)
    if dims <= MATCHED * draws:
        eps = eps - eps.mean(0)
        root = torch.linalg.cholesky(eps.T @ eps / draws)
        eps = torch.linalg.solve_triangular(root, eps.T, upper=False).T
    return eps.float().unsqueeze(1)


def fitting_noise(dims: int, draws: int = FITTED) -> Tensor:
    """ε of the draws that a q is fitted to, (L, 1, D): others than those of `common_noise` by which it is judged.

    Mean and covariance match in any dimension: L is as large as that takes, and at least `draws`.
    """
    return common_noise(dims, max(draws, math.ceil(dims / MATCHED)), seed=1)
