"""A run of somebody else by its link: it is followed, never taken, and others begin from it."""

from types import SimpleNamespace

import gradio as gr
import pytest

import ui
from ui.tabs import continuing, fork
from ui.tabs import train as train_tab
from ui.tabs.form import LABELS
from ui.tabs.runs import annotate, remove, rename
from ui.web.requests import of

from ..runs.conftest import wait_for
from .conftest import ANNA, BERT, FOLLOW, FORM, ODD, RUN, STEER, asked, finished, follow, session, steer, trained
from .test_damaged import handler

OTHERS = "That run belongs to another browser."


def opened(backend, stored, **query):
    """What the page gets that somebody opens: the session, what is followed, and the form's values by name."""
    load = handler(ui.build(backend), "on_load")
    parts = load(stored, SimpleNamespace(query_params=query, cookies={}))
    values = [part.get("value") for part in parts[-len(LABELS) :]]
    return parts[0], parts[3], dict(zip(LABELS, values, strict=True)), parts[-len(LABELS) - 3 :]


def content(backend, run):
    """Every file of a run, byte for byte."""
    return {path.name: path.read_bytes() for path in backend.runs.folder(run).path.rglob("*") if path.is_file()}


@pytest.fixture
def going(backend):
    """A run of Anna's that trains until the test ends."""
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000, "beta": 4})
    wait_for(lambda: follow(backend, run)["to"] > 1)
    yield run
    if not backend.runs.status(run)["state"].has_ended:
        steer(backend, run, "stop")
        finished(backend, run)


def test_a_link_follows_a_run_and_the_session_does_not_have_it(backend, going):
    state, followed, values, form = opened(backend, session(BERT), run=going, beta="3", tab="train")
    assert followed == {"run": going, "browser": BERT, "shared": True, "missing": ""}
    assert (state["browser"], state["run"]) == (BERT, "")
    assert values["latent_dim"] == "3" and values["beta"] == "3"  # of the run, and of the link
    assert all(part["interactive"] for part in form[3:]) and form[0].interactive and not form[1].visible
    assert backend.runs.of(BERT) == [] and backend.runs.of(ANNA) == [going]


def test_what_becomes_of_a_shared_run_changes_neither_the_session_nor_the_form(backend, going):
    changed = handler(ui.build(backend), "on_run_changed")
    event = SimpleNamespace(_data={"run": going, "before": "paused", "state": "running"})
    state, *_, train, note = changed(session(BERT, "small"), "small", event)[: -len(LABELS) - 1]
    assert state["run"] == "" and train.interactive and not note.visible
    assert all(part == gr.skip() for part in changed(session(BERT, "small"), "small", event)[-len(LABELS) :])


def test_ones_own_run_by_its_link_is_ones_own(backend, going):
    state, followed, _, form = opened(backend, session(ANNA), run=going)
    assert followed == {"run": going, "browser": ANNA, "shared": False, "missing": ""} and state["run"] == going
    assert not form[0].interactive and form[1].visible


@pytest.mark.parametrize(("query", "tab"), [({}, "train"), ({"tab": "elbo"}, "elbo"), ({"tab": "x"}, None)])
def test_a_link_that_names_only_a_run_opens_train(backend, going, query, tab):
    load = handler(ui.build(backend), "on_load")
    parts = load(session(BERT), SimpleNamespace(query_params=query | {"run": going}, cookies={}))
    assert [part.selected for part in parts if isinstance(part, gr.Tabs)] == ([tab] if tab else [])


@pytest.mark.parametrize("run", [RUN, "x", "../x", RUN + "\n", "x" * 300, "small"])
def test_a_link_that_names_no_run_of_this_server_opens_the_page_as_without_it(backend, run):
    mine = trained(backend)
    state, followed, *_ = opened(backend, session(ANNA, run=mine), run=run)
    said = "The run that the link names is not on this server any more."
    assert followed == {"run": mine, "browser": ANNA, "shared": False, "missing": said} and state["run"] == mine
    assert opened(backend, session(ANNA, run=mine), run="")[1]["missing"] == ""


def test_whoever_knows_the_id_follows_and_nobody_but_the_owner_does_more(backend, going):
    assert asked(backend, "follow", FOLLOW | {"run": going})["about"]["title"] == "digits · 3 dimensions"
    before = backend.runs.folder(going).read_config()
    for how in ("pause", "play", "step", "stop", "reset"):
        assert asked(backend, "steer", STEER | {"run": going, "browser": BERT, "how": how}) == {"error": OTHERS}
    request = {"browser": BERT, "run": going, "name": "mine", "note": "mine"}
    for function in (rename, annotate, remove):
        assert of(backend, function)(request) == {"error": OTHERS}
    with pytest.raises(gr.Error, match=OTHERS):
        train_tab.change(backend, session(BERT), going, "beta", "7")
    assert backend.runs.status(going)["state"] == "running" and backend.runs.folder(going).read_config() == before


def test_a_run_that_begins_with_anothers_weights_is_the_visitors_and_the_original_stays(backend):
    old = trained(backend, beta=4)
    backend.runs.rename(old, ANNA, "the good one")
    before = content(backend, old)
    settings = FORM | {"epochs": 1, "beta": 0.5, "latent_dim": 7}
    planned = fork.plan(backend, BERT, old, settings)
    assert planned["run"] == old and planned["plan"]["title"] == "the good one"
    assert {"title": "β", "old": "4", "new": "0.5"} in planned["plan"]["differs"]
    assert planned["plan"]["stays"] == [{"title": LABELS["latent_dim"], "value": "3"}]
    state, followed, *_ = ui._continued(backend, session(BERT), old, [settings[name] for name in LABELS])
    new = state["run"]
    finished(backend, new)
    assert followed == {"run": new, "browser": BERT} and backend.runs.of(BERT) == [new]
    config = backend.runs.folder(new).read_config()
    assert (config.owner, config.model.latent_dim, config.training.beta) == (BERT, 3, 0.5)
    assert config.start.startswith(old) and backend.runs.folder(new).name() == "the good one continued"
    assert content(backend, old) == before


def test_the_form_is_filled_with_the_settings_of_the_run(backend, going):
    told, *fields = fork.filled(backend, going)
    assert told["run"] == going and told["filled"] is True and int(told["at"])
    values = {name: part["value"] for name, part in zip(LABELS, fields, strict=True)}
    assert values["beta"] == "4" and values["data"] == "digits" and all(part["interactive"] for part in fields)


def test_a_fork_of_a_deleted_run_is_a_sentence_and_the_form_stays(backend):
    old = trained(backend)
    backend.runs.delete(old, ANNA)
    told, *fields = fork.filled(backend, old)
    assert told["error"] == fork.LOST and all(part == gr.skip() for part in fields)
    assert fork.plan(backend, BERT, old, FORM)["error"] == fork.LOST
    with pytest.raises(gr.Error, match="There is no run"):
        ui._continued(backend, session(BERT), old, [FORM[name] for name in LABELS])
    assert backend.runs.of(BERT) == []


@pytest.mark.parametrize("run", [it for it in ODD if isinstance(it, str)])
def test_an_odd_id_is_refused_in_a_sentence(backend, run):
    assert fork.filled(backend, run)[0]["error"] == fork.LOST
    assert "run" in continuing.plan(backend, BERT, run, FORM)["error"]
    assert not fork.is_own(backend, run, BERT)


def test_who_trains_already_is_told_so_before_a_fork(backend, going):
    mine = train_tab.start(backend, session(BERT), FORM | {"epochs": 10_000})
    assert "going or waiting already" in fork.plan(backend, BERT, going, FORM)["plan"]["error"]
    steer(backend, mine, "stop", BERT)
    finished(backend, mine)


def test_the_model_of_a_shared_run_may_be_drawn_with(backend):
    old = trained(backend)
    use = handler(ui.build(backend), "on_use")
    state, choice, *_ = use(session(BERT, "small"), SimpleNamespace(_data={"run": old, "tab": "draw"}))
    assert state["model"] == old and choice.value == old and state["browser"] == BERT
    backend.runs.delete(old, ANNA)
    with pytest.raises(gr.Error, match="has no model yet"):
        use(session(BERT, "small"), SimpleNamespace(_data={"run": old, "tab": "draw"}))
