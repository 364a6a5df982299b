"""The search for the best diagonal Gaussian q for one image, by gradient, with the model fixed (T15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..densities import DiagonalGaussian

PATIENCE = 100  # steps between two checks of whether anything still improves
TOLERANCE = 1e-3  # nats per image


@torch.enable_grad()
def climb(
    start: DiagonalGaussian,
    bound: Callable[[DiagonalGaussian], Tensor],
    *,
    steps: int,
    learning_rate: float,
    falls: bool = False,
) -> Iterator[tuple[DiagonalGaussian, Tensor]]:
    """Maximizes a bound by Adam, from a starting q for each image.

    Args:
        start: (B, D) each.
        bound: of a q, (B,) nats: with common random numbers, so that it is a smooth function.
        steps: most steps; it ends earlier once no image gains any more.
        learning_rate: at the beginning; lowered twice when nothing improves.
        falls: whether it falls linearly to 0 instead, over all of the steps.

    Yields:
        Each q with its bound, the start first.
    """
    mu, logvar = (part.detach().clone().requires_grad_() for part in start)
    optimizer = torch.optim.Adam([mu, logvar], lr=learning_rate)
    best = torch.full_like(mu[:, 0], -torch.inf)
    for step in range(steps):
        reached = bound(DiagonalGaussian(mu, logvar))
        yield DiagonalGaussian(mu.detach().clone(), logvar.detach().clone()), reached.detach()
        group = optimizer.param_groups[0]
        if falls:
            group["lr"] = learning_rate * (1 - step / steps)
        elif step % PATIENCE == 0:
            gain, best = reached.detach() - best, torch.maximum(best, reached.detach())
            if bool((gain < TOLERANCE).all()):
                if group["lr"] < learning_rate / 20:
                    break
                group["lr"] /= 5  # twice more, with smaller steps each time
        mu.grad, logvar.grad = torch.autograd.grad(-reached.sum(), (mu, logvar))
        optimizer.step()
