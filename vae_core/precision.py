"""The arithmetic of products and convolutions. Weights, sums and every evaluation are always in float32."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

TF32_SINCE = (8, 0)  # the lowest compute capability with TF32 products

_alone = threading.RLock()


def resolve(precision: str, device: torch.device) -> str:
    """The precision that training on this device really uses.

    auto is the fastest that trains as well as float32: TF32 on a GPU that has it, bfloat16 on a CPU with matrix units
    for it (AMX), else float32. Only GPUs have TF32: elsewhere it means float32.

    Args:
        precision: a name of `PRECISIONS`.
        device: where the training computes.

    Returns:
        float32, tf32 or bfloat16.
    """
    has_tf32 = device.type == "cuda" and torch.cuda.get_device_capability(device) >= TF32_SINCE
    if precision == "auto":
        has_bfloat16 = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
        return "tf32" if has_tf32 else "bfloat16" if has_bfloat16 else "float32"
    return "float32" if precision == "tf32" and not has_tf32 else precision


def launching(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """A lock that lets only this thread launch or capture GPU work, while GPUs keep running. Elsewhere it does nothing.

    Do not wait for a GPU while holding it, except to free graphs. Threads that launch at the same time pass Python's
    GIL back and forth at every call: sixteen training runs then took 4,300 steps a second together, where one alone
    took 7,000. So a thread that launches much does its Python in between under the lock, too: that brought sixteen runs
    from 14,100 to 18,500. And torch 2.11 refuses to replay a CUDA graph while another thread captures one.
    """
    return _alone if device.type == "cuda" else contextlib.nullcontext()


@contextlib.contextmanager
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """Makes CUDA compute float32 products and convolutions as `precision` says, inside this context.

    torch keeps that choice for the whole process. So everything that launches products on a GPU, except replays of
    CUDA graphs, does so in this context, and `launching` keeps other threads from launching meanwhile.

    Args:
        precision: tf32; with any other name, float32 means float32.
        device: the device that computes.
    """
    if device.type != "cuda":
        yield
        return
    with launching(device):
        before = torch.backends.cuda.matmul.allow_tf32
        _allow_tf32(precision == "tf32")
        try:
            yield
        finally:
            _allow_tf32(before)


def compute_exactly() -> None:
    """Makes CUDA compute float32 in float32, and the same input give the same bits; torch's defaults do neither.

    By default cuDNN's convolutions use TF32, with mantissas of 10 bits (mnist-conv's log p(x) is then off float64's by
    up to 0.056 nats, with this by 0.0002), and sum their gradients in varying order, so that no run could be resumed
    exactly.
    """
    _allow_tf32(False)
    torch.backends.cudnn.deterministic = True


def _allow_tf32(is_allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = is_allowed
    torch.backends.cudnn.allow_tf32 = is_allowed
