"""The search for the best diagonal Gaussian q of one image, by gradient, with the model as it is (T15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..densities import DiagonalGaussian

PATIENCE = 100  # steps between two looks at whether anything still moves
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
    """The way from a q of each image up its bound, by Adam.

    Args:
        start: (B, D) each.
        bound: of a q, (B,) nats: on common random numbers, so that it is a smooth function.
        steps: at most; it ends earlier where no image gains any more.
        learning_rate: at the beginning; made smaller twice where nothing moves.
        falls: whether it falls to 0 along a line instead, over all of the steps.

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


def paired_noise(draws: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """ε in pairs of opposite sign, so that their mean is 0: (draws, B, D) for `like` of (B, D)."""
    half = torch.randn((draws // 2, *like.shape), generator=generator, dtype=like.dtype, device=like.device)
    return torch.cat([half, -half])
