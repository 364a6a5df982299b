"""The Latents tab: a point in latent space, moved by hand, and what the decoder makes of it."""

from __future__ import annotations

import base64
from typing import Any

import gradio as gr
import torch
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from torch import Tensor

from vae_core.config import PIXELS
from vae_core.evaluation.latent import nearest
from vae_core.runs.export import as_gif

from .. import live
from ..backend import Backend
from ..models import decode, describe
from ..web.login import check_login
from ..web.requests import field, of, pixels
from .draw import look, truth

MOST_PICTURES = 64  # most pictures whose nearest training images are found at once
MOST_FRAMES = 240  # of a GIF


def neighbours(backend: Backend, request: Any) -> dict[str, Any]:
    """The training image nearest to each picture, by Euclidean distance of the grey values.

    Args:
        request: {model, images: base64 of at most 64 times 28×28 bytes}.

    Returns:
        image: base64 of 28×28 bytes for each; labels: of each; data: the title of the dataset.
    """
    loaded = backend.load(field(request, "model"))
    text = field(request, "images")
    dataset = backend.shown_dataset(loaded.header.about.get("data"))
    pictures = _pictures(text, MOST_PICTURES)
    index = nearest(pictures.flatten(1).float() / 255, dataset.train)
    labels = dataset.train_labels[index].tolist()
    return {"image": pixels(dataset.train[index] / 255), "labels": labels, "data": dataset.name}


def routes(backend: Backend) -> list[BaseRoute]:
    """live/gif: turns pictures made by the browser into a GIF."""

    async def gif(request: Request) -> Response:
        check_login(request)
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > MOST_FRAMES * PIXELS:
                raise HTTPException(413, f"A film has at most {MOST_FRAMES} pictures.")
        if not content or len(content) % PIXELS:
            raise HTTPException(400, "A film must be pictures of 28×28 bytes.")
        frames = torch.frombuffer(content, dtype=torch.uint8).reshape(-1, 28, 28)
        return Response(await run_in_threadpool(as_gif, frames, 80), media_type="image/gif")

    return [Route("/live/gif", gif, methods=["POST"])]


def build(backend: Backend, model: str) -> gr.HTML:
    """Lays out the tab and returns its component, whose value {model} says which model decodes."""
    functions = [of(backend, function) for function in (decode, describe, look, neighbours, truth)]
    return live.component("latents/latents", {"model": model}, functions=functions, elem_id="latents")


def _pictures(text: Any, most: int) -> Tensor:
    """Decodes base64 text into (N, 28, 28) uint8.

    Raises:
        ValueError: it is not such text, or holds more than `most` pictures.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError("images must be base64 of pictures of 28×28 bytes.") from error
    if not content or len(content) % PIXELS or len(content) > most * PIXELS:
        raise ValueError(f"images has {len(content)} bytes; it must have 1 to {most} times 28×28.")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(-1, 28, 28)
