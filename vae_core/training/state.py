"""Weights, optimizer and sums of a training run at one step, in one file: enough to resume exactly."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..files import write_atomically
from ..model import VAE
from .average import Average
from .loop import Sums, TrainState


def write_state(path: Path, model: VAE, state: TrainState) -> None:
    """Writes the file, in place of an old one.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    tensors = {f"model.{name}": tensor.detach() for name, tensor in model.state_dict().items()}
    tensors |= {f"adam.{name}": tensor for name, tensor in state.adam.state().items()}
    if state.average:
        tensors |= {f"average.{name}": tensor for name, tensor in state.average.state().items()}
    sums = state.sums
    if sums.measured is not None:
        tensors["sums"] = sums.measured
    tensors = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
    header = {"step": state.step, "seconds": state.seconds, "images": sums.images, "sum_seconds": sums.seconds}
    header |= {"best": state.best, "epochs_since_best": state.epochs_since_best}
    write_atomically(path, save(tensors, metadata={name: repr(value) for name, value in header.items()}))


def read_state(path: Path, model: VAE, device: torch.device) -> TrainState:
    """Loads the file's weights into the model, which is on the device, and returns the state to resume from.

    Raises:
        SafetensorError, OSError, KeyError, RuntimeError, ValueError: it is damaged, or does not fit the model.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    state = TrainState.start(model)
    model.load_state_dict(_of("model.", tensors))
    state.adam.restore(_of("adam.", tensors))
    state.step = int(metadata["step"])
    state.seconds = float(metadata["seconds"])
    state.best = float(metadata.get("best", -math.inf))  # runs of the first version have neither
    state.epochs_since_best = int(metadata.get("epochs_since_best", 0))
    if average := _of("average.", tensors):
        state.average = Average(model)
        state.average.restore(average)
    state.sums = Sums(int(metadata["images"]), float(metadata["sum_seconds"]), tensors.get("sums"))
    return state


def read_progress(path: Path) -> tuple[int, float]:
    """The step of the file and the seconds of training until then; 0 if it is missing or unusable."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            return int(metadata["step"]), float(metadata["seconds"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return 0, 0.0  # `read_state` says what is wrong


def _of(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with the prefix, by name without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
