"""Runs after a restart, under two servers, and what ended trainings leave behind."""

import dataclasses
import gc
import json
import os
import subprocess
import sys
import threading

import pytest
import torch

from vae_core import load_checkpoint
from vae_core.runs.folder import RunError
from vae_core.runs.run import Steering
from vae_core.runs.server import Runs

from ..conftest import ROOT
from .conftest import LONG, NOBODY, STEERING, going, is_in, reached, wait_for
from .test_run import CONFIG, CPU, MODEL, assert_same_end, began, figures, go_on


def left_behind(runs, few, state, config=CONFIG):
    """A run of me that another server began and left at step 10, in that state."""
    folder, steering = began(runs.root / NOBODY, config), Steering()
    folder.write_config(dataclasses.replace(folder.read_config(), owner="me"))
    go_on(folder, few, steering, {9: steering.pause})
    (folder.path / "status.json").write_text(json.dumps({"state": state, "message": ""}))
    return NOBODY


@pytest.mark.parametrize("state", ["waiting", "loading", "running"])
def test_after_a_restart_a_run_is_interrupted_and_goes_on_exactly(runs, load, few, tmp_path, state):
    run, whole = left_behind(runs, few, state), began(tmp_path / "whole")
    assert runs.status(run) == {
        "state": "interrupted",
        "message": "Interrupted at step 10: Resume goes on from there.",
    }
    assert runs.of("me") == [run] and runs.summary(run).state == "interrupted"
    with pytest.raises(RunError, match="is interrupted"):
        runs.pause(run, "me")
    runs.play(run, "me", load)
    reached(runs, run, "finished")
    go_on(whole, few)
    assert_same_end(whole, runs.folder(run))
    assert figures(runs.folder(run).records()).keys() == figures(whole.records()).keys() | {10}


def test_an_interrupted_run_that_has_saved_nothing_says_so(runs, load):
    folder = began(runs.root / NOBODY)
    folder.write_status("waiting")
    assert runs.status(NOBODY)["message"] == "Interrupted before its first step: Resume goes on from there."
    runs.play(NOBODY, "", load)
    reached(runs, NOBODY, "finished")


def test_an_interrupted_run_can_be_stopped_or_deleted(runs, few):
    run = left_behind(runs, few, "running")
    runs.stop(run, "me")
    assert is_in(runs, run, "stopped")
    runs.delete(run, "me")
    assert runs.of("me") == []


def test_closing_pauses_all_runs_in_order(tmp_path, load):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    started = [going(runs, load, owner) for owner in "ab"]
    started += [runs.start(MODEL, LONG, "digits", load, "c")]
    runs.close()
    assert [runs.folder(run).read_status()["state"] for run in started] == ["paused"] * 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("training", "batch"))]
    assert all(load_checkpoint(runs.folder(run).model_file) for run in started[:2])
    assert not any(runs.folder(run).is_taken() for run in started)


def assert_cannot_be_steered(runs, run, owner, load):
    before = runs.folder(run).read_config(), runs.folder(run).changes(), runs.of(owner)
    for how in ("pause", "stop", "play", "step", "change"):
        with pytest.raises(RunError, match="Trained by another process on this runs folder: it cannot be steered here"):
            STEERING[how](runs, run, owner, load)
    with pytest.raises(RunError, match="being trained: stop it first"):
        runs.delete(run, owner)
    assert (runs.folder(run).read_config(), runs.folder(run).changes(), runs.of(owner)) == before


def test_a_second_server_sees_a_run_but_cannot_steer_it(in_line, runs, load):
    second = Runs(runs.root, CPU)
    run, waiting = going(runs, load), runs.start(MODEL, LONG, "digits", load, "other")
    elsewhere = "Trained by another process on this runs folder: it cannot be steered here."
    assert second.status(run) == {"state": "running", "message": elsewhere}
    assert second.status(waiting) == {"state": "waiting", "message": elsewhere}
    assert_cannot_be_steered(second, run, "me", load)
    assert_cannot_be_steered(second, waiting, "other", load)
    assert is_in(runs, run, "running") and is_in(runs, waiting, "waiting")
    runs.pause(run, "me")
    wait_for(lambda: not runs.folder(run).is_taken())
    second.play(run, "me", load)
    reached(second, run, "running")
    assert_cannot_be_steered(runs, run, "me", load)
    second.close()
    assert is_in(runs, run, "paused")


SERVER = """
import sys
from pathlib import Path
import torch
from vae_core import TrainConfig, VAEConfig, load_dataset
from vae_core.runs import turns
from vae_core.runs.server import Runs
turns.ROUND = turns.SHORTEST = turns.LONGEST = float("inf")
runs = Runs(Path(sys.argv[1]), torch.device("cpu"), in_memory=1)
dataset = load_dataset("digits", "unused")
for owner in ("me", "waiting"):
    training = TrainConfig(epochs=100_000, batch_size=50)
    print(runs.start(VAEConfig(latent_dim=3, hidden_dim=16), training, "digits", lambda report: (dataset, ""), owner))
sys.stdout.flush()
sys.stdin.read()
runs.close()
"""


@pytest.mark.parametrize("end", ["in order", "killed"])
def test_a_second_process_on_the_same_runs(runs, digits, end):
    def load(report):
        return digits, ""

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(runs.root)], cwd=ROOT, **pipes)
    try:
        run, waiting = process.stdout.readline().strip(), process.stdout.readline().strip()
        wait_for(lambda: len(runs.folder(run).records()) > 2)
        assert is_in(runs, run, "running") and is_in(runs, waiting, "waiting")
        assert_cannot_be_steered(runs, run, "me", load)
        assert_cannot_be_steered(runs, waiting, "waiting", load)
        mine = going(runs, load, "another")
        if end == "killed":
            process.kill()
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    if end == "killed":
        step = runs.folder(run).saved_step()
        assert runs.status(run)["message"] == f"Interrupted at step {step:,}: Resume goes on from there."
        assert runs.status(waiting)["message"] == "Interrupted before its first step: Resume goes on from there."
    else:
        assert is_in(runs, run, "paused") and is_in(runs, waiting, "paused")
    runs.stop(mine, "another")
    for owner, left in (("me", run), ("waiting", waiting)):
        runs.play(left, owner, load, one_batch=True)
        reached(runs, left, "paused")
        steps = [record["step"] for record in runs.folder(left).records()]
        assert steps == sorted(set(steps)) and steps[-1] == runs.folder(left).saved_step()


def left_over():
    """Threads, open files and tensors of this process."""
    gc.collect()
    tensors = sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())
    return threading.active_count(), len(os.listdir("/proc/self/fd")), tensors


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_ten_trainings_started_and_ended_leave_nothing_behind(tmp_path, load):
    before, runs = left_over(), Runs(tmp_path, CPU)
    for turn in range(12):
        run = going(runs, load)
        (runs.stop if turn % 2 else runs.pause)(run, "me")
        wait_for(lambda: not runs.queue.trainings)
        runs.play(run, "me", load, one_batch=True)
        wait_for(lambda: not runs.queue.trainings)
        if turn == 1:
            settled = left_over()
    threads, files, tensors = left_over()
    assert (threads, files) == settled[:2] == (before[0] + 2, before[1])  # a training's thread and a single batch's
    assert tensors <= settled[2]
    runs.close()
    assert left_over()[:2] == before[:2]
