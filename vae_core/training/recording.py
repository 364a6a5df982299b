"""Repeated work, recorded as CUDA graphs: one launch each time instead of a hundred."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import torch

from ..precision import arithmetic, launching

MOST = 16  # recordings that are kept: of whole blocks and of an epoch's last one, for several numbers of draws

_of_thread = threading.local()


class Recordings:
    """The CUDA graphs of one training run, on the current thread's GPU.

    Work runs directly the first time, so that libraries load what it needs; it is captured the second time, and
    replayed from then on. A graph reads and writes the same memory as the captured work: values that change must stay
    at the same address. If a capture fails, this process runs all work directly from then on.

    Args:
        device: a CUDA device.
        precision: of the work, a name of `precision.PRECISIONS`.
    """

    refusal = ""  # why this process cannot capture; torch 2.11 never can again after a first failure

    def __init__(self, device: torch.device, precision: str) -> None:
        self._device = device
        self._precision = precision
        self._met: set[Hashable] = set()
        self._graphs: dict[Hashable, tuple[torch.cuda.CUDAGraph, Callable[[], None]]] = {}
        self._pool: Any = None  # torch's handle of the graphs' memory, shared since no two are replayed at once

    def run(self, key: Hashable, work: Callable[[], None]) -> None:
        """Does the work; the same key means the same work.

        Raises:
            torch.OutOfMemoryError: there is not enough memory.
        """
        with launching(self._device):
            if recorded := self._graphs.get(key):
                recorded[0].replay()
                return
            with arithmetic(self._precision, self._device):
                if key not in self._met or Recordings.refusal:
                    self._met.add(key)
                    work()
                else:
                    self._record(key, work)

    def close(self) -> None:
        """Frees all recordings once the device is done with them, and never while another thread captures."""
        with launching(self._device):
            self._clear()

    def _clear(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()
        self._graphs.clear()

    def _record(self, key: Hashable, work: Callable[[], None]) -> None:
        try:
            if len(self._graphs) == MOST:
                self._clear()
            graph = self._captured(work)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            Recordings.refusal = reason
            logging.getLogger(__name__).warning("training steps are launched one kernel at a time: %s", reason)
            work()
            return
        self._graphs[key] = graph, work  # the work keeps the memory alive that it reads
        graph.replay()

    def _captured(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """Captures the work as a graph, on a separate stream; nothing is computed yet."""
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        own = torch.cuda.current_stream()
        stream = recording_stream(self._device)
        stream.wait_stream(own)
        with torch.cuda.stream(stream):
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                work()
            finally:
                graph.capture_end()
        return graph


def recording_stream(device: torch.device) -> torch.cuda.Stream:
    """This thread's stream for capturing: cuBLAS keeps memory per stream, which two recordings must not share."""
    return _streams(device)[0]


class Branches:
    """Streams beside the current one, for work that later work need not wait for; without a GPU there are none.

    Keep what a branch reads until `join`: memory freed on the current stream would be handed out again.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_on_gpu = device.type == "cuda"

    @contextlib.contextmanager
    def beside(self, number: int) -> Iterator[None]:
        """Launches the work in this context on branch 0 or 1, after all that was launched on the current stream."""
        if not self._is_on_gpu:
            yield
            return
        stream = _streams(self._device)[1 + number]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            yield

    def join(self, number: int) -> None:
        """Makes the current stream wait for that branch."""
        if self._is_on_gpu:
            torch.cuda.current_stream().wait_stream(_streams(self._device)[1 + number])


def _streams(device: torch.device) -> list[torch.cuda.Stream]:
    """This thread's streams on a device: one for capturing, two branches. Few, since torch has only 32 of a kind."""
    streams = _of_thread.__dict__.setdefault("streams", {})
    if device not in streams:
        streams[device] = [torch.cuda.Stream(device, priority=-1) for _ in range(3)]
    return streams[device]
