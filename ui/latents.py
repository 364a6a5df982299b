"""The Latents tab: a slider for each latent dimension, decoded as it moves."""

from __future__ import annotations

import gradio as gr

from . import live
from .backend import Backend, answering


def build(backend: Backend, model: str) -> gr.HTML:
    """Lays out the tab and gives its component, whose value {model} says which model decodes."""
    functions = [answering(method) for method in (backend.decode, backend.describe, backend.look)]
    return live.component("sliders", {"model": model}, functions=functions, elem_id="latents")
