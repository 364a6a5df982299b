"""One model trained by several processes, as torchrun starts them: each takes its share of every batch.

The first one leads: it alone writes, evaluates and takes commands, and it sends the others each batch's settings.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")


class Processes:
    """The processes of a training run; if there is only one, every method returns its argument.

    rank: the number of this process, counted from 0. count: how many there are.
    """

    rank = 0
    count = 1

    def total(self, part: Tensor) -> Tensor:
        """The sum of all processes' parts."""
        return part

    def of_first(self, value: T) -> T:
        """The first process's value, which may be anything that can be pickled."""
        return value

    def told(self, settings: list[float]) -> list[float]:
        """The first process's settings for the next batch, as many as the others have; empty if there is none."""
        return settings

    def end(self) -> None:
        """Tells the others that there are no more batches, if this is the first process."""

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module, with gradients averaged over the losses of all processes."""
        return module

    def leave(self) -> None:
        """Ends what `join` began."""


ALONE = Processes()


class _Group(Processes):
    """Processes that talk to each other: by NCCL if they compute on GPUs, by gloo otherwise and for settings."""

    def __init__(self, device: torch.device) -> None:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        self.rank = dist.get_rank()
        self.count = dist.get_world_size()
        talk = dist.new_group(backend="gloo")
        assert isinstance(talk, dist.ProcessGroup)  # every process is in it
        self._talk = talk
        self._device = device
        self._length = 0

    def total(self, part: Tensor) -> Tensor:
        part = part.clone()
        dist.all_reduce(part)
        return part

    def of_first(self, value: T) -> T:
        box = [value]
        dist.broadcast_object_list(box, 0, group=self._talk)
        return box[0]

    def told(self, settings: list[float]) -> list[float]:
        self._length = len(settings)
        message = torch.tensor([1.0, *settings], dtype=torch.float64)
        dist.broadcast(message, 0, group=self._talk)
        goes_on, *settings = message.tolist()
        return settings if goes_on else []

    def end(self) -> None:
        if self.rank == 0:
            dist.broadcast(torch.zeros(1 + self._length, dtype=torch.float64), 0, group=self._talk)

    def parallel(self, module: nn.Module) -> nn.Module:
        on_gpu = self._device.type == "cuda"
        return nn.parallel.DistributedDataParallel(module, device_ids=[self._device.index] if on_gpu else None)

    def leave(self) -> None:
        dist.destroy_process_group()


def join(device: torch.device) -> tuple[Processes, torch.device]:
    """The processes that torchrun has started, and this one's device; `ALONE` without torchrun.

    Source: torch.distributed.run's environment variables.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return ALONE, device
    if device.type == "cuda":
        rank = int(os.environ["LOCAL_RANK"])
        count = torch.cuda.device_count()
        if rank >= count:
            raise ValueError(f"there are more processes than GPUs: this machine has {count}.")
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
    return _Group(device), device


def end_program(status: int) -> NoReturn:
    """Exits; under torchrun immediately, without Python's shutdown.

    DistributedDataParallel leaves a group behind whose threads may still hold a tensor. If one is freed while Python
    shuts down, the process aborts after all its work is done, about one time in ten.

    Source: pytorch/pytorch#179291.
    """
    if "WORLD_SIZE" not in os.environ:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
