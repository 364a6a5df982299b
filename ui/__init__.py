"""The page: a header, and one file a tab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vae_core.device import describe_device
from vae_core.runs import ENDED

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
            """Finds the browser's model and its newest run again."""
            state = restored(stored)
            offered = backend.choices(state["browser"])
            if state["model"] not in [name for _, name in offered]:
                state["model"] = default
            runs = backend.runs.of(state["browser"])
            run = runs[-1] if runs else ""
            shown = {"model": state["model"]}
            return [
                state,
                gr.Dropdown(choices=offered, value=state["model"]),
                {"run": run},
                shown,
                shown,
                *train.settings(backend, run),
            ]

        def on_model(state: Session, name: str) -> list[Any]:
            return [Session(browser=state["browser"], model=name), {"model": name}, {"model": name}]

        def on_run_changed(state: Session, name: str, event: gr.EventData) -> list[Any]:
            """The run has weights to offer, or has ended."""
            going = event._data["state"] not in ENDED
            offered = backend.choices(state["browser"])
            return [
                gr.Dropdown(choices=offered, value=name),
                gr.Button(interactive=not going),
                gr.Button(interactive=going),
            ]

        page.load(on_load, session, [session, model, tab.progress, pad, sliders, *tab.fields], **QUIET)
        model.input(on_model, [session, model], [session, pad, sliders], **QUIET)
        tab.progress.changed(on_run_changed, [session, model], [model, tab.train, tab.stop], **QUIET)
    return page
