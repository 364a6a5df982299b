"""A model as one safe file: weights in safetensors, configuration and figures in its header. No pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .config import VAEConfig
from .files import write_atomically
from .model import VAE

FORMAT = "vae_core 1"


class CheckpointError(ValueError):
    """A file is not a checkpoint of this app, or is damaged; the message names the file and the fault."""


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
        dtype: type in which the weights are stored; their own if None. A loaded model always has float32 weights.

    Raises:
        ValueError: a weight is not finite, or no longer finite in that type; an existing file is left unchanged.
        OSError: the file cannot be written.
    """
    weights = {name: tensor.detach().to(dtype=dtype).contiguous().cpu() for name, tensor in model.state_dict().items()}
    for name, tensor in weights.items():
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"The weights {name} are not finite; they were not saved.")
    header = {"format": FORMAT, "config": json.dumps(asdict(model.current_config())), "about": json.dumps(about or {})}
    write_atomically(path, save(weights, metadata=header))


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> VAE:
    """Loads the model from a file, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, truncated, foreign, or its shapes do not match its configuration.
    """
    header, tensors = _read(path)
    with torch.device("meta"):  # allocates no memory for weights that the file may not hold
        wanted = {name: tuple(tensor.shape) for name, tensor in VAE(header.config).state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise CheckpointError(
                f"{path} does not fit its configuration: {name} has the shape {found.get(name, 'none')}, "
                f"{header.config.architecture} needs {wanted.get(name, 'none')}."
            )
    model = VAE(header.config, torch.Generator())
    model.load_state_dict(tensors)
    return model.to(device).eval()


def read_header(path: str | Path) -> Header:
    """Reads the header of a file, without its weights.

    Raises:
        CheckpointError: as `load_checkpoint`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return _parse(path, file.metadata())
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is not there.") from error
    except (SafetensorError, OSError) as error:
        why = getattr(error, "strerror", None) or "it is damaged, or of another kind"
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {why}.") from error


def _read(path: str | Path) -> tuple[Header, dict[str, Tensor]]:
    """Header and tensors of a file."""
    header = read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        why = getattr(error, "strerror", None) or "it is damaged, or of another kind"
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {why}.") from error


def _parse(path: str | Path, metadata: dict[str, str] | None) -> Header:
    """The header from a safetensors file's metadata."""
    if metadata is None or metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a safetensors file, but no VAE of this app.")
    try:
        header = Header(VAEConfig(**json.loads(metadata["config"])), json.loads(metadata["about"]))
        _check_about(header)
        return header
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} has a header that cannot be understood: {error}") from error


def _check_about(header: Header) -> None:
    """Raises an error if a figure that lists and pages show has the wrong type: the file may be an upload."""
    about = header.about
    kl = header.about.get("kl_per_dim") or []
    if len(kl) not in (0, header.config.latent_dim):
        raise ValueError(f"kl_per_dim has {len(kl)} numbers for {header.config.latent_dim} dimensions.")
    figures = [about.get(name) for name in ("step", "seconds", "test_step", "active_units", "hold_out")]
    figures = [figure for figure in figures if figure is not None] + list(kl)
    if test := about.get("test"):
        figures += [test["elbo"], *(test[name] for name in ("reconstruction", "kl") if name in test)]
    if not all(isinstance(figure, (int, float)) for figure in figures):
        raise ValueError("one of its figures is not a number.")
    if not isinstance(about.get("data"), (str, type(None))):
        raise ValueError("data is not a name.")
    if not all(isinstance(held, int) for held in (about.get("learned") or {}).values()):
        raise ValueError("learned must give a number of images for each dataset.")
