"""The runs of a server: starting them, who may control them, and what is known about them."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ..config import TrainConfig, VAEConfig
from ..device import describe_devices
from ..settings import check_int
from ..storage.checkpoint import Header, load_checkpoint, read_header
from ..training.recording import Recordings
from .allowance.limits import UNLIMITED, Limits, bytes_of
from .allowance.room import REST, making_room
from .changes import check_change
from .config import RunConfig, beginning_with
from .folder import RunError, check_name
from .queue import LETTING_GO, Queue
from .run import minutes, reason
from .shelf import Shelf, key_of
from .states import State, Status
from .summary import Summary, summarize
from .sweep import MOST_RUNS
from .workers import Load, Worker

LEFT = "It left the queue before its first step."
IN_MEMORY = 64  # runs of a few ten MB each, as a class has them
RECORDED = "recorded"  # the owner of a recording: anybody may watch it, and nobody may change it
ELSEWHERE = "Trained by another process on this runs folder: it cannot be steered here."


class Runs(Shelf):
    """The runs of one folder, trained in threads of this process: at most `max_trainings` at once, in turns.

    A single batch does not wait. Each browser has at most one run that trains or waits, or those of one sweep.

    Args:
        root: where the run folders are.
        devices: the device or devices that train.
        max_trainings: runs at once on each device: one number, or one for each.
        in_memory: runs that take turns in a device's memory; further ones are put away on the disk in between.
        recordings: a folder of runs to watch, which `checkpoints.record` makes; None: there are none.
        limits: of what a training may take, and of what is kept.

    Raises:
        ValueError: max_trainings or in_memory is out of bounds.
    """

    def __init__(
        self,
        root: str | Path,
        devices: torch.device | Sequence[torch.device],
        max_trainings: int | Sequence[int] = 1,
        in_memory: int | Sequence[int] = IN_MEMORY,
        recordings: Path | None = None,
        *,
        limits: Limits = UNLIMITED,
    ) -> None:
        self.devices = [devices] if isinstance(devices, torch.device) else list(devices)
        most, kept = (
            [number] * len(self.devices) if isinstance(number, int) else number for number in (max_trainings, in_memory)
        )
        self.limits = limits
        self._only: str | None = None
        self.queue = Queue([Worker(*of_it) for of_it in zip(self.devices, most, kept, strict=True)], limits)
        super().__init__(Path(root), recordings)
        self._remembered = lru_cache(maxsize=4096)(lambda run, version: self._summarize(run))

    def computing_on(self) -> str:
        """The devices that train, and what is wrong with them, in words."""
        failed = [worker for worker in self.queue.workers if worker.failure]
        line = describe_devices([worker.device for worker in self.queue.workers if not worker.failure] or self.devices)
        if failed:
            line += f"; {len(failed)} of {len(self.devices)} devices failed, until the server is started again"
        if Recordings.refusal:
            line += f"; steps are taken one kernel at a time: {Recordings.refusal}"
        return line

    def warm_up(self) -> list[Future[None]]:
        """Prepares each GPU for its first run, in a separate thread."""
        return [worker.warm_up() for worker in self.queue.workers]

    def freeze(self, only: str | None) -> None:
        """Lets only one browser begin or resume trainings, or all again; those that go on are not touched.

        Args:
            only: that browser; None: all of them.
        """
        self._only = only

    # Beginning

    def start(
        self,
        model: VAEConfig,
        training: TrainConfig,
        data: str,
        load: Load,
        owner: str = "",
        *,
        weights: Path | None = None,
        hold_out: int = 0,
        one_batch: bool = False,
        name: str = "",
        images: int | None = None,
    ) -> str:
        """Starts a run, or queues it, and returns its id.

        Args:
            model, training: what to train and how.
            data: the dataset's name, or auto.
            load: returns the dataset and a sentence that says why it was chosen; it gets a function to report to.
            owner: the browser that may control the run.
            weights: a checkpoint to begin with; its configuration is then the model's.
            hold_out: number of training images held out in place of the test images.
            one_batch: whether it pauses after its first batch.
            name: its name, if it has one; with a number if another run of the browser has it.
            images: number of training images, where it is known before the data are loaded.

        Raises:
            ValueError: hold_out is out of bounds, the checkpoint was trained on images that would be held out, or the
                model or the training is over a limit.
            RunError: this browser already has a run going, the folder cannot be made, or there is no room for it.
            CheckpointError: there is no such checkpoint.
        """
        config = RunConfig(model, training, data, str(self.devices[0]), owner=owner, hold_out=hold_out)
        (run,) = self._begin([config], load, owner, weights=weights, one_batch=one_batch, name=name, images=images)
        return run

    def start_sweep(
        self,
        configs: Sequence[tuple[VAEConfig, TrainConfig]],
        data: str,
        load: Load,
        owner: str,
        *,
        hold_out: int = 0,
        images: int | None = None,
    ) -> list[str]:
        """Starts or queues several runs, all or none of them, and returns their ids.

        Args:
            configs: what to train and how, for each run.
            data, load, owner, hold_out, images: as for `start`.

        Raises:
            ValueError: hold_out is out of bounds, there are too many runs, or one of them is over a limit.
            RunError: this browser already has a run going, a folder cannot be made, or there is no room for them.
        """
        check_int("the number of runs", len(configs), 1, MOST_RUNS)
        device = str(self.devices[0])
        of_each = [RunConfig(*both, data, device, owner=owner, hold_out=hold_out) for both in configs]
        return self._begin(of_each, load, owner, images=images)

    def play(self, run: str, owner: str, load: Load, *, one_batch: bool = False) -> None:
        """Resumes a run exactly where it was; with one_batch it pauses after a single batch.

        Raises:
            RunError: the run is somebody else's, is going, has done all its steps or used all its time, or this
                browser has another one going.
            ValueError: its model or its training is over a limit.
        """
        with self.queue.lock:
            self.check_owner(run, owner)
            self.check_free(owner)
            status = self.status(run)
            if not status["state"].is_resumable:
                raise _refusal(status, f"This run cannot go on: it is {status['state']}.")
            self._check_limits(run)
            if self.folder(run).saved()[1] >= self.limits.most_seconds:
                raise RunError(
                    f"This run has trained for {minutes(self.limits.most_seconds)}, which is the limit of this server."
                )
            self.queue.join({run: self.folder(run)}, load, owner, one_batch=one_batch)

    def start_over(self, run: str, owner: str) -> str:
        """Makes another run with the settings that this one began with, paused at step 0; the old one stays.

        Raises:
            RunError: the run is somebody else's, this browser has one going, or there is no room for another one.
            ValueError: its model or its training is over a limit.
        """
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            self.check_free(owner)
            self._check_limits(run)
            folder = self.folder(run)
            config = replace(folder.read_config(), device=str(self.devices[0]))
            self._make_room(owner, [bytes_of(config.model)], but=run)
            if self.status(run)["state"] is State.PAUSED:
                folder.write_status(State.STOPPED, self.status(run)["message"])
            start = folder.start_file
            new = self.create(config, start if start.exists() else None)
            self.folder(new).write_status(State.PAUSED, "Step 0.")
            return new

    def add(self, path: Path, owner: str, name: str) -> str:
        """Makes a checkpoint file a run of a browser, and returns its id; the file is copied.

        Raises:
            CheckpointError: it is not a checkpoint of this app.
            RunError: the name is not valid, the folder cannot be made, or there is no room for it.
        """
        load_checkpoint(path)
        header = read_header(path)
        with self.queue.lock, _writing():
            name = self.free_name(owner, name)
            self._make_room(owner, [path.stat().st_size])
            data = str(header.about.get("data") or "unknown")
            config = RunConfig(header.config, _training_of(header), data, str(self.devices[0]), owner=owner)
            run = self.create(replace(config, hold_out=header.about.get("hold_out") or 0), name=name)
            folder = self.folder(run)
            try:
                shutil.copyfile(path, folder.model_file)
                folder.write_status(State.FINISHED, "Uploaded.")
            except OSError:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise
            return run

    # Steering

    def pause(self, run: str, owner: str = "") -> None:
        """Pauses a run after the current batch; a waiting run leaves the queue.

        Raises:
            RunError: the run is somebody else's, or neither trains nor waits.
        """
        self._end(run, owner, State.PAUSED)

    def stop(self, run: str, owner: str = "") -> None:
        """Stops a run after the current batch; a waiting run leaves the queue.

        Raises:
            RunError: the run is somebody else's, or has ended.
        """
        self._end(run, owner, State.STOPPED)

    def change(self, run: str, owner: str, settings: dict[str, Any]) -> None:
        """Changes settings of a run that is going, waiting, paused or failed, from its next batch on.

        Raises:
            RunError: the run is somebody else's, or has ended otherwise.
            ValueError: a setting cannot change during a run or is out of bounds, or the run is over a limit.
        """
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            folder = self.folder(run)
            check_change(folder.read_config(), settings)
            self._check_limits(run)
            going = self.queue.going(run)
            begun = going if going is not None and going.begun else None
            if begun and (begun.steering.change(settings) or not begun.over.wait(LETTING_GO)):
                return
            status = self.status(run)
            if not (status["state"].has_ended and status["state"].takes_changes) and (going is None or begun):
                raise _refusal(status, f"This run is {status['state']}: nothing of it can be changed.")
            folder.add_change(folder.saved_step(), settings)

    def rename(self, run: str, owner: str, name: str) -> None:
        """Gives a run another name.

        Raises:
            RunError: the run is somebody else's, or the name is invalid or taken.
        """
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            check_name(name)
            if taken := self.names(owner, but=run).get(key_of(name)):
                raise RunError(f"Another run of yours is called {taken} already.")
            self.folder(run).write_name(name.strip())

    def annotate(self, run: str, owner: str, note: str) -> None:
        """Writes a note about a run in place of the one before; an empty one removes it.

        Raises:
            RunError: the run is somebody else's, or the note is too long or holds control characters.
        """
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            self.folder(run).write_note(note)

    def pin(self, run: str, owner: str, is_pinned: bool) -> None:
        """Keeps a run from being deleted to make room for another one, or takes that back.

        Raises:
            RunError: the run is somebody else's.
        """
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            self.folder(run).write_pinned(is_pinned)

    def delete(self, run: str, owner: str) -> None:
        """Deletes a run and its folder.

        Raises:
            RunError: the run is somebody else's, or is going.
        """
        with self.queue.lock:
            self.check_owner(run, owner)
            if self.queue.going(run):
                raise RunError("The run is being trained: stop it first.")
            self._delete(run)

    def close(self) -> None:
        """Pauses all runs, each with a complete folder, and waits for them."""
        self.queue.close()

    # Looking

    def status(self, run: str) -> Status:
        """state (waiting, loading, running, paused, finished, stopped, failed, interrupted) and message.

        Raises:
            RunError: `run` is not a run id.
        """
        folder = self.folder(run)
        training = self.queue.trainings.get(run)  # before the file: a run that ends in between has written it
        status = folder.read_status()
        if training is not None:
            return self.queue.status(training, status)
        if run in self.queue.failures and status["state"] not in (State.FINISHED, State.PAUSED, State.STOPPED):
            return {"state": State.FAILED, "message": self.queue.failures[run]}
        if status["state"].has_ended:
            return status
        if folder.is_taken():
            return status | {"message": ELSEWHERE}
        at = f"at step {folder.saved_step():,}" if folder.saved_step() else "before its first step"
        return {"state": State.INTERRUPTED, "message": f"Interrupted {at}: Resume goes on from there."}

    def summary(self, run: str) -> Summary:
        """The list entry of the run.

        Raises:
            RunError: there is no such run, or its folder is damaged.
        """
        folder = self.folder(run)
        known = run in self.queue.trainings or run in self.queue.failures
        at_rest = not known and folder.read_status()["state"].is_at_rest
        return self._remembered(run, folder.version()) if at_rest else self._summarize(run)

    def _summarize(self, run: str) -> Summary:
        return summarize(run, self.folder(run), self.status(run))

    def check_free(self, owner: str) -> None:
        """Raises RunError if a run of that browser trains or waits, or if only another one may begin any."""
        if self._only is not None and owner != self._only:
            raise RunError("The lecturer lets nobody begin a training at the moment.")
        if owner and self.queue.is_busy(owner):
            raise RunError("A training of yours is going or waiting already: pause or stop it first.")

    # Within

    def _begin(
        self,
        configs: Sequence[RunConfig],
        load: Load,
        owner: str,
        *,
        weights: Path | None = None,
        one_batch: bool = False,
        name: str = "",
        images: int | None = None,
    ) -> list[str]:
        """Makes a run of each configuration, and trains or queues them; no folder stays if one of them cannot begin."""
        with self.queue.lock:
            self.check_free(owner)
            name = self.free_name(owner, name) if name else ""
            if weights:
                configs = [beginning_with(config, weights) for config in configs]
            for config in configs:
                self.limits.check(config.model, config.training, images or 0)
            source = weights.parent.name if weights else ""
            self._make_room(owner, [bytes_of(config.model) for config in configs], but=source)
            made: list[str] = []
            try:
                for config in configs:
                    made.append(self.create(config, weights, name))
                self.queue.join({run: self.folder(run) for run in made}, load, owner, one_batch=one_batch)
            except RunError:
                for run in made:
                    shutil.rmtree(self.folder(run).path, ignore_errors=True)
                raise
            return made

    def _check_limits(self, run: str) -> None:
        """Raises FaultsError if a run's model or its training is over a limit: it may have been started without."""
        config = self.folder(run).read_config()
        self.limits.check(config.model, config.training, config.train_images)

    def _make_room(self, owner: str, sizes: Sequence[int], but: str = "") -> None:
        """Deletes the oldest runs that may go until new ones have room; none if there is no room for them even then.

        Args:
            sizes: about how many bytes each of the new runs will take.
            but: a run that stays in any case.

        Raises:
            RunError: there is no room; the sentence says what to delete.
        """
        if not self.limits.bounds_what_is_kept:
            return
        for run in making_room(self.limits, self.kept(), owner, sizes, lambda run: run != but and self._may_go(run)):
            self._delete(run)

    def _may_go(self, run: str) -> bool:
        """Whether a run may be deleted to make room: it is not pinned, not in use, and nothing of it is recent."""
        folder = self.folder(run)
        if folder.is_pinned or run in self.queue.trainings or time.time() - folder.changed() < REST:
            return False
        state = self.status(run)["state"]
        return state.has_ended and state is not State.PAUSED and not folder.is_taken()

    def _delete(self, run: str) -> None:
        """Deletes a run's folder, and forgets it."""
        self.folder(run).delete()
        self.forget(run)
        self.queue.failures.pop(run, None)

    def _end(self, run: str, owner: str, how: State) -> None:
        with self.queue.lock, _writing():
            self.check_owner(run, owner)
            going = self.queue.going(run)
            folder = self.folder(run)
            if going is None:
                status = self.status(run)
                if how is State.STOPPED and status["state"] in (State.PAUSED, State.INTERRUPTED):
                    folder.write_status(State.STOPPED, status["message"] if folder.saved_step() else LEFT)
                    return
                raise _refusal(status, f"This run is {status['state']} already.")
            self.queue.end(run, going, how, LEFT if how is State.STOPPED else "Paused while it waited.")


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Turns a failed write into the same error as any other fault of a run.

    Raises:
        RunError: a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(reason(error)) from error


def _training_of(header: Header) -> TrainConfig:
    """How a checkpoint says it was trained; the defaults if it does not say, or its settings are unknown here."""
    try:
        return TrainConfig(**header.about["training"])
    except (KeyError, TypeError, ValueError):
        return TrainConfig()


def _refusal(status: Status, otherwise: str) -> RunError:
    """The error for a run that cannot be controlled: another process has it, or something else."""
    return RunError(ELSEWHERE if status["message"] == ELSEWHERE else otherwise)
