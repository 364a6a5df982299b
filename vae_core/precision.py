"""The arithmetic of products and convolutions. Weights, sums and every evaluation are always in float32."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

TF32_SINCE = (8, 0)  # the compute capability from which a GPU has TF32's products

_alone = threading.RLock()


def resolve(precision: str, device: torch.device) -> str:
    """The precision in which a training on this device really computes.

    auto is the quickest one that trains as well as float32: TF32 on a GPU that has it, bfloat16 on a processor with
    matrix units for it (AMX), else float32. TF32 is a GPU's: elsewhere it means float32.

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
    """Lets this thread alone launch work on GPUs, or record it; the GPUs go on meanwhile. Elsewhere it does nothing.

    What a GPU computes is not waited for in here. Threads that launch beside each other hand Python's lock to and fro
    at every call: sixteen trainings then took 4,300 steps a second together, where one alone took 7,000. And torch 2.11
    refuses to replay a recording while another thread records.
    """
    return _alone if device.type == "cuda" else contextlib.nullcontext()


@contextlib.contextmanager
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """Has CUDA compute float32 products and convolutions as `precision` says, as long as this thread is in here.

    torch keeps that choice for the whole process. So everything that launches products on a GPU, but for what replays
    recorded ones, does it in here, and by `launching` no other thread does meanwhile.

    Args:
        precision: tf32; with any other name float32 means float32.
        device: what computes.
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
    """Has CUDA take float32 as float32, and the same input give the same bits; torch's defaults do neither.

    cuDNN's convolutions would be in TF32, with mantissas of 10 bits (of mnist-conv's log p(x) 0.056 nats off float64 at
    most, 0.0002 so), and their gradients would be summed in an order of the moment, so that no run could be resumed
    exactly.
    """
    _allow_tf32(False)
    torch.backends.cudnn.deterministic = True


def _allow_tf32(is_allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = is_allowed
    torch.backends.cudnn.allow_tf32 = is_allowed
