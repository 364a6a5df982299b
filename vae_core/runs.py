"""The runs of a server: who trains, who waits for whom, and who may steer what."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from .bounds import check_int
from .changes import Change, check_change
from .checkpoint import CheckpointError, Header, load_checkpoint, read_header
from .data import Dataset
from .device import own_stream
from .folder import NAME_LENGTH, RunError, RunFolder, check_name
from .model import VAE, VAEConfig
from .run import Steering, reason, train_into, write_failure
from .run_config import RunConfig, beginning_with
from .summary import Summary, summarize
from .train import TrainConfig

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{16}")
Load = Callable[[Callable[[str], None]], tuple[Dataset, str]]
AT_REST = ("paused", "finished", "stopped", "failed")  # and the folder says so
ENDED = (*AT_REST, "interrupted")  # nothing goes on by itself
RESUMABLE = ("paused", "stopped", "interrupted", "failed")
CHANGED_AT_REST = ("paused", "failed")  # a smaller learning rate helps one that diverged
ELSEWHERE = "Trained by another process on this runs folder: it cannot be steered here."
LETTING_GO = 10.0  # seconds at most from a run's last word until its folder is free


class _LeftError(Exception):
    """A run was paused or stopped before it began."""


@dataclass
class _Live:
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
        return self.future is not None and not self.future.running() and not self.future.done()


class Runs:
    """The runs of one folder, trained in threads of this process: at most so many at once, the others wait in order.

    A single batch does not wait. Each browser has at most one run that trains or waits.

    Args:
        root: where the run folders are.
        device: what trains.
        max_trainings: how many at once.
    """

    def __init__(self, root: str | Path, device: torch.device, max_trainings: int = 1) -> None:
        check_int("max_trainings", max_trainings, 1, 1000)
        self.root, self.device = Path(root), device
        self._trainings = ThreadPoolExecutor(max_trainings, thread_name_prefix="training")
        self._single_batches = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self._live: dict[str, _Live] = {}
        self._owners: dict[str, str] = {}
        self._failures: dict[str, str] = {}  # what a run's own folder could not take
        self._remembered = lru_cache(maxsize=4096)(lambda run, version: self._summarize(run))
        self._lock = threading.RLock()

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
    ) -> str:
        """Starts a run, or puts it in the line, and gives its id.

        Args:
            model, training: what to train and how.
            data: the dataset's name, or auto.
            load: gives the dataset and the sentence that says why that one; it is handed a function to report to.
            owner: the browser that may steer the run.
            weights: a checkpoint to begin with; its configuration is then the model's.
            hold_out: how many of the training images are held out in place of the test images.
            one_batch: whether it pauses after its first batch.

        Raises:
            ValueError: hold_out is out of its bounds, or the checkpoint was trained on images that would be held out.
            RunError: this browser has a run going already, or the folder cannot be made.
            CheckpointError: there is no such checkpoint.
        """
        with self._lock:
            self._check_free(owner)
            config = RunConfig(model, training, data, str(self.device), owner=owner, hold_out=hold_out)
            run = self._create(config, weights)
            try:
                self._submit(run, load, owner, one_batch)
            except RunError:
                shutil.rmtree(self.folder(run).path, ignore_errors=True)
                raise
            return run

    def play(self, run: str, owner: str, load: Load, *, one_batch: bool = False) -> None:
        """Goes on with a run, exactly where it was; with one_batch it pauses after a single one.

        Raises:
            RunError: it is somebody else's, is going, has done all its steps, or another one of this browser is going.
        """
        with self._lock:
            self.check_owner(run, owner)
            self._check_free(owner)
            status = self.status(run)
            if status["state"] not in RESUMABLE:
                raise _refusal(status, f"This run cannot go on: it is {status['state']}.")
            self._submit(run, load, owner, one_batch)

    def begin_anew(self, run: str, owner: str) -> str:
        """Another run with the settings that this one has now, paused before its first step; the old one stays.

        Raises:
            RunError: it is somebody else's, or one of this browser is going.
        """
        with self._lock, _writing():
            self.check_owner(run, owner)
            self._check_free(owner)
            folder = self.folder(run)
            config, settings = folder.read_config(), folder.settings()
            if self.status(run)["state"] == "paused":
                folder.write_status("stopped", self.status(run)["message"])
            training = TrainConfig(**{name: settings[name] for name in asdict(config.training)})
            model = VAEConfig(**{name: settings[name] for name in asdict(config.model)})
            start = folder.start_file
            config = replace(config, model=model, training=training, device=str(self.device))
            new = self._create(config, start if start.exists() else None)
            self.folder(new).write_config(config)
            if start.exists() and model.likelihood == "gaussian" and model.sigma_mode == "fixed":
                self.folder(new).write_changes([Change(0, {"sigma": model.sigma})])  # the weights hold another one
            self.folder(new).write_status("paused", "Step 0.")
            return new

    def add(self, path: Path, owner: str, name: str) -> str:
        """A checkpoint file becomes a run of a browser, and gives its id; the file is copied.

        Raises:
            CheckpointError: it is no checkpoint of ours.
            RunError: the name is none, or the folder cannot be made.
        """
        model, header = load_checkpoint(path), read_header(path)
        if not all(bool(weight.isfinite().all()) for weight in model.state_dict().values()):
            raise CheckpointError("The file's weights are not all finite numbers.")
        with self._lock, _writing():
            name = self._free_name(owner, name)
            data = str(header.about.get("data") or "unknown")
            config = RunConfig(header.config, _training_of(header), data, str(self.device), owner=owner)
            run = self._create(replace(config, hold_out=header.about.get("hold_out") or 0))
            folder = self.folder(run)
            try:
                shutil.copyfile(path, folder.model_file)
                folder.write_name(name)
                folder.write_status("finished", "Uploaded.")
            except OSError:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise
            return run

    # Steering

    def pause(self, run: str, owner: str = "") -> None:
        """Pauses a run after the batch that is going; one that waits leaves the line.

        Raises:
            RunError: it is somebody else's, or neither trains nor waits.
        """
        self._end(run, owner, "paused")

    def stop(self, run: str, owner: str = "") -> None:
        """Stops a run after the batch that is going; one that waits leaves the line.

        Raises:
            RunError: it is somebody else's, or has ended.
        """
        self._end(run, owner, "stopped")

    def change(self, run: str, owner: str, settings: dict[str, Any]) -> None:
        """Changes settings of a run that is going, waits, pauses or failed, from its next batch on.

        Raises:
            RunError: it is somebody else's, or has ended otherwise.
            ValueError: a setting cannot change in mid-run, or is out of its bounds.
        """
        with self._lock, _writing():
            self.check_owner(run, owner)
            folder = self.folder(run)
            check_change(folder.read_config(), settings)
            live = self._going(run)
            if live is not None and live.begun and (live.steering.change(settings) or not live.over.wait(LETTING_GO)):
                return
            status = self.status(run)
            if status["state"] not in CHANGED_AT_REST and (live is None or live.begun):
                raise _refusal(status, f"This run is {status['state']}: nothing of it can be changed.")
            folder.add_change(folder.saved_step(), settings)

    def rename(self, run: str, owner: str, name: str) -> None:
        """Gives a run another name.

        Raises:
            RunError: it is somebody else's, or the name is none or is taken.
        """
        with self._lock, _writing():
            self.check_owner(run, owner)
            check_name(name)
            if any(self.folder(other).name() == name.strip() for other in self.of(owner) if other != run):
                raise RunError(f"Another run of yours is called {name.strip()} already.")
            self.folder(run).write_name(name.strip())

    def delete(self, run: str, owner: str) -> None:
        """Deletes a run and its folder.

        Raises:
            RunError: it is somebody else's, or is going.
        """
        with self._lock:
            self.check_owner(run, owner)
            if self._going(run):
                raise RunError("The run is being trained: stop it first.")
            self.folder(run).delete()
            self._owners.pop(run, None)
            self._failures.pop(run, None)

    def close(self) -> None:
        """Pauses all runs, each with its folder complete, and waits for them."""
        with self._lock:
            for run, live in list(self._live.items()):
                with contextlib.suppress(OSError, RunError):  # its folder is gone or full: the others are paused
                    if not self._leave(run, live, "paused", "The server was shut down while this run waited."):
                        live.steering.pause()
        self._trainings.shutdown(wait=True)
        self._single_batches.shutdown(wait=True)

    # Looking

    def status(self, run: str) -> dict[str, str]:
        """state (waiting, loading, running, paused, finished, stopped, failed, interrupted) and message.

        Raises:
            RunError: the id is none.
        """
        folder = self.folder(run)
        live = self._live.get(run)  # before the file: a run that ends in between has written its last word by then
        status = folder.read_status()
        if live is not None:
            return status | self._live_status(live, status["state"])
        if run in self._failures and status["state"] not in ("finished", "paused", "stopped"):
            return {"state": "failed", "message": self._failures[run]}
        if status["state"] in ENDED:
            return status
        if folder.is_taken():
            return status | {"message": ELSEWHERE}
        at = f"at step {folder.saved_step():,}" if folder.saved_step() else "before its first step"
        return {"state": "interrupted", "message": f"Interrupted {at}: Resume goes on from there."}

    def summary(self, run: str) -> Summary:
        """What a list says of the run.

        Raises:
            RunError: there is no such run, or its folder is damaged.
        """
        folder = self.folder(run)
        at_rest = run not in self._live and folder.read_status()["state"] in AT_REST and run not in self._failures
        return self._remembered(run, folder.version()) if at_rest else self._summarize(run)

    def _summarize(self, run: str) -> Summary:
        return summarize(run, self.folder(run), self.status(run))

    def folder(self, run: str) -> RunFolder:
        """The folder of a run, which need not be there.

        Raises:
            RunError: the id is none.
        """
        if not isinstance(run, str) or not RUN_ID.fullmatch(run):
            raise RunError("That is not the id of a run.")
        return RunFolder(self.root / run)

    def of(self, owner: str) -> list[str]:
        """The runs that a browser has started, the oldest first."""
        ids = [path.name for path in self.root.iterdir() if RUN_ID.fullmatch(path.name)] if self.root.is_dir() else []
        return [run for run in sorted(ids) if self._owner(run) == owner]

    def check_owner(self, run: str, owner: str) -> None:
        """Raises RunError where a run is not there, or is somebody else's."""
        if self.folder(run).read_config().owner != owner:
            raise RunError("That run belongs to another browser.")

    # Within

    def _check_free(self, owner: str) -> None:
        for run, live in list(self._live.items()):
            if owner and live.owner == owner and self._going(run):
                raise RunError("A training of yours is going or waiting already: pause or stop it first.")

    def _going(self, run: str) -> _Live | None:
        """The run, where it waits or trains; one that has ended but not let go of its folder yet is waited for."""
        live = self._live.get(run)
        if live is None:
            return None
        has_ended = live.steering.is_closed or live.folder.read_status()["state"] in ENDED
        return None if has_ended and live.over.wait(LETTING_GO) else live

    def _create(self, config: RunConfig, weights: Path | None = None) -> str:
        """A new run's folder; with weights, it holds them as the state before the first step."""
        if weights:
            config = beginning_with(config, weights)
        run = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(8)
        folder = self.folder(run)
        folder.create()
        try:
            folder.write_config(config)
            if weights:
                folder.start_from(weights)
        except CheckpointError:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise RunError(reason(error)) from error
        return run

    def _submit(self, run: str, load: Load, owner: str, one_batch: bool) -> None:
        live = _Live(self.folder(run), owner, Steering(one_batch=one_batch))
        self._failures.pop(run, None)
        pool = self._single_batches if one_batch else self._trainings
        live.folder.acquire()
        try:
            live.folder.write_status("waiting")
            self._live[run] = live
            live.future = pool.submit(self._work, run, live, load)
        except (OSError, RuntimeError) as error:  # the disk is full, or the server is being shut down
            self._let_go(run, live)
            raise RunError(reason(error)) from error

    def _leave(self, run: str, live: _Live, how: str, message: str) -> bool:
        """Takes a run out of the line; False where it is no longer in it."""
        if live.future is None or not live.future.cancel():
            return False
        try:
            live.steering.close()
            live.folder.write_status(how, message)
        finally:
            self._let_go(run, live)
        return True

    def _let_go(self, run: str, live: _Live) -> None:
        try:
            live.folder.release()
        finally:
            self._live.pop(run, None)
            live.over.set()

    def _end(self, run: str, owner: str, how: str) -> None:
        with self._lock, _writing():
            self.check_owner(run, owner)
            live, folder = self._going(run), self.folder(run)
            if live is None:
                status = self.status(run)
                if how == "stopped" and status["state"] in ("paused", "interrupted"):
                    folder.write_status("stopped", status["message"])
                    return
                raise _refusal(status, f"This run is {status['state']} already.")
            if self._leave(run, live, how, "It left the line." if how == "stopped" else "Paused while it waited."):
                return
            if how == "paused":
                live.steering.pause()
            else:
                live.steering.stop()

    def _live_status(self, live: _Live, state: str) -> dict[str, str]:
        """What this process knows better than the folder."""
        if live.is_waiting:
            line = [other for other in list(self._live.values()) if other.is_waiting and not other.steering.one_batch]
            if live in line:
                return {"state": "waiting", "message": f"Place {line.index(live) + 1} of {len(line)} in the line."}
        if live.steering.end and not live.steering.one_batch and state == "running":
            return {"message": "Pausing." if live.steering.end == "paused" else "Stopping."}
        return {"message": live.message} if state == "loading" else {}

    def _free_name(self, owner: str, name: str) -> str:
        """The name, with a number where it is taken."""
        check_name(name)
        taken = {self.folder(run).name() for run in self.of(owner)}
        numbered = [name.strip(), *(f"{name.strip()[: NAME_LENGTH - 6]} {n}" for n in range(2, len(taken) + 3))]
        return next(candidate for candidate in numbered if candidate not in taken)

    def _owner(self, run: str) -> str | None:
        """Who started a run: remembered, since it never changes; None where the folder is no run."""
        if run not in self._owners:
            try:
                self._owners[run] = self.folder(run).read_config().owner
            except RunError:
                return None
        return self._owners[run]

    def _work(self, run: str, live: _Live, load: Load) -> None:
        """What a training thread does. What goes wrong becomes the run's status, where its watchers see it."""
        try:
            with own_stream(self.device):
                self._begin(live, load)
        except Exception as error:
            if not isinstance(error, (ValueError, OSError, RuntimeError)):
                logging.getLogger(__name__).exception("a training failed")  # a fault of ours
            if not write_failure(live.folder, error):
                self._failures[run] = reason(error)
        finally:
            self._let_go(run, live)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()  # what it held is there for the others

    def _begin(self, live: _Live, load: Load) -> None:
        """Loads the data, and begins the run or goes on with it."""
        folder = live.folder
        folder.write_status("loading", live.message)
        try:
            dataset, why = load(live.report)
            live.report(live.message)
        except _LeftError:
            folder.write_status(live.steering.end, f"{live.steering.end.capitalize()} while the data were loaded.")
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
        with self._lock:  # no change is on its way to the folder
            live.begun = True
        state = folder.resume(model, self.device)
        for _ in train_into(folder, model, dataset, config.training, self.device, state, live.steering):
            pass


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """What the disk does not take is said as any other fault of a run.

    Raises:
        RunError: a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(reason(error)) from error


def _training_of(header: Header) -> TrainConfig:
    """How a checkpoint says that it was trained; the usual settings where it does not say, or not in our terms."""
    try:
        return TrainConfig(**header.about["training"])
    except (KeyError, TypeError, ValueError):
        return TrainConfig()


def _refusal(status: dict[str, str], otherwise: str) -> RunError:
    """Why a run cannot be steered: another process has it, or something else."""
    return RunError(ELSEWHERE if status["message"] == ELSEWHERE else otherwise)
