"""What the latent variable knows about the image: the KL split into information and the misfit of the marginal."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from .evaluate import check_images, wide

DRAWS_AT_ONCE = 256
IMAGES_AT_ONCE = 2048  # that are encoded


class Information(NamedTuple):
    """Bounds of both parts of E_x KL(q(z|x)‖p(z)) = I(x; z) + KL(q(z)‖p(z)), nats, with q(z) = E_x q(z|x) over all x.

    Nobody knows q(z): N images only bound how much z tells of x. at_least: InfoNCE, which cannot exceed log N. at_most:
    the smaller of the mean KL and of the leave-one-out bound. marginal_at_least and marginal_at_most: what follows for
    KL(q(z)‖p(z)), as both add up to the mean KL.
    """

    at_least: float
    at_most: float
    marginal_at_least: float
    marginal_at_most: float


@torch.inference_mode()
def information(model: VAE, x: Tensor, *, draws: int = 1, generator: torch.Generator | None = None) -> Information:
    """Bounds of I(x; z) and KL(q(z)‖p(z)) from N images, on average over the draws.

    With z drawn from q(z|x_i), log q(z|x_i) − log (1/N) Σ_j q(z|x_j) averages to at most I(x; z), and with the sum over
    the other N − 1 images to at least as much.

    Args:
        model: the VAE.
        x: (N, 1, 28, 28) in [0, 1], N ≥ 2. The work grows with N².
        draws: of z for each image.
        generator: source of the draws.

    Source: Hoffman & Johnson (2016), "ELBO surgery"; Poole et al. (2019), "On variational bounds of mutual
    information", eq. 12 and 13.
    """
    check_images(x)
    if len(x) < 2:
        raise ValueError("The information of one image is not defined; give at least 2.")
    parts = [model.posterior(part) for part in x.split(IMAGES_AT_ONCE)]
    q = DiagonalGaussian(*(torch.cat(each) for each in zip(*parts, strict=True)))
    kl = _mean(q.kl(model.prior).sum(-1))
    q = DiagonalGaussian(*(wide(each) for each in q))
    below, above = [], []
    for _ in range(draws):
        eps = torch.randn(x.shape[:1] + q.mu.shape[1:], generator=generator, dtype=x.dtype, device=x.device)
        for own in torch.arange(len(x), device=q.mu.device).split(DRAWS_AT_ONCE):
            pairs = _log_prob_pairs(q, q.mu[own] + q.std[own] * wide(eps)[own])
            row = torch.arange(len(own), device=own.device)
            its_own = pairs[row, own]
            below.append(its_own - pairs.logsumexp(1) + math.log(len(x)))
            pairs[row, own] = -torch.inf
            above.append(its_own - pairs.logsumexp(1) + math.log(len(x) - 1))
    at_least = min(max(_mean(torch.cat(below)), 0.0), kl)
    at_most = min(max(_mean(torch.cat(above)), at_least), kl)
    return Information(at_least, at_most, kl - at_most, kl - at_least)


def _log_prob_pairs(q: DiagonalGaussian, z: Tensor) -> Tensor:
    """log q(z_i|x_j) for (M, D) draws and N images: (M, N), by two matrix products in float64."""
    precision = torch.exp(-q.logvar)
    constant = ((q.mu.square() * precision) + q.logvar + math.log(2 * math.pi)).sum(1)
    return -0.5 * (z.square() @ precision.T - 2 * z @ (q.mu * precision).T + constant)


def _mean(values: Tensor) -> float:
    return float(values.cpu().double().mean())
