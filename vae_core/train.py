"""Training as a generator: it yields metrics, and neither prints nor saves."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .bounds import check_float, check_int
from .data import Dataset, binarize, held_out
from .evaluate import HeldOut, evaluate_elbo
from .model import VAE
from .objective import elbo


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    Args:
        epochs: passes over the training images.
        steps: number of batches instead of epochs, where given.
        batch_size: images a step.
        learning_rate: Adam's.
        beta: weight of the KL in the loss; reported ELBOs always have 1.
        warmup_steps: steps over which that weight rises linearly from 0 to beta.
        free_bits: nats of KL per latent dimension, averaged over the batch, that the loss does not count.
        samples: L, draws of z per image.
        seed: of the initial weights, the order of the images, their binarization and the draws.
        record_every: steps between two records.

    Raises:
        ValueError: a value is out of its bounds; the message names field, value and bounds.
    """

    epochs: int = 10
    steps: int | None = None
    batch_size: int = 128
    learning_rate: float = 1e-3
    beta: float = 1.0
    warmup_steps: int = 0
    free_bits: float = 0.0
    samples: int = 1
    seed: int = 0
    record_every: int = 20

    def __post_init__(self) -> None:
        check_int("epochs", self.epochs, 1, 100_000)
        if self.steps is not None:
            check_int("steps", self.steps, 1, 1_000_000_000)
        check_int("batch_size", self.batch_size, 1, 100_000)
        check_float("learning_rate", self.learning_rate, 0, 1, above=True)
        check_float("beta", self.beta, 0, 1000)
        check_int("warmup_steps", self.warmup_steps, 0, 1_000_000_000)
        check_float("free_bits", self.free_bits, 0, 1000)
        check_int("samples", self.samples, 1, 1000)
        check_int("batch_size × samples", self.batch_size * self.samples, 1, 131_072)  # a few GB
        check_int("seed", self.seed, 0, 2**32 - 1)
        check_int("record_every", self.record_every, 1, 1_000_000)

    def check_images(self, images: int) -> None:
        """Raises ValueError where a batch is larger than the training set."""
        if self.batch_size > images:
            raise ValueError(
                f"batch_size is {self.batch_size}; the training set has {images} images, so take at most that."
            )

    def total_steps(self, images: int) -> int:
        """Number of batches of the whole training on that many images."""
        return self.steps if self.steps is not None else self.epochs * math.ceil(images / self.batch_size)


@dataclass(frozen=True)
class Terms:
    """The ELBO and its parts, in nats per image, at β = 1: elbo = reconstruction − kl."""

    elbo: float
    reconstruction: float
    kl: float


@dataclass(frozen=True)
class Metrics:
    """One record of a training.

    step, epoch, images_seen: where it stands after that step; epoch is a fraction.
    seconds: training time so far, evaluation apart; images_per_second: since the record before.
    train: averaged over the images since the record before. test: the whole held-out set, where it was evaluated.
    kl_per_dim: nats per latent dimension, of the training images. active_units: of the held-out set.
    learning_rate, beta, samples: what the step was taken with (beta after warm-up's part).
    """

    step: int
    epoch: float
    images_seen: int
    seconds: float
    images_per_second: float
    train: Terms
    test: Terms | None
    kl_per_dim: list[float]
    active_units: int | None
    learning_rate: float
    beta: float
    samples: int


class DivergedError(RuntimeError):
    """The loss is not finite any more. step: the first step at which that was so."""

    def __init__(self, step: int) -> None:
        super().__init__(f"The loss is not finite any more at step {step}; try a smaller learning rate.")
        self.step = step


@dataclass
class TrainState:
    """What a training needs beside the weights to go on exactly: the optimizer, the step, the time spent.

    The randomness of a step is a function of (seed, step) alone, so that no generator needs saving.
    """

    optimizer: torch.optim.Adam
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, model: VAE, config: TrainConfig) -> TrainState:
        """The state before the first step."""
        return cls(torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True))


@dataclass
class _Sums:
    """What has come together since the last record; on the device, so that no step waits for it."""

    images: int = 0
    reconstruction: Tensor | float = 0.0
    kl_per_dim: Tensor | float = 0.0
    losses: list[Tensor] = field(default_factory=list)


def train(
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: str | torch.device = "cpu",
    state: TrainState | None = None,
) -> Iterator[Metrics]:
    """Trains the model by Adam on loss = −(reconstruction − β KL), averaged over the batch (T10, T18).

    With free bits λ the KL is Σ_j max(λ, KL_j), with KL_j averaged over the batch (Kingma et al. 2016, eq. 15).

    Stopping is to iterate no further. A record comes after the first step, every `config.record_every` steps and at the
    end of every epoch; the held-out set is evaluated at the end of every epoch and of the training.

    Args:
        model: trained in place; moved to the device.
        dataset: kept whole on the device as uint8 and indexed there.
        config: how to train.
        device: cpu, cuda or mps.
        state: where to go on; begins anew if None. It is kept up to date between two records.

    Yields:
        Metrics.

    Raises:
        ValueError: the batch is larger than the training set.
        DivergedError: the loss is not finite; the weights are then no longer usable.
    """
    config.check_images(len(dataset.train))
    device = torch.device(device)
    model.to(device).train()
    images, test = dataset.train.to(device), held_out(dataset.test, model.config.binarization, device)
    state = state or TrainState.start(model, config)
    generator = torch.Generator(device)
    per_epoch = math.ceil(len(images) / config.batch_size)
    total, order, sums, mark = config.total_steps(len(images)), None, _Sums(), time.perf_counter()
    while state.step < total:
        epoch, index = divmod(state.step, per_epoch)
        if order is None or index == 0:
            order = torch.randperm(len(images), generator=_seeded(generator, config.seed, epoch, 0), device=device)
        batch = images[order[index * config.batch_size : (index + 1) * config.batch_size]]
        _seeded(generator, config.seed, state.step, 1)
        _step(model, binarize(batch, model.config.binarization, generator), config, state, generator, sums)
        at_epoch_end = state.step % per_epoch == 0 or state.step == total
        if state.step == 1 or state.step % config.record_every == 0 or at_epoch_end:
            _check_finite(model, sums.losses, state.step)
            elapsed = time.perf_counter() - mark
            state.seconds += elapsed
            evaluated = evaluate_elbo(model, test) if at_epoch_end else None
            yield _metrics(config, state, per_epoch, len(images), sums, elapsed, evaluated)
            sums, mark = _Sums(), time.perf_counter()


def beta_at(config: TrainConfig, step: int) -> float:
    """The weight of the KL at a step, counted from 1: linear over the warm-up, then beta."""
    return config.beta * min(1.0, step / config.warmup_steps) if config.warmup_steps else config.beta


def _step(
    model: VAE, x: Tensor, config: TrainConfig, state: TrainState, generator: torch.Generator, sums: _Sums
) -> None:
    """One batch: forward, backward, Adam; what it measured is added to the sums."""
    state.step += 1
    fit_sigma = model.config.likelihood == "gaussian" and model.config.sigma_mode == "optimal"
    terms = elbo(model, x, config.samples, generator=generator, fit_sigma=fit_sigma)
    kl = terms.kl_per_dim.mean(0).clamp(min=config.free_bits).sum() if config.free_bits else terms.kl.mean()
    loss = -(terms.reconstruction.mean() - beta_at(config, state.step) * kl)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.optimizer.step()
    sums.images += len(x)
    sums.reconstruction = sums.reconstruction + terms.reconstruction.detach().sum()
    sums.kl_per_dim = sums.kl_per_dim + terms.kl_per_dim.detach().sum(0)
    sums.losses.append(loss.detach())


def _check_finite(model: VAE, losses: list[Tensor], step: int) -> None:
    """Raises DivergedError with the first step whose loss, or update, is not finite; step is the last one's number."""
    finite = torch.stack(losses).isfinite().tolist()
    if not all(finite):
        raise DivergedError(step - len(finite) + 1 + finite.index(False))
    if not all(bool(parameter.isfinite().all()) for parameter in model.parameters()):
        raise DivergedError(step)


def _seeded(generator: torch.Generator, *key: int) -> torch.Generator:
    """The generator, seeded by a hash of the key."""
    return generator.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1))


def _metrics(
    config: TrainConfig,
    state: TrainState,
    per_epoch: int,
    images: int,
    sums: _Sums,
    elapsed: float,
    evaluated: HeldOut | None,
) -> Metrics:
    """The record of the steps that the sums hold."""
    kl_per_dim = (sums.kl_per_dim / sums.images).tolist()
    reconstruction, kl = float(sums.reconstruction / sums.images), math.fsum(kl_per_dim)
    epochs, steps = divmod(state.step, per_epoch)
    return Metrics(
        step=state.step,
        epoch=state.step / per_epoch,
        images_seen=epochs * images + steps * config.batch_size,
        seconds=state.seconds,
        images_per_second=sums.images / elapsed,
        train=Terms(reconstruction - kl, reconstruction, kl),
        test=Terms(evaluated.elbo, evaluated.reconstruction, evaluated.kl) if evaluated else None,
        kl_per_dim=kl_per_dim,
        active_units=evaluated.active_units if evaluated else None,
        learning_rate=config.learning_rate,
        beta=beta_at(config, state.step),
        samples=config.samples,
    )
