"""The Latents tab: a slider for each latent dimension, decoded as it moves."""

from __future__ import annotations

from typing import Any

import gradio as gr
import torch

from vae_core.bounds import check_float

from . import live
from .backend import Backend, field, of, pixels
from .draw import look
from .models import describe

WITHIN = 10  # prior standard deviations that z may be off the prior's mean


def decode(backend: Backend, request: Any) -> dict[str, Any]:
    """The picture of a point.

    Args:
        request: {model, z: D numbers within 10 prior standard deviations}.

    Returns:
        image: base64 of 28×28 bytes.
    """
    loaded, z = backend.load(field(request, "model")), field(request, "z")
    config = loaded.model.config
    if not isinstance(z, list) or len(z) != config.latent_dim:
        raise ValueError(f"z must be a list of {config.latent_dim} numbers.")
    low, high = (config.prior_mean + side * WITHIN * config.prior_std for side in (-1, 1))
    for value in z:
        check_float("z", value, low, high)
    with torch.inference_mode():
        return {"image": pixels(loaded.model.x_hat(torch.tensor(z, dtype=torch.float32)[None]))}


def build(backend: Backend, model: str) -> gr.HTML:
    """Lays out the tab and gives its component, whose value {model} says which model decodes."""
    functions = [of(backend, function) for function in (decode, describe, look)]
    return live.component("sliders", {"model": model}, functions=functions, elem_id="latents")
