"""A run of another browser that a link names: what the page shows of it, and how a visitor's own run begins from it.

Whoever knows a run's id may follow it, as an id cannot be guessed; only its owner may steer it.
"""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from vae_core.runs.folder import RunError

from ..backend import Backend
from . import continuing, train
from .form import LABELS, linked

LOST = "This run is not on this server any more."
GONE = "The run that the link names is not on this server any more."


def named(backend: Backend, query: dict[str, str]) -> tuple[str, str]:
    """The run that a link names, and a sentence if this server does not have it; both are empty if it names none."""
    run = query.get("run", "")
    if not run:
        return "", ""
    try:
        backend.runs.folder(run).read_config()
    except RunError:
        return "", GONE
    return run, ""


def is_own(backend: Backend, run: str, browser: str) -> bool:
    """Whether there is such a run and that browser owns it."""
    try:
        backend.runs.check_owner(run, browser)
    except RunError:
        return False
    return True


def form(backend: Backend, run: str, query: dict[str, str]) -> list[Any]:
    """What `train.form` returns for a run at rest, with the settings of a link in place of the run's."""
    settings, sentence = linked(query)
    try:
        fields = train.held(backend, run) | settings
    except RunError:  # it was deleted a moment ago
        return train.form_of_link(backend, "", query)
    unusable = gr.Markdown(sentence, visible=bool(sentence))
    return [gr.Button(interactive=True), gr.Markdown(visible=False), unusable, *_free(fields)]


def filled(backend: Backend, run: str) -> list[Any]:
    """Fills the form with the settings of a run, for another one.

    Returns:
        what train/fork.js is told: {run, at, filled}, or {run, at, error} if the run is gone; then the form's fields.
    """
    try:
        fields = train.held(backend, run)
    except RunError:
        return [_news(run) | {"error": LOST}, *(gr.skip() for _ in LABELS)]
    return [_news(run) | {"filled": True}, *_free(fields)]


def plan(backend: Backend, browser: str, run: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What would be started with a run's weights and the settings of the form: {run, at, plan} or {run, at, error}."""
    _, missing = named(backend, {"run": run})
    return _news(run) | ({"error": LOST} if missing else {"plan": continuing.plan(backend, browser, run, settings)})


def _free(fields: dict[str, Any]) -> list[Any]:
    """The form's fields with these values, all of them free."""
    return [gr.update(interactive=True, value=fields[name]) for name in LABELS]


def _news(run: str) -> dict[str, Any]:
    """Which run an answer is about; at makes it news, even where the same is answered again."""
    return {"run": run, "at": str(time.time_ns())}
