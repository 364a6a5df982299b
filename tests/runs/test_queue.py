"""Trainings side by side, and those that wait for them."""

import sys
import threading

import pytest

from vae_core.runs.folder import RunError
from vae_core.runs.server import Runs

from .conftest import LONG, going, is_in, paused, reached
from .test_run import CPU, MODEL


def test_runs_wait_in_order_see_their_place_and_can_leave_the_line(in_line, runs, load):
    first = going(runs, load, "a")
    second, third, fourth = (runs.start(MODEL, LONG, "digits", load, owner) for owner in "bcd")
    line = [runs.status(run) for run in (second, third, fourth)]
    assert [status["state"] for status in line] == ["waiting"] * 3
    assert [status["message"] for status in line] == ["You are next", "1 before you", "2 before you"]
    runs.stop(second, "b")
    assert runs.status(second) == {"state": "stopped", "message": "It left the queue before its first step."}
    assert [runs.status(run)["message"] for run in (third, fourth)] == ["You are next", "1 before you"]
    runs.pause(third, "c")
    assert runs.status(third) == {"state": "paused", "message": "Paused while it waited."}
    assert runs.status(fourth)["message"] == "You are next"
    runs.play(third, "c", load)  # at the end of the line now
    assert runs.status(third)["message"] == "1 before you"
    runs.stop(first, "a")
    reached(runs, fourth, "running")
    assert runs.status(third)["message"] == "You are next"
    runs.stop(fourth, "d")
    reached(runs, third, "running")


def test_as_many_train_at_once_as_are_allowed(in_line, tmp_path, load):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    first, second, third = (runs.start(MODEL, LONG, "digits", load, owner) for owner in "abc")
    reached(runs, first, "running")
    reached(runs, second, "running")
    assert is_in(runs, third, "waiting") and runs.status(third)["message"] == "You are next"
    runs.close()
    with pytest.raises(ValueError, match="max_trainings is 0"):
        Runs(tmp_path, CPU, 0)


def test_a_browser_has_one_run_that_goes_or_waits_but_any_number_that_pause(in_line, runs, load):
    first, second = paused(runs, load), paused(runs, load)
    run = going(runs, load)
    other = runs.start(MODEL, LONG, "digits", load, "other")  # waits
    before = runs.of("me"), runs.of("other")
    for owner, mine in (("me", run), ("other", other)):
        with pytest.raises(RunError, match="going or waiting already"):
            runs.start(MODEL, LONG, "digits", load, owner)
        with pytest.raises(RunError, match="going or waiting already"):
            runs.play(mine, owner, load)
    with pytest.raises(RunError, match="going or waiting already"):
        runs.play(first, "me", load, one_batch=True)
    assert (runs.of("me"), runs.of("other")) == before
    runs.pause(run, "me")
    reached(runs, run, "paused")
    runs.play(second, "me", load)
    assert is_in(runs, second, "waiting") and is_in(runs, first, "paused")


def test_a_single_batch_does_not_wait_behind_a_training(in_line, runs, load):
    first = going(runs, load, "anna")
    waiting = runs.start(MODEL, LONG, "digits", load, "carl")
    run = runs.start(MODEL, LONG, "digits", load, "bert", one_batch=True)
    reached(runs, run, "paused")
    assert runs.folder(run).saved_step() == 1 and is_in(runs, first, "running")
    assert is_in(runs, waiting, "waiting") and runs.status(waiting)["message"] == "You are next"


@pytest.fixture
def swift():
    """Threads take turns as often as can be, so that what one leaves half done another one sees."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_many_looks_while_runs_come_and_go_see_no_fault(runs, load, swift):
    seen, is_over, started = [], threading.Event(), [going(runs, load, "first")]

    def look():
        while not is_over.is_set():
            try:
                seen.extend(runs.status(run)["state"] for run in list(started))
            except Exception as error:
                seen.append(error)
                raise

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for _ in range(4):
        some = [runs.start(MODEL, LONG, "digits", load, f"{i}") for i in range(8)]
        started += some
        for i, run in enumerate(some):
            runs.pause(run, f"{i}")
        for run in some:
            reached(runs, run, "paused")
    is_over.set()
    for looker in lookers:
        looker.join(20)
    assert set(seen) <= {"waiting", "loading", "running", "paused"}
