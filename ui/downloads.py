"""Downloads of datasets: one attempt for all who wait for it, and nobody has to wait until it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from vae_core.download import Progress

LOOK = 0.2  # seconds between two calls of a waiting run's report


class _AbandonedError(Exception):
    """Nobody waits for a download any longer."""


@dataclass
class _Attempt:
    """A download that is going on or has ended. waiting: how many wait for it; progress: bytes so far and in total."""

    waiting: int = 0
    progress: tuple[int, int] = (0, 0)
    result: Future[None] = field(default_factory=Future)
    ended: float = 0.0  # monotonic time

    def answers(self, since: float) -> bool:
        """Whether it is going on, or has failed since then."""
        return not self.result.done() or (self.result.exception() is not None and self.ended >= since)


class Downloads:
    """The downloads of a server, each in a thread of its own: a mirror that says nothing holds up nobody who leaves.

    Args:
        download: downloads the dataset with that name, and calls progress as `download_dataset` does.
    """

    def __init__(self, download: Callable[[str, Progress], None]) -> None:
        self._download = download
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempt] = {}

    def wait(self, name: str, since: float, report: Callable[[int, int], None]) -> None:
        """Waits until a dataset is there.

        Args:
            name: the dataset's.
            since: monotonic time; an attempt that has failed since then is not made again, and its error is raised.
            report: called all the time with bytes so far and in total; who raises in it waits no longer. The download
                ends when nobody waits.

        Raises:
            DataError: the dataset cannot be had.
        """
        with self._lock:
            attempt = self._attempts.get(name)
            if attempt is None or not attempt.answers(since):
                attempt = self._attempts[name] = _Attempt()
                threading.Thread(target=self._run, args=(name, attempt), name=f"download {name}", daemon=True).start()
            attempt.waiting += 1
        try:
            while not wait([attempt.result], LOOK).done:
                report(*attempt.progress)
            attempt.result.result()
        finally:
            with self._lock:
                attempt.waiting -= 1

    def _run(self, name: str, attempt: _Attempt) -> None:
        """The work of an attempt's thread."""

        def progress(done: int, total: int) -> None:
            attempt.progress = done, total
            with self._lock:
                if not attempt.waiting:
                    del self._attempts[name]
                    raise _AbandonedError

        try:
            self._download(name, progress)
        except Exception as error:
            attempt.ended = time.monotonic()
            attempt.result.set_exception(error)
        else:
            attempt.result.set_result(None)
