"""The exact posterior of a model with two latent dimensions, by quadrature on a grid (T20b)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from ..settings import check_float, check_int
from .evaluate import IMAGES_AT_ONCE, check_images

POINTS_AT_ONCE = 4096  # decoded at once
NEGLIGIBLE = 25.0  # nats below the highest density
NEAR = 10.0  # the same where 1e-4 nats do not matter
DEEPEST = 6  # grids of many images, each three times as fine as the one before
SETTLED = 0.05  # nats; a grid of theirs three times as fine as one that is off by that is off by less than 1e-3
FINER = (3, 9, 27)  # parts per side into which a square of the grid is divided
MOST_FINE = 500_000  # most points in the finer grid of one image
NARROW = 20_000  # points in the first finer grid of a density up to about four spacings wide
AGREED = 5e-3  # nats; the finest grid is off by less than its change from the one before
REACH_OF_Q = 6  # standard deviations of a q that a grid holds at least


@dataclass(frozen=True)
class GridTruth:
    """The results of quadrature for each image; (B,) each.

    log_px: log p(x), nats. kl_q_posterior: KL(q(z|x)‖p(z|x)), nats: the gap of the ELBO (T14).
    q_mass: the integral of q over the grid. It is 1 if the grid is fine and wide enough for q.
    error: the largest difference of these three from the results of the second-finest grid.
    edge: the share of p(z|x) at the outermost points of the grid. It is about 0 if the grid is wide enough for it.
    """

    log_px: Tensor
    kl_q_posterior: Tensor
    q_mass: Tensor
    error: Tensor
    edge: Tensor

    @property
    def holds(self) -> Tensor:
        """(B,) bool: whether the grid is fine enough and wide enough for q and p(z|x)."""
        return ((self.q_mass - 1).abs() < 1e-3) & (self.error < 1e-2) & (self.edge < 1e-6)


@torch.inference_mode()
def grid_truth(
    model: VAE, x: Tensor, q: DiagonalGaussian | None = None, *, cells: int = 401, reach: float = 5.0
) -> GridTruth:
    """log p(x) = log ∫ p(z) p(x|z) dz and KL(q‖p(z|x)) by the trapezoidal rule.

    If every second point of either axis gives a different result from all points, the posterior or q is narrow: the few
    squares of the grid that matter for such an image are then divided until the result no longer changes.

    Args:
        model: one with two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1].
        q: (B, 2) each; the encoder's if None.
        cells: points per side of the first grid, odd.
        reach: how far the square extends from the prior's mean, in prior standard deviations; farther if q does.

    Raises:
        ValueError: the model has another number of dimensions, or an argument is out of bounds.
    """
    check_images(x)
    q = model.posterior(x) if q is None else q
    axis, area = square(model, q, cells, reach)
    points = torch.cartesian_prod(axis, axis)
    parts = zip(*(values.split(IMAGES_AT_ONCE) for values in (x, *q)), strict=True)
    found = [_truth(model, some, DiagonalGaussian(mu, logvar), points, area) for some, mu, logvar in parts]
    return GridTruth(*torch.cat(found, -1))


def _truth(model: VAE, x: Tensor, q: DiagonalGaussian, points: Tensor, area: float) -> Tensor:
    """The fields of `GridTruth` for a few images: (5, B)."""
    log_joints = log_joint(model, x, points)
    log_q = _log_q(q, points)
    log_px = _evidence(log_joints, area)
    cross = _cross(log_joints, log_q, area)
    cells = math.isqrt(len(points))
    place = torch.arange(cells, device=x.device)
    second = torch.cartesian_prod(place % 2, place % 2).sum(1) == 0
    end = (place == 0) | (place == cells - 1)
    outermost = torch.cartesian_prod(end, end).any(1)
    off_px = (log_px - _evidence(log_joints[second], 4 * area)).abs().amax(0)
    off_cross = (cross - _cross(log_joints[second], log_q[second], 4 * area)).abs().amax(0)
    for b in range(len(x)):
        image = x[b : b + 1]
        its_q = DiagonalGaussian(q.mu[b : b + 1], q.logvar[b : b + 1])

        def evidence(z: Tensor, area: float, image: Tensor = image) -> Tensor:
            return _evidence(log_joint(model, image, z), area)[:, 0]

        def crossed(z: Tensor, area: float, image: Tensor = image, its_q: DiagonalGaussian = its_q) -> Tensor:
            return _cross(log_joint(model, image, z), _log_q(its_q, z), area)[:, 0]

        log_px[:, b], off_px[b] = _finer(evidence, points, log_joints[:, b], area, log_px[:, b], off_px[b])
        cross[:, b], off_cross[b] = _finer(crossed, points, log_q[:, b], area, cross[:, b], off_cross[b])
    at_edge = torch.exp(log_joints[outermost].logsumexp(0) - log_joints.logsumexp(0))
    return torch.stack([log_px[0], cross[0] + log_px[0], cross[1], torch.maximum(off_px, off_cross), at_edge])


@torch.inference_mode()
def grid_evidence(model: VAE, x: Tensor, *, cells: int = 101, reach: float = 5.0) -> Tensor:
    """log p(x) of many images at once, with far less work than `grid_truth`: (B,) nats, NaN where unsure.

    All images share their points: a coarse grid, then three times as fine a grid wherever any image's posterior is,
    and so on. An image is sure once a finer grid changes its result by less than `SETTLED`.

    Args:
        model: one with two latent dimensions.
        x: (B, 1, 28, 28) in [0, 1].
        cells: points per side of the coarse grid, odd.
        reach: as for `grid_truth`.

    Raises:
        ValueError: as `grid_truth`.
    """
    check_images(x)
    axis, area = square(model, model.posterior(x), cells, reach)
    along = torch.arange(cells, device=x.device)
    place = torch.cartesian_prod(along, along)
    left = torch.arange(len(x), device=x.device)
    sure = torch.full((len(x),), torch.nan, dtype=x.dtype, device=x.device)
    before = torch.full_like(sure, torch.nan)
    for level in range(DEEPEST):
        fine = 3**level
        points = axis[0] + math.sqrt(area) / fine * (place - (fine - 1) / 2)
        log_joints = log_joint(model, x[left], points)
        found = _evidence(log_joints, area / fine**2)[0]
        if level == 0:  # what reaches the edge is not all on the grid
            at_edge = ((place == 0) | (place == cells - 1)).any(1)
            inside = (log_joints[at_edge].logsumexp(0) - log_joints.logsumexp(0)).exp() < 1e-6
        else:
            inside = (found - before).abs() >= SETTLED
            sure[left[~inside]] = found[~inside]
        left, before, log_joints = left[inside], found[inside], log_joints[:, inside]
        if not len(left):
            break
        place = _finer_places(place[(log_joints > log_joints.amax(0) - NEAR).any(1)], cells * fine)
    return sure


def _finer_places(place: Tensor, side: int) -> Tensor:
    """The squares (N, 2) of a grid with so many to a side, and those around them, each divided into nine: (9M, 2)."""
    around = torch.arange(-1, 2, device=place.device)
    nine = torch.cartesian_prod(around, around)
    near = (place.unsqueeze(1) + nine).flatten(0, 1).clamp(0, side - 1)
    chosen = torch.unique(near[:, 0] * side + near[:, 1])
    chosen = torch.stack([chosen // side, chosen % side], 1)
    return (3 * chosen.unsqueeze(1) + 1 + nine).flatten(0, 1)


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


def log_joint(model: VAE, x: Tensor, points: Tensor) -> Tensor:
    """log p(x, z) for each image and each point: (M, B)."""
    parts = points.split(POINTS_AT_ONCE)
    return torch.cat([model.log_px_pairs(x, z) + model.prior.log_prob(z).unsqueeze(1) for z in parts])


def _log_q(q: DiagonalGaussian, points: Tensor) -> Tensor:
    """log q(z|x) for each image and each point: (M, B)."""
    return q.log_prob(points.unsqueeze(1))


def _evidence(log_joint: Tensor, area: float) -> Tensor:
    """log p(x) from the log-densities (M, B) at points that each stand for an area: (1, B)."""
    return torch.logsumexp(log_joint, 0, keepdim=True) + math.log(area)


def _cross(log_joint: Tensor, log_q: Tensor, area: float) -> Tensor:
    """The mean of log q(z|x) − log p(x, z) under q, and the mass of q: (2, B)."""
    weights = log_q.exp()
    mass = weights.sum(0)
    return torch.stack([(weights * (log_q - log_joint)).sum(0) / mass, mass * area])


def square(model: VAE, q: DiagonalGaussian, cells: int, reach: float) -> tuple[Tensor, float]:
    """The points of each axis of a grid about the prior's mean, which also holds every q; and the area of a cell.

    Raises:
        ValueError: the model has another number of dimensions than two, or an argument is out of bounds.
    """
    config = model.config
    if config.latent_dim != 2:
        raise ValueError(f"latent_dim is {config.latent_dim}; the posterior's grid needs a model of 2 dimensions.")
    check_int("cells", cells, 3, 5001)
    check_float("reach", reach, 0, 100, above=True)
    farthest = float(((q.mu - config.prior_mean).abs() + REACH_OF_Q * q.std).max())
    half = max(reach * config.prior_std, min(farthest, 100 * config.prior_std))
    low, high = config.prior_mean - half, config.prior_mean + half
    axis = torch.linspace(low, high, cells, dtype=q.mu.dtype, device=q.mu.device)
    return axis, (2 * half / (cells - 1)) ** 2
