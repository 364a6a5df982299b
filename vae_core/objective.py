"""The variational objective as pure functions: KL, log-likelihoods, reparameterization, and the terms of the ELBO.

All densities are in nats and elementwise, as in `torch.distributions`; `elbo` sums them to nats per image.
T-numbers are the rows of the table of quantities in the README.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .bounds import check_int

if TYPE_CHECKING:
    from .model import VAE

OBJECTIVES = ("elbo", "importance-weighted")


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
    if (prior_mean, prior_std) != (0.0, 1.0):  # the KL stays the same where both are moved and scaled alike
        mu, logvar = (mu - prior_mean) / prior_std, logvar - 2.0 * math.log(prior_std)
    return 0.5 * (torch.addcmul(logvar.exp(), mu, mu) - logvar - 1.0)


def gaussian_log_prob(x: Tensor, mu: Tensor, logvar: Tensor | float) -> Tensor:
    """log N(x; μ, σ²), constants kept (T19): −(x − μ)²/(2σ²) − ½ log(2πσ²).

    Args:
        x, mu: (...,) broadcastable.
        logvar: log σ², a tensor that broadcasts with x or one number.

    Returns:
        (...,) nats per element.
    """
    if not isinstance(logvar, Tensor):  # filled on the device: a copy from the host cannot be recorded
        logvar = torch.full((), logvar, dtype=mu.dtype, device=mu.device)
    return -0.5 * ((x - mu) ** 2 * torch.exp(-logvar) + logvar + math.log(2.0 * math.pi))


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """log Bernoulli(x; sigmoid(logits)) = −(binary cross-entropy) (T19).

    A grey x in (0, 1) gives the cross-entropy against it, which is no probability of the data.

    Args:
        x, logits: (...,) broadcastable; x in [0, 1].

    Returns:
        (...,) nats per element.
    """
    # x·l − softplus(l) is the cross-entropy for every x in [0, 1]; it broadcasts, as F.binary_cross_entropy does not.
    return x * logits - F.softplus(logits, threshold=50.0)


def sum_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """`bernoulli_log_prob` summed over the last dimension, at a fraction of its cost (T19).

    x·l − softplus(l) = (x·l − max(l, 0)) + log sigmoid(|l|), and sixteen of those sigmoids, all in [½, 1), are
    multiplied before one logarithm is taken. The gradient is x − sigmoid(l).

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
    """The sum, where sigmoid(|l|) is known: (..., P)."""
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
        x, logits = ctx.saved_tensors  # not the forward's own sigmoid: a second derivative goes through this one
        return None, (gradient.unsqueeze(-1) * (x - logits.sigmoid())).sum_to_size(ctx.shape)


def continuous_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """log ContinuousBernoulli(x; sigmoid(logits)), the proper density on [0, 1] of that shape.

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
    """The σ under which x is likeliest as N(mean, σ²): the root of the mean squared error over all elements.

    Args:
        x, mean: (...,) broadcastable.
        average: over all elements, those of other processes included.

    Returns:
        one number, as a tensor.

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
        generator: source of the noise that is drawn here.

    Returns:
        z: the shape of eps, or of mu where eps is None.

    Source: Kingma & Welling (2014), section 2.4.
    """
    if eps is None:
        eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype, device=mu.device)
    return mu + torch.exp(0.5 * logvar) * eps


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
