"""The page: a header, and one file a tab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vae_core.device import describe_device

from . import draw, elbo, latents, train
from .backend import Backend
from .events import QUIET
from .session import STORAGE_KEY, Session, restored


def build(backend: Backend) -> gr.Blocks:
    """The page's table of contents, and what its parts say to each other."""
    choices = backend.choices("")
    default = choices[0][1] if choices else ""
    with gr.Blocks(title="VAE live", analytics_enabled=False) as page:
        session = gr.BrowserState({}, storage_key=STORAGE_KEY, secret=STORAGE_KEY)
        with gr.Row(elem_classes="page-header"):
            with gr.Column(min_width=320):
                gr.Markdown(
                    f"# Variational autoencoder, live\n{describe_device(backend.runs.device)} · {backend.data_line()}"
                )
            with gr.Column(min_width=320):
                model = gr.Dropdown(choices, value=default, label="Model that Draw and Latents use", elem_id="model")
        with gr.Tabs():
            with gr.Tab("Train", id="train"):
                tab = train.build(backend, session)
            with gr.Tab("ELBO", id="elbo"):
                elbo.build()
            with gr.Tab("Draw", id="draw"):
                pad = draw.build(backend, default)
            with gr.Tab("Latents", id="latents"):
                sliders = latents.build(backend, default)

        def on_load(stored: Any) -> list[Any]:
            """Finds the browser's model and the run that it followed again."""
            state = restored(stored)
            offered, runs = backend.choices(state["browser"]), backend.runs.of(state["browser"])
            if state["model"] not in [name for _, name in offered]:
                state["model"] = default
            if state["run"] not in runs:
                state["run"] = runs[-1] if runs else ""
            shown = {"model": state["model"]}
            return [
                state,
                gr.Dropdown(choices=offered, value=state["model"]),
                {"run": state["run"], "browser": state["browser"]},
                shown,
                shown,
                *train.form(backend, state["run"]),
            ]

        def on_model(state: Session, name: str) -> list[Any]:
            return [Session(**state | {"model": name}), {"model": name}, {"model": name}]

        def on_run_changed(state: Session, name: str, event: gr.EventData) -> list[Any]:
            """The followed run is another one, is in another state, or has weights to offer."""
            run = str(event._data["run"])
            offered = backend.choices(state["browser"])
            return [
                Session(**state | {"run": run}),
                gr.Dropdown(choices=offered, value=name),
                *train.form(backend, run),
            ]

        page.load(on_load, session, [session, model, tab.progress, pad, sliders, *tab.form], **QUIET)
        model.input(on_model, [session, model], [session, pad, sliders], **QUIET)
        tab.progress.changed(on_run_changed, [session, model], [session, model, *tab.form], **QUIET)
    return page
