"""How often browsers ask for updates: often when few watch, less often when many do, so that watching stays cheap."""

from __future__ import annotations

import heapq
import os
import threading
import time

FASTEST = 250  # ms between two requests of one watcher
SLOWEST = 10_000
OF_A_CORE = 2.0  # requests per second from all watchers together, for each core of the server
GONE = 2.0  # seconds overdue after which a watcher counts as gone


class Pace:
    """Counts the watchers by when they are due to ask again, and tells each one how long to wait.

    Args:
        a_second: requests per second that all of them together should make.
    """

    def __init__(self, a_second: float = OF_A_CORE * (os.cpu_count() or 1)) -> None:
        self._a_second = a_second
        self._lock = threading.Lock()
        self._due: list[float] = []  # a heap: one time for each watcher

    def wait(self, now: float | None = None) -> int:
        """Counts a request, and returns the ms until the same watcher's next one."""
        now = time.monotonic() if now is None else now
        with self._lock:
            while self._due and self._due[0] < now - GONE:
                heapq.heappop(self._due)
            if self._due and self._due[0] <= now:
                heapq.heappop(self._due)  # this watcher's; one who asks before anybody is due is new
            wait = int(min(SLOWEST, max(FASTEST, 1000 * (len(self._due) + 1) / self._a_second)))
            heapq.heappush(self._due, now + wait / 1000)
            return wait
