"""What the card on a training's promises asks of a model: the linear one's optimum, and q(z) beside the prior."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vae_core.config import VAEConfig
from vae_core.data import TITLES, Dataset, binarized_for_evaluation, converted, spread
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import ppca
from vae_core.evaluation.information import information

from ..backend import Backend
from ..loaded import Loaded, made_once
from ..web.requests import field, pixels

LINEAR_MODEL = "digits-linear-8d"  # whose optimum is known
IMAGES = 1000  # test images that bound the KL of q(z): the work grows with their square
SHOWN = 5000  # test images whose q(z) is shown
CELLS = 96  # per side of its picture


def optimum(backend: Backend, _: Any) -> dict[str, Any]:
    """The shipped linear model against the maximum of the likelihood, on its own training images (T20a).

    Returns:
        learned, best: log p(x) of the model and of the optimum, nats per image. sigma, best_sigma. variances,
        best_variances: along the learned directions, z rotated to where they are nearest to the optimum's, and the
        eigenvalues of the images' covariance, the largest first: D numbers each. cosines: of the angles between both.
        directions, best_directions: base64 of 28×28 bytes for each; grey is 0. gap: KL(q‖p(z|x)) of the encoder's q,
        nats per image.
    """
    loaded = backend.load(LINEAR_MODEL)
    return _optimum(loaded, backend.dataset("digits"))


@made_once
def _optimum(loaded: Loaded, dataset: Dataset) -> dict[str, Any]:
    model = loaded.model
    assert isinstance(model.decoder, nn.Linear)
    x = binarized_for_evaluation(dataset.train, model.config.binarization)
    best = ppca.maximum_likelihood(x, model.config.latent_dim)
    wanted = best.weight.flip(1)
    weight = model.config.prior_std * model.decoder.weight.detach().double()
    turned = weight @ _rotation(weight, wanted)
    norms, best_norms = turned.norm(dim=0), wanted.norm(dim=0)
    sigma = float(model.sigma or 0.0)
    with torch.inference_mode():
        gap = ppca.kl_to_posterior(model, x, model.posterior(x))
    return {
        "learned": float(ppca.log_likelihood(model, x).mean()),
        "best": best.log_likelihood,
        "sigma": sigma,
        "best_sigma": best.sigma,
        "variances": (norms.square() + sigma**2).tolist(),
        "best_variances": (best_norms.square() + best.sigma**2).tolist(),
        "cosines": (turned / norms * wanted / best_norms).sum(0).tolist(),
        "directions": _as_pictures(turned / norms),
        "best_directions": _as_pictures(wanted / best_norms),
        "gap": float(gap.mean()),
    }


def _rotation(weight: Tensor, wanted: Tensor) -> Tensor:
    """The rotation of z (D, D) that brings a weight (784, D) nearest to another: the likelihood does not notice it.

    Source: Schönemann (1966), "A generalized solution of the orthogonal Procrustes problem".
    """
    u, _, v = torch.linalg.svd(weight.T @ wanted)
    return u @ v


def _as_pictures(directions: Tensor) -> str:
    """Unit vectors (784, D) as pictures, the largest entry of each as black or white."""
    return pixels((0.5 + 0.5 * directions / directions.abs().amax(0)).T)


def aggregate(backend: Backend, request: Any) -> dict[str, Any]:
    """q(z) = E_x q(z|x) over test images, as a picture beside the prior, and the bounds of its KL to the prior.

    Args:
        request: {model}.

    Returns:
        kl: the mean KL(q(z|x)‖p(z)) of these images, nats. information, marginal: [at least, at most] of I(x; z) and of
        KL(q(z)‖p(z)), which add up to it. images: how many; data: the dataset's title. dims: the two dimensions of
        largest KL, which are shown. density: base64 of cells × cells bytes, q(z) with its largest value as 255, the
        first dimension to the right and the second upwards. half: half its side, in standard deviations of the prior.
        version: changes with the weights.
    """
    loaded = backend.load(field(request, "model"))
    if loaded.model.config.latent_dim < 2:
        raise ValueError("This model has one latent dimension; q(z) is shown over two: choose another model above.")
    dataset = backend.shown_dataset(loaded.header.about.get("data"))
    return _aggregate(loaded, dataset)


@made_once
def _aggregate(loaded: Loaded, dataset: Dataset) -> dict[str, Any]:
    model = loaded.model
    images = dataset.test[spread(len(dataset.test), SHOWN)]
    x = binarized_for_evaluation(
        converted(images, dataset.name, loaded.header.about.get("data")), model.config.binarization
    )
    with torch.inference_mode():
        parts = [model.posterior(part) for part in x.split(1000)]
        q = DiagonalGaussian(*(torch.cat(each) for each in zip(*parts, strict=True)))
        some = x[spread(len(x), IMAGES)]
        kl = q.kl(model.prior)[spread(len(x), IMAGES)]
        dims = kl.mean(0).argsort(descending=True)[:2].sort().values
        found = information(model, some, generator=torch.Generator().manual_seed(0))
        density, half = _density(model.config, DiagonalGaussian(q.mu[:, dims], q.logvar[:, dims]))
    if not bool(kl.isfinite().all()):
        raise ValueError("This model's q(z|x) of some test image is not finite: choose another model above.")
    return {
        "kl": float(kl.double().sum(1).mean()),
        "information": [found.at_least, found.at_most],
        "marginal": [found.marginal_at_least, found.marginal_at_most],
        "images": len(some),
        "data": TITLES[dataset.name],
        "dims": dims.tolist(),
        "density": pixels((density / density.max()).T.flip(0)),
        "cells": CELLS,
        "half": half,
        "version": str(loaded.version),
    }


def _density(config: VAEConfig, q: DiagonalGaussian) -> tuple[Tensor, float]:
    """The mean of these q's (N, 2) on a grid about the prior's mean: (CELLS, CELLS), and half its side in σ_p."""
    off = (q.mu - config.prior_mean).abs() / config.prior_std
    half = max(3.5, float(off.quantile(0.99)) * 1.1)
    cell = 2 * half * config.prior_std / CELLS
    axis = config.prior_mean + cell * (torch.arange(CELLS) - (CELLS - 1) / 2)
    std = (q.std.square() + (cell / 3) ** 2).sqrt()  # no peak between two points is missed
    each = torch.exp(-0.5 * ((axis - q.mu.unsqueeze(2)) / std.unsqueeze(2)).square()) / std.unsqueeze(2)  # (N, 2, C)
    return each[:, 0].T @ each[:, 1] / len(q.mu), half
