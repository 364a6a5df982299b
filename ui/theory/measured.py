"""What cards ask the server: figures of the shipped models, the ELBOs of a batch, and single draws of an image."""

from __future__ import annotations

from typing import Any

import torch

from vae_core.data import TITLES, Dataset, binarized_for_evaluation, converted, spread
from vae_core.objective import elbo
from vae_core.settings import check_int

from ..backend import Backend
from ..loaded import Loaded, made_once
from ..web.requests import field, finite, image_bytes

BATCH = 100  # test images
BATCH_DRAWS = 32  # of each
MOST_DRAWS = 512  # in one answer


def shipped_figures(backend: Backend, request: Any) -> dict[str, Any]:
    """What the shipped models were measured to be worth, as their files say (T19).

    Args:
        request: not looked at.

    Returns:
        models: of each that was measured on test images, {model, data, dims, likelihood, elbo, reconstruction, kl:
        nats per image, sigma: of a Gaussian likelihood, else null}.
    """
    models = []
    for name in backend.shipped:
        header = backend.load(name).header
        found = header.about.get("figures") or {}
        if found.get("split") != "test":
            continue
        about = {"model": name, "data": TITLES[found["data"]], "dims": header.config.latent_dim}
        terms = {key: found[key] for key in ("likelihood", "elbo", "reconstruction", "kl")}
        models.append(about | terms | {"sigma": found.get("sigma")})
    return {"models": models}


def batch_elbos(backend: Backend, request: Any) -> dict[str, Any]:
    """The ELBOs of a batch of test images, and how far a single draw's estimate of each is off (T10).

    Args:
        request: {model}.

    Returns:
        elbos: nats, of up to 100 test images evenly over all, from 32 draws each. scatter: the standard deviation of
        the estimate from one draw, in the same order. data: the dataset's title.
    """
    loaded = backend.load(field(request, "model"))
    dataset = backend.shown_dataset(loaded.header.about.get("data"))
    elbos, scatter = batch_terms(loaded, dataset)
    return {"elbos": elbos, "scatter": scatter, "data": TITLES[dataset.name]}


@made_once
def batch_terms(loaded: Loaded, dataset: Dataset) -> tuple[list[float], list[float]]:
    """The ELBO of each image of a batch, and the standard deviation of its estimate from one draw; finite ones only."""
    images = dataset.test[spread(len(dataset.test), BATCH)]
    images = converted(images, dataset.name, loaded.header.about.get("data"))
    x = binarized_for_evaluation(images, loaded.model.config.binarization)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        parts = [elbo(loaded.model, part, BATCH_DRAWS, generator=generator) for part in x.split(20)]
    elbos = torch.cat([part.elbo for part in parts])
    scatter = torch.cat([part.log_px.std(0) for part in parts])
    sound = elbos.isfinite() & scatter.isfinite()
    return elbos[sound].tolist(), scatter[sound].tolist()


def single_draws(backend: Backend, request: Any) -> dict[str, Any]:
    """log p(x|z) of single draws of the encoder's q, for a browser that does not decode this model itself (T9).

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees, draws: from 1 to 512, seed}.

    Returns:
        log_px: nats, of each draw; a value that is not finite is left out.
    """
    model = backend.load(field(request, "model")).model
    x = image_bytes("image", field(request, "image"), 28).float()[None, None] / 255
    draws, seed = field(request, "draws"), field(request, "seed")
    check_int("draws", draws, 1, MOST_DRAWS)
    check_int("seed", seed, 0, 2**31)
    with torch.inference_mode():
        log_px = elbo(model, x, draws, generator=torch.Generator().manual_seed(seed)).log_px[:, 0]
    return {"log_px": [value for value in map(finite, log_px) if value is not None]}
