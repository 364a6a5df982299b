"""Who may steer what: two visitors never meet."""

import gradio as gr
import pytest

from ui.tabs import train as train_tab
from ui.web.session import restored
from vae_core.runs.folder import RunError

from ...runs.conftest import wait_for
from ..conftest import ANNA, BERT, FORM, STEER, asked, finished, follow, session, steer


def test_a_run_is_steered_through_its_life(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 100_000})
    wait_for(lambda: follow(backend, run)["to"] > 1)
    assert steer(backend, run, "pause") == run
    wait_for(lambda: follow(backend, run)["state"] == "paused")
    step = backend.runs.folder(run).saved_step()
    assert steer(backend, run, "step") == run
    wait_for(lambda: follow(backend, run)["state"] == "paused" and follow(backend, run)["progress"]["step"] == step + 1)
    assert backend.follower.batch({"run": run})["step"] == step + 1
    assert steer(backend, run, "play") == run
    wait_for(lambda: follow(backend, run)["progress"]["step"] > step + 1)
    assert "going or waiting already" in asked(backend, "steer", STEER | {"run": run, "how": "reset"})["error"]
    steer(backend, run, "stop")
    wait_for(lambda: follow(backend, run)["state"] == "stopped")
    new = steer(backend, run, "reset")
    assert new != run
    wait_for(lambda: follow(backend, new)["progress"])  # it has begun
    steer(backend, new, "stop")
    wait_for(lambda: follow(backend, new)["state"] == "stopped")
    assert backend.runs.of(ANNA) == [run, new] or backend.runs.of(ANNA) == [new, run]
    assert "is stopped already" in asked(backend, "steer", STEER | {"run": run, "how": "pause"})["error"]


def test_two_visitors_never_see_each_others_models(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    assert [name for _, name in backend.choices(ANNA)] == ["small", run]
    assert backend.choices(ANNA)[1][0].startswith(f"my run {run[4:6]}-{run[6:8]} ")
    backend.runs.rename(run, ANNA, "the good one")
    assert backend.choices(ANNA)[1][0].startswith(f"the good one {run[4:6]}-{run[6:8]} ")
    assert [name for _, name in backend.choices(BERT)] == ["small"]
    assert [name for _, name in backend.choices("")] == ["small"]
    label = backend.choices(ANNA)[1][0]
    assert label.startswith("the good one") and "digits · 3 dimensions" in label and label.endswith(", finished")


def test_a_browser_has_one_training_at_a_time(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    with pytest.raises(gr.Error, match="going or waiting already: pause or stop it first"):
        train_tab.start(backend, session(ANNA), FORM)
    assert backend.runs.of(ANNA) == [run]
    other = train_tab.start(backend, session(BERT), FORM)
    steer(backend, run, "stop")
    finished(backend, other)
    wait_for(lambda: not backend.runs.queue.trainings)
    assert train_tab.start(backend, session(ANNA), FORM) != run


def test_nobody_stops_anothers_run(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    wait_for(lambda: backend.runs.status(run)["state"] == "running")
    assert "belongs to another browser" in asked(backend, "steer", STEER | {"run": run, "browser": BERT})["error"]
    with pytest.raises(gr.Error, match="belongs to another browser"):
        train_tab.change(backend, session(BERT), run, "beta", 3.0)
    assert backend.runs.status(run)["state"] == "running" and backend.runs.folder(run).changes() == []
    steer(backend, run, "stop")
    finished(backend, run)
    assert backend.runs.status(run)["state"] == "stopped"


@pytest.mark.parametrize("stored", [None, {}, [], "x", {"browser": 5}, {"browser": "../x", "model": [], "run": 7}])
def test_a_tampered_session_becomes_a_new_one(stored):
    one, two = restored(stored), restored(stored)
    assert len(one["browser"]) == 32 and one["browser"] != two["browser"] and one["model"] == one["run"] == ""
    assert restored({"browser": ANNA, "model": "m", "run": "r"}) == session(ANNA, "m", "r")


def test_a_stopped_run_of_no_browser_is_nobodys(backend):
    with pytest.raises(RunError):
        backend.runs.stop("20260101-000000-0123456789abcdef", ANNA)
