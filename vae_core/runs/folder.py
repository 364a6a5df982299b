"""A run is a folder that holds everything about it, for the page, the command line and the next start.

config.json         model, training as it was started, data, versions, device
name.txt            the name its owner gave it
note.txt            what its owner wrote about it
pinned.txt          there if its owner wants it kept: it is not deleted to make room for another one
status.json         waiting | loading | running | paused | finished | stopped | failed, and a sentence
metrics.jsonl       one record per line, append-only
changes.json        settings changed during the run, each with the step after which it applies
model.safetensors   the newest weights
state.safetensors   weights, optimizer and sums at one step: enough to resume exactly
start.safetensors   the weights it began with, if they were not drawn
frames/             pictures of what the model made during training; newest.jpg is the newest
batch.safetensors   the last batch taken as a single step
lock                held by the process that trains
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from ..config import MOST_STEPS, SETTINGS, TrainConfig, VAEConfig
from ..device import describe_processor
from ..files import write_atomically
from ..model import VAE
from ..settings import check_choice, check_int, check_text
from ..storage.checkpoint import load_checkpoint, save_checkpoint
from ..storage.plain_json import brief, check_each, read_json
from ..training.loop import TrainState
from ..training.state import read_progress, read_state, write_state
from .changes import Change, still_to_come
from .config import RunConfig
from .records import Records
from .states import State, Status

NAME_LENGTH = 80
NOTE_LENGTH = 1000
MESSAGE_LENGTH = 1000
REFUSED = re.compile(r"[/\\\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # slashes, control characters
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # all but \t and \n
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
FRAME = re.compile(r"([1-9][0-9]{0,12})\.jpg")


class RunError(RuntimeError):
    """A run cannot be used, or not in this way; one sentence for the user."""


@dataclass
class RunFolder:
    """A run's files. Reading is safe while another thread or process writes."""

    path: Path
    _lock: FileLock | None = field(default=None, repr=False)

    @property
    def model_file(self) -> Path:
        """The newest weights, a checkpoint."""
        return self.path / "model.safetensors"

    @property
    def state_file(self) -> Path:
        """What the run needs to resume exactly."""
        return self.path / "state.safetensors"

    @property
    def start_file(self) -> Path:
        """The weights that the run began with, if it did not draw its own."""
        return self.path / "start.safetensors"

    @property
    def frames(self) -> Path:
        """The folder of the pictures."""
        return self.path / "frames"

    def create(self) -> None:
        """Makes the folder, or uses an empty one.

        Raises:
            RunError: the folder already holds a run, or cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            taken = any(entry.name != "lock" for entry in self.path.iterdir())  # a killed start may leave one
        except OSError as error:
            raise RunError(f"The run folder {self.path.name} cannot be made: {error.strerror or error}.") from error
        if taken:
            raise RunError(f"{self.path} is not empty; take another folder, or --resume to go on with the run in it.")

    def start_from(self, checkpoint: Path) -> None:
        """Makes the run begin with the weights of a checkpoint.

        Raises:
            CheckpointError: it is not a checkpoint of this app.
            OSError: the folder cannot be written.
        """
        model = load_checkpoint(checkpoint)
        shutil.copyfile(checkpoint, self.start_file)
        self.save_state(model, TrainState.start(model))

    # Who trains

    def acquire(self) -> None:
        """Locks the run for training in this process, until `release`.

        Raises:
            RunError: the run is already being trained, in this process or another one.
        """
        lock = FileLock(self.path / "lock", thread_local=False)
        try:
            lock.acquire(timeout=0.5, poll_interval=0.02)  # `is_taken` elsewhere may hold it for a moment
        except Timeout:
            raise RunError("Another process is training this run.") from None
        except OSError as error:
            raise RunError(f"The run's folder cannot be written: {error.strerror or error}.") from error
        self._lock = lock

    def release(self) -> None:
        """Unlocks the run."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_taken(self) -> bool:
        """Whether some process is training this run now."""
        if not (self.path / "lock").exists():
            return False
        lock = FileLock(self.path / "lock", thread_local=False)
        try:
            with lock.acquire(timeout=0.03, poll_interval=0.005):  # another check may hold it for a moment
                return False
        except Timeout:
            return True
        except OSError:
            return False  # the folder cannot be written, so nobody trains into it

    # What it is

    def write_config(self, config: RunConfig) -> None:
        """Writes config.json, the first time with the versions that matter for reproducing the numbers."""
        if not (versions := self.versions()):
            processor = describe_processor(torch.device(config.device))
            versions = {"python": platform.python_version(), "torch": torch.__version__, "processor": processor}
        content = asdict(config) | {"versions": versions}
        write_atomically(self.path / "config.json", json.dumps(content, indent=1).encode())

    def read_config(self) -> RunConfig:
        """The configuration that the run was started with.

        Raises:
            RunError: there is no run here, or its config.json is damaged.
        """
        try:
            content = {"hold_out": 0, "start": "", "learned": {}} | read_json(self.path / "config.json")
            content |= {"model": VAEConfig(**content["model"]), "training": TrainConfig(**content["training"])}
            return RunConfig(**{field.name: content[field.name] for field in fields(RunConfig)})
        except FileNotFoundError as error:
            raise RunError(f"There is no run {self.path.name}.") from error
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise self._not_understood("config.json", error) from error

    def _not_understood(self, name: str, error: Exception) -> RunError:
        """The error for a file of the run that is damaged or cannot be read."""
        why = getattr(error, "strerror", None) or error
        return RunError(f"The {name} of the run {self.path.name} cannot be understood: {brief(why)}")

    def versions(self) -> dict[str, str]:
        """The Python, torch and processor that the run was started with; empty if not known."""
        try:
            return check_each("versions", read_json(self.path / "config.json")["versions"], check_text)
        except (OSError, KeyError, TypeError, ValueError):
            return {}

    def write_name(self, name: str) -> None:
        """Writes the owner's name for the run.

        Raises:
            RunError: the name is not one that a file could have, or is too long.
        """
        check_name(name)
        write_atomically(self.path / "name.txt", name.encode())

    def name(self) -> str:
        """The owner's name for the run; empty if nobody has named it, or not by a possible name."""
        try:
            with (self.path / "name.txt").open(encoding="utf-8") as file:
                name = file.read(NAME_LENGTH + 2).strip()  # an editor may have ended the line
            check_name(name)
            return name
        except (OSError, ValueError, RunError):
            return ""

    def write_note(self, note: str) -> None:
        """Writes what the owner has to say about the run; an empty note removes it.

        Raises:
            RunError: it is too long, or holds control characters.
        """
        check_note(note)
        write_atomically(self.path / "note.txt", _one_kind_of_line(note).encode())

    def note(self) -> str:
        """What the owner wrote about the run; empty if nothing, or not a possible note."""
        try:
            with (self.path / "note.txt").open(encoding="utf-8") as file:
                note = file.read(NOTE_LENGTH + 2).strip()
            check_note(note)
            return note
        except (OSError, ValueError, RunError):
            return ""

    def write_pinned(self, is_pinned: bool) -> None:
        """Pins the run, or takes that back."""
        if is_pinned:
            write_atomically(self.path / "pinned.txt", b"This run is not deleted to make room for another one.\n")
        else:
            (self.path / "pinned.txt").unlink(missing_ok=True)

    @property
    def is_pinned(self) -> bool:
        """Whether the owner wants the run kept, however full the server is."""
        return (self.path / "pinned.txt").exists()

    def name_of_files(self) -> str:
        """The run's name as files and folders outside of the server can have it; its id if it has no such name."""
        return as_file_name(self.name()) or self.path.name

    def write_status(self, state: State, message: str = "") -> None:
        """Writes status.json.

        Raises:
            RunError: the run cannot go to that state from its current one.
        """
        before = self.read_status()["state"]
        if self.path.is_dir() and not before.may_become(state):  # otherwise the write below says what is wrong
            raise RunError(f"A run that is {before} cannot become {state}.")
        content = {"state": state, "message": message[:MESSAGE_LENGTH]}
        write_atomically(self.path / "status.json", json.dumps(content).encode())

    def read_status(self) -> Status:
        """The content of status.json; without a usable one, the run counts as interrupted."""
        if not self.path.is_dir():
            return {"state": State.FAILED, "message": "The run's folder is gone."}
        try:
            content = read_json(self.path / "status.json")
            message = check_text("message", content["message"], MESSAGE_LENGTH)
            return {"state": State(content["state"]), "message": message}
        except (OSError, ValueError, KeyError, TypeError):
            return {"state": State.INTERRUPTED, "message": "The run's status.json is missing or damaged."}

    # What it did

    def records(self) -> list[dict[str, Any]]:
        """The records of metrics.jsonl.

        Raises:
            RunError: a complete line is not a record.
        """
        return list(self.each_record())

    def each_record(self) -> Iterator[dict[str, Any]]:
        """Yields `records` one by one as they are read: all those of a long run take much memory."""
        try:
            yield from Records.each(self.path / "metrics.jsonl")
        except ValueError as error:
            raise RunError(str(error)) from error

    def write_changes(self, changes: list[Change]) -> None:
        """Replaces changes.json."""
        content = json.dumps([{"step": change.step} | change.settings for change in changes])
        write_atomically(self.path / "changes.json", content.encode())

    def add_change(self, step: int, settings: dict[str, float]) -> None:
        """Adds settings that apply after that step, and drops later changes of the same settings."""
        before = [change for change in self.changes() if change.step <= step]
        after = still_to_come([change for change in self.changes() if change.step > step], settings)
        self.write_changes([*before, Change(step, settings), *after])

    def changes(self) -> list[Change]:
        """The settings that were changed during the run, by step.

        Raises:
            RunError: changes.json is damaged.
        """
        try:
            content = read_json(self.path / "changes.json")
            if not isinstance(content, list):
                raise ValueError("it is not a list.")
            changes = [Change(entry.pop("step"), entry) for entry in content]
            for change in changes:
                check_int("step", change.step, 0, MOST_STEPS)
                for name, value in change.settings.items():
                    check_choice("a setting", name, [name for name, setting in SETTINGS.items() if setting.changes])
                    SETTINGS[name].check(name, value)
            return changes
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise self._not_understood("changes.json", error) from error

    def settings(self) -> dict[str, Any]:
        """The run's settings after its changes: the fields of both configurations, hold_out and start."""
        config = self.read_config()
        settings = asdict(config.model) | asdict(config.training) | {"hold_out": config.hold_out, "start": config.start}
        for change in self.changes():
            settings |= change.settings
        return settings

    def frame_steps(self) -> list[int]:
        """The steps that have a picture, ascending."""
        try:
            names = (FRAME.fullmatch(entry.name) for entry in self.frames.iterdir())
            return sorted(int(name[1]) for name in names if name)
        except OSError:
            return []

    # What it needs to resume

    def save_model(self, model: VAE, about: dict[str, Any]) -> None:
        """Replaces the newest weights, unless the new ones are not finite: then the last good ones stay."""
        save_checkpoint(model, self.model_file, about)

    def save_state(self, model: VAE, state: TrainState) -> None:
        """Replaces what is needed to resume exactly: weights, their average, Adam's moments, and the progress."""
        write_state(self.state_file, model, state)

    def resume(self, model: VAE, device: torch.device) -> TrainState:
        """Loads the saved weights into the model, drops what came after them, and returns the state to resume from.

        A run that was interrupted before it saved anything starts from the beginning.

        Raises:
            RunError: the saved state is damaged, or does not fit the model.
        """
        model.to(device)
        try:
            exists = self.state_file.exists()
            state = read_state(self.state_file, model, device) if exists else TrainState.start(model)
            kept = [json.dumps(record) + "\n" for record in self.records() if record["step"] <= state.step]
            write_atomically(self.path / "metrics.jsonl", "".join(kept).encode())
            for step in self.frame_steps():
                if step > state.step:
                    (self.frames / f"{step}.jpg").unlink()
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            if isinstance(error, RunError):
                raise
            why = getattr(error, "strerror", None) or error
            raise RunError(f"The state.safetensors of the run cannot be used: {brief(why)}") from error
        return state

    def saved_step(self) -> int:
        """The step from which the run would resume; 0 if nothing is saved."""
        return self.saved()[0]

    def saved(self) -> tuple[int, float]:
        """The step from which the run would resume, and its seconds of training; 0 if nothing is saved."""
        return read_progress(self.state_file)

    def version(self) -> tuple[tuple[str, int, int, int], ...]:
        """The names, modification times, sizes and inodes of the run's files: changes whenever a file does.

        A file that is replaced twice within a tick of the clock keeps its time, but not its inode.
        """
        try:
            with os.scandir(self.path) as entries:
                stats = {entry.name: entry.stat() for entry in entries if entry.name != "lock"}
        except OSError:
            return (("", time.time_ns(), 0, 0),)  # gone, or a file was being replaced
        return tuple(sorted((name, it.st_mtime_ns, it.st_size, it.st_ino) for name, it in stats.items()))

    def changed(self) -> float:
        """When a file of the run was last changed, in seconds since 1970; now if the folder is gone."""
        return max((time_ns for _, time_ns, *_ in self.version()), default=0) / 1e9

    def size(self) -> int:
        """Total bytes of its files."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_size
                except OSError:
                    continue  # replaced meanwhile, or a link to nowhere
        return total

    def delete(self) -> None:
        """Removes the folder: renames it out of sight at once, then deletes it from the disk.

        Raises:
            RunError: the folder cannot be removed, or a process is training the run.
        """
        if self.is_taken():
            raise RunError("The run is being trained: stop it first.")
        grave = self.path.with_name(f".deleted-{self.path.name}")
        try:
            self.path.rename(grave)
            shutil.rmtree(grave)
        except OSError as error:
            raise RunError(f"The run cannot be deleted: {error.strerror or error}.") from error


def check_name(name: Any) -> None:
    """Raises RunError if this cannot be a run's name: it is empty, too long, or not a possible file name."""
    if not isinstance(name, str) or not name.strip():
        raise RunError("A run's name must not be empty.")
    if len(name) > NAME_LENGTH:
        raise RunError(f"That name has {len(name)} characters; a run's name has at most {NAME_LENGTH}.")
    if REFUSED.search(name) or name.strip() in (".", ".."):
        raise RunError("A run's name must not hold slashes or control characters, nor be . or ..")


def check_note(note: Any) -> None:
    """Raises RunError if this cannot be a note: it is no text, is too long, or holds control characters."""
    if not isinstance(note, str):
        raise RunError("A note must be a text.")
    length = len(_one_kind_of_line(note))
    if length > NOTE_LENGTH:
        raise RunError(f"That note has {length:,} characters; a note has at most {NOTE_LENGTH:,}.")
    if UNPRINTABLE.search(_one_kind_of_line(note)):
        raise RunError("A note must not hold control characters.")


def _one_kind_of_line(note: str) -> str:
    """A note without space around it, whose lines end as on every system."""
    return note.replace("\r\n", "\n").strip()


def as_file_name(name: str) -> str:
    """A run's name as every system takes it for a file or a folder; empty if nothing of it can be kept.

    Windows refuses some characters and names, and a dot or a space at the end; macOS takes a letter followed by its
    accent for the same as the accented letter.
    """
    plain = re.sub(r'[<>:"|?*]', "-", unicodedata.normalize("NFC", name)).strip(". ")
    return f"-{plain}" if RESERVED.fullmatch(plain) else plain
