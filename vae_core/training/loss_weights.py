"""The loss as a training step uses it: each term of a batch with its weight."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


class LossWeights:
    """The loss weights of a batch, as device tensors, so that a captured CUDA graph reads their current values.

    `Objective.loss` is, up to a constant, Σ_b (reconstruction · log p(x_b|z_b) + Σ_j kl_j · KL_bj), with
    reconstruction = −1/B and kl_j = β/B, or 0 if the batch's mean KL_j is within the free bits.

    has_free_bits: whether any nats are free; set it together with the values.

    Args:
        values: (4,), which the caller fills with what `values` returns.
    """

    def __init__(self, values: Tensor) -> None:
        self.reconstruction, self.beta, self._kl, self._free_bits = values
        self.has_free_bits = False

    @staticmethod
    def values(images: float, beta: float, free_bits: float) -> list[float]:
        """The four values for a batch of `images`; with several processes, the batch's mean number per process."""
        return [-1 / images, beta, beta / images, free_bits]

    def of_kl(self, mean_kl: Callable[[], Tensor]) -> Tensor:
        """kl_j, a scalar or (D,); mean_kl returns the batch's mean KL of each dimension, if that is needed."""
        return self._kl * (mean_kl() >= self._free_bits) if self.has_free_bits else self._kl
