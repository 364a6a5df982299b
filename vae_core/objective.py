"""The variational objective as pure functions: the terms of the ELBO, in nats per image, and the losses made of them.

T-numbers are the rows of the table of quantities in the README.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .densities import gaussian_kl, gaussian_log_prob, optimal_sigma, reparameterize
from .model import VAE
from .settings import check_int


def counted_kl(kl_per_dim: Tensor, free_bits: float = 0.0) -> Tensor:
    """The KL that a loss counts: Σ_j max(λ, KL_j), with KL_j averaged over the batch.

    Args:
        kl_per_dim: (B, D) nats.
        free_bits: λ ≥ 0, nats of each dimension that cost nothing.

    Returns:
        one number, nats per image.

    Source: Kingma et al. (2016), arXiv:1606.04934, eq. 15.
    """
    return kl_per_dim.mean(0).clamp(min=free_bits).sum() if free_bits else kl_per_dim.sum(1).mean()


class ELBO(NamedTuple):
    """The evidence lower bound of each image, in its two parts, and what it was made from; nats, larger is better."""

    log_px: Tensor  #      (L, B)     log p(x|z_l)
    kl_per_dim: Tensor  #  (B, D)     KL(q(z_j|x)‖p(z_j))
    mu: Tensor  #          (B, D)     of q(z|x)
    logvar: Tensor  #      (B, D)
    z: Tensor  #           (L, B, D)  the draws

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

    def loss(self, beta: float = 1.0, free_bits: float = 0.0) -> Tensor:
        """−(reconstruction − β KL) averaged over the batch, one number; `counted_kl` says what free bits do (T18)."""
        return beta * counted_kl(self.kl_per_dim, free_bits) - self.reconstruction.mean()

    def importance_weighted(
        self, prior_mean: float = 0.0, prior_std: float = 1.0, beta: float | Tensor = 1.0
    ) -> Tensor:
        """log (1/L) Σ_l p(x|z_l) (p(z_l)/q(z_l|x))^β, (B,) nats: with β = 1 a bound of log p(x) that rises with L.

        Args:
            prior_mean, prior_std: of p(z).
            beta: weight of the prior and of q, as the loss has it for the KL.

        Source: Burda et al. (2015), eq. 8; its gradient is their eq. 13.
        """
        return self.log_weights(prior_mean, prior_std, beta).logsumexp(0) - math.log(len(self.z))

    def log_weights(self, prior_mean: float = 0.0, prior_std: float = 1.0, beta: float | Tensor = 1.0) -> Tensor:
        """log of what `importance_weighted` averages, (L, B) nats."""
        log_prior = gaussian_log_prob(self.z, torch.full_like(self.z, prior_mean), 2.0 * math.log(prior_std)).sum(-1)
        log_posterior = gaussian_log_prob(self.z, self.mu, self.logvar).sum(-1)
        return self.log_px + beta * (log_prior - log_posterior)


class LossWeights:
    """The loss weights of a batch, as device tensors, so that a recorded CUDA graph reads their current values.

    loss = Σ_b (reconstruction · log p(x_b|z_b) + Σ_j kl_j · KL_bj), the batch's mean of `ELBO.loss`, has
    reconstruction = −1/B and kl_j = β/B, or 0 where the batch's mean KL_j is within the free bits.

    has_free_bits: whether any nats are free; to be set with the values.

    Args:
        values: (4,), which others fill with what `values` gives.
    """

    def __init__(self, values: Tensor) -> None:
        self.reconstruction, self.beta, self._kl, self._free_bits = values
        self.has_free_bits = False

    @staticmethod
    def values(images: float, beta: float, free_bits: float) -> list[float]:
        """The four values for a batch of so many images; of several processes each has the batch's mean number."""
        return [-1 / images, beta, beta / images, free_bits]

    def of_kl(self, mean_kl: Callable[[], Tensor]) -> Tensor:
        """kl_j, one number or (D,); mean_kl gives the batch's mean KL of each dimension, where that is needed."""
        return self._kl * (mean_kl() >= self._free_bits) if self.has_free_bits else self._kl


def elbo(
    model: VAE,
    x: Tensor,
    samples: int = 1,
    *,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
    fit_sigma: Callable[[Tensor], Tensor] | None = None,
) -> ELBO:
    """The ELBO's terms of a batch: L draws of z for the reconstruction, the KL in closed form (T6, T9, T10, T18).

    ELBO = (1/L) Σ_l log p(x|z_l) − KL(q(z|x)‖p(z)),  z_l ~ q(z|x)

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], already binarized where the likelihood wants that.
        samples: L ≥ 1, decoded as one batch.
        eps: (L, B, D), the draws' noise; drawn here if None.
        generator: source of the noise that is drawn here.
        fit_sigma: where given, a Gaussian likelihood's σ is set to its optimum for this batch first, and kept; this
            averages over the batch, as torch.mean does.

    Raises:
        ValueError: samples is no whole number ≥ 1.
    """
    check_int("samples", samples, 1, 1_000_000)
    mu, logvar = model.encode(x)
    if eps is None:
        eps = torch.randn((samples, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
    z = reparameterize(mu, logvar, eps)
    params = model.decode(z)  # (L, B, 1, 28, 28)
    if fit_sigma is not None:
        model.log_sigma.copy_(optimal_sigma(x, params.detach(), fit_sigma).log())
    kl_per_dim = gaussian_kl(mu, logvar, model.config.prior_mean, model.config.prior_std)
    return ELBO(model.log_px(x, params), kl_per_dim, mu, logvar, z)
