"""What the dialog of a sweep is answered."""

import pytest

from ui.presets import IMAGES
from ui.sweep import plan, start

from .conftest import ANNA, FORM, finished, session

ASKED = {"asked": 3, "vary": "beta", "values": "0.5 2", "seeds": 2}


@pytest.fixture
def timed(backend, monkeypatch):
    """A server on which a step takes 10 ms; gives what was timed."""
    steps = []
    monkeypatch.setattr("ui.presets.seconds_a_step", lambda *of: steps.append(of) or 0.01)
    return steps


def test_a_plan_says_how_many_runs_and_how_long(backend, timed):
    found = plan(backend, FORM, ASKED)
    each = 0.01 * 2 * 12  # two epochs of twelve steps
    assert found.pop("seconds") == pytest.approx(4 * each)
    assert found == {"asked": 3, "runs": 4, "values": [0.5, 2], "rest": "digits, mlp, 2 epochs"}
    assert plan(backend, FORM | {"epochs": 4, "seed": 7}, ASKED)["seconds"] == pytest.approx(8 * each)
    assert len(timed) == 1  # a step takes as long, whatever the seed
    plan(backend, FORM, ASKED | {"vary": "latent_dim", "values": "2 30 5"})
    assert timed[-1][0].latent_dim == 30
    assert backend.runs.of(ANNA) == []


def test_the_time_of_data_that_are_not_there_yet_is_that_of_mnist(backend, timed):
    assert plan(backend, FORM | {"data": "mnist"}, ASKED)["seconds"] == pytest.approx(4 * 0.01 * 2 * -(-IMAGES // 128))


def test_a_step_is_timed_as_it_is_taken(backend):
    assert 0 < plan(backend, FORM, ASKED)["seconds"] < 60


def test_a_start_trains_what_was_planned(backend):
    found = start(backend, session(ANNA), FORM, ASKED)
    assert found["asked"] == 3 and len(found["started"]) == 4
    settings = []
    for run in found["started"]:
        finished(backend, run)
        settings.append(backend.runs.folder(run).settings())
    assert [(each["beta"], each["seed"]) for each in settings] == [(0.5, 0), (2, 0), (0.5, 1), (2, 1)]
    assert {each["hidden_dim"] for each in settings} == {16}


@pytest.mark.parametrize(
    ("form", "asked", "message"),
    [
        ({}, {"values": "1 -1"}, "β is -1; it must be a number from 0 to 1000."),
        (
            {},
            {"vary": "latent_dim", "values": "2 1000"},
            "Dimensions D is 1000; it must be a whole number from 1 to 512.",
        ),
        ({}, {"values": "1 2 3 4 5", "seeds": 5}, "That makes 25 runs; the queue takes at most 20 of a browser."),
        ({}, {"values": ""}, "β has no value; a sweep needs at least one."),
        ({"epochs": 0}, {}, "Epochs is 0"),
        ({"batch_size": 1501}, {}, "Batch size is 1501; the training set has 1500 images"),
        ({"data": "cifar"}, {}, "Data is 'cifar'"),
        ({"seed": 2**32 - 1}, {}, "Seed is 4294967296"),
        ({"hold_out": 1500}, {}, "Validation images is 1500"),
    ],
)
def test_a_bad_value_is_one_sentence_and_starts_nothing(backend, timed, form, asked, message):
    for answer in (
        plan(backend, FORM | form, ASKED | asked),
        start(backend, session(ANNA), FORM | form, ASKED | asked),
    ):
        assert answer["asked"] == 3 and answer["error"].startswith(message)
    assert backend.runs.of(ANNA) == [] and timed == []


@pytest.mark.parametrize("request_of_it", [None, [], {}, {"asked": 1, "vary": "beta"}, "x"])
def test_what_is_no_question_is_answered_by_a_sentence(backend, request_of_it):
    assert "The request has no" in plan(backend, FORM, request_of_it)["error"]
    assert "The request has no" in start(backend, session(ANNA), FORM, request_of_it)["error"]
    assert backend.runs.of(ANNA) == []
