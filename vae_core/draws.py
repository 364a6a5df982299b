"""The randomness of a training step: which images it takes, what binarizes them, and the noise of its draws of z."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .model import IMAGE_SHAPE, VAEConfig

if TYPE_CHECKING:
    from .train import TrainConfig


class Draw(NamedTuple):
    """What a step draws for its batch of B images."""

    rows: Tensor  #            (B,) int64, which images of the training set
    uniform: Tensor | None  #  (B, 1, 28, 28) in (0, 1), against which grey values are binarized; None where none is
    eps: Tensor  #             (L, B, D), standard normal

    def share(self, rank: int, processes: int) -> Draw:
        """The part of one of several processes: together they hold every image once."""
        uniform = self.uniform[rank::processes] if self.uniform is not None else None
        return Draw(self.rows[rank::processes], uniform, self.eps[:, rank::processes])


class Draws:
    """Draws as a function of seed, step and device alone, so that no generator needs saving and any step can be redone.

    Args:
        images: how many the training set has.
        model: says whether pixels are drawn, and how many latent dimensions there are.
        seed: of the training.
        device: where the draws are made and stay.
    """

    def __init__(self, images: int, model: VAEConfig, seed: int, device: torch.device) -> None:
        self._images, self._model, self._device = images, model, device
        self._generator = torch.Generator(device)
        self._epoch, self._order = -1, torch.empty(0)
        self._first_epoch, self._first_step = (int(n) for n in np.random.SeedSequence(seed).generate_state(2))

    def take(self, config: TrainConfig, step: int) -> Draw:
        """What the step after `step` steps draws; an epoch takes the images in an order of its own, each once."""
        epoch, index = divmod(step, config.steps_per_epoch(self._images))
        if epoch != self._epoch:
            self._epoch = epoch
            self._generator.manual_seed(self._first_epoch + epoch)
            self._order = torch.randperm(self._images, generator=self._generator, device=self._device)
        rows = self._order[index * config.batch_size : (index + 1) * config.batch_size]
        self._generator.manual_seed(self._first_step + step)
        shape = (config.samples, len(rows), self._model.latent_dim)
        uniform = self._uniform(len(rows)) if self._model.binarization == "dynamic" else None
        return Draw(rows, uniform, torch.randn(shape, generator=self._generator, device=self._device))

    def _uniform(self, images: int) -> Tensor:
        """Uniform numbers for so many images.

        torch.rand takes 0.3 ms for a batch of 128 on a CPU, a tenth of a step. Four numbers of 16 bits to a random word
        take a third of that: the 65,536 midpoints (k + ½)/65,536, under which no grey value's probability of becoming 1
        is wrong by more than 1/131,072, and those of black and white are exact.
        """
        shape = (images, *IMAGE_SHAPE)
        if self._device.type != "cpu":
            return torch.rand(shape, generator=self._generator, device=self._device)
        words = torch.empty((images, 1, 28, 7), dtype=torch.int64)
        halves = words.random_(-(2**63), None, generator=self._generator).view(torch.int16)
        return halves.float().add_(32768.5).mul_(2**-16)
