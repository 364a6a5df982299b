"""Picking and describing the device that computes."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from .precision import compute_exactly

DEVICES = ("auto", "cpu", "cuda", "mps")
GPUS = re.compile(r"cuda:(\d{1,4}(?:,\d{1,4})*)")
MEMORY_TO_TRAIN = 2**30  # bytes that must be free on a GPU: data, a small model and CUDA itself
_of_thread = threading.local()


def pick_devices(name: str = "auto") -> list[torch.device]:
    """The devices with that name: cuda means all GPUs that this process sees, cuda:0,2 those two.

    auto takes CUDA, else MPS, else the CPU.

    Raises:
        ValueError: the name is unknown, this machine has no such device, a GPU is named twice, or one has too little
            free memory. The message says what there is.
    """
    numbers = GPUS.fullmatch(name)
    if name not in DEVICES and not numbers:
        raise ValueError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}, or name GPUs as in cuda:0,2.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device is 'mps', but this machine has no such device; it has cpu.")
    if not name.startswith("cuda"):
        return [torch.device(name)]
    count = _gpus(name)
    wanted = [int(number) for number in numbers[1].split(",")] if numbers else list(range(count))
    twice = [number for number, times in Counter(wanted).items() if times > 1]
    if twice:
        raise ValueError(f"device is {name!r}; it names cuda:{twice[0]} twice.")
    if missing := [number for number in wanted if number >= count]:
        there = "cuda:0" if count == 1 else f"cuda:0 to cuda:{count - 1}"
        raise ValueError(f"device is {name!r}, but there is no cuda:{missing[0]}; this machine has {there}.")
    devices = [torch.device("cuda", number) for number in wanted]
    _set_up_for_gpus()
    for device in devices:
        _check_memory(device)
    return devices


def pick_device(name: str = "auto") -> torch.device:
    """The first of `pick_devices`."""
    return pick_devices(name)[0]


def _gpus(name: str) -> int:
    """Number of GPUs.

    Raises:
        ValueError: there are none; the message gives CUDA's reason, such as a driver too old for this torch.
    """
    if torch.cuda.is_available():
        return torch.cuda.device_count()
    try:
        torch.cuda.init()
        reason = "it has cpu."
    except (RuntimeError, AssertionError) as error:
        reason = f"it has cpu. CUDA says: {str(error).partition('. ')[0].strip().removesuffix('.')}."
    raise ValueError(f"device is {name!r}, but this machine has no such device; {reason}")


def _set_up_for_gpus() -> None:
    """Makes this process compute exactly, and use one thread for the little work that is left to the CPU.

    Otherwise each training run would start as many threads as the machine has cores: sixteen runs, 256 threads.
    """
    compute_exactly()
    torch.set_num_threads(1)


def _check_memory(device: torch.device) -> None:
    free = free_memory(device)
    if free < MEMORY_TO_TRAIN:
        raise ValueError(
            f"{device} ({torch.cuda.get_device_name(device)}) has {free / 2**30:.1f} GiB of free memory, which is too"
            " little to train: another program uses it. Choose another GPU, as in --device cuda:1, or cpu."
        )


def free_memory(device: torch.device) -> int:
    """Bytes of memory that no program uses: a GPU's, or the machine's where it tells them."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows, macOS
        return 8 * 2**30


def describe_device(device: torch.device) -> str:
    """The device in words, for people: its kind and, for CUDA, its name."""
    if device.type == "cuda":
        return f"GPU: {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return "GPU: Apple (MPS)" if device.type == "mps" else f"CPU: {threads} thread{'s' if threads > 1 else ''}"


def describe_devices(devices: Sequence[torch.device]) -> str:
    """All the devices in words, for people; GPUs with the same name are counted."""
    if len(devices) == 1:
        return describe_device(devices[0])
    names = Counter(torch.cuda.get_device_name(device) for device in devices)
    return f"{len(devices)} GPUs: " + ", ".join(f"{count} × {name}" for name, count in names.items())


def describe_processor(device: torch.device) -> str:
    """The chip behind a device in words, for records of what something was computed on."""
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.cuda.get_device_name(device)
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None  # not Linux
    return f"{os.cpu_count()} cores of {found[1] if found else platform.processor()}"


def own_stream(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """This thread's CUDA stream, whose work does not wait for other threads'; without CUDA, nothing.

    Streams belong to threads, not training runs: torch has 32, hands them out in turn, and keeps memory for each.
    """
    if device.type != "cuda":
        return contextlib.nullcontext()
    streams = _of_thread.__dict__.setdefault("streams", {})
    if device not in streams:
        streams[device] = torch.cuda.Stream(device)
    return torch.cuda.stream(streams[device])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the machine itself, ran out of memory."""
    on_cpu = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return on_cpu or isinstance(error, (torch.OutOfMemoryError, MemoryError))


def is_fatal(error: BaseException) -> bool:
    """Whether a GPU has failed for the rest of this process, as after an illegal access to its memory."""
    return isinstance(error, torch.AcceleratorError)
