"""Runs are started, paused, stepped, changed, reset and stopped from other threads."""

import dataclasses
import threading
import time

import pytest
import torch

from vae_core import VAE, load_checkpoint, save_checkpoint
from vae_core.runs.changes import Change
from vae_core.runs.folder import RunError, RunFolder
from vae_core.training.one_batch import OneBatch

from ..conftest import seeded
from .conftest import LONG, STEERING, content, going, is_in, paused, reached, wait_for
from .test_run import CONFIG, CPU, GAUSSIAN, MODEL, assert_same_end, began, go_on


def test_a_run_goes_on_by_itself_and_stops_when_told(runs, load):
    run = going(runs, load)
    assert runs.status(run) == {"state": "running", "message": ""}
    runs.stop(run, "me")
    reached(runs, run, "stopped")
    last = runs.folder(run).records()[-1]["step"]
    assert runs.status(run)["message"] == f"Step {last:,} of 400,000."
    config = runs.folder(run).read_config()
    assert (config.owner, config.why_data, config.train_images) == ("me", "because", 200)
    load_checkpoint(runs.folder(run).model_file)


def test_a_paused_run_plays_on_to_where_it_would_have_been(runs, load, few, tmp_path):
    config = dataclasses.replace(CONFIG, epochs=60)
    run = paused(runs, load, config=config)
    at = runs.folder(run).saved_step()
    assert 0 < at < 240 and runs.status(run)["message"] == f"Step {at:,} of 240."
    runs.play(run, "me", load)
    reached(runs, run, "finished")
    whole = began(tmp_path / "whole", config)
    go_on(whole, few)
    assert_same_end(whole, runs.folder(run))


def test_a_step_is_a_batch_and_pauses(runs, load):
    run = runs.start(MODEL, LONG, "digits", load, "me", one_batch=True)
    reached(runs, run, "paused")
    for step in (1, 2, 3):
        if step > 1:
            runs.play(run, "me", load, one_batch=True)
            reached(runs, run, "paused")
        assert runs.status(run)["message"] == f"Step {step} of 400,000."
        assert OneBatch.load(runs.folder(run).path / "batch.safetensors").step == step == runs.folder(run).saved_step()
    assert [record["step"] for record in runs.folder(run).records()] == [1, 2, 3]


@pytest.mark.parametrize("how", ["play", "step", "stop", "change", "reset", "delete", "start"])
def test_a_run_that_has_ended_but_not_let_go_yet_is_in_nobodys_way(runs, load, monkeypatch, how):
    run, release, told = going(runs, load), RunFolder.release, threading.Event()
    # It lets go a moment after the next command has come: the time in which the command finds it not let go yet.
    monkeypatch.setattr(RunFolder, "release", lambda folder: (told.wait(10), time.sleep(0.3), release(folder)))
    runs.pause(run, "me")
    reached(runs, run, "paused")
    assert run in runs.queue.trainings
    told.set()
    if how == "start":
        runs.start(MODEL, LONG, "digits", load, "me")
    else:
        STEERING[how](runs, run, "me", load)
    monkeypatch.undo()
    if how in ("stop", "reset"):
        assert is_in(runs, run, "stopped")
    if how == "change":
        assert runs.folder(run).changes() == [Change(runs.folder(run).saved_step(), {"beta": 2.0})]


def test_a_paused_run_can_be_stopped_and_a_stopped_one_played(runs, load):
    run = paused(runs, load)
    message = runs.status(run)["message"]
    runs.stop(run, "me")
    assert runs.status(run) == {"state": "stopped", "message": message}
    runs.play(run, "me", load)
    reached(runs, run, "running")
    wait_for(lambda: f"Step {runs.folder(run).records()[-1]['step']:,} of 400,000." != message)


def test_play_at_once_after_pause_and_pause_at_once_after_play(runs, load):
    run = going(runs, load)
    for _ in range(5):
        runs.pause(run, "me")
        reached(runs, run, "paused")
        runs.play(run, "me", load)
    runs.stop(run, "me")
    reached(runs, run, "stopped")
    steps = [record["step"] for record in runs.folder(run).records()]
    assert steps == sorted(set(steps))


def test_reset_makes_another_run_with_the_first_settings_and_leaves_the_old_one(runs, load, few, tmp_path):
    run = going(runs, load)
    runs.change(run, "me", {"beta": 4.0, "samples": 2})
    wait_for(lambda: runs.folder(run).changes())
    with pytest.raises(RunError, match="going or waiting already"):
        runs.start_over(run, "me")
    runs.pause(run, "me")
    reached(runs, run, "paused")
    message, records = runs.status(run)["message"], runs.folder(run).records()
    new = runs.start_over(run, "me")
    assert runs.status(run) == {"state": "stopped", "message": message} and runs.folder(run).records() == records
    assert runs.status(new) == {"state": "paused", "message": "Step 0."}
    old, config = runs.folder(run).read_config(), runs.folder(new).read_config()
    assert config == dataclasses.replace(old, training=dataclasses.replace(LONG, precision="float32"))
    assert runs.folder(new).changes() == [] and runs.folder(new).records() == []
    runs.play(new, "me", load, one_batch=True)
    reached(runs, new, "paused")
    whole = began(tmp_path / "whole", dataclasses.replace(config.training, steps=1))
    go_on(whole, few)
    assert_same_end(whole, runs.folder(new))


def test_reset_of_a_run_from_another_machine_says_what_trains_here(runs, load):
    run = going(runs, load)
    runs.pause(run, "me")
    reached(runs, run, "paused")
    folder = runs.folder(run)
    folder.write_config(dataclasses.replace(folder.read_config(), device="cuda"))
    assert runs.folder(runs.start_over(run, "me")).read_config().device == "cpu"


def test_reset_takes_no_change_with_it(runs, load):
    run = runs.start(GAUSSIAN, LONG, "digits", load, "me", one_batch=True)
    reached(runs, run, "paused")
    runs.change(run, "me", {"sigma": 0.25})
    new = runs.start_over(run, "me")
    assert runs.folder(new).read_config().model == GAUSSIAN and runs.folder(new).changes() == []


def test_reset_of_a_run_that_began_with_weights_begins_with_them_again(runs, load, tmp_path):
    start = VAE(GAUSSIAN, seeded(7))
    save_checkpoint(start, tmp_path / "start.safetensors")
    run = runs.start(GAUSSIAN, LONG, "digits", load, "me", weights=tmp_path / "start.safetensors", one_batch=True)
    reached(runs, run, "paused")
    (tmp_path / "start.safetensors").unlink()
    runs.change(run, "me", {"sigma": 0.25})
    new = runs.start_over(run, "me")
    again = VAE(GAUSSIAN)
    runs.folder(new).resume(again, CPU)
    weights = start.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in again.state_dict().items())
    assert runs.folder(new).changes() == []


def test_a_change_reaches_a_run_that_goes(runs, load):
    run = going(runs, load)
    runs.change(run, "me", {"beta": 3.0})
    wait_for(lambda: runs.folder(run).records()[-1]["beta"] == 3.0)
    (change,) = runs.folder(run).changes()
    assert change.settings == {"beta": 3.0}
    betas = {record["step"]: record["beta"] for record in runs.folder(run).records()}
    assert all((beta == 3.0) == (step > change.step) for step, beta in betas.items())


def test_changes_of_a_paused_run_hold_from_its_next_batch_on(runs, load):
    run = paused(runs, load)
    step = runs.folder(run).saved_step()
    runs.folder(run).write_changes([Change(step + 5, {"samples": 9})])  # of a crash: was to come
    runs.change(run, "me", {"beta": 3.0})
    runs.change(run, "me", {"learning_rate": 0.5})
    assert runs.folder(run).changes() == [
        Change(step, {"beta": 3.0}), Change(step, {"learning_rate": 0.5}), Change(step + 5, {"samples": 9})
    ]  # fmt: skip
    runs.play(run, "me", load, one_batch=True)
    reached(runs, run, "paused")
    last = runs.folder(run).records()[-1]
    assert (last["step"], last["beta"], last["learning_rate"], last["samples"]) == (step + 1, 3.0, 0.5, 1)


@pytest.mark.parametrize("leave", ["pause", "close"])
def test_a_change_of_a_run_that_waits_is_not_lost_when_it_leaves_the_line(in_line, runs, load, leave):
    first = going(runs, load, "anna")
    run = runs.start(MODEL, LONG, "digits", load, "bert")
    runs.change(run, "bert", {"beta": 3.0})
    assert runs.folder(run).changes() == [Change(0, {"beta": 3.0})]  # not even where the server is killed now
    runs.pause(run, "bert") if leave == "pause" else runs.close()
    assert is_in(runs, run, "paused") and runs.folder(run).changes() == [Change(0, {"beta": 3.0})]
    assert not is_in(runs, first, "failed")


def test_no_change_is_lost_between_two_pauses(runs, load):
    run = runs.start(MODEL, LONG, "digits", load, "me")
    for beta in range(2, 12):
        runs.change(run, "me", {"beta": float(beta)})
        runs.pause(run, "me")
        runs.change(run, "me", {"samples": beta})
        reached(runs, run, "paused")
        settings = runs.folder(run).settings()
        assert (settings["beta"], settings["samples"]) == (beta, beta)
        runs.play(run, "me", load)


@pytest.mark.parametrize(("how", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_a_run_that_is_ended_while_its_data_are_fetched_takes_no_batch(runs, load, how, state):
    fetching, go = threading.Event(), threading.Event()

    def slowly(report):
        fetching.set()
        assert go.wait(10)
        for done in range(100):
            report(f"Downloading: {done} of 100 MB.")
        pytest.fail("the download went on to its end")

    run = runs.start(MODEL, LONG, "mnist", slowly, "me")
    assert fetching.wait(10)
    getattr(runs, how)(run, "me")
    go.set()
    reached(runs, run, state)
    assert runs.status(run)["message"] == f"{state.capitalize()} while the data were loaded."
    assert runs.folder(run).saved_step() == 0 and not runs.folder(run).model_file.exists()
    runs.play(run, "me", load)  # and it can begin later
    reached(runs, run, "running")


@pytest.mark.parametrize("settings", [{"seed": 1}, {"beta": -1}, {"beta": None}, {"sigma": 0.1}, {"what": 1}])
def test_a_change_that_cannot_be_changes_nothing(runs, load, settings):
    run = paused(runs, load)
    before = content(runs.folder(run))
    with pytest.raises(ValueError, match=next(iter(settings))):
        runs.change(run, "me", settings)
    assert content(runs.folder(run)) == before
