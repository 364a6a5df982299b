"""The batches of training: which images each step takes, what binarizes them, and the noise of its draws of z."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..config import IMAGE_SHAPE, TrainConfig, VAEConfig
from ..data import binarize
from .average import EVERY

# Steps drawn at once on a GPU, where launching a kernel takes longer than drawing for one step. The weights' average is
# updated at the end of a block.
BLOCK = EVERY
LARGE = 2048  # images per batch from which each step is drawn alone: a block of them would take gigabytes


class Batch(NamedTuple):
    """The input of one step.

    x: (B, 1, 28, 28) in [0, 1], as the model gets it. eps: (L, B, D), standard normal. place: the step's place in its
    block (each epoch starts a new block); steps at the same place have their batches at the same place in memory.
    """

    x: Tensor
    eps: Tensor
    place: int = 0

    def share(self, rank: int, processes: int) -> Batch:
        """The share of one of several processes; together they hold every image once."""
        return Batch(self.x[rank::processes], self.eps[:, rank::processes], self.place)


class Batches:
    """Batches that depend only on seed, step and kind of device, so that any step can be repeated.

    Args:
        images: (N, 1, 28, 28) uint8, the training set, on the device where the batches are made.
        model: says what x is, and how many latent dimensions there are.
        seed: of the training.
        block: steps of an epoch that are drawn at once, into buffers that are reused; 0 draws each step into new
            memory. `block_of` says which one suits a device.
    """

    def __init__(self, images: Tensor, model: VAEConfig, seed: int, block: int = 0) -> None:
        self.block = block
        self._images = images
        self._count = len(images)
        self._model = model
        self._device = images.device
        self._generator = torch.Generator(images.device)
        self._epoch = -1
        self._order = torch.empty(0)
        self._first_epoch, self._first_step = (int(n) for n in np.random.SeedSequence(seed).generate_state(2))
        self._drawn: tuple[int, ...] = ()  # the first step of the block that the buffers hold, and their shape
        self._x = self._eps = torch.empty(0)
        self._whole: list[Batch] = []  # the buffers as batches

    def take(self, config: TrainConfig, step: int) -> Batch:
        """The batch of step `step` + 1. Each epoch visits every image once, in its own order."""
        if not self.block:
            x = self._draw_x(config, step, 1)
            shape = config.samples, len(x), self._model.latent_dim
            return Batch(x, torch.randn(shape, generator=self._generator, device=self._device))
        size = config.batch_size
        index = step % config.steps_per_epoch(self._count)
        place = index % self.block
        drawn = (step - place, size, config.samples)
        if drawn != self._drawn:
            self._fill(config, step - place)
            self._drawn = drawn
        images = min(size, self._count - index * size)
        whole = self._whole[place]
        return whole if images == size else Batch(whole.x[:images], whole.eps[:, :images], place)  # an epoch's last one

    def _fill(self, config: TrainConfig, first: int) -> None:
        """Draws the block that begins with step `first` into the buffers, which are reused while the shape stays."""
        size = config.batch_size
        shape_of_eps = self.block, config.samples, size, self._model.latent_dim
        if self._eps.shape != shape_of_eps:
            self._x = torch.empty((self.block, size, *IMAGE_SHAPE), device=self._device)
            self._eps = torch.empty(shape_of_eps, device=self._device)
            self._whole = [Batch(*each) for each in zip(self._x, self._eps, range(self.block), strict=True)]
        x = self._draw_x(config, first, self.block)
        self._x.flatten(0, 1)[: len(x)].copy_(x)
        self._eps.normal_(generator=self._generator)

    def _draw_x(self, config: TrainConfig, step: int, steps: int) -> Tensor:
        """x of `steps` steps from `step` on, at most to the end of the epoch, with that step's seed: (B, ...).

        The generator then continues with ε.
        """
        epoch, index = divmod(step, config.steps_per_epoch(self._count))
        if epoch != self._epoch:
            self._epoch = epoch
            self._generator.manual_seed(self._first_epoch + epoch)
            self._order = torch.randperm(self._count, generator=self._generator, device=self._device)
        rows = self._order[index * config.batch_size : (index + steps) * config.batch_size]
        self._generator.manual_seed(self._first_step + step)
        how = self._model.binarization
        uniform = self._uniform(len(rows)) if how == "dynamic" else None
        return binarize(self._images.index_select(0, rows), how, uniform=uniform)

    def _uniform(self, images: int) -> Tensor:
        """Uniform numbers for `images` images.

        torch.rand takes 0.3 ms for a batch of 128 on a CPU, a tenth of a step. Four 16-bit numbers per random word take
        a third of that. They are the 65,536 midpoints (k + ½)/65,536: a grey value's probability of becoming 1 is off
        by at most 1/131,072, and exact for black and white.
        """
        shape = (images, *IMAGE_SHAPE)
        if self._device.type != "cpu":
            return torch.rand(shape, generator=self._generator, device=self._device)
        words = torch.empty((images, 1, 28, 7), dtype=torch.int64)
        halves = words.random_(-(2**63), None, generator=self._generator).view(torch.int16)
        return halves.float().add_(32768.5).mul_(2**-16)


def block_of(device: torch.device, batch_size: int) -> int:
    """Number of steps drawn at once; on a GPU into buffers that are reused, since steps are captured as CUDA graphs."""
    if device.type != "cuda":
        return 0
    return BLOCK if batch_size < LARGE else 1
