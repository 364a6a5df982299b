"""Pictures of what a model makes while it learns: one frame per moment, many tiles per frame.

A frame has 20 × 24 tiles of 28×28 pixels. Rows 0–19 are the latent map: the prior's quantiles in two dimensions, the
first from left to right, the second from bottom to top, all others at the prior's mean. Rows 20–21 are forty draws from
the prior, always with the same noise. Rows 22 and 23 are twenty held-out images, and their reconstructions from the
mean of q(z|x). The file's comment names the dimensions of its map.
"""

from __future__ import annotations

import io
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..files import write_atomically
from ..model import VAE
from ..precision import arithmetic

SIDE = 20  # tiles along each side of the map, and images in a row
SAMPLES = 2 * SIDE
FIRST = 0.25  # seconds of training between two kept frames, at the beginning
GROWTH = 0.02  # later, as a fraction of the time so far: an hour makes about 300 frames, ten hours 400
QUALITY = 85  # of the JPEG


def frame(model: VAE, x: Tensor, kl_per_dim: list[float]) -> Tensor:
    """What a model makes now, as one grey picture.

    Args:
        model: the VAE.
        x: (20, 1, 28, 28) in [0, 1], held-out images as the model needs them, on its device.
        kl_per_dim: nats; the map shows the two dimensions with the largest.

    Returns:
        (24·28, 20·28) in [0, 1], on the CPU.
    """
    with torch.inference_mode(), arithmetic("float32", x.device):
        noise = model.sample_prior(SAMPLES, torch.Generator(x.device).manual_seed(0))
        z = torch.cat([map_points(model, kl_per_dim), noise, model.encode(x)[0]])
        made = model.x_hat(z)
    tiles = torch.cat([made[: -len(x)], x, made[-len(x) :]]).clamp(0, 1).cpu()
    rows = tiles.reshape(-1, SIDE, 28, 28)
    return rows.permute(0, 2, 1, 3).reshape(-1, SIDE * 28)


def map_points(model: VAE, kl_per_dim: list[float]) -> Tensor:
    """The points of the latent map in reading order, (400, D); with one dimension, its 400 quantiles."""
    config = model.config
    weight = next(model.parameters())
    prior = torch.distributions.Normal(config.prior_mean, config.prior_std)
    dims = map_dims(kl_per_dim)
    points = torch.full((SIDE * SIDE, config.latent_dim), config.prior_mean)
    if len(dims) == 1:
        points[:, 0] = prior.icdf((torch.arange(SIDE * SIDE) + 0.5) / (SIDE * SIDE))
    else:
        axis = prior.icdf((torch.arange(SIDE) + 0.5) / SIDE)
        points[:, dims[0]], points[:, dims[1]] = axis.repeat(SIDE), axis.flip(0).repeat_interleave(SIDE)
    return points.to(weight)


def map_dims(kl_per_dim: list[float]) -> list[int]:
    """The dimensions that the map shows: the two with the largest KL, ascending; if there is only one, that one."""
    return sorted(sorted(range(len(kl_per_dim)), key=lambda j: -kl_per_dim[j])[:2])


class Film:
    """The frames of a run: the newest one, and the kept ones, which become rarer as training goes on.

    Args:
        folder: where they are written.
        x: (20, 1, 28, 28) held-out images as the model needs them.
        seconds: of training that have been filmed already.
    """

    def __init__(self, folder: Path, x: Tensor, seconds: float = 0.0) -> None:
        self.folder = folder
        self.x = x
        self._next = _after(seconds) if seconds else 0.0
        folder.mkdir(exist_ok=True)

    def take(self, model: VAE, step: int, seconds: float, kl_per_dim: list[float], *, keep: bool = False) -> None:
        """Writes newest.jpg, and <step>.jpg if a frame is due or `keep` says so.

        Raises:
            OSError: the folder cannot be written.
        """
        picture = (frame(model, self.x, kl_per_dim) * 255).round().to(torch.uint8)
        file = io.BytesIO()
        dims = " ".join(map(str, map_dims(kl_per_dim)))
        Image.fromarray(picture.numpy()).save(file, "JPEG", quality=QUALITY, comment=dims)
        content = file.getvalue()
        write_atomically(self.folder / "newest.jpg", content)
        if keep or seconds >= self._next:
            write_atomically(self.folder / f"{step}.jpg", content)
            self._next = _after(seconds)


def _after(seconds: float) -> float:
    """When the next frame to keep is due."""
    return seconds + max(FIRST, GROWTH * seconds)
