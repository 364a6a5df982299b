"""The Train tab: settings, Train and Stop, and what the run shows while it learns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from vae_core.data import DATASETS, TITLES, DataError
from vae_core.figures import training_curves
from vae_core.model import ARCHITECTURES, LIKELIHOODS, SIGMA_MODES, VAEConfig
from vae_core.runs import RunError
from vae_core.train import TrainConfig

from . import live
from .backend import Backend, answering
from .events import OUTSPOKEN, QUIET
from .session import Session

AUTO = "auto"
DATA_CHOICES = [("MNIST if it can be had, else digits", AUTO), *((TITLES[name], name) for name in DATASETS)]
LABELS = {
    "data": "Data",
    "architecture": "Architecture",
    "latent_dim": "Latent dimensions D",
    "likelihood": "Likelihood p(x|z)",
    "epochs": "Epochs",
    "beta": "β, weight of the KL",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "hidden_dim": "Hidden units",
    "binarization": "Pixels x",
    "sigma": "σ of a Gaussian likelihood",
    "sigma_mode": "That σ is",
    "prior_mean": "Prior mean",
    "prior_std": "Prior standard deviation",
    "samples": "L, draws of z per image",
    "warmup_steps": "Warm-up steps of β",
    "free_bits": "Free bits, nats per dimension",
    "seed": "Seed",
}
OF_MODEL = ("architecture", "latent_dim", "likelihood", "hidden_dim", "binarization", "sigma", "sigma_mode")
OF_PRIOR = ("prior_mean", "prior_std")
OF_TRAINING = ("epochs", "beta", "learning_rate", "batch_size", "samples", "warmup_steps", "free_bits", "seed")
LIKELIHOOD_TITLES = {"bernoulli": "Bernoulli", "gaussian": "Gaussian", "continuous_bernoulli": "continuous Bernoulli"}
BINARIZATION_TITLES = {
    "dynamic": "dynamic (drawn anew from grey)",
    "threshold": "threshold (grey ≥ ½)",
    "grey": "grey (as they are)",
}


@dataclass(frozen=True)
class TrainTab:
    """What the rest of the page needs of this tab."""

    progress: gr.HTML
    train: gr.Button
    stop: gr.Button
    fields: list[gr.components.Component]


def start(backend: Backend, session: Session, settings: dict[str, Any]) -> str:
    """Starts a run of this browser with the settings of the form, and gives its id.

    Raises:
        gr.Error: a setting is out of its bounds; the sentence names it as the page does.
    """
    try:
        data = settings["data"]
        if data not in (AUTO, *DATASETS):
            raise ValueError(f"data is {data!r}; it must be one of {', '.join(DATASETS)}.")
        model = VAEConfig(**{name: settings[name] for name in (*OF_MODEL, *OF_PRIOR)})
        training = TrainConfig(**{name: settings[name] for name in OF_TRAINING})
        backend.check_batch(data, training)
        return backend.runs.start(model, training, data, lambda report: backend.fetch(data, report), session["browser"])
    except (ValueError, RunError, DataError) as error:
        raise gr.Error(_as_on_page(str(error)), print_exception=False) from None


def settings(backend: Backend, run: str) -> list[Any]:
    """The form's values as that run was started with them, so that Train means the same after a reload."""
    try:
        config = backend.runs.folder(run).read_config()
    except RunError:
        return [gr.skip() for _ in LABELS]
    data = AUTO if config.why_data.startswith("The data are") else config.data
    values = {"data": data} | asdict(config.model) | asdict(config.training)
    return [values[name] for name in LABELS]


def stop(backend: Backend, session: Session, run: dict[str, str]) -> None:
    """Stops the followed run, if it is this browser's.

    Raises:
        gr.Error: it is not.
    """
    try:
        backend.runs.stop(run["run"], session["browser"])
    except (RunError, KeyError, TypeError) as error:
        raise gr.Error(str(error), print_exception=False) from None


def _as_on_page(sentence: str) -> str:
    """A message of the core with its field named as the form names it."""
    field, rest = sentence.split(" ", 1)
    return f"{LABELS.get(field, field)} {rest}"


def build(backend: Backend, session: gr.BrowserState) -> TrainTab:
    """Lays out the tab and wires its own buttons."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=280), gr.Row():
            train_button = gr.Button("Train", variant="primary", elem_id="train", min_width=80)
            stop_button = gr.Button("Stop", variant="stop", interactive=False, elem_id="stop", min_width=80)
        with gr.Column(scale=3, min_width=320):
            progress = live.component(
                "progress", {"run": ""}, functions=[answering(backend.follow)], events=["changed"], elem_id="progress"
            )
    with gr.Row(equal_height=False, elem_classes="train-body"):
        with gr.Column(scale=1, min_width=280, elem_classes="train-settings"):
            fields = _form()
        with gr.Column(scale=3, min_width=320):
            live.component("curves", training_curves(("elbo",)).to_plotly_json(), elem_id="train-curves")
            live.component("pictures", None, elem_id="pictures")

    def on_train(state: Session, *values: Any) -> dict[gr.components.Component, Any]:
        run = start(backend, state, dict(zip(LABELS, values, strict=True)))
        return {
            progress: {"run": run},
            train_button: gr.Button(interactive=False),
            stop_button: gr.Button(interactive=True),
        }

    def on_stop(state: Session, run: dict[str, str]) -> None:
        stop(backend, state, run)

    train_button.click(on_train, [session, *fields], [progress, train_button, stop_button], **OUTSPOKEN)
    stop_button.click(on_stop, [session, progress], None, **OUTSPOKEN)
    return TrainTab(progress, train_button, stop_button, fields)


def _form() -> list[gr.components.Component]:
    """The settings, in the order of LABELS."""
    model, training = VAEConfig(), TrainConfig()
    first = [
        gr.Dropdown(DATA_CHOICES, value=AUTO, label=LABELS["data"]),
        gr.Radio(list(ARCHITECTURES), value=model.architecture, label=LABELS["architecture"]),
        _number(model, "latent_dim"),
        gr.Dropdown(
            [(LIKELIHOOD_TITLES[name], name) for name in LIKELIHOODS],
            value=model.likelihood,
            label=LABELS["likelihood"],
        ),
    ]
    with gr.Row():
        first += [_number(training, "epochs"), _number(training, "beta")]
    with gr.Row():
        first += [_number(training, "learning_rate"), _number(training, "batch_size")]
    with gr.Accordion("More settings", open=False):
        hidden, sigma = _number(model, "hidden_dim"), _number(model, "sigma")
        binarization = gr.Dropdown(
            [(title, name) for name, title in BINARIZATION_TITLES.items()],
            value=model.binarization,
            label=LABELS["binarization"],
        )
        sigma_mode = gr.Radio(list(SIGMA_MODES), value=model.sigma_mode, label=LABELS["sigma_mode"])
        with gr.Row():
            prior = [_number(model, "prior_mean"), _number(model, "prior_std")]
        rest = [_number(training, name) for name in ("samples", "warmup_steps", "free_bits", "seed")]
    likelihood = first[3]
    likelihood.input(lambda name: VAEConfig(likelihood=name).binarization, likelihood, binarization, **QUIET)
    return [*first, hidden, binarization, sigma, sigma_mode, *prior, *rest]


def _number(defaults: VAEConfig | TrainConfig, name: str) -> gr.Number:
    """A number as it was typed: the core's configurations check it."""
    return gr.Number(getattr(defaults, name), label=LABELS[name], min_width=110)
