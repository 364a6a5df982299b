"""The batches of a training: which images each step takes, what binarizes them, and the noise of its draws of z."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .average import EVERY
from .data import binarize
from .model import IMAGE_SHAPE, VAEConfig

if TYPE_CHECKING:
    from .train import TrainConfig

# Steps drawn at once on a GPU, where launching a kernel takes longer than what it draws for one step. The weights'
# average is updated where a block ends.
BLOCK = EVERY
LARGE = 2048  # images of a batch from which on each step is drawn alone: a block of them would take gigabytes


class Batch(NamedTuple):
    """What one step takes.

    x: (B, 1, 28, 28) in [0, 1], as the model gets it. eps: (L, B, D), standard normal. place: of the step in its block;
    steps at the same place of two blocks find their batches at the same place in memory.
    """

    x: Tensor
    eps: Tensor
    place: int = 0

    def share(self, rank: int, processes: int) -> Batch:
        """The part of one of several processes: together they hold every image once."""
        return Batch(self.x[rank::processes], self.eps[:, rank::processes], self.place)


class Batches:
    """Batches as a function of seed, step and kind of device alone, so that any step can be repeated.

    Args:
        images: (N, 1, 28, 28) uint8, the training set, on the device where the batches are made.
        model: says what x is, and how many latent dimensions there are.
        seed: of the training.
        block: steps that are drawn at once, into memory that stays; 0 draws each step into memory of its own. Which of
            them suits a device, `block_of` says.
    """

    def __init__(self, images: Tensor, model: VAEConfig, seed: int, block: int = 0) -> None:
        self.block = block
        self._images, self._count, self._model, self._device = images, len(images), model, images.device
        self._generator = torch.Generator(images.device)
        self._epoch, self._order = -1, torch.empty(0)
        self._first_epoch, self._first_step = (int(n) for n in np.random.SeedSequence(seed).generate_state(2))
        self._drawn: tuple[int, ...] = ()  # the block that the buffers hold, and its shape
        self._x = self._eps = torch.empty(0)
        self._whole: list[Batch] = []  # the buffers as batches

    def take(self, config: TrainConfig, step: int) -> Batch:
        """The batch of step `step` + 1. Each epoch takes every image once, in its own order."""
        if not self.block:
            return Batch(*self._draw(step, self._rows(config, step, 1), config.samples))
        block, place = divmod(step, self.block)
        drawn = (block, config.batch_size, config.samples)
        if drawn != self._drawn:
            self._draw_block(config, block)
            self._drawn = drawn
        images, whole = self._size(config, step), self._whole[place]
        return whole if images == config.batch_size else Batch(whole.x[:images], whole.eps[:, :images], place)

    def _size(self, config: TrainConfig, step: int) -> int:
        """Images of a step's batch: the last one of an epoch may be smaller."""
        index = step % config.steps_per_epoch(self._count)
        return min(config.batch_size, self._count - index * config.batch_size)

    def _rows(self, config: TrainConfig, step: int, steps: int) -> Tensor:
        """Which images the steps from `step` on take, all of one epoch: (sum of B,) int64."""
        epoch, index = divmod(step, config.steps_per_epoch(self._count))
        if epoch != self._epoch:
            self._epoch = epoch
            self._generator.manual_seed(self._first_epoch + epoch)
            self._order = torch.randperm(self._count, generator=self._generator, device=self._device)
        return self._order[index * config.batch_size : (index + steps) * config.batch_size]

    def _draw(self, number: int, rows: Tensor, samples: int) -> tuple[Tensor, Tensor]:
        """x and ε of these images, by the random numbers of that number."""
        self._generator.manual_seed(self._first_step + number)
        how, shape = self._model.binarization, (samples, len(rows), self._model.latent_dim)
        uniform = self._uniform(len(rows)) if how == "dynamic" else None
        x = binarize(self._images.index_select(0, rows), how, uniform=uniform)
        return x, torch.randn(shape, generator=self._generator, device=self._device)

    def _draw_block(self, config: TrainConfig, block: int) -> None:
        """Fills the buffers, which stay where they are for as long as the shape does."""
        size, samples = config.batch_size, config.samples
        x, eps = self._draw(block, self._rows_of_block(config, block * self.block), samples)
        shape_of_eps = (self.block, samples, size, self._model.latent_dim)
        if self._eps.shape != shape_of_eps:
            self._x = x.new_empty((self.block, size, *IMAGE_SHAPE))
            self._eps = eps.new_empty(shape_of_eps)
            places = zip(self._x, self._eps, range(self.block), strict=True)
            self._whole = [Batch(x_of_step, eps_of_step, place) for x_of_step, eps_of_step, place in places]
        self._x.copy_(x.view_as(self._x))
        self._eps.copy_(eps.view(shape_of_eps))

    def _rows_of_block(self, config: TrainConfig, first: int) -> Tensor:
        """Which images the steps of a block take: (block · B,); what a smaller batch has no image for takes image 0."""
        per_epoch, size = config.steps_per_epoch(self._count), config.batch_size
        step, end, parts = first, first + self.block, []
        while step < end:
            steps = min(end - step, per_epoch - step % per_epoch)
            rows = self._rows(config, step, steps)
            parts += [rows, rows.new_zeros(steps * size - len(rows))]
            step += steps
        return parts[0] if len(parts[1]) == 0 and len(parts) == 2 else torch.cat(parts)

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


def block_of(device: torch.device, batch_size: int) -> int:
    """How many steps are drawn at once; on a GPU into memory that stays, since steps are recorded."""
    if device.type != "cuda":
        return 0
    return BLOCK if batch_size < LARGE else 1
