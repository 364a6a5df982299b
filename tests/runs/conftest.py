"""What the tests of runs share: trainings in threads, in a folder of the test's own."""

import contextlib
import dataclasses
import math
import os
import time

import pytest

from vae_core.runs.allowance.limits import UNLIMITED
from vae_core.runs.config import RunConfig
from vae_core.runs.server import Runs

from ..conftest import plain
from .test_run import CPU, MODEL

LONG = plain(epochs=100_000, batch_size=50)
NOBODY = "20260101-000000-0123456789abcdef"


def wait_for(condition, seconds=20.0):
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def in_line(monkeypatch):
    """Turns do not end, and memory is for those that have one: whoever comes then waits in line."""
    for name in ("ROUND", "SHORTEST", "LONGEST"):
        monkeypatch.setattr(f"vae_core.runs.turns.{name}", math.inf)
    monkeypatch.setattr("vae_core.runs.server.Runs.__init__.__defaults__", (1, 1, None))


@pytest.fixture
def runs(tmp_path):
    """Runs in a folder of the test's own."""
    runs = Runs(tmp_path / "runs", CPU)
    yield runs
    runs.close()


@pytest.fixture
def load(few):
    """Gives the few images at once."""
    return lambda report: (few, "because")


def is_in(runs, run, *states):
    return runs.status(run)["state"] in states


def reached(runs, run, *states):
    wait_for(lambda: is_in(runs, run, *states))


def going(runs, load, owner="me", config=LONG, **kwargs):
    """A run that has taken its first steps."""
    run = runs.start(MODEL, config, "digits", load, owner, **kwargs)
    wait_for(lambda: len(runs.folder(run).records()) > 2)
    return run


def paused(runs, load, owner="me", config=LONG):
    """A run that has paused after some steps."""
    run = going(runs, load, owner, config)
    runs.pause(run, owner)
    reached(runs, run, "paused")
    return run


def content(folder):
    """All that a folder holds, but for the lock."""
    return {path: path.read_bytes() for path in sorted(folder.path.rglob("*")) if path.is_file()}


STEERING = {
    "pause": lambda runs, run, owner, load: runs.pause(run, owner),
    "stop": lambda runs, run, owner, load: runs.stop(run, owner),
    "play": lambda runs, run, owner, load: runs.play(run, owner, load),
    "step": lambda runs, run, owner, load: runs.play(run, owner, load, one_batch=True),
    "reset": lambda runs, run, owner, load: runs.start_over(run, owner),
    "change": lambda runs, run, owner, load: runs.change(run, owner, {"beta": 2.0}),
    "rename": lambda runs, run, owner, load: runs.rename(run, owner, "mine"),
    "annotate": lambda runs, run, owner, load: runs.annotate(run, owner, "mine"),
    "delete": lambda runs, run, owner, load: runs.delete(run, owner),
}


# Of servers with limits

SHORT = plain(epochs=1, batch_size=50)  # 4 steps
WEIGHTS = 784 * 16 + 16 + 16 * 6 + 6 + 3 * 16 + 16 + 16 * 784 + 784  # of MODEL: encoder and decoder, layer by layer
NEW = 20 * WEIGHTS  # bytes that a run of it counts as
HOUR = 3600


def limited(**limits):
    """Those limits, and no others."""
    return dataclasses.replace(UNLIMITED, **limits)


@pytest.fixture
def server(tmp_path):
    """Makes the runs of a server with certain limits, all of the same folder."""
    with contextlib.ExitStack() as made:
        yield lambda **limits: made.enter_context(contextlib.closing(Runs(tmp_path, CPU, limits=limited(**limits))))


def old(runs, number, owner="me", state="finished", size=100_000, age=HOUR):
    """A run that a browser left long ago; the one with the least number is the oldest. size: bytes of its weights."""
    run = f"20260101-{number:06}-0123456789abcdef"
    folder = runs.folder(run)
    folder.create()
    folder.write_config(RunConfig(MODEL, SHORT, "digits", train_images=200, owner=owner))
    folder.write_status(state, "Then.")
    folder.model_file.write_bytes(b"x" * size)
    rest(folder, age)
    return run


def rest(folder, age=HOUR):
    """Makes a folder's files as old as that, in seconds."""
    for path in folder.path.iterdir():
        os.utime(path, (time.time() - age,) * 2)


def finished(runs, load, **kwargs):
    """A new run that has ended."""
    run = runs.start(MODEL, SHORT, "digits", load, "me", **kwargs)
    reached(runs, run, "finished")
    return run
