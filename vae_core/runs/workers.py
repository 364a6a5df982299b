"""A run that is trained, and the devices of a server with the threads that train on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import torch

from ..data import Dataset
from ..device import own_stream
from ..settings import check_int
from ..training.warm_up import warm_up
from .folder import RunFolder
from .run import Steering, reason
from .states import State
from .turns import Turn, Turns

Load = Callable[[Callable[[str], None]], tuple[Dataset, str]]
MOST_THREADS = 1000  # of a device: more than can be in its memory, and those that come back for a last batch


class LeftError(Exception):
    """A run was paused or stopped before it began."""


@dataclass
class Training:
    """A run that this process is training or will train."""

    folder: RunFolder
    owner: str
    steering: Steering
    message: str = "Loading the data."
    last_turn: int = 0  # the number of the last turn that its browser had while this run waited
    future: Future[None] | None = None  # None while it is outside memory
    turn: Turn | None = None  # its place on a device, the last one while it is put away; a single batch has none
    begun: bool = False  # changes now go to the training loop, before that to the folder
    left: float | None = None  # seconds that it would still take alone; None before its first record
    over: threading.Event = field(default_factory=threading.Event)  # its folder has been unlocked

    def report(self, message: str) -> None:
        """Takes a progress message from the loading of the data.

        Raises:
            LeftError: the run should no longer begin.
        """
        self.message = message
        if self.steering.is_asked:
            raise LeftError

    @property
    def is_put_away(self) -> bool:
        """Whether it has trained, and waits outside memory to go on."""
        return self.future is None and self.turn is not None

    def end(self, how: State) -> None:
        """Pauses or stops it after one more batch, for which it waits no longer."""
        if how is State.PAUSED:
            self.steering.pause()
        else:
            self.steering.stop()
        if self.turn:
            self.turn.hurry()


class Worker:
    """A device of the server, with the threads that train on it.

    going: number of runs in its memory. failure: why it can no longer compute, or empty.

    Args:
        device: cpu, a GPU, or mps.
        most: runs at once.
        in_memory: runs that are kept in memory, where they take turns; no fewer than run at once.

    Raises:
        ValueError: a number is out of bounds.
    """

    def __init__(self, device: torch.device, most: int, in_memory: int = 1) -> None:
        is_mps = device.type == "mps"  # where two threads crash torch
        check_int("max_trainings", most, 1, 1 if is_mps else MOST_THREADS)
        check_int("in_memory", in_memory, 1, MOST_THREADS)
        self.device = device
        self.most = most
        self.in_memory = 1 if is_mps else max(most, in_memory)
        self.turns = Turns(most)
        self.going = 0
        self.failure = ""
        self.threads = ThreadPoolExecutor(1 if is_mps else MOST_THREADS, thread_name_prefix="training")
        self.single_batches = self.threads if is_mps else ThreadPoolExecutor(1, thread_name_prefix="batch")

    def warm_up(self) -> Future[None]:
        """Makes a GPU load what the first run would otherwise wait for."""
        return self.threads.submit(self._warm_up)

    def _warm_up(self) -> None:
        try:
            with own_stream(self.device):
                warm_up(self.device)
        except RuntimeError as error:  # the first run will report it
            logging.getLogger(__name__).warning("%s could not be warmed up: %s", self.device, reason(error))
