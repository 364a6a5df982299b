"""A model as one safe file: weights in safetensors, configuration and figures in its header. No pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save
from torch import Tensor

from ..config import VAEConfig
from ..files import write_atomically
from ..model import VAE
from .about import check_about
from .plain_json import brief, parse_json
from .tensors import metadata_of, read_metadata, read_tensors

FORMAT = "vae_core 1"

Read = TypeVar("Read")


class CheckpointError(ValueError):
    """A file is not a checkpoint of this app, or is damaged.

    The message is one that a page may show to anybody: it names the file, but not where the file lies.

    Args:
        fault: the sentence, or the rest of it where the file's name begins it.
        path: the file, if the sentence is about one.
    """

    def __init__(self, fault: str, path: str | Path | None = None) -> None:
        super().__init__(f"{Path(path).name} {fault}" if path else fault)
        self.with_path = f"{path} {fault}" if path else fault  # for whoever typed the path


@dataclass(frozen=True)
class Header:
    """A checkpoint's description of itself: the model's configuration; about: data, training and figures."""

    config: VAEConfig
    about: dict[str, Any]


def save_checkpoint(
    model: VAE, path: str | Path, about: dict[str, Any] | None = None, dtype: torch.dtype | None = None
) -> None:
    """Writes the model to one file, completely or not at all: under a temporary name, fsynced, then renamed.

    Args:
        model: its weights and configuration.
        path: conventionally *.safetensors.
        about: anything else about the model, as JSON allows it: data, training, figures.
        dtype: floating type in which the weights are stored; their own if None. A loaded model always has float32
            weights.

    Raises:
        ValueError: the file could not be loaded again: a weight is not finite, or no longer finite in that type, or
            `about` fails `check_about`. An existing file is left unchanged.
        TypeError: `about` is not JSON.
        OSError: the file cannot be written.
    """
    weights = {name: tensor.detach().to(dtype=dtype).contiguous().cpu() for name, tensor in model.state_dict().items()}
    if wrong := _not_finite(weights):
        raise ValueError(f"The weights {wrong} are not finite; they were not saved.")
    header = {"format": FORMAT, "config": json.dumps(asdict(model.current_config())), "about": json.dumps(about or {})}
    content = save(weights, metadata=header)
    try:
        _parse(path, header)
        metadata_of(io.BytesIO(content), len(content))
    except ValueError as error:
        raise ValueError(f"The model was not saved, since it could not be loaded again: {error}") from error
    write_atomically(path, content)


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> VAE:
    """Loads the model from a file, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, truncated or foreign, its shapes do not match its configuration, or its
            weights are not finite numbers.
    """
    metadata, tensors = _opened(read_tensors, path)
    header = _parse(path, metadata)
    with torch.device("meta"):  # allocates no memory for weights that the file may not hold
        wanted = {name: tuple(tensor.shape) for name, tensor in VAE(header.config).state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            has, needs = found.get(name, "none"), wanted.get(name, "none")
            fault = brief(f"{name} has the shape {has}, {header.config.architecture} needs {needs}.")
            raise CheckpointError(f"does not fit its configuration: {fault}", path)
    if wrong := _not_finite(tensors):
        raise CheckpointError(f"holds weights that are not all finite numbers: {wrong}.", path)
    model = VAE(header.config, torch.Generator())
    model.load_state_dict(tensors)
    return model.to(device).eval()


def read_header(path: str | Path) -> Header:
    """Reads the header of a file, without its weights.

    Raises:
        CheckpointError: as `load_checkpoint`.
    """
    return _parse(path, _opened(read_metadata, path))


def _not_finite(weights: dict[str, Tensor]) -> str | None:
    """The name of the first weights that a loaded model, which has float32, would not have as finite numbers."""
    for name, tensor in weights.items():
        if not (tensor.is_floating_point() and bool(tensor.float().isfinite().all())):
            return name
    return None


def _opened(read: Callable[[str | Path], Read], path: str | Path) -> Read:
    """What is read of a file; what goes wrong names it."""
    try:
        return read(path)
    except FileNotFoundError as error:
        raise CheckpointError("is not there.", path) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot be read as a checkpoint: {brief(why)}.", path) from error


def _parse(path: str | Path, metadata: dict[str, str]) -> Header:
    """The header from a safetensors file's metadata."""
    if metadata.get("format") != FORMAT:
        raise CheckpointError("is a safetensors file, but no VAE of this app.", path)
    try:
        config = VAEConfig(**parse_json(metadata["config"]))
        return Header(config, check_about(parse_json(metadata["about"]), config.latent_dim))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"has a header that cannot be understood: {brief(error)}", path) from error
