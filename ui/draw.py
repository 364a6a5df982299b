"""The Draw tab: a drawing, what the model makes of it, and its ELBO."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch
from torch import Tensor

from vae_core.data import INK_SIZE, binarize, fit_drawing
from vae_core.objective import elbo

from . import live
from .backend import Backend, field, finite, image_bytes, of, pixels
from .models import describe

PAD = 56  # pixels a side of a posted drawing: twice MNIST's, so that scaling to 20×20 has something to work with
DRAWS = 64  # draws of z for the reconstruction term of a drawing


def look(backend: Backend, request: Any) -> dict[str, Any]:
    """What a model makes of a drawing.

    Args:
        request: {model, ink: base64 of 56×56 bytes} or {model, image: base64 of 28×28 bytes in MNIST's format}.

    Returns:
        seen, reconstruction: base64 of 28×28 bytes. elbo, reconstruction_term, kl: nats. z: the mean of q(z|x).
    """
    loaded = backend.load(field(request, "model"))
    grey = _grey(request, INK_SIZE.get(loaded.header.about.get("data"), 20))
    model, generator = loaded.model, torch.Generator().manual_seed(0)
    with torch.inference_mode():
        x = binarize(grey, model.config.binarization, generator)[None]
        terms = elbo(model, x, DRAWS, generator=generator)
        mu, _ = model.encode(x)
        x_hat = model.x_hat(mu)
    return {
        "seen": pixels(x),
        "reconstruction": pixels(x_hat),
        "elbo": finite(terms.elbo),
        "reconstruction_term": finite(terms.reconstruction),
        "kl": finite(terms.kl),
        "z": mu[0].tolist(),
    }


def build(backend: Backend, model: str) -> gr.HTML:
    """Lays out the tab and gives its component, whose value {model} says which model looks."""
    functions = [of(backend, function) for function in (look, describe)]
    return live.component("pad", {"model": model}, functions=functions, elem_id="draw")


def _grey(request: Any, size: int) -> Tensor:
    """The drawing of a request as (1, 28, 28) in [0, 1], in the format of the model's data."""
    if request.get("image") is not None:
        return image_bytes("image", request["image"], 28).float()[None] / 255
    return fit_drawing(image_bytes("ink", request.get("ink"), PAD), size)
