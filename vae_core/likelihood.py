"""The likelihoods p(x|z): what the decoder's output means, and how likely an image is under it (T19).

A new one needs a class here, a name in `config.LIKELIHOODS`, and a row in the browser's decoder.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from .densities import (
    bernoulli_log_prob,
    continuous_bernoulli_log_prob,
    gaussian_log_prob,
    sum_bernoulli_log_prob,
)


class Likelihood(ABC):
    """The distribution of each pixel, independent given z, with the parameters that the decoder returns."""

    @abstractmethod
    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """log p of every pixel: (..., P) each → (..., P) nats; x in [0, 1]."""

    def total(self, x: Tensor, params: Tensor) -> Tensor:
        """`log_prob` summed over the pixels: (..., P) each → (...,) nats."""
        return self.log_prob(x, params).sum(-1)

    @abstractmethod
    def pairs(self, x: Tensor, params: Tensor) -> Tensor:
        """`total` for every image and every row of params, by one matrix product: (B, P), (M, P) → (M, B) nats."""

    @abstractmethod
    def mean(self, params: Tensor) -> Tensor:
        """E[x]: the same shape."""

    @abstractmethod
    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """x ~ p: the same shape."""

    def scored(self, values: Tensor) -> Tensor:
        """The values of the pixels that it scores: (..., P) → (..., P)."""
        return values


class Bernoulli(Likelihood):
    """Black or white; the parameters are logits."""

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        return bernoulli_log_prob(x, params)

    def total(self, x: Tensor, params: Tensor) -> Tensor:
        return sum_bernoulli_log_prob(x, params)

    def pairs(self, x: Tensor, params: Tensor) -> Tensor:
        return params @ x.T + self.total(torch.zeros_like(x[:1]), params).unsqueeze(1)  # x·logits + log p(0)

    def mean(self, params: Tensor) -> Tensor:
        return torch.sigmoid(params)

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.bernoulli(params.sigmoid(), generator=generator)


class ContinuousBernoulli(Likelihood):
    """A density on [0, 1] of the Bernoulli's shape; the parameters are logits."""

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        return continuous_bernoulli_log_prob(x, params)

    def pairs(self, x: Tensor, params: Tensor) -> Tensor:
        return params @ x.T + self.total(torch.zeros_like(x[:1]), params).unsqueeze(1)  # x·logits + log p(0)

    def mean(self, params: Tensor) -> Tensor:
        """E[x] = 1/(1 − e^−l) − 1/l, ½ at l = 0 (Loaiza-Ganem & Cunningham 2019, eq. 9)."""
        near_zero = params.abs() < 1e-1
        safe = torch.where(near_zero, torch.ones_like(params), params)
        return torch.where(near_zero, 0.5 + params / 12 - params**3 / 720, 1 / -torch.expm1(-safe) - 1 / safe)

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Inverts the distribution function: log(1 + u (e^l − 1)) / l, which is u at l = 0."""
        u = torch.rand(params.shape, generator=generator, dtype=params.dtype, device=params.device)
        near_zero = params.abs() < 1e-2
        safe = torch.where(near_zero, torch.ones_like(params), params)
        # For large l, log(1 + u (e^l − 1)) = l + log(u + (1 − u) e^−l), which does not overflow.
        positive = safe.clamp(min=0) + torch.log(u + (1 - u) * torch.exp(-safe.clamp(min=0)))
        negative = torch.log1p(u * torch.expm1(safe.clamp(max=0)))
        x = torch.where(safe > 0, positive, negative) / safe
        return torch.where(near_zero, u + params * u * (1 - u) / 2, x).clamp(0, 1)


class Gaussian(Likelihood):
    """Normal around the decoder's output, with the same σ for all pixels.

    Args:
        log_sigma: a scalar tensor; the gradient flows through it.
    """

    def __init__(self, log_sigma: Tensor) -> None:
        self._log_sigma = log_sigma

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        return gaussian_log_prob(x, params, 2.0 * self._log_sigma)

    def pairs(self, x: Tensor, params: Tensor) -> Tensor:
        squares = x.square().sum(1) - 2 * params @ x.T + params.square().sum(1, keepdim=True)
        log_variance = 2 * self._log_sigma
        return -0.5 * (squares / torch.exp(log_variance) + x.shape[1] * (log_variance + math.log(2 * math.pi)))

    def mean(self, params: Tensor) -> Tensor:
        return params

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(params.shape, generator=generator, dtype=params.dtype, device=params.device)
        return params + self._log_sigma.exp() * noise


class OfVisible(Likelihood):
    """A likelihood of the visible pixels alone: as all are independent given z, the hidden ones drop out.

    Mean and samples are still of all pixels.

    Args:
        whole: the likelihood of all P pixels.
        visible: (P,) bool.
    """

    def __init__(self, whole: Likelihood, visible: Tensor) -> None:
        self._whole = whole
        self._visible = visible

    def scored(self, values: Tensor) -> Tensor:
        """(..., P) → (..., V), V of them being visible."""
        return values[..., self._visible]

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """log p of every visible pixel: (..., P) each → (..., V) nats."""
        return self._whole.log_prob(self.scored(x), self.scored(params))

    def total(self, x: Tensor, params: Tensor) -> Tensor:
        return self._whole.total(self.scored(x), self.scored(params))

    def pairs(self, x: Tensor, params: Tensor) -> Tensor:
        return self._whole.pairs(self.scored(x), self.scored(params))

    def mean(self, params: Tensor) -> Tensor:
        return self._whole.mean(params)

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self._whole.sample(params, generator)
