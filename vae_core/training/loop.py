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
from ..data import Dataset, spread
from ..evaluation.evaluate import HeldOut, evaluate_elbo, watch
from ..evaluation.ppca import is_ppca
from ..evaluation.truth import exact_evidence
from ..model import VAE
from ..precision import compute_exactly, launching, resolve
from .adam import Adam
from .average import Average
from .divergence import diverged
from .processes import ALONE, Processes
from .random import Batches, block_of
from .schedule import beta_at, learning_rate_at
from .step import Pace, Step

WATCHED = 100  # held-out images, always the same ones, of which log p(x) is watched
WATCHED_DRAWS = 50  # K of each
WATCH_EVERY = 30_000  # training images, at least, so that watching takes little of the training's time
PLANE_AFTER = 1_200_000  # training images, since quadrature in two dimensions takes as long as training on many
CHECK_EVERY = 100  # most steps until an infinite or NaN loss is noticed, and negligible moments are dropped


@dataclass(frozen=True)
class Terms:
    """The ELBO and its parts, in nats per image, at β = 1: elbo = reconstruction − kl."""

    elbo: float
    reconstruction: float
    kl: float


@dataclass(frozen=True)
class Watched:
    """The bounds of log p(x) of `WATCHED` fixed held-out images, averaged; nats per image (T13, T14).

    elbo, log_px: from the same K = `WATCHED_DRAWS` draws of q(z|x) for each image, the mean of the log weights and the
    log of the mean weight. Both are lower bounds; log_px − elbo ≥ 0 estimates the gap. exact: log p(x) itself, at the
    end of a training, where it is known: for the linear Gaussian model, and in two dimensions if the training was of
    at least `PLANE_AFTER` images.
    """

    elbo: float
    log_px: float
    exact: float | None


@dataclass(frozen=True)
class Metrics:
    """One record of a training run.

    step, epoch, images_seen: progress after that step; epoch may be fractional.
    seconds: training time so far, without evaluation; images_per_second: since the previous record.
    train: averaged over the images since the previous record. test: over the whole held-out set, if it was evaluated.
    kl_per_dim: nats per latent dimension, on the training images. active_units: on the held-out set.
    learning_rate, beta, samples: those of the step (beta including its warm-up). sigma: of a Gaussian likelihood, after
    that step; None for any other. precision: that of products and convolutions. watched: at the end of an epoch,
    at most every `WATCH_EVERY` images.
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
    watched: Watched | None = None


@dataclass
class Sums:
    """The sums since the last record; on the device, so that no step waits for them.

    measured: (1 + D,) nats, the reconstruction and the KL of each dimension, summed over the images.
    steps: what the steps since the last flush add to it, (some steps, 1 + D) each.
    """

    images: int = 0
    seconds: float = 0.0
    measured: Tensor | None = None
    steps: list[Tensor] = field(default_factory=list)

    def flush(self) -> Tensor:
        """Adds the steps that are not yet in the sum, and returns them: (steps, 1 + D)."""
        each = torch.cat(self.steps)
        self.steps.clear()
        # One by one, so that the sum does not depend on when it is flushed. On a GPU that is a single kernel.
        sums = each if self.measured is None else torch.cat([self.measured.unsqueeze(0), each])
        self.measured = functools.reduce(torch.add, sums) if each.device.type == "cpu" else sums.cumsum(0)[-1]
        return each


@dataclass
class TrainState:
    """What training needs besides the weights to resume exactly: Adam's moments, the step, the next record's sums.

    A step's random numbers depend on (seed, step) alone, so no generator needs saving.
    """

    adam: Adam
    step: int = 0
    seconds: float = 0.0
    sums: Sums = field(default_factory=Sums)
    average: Average | None = None
    best: float = -math.inf  # best held-out ELBO so far, nats per image
    epochs_since_best: int = 0
    wants_record: bool = False  # the next step is taken alone, and gets a record

    @classmethod
    def start(cls, model: VAE) -> TrainState:
        """The state before the first step; the model is on the device where it trains."""
        return cls(Adam(model))

    def model(self, model: VAE) -> VAE:
        """The result of the training so far: the averaged model if there is one, else the trained model."""
        return self.average.model if self.average else model

    def judge(self, elbo: float) -> None:
        """Updates the best ELBO, and the epochs since then, with a held-out ELBO."""
        if elbo > self.best:
            self.best = elbo
            self.epochs_since_best = 0
        else:
            self.epochs_since_best += 1

    def begin_record(self) -> None:
        """Starts the sums of the next record."""
        self.sums = Sums()
        self.wants_record = False

    def is_over(self, config: TrainConfig, total: int) -> bool:
        """Whether all steps are done, or patience has run out."""
        return self.step >= total or 0 < config.patience <= self.epochs_since_best

    def check_finite(self, model: VAE) -> None:
        """Raises DivergedError for the first step since the last check whose loss or update is not finite."""
        largest = torch.stack(torch._foreach_norm([weight.detach() for weight in model.parameters()], 2))
        measured = self.sums.flush() if self.sums.steps else None
        looked_at = [] if measured is None else [measured.isfinite().all(1)]
        sums = largest if self.sums.measured is None else torch.cat([largest, self.sums.measured])
        *finite, last = torch.cat([*looked_at, sums.isfinite().all().unsqueeze(0)]).tolist()  # waits once
        if measured is not None and not all(finite):
            first = finite.index(False)
            raise diverged(model, self.step - len(finite) + 1 + first, measured[first])
        if not last:  # a weight, or a sum of figures that each were finite
            raise diverged(model, self.step, None)


def train(
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: str | torch.device = "cpu",
    state: TrainState | None = None,
) -> Generator[Metrics, TrainConfig | None, None]:
    """Trains the model by Adam on `Objective.loss` (T10, T18).

    To stop, stop iterating. A record comes after the first step, every `config.record_every` steps (on a GPU no more
    often than `least_interval` allows) and at the end of every epoch; the held-out set is evaluated at the end of every
    epoch and of the training. New settings are sent in and apply from the next batch on: those in `CHANGEABLE`, and
    record_every; the others must not change.

    Args:
        model: trained in place; moved to the device.
        dataset: kept whole on the device as uint8 and indexed there.
        config: how to train.
        device: cpu, cuda or mps.
        state: where to resume; starts from the beginning if None. It is kept up to date between records.

    Yields:
        Metrics.

    Raises:
        ValueError: the batch is larger than the training set.
        DivergedError: the loss or a weight is not finite; the weights are then unusable.
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
    """`train`, batch by batch: yields after each one, Metrics if a record is due and None if not.

    With several processes, the first one's settings apply to all, and it alone evaluates; when its generator is closed,
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
    how = precision, config.objective, config.clip_norm
    step = Step(model, state.adam, *how, processes, drawn.block, config.gradient)
    if config.average and state.average is None and processes.rank == 0:
        state.average = Average(model)
    per_epoch = config.steps_per_epoch(len(images))
    total = config.total_steps(len(images))
    try:
        while not state.is_over(config, total) and (agreed := _agreed(config, processes)):
            config = agreed
            mark = time.perf_counter()
            before = state.step
            with launching(device):  # the Python too: in another thread it would hold up the one that launches
                count = 1 if processes.count > 1 else _steps_at_once(state, per_epoch, total, drawn.block)
                paces = [_pace(config, before + 1 + n, total) for n in range(count)]
                taken = [drawn.take(config, before + n) for n in range(count)]
                state.sums.steps.append(step.take(taken, paces))
                state.sums.images += sum(batch.x.shape[0] for batch in taken)
                state.step += count
                if state.average:
                    state.average.update(config.average, state.step, per_epoch)
            _count_seconds(state, time.perf_counter() - mark)
            at_end = state.step % per_epoch == 0 or state.step == total
            due = at_end or _is_record_due(state, config, before, device)
            _check(model, state, before, is_record_due=due)
            metrics = None
            if due:
                evaluated = _evaluated(model, state, dataset, device) if at_end and processes.rank == 0 else None
                metrics = _metrics(config, state, len(images), evaluated, state.model(model).sigma, precision)
                if evaluated and _is_watch_due(state, config, len(images)):
                    metrics = replace(metrics, watched=_watched(state.model(model), state, config, dataset, device))
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
    """Number of steps to take in one go: up to the end of their block, of the epoch or of the training.

    It is more than one only on a GPU, where steps are drawn in blocks.
    """
    if block <= 1 or state.step == 0 or state.wants_record:
        return 1
    of_epoch = state.step % per_epoch
    return min(block - of_epoch % block, per_epoch - of_epoch, total - state.step)


def _pace(config: TrainConfig, step: int, total: int) -> Pace:
    """The pace of a step, counted from 1."""
    return Pace(learning_rate_at(config, step, total), beta_at(config, step), config.free_bits)


def _is_record_due(state: TrainState, config: TrainConfig, before: int, device: torch.device) -> bool:
    """Whether a record is due after the steps since `before`, not counting those at the end of an epoch."""
    if before == 0 or state.wants_record:
        return True
    is_multiple = before // config.record_every < state.step // config.record_every
    return is_multiple and state.sums.seconds >= least_interval(state.seconds, device)


def least_interval(seconds: float, device: torch.device) -> float:
    """Least seconds of training between records on a GPU, which could make hundreds a second: from 1/20 up to 1/4.

    A record makes the GPU wait for the CPU, and a chart of ten minutes shows no more than a few thousand points.

    Args:
        seconds: of training so far.
        device: where it trains; on a CPU every due record is made.
    """
    return 0.0 if device.type == "cpu" else min(max(0.05, seconds / 400), 0.25)


def _agreed(config: TrainConfig, processes: Processes) -> TrainConfig | None:
    """The first process's settings for the next batch; None if that process takes no more batches."""
    if processes.count == 1:
        return config
    told = processes.told([getattr(config, name) for name in CHANGEABLE])
    types = (type(getattr(config, name)) for name in CHANGEABLE)
    changes = {name: kind(value) for name, kind, value in zip(CHANGEABLE, types, told, strict=False)}
    return replace(config, **changes) if changes else None


def _check(model: VAE, state: TrainState, before: int, *, is_record_due: bool) -> None:
    """Does the periodic checks for the steps since `before`.

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
    """Evaluates the result of the training so far on the held-out set; the state notes its ELBO."""
    evaluated = evaluate_elbo(state.model(model), dataset.held_out_on(device, model.config.binarization))
    state.judge(evaluated.elbo)
    return evaluated


def _is_watch_due(state: TrainState, config: TrainConfig, images: int) -> bool:
    """Whether the watched images are due at the end of this epoch or of the training: a matter of the step alone."""
    epochs = state.step / config.steps_per_epoch(images)
    seen = round(epochs * images)
    if state.is_over(config, config.total_steps(images)):
        return seen >= WATCH_EVERY
    return seen // WATCH_EVERY > (seen - images) // WATCH_EVERY


def _watched(
    model: VAE, state: TrainState, config: TrainConfig, dataset: Dataset, device: torch.device
) -> Watched | None:
    """Looks at the watched images, by random numbers of their own; None if a figure is not finite."""
    held_out = dataset.held_out_on(device, model.config.binarization)
    x = held_out[spread(len(held_out), WATCHED).to(device)]
    elbo, log_px = (float(values.mean()) for values in watch(model, x, WATCHED_DRAWS))
    images = len(dataset.train)
    is_long = is_ppca(model.config) or state.step / config.steps_per_epoch(images) * images >= PLANE_AFTER
    ends = state.is_over(config, config.total_steps(images))
    exact = exact_evidence(model, x) if ends and is_long else None
    known = None if exact is None else float(exact.nanmean())
    finite = math.isfinite(elbo) and math.isfinite(log_px)
    return Watched(elbo, log_px, known if known is None or math.isfinite(known) else None) if finite else None


def _count_seconds(state: TrainState, seconds: float) -> None:
    state.seconds += seconds
    state.sums.seconds += seconds


def _metrics(
    config: TrainConfig, state: TrainState, images: int, evaluated: HeldOut | None, sigma: float | None, precision: str
) -> Metrics:
    """The record of the steps in the state's sums."""
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
        kl_per_dim=[float(f"{value:.7g}") for value in kl_per_dim],  # float32's digits: halves the record
        active_units=evaluated.active_units if evaluated else None,
        learning_rate=learning_rate_at(config, state.step, config.total_steps(images)),
        beta=beta_at(config, state.step),
        samples=config.samples,
        sigma=sigma,
        precision=precision,
    )
