"""The Train tab: settings, Train and Stop, and what a run shows while it learns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from vae_core.config import VAEConfig, may_change, usual_learning_rate
from vae_core.data import DataError
from vae_core.runs.folder import RunError
from vae_core.settings import FaultsError, Setting

from .. import live
from ..backend import Backend
from ..figures import training_terms
from ..glossary import field_id, fold_id
from ..presets import PRESETS
from ..web.events import OUTSPOKEN, QUIET
from ..web.requests import answering
from ..web.session import Session
from .form import (
    ASKED,
    AUTO,
    DATA_CHOICES,
    DEFAULTS,
    LABELS,
    PARTS,
    as_on_page,
    configured,
    in_field,
    linked,
    on_page,
    shareable,
)

Field = gr.Dropdown | gr.Textbox
ALONE = ("likelihood",)  # fields that take a whole row; the others stand in pairs, a long title over two columns

FIXED = "Grey settings cannot change during a run. White ones take effect at once."


@dataclass(frozen=True)
class TrainTab:
    """What the rest of the page needs from this tab."""

    train: gr.Button
    progress: gr.HTML  # and the buttons that steer the run
    note: gr.Markdown
    unusable: gr.Markdown  # says what of a link cannot be used
    presets: gr.HTML
    fields: list[Field]
    marked: gr.HTML  # marks fields at fault

    @property
    def form(self) -> list[gr.components.Component]:
        """The components whose values `form` returns."""
        return [self.train, self.note, self.unusable, *self.fields]


def start(
    backend: Backend,
    session: Session,
    settings: dict[str, Any],
    *,
    one_batch: bool = False,
    weights: str = "",
    name: str = "",
) -> str:
    """Starts a run of this browser with the settings of the form, and returns its id.

    Args:
        one_batch: whether it pauses after its first batch.
        weights: the id of the model to begin with, whose configuration is then used.
        name: what the run is called, if it has a name.

    Raises:
        FaultsError: settings cannot be used; the sentences name them as the page does.
        gr.Error: something else stands in the way.
    """
    try:
        asked = configured(backend, settings)
        return backend.runs.start(
            asked.model,
            asked.training,
            asked.data,
            backend.loading(asked.data),
            session["browser"],
            weights=backend.path(weights) if weights else None,
            hold_out=asked.hold_out,
            one_batch=one_batch,
            name=name,
            images=asked.images,
        )
    except FaultsError as error:
        raise on_page(error.faults) from None
    except (ValueError, RunError, DataError) as error:
        raise gr.Error(str(error), print_exception=False) from None


def marks(error: FaultsError) -> dict[str, Any]:
    """What has train/fields.js mark the fields at fault; at makes it news even where they are the same again."""
    return {"faults": error.faults, "at": str(time.time_ns())}


def change(backend: Backend, session: Session, run: str, name: str, value: Any) -> None:
    """Changes a setting of the followed run, if the run takes changes and the value is new.

    Raises:
        FaultsError: the setting is out of bounds.
        gr.Error: it cannot change now, or the run is somebody else's.
    """
    try:
        holds = backend.runs.folder(run).settings()[name]
        state = backend.runs.status(run)["state"]
    except RunError:
        return  # there is no such run (any longer): the form is for the next one
    try:
        value = ASKED[name].read(name, value)
        if state.takes_changes and holds != value:
            backend.runs.change(run, session["browser"], {name: value})
    except FaultsError as error:
        raise on_page({name: error.faults.get(name, str(error))}) from None
    except (ValueError, RunError) as error:
        raise gr.Error(as_on_page(str(error)), print_exception=False) from None


def form(backend: Backend, run: str, *, values: bool) -> list[Any]:
    """The tab's Train button, note and settings for this run: greyed out if they are fixed.

    Args:
        values: whether to set the fields to the run's settings, too; if not, they stay, as somebody may be typing.
    """
    try:
        fields = held(backend, run)
        state = backend.runs.status(run)["state"]
        settings = backend.runs.folder(run).settings()
    except RunError:
        return [gr.Button(interactive=True), gr.Markdown(visible=False), *(gr.skip() for _ in range(1 + len(LABELS)))]
    going = state.keeps_the_form
    free = [name for name in ASKED if may_change(name, settings)]
    return [
        gr.Button(interactive=not going),
        gr.Markdown(visible=going),
        gr.Markdown(visible=False) if going else gr.skip(),
        *(
            gr.update(
                interactive=not going or name in free,
                **{"value": fields[name]} if values else {},
            )
            for name in LABELS
        ),
    ]


def held(backend: Backend, run: str) -> dict[str, Any]:
    """The settings of a run by name, as the form's fields hold them.

    Raises:
        RunError: there is no such run, or its folder is damaged.
    """
    folder = backend.runs.folder(run)
    config = folder.read_config()
    settings = folder.settings() | {"data": AUTO if config.why_data else config.data}
    return {name: in_field(name, settings[name]) for name in LABELS}


def form_of_link(backend: Backend, run: str, query: dict[str, str]) -> list[Any]:
    """What `form` returns, with the settings of a link in place of the run's, unless the run is going."""
    with contextlib.suppress(RunError):
        if run and backend.runs.status(run)["state"].keeps_the_form:
            return form(backend, run, values=True)
    settings, sentence = linked(query)
    if not settings and not sentence and "hide" not in query:  # what is hidden is that of the link, or the default
        return form(backend, run, values=True)
    likelihood = settings.get("likelihood", DEFAULTS["likelihood"])
    usual = DEFAULTS | {"binarization": VAEConfig(likelihood=likelihood).binarization}
    updates = [gr.update(interactive=True, value=settings.get(name, in_field(name, usual[name]))) for name in ASKED]
    data = gr.update(interactive=True, value=settings.get("data", AUTO))
    unusable = gr.Markdown(sentence, visible=bool(sentence))
    return [gr.Button(interactive=True), gr.Markdown(visible=False), unusable, data, *updates]


def build(backend: Backend, session: gr.BrowserState, followed: gr.HTML) -> TrainTab:
    """Lays out the tab and wires its own parts; followed: the component of the run that the page follows."""
    with gr.Row(equal_height=False, elem_classes="train-head"):
        with gr.Column(scale=0, min_width=240, elem_classes="train-start"):
            train_button = gr.Button("Train", variant="primary", elem_id="train")
            note = gr.Markdown(FIXED, visible=False, elem_classes="train-note")
            unusable = gr.Markdown(visible=False, elem_classes="train-note")
        with gr.Column(scale=3, min_width=320):
            progress = live.component(
                "train/progress",
                None,
                functions=[answering(backend.follower.steer)],
                events=["first", "fill", "plan", "train_on"],
                elem_id="progress",
            )
    with gr.Row(equal_height=False, elem_classes="train-body"):
        with gr.Column(scale=0, min_width=240, elem_classes="train-settings"):
            presets = live.component("train/presets", backend.durations.offered(), events=["chosen"], elem_id="presets")
            fields = _form()
            marked = live.component("train/fields", {"faults": {}}, elem_id="fields")
            live.component("train/setup", shareable(), elem_id="setup")
        with gr.Column(scale=3, min_width=320, elem_classes="train-seen"):
            live.component("charts/curves", training_terms().to_plotly_json(), elem_id="train-curves")
            live.component("train/pictures", None, elem_id="pictures")
            live.component("step/batch", None, functions=[answering(backend.follower.batch)], elem_id="batch")
    tab = TrainTab(train_button, progress, note, unusable, presets, fields, marked)

    def begin(state: Session, values: tuple[Any, ...], one_batch: bool) -> list[Any]:
        try:
            run = start(backend, state, dict(zip(LABELS, values, strict=True)), one_batch=one_batch)
        except FaultsError as error:
            return [gr.skip(), gr.skip(), marks(error)]
        return [Session(**state | {"run": run}), {"run": run, "browser": state["browser"]}, {"faults": {}}]

    def on_train(state: Session, *values: Any) -> list[Any]:
        return begin(state, values, one_batch=False)

    def on_first_batch(state: Session, *values: Any) -> list[Any]:
        return begin(state, values, one_batch=True)

    train_button.click(on_train, [session, *fields], [session, followed, marked], **OUTSPOKEN)
    presets.chosen(_on_preset, None, fields, **QUIET)
    progress.first(on_first_batch, [session, *fields], [session, followed, marked], **OUTSPOKEN)
    for name, field in zip(LABELS, fields, strict=True):
        if name in ASKED and ASKED[name].changes:
            assert isinstance(field, gr.Textbox)  # no choice may change during a run
            left = [field.submit, field.blur]  # train/fields.js lets a blur through only after typing
            last = {"trigger_mode": "always_last"}  # else Gradio drops a value that comes while another is being sent
            gr.on(left, _changer(backend, name), [session, field], [field, marked], **OUTSPOKEN | last)
    return tab


def _on_preset(event: gr.EventData) -> list[Any]:
    """The form with a preset's settings; all others are the defaults. The data stay, and what a link has hidden."""
    chosen = next((preset for preset in PRESETS if preset.title == event._data["title"]), None)
    if chosen is None:
        return [gr.skip() for _ in LABELS]
    model, training = chosen.configs()
    settings = DEFAULTS | asdict(model) | asdict(training)
    kept = {"data", *(name for part in event._data["hidden"] for name in PARTS.get(str(part), []))}
    return [gr.skip() if name in kept else gr.update(value=in_field(name, settings[name])) for name in LABELS]


def _changer(backend: Backend, name: str) -> Callable[[Session, Any], list[Any]]:
    """The handler of a setting that may change during a run: a value that the run does not take is marked, and stays.

    Where it is not the value's fault, the field goes back to what the run has.
    """

    def on_change(state: Session, value: Any) -> list[Any]:
        try:
            change(backend, state, state.get("run", ""), name, value)
        except FaultsError as error:
            return [gr.skip(), marks(error)]
        except gr.Error as error:
            gr.Warning(error.message)
            return [in_field(name, backend.runs.folder(state["run"]).settings()[name]), gr.skip()]
        return [gr.skip(), gr.skip()]

    return on_change


def _form() -> list[Field]:
    """The settings, in the order of LABELS."""
    data = gr.Dropdown(DATA_CHOICES, value=AUTO, label=LABELS["data"], elem_id=field_id("data"))
    fields: dict[str, Field] = {"data": data, **_group("main")}
    with gr.Accordion("Model details", open=False, elem_id=fold_id("model")):
        fields |= _group("model")
    with gr.Accordion("Training details", open=False, elem_id=fold_id("training")):
        fields |= _group("training")
    likelihood, architecture, layers = (fields[name] for name in ("likelihood", "architecture", "hidden_layers"))
    likelihood.input(lambda name: VAEConfig(likelihood=name).binarization, likelihood, fields["binarization"], **QUIET)
    gr.on([architecture.input, layers.input], _usual_rate, [architecture, layers], fields["learning_rate"], **QUIET)
    return [fields[name] for name in LABELS]


def _group(group: str) -> dict[str, Field]:
    """The fields of a part of the form, in rows of two."""
    fields: dict[str, Field] = {}
    names = [name for name, setting in ASKED.items() if setting.group == group]
    while names:
        pair = names[:1] if {*ALONE} & {*names[:2]} else names[:2]
        with gr.Row():
            fields |= {name: _field(name, ASKED[name]) for name in pair}
        del names[: len(pair)]
    return fields


def _field(name: str, setting: Setting) -> Field:
    """A setting as a field: a choice by titles, or a number as typed, which the core reads and checks.

    A field of the browser's own kind for numbers would drop a comma, and take steps from the wheel.
    """
    about: dict[str, Any] = {"label": setting.title, "elem_id": field_id(name), "min_width": 100}
    about["value"] = in_field(name, DEFAULTS[name])
    if not setting.choices:
        return gr.Textbox(lines=1, max_lines=1, **about)
    return gr.Dropdown([(title, value) for value, title in setting.choices.items()], **about)


def _usual_rate(architecture: str, hidden_layers: Any) -> Any:
    """The usual learning rate for a model of that depth; unchanged if there can be no such model."""
    try:
        layers = ASKED["hidden_layers"].read("hidden_layers", hidden_layers)
        return usual_learning_rate(VAEConfig(architecture=architecture, hidden_layers=layers))
    except ValueError:
        return gr.skip()
