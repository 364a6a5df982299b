"""What the page knows of a model: its description, and its decoder, which the browser runs itself."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from torch import Tensor

from vae_core.checkpoint import CheckpointError
from vae_core.data import INK_SIZE, TITLES, fit_drawing, of_each_label
from vae_core.folder import RunError
from vae_core.portable import portable_decoder

from .backend import Backend, Loaded, field, pixels
from .login import check_login


def describe(backend: Backend, request: Any) -> dict[str, Any]:
    """A model's latent dimensions, most informative first, and ten test images to start from.

    Args:
        request: {model}.

    Returns:
        dims: [{index, kl: nats or null}]. prior_mean, prior_std. likelihood, binarization.
        examples: [{label, image}], one of each label. examples_from: the dataset's title.
    """
    loaded = backend.load(field(request, "model"))
    config, about = loaded.model.config, loaded.header.about
    dataset = backend.shown_dataset(about.get("data"))
    size = INK_SIZE.get(about.get("data"), 20)

    def as_trained(image: Tensor) -> Tensor:
        """An image of another dataset in the format of the model's own."""
        return image / 255 if dataset.name == about.get("data") else fit_drawing(image[0], size)

    kl = about.get("kl_per_dim") or [None] * config.latent_dim
    order = sorted(range(config.latent_dim), key=lambda j: -(kl[j] or 0))
    return {
        "dims": [{"index": j, "kl": kl[j]} for j in order],
        "prior_mean": config.prior_mean,
        "prior_std": config.prior_std,
        "likelihood": config.likelihood,
        "binarization": config.binarization,
        "examples": [{"label": label, "image": pixels(as_trained(image))} for label, image in of_each_label(dataset)],
        "examples_from": TITLES[dataset.name],
    }


def routes(backend: Backend) -> list[BaseRoute]:
    """live/models/<model>/decoder: the file of vae_core.portable, sent only where the browser has another one."""

    @lru_cache(maxsize=16)
    def portable(loaded: Loaded) -> tuple[bytes, str]:
        content = portable_decoder(loaded.model)
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    def decoder(request: Request) -> Response:
        check_login(request)
        try:
            content, tag = portable(backend.load(request.path_params["model"]))
        except (CheckpointError, RunError, ValueError) as error:
            raise HTTPException(404, str(error)) from None
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/octet-stream", headers=headers)

    return [Route("/live/models/{model}/decoder", decoder)]
