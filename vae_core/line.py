"""The trainings of this process: which of them train, which wait for those, and how each leaves."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import torch

from .bounds import check_int
from .data import Dataset
from .device import own_stream
from .folder import RunError, RunFolder
from .model import VAE
from .run import Steering, reason, train_into, write_failure

Load = Callable[[Callable[[str], None]], tuple[Dataset, str]]
AT_REST = ("paused", "finished", "stopped", "failed")  # and the folder says so
ENDED = (*AT_REST, "interrupted")  # nothing goes on by itself
LETTING_GO = 10.0  # seconds at most from a run's last word until its folder is free


class _LeftError(Exception):
    """A run was paused or stopped before it began."""


@dataclass
class Training:
    """A run that this process is working on, or will."""

    folder: RunFolder
    owner: str
    steering: Steering
    message: str = "Loading the data."
    future: Future[None] | None = None
    begun: bool = False  # a change goes to its training from now on, and to its folder before
    over: threading.Event = field(default_factory=threading.Event)  # its folder has been let go

    def report(self, message: str) -> None:
        """Takes what the loading of the data says of its progress.

        Raises:
            _LeftError: the run is not to begin any more.
        """
        self.message = message
        if self.steering.is_asked:
            raise _LeftError

    @property
    def is_waiting(self) -> bool:
        """Whether no thread has taken it yet."""
        return self.future is not None and not self.future.running() and not self.future.done()


class Line:
    """Trainings in threads: at most so many at once, the others wait in order. A single batch does not wait.

    lock: held by whoever begins, ends or changes one. trainings: those that train or wait, by run. failures: what a
    run's own folder could not take.

    Args:
        device: what trains.
        max_trainings: how many at once.
    """

    def __init__(self, device: torch.device, max_trainings: int) -> None:
        check_int("max_trainings", max_trainings, 1, 1000)
        self.device, self.lock = device, threading.RLock()
        self.trainings: dict[str, Training] = {}
        self.failures: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(max_trainings, thread_name_prefix="training")
        self._single_batches = ThreadPoolExecutor(1, thread_name_prefix="batch")

    def join(self, run: str, folder: RunFolder, load: Load, owner: str, *, one_batch: bool) -> None:
        """Begins a run's training, or goes on with it, as soon as there is a place.

        Args:
            run, folder: its id and its folder.
            load: gives the dataset and the sentence that says why that one; it is handed a function to report to.
            owner: the browser that may steer it.
            one_batch: whether it pauses after a single batch.

        Raises:
            RunError: somebody else trains it, the folder cannot be written, or the server is being shut down.
        """
        training = Training(folder, owner, Steering(one_batch=one_batch))
        self.failures.pop(run, None)
        pool = self._single_batches if one_batch else self._threads
        folder.acquire()
        try:
            folder.write_status("waiting")
            self.trainings[run] = training
            training.future = pool.submit(self._work, run, training, load)
        except (OSError, RuntimeError) as error:  # the disk is full, or the server is being shut down
            self._let_go(run, training)
            raise RunError(reason(error)) from error

    def leave(self, run: str, training: Training, how: str, message: str) -> bool:
        """Takes a run that waits out of the line; False where it no longer waits.

        Raises:
            OSError: its folder cannot be written; it has left all the same.
        """
        if training.future is None or not training.future.cancel():
            return False
        try:
            training.steering.close()
            training.folder.write_status(how, message)
        finally:
            self._let_go(run, training)
        return True

    def going(self, run: str) -> Training | None:
        """The run, where it waits or trains; one that has ended but not let go of its folder yet is waited for."""
        training = self.trainings.get(run)
        if training is None:
            return None
        has_ended = training.steering.is_closed or training.folder.read_status()["state"] in ENDED
        return None if has_ended and training.over.wait(LETTING_GO) else training

    def is_busy(self, owner: str) -> bool:
        """Whether a run of that browser waits or trains."""
        return any(training.owner == owner and self.going(run) for run, training in list(self.trainings.items()))

    def status(self, training: Training, state: str) -> dict[str, str]:
        """What this process knows better of a run than its folder, which says `state`."""
        if training.is_waiting:
            waiting = [other for other in list(self.trainings.values()) if other.is_waiting]
            line = [other for other in waiting if not other.steering.one_batch]
            if training in line:
                return {"state": "waiting", "message": f"Place {line.index(training) + 1} of {len(line)} in the line."}
        if training.steering.end and not training.steering.one_batch and state == "running":
            return {"message": "Pausing." if training.steering.end == "paused" else "Stopping."}
        return {"message": training.message} if state == "loading" else {}

    def close(self) -> None:
        """Pauses all runs, each with its folder complete, and waits for them."""
        with self.lock:
            for run, training in list(self.trainings.items()):
                with contextlib.suppress(OSError, RunError):  # its folder is gone or full: the others are paused
                    if not self.leave(run, training, "paused", "The server was shut down while this run waited."):
                        training.steering.pause()
        self._threads.shutdown(wait=True)
        self._single_batches.shutdown(wait=True)

    def _let_go(self, run: str, training: Training) -> None:
        try:
            training.folder.release()
        finally:
            self.trainings.pop(run, None)
            training.over.set()

    def _work(self, run: str, training: Training, load: Load) -> None:
        """What a thread does. What goes wrong becomes the run's status, where its watchers see it."""
        try:
            with own_stream(self.device):
                self._train(training, load)
        except Exception as error:
            if not isinstance(error, (ValueError, OSError, RuntimeError)):
                logging.getLogger(__name__).exception("a training failed")  # a fault of ours
            if not write_failure(training.folder, error):
                self.failures[run] = reason(error)
        finally:
            self._let_go(run, training)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()  # what it held is there for the others

    def _train(self, training: Training, load: Load) -> None:
        """Loads the data, and begins the run or goes on with it."""
        folder, steering = training.folder, training.steering
        folder.write_status("loading", training.message)
        try:
            dataset, why = load(training.report)
            training.report(training.message)
        except _LeftError:
            folder.write_status(steering.end, f"{steering.end.capitalize()} while the data were loaded.")
            return
        config = folder.read_config()
        dataset = dataset.holding_out(config.hold_out)
        images = len(dataset.train)
        if config.train_images not in (0, images):
            raise RunError(f"The run was trained on {config.train_images} images, and now there are {images}.")
        if not config.train_images:
            config = replace(config, data=dataset.name, why_data=why, train_images=images)
            folder.write_config(config)
        model = VAE(config.model, torch.Generator().manual_seed(config.training.seed))
        with self.lock:  # no change is on its way to the folder
            training.begun = True
        state = folder.resume(model, self.device)
        for _ in train_into(folder, model, dataset, config.training, self.device, state, steering):
            pass
