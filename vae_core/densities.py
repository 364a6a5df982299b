"""Densities of tensors, elementwise, in nats: KL, log-likelihoods, and the Gaussians p(z) and q(z|x).

They agree with `torch.distributions`. T-numbers are the rows of docs/theory.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_kl(mu: Tensor, logvar: Tensor, prior_mean: float = 0.0, prior_std: float = 1.0) -> Tensor:
    """KL(q‖p) of q = N(μ, σ²) from p = N(μ_p, σ_p²), per dimension (T7; T8 with the defaults).

    KL = log(σ_p/σ) + (σ² + (μ − μ_p)²) / (2σ_p²) − ½

    Args:
        mu, logvar: (...,) mean and log σ² of q.
        prior_mean, prior_std: μ_p and σ_p > 0.

    Returns:
        (...,) nats per dimension, never negative.

    Source: Odaibo (2019), eq. 29–40; Kingma & Welling (2014), appendix B.
    """
    if not prior_std > 0:
        raise ValueError(f"prior_std is {prior_std!r}; it must be above 0.")
    if (prior_mean, prior_std) != (0.0, 1.0):  # shifting and scaling both alike leaves the KL the same
        mu, logvar = (mu - prior_mean) / prior_std, logvar - 2.0 * math.log(prior_std)
    return 0.5 * (torch.addcmul(logvar.exp(), mu, mu) - logvar - 1.0).clamp(min=0)  # 0 may be rounded to below it


def gaussian_log_prob(x: Tensor, mu: Tensor, logvar: Tensor | float) -> Tensor:
    """log N(x; μ, σ²), constants kept (T19): −(x − μ)²/(2σ²) − ½ log(2πσ²).

    Args:
        x, mu: (...,) broadcastable.
        logvar: log σ², a number or a tensor that broadcasts with x.

    Returns:
        (...,) nats per element.
    """
    if not isinstance(logvar, Tensor):  # filled on the device: a CUDA graph cannot capture a copy from the host
        logvar = torch.full((), logvar, dtype=mu.dtype, device=mu.device)
    return -0.5 * ((x - mu) ** 2 * torch.exp(-logvar) + logvar + math.log(2.0 * math.pi))


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """log Bernoulli(x; sigmoid(logits)) = −(binary cross-entropy) (T19).

    For a grey x in (0, 1) it is the cross-entropy with x, which is not a probability of the data.

    Args:
        x, logits: (...,) broadcastable; x in [0, 1].

    Returns:
        (...,) nats per element.
    """
    # x·l − softplus(l) is −cross-entropy for every x in [0, 1]; unlike F.binary_cross_entropy, it broadcasts.
    return x * logits - F.softplus(logits, threshold=50.0)


def sum_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """`bernoulli_log_prob` summed over the last dimension, at a fraction of its cost (T19).

    x·l − softplus(l) = (x·l − max(l, 0)) + log sigmoid(|l|), and one logarithm is taken of the product of sixteen of
    those sigmoids, all in [½, 1). The gradient is x − sigmoid(l).

    Args:
        x, logits: (..., P) broadcastable; x in [0, 1].

    Returns:
        (...,) nats.
    """
    return _SumBernoulliLogProb.apply(x, logits)


def sum_bernoulli_log_prob_and_mean(x: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """`sum_bernoulli_log_prob` and E[x] = sigmoid(l), from one sigmoid; no gradient flows through them.

    Returns:
        (...,) nats, and (..., P).
    """
    mean = logits.sigmoid()
    return _sum_bernoulli_log_prob(x, logits, (mean - 0.5).abs_().add_(0.5)), mean


def _sum_bernoulli_log_prob(x: Tensor, logits: Tensor, sure: Tensor) -> Tensor:
    """The sum, given sure = sigmoid(|l|) of (..., P)."""
    against = logits.clamp(min=0).addcmul_(x, logits, value=-1).sum(-1)  # 0 where x agrees with a sure pixel
    whole = sure.shape[-1] // 16 * 16
    log_sure = sure[..., :whole].unflatten(-1, (16, -1)).prod(-2).log_().sum(-1)
    if whole < sure.shape[-1]:
        log_sure += sure[..., whole:].log().sum(-1)
    return log_sure - against


class _SumBernoulliLogProb(torch.autograd.Function):
    """`sum_bernoulli_log_prob` with its gradient with respect to the logits; x is data and gets none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, logits: Tensor) -> Tensor:
        ctx.save_for_backward(x, logits)
        ctx.shape = logits.shape
        return _sum_bernoulli_log_prob(x, logits, logits.abs().sigmoid_())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        x, logits = ctx.saved_tensors  # not forward's sigmoid: second derivatives go through this one
        return None, (gradient.unsqueeze(-1) * (x - logits.sigmoid())).sum_to_size(ctx.shape)


def continuous_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """log ContinuousBernoulli(x; sigmoid(logits)), the proper density on [0, 1] with the Bernoulli's shape.

    The Bernoulli's x·l − softplus(l) plus log C(l), with C(l) = l / tanh(l/2).

    Args:
        x, logits: (...,) broadcastable; x in [0, 1].

    Returns:
        (...,) nats per element.

    Source: Loaiza-Ganem & Cunningham (2019), eq. 8.
    """
    near_zero = logits.abs() < 1e-2
    safe = torch.where(near_zero, torch.ones_like(logits), logits).abs()
    log_c = torch.log(safe / torch.tanh(safe / 2))
    taylor = math.log(2.0) + logits**2 / 12 - 7 * logits**4 / 1440
    return bernoulli_log_prob(x, logits) + torch.where(near_zero, taylor, log_c)


def optimal_sigma(x: Tensor, mean: Tensor, average: Callable[[Tensor], Tensor] = torch.mean) -> Tensor:
    """The most likely σ of x ~ N(mean, σ²): the root of the mean squared error over all elements.

    Args:
        x, mean: (...,) broadcastable.
        average: mean over all elements, including those of other processes.

    Returns:
        a scalar tensor.

    Source: Rybkin, Daniilidis & Levine (2021), "Simple and effective VAE training with calibrated decoders", eq. 7.
    """
    return average((x - mean).square()).sqrt()


def reparameterize(
    mu: Tensor, logvar: Tensor, eps: Tensor | None = None, *, generator: torch.Generator | None = None
) -> Tensor:
    """z = μ + σ ⊙ ε with ε ~ N(0, I) (T17).

    Args:
        mu, logvar: (..., D).
        eps: the noise, broadcastable to more leading dimensions ((L, B, D) gives L draws); drawn here if None.
        generator: source of the noise drawn here.

    Returns:
        z: the shape of eps, or of mu if eps is None.

    Source: Kingma & Welling (2014), section 2.4.
    """
    if eps is None:
        eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype, device=mu.device)
    return mu + torch.exp(0.5 * logvar) * eps


class Prior(NamedTuple):
    """p(z) = N(mean, std²) of every latent dimension."""

    mean: float
    std: float

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z): (..., D) → (...,) nats."""
        return gaussian_log_prob(z, torch.full_like(z, self.mean), 2.0 * math.log(self.std)).sum(-1)


class DiagonalGaussian(NamedTuple):
    """q(z) = N(μ, diag σ²) for each image of a batch; μ and log σ² are (B, D) each."""

    mu: Tensor
    logvar: Tensor

    @property
    def std(self) -> Tensor:
        """σ."""
        return torch.exp(0.5 * self.logvar)

    def sample(self, eps: Tensor) -> Tensor:
        """z = μ + σ ⊙ ε: (..., B, D) → the same."""
        return reparameterize(self.mu, self.logvar, eps)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z): (..., B, D) → (..., B) nats."""
        return gaussian_log_prob(z, self.mu, self.logvar).sum(-1)

    def kl(self, prior: Prior) -> Tensor:
        """KL(q‖p) of each dimension: (B, D) nats (T7)."""
        return gaussian_kl(self.mu, self.logvar, *prior)
