"""The page: a header, and one file per tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block

from vae_core.runs.folder import RunError
from vae_core.runs.states import State
from vae_core.settings import FaultsError
from vae_core.storage.checkpoint import CheckpointError

from . import labels, live, sweep
from .backend import Backend
from .tabs import continuing, draw, elbo, fork, key, latents, runs, theory, train
from .tabs.form import LABELS, in_field
from .theory.lessons import settings_of
from .web.events import OUTSPOKEN, QUIET
from .web.requests import answering
from .web.session import STORAGE_KEY, Session, restored

USERS = ("draw", "latents", "theory")  # tabs that show a model
TABS = ("theory", "train", "elbo", "draw", "latents", "runs")
DESK = "class"  # the lecturer's tab
NO_MODEL = "There is no model yet: train one, or upload one in the Runs tab."


@dataclass(frozen=True)
class _Page:
    """The parts that are wired to each other."""

    backend: Backend
    session: gr.BrowserState
    heading: gr.Markdown
    model: gr.Dropdown
    followed: gr.HTML  # the run that the page follows
    tab: train.TrainTab
    users: list[gr.HTML]  # components that use the chosen model
    deck: gr.HTML  # the cards
    tabs: gr.Tabs
    desk: gr.Tab  # the lecturer's
    table: gr.HTML  # of the runs
    charts: gr.HTML  # which compare them
    own: gr.HTML  # the visitor's key


def build(backend: Backend) -> gr.Blocks:
    """The page's table of contents, and the events between its parts."""
    with gr.Blocks(title="VAE live", analytics_enabled=False, fill_width=True) as blocks:
        page = _lay_out(backend)
        _wire_load(blocks, page)
        _wire_model(page)
        _wire_runs(page)
        _wire_fork(page)
        _wire_key(page)
        _wire_sweep(page)
    return blocks


def _lay_out(backend: Backend) -> _Page:
    choices = backend.choices("")
    default = _first(choices)
    session = gr.BrowserState({}, storage_key=STORAGE_KEY, secret=STORAGE_KEY)
    with gr.Row(elem_classes="page-header"):
        gr.Markdown("# VAE live")
        model = gr.Dropdown(**_choice(choices, default), label="Model", elem_id="model")
        live.component("page/header", None, elem_id="switches")
    address = live.component("page/address", {"model": ""}, elem_id="address")
    followed = live.component(
        "page/followed",
        {"run": "", "browser": ""},
        functions=[
            answering(function)
            for function in (backend.follower.follow, backend.follower.window, backend.follower.history)
        ],
        events=["changed", "use"],
        elem_id="followed",
    )
    live.component("words/words", None, elem_id="words")
    live.component("classroom/classroom", None, elem_id="class")
    with gr.Tabs() as tabs:
        with gr.Tab("Theory", id="theory"):
            card = theory.build(backend)
        with gr.Tab("Train", id="train"):
            tab = train.build(backend, session, followed)
        with gr.Tab("ELBO", id="elbo"):
            elbo.build()
        with gr.Tab("Draw", id="draw"):
            pad = draw.build(backend)
        with gr.Tab("Latents", id="latents"):
            sliders = latents.build(backend, default)
        with gr.Tab("Runs", id="runs", elem_id="runs-tab"):  # which the glossary leads to
            table, charts, own = runs.build(backend)
        with gr.Tab("Class", id=DESK, visible=False) as desk:
            live.component("classroom/desk", None, elem_id="desk")
    heading = gr.Markdown(_heading(backend), elem_classes="page-footer")
    users = [address, card, pad, sliders]
    return _Page(backend, session, heading, model, followed, tab, users, card, tabs, desk, table, charts, own)


def _first(offered: list[tuple[str, str]]) -> str:
    """The model of a browser that has not chosen one, or whose choice is gone; empty if there is none."""
    return offered[0][1] if offered else ""


def _choice(offered: list[tuple[str, str]], chosen: str, info: str = "") -> dict[str, Any]:
    """What the choice of models offers and shows, with a sentence below it if there is something to say."""
    return {"choices": offered, "value": chosen or None, "info": info or (None if offered else NO_MODEL)}


def _heading(backend: Backend) -> str:
    """What the server computes on and trains on, and what is wrong with it."""
    return " · ".join([backend.runs.computing_on(), backend.data_line(), *backend.faults()])


def _wire_load(blocks: gr.Blocks, page: _Page) -> None:
    backend = page.backend

    def on_load(stored: Any, request: gr.Request) -> list[Any]:
        """Restores the browser's model and the run it followed, or opens what the page's address names."""
        state = restored(stored)
        link = dict(request.query_params)
        offered = backend.choices(state["browser"])
        own = backend.runs.of(state["browser"])
        offered, gone = with_linked(backend, offered, link.get("model"))
        if link.get("model") and not gone:
            state["model"] = link["model"]
        if state["model"] not in [name for _, name in offered]:
            state["model"] = _first(offered)
        named, missing = fork.named(backend, link)
        shared = "" if named in own else named  # the session never has a run of somebody else
        if named or state["run"] not in own:
            state["run"] = "" if shared else named or (own[-1] if own else "")
        tab = link.get("tab") or ("train" if named else "")
        followed = shared or state["run"] or next(iter(backend.runs.recordings), "")
        return [
            state,
            _heading(backend),
            gr.Dropdown(**_choice(offered, state["model"], gone)),
            {"run": followed, "browser": state["browser"], "shared": bool(shared), "missing": missing},
            *({"model": state["model"]} for _ in page.users),
            {"browser": state["browser"]},
            {"browser": state["browser"]},
            backend.durations.offered(),
            gr.Tab(visible=backend.lecturer_key.is_lecturers(request.cookies)),
            gr.Tabs(selected=tab) if tab in (*TABS, DESK) else gr.skip(),
            *(fork.form(backend, shared, link) if shared else train.form_of_link(backend, state["run"], link)),
        ]

    shown: list[Block] = [page.session, page.heading, page.model, page.followed, *page.users]
    shown += [page.table, page.own, page.tab.presets, page.desk, page.tabs, *page.tab.form]
    blocks.load(on_load, page.session, shown, **QUIET)


def _wire_model(page: _Page) -> None:
    """Makes Draw, Latents and the address follow the chosen model, and the choice follow what exists."""
    backend = page.backend
    session = page.session
    model = page.model
    users = page.users
    changed: list[Block] = [session, model, *users, *page.tab.form]  # by a followed run

    def on_model(state: Session, name: str) -> list[Any]:
        return [Session(**state | {"model": name}), gr.Dropdown(info=None), *({"model": name} for _ in users)]

    def in_use(state: Session, name: str | None) -> list[Any]:
        """The current session and choice of models; switches to another model if the one in use is gone, or none is."""
        offered, gone = with_linked(backend, backend.choices(state["browser"]), name)
        if name and not gone:
            return [state, gr.Dropdown(choices=offered, value=name), *(gr.skip() for _ in users)]
        default = _first(offered)
        info = "The model that was in use is gone: this one takes its place." if gone and offered else ""
        there = gr.Dropdown(**_choice(offered, default, info))
        return [Session(**state | {"model": default}), there, *({"model": default} for _ in users)]

    def on_run_changed(state: Session, name: str, event: gr.EventData) -> list[Any]:
        """Handles a followed run that is a different one, has changed its state, or has new weights to offer.

        When a run resumes, the form shows its settings again; meanwhile it may have held those of the next run. While
        a recording or somebody else's run is followed, the form is the visitor's.
        """
        if not state:  # the browser has not stored its session yet: on_load has just answered with all of this
            return [gr.skip() for _ in changed]
        run, before, now_is = (str(event._data[name]) for name in ("run", "before", "state"))
        run = run if fork.is_own(backend, run, state["browser"]) else ""
        goes_on = _keeps_the_form(now_is) and not _keeps_the_form(before)
        other = run != state["run"] or goes_on
        now: Session
        now, *rest = in_use(state, name)
        return [Session(**now | {"run": run}), *rest, *train.form(backend, run, values=other)]

    model.input(on_model, [session, model], [session, model, *users], **QUIET)
    page.followed.changed(on_run_changed, [session, model], changed, **QUIET)
    page.table.removed(in_use, [session, model], [session, model, *users], **QUIET)


def _keeps_the_form(state: str) -> bool:
    """`State.keeps_the_form` for what a browser sends; it may follow no run at all, or one that is gone."""
    return state in list(State) and State(state).keeps_the_form


def _wire_runs(page: _Page) -> None:
    """Wires the events that the table of runs sends to other parts."""
    backend = page.backend
    session = page.session

    def on_use(state: Session, event: gr.EventData) -> list[Any]:
        """Uses a model, of a run or a shipped one, and opens the tab that shows it."""
        run = str(event._data["run"])
        asked = event._data.get("tab")
        tab = asked if asked in USERS else USERS[0]
        offered, gone = with_linked(backend, backend.choices(state["browser"]), run)
        if gone:
            raise gr.Error("That run has no model yet.", print_exception=False)
        chosen = gr.Dropdown(choices=offered, value=run, info=None)
        users = ({"model": run} for _ in page.users)
        return [Session(**state | {"model": run}), chosen, *users, gr.Tabs(selected=tab)]

    def on_lesson(state: Session, event: gr.EventData) -> list[Any]:
        """Fills the form with the settings of a recorded training, starts a run with them, and opens Train."""
        try:
            name = event._data["name"]
            settings = settings_of(backend.lessons.config(name))
            values = {field: in_field(field, settings[field]) for field in LABELS}
            title = backend.lessons.folder(name).name()
            return _followed(backend, state, train.start(backend, state, values, name=title))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def on_watch(state: Session, event: gr.EventData) -> list[Any]:
        """Makes Train and ELBO follow another run of this browser."""
        return _followed(backend, state, str(event._data["run"]))

    def on_plan(state: Session, *values: Any) -> dict[str, Any]:
        """Tells the table what would be started with the form's settings and the weights of another run."""
        *fields, chosen = values
        settings = dict(zip(LABELS, fields, strict=True))
        return chosen | {"plan": continuing.plan(backend, state["browser"], chosen["run"], settings)}

    def on_train_on(state: Session, *values: Any) -> list[Any]:
        """Starts a new run with the form's settings and the weights of another run."""
        *fields, chosen = values
        return _continued(backend, state, chosen["run"], fields)

    page.table.use(on_use, session, [session, page.model, *page.users, page.tabs], **OUTSPOKEN)
    page.followed.use(on_use, session, [session, page.model, *page.users, page.tabs], **OUTSPOKEN)
    shown = [session, page.followed, page.tabs, *page.tab.form]
    page.deck.run_lesson(on_lesson, session, shown, **OUTSPOKEN)
    for component in (page.table, page.charts):
        component.watch_run(on_watch, session, shown, **OUTSPOKEN)
    page.table.plan(on_plan, [session, *page.tab.fields, page.table], page.table, **OUTSPOKEN)
    page.table.train_on(on_train_on, [session, *page.tab.fields, page.table], shown, **OUTSPOKEN)


def _followed(backend: Backend, state: Session, run: str) -> list[Any]:
    """The session, the run that Train and ELBO follow, the tab to show, and the form of that run."""
    shown = {"run": run, "browser": state["browser"]}
    form = train.form(backend, run, values=True)
    return [Session(**state | {"run": run}), shown, gr.Tabs(selected="train"), *form]


def _continued(backend: Backend, state: Session, run: str, fields: list[Any]) -> list[Any]:
    """Starts a new run with the form's settings and the weights of another run, and returns what `_followed` does.

    Raises:
        gr.Error: it cannot be started; the plan may have been made a while ago.
    """
    settings = dict(zip(LABELS, fields, strict=True))
    try:
        name = continuing.name_of(backend, state["browser"], run)
        return _followed(backend, state, train.start(backend, state, settings, weights=run, name=name))
    except (FaultsError, RunError) as error:
        raise gr.Error(str(error), print_exception=False) from None


def _wire_fork(page: _Page) -> None:
    """Wires the ways from a run that a link names to one of the visitor's own."""
    backend = page.backend
    progress = page.tab.progress

    def on_fill(event: gr.EventData) -> list[Any]:
        return fork.filled(backend, str(event._data["run"]))

    def on_plan(state: Session, event: gr.EventData, *values: Any) -> dict[str, Any]:
        settings = dict(zip(LABELS, values, strict=True))
        return fork.plan(backend, state["browser"], str(event._data["run"]), settings)

    def on_train_on(state: Session, event: gr.EventData, *values: Any) -> list[Any]:
        return _continued(backend, state, str(event._data["run"]), list(values))

    form = [page.session, *page.tab.fields]
    shown = [page.session, page.followed, page.tabs, *page.tab.form]
    progress.fill(on_fill, None, [progress, *page.tab.fields], **OUTSPOKEN)
    progress.plan(on_plan, form, progress, **OUTSPOKEN)
    progress.train_on(on_train_on, form, shown, **OUTSPOKEN)


def _wire_key(page: _Page) -> None:
    """Wires the key by which a visitor's runs come from another browser."""
    backend = page.backend

    def on_take(state: Session, event: gr.EventData) -> list[Any]:
        """Makes this browser the one that the runs belong to, and opens the newest of them."""
        try:
            browser = key.browser_from(str(event._data["browser"]))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        its = {"browser": browser}
        now = Session(**state | {"browser": browser})
        own = backend.runs.of(browser)
        if not own:
            raise gr.Error("No runs on this server belong to that key.", print_exception=False)
        return [*_followed(backend, now, own[-1]), its, its]

    shown = [page.session, page.followed, page.tabs, *page.tab.form, page.table, page.own]
    page.own.take(on_take, page.session, shown, **OUTSPOKEN)


def _wire_sweep(page: _Page) -> None:
    """Wires the dialog of the table of runs that starts several of them to the form, whose settings they share."""
    backend = page.backend

    def on_plan(state: Session, event: gr.EventData, *values: Any) -> dict[str, Any]:
        settings = dict(zip(LABELS, values, strict=True))
        return {"browser": state["browser"], "sweep": sweep.plan(backend, settings, event._data)}

    def on_start(state: Session, event: gr.EventData, *values: Any) -> dict[str, Any]:
        settings = dict(zip(LABELS, values, strict=True))
        return {"browser": state["browser"], "sweep": sweep.start(backend, state, settings, event._data)}

    form = [page.session, *page.tab.fields]
    page.table.plan_sweep(on_plan, form, page.table, **QUIET | {"trigger_mode": "always_last"})
    page.table.start_sweep(on_start, form, page.table, **QUIET)


def with_linked(
    backend: Backend, offered: list[tuple[str, str]], linked: str | None
) -> tuple[list[tuple[str, str]], str]:
    """The choices of models plus a linked one, which may be another browser's; and a sentence if it is gone."""
    if not linked or linked in [name for _, name in offered]:
        return offered, ""
    try:
        header = backend.load(linked).header
    except (CheckpointError, RunError):
        return offered, "The model that the link names is not on this server any more."
    return [*offered, (f"shared with you: {labels.kind(header)}", linked)], ""
