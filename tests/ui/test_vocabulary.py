"""What server and browser both go by is written once, in Python, and served."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.vocabulary import route, vocabulary
from vae_core.runs.states import MOVES, State

from ..conftest import ROOT

MODULES = sorted((ROOT / "ui" / "live").rglob("*.js"))
STATE = "|".join(State)


def test_it_is_served_as_a_module_that_is_asked_for_each_time():
    answer = TestClient(Starlette(routes=[route()])).get("/live/shared/vocabulary.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    exported = re.findall(r"^export const (\w+) = .*;$", answer.text, re.M)
    assert exported == list(vocabulary())
    assert '"running": {"title": "Training", "going": true, "resumable": false}' in answer.text


def test_its_types_are_declared():
    text = (ROOT / "ui" / "live" / "shared" / "vocabulary.d.ts").read_text()
    assert re.findall(r"^export const (\w+):", text, re.M) == list(vocabulary())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_of_the_browser_says_it_again(path):
    text = path.read_text()
    assert not re.search(rf'"({STATE})",\s*"({STATE})"', text), "a list of states"
    assert not re.search(rf"\b({'|'.join(vocabulary())}) =", text), "a constant of the vocabulary"


def test_every_state_can_be_come_to_and_what_has_ended_for_good_stays():
    assert set(MOVES) == set(State)
    reached = set().union(*MOVES.values())
    assert reached == set(State) - {State.INTERRUPTED}  # which nobody writes
    for state in State:
        assert state.is_going != state.has_ended
        assert state.may_become(State.WAITING) == (state is not State.FINISHED), "resumable, or begun"
