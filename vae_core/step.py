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


class Step:
    """Takes batches of a training set, each by gather, binarization, forward, loss, backward and Adam.

    Args:
        model: on the device.
        images: (N, 1, 28, 28) uint8 on the device.
        adam: of the model's parameters.
    """

    def __init__(self, model: VAE, images: Tensor, adam: Adam) -> None:
        self._model, self._images, self._adam = model, images, adam
        self._closed_form = ClosedForm(model) if has_closed_form(model) and images.device.type == "cpu" else None
        self._weights = Weights(images.device)

    def take(self, draw: Draw, learning_rate: float, beta: float, free_bits: float) -> Tensor:
        """One step.

        Args:
            draw: what it draws.
            learning_rate, beta, free_bits: what it is taken with.

        Returns:
            (1 + D,) summed over the batch: reconstruction, and the KL of each dimension; nats.
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
            return torch.cat([terms.reconstruction.sum().view(1), terms.kl_per_dim.sum(0)])

    def _by_autograd(self, x: Tensor, eps: Tensor) -> ELBO:
        terms = elbo(self._model, x, eps=eps, fit_sigma=self._model.config.fits_sigma)
        for parameter in self._model.parameters():
            parameter.grad = None
        reconstruction = self._weights.reconstruction.expand_as(terms.reconstruction)
        kl = self._weights.of_kl(terms.kl_per_dim.detach()).expand_as(terms.kl_per_dim)
        torch.autograd.backward((terms.reconstruction, terms.kl_per_dim), (reconstruction, kl))
        return terms
