"""One step of training: a batch in, Adam's step out. The same on every device, and nothing in it waits for one."""

from __future__ import annotations

import torch
from torch import Tensor

from .adam import Adam
from .closed_form import ClosedForm, has_closed_form
from .data import binarize
from .draws import Draw
from .model import VAE
from .objective import ELBO, Weights, elbo

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}  # of products and convolutions


class Step:
    """Takes batches of a training set, each by gather, binarization, forward, loss, backward and Adam.

    Args:
        model: on the device.
        images: (N, 1, 28, 28) uint8 on the device.
        adam: of the model's parameters.
        precision: a name of `PRECISIONS`.
    """

    def __init__(self, model: VAE, images: Tensor, adam: Adam, precision: str = "float32") -> None:
        self._model, self._images, self._adam, self._precision = model, images, adam, PRECISIONS[precision]
        on_cpu = images.device.type == "cpu"
        self._closed_form = ClosedForm(model, self._precision) if on_cpu and has_closed_form(model) else None
        self._weights = Weights(images.device)

    def take(self, draw: Draw, learning_rate: float, beta: float, free_bits: float) -> Tensor:
        """One step.

        Args:
            draw: what it draws.
            learning_rate, beta, free_bits: what it is taken with.

        Returns:
            (B, 1 + D) nats: of each image the reconstruction, and the KL of each dimension.
        """
        self._adam.set_learning_rate(learning_rate)
        self._weights.set(len(draw.rows), beta, free_bits)
        return self._compute(draw)

    def _compute(self, draw: Draw) -> Tensor:
        """The step with the weights and the learning rate that have been set."""
        x = binarize(self._images.index_select(0, draw.rows), self._model.config.binarization, uniform=draw.uniform)
        if self._closed_form is None:
            terms = self._by_autograd(x, draw.eps)
        else:
            terms = self._closed_form.differentiate(x, draw.eps, self._weights)
        self._adam.step()
        with torch.no_grad():
            return torch.cat([terms.reconstruction.unsqueeze(1), terms.kl_per_dim], dim=1)

    def _by_autograd(self, x: Tensor, eps: Tensor) -> ELBO:
        is_mixed = self._precision != torch.float32
        with torch.autocast(x.device.type, self._precision, enabled=is_mixed, cache_enabled=False):
            terms = elbo(self._model, x, eps=eps, fit_sigma=self._model.config.fits_sigma)
        for parameter in self._model.parameters():
            parameter.grad = None
        reconstruction = self._weights.reconstruction.expand_as(terms.reconstruction)
        kl = self._weights.of_kl(terms.kl_per_dim.detach()).expand_as(terms.kl_per_dim)
        torch.autograd.backward((terms.reconstruction, terms.kl_per_dim), (reconstruction, kl))
        return terms
