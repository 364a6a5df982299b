"""The states of a run, and which may follow which."""

from __future__ import annotations

from enum import Enum
from typing import TypedDict


class Command(str, Enum):
    """What the owner of a run can ask of it."""

    PAUSE = "pause"
    PLAY = "play"  # on from where it is
    STEP = "step"  # a single batch
    STOP = "stop"
    RESET = "reset"  # another run that begins with the same settings

    __str__ = str.__str__


class State(str, Enum):
    """What a run is doing. Each state is also its own name, as used in files and the browser."""

    WAITING = "waiting"  # for a device
    LOADING = "loading"  # its data
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its process ended without writing a status

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)

    @property
    def is_going(self) -> bool:
        """Whether something is happening, or will happen by itself."""
        return self in (State.WAITING, State.LOADING, State.RUNNING)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return not self.is_going

    @property
    def is_at_rest(self) -> bool:
        """Whether the run has ended, and its folder says so."""
        return self.has_ended and self is not State.INTERRUPTED

    @property
    def is_resumable(self) -> bool:
        """Whether the run can be resumed where it was."""
        return self.has_ended and self is not State.FINISHED

    @property
    def offers(self) -> tuple[Command, ...]:
        """The commands that a run in this state can follow."""
        if self.is_going:
            return (Command.PAUSE, Command.STOP)
        again = (Command.PLAY, Command.STEP) if self.is_resumable else ()
        end = (Command.STOP,) if self is State.PAUSED else ()
        return (*again, *end, Command.RESET)

    @property
    def keeps_the_form(self) -> bool:
        """Whether the page's form shows this run's settings rather than those of the next run."""
        return self.is_going or self is State.PAUSED

    @property
    def takes_changes(self) -> bool:
        """Whether settings can be changed; a smaller learning rate helps a run that has diverged."""
        return self.keeps_the_form or self is State.FAILED

    def may_become(self, other: State) -> bool:
        """Whether that state may be written after this one.

        The folder of a run whose process was killed says waiting, loading or running, and the run restarts from there.
        """
        return other in MOVES[self]


_BEGIN = {State.WAITING, State.RUNNING}  # in a server's queue, or on the command line
_END = {State.PAUSED, State.STOPPED, State.FAILED}
MOVES = {
    State.WAITING: {*_BEGIN, State.LOADING, *_END},
    State.LOADING: {*_BEGIN, *_END},
    State.RUNNING: {*_BEGIN, *_END, State.FINISHED},
    State.PAUSED: {*_BEGIN, State.STOPPED, State.FAILED},
    State.STOPPED: _BEGIN,
    State.FAILED: {*_BEGIN, State.FAILED},
    State.FINISHED: {State.RUNNING},  # with more epochs
    State.INTERRUPTED: set(State) - {State.INTERRUPTED},  # nothing was written, or it cannot be read
}


class Status(TypedDict):
    """The state of a run, and a sentence with more detail."""

    state: State
    message: str
