"""The limits of a server, as its visitors hear of them."""

import gradio as gr
import pytest

from ui import sweep
from ui.tabs import continuing
from ui.tabs import train as train_tab
from ui.tabs.runs import kept_line, mine, pin
from ui.web.requests import of
from vae_core.runs.allowance.limits import UNLIMITED, Limits
from vae_core.settings import FaultsError

from .conftest import ANNA, BERT, FORM, asked, session, trained

TOO_LONG = "Epochs is 2; that makes 24 steps, and this server takes at most 23: take at most 1."  # twelve an epoch
TOO_LARGE = "Hidden units is 16; that makes a model of 26,054 parameters, and this server takes at most 1,000."


@pytest.mark.parametrize(
    ("limits", "faults"),
    [
        ({"max_steps": 23}, {"epochs": TOO_LONG}),
        ({"max_parameters": 1000}, {"hidden_dim": TOO_LARGE}),
        ({"max_steps": 23, "max_parameters": 1000}, {"epochs": TOO_LONG, "hidden_dim": TOO_LARGE}),
    ],
)
def test_the_form_marks_what_is_over_a_limit(backend, limits, faults):
    backend.runs.limits = Limits(**limits)
    for one_batch in (False, True):
        with pytest.raises(FaultsError) as caught:
            train_tab.start(backend, session(ANNA), FORM, one_batch=one_batch)
        assert caught.value.faults == faults
    assert backend.runs.of(ANNA) == []


def test_a_sweep_and_a_run_that_goes_on_are_refused_before_they_are_offered(backend, monkeypatch):
    monkeypatch.setattr("ui.presets.seconds_a_step", lambda *of: 0.01)
    run = trained(backend)
    backend.runs.limits = Limits(max_steps=23)
    question = {"asked": 3, "vary": "beta", "values": "0.5 2", "seeds": 1}
    for ask in (
        lambda: sweep.plan(backend, FORM, question),
        lambda: sweep.start(backend, session(ANNA), FORM, question),
    ):
        assert ask() == {"asked": 3, "error": TOO_LONG}
    assert continuing.plan(backend, ANNA, run, FORM)["faults"] == {"epochs": TOO_LONG}
    assert backend.runs.of(ANNA) == [run]


def test_a_visitor_whose_runs_leave_no_room_hears_what_to_delete(backend):
    run = trained(backend)
    backend.runs.limits = Limits(max_runs=1)
    sentence = (
        "This server keeps 1 run of a visitor, and yours are pinned, paused, in training or less than ten minutes old:"
        " delete 1 run of yours, or unpin as many."
    )
    with pytest.raises(gr.Error) as caught:
        train_tab.start(backend, session(ANNA), FORM)
    assert caught.value.message == sentence
    assert asked(backend, "steer", {"browser": ANNA, "run": run, "how": "reset"}) == {"error": sentence}


def test_a_run_is_pinned_from_the_table(backend):
    run = trained(backend)
    assert mine(backend, {"browser": ANNA})["runs"][0]["pinned"] is False
    refused = of(backend, pin)({"browser": BERT, "run": run, "pinned": True})
    assert refused == {"error": "That run belongs to another browser."}
    assert of(backend, pin)({"browser": ANNA, "run": run, "pinned": True}) == {}
    assert mine(backend, {"browser": ANNA})["runs"][0]["pinned"] is True
    assert of(backend, pin)({"browser": ANNA, "run": run, "pinned": False}) == {}
    assert mine(backend, {"browser": ANNA})["runs"][0]["pinned"] is False


REST = (
    ": when a new run needs the room, the oldest ones are deleted, except those that are pinned (behind ⋯), in"
    " training, paused or less than ten minutes old."
)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(), f"This server keeps up to 50 runs and 2 GB of yours, and 20 GB of all visitors{REST}"),
        (Limits(max_runs=0), f"This server keeps up to 2 GB of yours, and 20 GB of all visitors{REST}"),
        (Limits(max_gb=0, max_total_gb=0), f"This server keeps up to 50 runs of yours{REST}"),
        (Limits(max_runs=0, max_gb=0), f"This server keeps up to 20 GB of all visitors{REST}"),
        (UNLIMITED, "Your runs stay until you delete them."),
    ],
)
def test_the_runs_tab_says_how_many_runs_are_kept_and_how_long(limits, said):
    assert kept_line(limits) == said
