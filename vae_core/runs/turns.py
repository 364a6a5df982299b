"""Trainings in turns: a few at once on a device, and of those that wait, the one with the least time had is next."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUND = 8.0  # seconds in which everybody has a turn, as long as turns are then no shorter than the shortest
SHORTEST, LONGEST = 0.1, 2.0  # seconds of a turn
CREDIT = 2.0  # seconds that one who comes may catch up of what the others have had
PATIENCE = 20.0  # seconds after which one that waits is next, however much it has had
AHEAD = 1.0  # seconds that a training may be ahead of one outside memory before it makes room for that one


class Turns:
    """The turns on one device.

    A turn ends between two batches, so that taking turns changes no result. Whoever joins has its first turn next, so
    that it is seen to move at once, and then counts as having had a little less than the one that has had the least:
    those who come within a minute are soon alike, and nobody is held up for long by one who comes late.

    Args:
        most: turns at once.
        clock: seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._members: list[Turn] = []
        self._outside: float | None = None
        self._is_halted = False
        self._numbers = itertools.count()

    def join(self, had: float | None = None) -> Turn:
        """A place among those that take turns.

        Args:
            had: seconds of one that was put away before; None for a new one.
        """
        with self._lock:
            least = max(0.0, min((member.had for member in self._members), default=0.0) - CREDIT)
            go = threading.Condition(self._lock)
            turn = Turn(self, least if had is None else had, next(self._numbers), go, is_new=had is None)
            self._members.append(turn)
            return turn

    def __len__(self) -> int:
        """How many take turns."""
        return len(self._members)

    @property
    def length(self) -> float:
        """Seconds of a turn: shorter, the more there are."""
        return min(LONGEST, max(SHORTEST, ROUND * self.most / max(1, len(self._members))))

    def want(self, had: float | None) -> None:
        """Says that a training outside memory wants to come in.

        Args:
            had: seconds that it has had, -inf for a new one; None: nobody is outside any more.
        """
        with self._lock:
            self._outside = had

    def halt(self, is_halted: bool) -> None:
        """Lets nobody train until it is taken back; those that train end their turn after their batch."""
        with self._lock:
            self._is_halted = is_halted
            self._call()

    # For Turn, which holds the lock

    def _call(self) -> None:
        """Gives free turns to those that wait, the one with the least time had first."""
        free = self.most - sum(member.began is not None for member in self._members)
        now = self._clock()
        waiting = sorted((member for member in self._members if member.is_waiting), key=lambda it: it.order(now))
        if self._is_halted:
            free = 0
        for place, member in enumerate(waiting):
            if place < free or member.is_urgent:
                member.began = now
                member.go.notify()

    def _is_over(self, turn: Turn, seconds: float) -> bool:
        """Whether a turn that has lasted so long ends."""
        if turn.is_urgent:
            return False
        waiting = [member for member in self._members if member.is_waiting]
        has_new = self._outside == -math.inf or any(member.is_new for member in waiting)
        is_awaited = self._outside is not None or bool(waiting)
        return self._is_halted or (is_awaited and seconds >= (SHORTEST if has_new else self.length))

    def _makes_room(self, turn: Turn) -> bool:
        """Whether a training that has ended its turn leaves memory to one that is outside."""
        return self._outside is not None and not self._is_halted and self._outside + AHEAD <= turn.had


@dataclass(eq=False)
class Turn:
    """The place of one training among those that take turns on a device.

    had: seconds in turns that have ended. number: the place in which it came. go: notified when its turn begins.
    is_new: it has had no turn yet. began: when its present turn did, or None between turns. waits_since: None while it
    has a turn. has_entered: and taken no batch yet. is_urgent: it is to take one more batch and end, and waits for
    nobody. is_put_away: it has left memory, to come back.
    """

    turns: Turns
    had: float
    number: int
    go: threading.Condition
    is_new: bool
    began: float | None = None
    waits_since: float | None = None
    has_entered: bool = False
    is_urgent: bool = False
    is_put_away: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.waits_since is not None and self.began is None

    def order(self, now: float) -> tuple[bool, float, float, int]:
        """Those that have had no turn go first, then those that wait too long, then those with the least time had."""
        since = now if self.waits_since is None else self.waits_since
        is_out_of_patience = now - since >= PATIENCE
        return not self.is_new, since if is_out_of_patience else math.inf, self.had, self.number

    @property
    def seconds(self) -> float:
        """Seconds that it has had in all."""
        began = self.began
        return self.had + (self.turns._clock() - began if began is not None else 0.0)

    def enter(self) -> None:
        """Waits for the first turn after coming into memory; it is not over before a batch has been taken."""
        with self.turns._lock:
            self._wait()
            self.has_entered = True

    def hold(self) -> bool:
        """Called before each batch: waits where it is another one's turn.

        Returns:
            False if the training is to leave memory, to which it comes back later; then this place is given up.
        """
        turns = self.turns
        with turns._lock:
            if self.has_entered:
                self.has_entered = False
                return True
            if self.began is not None:
                if not turns._is_over(self, turns._clock() - self.began):
                    return True
                self._rest()
                if turns._makes_room(self):
                    self._go_away()
                    self.is_put_away = True
                    return False
            self._wait()
            return True

    def hurry(self) -> None:
        """Lets it take its last batch at once."""
        with self.turns._lock:
            self.is_urgent = True
            self.turns._call()

    def leave(self) -> None:
        """Gives the place up."""
        with self.turns._lock:
            if self in self.turns._members:
                self._rest()
                self._go_away()

    def _wait(self) -> None:
        self.waits_since = self.turns._clock()
        self.turns._call()
        while self.began is None:
            self.go.wait()
        self.waits_since, self.is_new = None, False

    def _rest(self) -> None:
        self.had = self.seconds
        self.began = None

    def _go_away(self) -> None:
        self.turns._members.remove(self)
        self.turns._call()
