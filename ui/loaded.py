"""Models read from their files, and results computed from them: cached, but not forever."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from vae_core import VAE, load_checkpoint
from vae_core.storage.checkpoint import CheckpointError, Header, read_header

MOST_BYTES = 2**30  # of cached weights

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model as read from its file; version changes when the file does."""

    model: VAE
    header: Header
    version: int

    @property
    def bytes(self) -> int:
        """Bytes of the model's weights."""
        return sum(weight.nbytes for weight in self.model.state_dict().values())


class LoadedModels:
    """A cache of the newest version of each model's file: the last used ones, up to `most_bytes` of weights."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._models: OrderedDict[Path, Loaded] = OrderedDict()

    def load(self, path: Path) -> Loaded:
        """The model in a file as it is now.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        try:
            version = path.stat().st_mtime_ns
        except OSError as error:
            with self._lock:
                self._models.pop(path, None)
            raise CheckpointError("That model is not here any more: choose another one above.") from error
        with self._lock:
            found = self._models.get(path)
            if found and found.version == version:
                self._models.move_to_end(path)
                return found
        return self._keep(path, Loaded(load_checkpoint(path), read_header(path), version))

    def _keep(self, path: Path, loaded: Loaded) -> Loaded:
        with self._lock:
            self._models.pop(path, None)
            self._models[path] = loaded
            while len(self._models) > 1 and sum(model.bytes for model in self._models.values()) > self._most_bytes:
                self._models.popitem(last=False)
        return loaded


def made_once(make: Callable[..., Made]) -> Callable[..., Made]:
    """Caches the results of a function of a loaded model (and more) for as long as the model stays in memory."""
    made: WeakKeyDictionary[Loaded, dict[Any, Made]] = WeakKeyDictionary()

    def of(loaded: Loaded, *more: Any) -> Made:
        results = made.setdefault(loaded, {})
        if more not in results:
            results[more] = make(loaded, *more)
        return results[more]

    return of
