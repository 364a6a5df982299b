"""The variational objective: the terms of the ELBO, in nats per image, and the loss made from them.

T-numbers are the rows of docs/theory.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .config import OBJECTIVES
from .densities import DiagonalGaussian, Prior
from .model import VAE
from .settings import check_choice, check_int


class ELBO(NamedTuple):
    """The evidence lower bound of each image in its two parts, and what they came from; nats, larger is better."""

    log_px: Tensor  #         (L, B)     log p(x|z_l)
    kl_per_dim: Tensor  #     (B, D)     KL(q(z_j|x)‖p(z_j))
    q: DiagonalGaussian  #    (B, D)     q(z|x)
    z: Tensor  #              (L, B, D)  the draws
    params: Tensor | None  #  (L, B, 1, 28, 28)  the decoded draws, if kept

    @property
    def reconstruction(self) -> Tensor:
        """(1/L) Σ_l log p(x|z_l), (B,)."""
        return self.log_px.mean(0)

    @property
    def kl(self) -> Tensor:
        """KL(q(z|x)‖p(z)), (B,)."""
        return self.kl_per_dim.sum(-1)

    @property
    def elbo(self) -> Tensor:
        """Reconstruction − KL, (B,)."""
        return self.reconstruction - self.kl

    def log_weights(self, prior: Prior, beta: float | Tensor = 1.0) -> Tensor:
        """log p(x|z_l) + β (log p(z_l) − log q(z_l|x)): (L, B) nats."""
        return self.log_px + beta * (prior.log_prob(self.z) - self.q.log_prob(self.z))

    def importance_weighted(self, prior: Prior, beta: float | Tensor = 1.0) -> Tensor:
        """log (1/L) Σ_l p(x|z_l) (p(z_l)/q(z_l|x))^β, (B,) nats: with β = 1 a bound on log p(x) that rises with L.

        Args:
            prior: p(z).
            beta: weight of the prior and q, like that of the KL in the loss.

        Source: Burda et al. (2015), eq. 8; its gradient is their eq. 13.
        """
        return self.log_weights(prior, beta).logsumexp(0) - math.log(len(self.z))


def drawn(q: DiagonalGaussian, eps: Tensor, gradient: str = "reparameterized") -> Tensor:
    """z = μ + σ ⊙ ε, (L, B, D): the draws that are decoded, and how the reconstruction's gradient leaves them (T17).

    reparameterized: ∂z/∂μ = 1 and ∂z/∂σ = ε, so that it goes on to q. detached: z counts as a constant, and of the
    ELBO only the KL has a gradient with respect to q.

    Args:
        q: one for each image.
        eps: (L, B, D), or (L, 1, D) if all images share it.
        gradient: a name of `config.GRADIENTS`.
    """
    z = q.sample(eps)
    return z.detach() if gradient == "detached" else z


def elbo_of(model: VAE, x: Tensor, q: DiagonalGaussian, eps: Tensor, gradient: str = "reparameterized") -> ELBO:
    """The ELBO's terms for a given q: reconstruction from draws of z, KL in closed form (T6, T9, T10, T18).

    ELBO = (1/L) Σ_l log p(x|z_l) − KL(q(z)‖p(z)),  z_l ~ q(z)

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], already binarized if the likelihood needs it.
        q: one for each image.
        eps: the draws' noise: (L, B, D), or (L, 1, D) if all images share it.
        gradient: as `drawn` has it; the values do not depend on it.
    """
    z = drawn(q, eps, gradient)
    return elbo_of_decoded(model, x, q, z, model.decode(z))


def elbo_of_decoded(model: VAE, x: Tensor, q: DiagonalGaussian, z: Tensor, params: Tensor) -> ELBO:
    """`elbo_of` for draws already decoded: z is (L, B, D), params is (L, B, 1, 28, 28)."""
    return ELBO(model.log_px(x, params), q.kl(model.prior), q, z, params)


def elbo(
    model: VAE,
    x: Tensor,
    samples: int = 1,
    *,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
    gradient: str = "reparameterized",
) -> ELBO:
    """`elbo_of` for the encoder's q(z|x).

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], already binarized if the likelihood needs it.
        samples: L ≥ 1, decoded as one batch.
        eps: (L, B, D), the draws' noise; drawn here if None.
        generator: source of the noise drawn here.
        gradient: as `drawn` has it.

    Raises:
        ValueError: samples is not a whole number ≥ 1.
    """
    check_int("samples", samples, 1, 1_000_000)
    q = model.posterior(x)
    if eps is None:
        eps = torch.randn((samples, *q.mu.shape), generator=generator, dtype=q.mu.dtype, device=q.mu.device)
    return elbo_of(model, x, q, eps, gradient)


@dataclass(frozen=True)
class Objective:
    """What training minimizes; a test compares every other way to its gradient with this one.

    Whether the reconstruction's gradient reaches the encoder is decided where z is drawn (`drawn`).

    Args:
        name: elbo, or importance-weighted (T12).
        beta: weight of the KL; in the importance-weighted bound, of the prior and q.
        free_bits: λ ≥ 0, nats per dimension that cost nothing; with the ELBO only.
    """

    name: str = "elbo"
    beta: float = 1.0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        check_choice("objective", self.name, OBJECTIVES)

    def loss(self, terms: ELBO, prior: Prior) -> Tensor:
        """−(reconstruction − β KL), or −(the importance-weighted bound), averaged over the batch: one number (T18)."""
        if self.name == "importance-weighted":
            return -terms.importance_weighted(prior, self.beta).mean()
        return self.beta * self.counted_kl(terms) - terms.reconstruction.mean()

    def counted_kl(self, terms: ELBO) -> Tensor:
        """The KL that the loss counts: Σ_j max(λ, KL_j), with KL_j averaged over the batch; one number.

        Source: Kingma et al. (2016), arXiv:1606.04934, eq. 15.
        """
        if self.free_bits:
            return terms.kl_per_dim.mean(0).clamp(min=self.free_bits).sum()
        return terms.kl_per_dim.sum(1).mean()
