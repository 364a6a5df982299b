"""The picture of the exact posterior of an image, of a model with two latent dimensions (T20b)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from .posterior import NEGLIGIBLE, log_joint, square

FIRST = 201  # points per side of the grid on which a posterior is looked for
CELLS = 96  # per side of a picture, at least
MOST_CELLS = 384
AGREED = 3e-3  # standard deviations: a picture is fine enough if one of twice as many cells moves its moments by less
TAIL = 1e-4  # of the mass that may lie beyond each side of a picture
ZOOMS = 12  # most
WIDER = 20  # times as wide as the posterior a picture may become to hold q, too


@dataclass(frozen=True)
class Picture:
    """p(z|x) on a square grid.

    center: (2,), half: half the side, both in z. density: (cells, cells), the first index along z_0; its largest value
    is 1. mean, std: (2,) each, of p(z|x).
    """

    center: Tensor
    half: float
    density: Tensor
    mean: Tensor
    std: Tensor


@torch.inference_mode()
def posterior_picture(model: VAE, x: Tensor) -> Picture:
    """The picture of p(z|x) in a window that holds at least 99.7 % of it, and q(z|x) to three standard deviations.

    Args:
        model: one with two latent dimensions.
        x: (1, 1, 28, 28) in [0, 1], as the model sees it.

    Raises:
        ValueError: the model has another number of dimensions.
    """
    q = model.posterior(x)
    low, high = _extent(model, x, q)
    center, half = _window(low, high, q)
    found = _drawn(model, x, center, half, CELLS)
    while len(found.density) < MOST_CELLS:
        finer = _drawn(model, x, center, half, 2 * len(found.density))
        moved = torch.maximum((finer.mean - found.mean).abs(), (finer.std - found.std).abs())
        if bool((moved < AGREED * finer.std).all()):
            return found
        found = finer
    return found


def _drawn(model: VAE, x: Tensor, center: Tensor, half: float, cells: int) -> Picture:
    axes = [middle + half * torch.linspace(-1, 1, cells, dtype=x.dtype) for middle in center.tolist()]
    density = _density(model, x, axes)
    marginals = _marginals(density)
    mean = torch.stack([(p * z).sum() for p, z in zip(marginals, axes, strict=True)])
    away = [(p * (z - m).square()).sum() for p, z, m in zip(marginals, axes, mean.unbind(), strict=True)]
    return Picture(center, half, density, mean, torch.stack(away).sqrt())


def _extent(model: VAE, x: Tensor, q: DiagonalGaussian) -> tuple[Tensor, Tensor]:
    """The lower and upper ends of all but the tails of p(z|x): (2,) each.

    The grid is moved onto the cells that are not negligible until they no longer shrink, so that it is as fine as the
    posterior is narrow.
    """
    axis = square(model, q, FIRST, 5.0)[0].cpu()
    axes = [axis, axis]
    for _ in range(ZOOMS):
        matters = _density(model, x, axes) > math.exp(-NEGLIGIBLE)
        closer = [_around(axes[k], matters.any(1 - k)) for k in range(2)]
        shrunk = max(float((new[-1] - new[0]) / (old[-1] - old[0])) for new, old in zip(closer, axes, strict=True))
        axes = closer
        if shrunk > 0.8:
            break
    marginals = _marginals(_density(model, x, axes))
    low, high = zip(*(_ends(z, p) for p, z in zip(marginals, axes, strict=True)), strict=True)
    return torch.stack(low), torch.stack(high)


def _density(model: VAE, x: Tensor, axes: list[Tensor]) -> Tensor:
    """p(z|x) at the points of a grid, relative to its largest there: (cells, cells), float64."""
    joint = log_joint(model, x, torch.cartesian_prod(*axes).to(x))[:, 0].cpu().double()
    return torch.exp(joint - joint.max()).reshape(len(axes[0]), len(axes[1]))


def _marginals(density: Tensor) -> list[Tensor]:
    """Each axis's share of the mass: (cells,) twice."""
    share = density / density.sum()
    return [share.sum(1), share.sum(0)]


def _around(axis: Tensor, matters: Tensor) -> Tensor:
    """A finer axis over the points that matter and one cell on either side of them: (CELLS + 1,)."""
    where = matters.nonzero().flatten()
    first, last = max(int(where[0]) - 1, 0), min(int(where[-1]) + 1, len(axis) - 1)
    return torch.linspace(float(axis[first]), float(axis[last]), CELLS + 1, dtype=axis.dtype)


def _ends(axis: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    """Where all but the tails of a density on an axis begins and ends; a cell is added on either side."""
    cell = axis[1] - axis[0]
    below = mass.cumsum(0)
    above = mass.flip(0).cumsum(0).flip(0)
    return axis[below > TAIL][0] - cell, axis[above > TAIL][-1] + cell


def _window(low: Tensor, high: Tensor, q: DiagonalGaussian) -> tuple[Tensor, float]:
    """Center (2,) and half the side of a square that holds the posterior, and q unless it is very much wider."""
    mu, std = q.mu[0].cpu(), q.std[0].cpu()
    with_q = torch.minimum(low, mu - 3 * std), torch.maximum(high, mu + 3 * std)
    fits = float((with_q[1] - with_q[0]).max()) <= WIDER * float((high - low).max())
    low, high = with_q if fits else (low, high)
    return (low + high) / 2, float((high - low).max() / 2)
