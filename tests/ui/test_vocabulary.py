"""What server and browser both go by is written once, in Python, and served."""

import math
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.vocabulary import COLOURS, RUN_COLOURS, route, vocabulary
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
    assert '"running": {"title": "Training", "going": true, "resumable": false, ' in answer.text


def test_its_types_are_declared():
    text = (ROOT / "ui" / "live" / "shared" / "vocabulary.d.ts").read_text()
    assert re.findall(r"^export const (\w+):", text, re.M) == list(vocabulary())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_of_the_browser_says_it_again(path):
    text = path.read_text()
    assert not re.search(rf'"({STATE})",\s*"({STATE})"', text), "a list of states"
    assert not re.search(rf"\b({'|'.join(vocabulary())}) =", text), "a constant of the vocabulary"


TERM = re.compile(r"--(?:reconstruction|kl|elbo|gap|evidence|gap-text): (#[0-9a-f]{6});")  # in light and dark


def seen(colour: str) -> tuple[float, float, float]:
    """A colour in CIE L*a*b* (D65), where distances are as people see them."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    """As WCAG has it."""
    return sum(w * _linear(int(colour[i : i + 2], 16) / 255) for i, w in ((1, 0.2126), (3, 0.7152), (5, 0.0722)))


def test_the_colours_of_runs_are_no_terms_and_can_be_told_apart():
    terms = TERM.findall((ROOT / "ui" / "page.css").read_text())
    assert len(terms) == 11
    for n, colour in enumerate(RUN_COLOURS):
        others = [*terms, *COLOURS.values(), *RUN_COLOURS[:n]]
        assert min(math.dist(seen(colour), seen(other)) for other in others) > 20, colour
        for ground in ("#ffffff", "#0b0f19"):  # of charts in light and dark
            light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, ground)


def test_every_state_can_be_come_to_and_what_has_ended_for_good_stays():
    assert set(MOVES) == set(State)
    reached = set().union(*MOVES.values())
    assert reached == set(State) - {State.INTERRUPTED}  # which nobody writes
    for state in State:
        assert state.is_going != state.has_ended
        assert state.may_become(State.WAITING) == (state is not State.FINISHED), "resumable, or begun"
