"""The Theory tab, which the address without a tab opens: a card for each idea of the derivation."""

from __future__ import annotations

import gradio as gr

from .. import live
from ..backend import Backend
from ..theory.estimates import estimators, slopes_at
from ..theory.measured import batch_elbos, shipped_figures, single_draws
from ..theory.promised import aggregate, optimum
from ..web.requests import answering, of
from . import draw

OF_CARDS = (
    draw.crowd,
    estimators,
    slopes_at,
    batch_elbos,
    shipped_figures,
    single_draws,
    optimum,
    aggregate,
)


def build(backend: Backend) -> gr.HTML:
    """Lays out the tab and returns its deck, whose value {model} is the model that looks, once that is known."""
    functions = [*draw.looking(backend), *(of(backend, it) for it in OF_CARDS), answering(backend.lessons.lesson)]
    return live.component(
        "theory/theory", {"model": None}, functions=functions, events=["run_lesson"], elem_id="theory-card"
    )
