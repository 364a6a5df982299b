"""A run is a folder, and whoever reads the folder knows the run: the page, the command line, the next start.

config.json         model, training, data, versions, device
status.json         waiting | loading | running | finished | stopped | failed, and a sentence
metrics.jsonl       one record a line, append-only
model.safetensors   the newest weights
state.safetensors   weights and optimizer at one step: enough to go on exactly
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from .bounds import check_int
from .checkpoint import save_checkpoint, write_atomically
from .data import DataError, Dataset
from .model import VAE, VAEConfig
from .train import DivergedError, Metrics, TrainConfig, TrainState, train

SAVE_MODEL_EVERY = 1.0  # seconds; what watchers see is at most that old
SAVE_STATE_EVERY = 4.0  # seconds; what a crash loses is at most that much
RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{16}")
Load = Callable[[Callable[[str], None]], tuple[Dataset, str]]
STATES = ("waiting", "loading", "running", "finished", "stopped", "failed")
ENDED = ("finished", "stopped", "failed", "interrupted")


class RunError(RuntimeError):
    """A run folder cannot be used; one sentence for the user."""


@dataclass(frozen=True)
class RunConfig:
    """What a run was started with."""

    model: VAEConfig
    training: TrainConfig
    data: str  # a dataset's name, or auto until it is known which one could be had
    device: str = "cpu"
    why_data: str = ""  # the sentence that says why that dataset
    train_images: int = 0  # 0 until the data are loaded
    owner: str = ""  # the browser that started it, if one did

    @property
    def total_steps(self) -> int:
        """Steps of the whole training; 0 until the data are loaded."""
        return self.training.total_steps(self.train_images) if self.train_images else 0


@dataclass
class RunFolder:
    """A run's files. Reading is safe while another thread or process writes."""

    path: Path

    @property
    def model_file(self) -> Path:
        """The newest weights, a checkpoint."""
        return self.path / "model.safetensors"

    def create(self) -> None:
        """Makes the folder, or takes an empty one.

        Raises:
            RunError: there is a run in it already, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            taken = any(self.path.iterdir())
        except OSError as error:
            raise RunError(f"The run folder {self.path} cannot be made: {error.strerror or error}.") from error
        if taken:
            raise RunError(f"{self.path} is not empty; take another folder, or --resume to go on with the run in it.")

    def write_config(self, config: RunConfig) -> None:
        """Writes config.json, with the versions that matter for getting the same numbers again."""
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        content = asdict(config) | {"versions": versions}
        write_atomically(self.path / "config.json", json.dumps(content, indent=1).encode())

    def read_config(self) -> RunConfig:
        """What the run was started with.

        Raises:
            RunError: there is no run here, or its config.json is damaged.
        """
        try:
            content = json.loads((self.path / "config.json").read_text())
            content |= {"model": VAEConfig(**content["model"]), "training": TrainConfig(**content["training"])}
            return RunConfig(**{field.name: content[field.name] for field in fields(RunConfig)})
        except FileNotFoundError as error:
            raise RunError(f"{self.path} holds no run.") from error
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path / 'config.json'} cannot be understood: {error}") from error

    def write_status(self, state: str, message: str = "") -> None:
        """Writes status.json."""
        write_atomically(self.path / "status.json", json.dumps({"state": state, "message": message}).encode())

    def read_status(self) -> dict[str, str]:
        """state and message; a folder without a usable one is a run that was broken off."""
        try:
            content = json.loads((self.path / "status.json").read_text())
            if content["state"] in STATES:
                return {"state": content["state"], "message": str(content["message"])}
        except (OSError, ValueError, KeyError, TypeError):
            pass  # said below
        return {"state": "interrupted", "message": "The run's status.json is missing or damaged."}

    def records(self) -> list[dict[str, Any]]:
        """The records of metrics.jsonl."""
        return Records(self.path / "metrics.jsonl").read()

    def save_model(self, model: VAE, about: dict[str, Any]) -> None:
        """Replaces the newest weights, unless these are not finite: then the last good ones stay."""
        save_checkpoint(model, self.model_file, about)

    def save_state(self, model: VAE, state: TrainState) -> None:
        """Replaces what is needed to go on exactly: weights, Adam's moments, step and time."""
        tensors = {f"model.{name}": tensor.detach() for name, tensor in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            tensors |= {f"adam.{key}.{name}": value for key, value in state.optimizer.state[parameter].items()}
        tensors = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
        header = {"step": str(state.step), "seconds": repr(state.seconds)}
        write_atomically(self.path / "state.safetensors", save(tensors, metadata=header))

    def resume(self, model: VAE, config: TrainConfig, device: torch.device) -> TrainState:
        """Puts the saved weights into the model, drops the records that came after, and gives the state to go on with.

        Raises:
            RunError: there is no saved state, or it does not fit the model.
        """
        path = self.path / "state.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
            model.to(device)
            state = TrainState.start(model, config)
            for name, parameter in model.named_parameters():
                moments = {key: tensors[f"adam.{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
                state.optimizer.state[parameter] = {key: tensor.to(device) for key, tensor in moments.items()}
            state.step, state.seconds = int(metadata["step"]), float(metadata["seconds"])
        except FileNotFoundError as error:
            raise RunError(f"{self.path} has no saved state to go on from.") from error
        except (SafetensorError, OSError, KeyError, RuntimeError, ValueError) as error:
            raise RunError(f"{path} cannot be used: {str(error).splitlines()[0]}") from error
        kept = [json.dumps(record) + "\n" for record in self.records() if record["step"] <= state.step]
        write_atomically(self.path / "metrics.jsonl", "".join(kept).encode())
        return state


class Records:
    """The records of one metrics.jsonl, read on from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self.path, self._records, self._offset, self._inode = path, [], 0, 0
        self._lock = threading.Lock()

    def read(self) -> list[dict[str, Any]]:
        """All records so far; a last line that is still being written is left for later.

        Raises:
            RunError: a whole line is no record.
        """
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    inode = os.fstat(file.fileno()).st_ino
                    if inode != self._inode:  # another file has taken the name: a resumed run drops what it does again
                        self._records, self._offset, self._inode = [], 0, inode
                    file.seek(self._offset)
                    whole, newline, _ = file.read().rpartition(b"\n")
            except FileNotFoundError:
                return []
            records = [self._parsed(line) for line in whole.splitlines()]
            self._offset += len(whole) + len(newline)
            self._records += records
            return self._records

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
            if {"step", "seconds", "train", "test", "kl_per_dim"} <= record.keys():
                return record
        except (ValueError, AttributeError):
            pass  # said below
        raise RunError("The run's metrics.jsonl is damaged: a line of it is no record.")


def train_into(
    folder: RunFolder,
    model: VAE,
    dataset: Dataset,
    config: TrainConfig,
    device: torch.device,
    state: TrainState | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Metrics]:
    """`train`, with every record appended to the folder and the weights kept there as it goes.

    However it ends, the folder is complete: newest weights, state, and a status that says how it ended.

    Yields:
        Metrics, each after it was written.

    Raises:
        DivergedError: the loss is not finite; model.safetensors holds the last good weights.
        OSError: the folder cannot be written any more.
    """
    # A state of one's own where there is none: it is saved below as the training goes.
    state = state or TrainState.start(model.to(device), config)
    model_due = state_due = -math.inf
    metrics, held = None, None
    folder.write_status("running")
    try:
        with (folder.path / "metrics.jsonl").open("a") as file:
            for metrics in train(model, dataset, config, device, state):
                file.write(json.dumps(asdict(metrics)) + "\n")
                file.flush()
                held = metrics if metrics.test else held
                if time.monotonic() >= model_due:
                    folder.save_model(model, _about(dataset, config, metrics, held))
                    model_due = time.monotonic() + SAVE_MODEL_EVERY
                if time.monotonic() >= state_due:
                    folder.save_state(model, state)
                    state_due = time.monotonic() + SAVE_STATE_EVERY
                yield metrics
                if should_stop():
                    break
        if metrics:
            folder.save_model(model, _about(dataset, config, metrics, held))
            folder.save_state(model, state)
        total = config.total_steps(len(dataset.train))
        folder.write_status("finished" if state.step >= total else "stopped", f"Step {state.step} of {total}.")
    except Exception as error:
        _write_failure(folder, error)
        raise


def _write_failure(folder: RunFolder, error: Exception) -> None:
    """Leaves the reason in the folder, where it can still be written."""
    try:
        folder.write_status("failed", str(error))
    except OSError:
        return  # the folder is gone or the disk is full: the error itself, raised by the caller, says so


def _about(dataset: Dataset, config: TrainConfig, metrics: Metrics, held: Metrics | None) -> dict[str, Any]:
    """What the checkpoint of a run says of itself; test is the last evaluation, at step test_step."""
    return {
        "data": dataset.name,
        "training": asdict(config),
        "step": metrics.step,
        "seconds": metrics.seconds,
        "kl_per_dim": metrics.kl_per_dim,
        "test": asdict(held.test) if held else None,
        "test_step": held.step if held else None,
    }


@dataclass
class _Live:
    """A run that this process is working on."""

    folder: RunFolder
    config: RunConfig
    stop: threading.Event = field(default_factory=threading.Event)
    message: str = ""
    future: Future[None] | None = None

    def report(self, message: str) -> None:
        """Takes what the loading of the data says of its progress."""
        self.message = message


class Runs:
    """The runs of one folder, trained in threads of this process: at most so many at once, the others wait in order.

    Args:
        root: where the run folders are.
        device: what trains.
        max_trainings: how many at once.
    """

    def __init__(self, root: str | Path, device: torch.device, max_trainings: int = 1) -> None:
        check_int("max_trainings", max_trainings, 1, 1000)
        self.root, self.device = Path(root), device
        self._pool = ThreadPoolExecutor(max_trainings, thread_name_prefix="training")
        self._live: dict[str, _Live] = {}
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()

    def start(self, model: VAEConfig, training: TrainConfig, data: str, load: Load, owner: str = "") -> str:
        """Starts a run, or puts it in the line, and gives its id.

        Args:
            model, training: what to train and how.
            data: the dataset's name, or auto.
            load: gives the dataset and the sentence that says why that one; it is handed a function to report to.
            owner: the browser that may steer the run.

        Raises:
            RunError: this browser has a run going already, or the folder cannot be made.
        """
        with self._lock:
            if owner and any(live.config.owner == owner for live in self._live.values()):
                raise RunError("A training of yours is going or waiting already: stop it first.")
            return self._start(RunConfig(model, training, data, str(self.device), owner=owner), load)

    def _start(self, config: RunConfig, load: Load) -> str:
        run = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(8)
        live = _Live(self.folder(run), config)
        live.folder.create()
        live.folder.write_config(live.config)
        live.folder.write_status("waiting", "Waiting for its turn.")
        self._live[run] = live
        live.future = self._pool.submit(_work, live, load, self.device)
        live.future.add_done_callback(lambda _: self._live.pop(run, None))
        return run

    def stop(self, run: str, owner: str = "") -> None:
        """Asks a run to stop at its next record; nothing happens where it has ended.

        Raises:
            RunError: there is no such run, or it is somebody else's.
        """
        if self.folder(run).read_config().owner != owner:
            raise RunError("That run belongs to another browser.")
        live = self._live.get(run)
        if live is not None:
            live.stop.set()
            if live.future is not None and live.future.cancel():
                live.folder.write_status("stopped", "Stopped while it was waiting.")

    def status(self, run: str) -> dict[str, str]:
        """state (waiting, loading, running, finished, stopped, failed, interrupted) and message.

        Raises:
            RunError: there is no such run.
        """
        live = self._live.get(run)  # before the file: a run that ends in between has written its last word by then
        status = self.folder(run).read_status()
        if live is not None and live.stop.is_set() and status["state"] not in ENDED:
            return status | {"message": "Stopping at its next record."}
        if live is not None and status["state"] == "loading":
            return status | {"message": live.message}
        if live is None and status["state"] not in ENDED:
            return {"state": "interrupted", "message": "The server was restarted during this run."}
        return status

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

    def close(self) -> None:
        """Stops all runs, each with its folder complete, and waits for them."""
        for live in list(self._live.values()):
            live.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _owner(self, run: str) -> str | None:
        """Who started a run: remembered, since it never changes; None where the folder is no run."""
        if run not in self._owners:
            try:
                self._owners[run] = self.folder(run).read_config().owner
            except RunError:
                return None
        return self._owners[run]


def _work(live: _Live, load: Load, device: torch.device) -> None:
    """What a training thread does. What goes wrong is written into the run's status, where its watchers see it."""
    folder, config = live.folder, live.config
    try:
        live.report("Loading the data.")
        folder.write_status("loading", live.message)
        dataset, why = load(live.report)
        folder.write_config(replace(config, data=dataset.name, why_data=why, train_images=len(dataset.train)))
        model = VAE(config.model, torch.Generator().manual_seed(config.training.seed))
        for _ in train_into(folder, model, dataset, config.training, device, should_stop=live.stop.is_set):
            pass
    except (DataError, RunError, DivergedError, ValueError, OSError, RuntimeError) as error:
        _write_failure(folder, error)
