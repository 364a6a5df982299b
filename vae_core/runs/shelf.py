"""The run folders of a server: which there are, whose they are, and what they are called."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from ..storage.checkpoint import CheckpointError
from .allowance.room import Kept
from .config import RunConfig
from .folder import NAME_LENGTH, RunError, RunFolder, as_file_name, check_name
from .run import reason

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{16}")


class Shelf:
    """The run folders below a root, and recordings that stand elsewhere.

    Args:
        root: where the run folders are.
        recordings: a folder of runs to watch; None: there are none.
    """

    def __init__(self, root: Path, recordings: Path | None = None) -> None:
        self.root = root
        found = sorted(recordings.iterdir()) if recordings and recordings.is_dir() else []
        self.recordings = {path.name: path for path in found if RUN_ID.fullmatch(path.name)}
        self._owners: dict[str, str] = {}
        self._sizes: dict[str, tuple[Any, int]] = {}  # of runs, each with its folder's version

    def folder(self, run: str) -> RunFolder:
        """The folder of a run, which need not exist.

        Raises:
            RunError: `run` is not a run id.
        """
        if not isinstance(run, str) or not RUN_ID.fullmatch(run):
            raise RunError("That is not a run id.")
        return RunFolder(self.recordings.get(run, self.root / run))

    def of(self, owner: str) -> list[str]:
        """The runs that a browser has started, oldest first."""
        return [run for run in self.all() if self._owner(run) == owner]

    def all(self) -> list[str]:
        """The ids of all runs, oldest first; a damaged one is among them."""
        names = os.listdir(self.root) if self.root.is_dir() else []
        return sorted(name for name in names if RUN_ID.fullmatch(name))

    def kept(self) -> list[Kept]:
        """What is kept of all runs, oldest first."""
        return [Kept(run, self._owner(run) or "", self._size(run)) for run in self.all()]

    def check_owner(self, run: str, owner: str) -> None:
        """Raises RunError if a run does not exist, or is somebody else's."""
        if self.folder(run).read_config().owner != owner:
            raise RunError("That run belongs to another browser.")

    def free_name(self, owner: str, name: str) -> str:
        """The name, with a number if another run of the browser has it.

        Raises:
            RunError: the name is not valid.
        """
        check_name(name)
        taken = self.names(owner)
        numbered = [name.strip(), *(f"{name.strip()[: NAME_LENGTH - 6]} {n}" for n in range(2, len(taken) + 3))]
        return next(candidate for candidate in numbered if key_of(candidate) not in taken)

    def create(self, config: RunConfig, weights: Path | None = None, name: str = "") -> str:
        """Makes a new run's folder; with weights, they become the state before the first step.

        The configuration is that of the weights: see `beginning_with`.

        The configuration makes the folder a run, so the name is written before it: nobody lists a run without its name.

        Raises:
            CheckpointError: there is no such checkpoint.
            RunError: the folder cannot be made.
        """
        run = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(8)
        folder = self.folder(run)
        folder.create()
        try:
            if name:
                folder.write_name(name)
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

    def names(self, owner: str, but: str = "") -> dict[str, str]:
        """The names of a browser's runs, except one, by what tells names apart."""
        names = (self.folder(run).name() for run in self.of(owner) if run != but)
        return {key_of(name): name for name in names if name}

    def _owner(self, run: str) -> str | None:
        """Who started a run (cached, since it never changes); None if the folder is not a run."""
        if run not in self._owners:
            try:
                self._owners[run] = self.folder(run).read_config().owner
            except RunError:
                return None
        return self._owners[run]

    def _size(self, run: str) -> int:
        """The bytes of a run, which are counted again only after its folder has changed."""
        folder = self.folder(run)
        version = folder.version()
        known, size = self._sizes.get(run, (None, 0))
        if known != version:
            size = folder.size()
            self._sizes[run] = version, size
        return size

    def forget(self, run: str) -> None:
        """Forgets whose a run was and how large, which is deleted."""
        self._owners.pop(run, None)
        self._sizes.pop(run, None)


def key_of(name: str) -> str:
    """What tells two names apart wherever downloads are unpacked: Windows and macOS take A and a for the same."""
    return as_file_name(name.strip()).casefold()
