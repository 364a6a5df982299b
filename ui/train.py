"""The Train tab: settings, Train and Stop, and what the run shows while it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from vae_core.config import (
    ARCHITECTURES,
    CHANGEABLE,
    PRECISIONS,
    SIGMA_MODES,
    TrainConfig,
    VAEConfig,
    usual_learning_rate,
)
from vae_core.data import DATASETS, TITLES, DataError
from vae_core.runs.folder import RunError

from . import live
from .backend import Backend
from .events import OUTSPOKEN, QUIET
from .figures import training_curves
from .labels import LIKELIHOODS
from .requests import answering
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
    "hidden_layers": "Hidden layers, mlp",
    "binarization": "Pixels x",
    "sigma": "σ of a Gaussian likelihood",
    "sigma_mode": "That σ is",
    "prior_mean": "Prior mean",
    "prior_std": "Prior standard deviation",
    "samples": "L, draws of z per image",
    "objective": "Objective",
    "warmup_steps": "Warm-up steps of β",
    "free_bits": "Free bits, nats per dimension",
    "schedule": "Learning rate over time",
    "learning_rate_warmup": "Its warm-up steps",
    "clip_norm": "Largest gradient norm",
    "average": "Averaged weights",
    "patience": "Patience, epochs",
    "hold_out": "Training images held out",
    "seed": "Seed",
    "precision": "Precision of products",
}
OF_MODEL = (
    "architecture", "latent_dim", "likelihood", "hidden_dim", "hidden_layers", "binarization", "sigma", "sigma_mode",
)  # fmt: skip
OF_PRIOR = ("prior_mean", "prior_std")
OF_TRAINING = (
    "epochs", "beta", "learning_rate", "batch_size", "samples", "objective", "warmup_steps", "free_bits", "schedule",
    "learning_rate_warmup", "clip_norm", "average", "patience", "seed", "precision",
)  # fmt: skip
OBJECTIVE_TITLES = {"elbo": "ELBO", "importance-weighted": "importance-weighted"}
SCHEDULE_TITLES = {"constant": "constant", "cosine": "falling as a cosine"}
BINARIZATION_TITLES = {
    "dynamic": "dynamic (drawn from grey)",
    "threshold": "threshold (grey ≥ ½)",
    "grey": "grey (as they are)",
}


GOING = ("waiting", "loading", "running", "paused")  # the form is the run's
FREE = ("finished", "stopped", "failed", "interrupted")  # the form is the next one's
RATE = "Falls to 0 by the end (cosine)."
FIXED = (
    "Greyed settings are fixed for this run: Stop it to choose others; it can be resumed later. The rest holds from "
    "its next batch on."
)


@dataclass(frozen=True)
class TrainTab:
    """What the rest of the page needs of this tab."""

    progress: gr.HTML
    train: gr.Button
    note: gr.Markdown
    fields: list[gr.components.Component]

    @property
    def form(self) -> list[gr.components.Component]:
        """What `form` gives the values of."""
        return [self.train, self.note, *self.fields]


def start(
    backend: Backend, session: Session, settings: dict[str, Any], *, one_batch: bool = False, weights: str = ""
) -> str:
    """Starts a run of this browser with the settings of the form, and gives its id.

    Args:
        one_batch: whether it pauses after its first batch.
        weights: the id of the model that it begins with, whose configuration it takes then.

    Raises:
        gr.Error: a setting is out of its bounds; the sentence names it as the page does.
    """
    try:
        data = settings["data"]
        if data not in (AUTO, *DATASETS):
            raise ValueError(f"data is {data!r}; it must be one of {', '.join(DATASETS)}.")
        model = VAEConfig(**{name: settings[name] for name in (*OF_MODEL, *OF_PRIOR)})
        training = TrainConfig(**{name: settings[name] for name in OF_TRAINING})
        backend.check_batch(data, training, settings["hold_out"])
        return backend.runs.start(
            model,
            training,
            data,
            lambda report: backend.fetch(data, report),
            session["browser"],
            weights=backend.path(weights) if weights else None,
            hold_out=settings["hold_out"],
            one_batch=one_batch,
        )
    except (ValueError, RunError, DataError) as error:
        raise gr.Error(_as_on_page(str(error)), print_exception=False) from None


def change(backend: Backend, session: Session, run: str, name: str, value: Any) -> None:
    """Changes a setting of the followed run, if it is going or failed and the setting is another one than before.

    Raises:
        gr.Error: it is out of its bounds, cannot change now, or the run is somebody else's.
    """
    try:
        holds, state = backend.runs.folder(run).settings()[name], backend.runs.status(run)["state"]
    except RunError:
        return  # there is none, or not any more: the form is the next one's
    try:
        if state in (*GOING, "failed") and holds != value:
            backend.runs.change(run, session["browser"], {name: value})
    except (ValueError, RunError) as error:
        raise gr.Error(_as_on_page(str(error)), print_exception=False) from None


def form(backend: Backend, run: str, *, values: bool) -> list[Any]:
    """The tab's Train button, note and settings as that run wants them: greyed where they are fixed.

    Args:
        values: whether the settings become the run's own, too; else they stay as somebody may be typing them.
    """
    try:
        config, state = backend.runs.folder(run).read_config(), backend.runs.status(run)["state"]
        settings = backend.runs.folder(run).settings()
    except RunError:
        return [gr.Button(interactive=True), gr.Markdown(visible=False), *(gr.skip() for _ in LABELS)]
    settings["data"] = AUTO if config.why_data.startswith("The data are") else config.data
    going, free = state in GOING, set(CHANGEABLE)
    if config.model.likelihood == "gaussian" and config.model.sigma_mode == "fixed":
        free.add("sigma")
    return [
        gr.Button(interactive=not going),
        gr.Markdown(visible=going),
        *(
            gr.update(interactive=not going or name in free, **{"value": settings[name]} if values else {})
            for name in LABELS
        ),
    ]


def _as_on_page(sentence: str) -> str:
    """A message of the core with its field named as the form names it."""
    field, rest = sentence.split(" ", 1)
    return f"{LABELS.get(field, field)} {rest}"


def build(backend: Backend, session: gr.BrowserState) -> TrainTab:
    """Lays out the tab and wires its own parts."""
    with gr.Row(equal_height=False, elem_classes="train-head"):
        with gr.Column(scale=1, min_width=280):
            train_button = gr.Button("Train", variant="primary", elem_id="train")
            note = gr.Markdown(FIXED, visible=False, elem_classes="train-note")
        with gr.Column(scale=3, min_width=320):
            functions = (
                backend.follower.follow,
                backend.follower.window,
                backend.follower.history,
                backend.follower.steer,
            )
            progress = live.component(
                "train/progress",
                {"run": "", "browser": ""},
                functions=[answering(function) for function in functions],
                events=["changed", "first"],
                elem_id="progress",
            )
    with gr.Row(equal_height=False, elem_classes="train-body"):
        with gr.Column(scale=1, min_width=280, elem_classes="train-settings"):
            fields = _form()
        with gr.Column(scale=3, min_width=320):
            live.component("charts/curves", training_curves(("elbo",)).to_plotly_json(), elem_id="train-curves")
            live.component("train/batch", None, functions=[answering(backend.follower.batch)], elem_id="batch")
            live.component("train/pictures", None, elem_id="pictures")
    tab = TrainTab(progress, train_button, note, fields)

    def begin(state: Session, values: tuple[Any, ...], one_batch: bool) -> list[Any]:
        run = start(backend, state, dict(zip(LABELS, values, strict=True)), one_batch=one_batch)
        return [Session(**state | {"run": run}), {"run": run, "browser": state["browser"]}]

    def on_train(state: Session, *values: Any) -> list[Any]:
        return begin(state, values, one_batch=False)

    def on_first_batch(state: Session, *values: Any) -> list[Any]:
        return begin(state, values, one_batch=True)

    train_button.click(on_train, [session, *fields], [session, progress], **OUTSPOKEN)
    progress.first(on_first_batch, [session, *fields], [session, progress], **OUTSPOKEN)
    for name, field in zip(LABELS, fields, strict=True):
        if name in (*CHANGEABLE, "sigma"):
            left = [field.submit, field.blur]
            last = {"trigger_mode": "always_last"}  # else Gradio drops a value that comes while another is on its way
            gr.on(left, _changer(backend, name), [session, field], field, **OUTSPOKEN | last)
    return tab


def _changer(backend: Backend, name: str) -> Callable[[Session, Any], Any]:
    """The handler of a setting that may change in mid-run: one that is refused goes back to what holds."""

    def on_change(state: Session, value: Any) -> Any:
        try:
            change(backend, state, state.get("run", ""), name, value)
        except gr.Error as error:
            gr.Warning(error.message)
            return backend.runs.folder(state["run"]).settings()[name]
        return gr.skip()

    return on_change


def _form() -> list[gr.components.Component]:
    """The settings, in the order of LABELS."""
    model, training = VAEConfig(), TrainConfig()
    first = [
        gr.Dropdown(DATA_CHOICES, value=AUTO, label=LABELS["data"]),
        gr.Radio(list(ARCHITECTURES), value=model.architecture, label=LABELS["architecture"]),
        _number(model, "latent_dim"),
        likelihood := _choice(model, "likelihood", LIKELIHOODS),
    ]
    with gr.Row():
        first += [_number(training, "epochs"), _number(training, "beta")]
    with gr.Row():
        first += [learning_rate := _number(training, "learning_rate", RATE), _number(training, "batch_size")]
    with gr.Accordion("More of the model", open=False):
        with gr.Row():
            hidden = [_number(model, "hidden_dim"), _number(model, "hidden_layers")]
        pixels = [binarization := _choice(model, "binarization", BINARIZATION_TITLES), _number(model, "sigma")]
        pixels.append(gr.Radio(list(SIGMA_MODES), value=model.sigma_mode, label=LABELS["sigma_mode"]))
        with gr.Row():
            prior = [_number(model, "prior_mean"), _number(model, "prior_std")]
    with gr.Accordion("More of the training", open=False):
        rest = _of_training(training)
    likelihood.input(lambda name: VAEConfig(likelihood=name).binarization, likelihood, binarization, **QUIET)
    _, architecture, *_ = first
    depth = [architecture, hidden[1]]
    gr.on([architecture.input, hidden[1].input], _usual_rate, depth, learning_rate, **QUIET)
    return [*first, *hidden, *pixels, *prior, *rest]


def _usual_rate(architecture: str, hidden_layers: float | None) -> Any:
    """The learning rate that suits a model of that depth; where no such model can be, it stays."""
    try:
        return usual_learning_rate(VAEConfig(architecture=architecture, hidden_layers=hidden_layers))
    except ValueError:
        return gr.skip()


def _of_training(training: TrainConfig) -> list[gr.components.Component]:
    """The settings of a training that most leave as they are, in the order of LABELS."""
    shown = "Charts and figures show the ELBO with either."
    fields = [_number(training, "samples"), _choice(training, "objective", OBJECTIVE_TITLES, shown)]
    with gr.Row():
        fields += [_number(training, "warmup_steps"), _number(training, "free_bits")]
    fields.append(_choice(training, "schedule", SCHEDULE_TITLES, "The cosine: large steps first, small ones at last."))
    with gr.Row():
        fields += [
            _number(training, "learning_rate_warmup", "A tenth of the training at most."),
            _number(training, "clip_norm", "0: unbounded."),
        ]
    with gr.Row():
        until = "Without a better held-out ELBO; 0: no end."
        fields += [
            _number(training, "average", "Their decay; 0: none. They are what is evaluated."),
            _number(training, "patience", until),
        ]
    held_out = "The last ones take the place of the test images."
    fields.append(gr.Number(0, label=LABELS["hold_out"], info=held_out, min_width=110))
    fields.append(_number(training, "seed"))
    quicker = "auto: the quickest that learns as well here (GPU: tf32, AMX: bfloat16). Held-out figures: float32."
    precision = gr.Radio(list(PRECISIONS), value=training.precision, label=LABELS["precision"], info=quicker)
    return [*fields, precision]


def _choice(
    defaults: VAEConfig | TrainConfig, name: str, titles: dict[str, str], info: str | None = None
) -> gr.Dropdown:
    """One of several, by their titles."""
    choices = [(title, value) for value, title in titles.items()]
    return gr.Dropdown(choices, value=getattr(defaults, name), label=LABELS[name], info=info)


def _number(defaults: VAEConfig | TrainConfig, name: str, info: str | None = None) -> gr.Number:
    """A number as it was typed: the core's configurations check it."""
    return gr.Number(getattr(defaults, name), label=LABELS[name], info=info, min_width=110)
