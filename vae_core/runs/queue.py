"""The trainings of a server: on which device each is, how they share it, and which wait outside memory."""

from __future__ import annotations

import contextlib
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import RLock

import torch

from ..device import describe_device, is_fatal, own_stream
from ..model import VAE
from ..precision import resolve
from .allowance.limits import UNLIMITED, Limits
from .folder import RunError, RunFolder
from .run import Steering, reason, train_into, write_failure
from .states import State, Status
from .workers import LeftError, Load, Training, Worker

LETTING_GO = 10.0  # most seconds from a run's last status until its folder is unlocked
Waiting = tuple[str, Training, Load]


class Queue:
    """Trains runs in threads: on each device they take turns, several at once. A single batch does not wait.

    As many as its memory allows take turns there; between longer turns the others are put away on the disk. Of one
    browser no more runs take turns than would leave a device idle, so that no sweep holds up the others.

    lock: held while a run begins, ends or changes. trainings: those that train or wait, by run. failures: errors that
    could not be written to a run's own folder.

    Args:
        workers: the devices. A run goes to the one with the fewest.
        limits: of each training.
    """

    def __init__(self, workers: Sequence[Worker], limits: Limits = UNLIMITED) -> None:
        self.limits = limits
        self.workers = list(workers)
        self.lock = RLock()
        self.trainings: dict[str, Training] = {}
        self.failures: dict[str, str] = {}
        self._waiting: list[Waiting] = []  # outside memory
        self._admissions = 0
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
                    steering = Steering(one_batch=one_batch, most_seconds=self.limits.most_seconds)
                    self.trainings[run] = joined[run] = Training(folder, owner, steering)
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

    def end(self, run: str, training: Training, how: State, message: str) -> None:
        """Pauses or stops a run after one more batch; one that has not begun leaves the queue.

        Args:
            message: of one that leaves the queue.

        Raises:
            OSError: its folder cannot be written; it has left the queue all the same.
        """
        with self.lock:
            training.end(how)
            if training.is_put_away:
                self._dispatch()
                return
            if training.future and not training.future.cancel():
                return
            self._waiting = [waiting for waiting in self._waiting if waiting[1] is not training]
        try:
            training.steering.close()
            training.folder.write_status(how, message)
        finally:
            self._let_go(run, training)

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

    def halt(self, is_halted: bool) -> None:
        """Has all trainings stop between two batches, with all they have in memory, until this is taken back."""
        for worker in self.workers:
            worker.turns.halt(is_halted)

    # Looking

    def status(self, training: Training, written: Status) -> Status:
        """The status of a waiting or training run: what its folder says, unless this process knows better."""
        line = [waiting for _, waiting, _ in self._line() if not waiting.turn]
        if training in line:
            place = line.index(training)
            return {"state": State.WAITING, "message": f"{place} before you" if place else "You are next"}
        if training.steering.end and not training.steering.one_batch and written["state"] is State.RUNNING:
            return written | {"message": "Pausing." if training.steering.end is State.PAUSED else "Stopping."}
        if written["state"] is State.RUNNING and training.turn:
            return written | {"message": self._sharing()}
        return written | {"message": training.message} if written["state"] is State.LOADING else written

    def _sharing(self) -> str:
        """How many take turns; empty where each has a device's turn for itself."""
        count = len(self._in_turns())
        return f"{count} trainings share this server, in turns." if count > self._at_once() else ""

    def _in_turns(self) -> list[Training]:
        """The trainings that take turns, in memory or outside."""
        return [training for training in list(self.trainings.values()) if training.turn]

    def _at_once(self) -> int:
        """Turns at once on all devices; 1 where none works."""
        return sum(worker.most for worker in self.workers if not worker.failure) or 1

    def left(self, run: str) -> float | None:
        """Seconds until a run that trains here will be done, if those that share with it go on as now.

        By then each of the others has had as much time as it, or what it still needs if that is less. None before the
        run's first record here.
        """
        training = self.trainings.get(run)
        if training is None or training.left is None:
            return None
        mine = training.left
        wanted = (mine if it.left is None else min(mine, it.left) for it in self._in_turns())
        return max(mine, sum(wanted) / self._at_once())

    def close(self) -> None:
        """Pauses all runs, each with a complete folder, and waits for them."""
        with self.lock:
            self._is_closed = True
            left = list(self.trainings.items())
            for run, training in left:
                with contextlib.suppress(OSError, RunError):  # its folder is gone or full: pause the others
                    self.end(run, training, State.PAUSED, "The server was shut down while this run waited.")
        for _, training in left:
            training.over.wait()
        for worker in self.workers:
            worker.threads.shutdown(wait=True)
            worker.single_batches.shutdown(wait=True)

    # Who comes into memory

    def _least_busy(self) -> Worker:
        """The working device with the fewest runs for each of its turns, with room in memory if one has it.

        Raises:
            RunError: no device works.
        """
        working = [worker for worker in self.workers if not worker.failure]
        if not working:
            raise RunError(self.workers[0].failure)
        return min(working, key=lambda worker: (worker.going >= worker.in_memory, worker.going / worker.most))

    def _dispatch(self) -> None:
        """Brings runs into memory while there is room; the caller holds the lock."""
        while admitted := self._admitted():
            (run, training, load), worker = admitted
            self._waiting.remove(admitted[0])
            self._admissions += 1
            for _, other, _ in self._waiting:
                if other.owner == training.owner:
                    other.last_turn = self._admissions
            worker.going += 1
            training.turn = worker.turns.join(training.turn.had if training.turn else None)
            if training.steering.is_asked:
                training.turn.hurry()
            training.future = worker.threads.submit(self._work, run, training, load, worker)
        entitled = [training for _, training, _ in self._waiting if not self._has_its_share(training)]
        least = min((training.turn.had if training.turn else -math.inf for training in entitled), default=None)
        for worker in self.workers:
            worker.turns.want(least)

    def _admitted(self) -> tuple[Waiting, Worker] | None:
        """The next run to come into memory, and the device; None if there is none."""
        if all(worker.failure for worker in self.workers):
            return None
        worker = self._least_busy()
        has_room = worker.going < worker.in_memory and not self._is_closed
        has_idle_turn = worker.going < worker.most
        for waiting in self._line():
            training = waiting[1]
            if training.turn and training.steering.is_asked:
                return waiting, worker  # for one more batch
            if has_room and (has_idle_turn or not self._has_its_share(training)):
                return waiting, worker
        return None

    def _has_its_share(self, training: Training) -> bool:
        """Whether another run of the same browser takes turns in memory."""
        others = (it for it in list(self.trainings.values()) if it is not training and it.turn and it.future)
        return bool(training.owner) and any(it.owner == training.owner for it in others)

    def _line(self) -> list[Waiting]:
        """The runs outside memory in the order in which they come in.

        New ones go first: those whose browser has fewer on a device or before it in the queue, or else had its last
        turn longer ago. Of those that were put away, the one with the least time had goes first.
        """
        waiting = list(self._waiting)
        runs = {run for run, _, _ in waiting}
        ahead = Counter(training.owner for run, training in list(self.trainings.items()) if run not in runs)
        order = []
        for place, (_, training, _) in enumerate(waiting):
            had = training.turn.had if training.turn else -math.inf
            order.append((had, ahead[training.owner], training.last_turn, place))
            ahead[training.owner] += 1
        return [waiting[place] for *_, place in sorted(order)]

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

    # In a training's thread

    def _work(self, run: str, training: Training, load: Load, worker: Worker) -> None:
        """The work of a thread. Errors become the run's status, where its watchers see them."""
        comes_back = False
        try:
            with own_stream(worker.device):
                self._train(training, load, worker.device)
            comes_back = training.turn is not None and training.turn.is_put_away
        except Exception as error:
            if is_fatal(error):
                worker.failure = _of_device(worker.device, error)
                error = RunError(worker.failure)
            if not isinstance(error, (ValueError, OSError, RuntimeError)):
                logging.getLogger(__name__).exception("a training failed")  # a bug
            if not write_failure(training.folder, error):
                self.failures[run] = reason(error)
        finally:
            if training.turn:
                training.turn.leave()
            if not comes_back:
                self._let_go(run, training)
            with self.lock:
                if training.turn:
                    worker.going -= 1
                if comes_back:
                    training.future = None
                    self._waiting.append((run, training, load))
                self._dispatch()
            if worker.failure:
                self._fail_waiting()
            elif worker.device.type == "cuda":
                torch.cuda.empty_cache()  # gives its memory back to the others

    def _train(self, training: Training, load: Load, device: torch.device) -> None:
        """Loads the data, and starts or resumes the run."""
        folder = training.folder
        steering = training.steering
        if not training.begun:
            folder.write_status(State.LOADING, training.message)
        try:
            dataset, why = load(training.report if not training.begun else _unheard)
            if training.turn:
                training.turn.enter()
            if not training.begun:
                training.report(training.message)
        except LeftError:
            end = steering.end
            assert end is not None  # only a paused or stopped run leaves
            folder.write_status(end, f"{end.capitalize()} while the data were loaded.")
            return
        config = folder.read_config()
        dataset = dataset.holding_out(config.hold_out)
        images = len(dataset.train)
        if config.train_images not in (0, images):
            raise RunError(f"The run was trained on {config.train_images} images, and now there are {images}.")
        self.limits.check(config.model, config.training, images)  # only now is the number of images sure
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
        for metrics in train_into(folder, model, dataset, config.training, device, state, steering, turn=training.turn):
            in_all = min(metrics.seconds / metrics.step * total, steering.most_seconds)
            training.left = max(0.0, in_all - metrics.seconds)


def _unheard(message: str) -> None:
    """Takes what loading says of a run that comes back: nobody looks at it."""


def _of_device(device: torch.device, error: Exception) -> str:
    """The message to those who train on a device that has failed for good."""
    logging.getLogger(__name__).error("%s has failed: %s", device, error)
    return (
        f"{describe_device(device)} has failed ({reason(error)}); until the server is started again nothing can be"
        " computed on it. The run can go on from its last saved step."
    )
