"""The training queue: several runs at once on each device; for the rest, browsers take turns as they came."""

from __future__ import annotations

import contextlib
import heapq
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import torch

from ..data import Dataset
from ..device import describe_device, is_fatal, own_stream
from ..model import VAE
from ..precision import resolve
from ..settings import check_int
from ..training.warm_up import warm_up
from .folder import RunError, RunFolder
from .run import Steering, reason, train_into, write_failure
from .states import State, Status

Load = Callable[[Callable[[str], None]], tuple[Dataset, str]]
LETTING_GO = 10.0  # most seconds from a run's last status until its folder is unlocked


class _LeftError(Exception):
    """A run was paused or stopped before it began."""


@dataclass
class Training:
    """A run that this process is training or will train."""

    folder: RunFolder
    owner: str
    steering: Steering
    message: str = "Loading the data."
    last_turn: int = 0  # the number of the last turn that its browser had while this run waited
    future: Future[None] | None = None  # None until a device has room
    begun: bool = False  # changes now go to the training loop, before that to the folder
    left: float | None = None  # seconds that it still takes by its speed so far; None before its first record
    whole: float | None = None  # seconds of the whole training
    over: threading.Event = field(default_factory=threading.Event)  # its folder has been unlocked

    def report(self, message: str) -> None:
        """Takes a progress message from the loading of the data.

        Raises:
            _LeftError: the run should no longer begin.
        """
        self.message = message
        if self.steering.is_asked:
            raise _LeftError

    @property
    def is_waiting(self) -> bool:
        """Whether no thread has started on it yet."""
        return self.future is None or not (self.future.running() or self.future.done())


class Worker:
    """A device of the server, with the threads that train on it.

    going: number of runs on it now. failure: why it can no longer compute, or empty.

    Args:
        device: cpu, a GPU, or mps.
        most: runs at once.

    Raises:
        ValueError: most is out of bounds.
    """

    def __init__(self, device: torch.device, most: int) -> None:
        check_int("max_trainings", most, 1, 1 if device.type == "mps" else 1000)  # two threads on MPS crash torch
        self.device = device
        self.most = most
        self.going = 0
        self.failure = ""
        self.threads = ThreadPoolExecutor(most, thread_name_prefix="training")
        mps = device.type == "mps"
        self.single_batches = self.threads if mps else ThreadPoolExecutor(1, thread_name_prefix="batch")

    def warm_up(self) -> Future[None]:
        """Makes a GPU load what the first run would otherwise wait for."""
        return self.threads.submit(self._warm_up)

    def _warm_up(self) -> None:
        try:
            with own_stream(self.device):
                warm_up(self.device)
        except RuntimeError as error:  # the first run will report it
            logging.getLogger(__name__).warning("%s could not be warmed up: %s", self.device, reason(error))


class Queue:
    """Trains runs in threads: several at once per device, the others wait their turn. A single batch does not wait.

    lock: held while a run begins, ends or changes. trainings: those that train or wait, by run. failures: errors that
    could not be written to a run's own folder.

    Args:
        workers: the devices. A run goes to the one with the fewest.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = list(workers)
        self.lock = threading.RLock()
        self.trainings: dict[str, Training] = {}
        self.failures: dict[str, str] = {}
        self._waiting: list[tuple[str, Training, Load]] = []
        self._turns = 0
        self._is_closed = False

    def join(self, folders: Mapping[str, RunFolder], load: Load, owner: str, *, one_batch: bool) -> None:
        """Starts or resumes runs as soon as there is room; none of them begins before all have joined.

        Args:
            folders: by id, the folders of the runs.
            load: returns the dataset and a sentence that says why it was chosen; it gets a function to report to.
            owner: the browser that may control them.
            one_batch: whether each pauses after a single batch.

        Raises:
            RunError: a run is being trained elsewhere, a folder cannot be written, no device works any longer, or the
                server is shutting down.
        """
        with self.lock:
            joined: dict[str, Training] = {}
            try:
                for run, folder in folders.items():
                    self.failures.pop(run, None)
                    folder.acquire()
                    self.trainings[run] = joined[run] = Training(folder, owner, Steering(one_batch=one_batch))
                    if self._is_closed:
                        raise RunError("The server is being shut down.")
                    self._least_busy()
                    folder.write_status(State.WAITING)
                if one_batch:
                    self._begin_at_once(joined, load)
                else:
                    self._waiting += [(run, training, load) for run, training in joined.items()]
                    self._dispatch()
            except (OSError, RuntimeError) as error:  # the disk is full, or no thread can be started
                self._waiting = [waiting for waiting in self._waiting if waiting[0] not in joined]
                for run, training in joined.items():
                    self._let_go(run, training)
                raise error if isinstance(error, RunError) else RunError(reason(error)) from error

    def _begin_at_once(self, joined: Mapping[str, Training], load: Load) -> None:
        """Has single batches taken, whatever else trains."""
        for run, training in joined.items():
            worker = self._least_busy()
            training.future = worker.single_batches.submit(self._work, run, training, load, worker)

    def leave(self, run: str, training: Training, how: State, message: str) -> bool:
        """Takes a waiting run out of the queue; returns False if it no longer waits.

        Raises:
            OSError: its folder cannot be written; it has left the queue all the same.
        """
        with self.lock:
            before = len(self._waiting)
            self._waiting = [waiting for waiting in self._waiting if waiting[1] is not training]
            if len(self._waiting) == before and not (training.future and training.future.cancel()):
                return False
        try:
            training.steering.close()
            training.folder.write_status(how, message)
        finally:
            self._let_go(run, training)
        return True

    def going(self, run: str) -> Training | None:
        """The run, if it waits or trains; if it has ended but not unlocked its folder yet, waits for that."""
        training = self.trainings.get(run)
        if training is None:
            return None
        has_ended = training.steering.is_closed or training.folder.read_status()["state"].has_ended
        return None if has_ended and training.over.wait(LETTING_GO) else training

    def is_busy(self, owner: str) -> bool:
        """Whether a run of that browser waits or trains."""
        return any(training.owner == owner and self.going(run) for run, training in list(self.trainings.items()))

    def status(self, training: Training, written: Status) -> Status:
        """The status of a waiting or training run: what its folder says, unless this process knows better."""
        line = [waiting for _, waiting, _ in self._in_turn()]
        if training in line:
            place = line.index(training)
            before = f"{place} before you" if place else "You are next"
            wait = self._wait(place)
            return {"state": State.WAITING, "message": before + (f" · {_about(wait)}" if wait is not None else "")}
        if training.steering.end and not training.steering.one_batch and written["state"] is State.RUNNING:
            return written | {"message": "Pausing." if training.steering.end is State.PAUSED else "Stopping."}
        return written | {"message": training.message} if written["state"] is State.LOADING else written

    def _wait(self, place: int) -> float | None:
        """Seconds until the run at that place of the line begins; None before anything is known of those that train.

        Each run is taken to last as long as those that train do on average.
        """
        going = [it for it in list(self.trainings.values()) if it.future and not it.steering.one_batch]
        known = [it.whole for it in going if it.whole is not None]
        if not known:
            return None
        usual = sum(known) / len(known)
        ends = [usual if it.left is None else it.left for it in going]
        heapq.heapify(ends)
        for _ in range(place):
            heapq.heapreplace(ends, ends[0] + usual)
        return ends[0]

    def close(self) -> None:
        """Pauses all runs, each with a complete folder, and waits for them."""
        with self.lock:
            self._is_closed = True
            for run, training in list(self.trainings.items()):
                with contextlib.suppress(OSError, RunError):  # its folder is gone or full: pause the others
                    if not self.leave(run, training, State.PAUSED, "The server was shut down while this run waited."):
                        training.steering.pause()
        for worker in self.workers:
            worker.threads.shutdown(wait=True)
            worker.single_batches.shutdown(wait=True)

    def _least_busy(self) -> Worker:
        """The working device with the fewest runs.

        Raises:
            RunError: no device works.
        """
        working = [worker for worker in self.workers if not worker.failure]
        if not working:
            raise RunError(self.workers[0].failure)
        return min(working, key=lambda worker: worker.going)

    def _dispatch(self) -> None:
        """Starts waiting runs while a device has room; the caller holds the lock."""
        while self._waiting and not self._is_closed:
            free = [worker for worker in self.workers if worker.going < worker.most and not worker.failure]
            if not free:
                return
            worker = min(free, key=lambda worker: worker.going)
            first = self._in_turn()[0]
            self._waiting.remove(first)
            run, training, load = first
            self._turns += 1
            for _, other, _ in self._waiting:
                if other.owner == training.owner:
                    other.last_turn = self._turns
            worker.going += 1
            training.future = worker.threads.submit(self._work, run, training, load, worker)

    def _in_turn(self) -> list[tuple[str, Training, Load]]:
        """The waiting runs in the order in which they begin: browsers take turns, so that no sweep holds up the others.

        A run goes before others if its browser has fewer on a device or before it in the queue, or else had its last
        turn longer ago.
        """
        waiting = list(self._waiting)
        runs = {run for run, _, _ in waiting}
        ahead = Counter(training.owner for run, training in list(self.trainings.items()) if run not in runs)
        turns = []
        for place, (_, training, _) in enumerate(waiting):
            turns.append((ahead[training.owner], training.last_turn, place))
            ahead[training.owner] += 1
        return [waiting[place] for *_, place in sorted(turns)]

    def _fail_waiting(self) -> None:
        """Ends the waiting runs if no device works any longer."""
        with self.lock:
            if not all(worker.failure for worker in self.workers):
                return
            left = self._waiting
            self._waiting = []
        for run, training, _ in left:
            training.steering.close()
            if not write_failure(training.folder, RunError(self.workers[0].failure)):
                self.failures[run] = self.workers[0].failure
            self._let_go(run, training)

    def _let_go(self, run: str, training: Training) -> None:
        try:
            training.folder.release()
        finally:
            self.trainings.pop(run, None)
            training.over.set()

    def _work(self, run: str, training: Training, load: Load, worker: Worker) -> None:
        """The work of a thread. Errors become the run's status, where its watchers see them."""
        try:
            with own_stream(worker.device):
                self._train(training, load, worker.device)
        except Exception as error:
            if is_fatal(error):
                worker.failure = _of_device(worker.device, error)
                error = RunError(worker.failure)
            if not isinstance(error, (ValueError, OSError, RuntimeError)):
                logging.getLogger(__name__).exception("a training failed")  # a bug
            if not write_failure(training.folder, error):
                self.failures[run] = reason(error)
        finally:
            self._let_go(run, training)
            with self.lock:
                if not training.steering.one_batch:
                    worker.going -= 1
                self._dispatch()
            if worker.failure:
                self._fail_waiting()
            elif worker.device.type == "cuda":
                torch.cuda.empty_cache()  # gives its memory back to the others

    def _train(self, training: Training, load: Load, device: torch.device) -> None:
        """Loads the data, and starts or resumes the run."""
        folder = training.folder
        steering = training.steering
        folder.write_status(State.LOADING, training.message)
        try:
            dataset, why = load(training.report)
            training.report(training.message)
        except _LeftError:
            end = steering.end
            assert end is not None  # only a paused or stopped run leaves
            folder.write_status(end, f"{end.capitalize()} while the data were loaded.")
            return
        config = folder.read_config()
        dataset = dataset.holding_out(config.hold_out)
        images = len(dataset.train)
        if config.train_images not in (0, images):
            raise RunError(f"The run was trained on {config.train_images} images, and now there are {images}.")
        config = replace(config, device=str(device))
        if not config.train_images:
            precision = resolve(config.training.precision, device)  # so that it is the same wherever the run is resumed
            config = replace(config, training=replace(config.training, precision=precision))
            config = replace(config, data=dataset.name, why_data=why, train_images=images)
        folder.write_config(config)
        model = VAE(config.model, torch.Generator().manual_seed(config.training.seed), mean=dataset.mean_image())
        with self.lock:  # no change is being written to the folder
            training.begun = True
        state = folder.resume(model, device)
        total = config.training.total_steps(images)
        for metrics in train_into(folder, model, dataset, config.training, device, state, steering):
            training.whole = metrics.seconds / metrics.step * total
            training.left = max(0.0, training.whole - metrics.seconds)


def _about(seconds: float) -> str:
    """A span of time in round numbers."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 60 else f"about {round(minutes / 60)} h"


def _of_device(device: torch.device, error: Exception) -> str:
    """The message to those who train on a device that has failed for good."""
    logging.getLogger(__name__).error("%s has failed: %s", device, error)
    return (
        f"{describe_device(device)} has failed ({reason(error)}); until the server is started again nothing can be"
        " computed on it. The run can go on from its last saved step."
    )
