"""The Runs tab: all runs of a browser, actions on them, and how they compare."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vae_core.runs.allowance.limits import Limits
from vae_core.runs.folder import RunError
from vae_core.runs.states import State

from .. import live
from ..backend import Backend
from ..figures import comparison, rate_distortion
from ..labels import changed, data_title, meaningful, settings_line, title_of_run
from ..web.requests import answering, browser_of, field, of
from . import key


def mine(backend: Backend, request: Any) -> dict[str, Any]:
    """The runs of a browser, newest first: {browser} → {runs: [...]}; a damaged one is listed as failed."""
    browser = browser_of(request)
    return {"runs": [_row(backend, run) for run in reversed(backend.runs.of(browser))]}


def rename(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser, run, name} → {}; refused if the name is invalid or taken."""
    backend.runs.rename(field(request, "run"), browser_of(request), field(request, "name"))
    return {}


def annotate(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser, run, note} → {}; refused if the note is too long."""
    backend.runs.annotate(field(request, "run"), browser_of(request), field(request, "note"))
    return {}


def pin(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser, run, pinned} → {}: whether the run stays however full the server is."""
    backend.runs.pin(field(request, "run"), browser_of(request), field(request, "pinned") is True)
    return {}


def remove(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser, run} → {}; refused while the run is going."""
    backend.runs.delete(field(request, "run"), browser_of(request))
    return {}


def _row(backend: Backend, run: str) -> dict[str, Any]:
    """A row of the table."""
    try:
        summary = backend.runs.summary(run)
    except RunError as error:
        return {"run": run, "name": "", "state": State.FAILED, "message": str(error), "settings": {}} | dict.fromkeys(
            ("title", "note", "pinned", "data", "line", "changed", "elbo", "active_units", "step", "seconds", "size",
             "created", "resumable", "has_model")
        )  # fmt: skip
    config = summary.config
    return {
        "run": run,
        "name": summary.name,
        "title": title_of_run(summary),
        "note": summary.note,
        "pinned": summary.is_pinned,
        "state": summary.state,
        "message": summary.message,
        "resumable": summary.state.is_resumable,
        "has_model": backend.runs.folder(run).model_file.exists(),
        "data": data_title(config.data),
        "settings": meaningful(summary.settings) | {"data": config.data},
        "line": settings_line(config.data, summary.settings, summary.changes),
        "changed": changed(summary.changes),
        "elbo": None if summary.elbo is None else round(-summary.elbo, 2),
        "active_units": summary.active_units,
        "step": summary.step,
        "total_steps": summary.total_steps,
        "seconds": round(summary.seconds, 1),
        "size": summary.size,
        "created": summary.created,
    }


def kept_line(limits: Limits) -> str:
    """How many runs are kept of a visitor, and for how long."""
    if not limits.bounds_what_is_kept:
        return "Your runs stay until you delete them."
    number = f"{limits.max_runs:,} run{'' if limits.max_runs == 1 else 's'}" if limits.max_runs else ""
    size = f"{limits.max_gb:g} GB" if limits.max_gb else ""
    yours = " and ".join(filter(None, (number, size)))
    of_all = f"{limits.max_total_gb:g} GB of all visitors" if limits.max_total_gb else ""
    kept = ", and ".join(filter(None, (f"{yours} of yours" if yours else "", of_all)))
    return (
        f"This server keeps up to {kept}: when a new run needs the room, the oldest ones are deleted, except those that"
        " are pinned (behind ⋯), in training, paused or less than ten minutes old."
    )


def build(backend: Backend) -> tuple[gr.HTML, gr.HTML, gr.HTML]:
    """Lays out the tab, and returns its table, its charts, and the visitor's key.

    The table's value {browser, sweep, plan} says whose runs it shows, and what became of what its dialogs asked for.
    """
    table = live.component(
        "runs/runs",
        {"browser": ""},
        functions=[
            *(of(backend, function) for function in (mine, rename, annotate, pin, remove)),
            answering(backend.follower.steer),
            answering(backend.follower.follow),
        ],
        events=["use", "watch_run", "plan", "train_on", "removed", "plan_sweep", "start_sweep"],
        elem_id="runs",
    )
    gr.Markdown(kept_line(backend.runs.limits), elem_classes="runs-kept")
    own = live.component(
        "runs/key",
        {"browser": ""},
        functions=[of(backend, function) for function in (key.key_words, key.read_key)],
        events=["take"],
        elem_id="key",
    )
    figures = {"curves": comparison().to_plotly_json(), "plane": rate_distortion().to_plotly_json()}
    charts = live.component(
        "compare/compare",
        figures,
        functions=[answering(backend.follower.follow)],
        events=["watch_run"],
        elem_id="compare",
    )
    return table, charts, own
