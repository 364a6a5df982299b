"""Estimates of log p(x) saved to a file as they are computed, so that an evaluation of hours can be interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ..files import write_atomically
from ..model import VAE
from ..storage.tensors import read_tensors
from .evaluate import IMAGES_AT_ONCE, log_likelihood


def kept_log_likelihood(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator,
    path: Path,
    progress: Callable[[int], None] | None = None,
) -> tuple[Tensor, int]:
    """`log_likelihood`, resumed where the file left off; bit for bit the same as without a file.

    Args:
        model, x, samples, generator, progress: as for `log_likelihood`; progress also counts what the file holds.
        path: of the file; made if it is missing, and replaced after every `IMAGES_AT_ONCE` images.

    Returns:
        (B,) nats, and how many of them were already in the file.

    Raises:
        ValueError: the file holds the estimates of another model, of other images or draws, or is damaged.
        OSError: the file cannot be written.
    """
    what = _fingerprint(model, x, samples, generator)
    done = _load(path, what, generator, len(x)) if path.exists() else torch.empty(0, dtype=x.dtype)
    held = len(done)
    if progress:
        progress(held * samples)
    for start in range(held, len(x), IMAGES_AT_ONCE):
        _write(path, what, done, generator)  # before the first part, too: no hours go into what cannot be saved
        part = x[start : start + IMAGES_AT_ONCE]
        done = torch.cat([done, log_likelihood(model, part, samples, generator, progress=progress).cpu()])
    _write(path, what, done, generator)
    return done, held


def _fingerprint(model: VAE, x: Tensor, samples: int, generator: torch.Generator) -> str:
    """A hash of the weights, the images, K and the draws."""
    parts = [*model.state_dict().values(), x, generator.get_state()]
    digest = hashlib.sha256(f"{model.config} {samples} {x.device.type}".encode())
    for part in parts:
        digest.update(part.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _write(path: Path, what: str, done: Tensor, generator: torch.Generator) -> None:
    write_atomically(path, save({"log_px": done, "generator": generator.get_state()}, metadata={"what": what}))


def _load(path: Path, what: str, generator: torch.Generator, most: int) -> Tensor:
    """Loads the estimates of a file, `most` of them at most, and sets the generator to where it was."""
    try:
        metadata, tensors = read_tensors(path)
        done = tensors["log_px"]
        is_of_this = metadata["what"] == what
        if is_of_this:
            if done.ndim != 1 or len(done) > most or not done.is_floating_point():
                raise ValueError("log_px is no list of estimates")
            generator.set_state(tensors["generator"])
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} holds no estimates, or is damaged; take another file.") from error
    if not is_of_this:
        raise ValueError(f"{path} holds the estimates of another evaluation; take another file.")
    return done
