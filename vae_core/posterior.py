"""The exact posterior of a model with two latent dimensions, by quadrature on a grid (T20b)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .bounds import check_float, check_int
from .evaluate import Proposal, check_images, log_prior
from .model import VAE
from .objective import gaussian_log_prob

POINTS_AT_ONCE = 4096  # decoded at once


@dataclass(frozen=True)
class GridTruth:
    """What quadrature says of each image; (B,) each.

    log_px: log p(x), nats. kl_q_posterior: KL(q(z|x)‖p(z|x)), nats: the gap of the ELBO (T14).
    q_mass: the integral of q over the grid. It is 1 where the grid is fine and wide enough for q.
    """

    log_px: Tensor
    kl_q_posterior: Tensor
    q_mass: Tensor


@torch.inference_mode()
def grid_truth(model: VAE, x: Tensor, *, cells: int = 801, reach: float = 5.0) -> GridTruth:
    """log p(x) = log ∫ p(z) p(x|z) dz and KL(q‖p(z|x)) by the trapezoidal rule.

    Args:
        model: of two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1].
        cells: points a side; the rule is exact to rounding where their distance is below a posterior's width.
        reach: how far the square goes from the prior's mean, in prior standard deviations.

    Raises:
        ValueError: the model has another number of dimensions, or an argument is out of its bounds.
    """
    check_images(x)
    axis, area = _axis(model, cells, reach, x)
    q = Proposal.posterior(model, x)
    total = torch.full((len(x),), -math.inf, dtype=x.dtype, device=x.device)
    mass, divergence = torch.zeros_like(total), torch.zeros_like(total)
    for z in torch.cartesian_prod(axis, axis).split(POINTS_AT_ONCE):
        log_joint = model.log_px_pairs(x, z) + log_prior(model, z).unsqueeze(1)  # (M, B)
        log_q = gaussian_log_prob(z.unsqueeze(1), q.mean, 2 * q.scale.log()).sum(-1)  # (M, B)
        total = torch.logaddexp(total, log_joint.logsumexp(0))
        mass += log_q.exp().sum(0) * area
        divergence += (log_q.exp() * (log_q - log_joint)).sum(0) * area
    log_px = total + math.log(area)
    return GridTruth(log_px, divergence + log_px, mass)


@torch.inference_mode()
def grid_posterior(model: VAE, x: Tensor, *, cells: int = 201, reach: float = 4.0) -> tuple[Tensor, Tensor]:
    """The density of p(z|x) on a grid, for a picture of it.

    Args:
        model: of two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1]; few images.
        cells, reach: as in `grid_truth`.

    Returns:
        axis: (cells,) the points of either axis.
        density: (B, cells, cells), the first index along z_0; it sums to 1 over the area of the grid.
    """
    check_images(x)
    axis, area = _axis(model, cells, reach, x)
    points = torch.cartesian_prod(axis, axis)
    parts = points.split(POINTS_AT_ONCE)
    log_joint = torch.cat([model.log_px_pairs(x, z) + log_prior(model, z).unsqueeze(1) for z in parts])
    density = torch.softmax(log_joint, 0) / area
    return axis, density.T.reshape(len(x), cells, cells)


def _axis(model: VAE, cells: int, reach: float, like: Tensor) -> tuple[Tensor, float]:
    """The points of an axis, and the area of a cell."""
    config = model.config
    if config.latent_dim != 2:
        raise ValueError(f"latent_dim is {config.latent_dim}; the posterior's grid needs a model of 2 dimensions.")
    check_int("cells", cells, 3, 5001)
    check_float("reach", reach, 0, 100, above=True)
    half = reach * config.prior_std
    low, high = config.prior_mean - half, config.prior_mean + half
    axis = torch.linspace(low, high, cells, dtype=like.dtype, device=like.device)
    return axis, (2 * half / (cells - 1)) ** 2
