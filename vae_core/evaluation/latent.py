"""Where images lie in latent space, and which training image is nearest to a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import binarized_for_evaluation
from ..model import VAE

IMAGES_AT_ONCE = 2048


@torch.inference_mode()
def embed(model: VAE, images: Tensor) -> Tensor:
    """The mean of q(z|x) of each image (T16).

    Args:
        model: the VAE.
        images: (N, 1, 28, 28) uint8; binarized as the model needs it, with one fixed, seeded draw.

    Returns:
        (N, D), on the CPU.
    """
    device = next(model.parameters()).device
    x = binarized_for_evaluation(images, model.config.binarization, device)
    return torch.cat([model.encode(part)[0] for part in x.split(IMAGES_AT_ONCE)]).cpu()


def principal_axes(mu: Tensor) -> Tensor:
    """The two directions in which points vary most, largest variance first: unit vectors, by PCA.

    Args:
        mu: (N, D), D ≥ 2.

    Returns:
        (2, D); each axis's largest component is positive, so that a picture of it does not flip.
    """
    centred = (mu - mu.mean(0)).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # ascending
    axes = vectors[:, -2:].T.flip(0)
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return (axes * largest.sign()).to(mu.dtype)


@torch.inference_mode()
def nearest(pictures: Tensor, images: Tensor) -> Tensor:
    """The index of the nearest image to each picture, by Euclidean distance of the grey values.

    Args:
        pictures: (M, 28·28) in [0, 1].
        images: (N, 1, 28, 28) uint8.

    Returns:
        (M,) int64.
    """
    best = torch.full((len(pictures),), torch.inf)
    index = torch.zeros(len(pictures), dtype=torch.int64)
    for start in range(0, len(images), IMAGES_AT_ONCE):
        some = images[start : start + IMAGES_AT_ONCE].flatten(1).float() / 255
        squares = some.square().sum(1) - 2 * pictures @ some.T  # without the picture's own square
        least, where = squares.min(1)
        closer = least < best
        best, index = torch.where(closer, least, best), torch.where(closer, where + start, index)
    return index
