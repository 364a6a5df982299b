"""The exact posterior of a model with two latent dimensions, by quadrature on a grid (T20b)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..densities import gaussian_log_prob
from ..model import VAE
from ..settings import check_float, check_int
from .evaluate import IMAGES_AT_ONCE, Proposal, check_images

POINTS_AT_ONCE = 4096  # decoded at once
NEGLIGIBLE = 25.0  # nats below the highest density
FINER = (3, 9, 27)  # parts per side into which a square of the grid is divided
MOST_FINE = 500_000  # most points in the finer grid of one image
NARROW = 20_000  # points in the first finer grid of a density up to about four spacings wide
CLOSER = 4  # times that `window` zooms in on a posterior to find its width
AGREED = 5e-3  # nats; the finest grid is off by less than its change from the one before


@dataclass(frozen=True)
class GridTruth:
    """The results of quadrature for each image; (B,) each.

    log_px: log p(x), nats. kl_q_posterior: KL(q(z|x)‖p(z|x)), nats: the gap of the ELBO (T14).
    q_mass: the integral of q over the grid. It is 1 if the grid is fine and wide enough for q.
    error: the largest difference of these three from the results of the second-finest grid.
    """

    log_px: Tensor
    kl_q_posterior: Tensor
    q_mass: Tensor
    error: Tensor

    @property
    def holds(self) -> Tensor:
        """(B,) bool: whether the grid is fine enough for q and p(z|x), and wide enough for q."""
        return ((self.q_mass - 1).abs() < 1e-3) & (self.error < 1e-2)


@torch.inference_mode()
def grid_truth(model: VAE, x: Tensor, *, cells: int = 401, reach: float = 5.0) -> GridTruth:
    """log p(x) = log ∫ p(z) p(x|z) dz and KL(q‖p(z|x)) by the trapezoidal rule.

    If every second point of either axis gives a different result from all points, the posterior or q is narrow: the few
    squares of the grid that matter for such an image are then divided until the result no longer changes.

    Args:
        model: one with two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1].
        cells: points per side of the first grid, odd.
        reach: how far the square extends from the prior's mean, in prior standard deviations.

    Raises:
        ValueError: the model has another number of dimensions, or an argument is out of bounds.
    """
    check_images(x)
    axis, area = _axis(model, cells, reach, x)
    points = torch.cartesian_prod(axis, axis)
    found = [_truth(model, some, points, area) for some in x.split(IMAGES_AT_ONCE)]
    return GridTruth(*torch.cat(found, -1))


def _truth(model: VAE, x: Tensor, points: Tensor, area: float) -> Tensor:
    """The fields of `GridTruth` for a few images: (4, B)."""
    q = Proposal.posterior(model, x)
    log_joint = _log_joint(model, x, points)
    log_q = _log_q(q, points)
    log_px = _evidence(log_joint, area)
    cross = _cross(log_joint, log_q, area)
    second = torch.arange(math.isqrt(len(points)), device=x.device) % 2 == 0
    second = torch.cartesian_prod(second, second).all(1)
    off_px = (log_px - _evidence(log_joint[second], 4 * area)).abs().amax(0)
    off_cross = (cross - _cross(log_joint[second], log_q[second], 4 * area)).abs().amax(0)
    for b in range(len(x)):
        image = x[b : b + 1]
        its_q = Proposal(q.mean[b : b + 1], q.scale[b : b + 1])

        def evidence(z: Tensor, area: float, image: Tensor = image) -> Tensor:
            return _evidence(_log_joint(model, image, z), area)[:, 0]

        def crossed(z: Tensor, area: float, image: Tensor = image, its_q: Proposal = its_q) -> Tensor:
            return _cross(_log_joint(model, image, z), _log_q(its_q, z), area)[:, 0]

        log_px[:, b], off_px[b] = _finer(evidence, points, log_joint[:, b], area, log_px[:, b], off_px[b])
        cross[:, b], off_cross[b] = _finer(crossed, points, log_q[:, b], area, cross[:, b], off_cross[b])
    return torch.stack([log_px[0], cross[0] + log_px[0], cross[1], torch.maximum(off_px, off_cross)])


def _finer(
    rule: Callable[[Tensor, float], Tensor],
    points: Tensor,
    log_density: Tensor,
    area: float,
    found: Tensor,
    off: Tensor,
) -> tuple[Tensor, Tensor]:
    """Applies a rule on finer and finer grids where a density (M,) is not negligible.

    Args:
        rule: (M, 2) points and the area that each stands for → the integrals (N,).
        points: (M, 2) of the grid that gave `found`, with the error `off`.

    Returns:
        the last results, and how much they changed.
    """
    cells = math.isqrt(len(points))
    high = (log_density > log_density.max() - NEGLIGIBLE).reshape(1, cells, cells).float()
    inner = points[F.max_pool2d(high, 3, stride=1, padding=1).flatten() > 0]  # and the squares around them
    for level, parts in enumerate(FINER):
        fine_points = len(inner) * parts**2
        is_sure = level > 0 or fine_points > NARROW  # on something narrow, two grids may agree by chance
        if (float(off) < AGREED and is_sure) or fine_points > MOST_FINE:
            break
        steps = (torch.arange(parts, dtype=points.dtype, device=points.device) - (parts - 1) / 2) * (
            math.sqrt(area) / parts
        )
        fine = (inner.unsqueeze(1) + torch.cartesian_prod(steps, steps)).flatten(0, 1)
        finer = rule(fine, area / parts**2)
        found, off = finer, (finer - found).abs().max()
    return found, off


def _log_joint(model: VAE, x: Tensor, points: Tensor) -> Tensor:
    """log p(x, z) for each image and each point: (M, B)."""
    parts = points.split(POINTS_AT_ONCE)
    return torch.cat([model.log_px_pairs(x, z) + model.prior.log_prob(z).unsqueeze(1) for z in parts])


def _log_q(q: Proposal, points: Tensor) -> Tensor:
    """log q(z|x) for each image and each point: (M, B)."""
    return gaussian_log_prob(points.unsqueeze(1), q.mean, 2 * q.scale.log()).sum(-1)


def _evidence(log_joint: Tensor, area: float) -> Tensor:
    """log p(x) from the log-densities (M, B) at points that each stand for an area: (1, B)."""
    return torch.logsumexp(log_joint, 0, keepdim=True) + math.log(area)


def _cross(log_joint: Tensor, log_q: Tensor, area: float) -> Tensor:
    """The mean of log q(z|x) − log p(x, z) under q, and the mass of q: (2, B)."""
    weights = log_q.exp()
    mass = weights.sum(0)
    return torch.stack([(weights * (log_q - log_joint)).sum(0) / mass, mass * area])


@torch.inference_mode()
def grid_posterior(model: VAE, x: Tensor, *, cells: int = 201, reach: float = 4.0) -> tuple[Tensor, Tensor]:
    """The density of p(z|x) on a grid, for a picture of it.

    Args:
        model: one with two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1]; few images.
        cells, reach: as in `grid_truth`.

    Returns:
        axis: (cells,), the points of each axis.
        density: (B, cells, cells), the first index along z_0; it sums to 1 over the area of the grid.
    """
    check_images(x)
    axis, area = _axis(model, cells, reach, x)
    points = torch.cartesian_prod(axis, axis)
    density = torch.softmax(_log_joint(model, x, points), 0) / area
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


def window(model: VAE, x: Tensor, cells: int) -> tuple[Tensor, float]:
    """Center (2,) and half the side of a square that holds three standard deviations of p(z|x) and of q(z|x).

    Args:
        model: one with two latent dimensions.
        x: (1, 1, 28, 28) in [0, 1].
        cells: cells per side of the picture that the square is for.
    """
    config = model.config
    means = torch.full((2,), config.prior_mean)
    half = torch.full((2,), 4.0 * config.prior_std)
    for _ in range(CLOSER):
        cell = 2 * half / (cells - 1)
        z = torch.cartesian_prod(*(m + h * torch.linspace(-1, 1, cells) for m, h in zip(means, half, strict=True)))
        weights = torch.softmax(model.log_px_pairs(x, z)[:, 0] + model.prior.log_prob(z), 0).unsqueeze(1)
        means = (weights * z).sum(0)
        stds = (weights * (z - means) ** 2).sum(0).sqrt()
        half = torch.maximum(6 * stds, 2 * cell)  # it may be narrower than a cell
    q = Proposal.posterior(model, x)
    low = torch.minimum(means - 3 * stds, q.mean[0] - 3 * q.scale[0])
    high = torch.maximum(means + 3 * stds, q.mean[0] + 3 * q.scale[0])
    return (low + high) / 2, float((high - low).max() / 2)
