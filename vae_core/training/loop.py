"""Training as a generator: it yields metrics, takes new settings in between, and neither prints nor saves."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..config import CHANGEABLE, TrainConfig
from ..data import Dataset
from ..evaluation.evaluate import HeldOut, evaluate_elbo
from ..model import VAE
from ..precision import compute_exactly, launching, resolve
from .adam import Adam
from .average import Average
from .processes import ALONE, Processes
from .random import Batches, block_of
from .schedule import beta_at, learning_rate_at
from .step import Pace, Step

CHECK_EVERY = 100  # steps at most until a loss that is not finite is noticed, and negligible moments are dropped


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
    learning_rate, beta, samples: what the step was taken with (beta after warm-up's part). sigma: of a Gaussian
    likelihood, after that step; None of another one. precision: in which products and convolutions were computed.
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
    sigma: float | None
    precision: str


class DivergedError(RuntimeError):
    """The loss is not finite any more. step: the first step at which that was so."""

    def __init__(self, step: int) -> None:
        super().__init__(f"The loss is not finite any more at step {step}; try a smaller learning rate.")
        self.step = step


@dataclass
class Sums:
    """What has come together since the last record; on the device, so that no step waits for it.

    measured: (1 + D,) nats, the sum over the images of the reconstruction and of the KL of each dimension.
    steps: what the steps since the last look add to it, (some steps, 1 + D) each.
    """

    images: int = 0
    seconds: float = 0.0
    measured: Tensor | None = None
    steps: list[Tensor] = field(default_factory=list)

    def flush(self) -> Tensor:
        """Adds up what is not yet in the sum, and gives it: (steps, 1 + D)."""
        each = torch.cat(self.steps)
        self.steps.clear()
        # One by one: the sum is then the same, whenever one looks. On a GPU that is a single kernel.
        sums = each if self.measured is None else torch.cat([self.measured.unsqueeze(0), each])
        self.measured = functools.reduce(torch.add, sums) if each.device.type == "cpu" else sums.cumsum(0)[-1]
        return each


@dataclass
class TrainState:
    """What a training needs beside the weights to go on exactly: Adam's moments, the step, what the next record sums.

    The randomness of a step is a function of (seed, step) alone, so that no generator needs saving.
    """

    adam: Adam
    step: int = 0
    seconds: float = 0.0
    sums: Sums = field(default_factory=Sums)
    average: Average | None = None
    best: float = -math.inf  # held-out ELBO so far, nats per image
    epochs_since_best: int = 0
    wants_record: bool = False  # the next step is to be taken alone, and to have a record

    @classmethod
    def start(cls, model: VAE) -> TrainState:
        """The state before the first step; the model is on the device where it trains."""
        return cls(Adam(model))

    def model(self, model: VAE) -> VAE:
        """What the training has made: the average of the weights where there is one, else the model that is trained."""
        return self.average.model if self.average else model

    def judge(self, elbo: float) -> None:
        """Takes note of a held-out ELBO."""
        if elbo > self.best:
            self.best = elbo
            self.epochs_since_best = 0
        else:
            self.epochs_since_best += 1

    def begin_record(self) -> None:
        """Begins the sums of the next record."""
        self.sums = Sums()
        self.wants_record = False

    def is_over(self, config: TrainConfig, total: int) -> bool:
        """Whether all steps are done, or patience has run out."""
        return self.step >= total or 0 < config.patience <= self.epochs_since_best

    def check_finite(self, model: VAE) -> None:
        """Raises DivergedError with the first step since the last look whose loss, or update, is not finite."""
        largest = torch.stack(torch._foreach_norm([weight.detach() for weight in model.parameters()], 2))
        looked_at = [self.sums.flush().isfinite().all(1)] if self.sums.steps else []
        *finite, weights = torch.cat([*looked_at, largest.isfinite().all().unsqueeze(0)]).tolist()  # waits once
        if not all(finite):
            raise DivergedError(self.step - len(finite) + 1 + finite.index(False))
        if not weights:
            raise DivergedError(self.step)


def train(
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: str | torch.device = "cpu",
    state: TrainState | None = None,
) -> Generator[Metrics, TrainConfig | None, None]:
    """Trains the model by Adam on loss = −(reconstruction − β KL), averaged over the batch (T10, T18).

    With free bits λ the KL is Σ_j max(λ, KL_j), with KL_j averaged over the batch (Kingma et al. 2016, eq. 15).

    Stopping is to iterate no further. A record comes after the first step, every `config.record_every` steps (on a GPU
    not more often than `least_interval` says) and at the end of every epoch; the held-out set is evaluated at the end
    of every epoch and of the training. New settings are sent in and hold from the next batch on: those of `CHANGEABLE`,
    and record_every; the others must stay.

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
    taken = batches(model, dataset, config, device, state)
    change = None
    while True:
        try:
            metrics = taken.send(change)
        except StopIteration:
            return
        change = (yield metrics) if metrics else None


def batches(
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: str | torch.device = "cpu",
    state: TrainState | None = None,
    processes: Processes = ALONE,
) -> Generator[Metrics | None, TrainConfig | None, None]:
    """`train`, batch by batch: yields after each one, Metrics where a record is due and None where not.

    Of several processes the first one's settings hold for all, and it alone evaluates; when its generator is closed,
    those of the others end.
    """
    config.check_images(len(dataset.train), processes.count)
    device = torch.device(device)
    if device.type == "cuda":
        compute_exactly()
    model.to(device).train()
    images = dataset.train_on(device)
    precision = resolve(config.precision, device)
    state = state or TrainState.start(model)
    drawn = Batches(images, model.config, config.seed, block_of(device, config.batch_size))
    step = Step(model, state.adam, precision, config.objective, config.clip_norm, processes, drawn.block)
    if config.average and state.average is None and processes.rank == 0:
        state.average = Average(model)
    per_epoch = config.steps_per_epoch(len(images))
    total = config.total_steps(len(images))
    try:
        while not state.is_over(config, total) and (agreed := _agreed(config, processes)):
            config = agreed
            mark = time.perf_counter()
            before = state.step
            count = 1 if processes.count > 1 else _steps_at_once(state, per_epoch, total, drawn.block)
            steps = range(before, before + count)
            paces = [_pace(config, number + 1, total) for number in steps]
            with launching(device):
                taken = [drawn.take(config, number) for number in steps]
                state.sums.steps.append(step.take(taken, paces))
                state.step += count
                if state.average:
                    state.average.update(config.average, state.step, per_epoch)
            state.sums.images += sum(batch.x.shape[0] for batch in taken)
            at_end = state.step % per_epoch == 0 or state.step == total
            _count_seconds(state, time.perf_counter() - mark)
            due = at_end or _is_record_due(state, config, before, device)
            _check(model, state, before, is_record_due=due)
            metrics = None
            if due:
                evaluated = _evaluated(model, state, dataset, device) if at_end and processes.rank == 0 else None
                metrics = _metrics(config, state, len(images), evaluated, state.model(model).sigma, precision)
                state.begin_record()
            config = (yield metrics) or config
    except GeneratorExit:
        if state.step < total:
            processes.end()
        raise
    finally:
        step.close()
    if state.step < total:
        processes.end()


def _steps_at_once(state: TrainState, per_epoch: int, total: int, block: int) -> int:
    """Steps that are taken before anything else is: to the end of their block, of the epoch or of the training.

    Only a GPU, whose steps are drawn in blocks, takes more than one.
    """
    if block <= 1 or state.step == 0 or state.wants_record:
        return 1
    of_epoch = state.step % per_epoch
    return min(block - of_epoch % block, per_epoch - of_epoch, total - state.step)


def _pace(config: TrainConfig, step: int, total: int) -> Pace:
    """What a step is taken with, counted from 1."""
    return Pace(learning_rate_at(config, step, total), beta_at(config, step), config.free_bits)


def _is_record_due(state: TrainState, config: TrainConfig, before: int, device: torch.device) -> bool:
    """Whether a record is due after the steps since `before`, apart from those at the ends of epochs."""
    if before == 0 or state.wants_record:
        return True
    is_multiple = before // config.record_every < state.step // config.record_every
    return is_multiple and state.sums.seconds >= least_interval(state.seconds, device)


def least_interval(seconds: float, device: torch.device) -> float:
    """Seconds of training between two records on a GPU, which could make hundreds a second: 1/20 at first, 1/4 at last.

    A record makes the GPU wait for the processor, and a chart of ten minutes shows no more than a few thousand points.

    Args:
        seconds: of training so far.
        device: where it trains; on a processor each record that is due is made.
    """
    return 0.0 if device.type == "cpu" else min(max(0.05, seconds / 400), 0.25)


def _agreed(config: TrainConfig, processes: Processes) -> TrainConfig | None:
    """The settings of the next batch, which are the first process's; None where that takes no more."""
    if processes.count == 1:
        return config
    told = processes.told([getattr(config, name) for name in CHANGEABLE])
    types = (type(getattr(config, name)) for name in CHANGEABLE)
    changes = {name: kind(value) for name, kind, value in zip(CHANGEABLE, types, told, strict=False)}
    return replace(config, **changes) if changes else None


def _check(model: VAE, state: TrainState, before: int, *, is_record_due: bool) -> None:
    """What is looked after from time to time, since the step `before`.

    Raises:
        DivergedError: the loss or a weight is not finite.
    """
    mark = time.perf_counter()
    is_time = before // CHECK_EVERY < state.step // CHECK_EVERY
    if is_record_due or is_time:
        state.check_finite(model)  # waits for the device
    if is_time:
        state.adam.drop_negligible()
    _count_seconds(state, time.perf_counter() - mark)


def _evaluated(model: VAE, state: TrainState, dataset: Dataset, device: torch.device) -> HeldOut:
    """The held-out figures of what the training has made; the state takes note of them."""
    evaluated = evaluate_elbo(state.model(model), dataset.held_out_on(device, model.config.binarization))
    state.judge(evaluated.elbo)
    return evaluated


def _count_seconds(state: TrainState, seconds: float) -> None:
    state.seconds += seconds
    state.sums.seconds += seconds


def _metrics(
    config: TrainConfig, state: TrainState, images: int, evaluated: HeldOut | None, sigma: float | None, precision: str
) -> Metrics:
    """The record of the steps that the state's sums hold."""
    sums = state.sums
    per_epoch = config.steps_per_epoch(images)
    assert sums.measured is not None  # a record comes after a step
    reconstruction, *kl_per_dim = (sums.measured / sums.images).tolist()
    kl = math.fsum(kl_per_dim)
    epochs, steps = divmod(state.step, per_epoch)
    return Metrics(
        step=state.step,
        epoch=state.step / per_epoch,
        images_seen=epochs * images + steps * config.batch_size,
        seconds=state.seconds,
        images_per_second=sums.images / sums.seconds,
        train=Terms(reconstruction - kl, reconstruction, kl),
        test=Terms(evaluated.elbo, evaluated.reconstruction, evaluated.kl) if evaluated else None,
        kl_per_dim=[float(f"{value:.7g}") for value in kl_per_dim],  # float32's digits: half the record
        active_units=evaluated.active_units if evaluated else None,
        learning_rate=learning_rate_at(config, state.step, config.total_steps(images)),
        beta=beta_at(config, state.step),
        samples=config.samples,
        sigma=sigma,
        precision=precision,
    )
