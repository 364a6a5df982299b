"""Trains one run: keeps its folder up to date, and applies pause, stop and changed settings between batches."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..config import TrainConfig
from ..data import Dataset, binarized_for_evaluation, of_each_label
from ..device import is_out_of_memory
from ..model import VAE
from ..storage.about import keep_valid
from ..training.loop import Metrics, TrainState, batches
from ..training.one_batch import next_batch
from ..training.processes import ALONE, Processes
from .changes import Change, still_to_come
from .film import SIDE, Film
from .folder import RunFolder
from .states import State
from .turns import Turn

# Seconds of the training's own time, so that taking turns with many costs no more than training alone.
SAVE_MODEL_EVERY = 0.8  # about the greatest age of what watchers see
SAVE_STATE_EVERY = 4.0  # a crash loses at most this much, plus a batch


class Steering:
    """Commands to a run, given from any thread; its training loop checks them before each batch.

    Args:
        one_batch: whether the run pauses after a single batch.
        most_seconds: of the training's own time, after which the run stops by itself.
    """

    def __init__(self, *, one_batch: bool = False, most_seconds: float = math.inf) -> None:
        self.one_batch = one_batch
        self.most_seconds = most_seconds
        self.is_asked = False  # somebody asked to pause or stop: a single batch pauses by itself
        self._end = State.PAUSED if one_batch else None
        self._changes: dict[str, float] | None = {}  # None after the last batch
        self._lock = threading.Lock()

    def pause(self) -> None:
        """Pauses after the current batch."""
        self._end = self._end or State.PAUSED
        self.is_asked = True

    def stop(self) -> None:
        """Stops after the current batch."""
        self._end = State.STOPPED
        self.is_asked = True

    def change(self, settings: dict[str, float]) -> bool:
        """Applies settings, checked by `changes.check_change`, from the next batch on; False after the last batch."""
        with self._lock:
            if self._changes is None:
                return False
            self._changes |= settings
            return True

    @property
    def end(self) -> State | None:
        """PAUSED or STOPPED if the run is to end so."""
        return self._end

    def take_changes(self) -> dict[str, float]:
        """The settings changed since the last call."""
        with self._lock:
            taken, self._changes = self._changes or {}, {}
            return taken

    @property
    def is_closed(self) -> bool:
        """Whether the last batch has been taken."""
        return self._changes is None

    def close(self) -> dict[str, float]:
        """Accepts no more changes, and returns those that no batch has used."""
        with self._lock:
            left, self._changes = self._changes or {}, None
            return left


class _Plan:
    """The settings of each step, and the changes to them: changes.json."""

    def __init__(self, folder: RunFolder, config: TrainConfig) -> None:
        self._folder = folder
        self._config = config
        self._taken: list[Change] = []
        self._coming = folder.changes()

    def settings(self, model: VAE, step: int, wanted: dict[str, float]) -> TrainConfig:
        """The settings for the batch after `step`; a setting changed now overrides any later change of the same one."""
        while self._coming and self._coming[0].step <= step:
            self._take(model, self._coming.pop(0))
        if wanted:
            self._coming = still_to_come(self._coming, wanted)
            self._take(model, Change(step, wanted))
            # Before the batch, so that the same batch is taken again after a crash.
            self._folder.write_changes(self._taken + self._coming)
        return self._config

    def _take(self, model: VAE, change: Change) -> None:
        self._config = change.apply(model, self._config)
        self._taken.append(change)


def train_into(
    folder: RunFolder,
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: torch.device,
    state: TrainState | None = None,
    steering: Steering | None = None,
    processes: Processes = ALONE,
    turn: Turn | None = None,
) -> Iterator[Metrics]:
    """`train`, which also appends every record to the folder and keeps weights, state and pictures there.

    However it ends, the folder is complete: newest weights, state, and a status that says how it ended. The settings
    are `config` with the changes in the folder. One that is put away by its turn has not ended: called again, it goes
    on from the folder's state.

    Args:
        folder: of the run, locked by this process.
        model, dataset, config, device, state: as for `train`.
        steering: the owner's commands.
        processes: those that train with this one, which is the first of them.
        turn: its place among the trainings of a server; None: it trains alone.

    Yields:
        Metrics, each after it was written.

    Raises:
        DivergedError: the loss is not finite; model.safetensors holds the last good weights.
        OSError: the folder can no longer be written.
    """
    steering = steering or Steering()
    state = state or TrainState.start(model.to(device))
    total = config.total_steps(len(dataset.train))
    folder.write_status(State.RUNNING)
    try:
        yield from _train_into(folder, model, dataset, config, device, state, steering, processes, turn)
        if turn and turn.is_put_away:
            return
        if left := steering.close():
            folder.add_change(state.step, left)
        is_over = state.is_over(config, total)
        message = f"Step {state.step:,} of {total:,}."
        if is_over and state.step < total:
            message += f" For {state.epochs_since_best} epochs the held-out ELBO had not risen."
        if state.seconds >= steering.most_seconds and not is_over:
            message += f" The limit of {minutes(steering.most_seconds)} was reached."
        folder.write_status(steering.end if steering.end and not is_over else State.FINISHED, message)
    except Exception as error:
        write_failure(folder, error)
        raise


def _train_into(
    folder: RunFolder,
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: torch.device,
    state: TrainState,
    steering: Steering,
    processes: Processes,
    turn: Turn | None,
) -> Iterator[Metrics]:
    """Takes the batches, and writes what is due after each."""
    total = config.total_steps(len(dataset.train))
    plan = _Plan(folder, config)
    film = Film(folder.frames, film_images(dataset, model, device), state.seconds)
    training = None
    last = state.is_over(config, total)
    with (folder.path / "metrics.jsonl").open("ab") as file:
        keeper = _Keeper(folder, model, dataset, film, file, turn)
        while not last:
            if turn and not turn.hold():
                keeper.save_state(state)
                return
            settings = plan.settings(model, state.step, steering.take_changes())
            if state.seconds >= steering.most_seconds:
                steering.stop()
            ends = bool(steering.end)
            if steering.one_batch:
                next_batch(model, dataset, settings, state.step, device).save(folder.path / "batch.safetensors")
            state.wants_record = ends  # the last batch always has one
            if training is None:
                training = batches(model, dataset, settings, device, state, processes)
                metrics = next(training)
            else:
                metrics = training.send(settings)
            last = ends or state.is_over(settings, total)
            if metrics:
                file.write(json.dumps(asdict(metrics)).encode() + b"\n")
                file.flush()
            keeper.keep(settings, state, metrics, last)
            if metrics:
                yield metrics


class _Keeper:
    """Writes weights, pictures and state when they are due."""

    def __init__(
        self, folder: RunFolder, model: VAE, dataset: Dataset, film: Film, records: BinaryIO, turn: Turn | None
    ) -> None:
        self._folder = folder
        self._model = model
        self._dataset = dataset
        self._film = film
        self._records = records
        self._turn = turn
        self._config = folder.read_config()
        self._model_due = self._state_due = -math.inf
        evaluated = [record for record in folder.records() if record["test"]]
        self._held: dict[str, Any] | None = evaluated[-1] if evaluated else None  # the last held-out figures

    def keep(self, config: TrainConfig, state: TrainState, metrics: Metrics | None, last: bool) -> None:
        """Writes what is due after a batch; everything after the last one."""
        now = self._now()
        if metrics and metrics.test:
            self._held = asdict(metrics)
        is_best = bool(config.patience and metrics and metrics.test) and state.epochs_since_best == 0
        if metrics and (last or now >= self._model_due or is_best):
            made = state.model(self._model)
            if is_best or not config.patience or state.best == -math.inf:  # with patience, the best model stays
                self._folder.save_model(made, self._about(config, metrics))
            self._film.take(made, metrics.step, metrics.seconds, metrics.kl_per_dim, keep=last)
            self._model_due = self._now() + SAVE_MODEL_EVERY
        if last or is_best or now >= self._state_due:  # a resumed run never has a best model from a later step
            self.save_state(state)

    def save_state(self, state: TrainState) -> None:
        """Writes what a training goes on from."""
        state.check_finite(self._model)
        os.fsync(self._records.fileno())  # so that a power failure loses no record from before the state
        self._folder.save_state(self._model, state)
        self._state_due = self._now() + SAVE_STATE_EVERY

    def _now(self) -> float:
        """Seconds of the training's own time."""
        return self._turn.seconds if self._turn else time.monotonic()

    def _about(self, config: TrainConfig, metrics: Metrics) -> dict[str, Any]:
        """`about` for the run's checkpoint; test is the last evaluation, at step test_step."""
        held = self._held or {}
        about = {
            "data": self._dataset.name,
            "hold_out": self._config.hold_out,
            "start": self._config.start,
            "learned": self._config.has_learned,
            "training": asdict(config),
            "step": metrics.step,
            "seconds": metrics.seconds,
            "kl_per_dim": metrics.kl_per_dim,
            "test": held.get("test"),
            "test_step": held.get("step"),
            "active_units": held.get("active_units"),
        }
        return keep_valid(about, self._model.config.latent_dim)


def write_failure(folder: RunFolder, error: Exception) -> bool:
    """Writes the reason to the folder; returns False if it cannot be written: it is gone, or the disk is full."""
    try:
        folder.write_status(State.FAILED, reason(error))
        return True
    except OSError:
        return False


def reason(error: Exception) -> str:
    """What went wrong, in one sentence without the server's paths."""
    if isinstance(error, FileNotFoundError):
        return "The run's folder is gone."
    if isinstance(error, OSError):
        return f"The run's folder cannot be written: {error.strerror or error}."
    if is_out_of_memory(error):
        return "There is not enough memory for this training: take a smaller batch, fewer draws or a smaller model."
    if not isinstance(error, (RuntimeError, ValueError)):
        return f"The training failed: {error!r}"  # a bug
    return str(error).partition("\n")[0]


def minutes(seconds: float) -> str:
    """A time as a number of minutes, in words."""
    number = f"{seconds / 60:g}"
    return f"{number} minute{'' if number == '1' else 's'}"


def film_images(dataset: Dataset, model: VAE, device: torch.device) -> Tensor:
    """Twenty held-out images, two per label if there are ten labels, evenly over more: (20, 1, 28, 28)."""
    images = torch.stack([image for _, image in of_each_label(dataset, 2)])
    images = images[torch.arange(SIDE) * len(images) // SIDE]
    return binarized_for_evaluation(images, model.config.binarization, device)
