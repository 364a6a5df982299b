"""The gap between log p(x) and the ELBO, and its two causes, image by image (T14, T15).

With q* the best Gaussian for one image, found by gradient with θ fixed:

    log p(x) − ELBO(q) = [ELBO(q*) − ELBO(q)] + [log p(x) − ELBO(q*)]
    gap                = amortization gap       + approximation gap

Source: Cremer, Li & Duvenaud (2018), "Inference suboptimality in variational autoencoders".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..densities import gaussian_kl
from ..model import VAE
from ..settings import check_int
from .evaluate import Proposal, check_images, log_likelihood

LEARNING_RATE = 0.03
PATIENCE = 100  # steps between two looks at whether anything still moves
TOLERANCE = 1e-3  # nats per image


@dataclass(frozen=True)
class Gaps:
    """Of each image, nats, (B,) each."""

    elbo: Tensor
    refined_elbo: Tensor
    log_px: Tensor

    @property
    def amortization(self) -> Tensor:
        """What the encoder loses against the best Gaussian of that image."""
        return self.refined_elbo - self.elbo

    @property
    def approximation(self) -> Tensor:
        """What the best diagonal Gaussian loses against the true posterior."""
        return self.log_px - self.refined_elbo

    @property
    def total(self) -> Tensor:
        """log p(x) − ELBO."""
        return self.log_px - self.elbo


@torch.enable_grad()
def ascend(
    model: VAE,
    x: Tensor,
    *,
    draws: int = 64,
    max_steps: int = 3000,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The way from the encoder's q of each image up its ELBO with θ fixed: by Adam on common random numbers (T15).

    Args:
        model: left as it is.
        x: (B, 1, 28, 28) in [0, 1].
        draws: of ε, fixed over the steps, in pairs of opposite sign.
        max_steps: where it ends at the latest; it ends earlier where no image gains any more.
        eps: (L, B, D) or (L, 1, D), other ε than those.
        generator: source of ε.

    Yields:
        mu, logvar: (B, D) each, and their ELBO by these draws, (B,) nats; the encoder's own first.
    """
    check_int("draws", draws, 2, 100_000)
    check_images(x)
    with torch.no_grad():
        start = model.encode(x)
    mu, logvar = (part.clone().requires_grad_() for part in start)
    if eps is None:
        half = torch.randn((draws // 2, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
        eps = torch.cat([half, -half])
    optimizer = torch.optim.Adam([mu, logvar], lr=LEARNING_RATE)
    best = torch.full_like(mu[:, 0], -torch.inf)
    for step in range(max_steps):
        bound = _elbo(model, x, mu, logvar, eps)  # (B,)
        yield mu.detach().clone(), logvar.detach().clone(), bound.detach()
        if step % PATIENCE == 0:
            gain, best = bound.detach() - best, torch.maximum(best, bound.detach())
            if bool((gain < TOLERANCE).all()):
                if optimizer.param_groups[0]["lr"] < LEARNING_RATE / 20:
                    break
                optimizer.param_groups[0]["lr"] /= 5  # twice more, with smaller steps each time
        mu.grad, logvar.grad = torch.autograd.grad(-bound.sum(), (mu, logvar))
        optimizer.step()


def refine(
    model: VAE, x: Tensor, *, draws: int = 64, max_steps: int = 3000, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The μ and log σ² of each image that maximize its ELBO with θ fixed: the best of `ascend`, (B, D) each (T15)."""
    best = None
    for mu, logvar, bound in ascend(model, x, draws=draws, max_steps=max_steps, generator=generator):
        if best is None:
            best = mu, logvar, bound
        better = bound > best[2]
        best = tuple(
            torch.where(better[:, None] if new.ndim > 1 else better, new, old)
            for new, old in zip((mu, logvar, bound), best, strict=True)
        )
    return best[0], best[1]


def gaps(
    model: VAE,
    x: Tensor,
    samples: int = 1000,
    *,
    draws: int = 256,
    generator: torch.Generator | None = None,
) -> Gaps:
    """The gap of each image and its split.

    Both ELBOs are measured with the same fresh draws, so that their difference is sharper than either.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model wants it.
        samples: K of the estimate of log p(x), drawn from the refined q.
        draws: of z for either ELBO.
        generator: source of all draws.
    """
    mu, logvar = refine(model, x, generator=generator)
    with torch.inference_mode():
        eps = torch.randn((draws, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
        refined_elbo, elbo = _elbo(model, x, mu, logvar, eps), _elbo(model, x, *model.encode(x), eps)
        refined = {"mean": mu.split(100), "scale": (0.5 * logvar).exp().split(100)}
        parts = iter([Proposal(mean, scale) for mean, scale in zip(*refined.values(), strict=True)])
        log_px = log_likelihood(model, x, samples, generator, proposal=lambda *_: next(parts))
    return Gaps(elbo, refined_elbo, log_px)


def _elbo(model: VAE, x: Tensor, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """The ELBO of a given q by given noise: (B,)."""
    z = mu + torch.exp(0.5 * logvar) * eps
    kl = gaussian_kl(mu, logvar, model.config.prior_mean, model.config.prior_std).sum(-1)
    return model.log_px_z(x, z).mean(0) - kl
