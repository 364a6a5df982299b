"""Where images lie in latent space, how far they reach, and which training image is nearest to a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import binarized_for_evaluation
from ..densities import Prior
from ..model import VAE

IMAGES_AT_ONCE = 2048
LEAST = 4.0  # prior standard deviations that what is shown of latent space reaches, at least
MARGIN = 1.05  # so that the outermost image does not lie on the edge


@torch.inference_mode()
def embed(model: VAE, images: Tensor) -> Tensor:
    """The mean of q(z|x) of each image (T16).

    Args:
        model: the VAE.
        images: (N, 1, 28, 28) uint8, or float in [0, 1]; binarized as the model needs it, with one fixed, seeded draw.

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


def reach(mu: Tensor, prior: Prior, axes: Tensor | None = None) -> Tensor:
    """How far from the prior's mean, to either side, latent space is to be shown: the prior and all of the images.

    Nothing holds the means of q(z|x) near the prior where the KL costs little or nothing.

    Args:
        mu: (N, D) means of q(z|x); what is not finite does not count.
        prior: of each dimension.
        axes: (A, D) unit vectors; the dimensions themselves if None.

    Returns:
        (A,) in units of z: 4 standard deviations of the prior, or a twentieth more than the furthest mean.
    """
    off = mu - prior.mean
    off = (off if axes is None else off @ axes.T).abs()
    furthest = torch.where(off.isfinite(), off, 0).amax(0)
    return (MARGIN * furthest).clamp(min=LEAST * prior.std)


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
