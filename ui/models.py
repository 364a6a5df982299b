"""What the page knows about a model: its description, its decoder, which the browser runs, and where images lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from torch import Tensor

from vae_core.config import evidence
from vae_core.data import TITLES, DataError, Dataset, converted, of_each_label, spread
from vae_core.evaluation.latent import embed, principal_axes, reach
from vae_core.runs.folder import RunError
from vae_core.storage.checkpoint import CheckpointError
from vae_core.storage.portable import packed, portable_decoder

from . import labels
from .backend import Backend
from .loaded import Loaded, made_once
from .vocabulary import DECODED_AT_ONCE
from .web.login import check_login
from .web.requests import field, pixels, rounded, vector

MOST_MEANS = 10_000
SOME = 500  # test images that say at once how far a model's ranges go; all of them may take a residual network 10 s


def describe(backend: Backend, request: Any) -> dict[str, Any]:
    """A model's latent dimensions, most informative first, and test images to start from.

    Args:
        request: {model}.

    Returns:
        dims: [{index, kl: nats or null}]. reach: of each dimension, in its own order, how far to either side of the
        prior's mean its ranges go, by some test images. prior_mean, prior_std. likelihood, binarization. evidence:
        what log p(x) is called.
        examples: [{label, image, mu}], one of each label; mu: the mean of its q(z|x), null if it is not finite.
        examples_from: the dataset's title. figures: what the model was measured to be worth, in words.
    """
    loaded = backend.load(field(request, "model"))
    config = loaded.model.config
    about = loaded.header.about
    dataset = backend.shown_dataset(about.get("data"))
    kl = about.get("kl_per_dim") or [None] * config.latent_dim
    order = sorted(range(config.latent_dim), key=lambda j: -(kl[j] or 0))
    return {
        "dims": [{"index": j, "kl": kl[j]} for j in order],
        "reach": _reach(loaded, dataset),
        "prior_mean": config.prior_mean,
        "prior_std": config.prior_std,
        "likelihood": config.likelihood,
        "binarization": config.binarization,
        "evidence": evidence(config.likelihood, config.binarization),
        "examples": _examples(loaded, dataset),
        "examples_from": TITLES[dataset.name],
        "figures": labels.figures(loaded.header),
    }


def decode(backend: Backend, request: Any) -> dict[str, Any]:
    """The decoded pictures of points, for a browser that is too slow to decode them itself.

    Args:
        request: {model, z: D numbers, or at most 64 such lists}.

    Returns:
        image: base64 of 28×28 bytes for each point.
    """
    loaded = backend.load(field(request, "model"))
    z = field(request, "z")
    points = z if isinstance(z, list) and z and isinstance(z[0], list) else [z]
    if len(points) > DECODED_AT_ONCE:
        raise ValueError(f"z has {len(points)} points; it may have at most {DECODED_AT_ONCE}.")
    z = torch.stack([vector("z", point, loaded.model.config.latent_dim) for point in points])
    with torch.inference_mode():
        return {"image": pixels(loaded.model.x_hat(z))}


def means(loaded: Loaded, dataset: Dataset) -> bytes:
    """The posterior means of the test images, at most 10,000 evenly over all, as a file for the browser.

    The file has the format of `packed`. The description has count, dims, data (the dataset's title), axes (the
    principal axes of the means, two lists of D numbers; none for D = 1), and how far ranges go along each dimension
    (reach) and along each of these axes (axes_reach); the numbers are count × dims, and the rest are the labels, a byte
    each.
    """
    chosen = spread(len(dataset.test), MOST_MEANS)
    mu = _embedded(loaded, dataset, chosen)
    axes = principal_axes(mu) if mu.shape[1] > 1 else mu.new_zeros(0, 1)
    prior = loaded.model.prior
    about = {
        "count": len(mu),
        "dims": mu.shape[1],
        "data": TITLES[dataset.name],
        "axes": axes.tolist(),
        "reach": reach(mu, prior).tolist(),
        "axes_reach": reach(mu, prior, axes).tolist(),
    }
    labels = dataset.test_labels[chosen].to(torch.uint8).numpy().tobytes()
    return packed(about, mu, labels)


@made_once
def _reach(loaded: Loaded, dataset: Dataset) -> list[float]:
    """How far the ranges of each dimension go, by some test images."""
    mu = _embedded(loaded, dataset, spread(len(dataset.test), SOME))
    return reach(mu, loaded.model.prior).tolist()


@made_once
def _examples(loaded: Loaded, dataset: Dataset) -> list[dict[str, Any]]:
    """A test image of each label in the format of the model's own dataset, and the mean of its q as Draw has it."""
    found, images = zip(*of_each_label(dataset), strict=True)
    shown = converted(torch.stack(images), dataset.name, loaded.header.about.get("data"))
    mu = [embed(loaded.model, image[None])[0] for image in shown]  # each by itself: binarized by the same draw as there
    return [
        {"label": label, "image": pixels(image), "mu": rounded(mean) if bool(mean.isfinite().all()) else None}
        for label, image, mean in zip(found, shown, mu, strict=True)
    ]


def _embedded(loaded: Loaded, dataset: Dataset, chosen: Tensor) -> Tensor:
    """The posterior means (N, D) of these test images, brought into the format of the model's own dataset."""
    return embed(loaded.model, converted(dataset.test[chosen], dataset.name, loaded.header.about.get("data")))


def routes(backend: Backend) -> list[BaseRoute]:
    """live/models/<model>/decoder and …/means: files, each sent only if the browser does not have it already."""

    def shown(loaded: Loaded) -> tuple[Dataset]:
        return (backend.shown_dataset(loaded.header.about.get("data")),)

    def route(name: str, make: Callable[..., bytes], of: Callable[[Loaded], tuple[Any, ...]]) -> Route:
        @made_once
        def made(loaded: Loaded, *more: Any) -> tuple[bytes, str]:
            content = make(loaded, *more)
            return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

        def answer(request: Request) -> Response:
            check_login(request)
            try:
                loaded = backend.load(request.path_params["model"])
                content, tag = made(loaded, *of(loaded))
            except (CheckpointError, RunError, DataError, ValueError) as error:
                raise HTTPException(404, str(error)) from None
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            if request.headers.get("If-None-Match") == tag:
                return Response(status_code=304, headers=headers)
            return Response(content, media_type="application/octet-stream", headers=headers)

        return Route(f"/live/models/{{model}}/{name}", answer)

    return [
        route("decoder", lambda loaded: portable_decoder(loaded.model), lambda _: ()),
        route("means", means, shown),
    ]
