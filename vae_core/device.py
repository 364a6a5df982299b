"""Which device computes."""

import contextlib
import os
import platform
import re
import threading
from pathlib import Path

import torch

from .bounds import check_choice

DEVICES = ("auto", "cpu", "cuda", "mps")
_of_thread = threading.local()


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; auto takes CUDA, else MPS, else the CPU.

    Raises:
        ValueError: the name is unknown, or this machine has no such device.
    """
    check_choice("device", name, DEVICES)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_there in there.items() if is_there)
    if not there[name]:
        raise ValueError(f"device is {name!r}, but this machine has no such device; it has cpu.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """The device in words, for people: its kind and, for CUDA, its name."""
    if device.type == "cuda":
        return f"GPU: {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return "GPU: Apple (MPS)" if device.type == "mps" else f"CPU: {threads} thread{'s' if threads > 1 else ''}"


def describe_processor(device: torch.device) -> str:
    """The chip behind a device in words, for records of what has computed something."""
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.cuda.get_device_name(device)
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None  # not Linux
    return f"{os.cpu_count()} cores of {found[1] if found else platform.processor()}"


def own_stream(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """The CUDA stream of this thread, on which its work does not wait for that of others; elsewhere nothing.

    One for each thread, not one for each training: torch has 32, hands them out in turn, and keeps memory for each.
    """
    if device.type != "cuda":
        return contextlib.nullcontext()
    if not hasattr(_of_thread, "stream"):
        _of_thread.stream = torch.cuda.Stream(device)
    return torch.cuda.stream(_of_thread.stream)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the machine itself, had no memory left."""
    on_cpu = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return on_cpu or isinstance(error, (torch.OutOfMemoryError, MemoryError))
