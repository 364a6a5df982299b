"""Weights, optimizer and sums of a training run at one step, in one file: enough to resume exactly."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ..config import MOST_SECONDS, MOST_STEPS
from ..files import write_atomically
from ..model import VAE
from ..settings import check_float, check_int
from ..storage.about import MOST_NATS
from ..storage.tensors import read_metadata, read_tensors
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
        OSError, KeyError, RuntimeError, ValueError: it is damaged, or does not fit the model.
    """
    metadata, tensors = read_tensors(path)
    metadata = {"best": "-inf", "epochs_since_best": "0"} | metadata  # runs of the first version have neither
    for name, tensor in tensors.items():
        if not (tensor.is_floating_point() and bool(tensor.isfinite().all())):
            raise ValueError(f"{name} is not made of finite numbers.")
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    state = TrainState.start(model)
    model.load_state_dict(_of("model.", tensors))
    state.adam.restore(_of("adam.", tensors))
    state.step, state.seconds = _progress(metadata)
    state.best = check_float("best", float(metadata["best"]), -math.inf, MOST_NATS)
    state.epochs_since_best = _whole(metadata, "epochs_since_best")
    if average := _of("average.", tensors):
        state.average = Average(model)
        state.average.restore(average)
    sums = tensors.get("sums")
    if sums is not None and sums.shape != (1 + model.config.latent_dim,):
        raise ValueError(f"sums has the shape {tuple(sums.shape)}, not {(1 + model.config.latent_dim,)}.")
    state.sums = Sums(_whole(metadata, "images"), _seconds(metadata, "sum_seconds"), sums)
    return state


def read_progress(path: Path) -> tuple[int, float]:
    """The step of the file and the seconds of training until then; 0 if it is missing or unusable."""
    try:
        return _progress(read_metadata(path))
    except (OSError, KeyError, ValueError):
        return 0, 0.0  # `read_state` says what is wrong


def _progress(metadata: dict[str, str]) -> tuple[int, float]:
    return _whole(metadata, "step"), _seconds(metadata, "seconds")


def _whole(metadata: dict[str, str], name: str) -> int:
    return check_int(name, int(metadata[name]), 0, MOST_STEPS)


def _seconds(metadata: dict[str, str], name: str) -> float:
    return check_float(name, float(metadata[name]), 0, MOST_SECONDS)


def _of(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with the prefix, by name without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
