"""The Draw tab: a drawing, what the model makes of it, and its ELBO."""

from __future__ import annotations

import gradio as gr

from . import live
from .backend import Backend, answering


def build(backend: Backend, model: str) -> gr.HTML:
    """Lays out the tab and gives its component, whose value {model} says which model looks."""
    return live.component(
        "pad", {"model": model}, functions=[answering(backend.look), answering(backend.describe)], elem_id="draw"
    )
