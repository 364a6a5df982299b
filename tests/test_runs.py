"""Runs: trainings in threads, a line of those who wait, owners, two servers on one folder, and ends of every kind."""

import dataclasses
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.batch import Batch
from vae_core.checkpoint import CheckpointError
from vae_core.data import DataError
from vae_core.folder import Change, RunError, RunFolder
from vae_core.run import Steering
from vae_core.runs import ENDED, Runs
from vae_core.step import Step

from .conftest import ROOT, seeded
from .test_run import CONFIG, CPU, GAUSSIAN, MODEL, assert_same_end, began, figures, go_on

LONG = TrainConfig(epochs=100_000, batch_size=50)
NOBODY = "20260101-000000-0123456789abcdef"


def wait_for(condition, seconds=20.0):
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


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


# Steering


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
        assert Batch.load(runs.folder(run).path / "batch.safetensors").step == step == runs.folder(run).saved_step()
    assert [record["step"] for record in runs.folder(run).records()] == [1, 2, 3]


@pytest.mark.parametrize("how", ["play", "step", "stop", "change", "reset", "delete", "start"])
def test_a_run_that_has_ended_but_not_let_go_yet_is_in_nobodys_way(runs, load, monkeypatch, how):
    run, release = going(runs, load), RunFolder.release
    monkeypatch.setattr(RunFolder, "release", lambda folder: (time.sleep(0.3), release(folder)))
    runs.pause(run, "me")
    reached(runs, run, "paused")
    assert run in runs._live
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


def test_reset_makes_another_run_with_the_same_settings_and_leaves_the_old_one(runs, load, few, tmp_path):
    run = going(runs, load)
    runs.change(run, "me", {"beta": 4.0, "samples": 2})
    wait_for(lambda: runs.folder(run).changes())
    with pytest.raises(RunError, match="going or waiting already"):
        runs.begin_anew(run, "me")
    runs.pause(run, "me")
    reached(runs, run, "paused")
    message, records = runs.status(run)["message"], runs.folder(run).records()
    new = runs.begin_anew(run, "me")
    assert runs.status(run) == {"state": "stopped", "message": message} and runs.folder(run).records() == records
    assert runs.status(new) == {"state": "paused", "message": "Step 0."}
    old, config = runs.folder(run).read_config(), runs.folder(new).read_config()
    assert config == dataclasses.replace(old, training=dataclasses.replace(LONG, beta=4.0, samples=2))
    assert runs.folder(new).changes() == [] and runs.folder(new).records() == []
    runs.play(new, "me", load, one_batch=True)
    reached(runs, new, "paused")
    whole = began(tmp_path / "whole", dataclasses.replace(config.training, steps=1))
    go_on(whole, few)
    assert_same_end(whole, runs.folder(new))


def test_reset_takes_a_changed_sigma_into_the_model(runs, load):
    run = runs.start(GAUSSIAN, LONG, "digits", load, "me", one_batch=True)
    reached(runs, run, "paused")
    runs.change(run, "me", {"sigma": 0.25})
    new = runs.begin_anew(run, "me")
    assert runs.folder(new).read_config().model == dataclasses.replace(GAUSSIAN, sigma=0.25)


def test_reset_of_a_run_that_began_with_weights_begins_with_them_again(runs, load, tmp_path):
    start = VAE(GAUSSIAN, seeded(7))
    save_checkpoint(start, tmp_path / "start.safetensors")
    run = runs.start(GAUSSIAN, LONG, "digits", load, "me", weights=tmp_path / "start.safetensors", one_batch=True)
    reached(runs, run, "paused")
    (tmp_path / "start.safetensors").unlink()
    runs.change(run, "me", {"sigma": 0.25})
    new = runs.begin_anew(run, "me")
    again = VAE(GAUSSIAN)
    runs.folder(new).resume(again, CPU)
    weights = start.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in again.state_dict().items())
    assert [change.settings for change in runs.folder(new).changes()] == [{"sigma": 0.25}]


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
    assert runs.folder(run).changes() == [Change(step, {"beta": 3.0}), Change(step, {"learning_rate": 0.5})]
    runs.play(run, "me", load, one_batch=True)
    reached(runs, run, "paused")
    last = runs.folder(run).records()[-1]
    assert (last["step"], last["beta"], last["learning_rate"], last["samples"]) == (step + 1, 3.0, 0.5, 1)


@pytest.mark.parametrize("leave", ["pause", "close"])
def test_a_change_of_a_run_that_waits_is_not_lost_when_it_leaves_the_line(runs, load, leave):
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


# The line


def test_runs_wait_in_order_see_their_place_and_can_leave_the_line(runs, load):
    first = going(runs, load, "a")
    second, third, fourth = (runs.start(MODEL, LONG, "digits", load, owner) for owner in "bcd")
    line = [runs.status(run) for run in (second, third, fourth)]
    assert line == [{"state": "waiting", "message": f"Place {place} of 3 in the line."} for place in (1, 2, 3)]
    runs.stop(second, "b")
    assert runs.status(second) == {"state": "stopped", "message": "It left the line."}
    assert runs.status(third)["message"] == "Place 1 of 2 in the line."
    assert runs.status(fourth)["message"] == "Place 2 of 2 in the line."
    runs.pause(third, "c")
    assert runs.status(third) == {"state": "paused", "message": "Paused while it waited."}
    assert runs.status(fourth)["message"] == "Place 1 of 1 in the line."
    runs.play(third, "c", load)  # at the end of the line now
    assert runs.status(third)["message"] == "Place 2 of 2 in the line."
    runs.stop(first, "a")
    reached(runs, fourth, "running")
    assert runs.status(third)["message"] == "Place 1 of 1 in the line."
    runs.stop(fourth, "d")
    reached(runs, third, "running")


def test_as_many_train_at_once_as_are_allowed(tmp_path, load):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    first, second, third = (runs.start(MODEL, LONG, "digits", load, owner) for owner in "abc")
    reached(runs, first, "running")
    reached(runs, second, "running")
    assert runs.status(third) == {"state": "waiting", "message": "Place 1 of 1 in the line."}
    runs.close()
    with pytest.raises(ValueError, match="max_trainings is 0"):
        Runs(tmp_path, CPU, 0)


def test_a_browser_has_one_run_that_goes_or_waits_but_any_number_that_pause(runs, load):
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


def test_a_single_batch_does_not_wait_behind_a_training(runs, load):
    first = going(runs, load, "anna")
    waiting = runs.start(MODEL, LONG, "digits", load, "carl")
    run = runs.start(MODEL, LONG, "digits", load, "bert", one_batch=True)
    reached(runs, run, "paused")
    assert runs.folder(run).saved_step() == 1 and is_in(runs, first, "running")
    assert runs.status(waiting) == {"state": "waiting", "message": "Place 1 of 1 in the line."}


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
    is_over.set()
    for looker in lookers:
        looker.join(20)
    assert set(seen) <= {"waiting", "loading", "running", "paused"}


# Owners, names, lists


def test_two_owners_are_separate(runs, load):
    run = runs.start(MODEL, LONG, "digits", load, owner="anna")
    other = runs.start(MODEL, LONG, "digits", load, owner="bert")
    assert runs.of("anna") == [run] and runs.of("bert") == [other] and runs.of("") == []
    second = Runs(runs.root, CPU)
    assert second.of("anna") == [run]
    second.close()


STEERING = {
    "pause": lambda runs, run, owner, load: runs.pause(run, owner),
    "stop": lambda runs, run, owner, load: runs.stop(run, owner),
    "play": lambda runs, run, owner, load: runs.play(run, owner, load),
    "step": lambda runs, run, owner, load: runs.play(run, owner, load, one_batch=True),
    "reset": lambda runs, run, owner, load: runs.begin_anew(run, owner),
    "change": lambda runs, run, owner, load: runs.change(run, owner, {"beta": 2.0}),
    "rename": lambda runs, run, owner, load: runs.rename(run, owner, "mine"),
    "delete": lambda runs, run, owner, load: runs.delete(run, owner),
}


@pytest.mark.parametrize("how", STEERING)
def test_somebody_elses_run_is_refused_and_nothing_changes(runs, load, how):
    run = paused(runs, load, "anna")
    before = content(runs.folder(run))
    for owner in ("bert", "", None):
        with pytest.raises(RunError, match="belongs to another browser"):
            STEERING[how](runs, run, owner, load)
    assert content(runs.folder(run)) == before and runs.of("bert") == []


@pytest.mark.parametrize("how", STEERING)
def test_a_run_that_is_not_there_is_refused(runs, load, how):
    with pytest.raises(RunError, match=f"There is no run {NOBODY}"):
        STEERING[how](runs, NOBODY, "me", load)
    assert runs.of("me") == []


@pytest.mark.parametrize("how", ["pause", "stop", "play", "step", "change"])
def test_a_run_that_has_ended_is_refused_and_nothing_changes(runs, load, how):
    run = runs.start(MODEL, TrainConfig(steps=2, batch_size=50), "digits", load, "me")
    reached(runs, run, "finished")
    before = content(runs.folder(run))
    with pytest.raises(RunError, match=r"(is|it is) finished"):
        STEERING[how](runs, run, "me", load)
    assert content(runs.folder(run)) == before


@pytest.mark.parametrize("how", ["pause", "stop", "change"])
def test_a_run_that_was_stopped_is_not_steered(runs, load, how):
    run = paused(runs, load)
    runs.stop(run, "me")
    with pytest.raises(RunError, match="is stopped"):
        STEERING[how](runs, run, "me", load)


@pytest.mark.parametrize(
    "run", ["", "../x", "20260101-000000-" + "g" * 16, None, 7, "a" * 300, "20260101-000000-" + "0" * 16 + "\n", [], {}]
)
def test_what_is_no_id_is_refused(runs, run):
    for asked in (runs.status, runs.summary, runs.folder, lambda run: runs.check_owner(run, "me")):
        with pytest.raises(RunError, match="not the id of a run"):
            asked(run)


def test_a_run_is_renamed_but_not_like_another_one(runs, load):
    one, two, others = paused(runs, load), paused(runs, load), paused(runs, load, "bert")
    runs.rename(one, "me", "  first  ")
    assert runs.folder(one).name() == "first" == runs.summary(one).name
    runs.rename(one, "me", "first")
    for name, message in (("first", "called first already"), (" first ", "called first already"), ("", "not be empty")):
        with pytest.raises(RunError, match=message):
            runs.rename(two, "me", name)
    for name in ("x" * 300, "../x", None):
        with pytest.raises(RunError):
            runs.rename(two, "me", name)
    assert runs.folder(two).name() == ""
    runs.rename(others, "bert", "first")


def test_a_run_that_goes_is_not_deleted_and_one_that_ended_is_at_once(runs, load):
    run = going(runs, load)
    with pytest.raises(RunError, match="being trained: stop it first"):
        runs.delete(run, "me")
    runs.stop(run, "me")
    reached(runs, run, "stopped")
    runs.delete(run, "me")
    assert runs.of("me") == [] and not list(runs.root.iterdir())
    with pytest.raises(RunError, match="There is no run"):
        runs.delete(run, "me")
    going(runs, load)


def test_the_summary_of_a_run_at_rest_is_remembered_until_it_changes(runs, load):
    run = paused(runs, load)
    first = runs.summary(run)
    assert runs.summary(run) is first  # nothing was read again
    runs.rename(run, "me", "another")
    assert runs.summary(run).name == "another"
    runs.change(run, "me", {"beta": 3.0})
    assert runs.summary(run).settings["beta"] == 3.0 and first.settings["beta"] == 1.0
    runs.play(run, "me", load)
    wait_for(lambda: runs.summary(run).state == "running" and runs.summary(run).step > first.step)
    runs.stop(run, "me")
    reached(runs, run, "stopped")
    wait_for(lambda: runs.summary(run).state == "stopped")
    runs.delete(run, "me")
    with pytest.raises(RunError, match="no run"):
        runs.summary(run)


def test_a_summary_says_how_a_run_stands(runs, load):
    run = runs.start(MODEL, TrainConfig(steps=6, batch_size=50), "digits", load, "me")
    reached(runs, run, "finished")
    summary, folder = runs.summary(run), runs.folder(run)
    last = folder.records()[-1]
    assert (summary.run, summary.name, summary.state, summary.message) == (run, "", "finished", "Step 6 of 6.")
    assert (summary.step, summary.total_steps, summary.test_step) == (6, 6, 6)
    assert (summary.elbo, summary.active_units) == (last["test"]["elbo"], last["active_units"])
    assert summary.seconds == last["seconds"] > 0 and summary.config == folder.read_config()
    assert summary.size == folder.size() > 10_000
    assert abs(time.mktime(time.strptime(summary.created, "%Y-%m-%d %H:%M:%S")) - time.time()) < 60


def test_a_run_without_an_evaluation_has_no_elbo(runs, load):
    run = runs.start(MODEL, LONG, "digits", load, "me", one_batch=True)
    reached(runs, run, "paused")
    summary = runs.summary(run)
    assert (summary.step, summary.elbo, summary.test_step, summary.active_units) == (1, None, None, None)


def test_an_uploaded_checkpoint_becomes_a_run_of_its_browser(runs, tmp_path):
    path, model = tmp_path / "up.safetensors", VAE(MODEL, seeded(5))
    save_checkpoint(model, path, {"data": "digits", "test": {"elbo": -90.5}, "step": 70})
    one, two = runs.add(path, "me", "mine"), runs.add(path, "me", "mine")
    long = runs.add(path, "me", "x" * 80), runs.add(path, "me", "x" * 80)
    path.unlink()
    assert [runs.folder(run).name() for run in (one, two)] == ["mine", "mine 2"]
    assert len({runs.folder(run).name() for run in long}) == 2
    assert set(runs.of("me")) == {one, two, *long}
    summary = runs.summary(one)
    assert (summary.state, summary.elbo, summary.step, summary.config.data) == ("finished", -90.5, 70, "digits")
    loaded = load_checkpoint(runs.folder(one).model_file)
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in model.state_dict().items())
    with pytest.raises(RunError, match="cannot go on: it is finished"):
        runs.play(one, "me", None)


@pytest.mark.parametrize(
    "about",
    [
        [1], "x", 5, None, {"test": 5}, {"test": {"elbo": "x"}}, {"test": {}, "step": "many"}, {"step": [1]},
        {"kl_per_dim": [1.0]}, {"kl_per_dim": 5}, {"kl_per_dim": ["a", "b", "c"]}, {"data": ["mnist"]},
    ],
)  # fmt: skip
def test_an_upload_with_an_odd_header_is_refused(runs, tmp_path, monkeypatch, about):
    path = tmp_path / "up.safetensors"
    dumps = json.dumps
    monkeypatch.setattr("vae_core.checkpoint.json.dumps", lambda value: dumps(about if value == {} else value))
    save_checkpoint(VAE(MODEL, seeded()), path)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="has a header that cannot be understood"):
        runs.add(path, "me", "mine")
    assert runs.of("me") == []


def test_an_upload_says_how_it_was_trained(runs, tmp_path):
    path, training = tmp_path / "up.safetensors", TrainConfig(beta=4.0, samples=3, warmup_steps=100)
    save_checkpoint(VAE(MODEL, seeded()), path, {"data": "digits", "training": dataclasses.asdict(training)})
    assert runs.folder(runs.add(path, "me", "mine")).read_config().training == training
    save_checkpoint(VAE(MODEL, seeded()), path, {"data": "digits", "training": {"beta": -1}})
    assert runs.folder(runs.add(path, "me", "odd")).read_config().training == TrainConfig()


def test_an_upload_that_is_not_finite_is_refused(runs, tmp_path):
    path = tmp_path / "up.safetensors"
    save_checkpoint(VAE(MODEL, seeded()), path)
    with safe_open(path, framework="pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match="are not all finite"):
        runs.add(path, "me", "mine")
    assert runs.of("me") == []


def test_an_upload_that_is_no_checkpoint_or_has_no_name_leaves_nothing(runs, tmp_path):
    path = tmp_path / "up.safetensors"
    path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint"):
        runs.add(path, "me", "mine")
    save_checkpoint(VAE(MODEL, seeded()), path)
    for name in ("", "../x", "x" * 300, "a\u202eb"):
        with pytest.raises(RunError):
            runs.add(path, "me", name)
    assert runs.of("me") == [] and not runs.root.exists()


def test_a_run_begins_with_the_weights_that_it_is_given(runs, load, tmp_path):
    model = VAE(dataclasses.replace(MODEL, latent_dim=2), seeded(5))
    save_checkpoint(model, tmp_path / "start.safetensors")
    config = TrainConfig(batch_size=50, learning_rate=1e-12)
    run = runs.start(
        MODEL, config, "digits", load, "me", weights=tmp_path / "start.safetensors", one_batch=True
    )  # fmt: skip
    reached(runs, run, "paused")
    assert runs.folder(run).read_config().model == model.config
    trained = load_checkpoint(runs.folder(run).model_file).state_dict()
    assert all(torch.allclose(weight, trained[name], atol=1e-9) for name, weight in model.state_dict().items())
    with pytest.raises(CheckpointError):
        runs.start(MODEL, config, "digits", load, "me", weights=tmp_path / "none.safetensors")
    assert runs.of("me") == [run]


# What goes wrong


def test_a_diverged_run_says_where_and_goes_on_with_a_smaller_learning_rate(runs, load):
    config = TrainConfig(epochs=200, batch_size=50, learning_rate=1.0, record_every=1)
    run = runs.start(VAEConfig(latent_dim=3, likelihood="gaussian"), config, "digits", load, "me")
    wait_for(lambda: is_in(runs, run, *ENDED), 60)
    last = runs.folder(run).records()[-1]["step"]
    assert is_in(runs, run, "failed")
    assert runs.status(run)["message"].startswith(f"The loss is not finite any more at step {last + 1};")
    runs.change(run, "me", {"learning_rate": 1e-4})
    runs.play(run, "me", load)
    wait_for(lambda: is_in(runs, run, *ENDED), 60)
    assert is_in(runs, run, "finished") and runs.folder(run).records()[-1]["learning_rate"] == 1e-4


def test_a_run_for_which_memory_runs_out_says_so_is_kept_and_the_other_one_goes_on(tmp_path, load, monkeypatch):
    runs = Runs(tmp_path / "runs", CPU, max_trainings=2)
    other, run = going(runs, load, "other"), going(runs, load)
    compute, there_is_none = Step._compute, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90 GiB")

    def full(step, draw):
        if threading.current_thread().name == victim:
            raise there_is_none
        return compute(step, draw)

    victim = f"training_{[live.folder.path.name for live in runs._live.values()].index(run)}"
    monkeypatch.setattr(Step, "_compute", full)
    reached(runs, run, "failed")
    assert "not enough memory" in runs.status(run)["message"] and "smaller batch" in runs.status(run)["message"]
    step = runs.folder(other).records()[-1]["step"]
    wait_for(lambda: runs.folder(other).records()[-1]["step"] > step + 100)
    monkeypatch.undo()
    runs.play(run, "me", load)
    before = runs.folder(run).saved_step()
    wait_for(lambda: runs.folder(run).records()[-1]["step"] > before + 20)
    runs.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("MNIST could not be downloaded: no network."), "MNIST could not be downloaded: no network."),
        (RuntimeError("CUDA out of memory.\nat line 1\nat line 2"), "CUDA out of memory."),
        (KeyError("x"), "The training failed: KeyError('x')"),
    ],
)
def test_what_goes_wrong_in_loading_is_said_and_the_next_one_goes(runs, load, error, message):
    def fail(report):
        raise error

    run = runs.start(MODEL, LONG, "mnist", fail, "me")
    reached(runs, run, "failed")
    assert runs.status(run) == {"state": "failed", "message": message}
    runs.play(run, "me", load)
    wait_for(lambda: runs.folder(run).records())
    assert is_in(runs, run, "running")


def test_the_progress_of_a_download_is_told(runs, few):
    go_on = threading.Event()

    def load(report):
        report("Downloading: 3.1 of 9.9 MB.")
        assert go_on.wait(10)
        return few, ""

    run = runs.start(MODEL, TrainConfig(steps=1, batch_size=50), "mnist", load)
    wait_for(lambda: runs.status(run) == {"state": "loading", "message": "Downloading: 3.1 of 9.9 MB."})
    go_on.set()
    reached(runs, run, "finished")


def test_data_of_another_size_are_refused(runs, load, few):
    run = paused(runs, load)
    fewer = dataclasses.replace(few, train=few.train[:150], train_labels=few.train_labels[:150])
    runs.play(run, "me", lambda report: (fewer, ""))
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run was trained on 200 images, and now there are 150."


def full_disk(monkeypatch, folder, *names):
    """From now on, the next write of those files of a folder fails as on a full disk, by the system's own word."""
    monkeypatch.setattr("vae_core.checkpoint.uuid.uuid4", lambda: SimpleNamespace(hex="partial"))
    for name in names:
        path = folder.path / name
        (path.parent / f".{path.name}.partial").symlink_to("/dev/full")


def no_writing(monkeypatch, folder, *names):
    """From now on, no write of those files of a folder succeeds."""
    monkeypatch.setattr("vae_core.checkpoint.uuid.uuid4", lambda: SimpleNamespace(hex="partial"))
    for name in names:
        (folder.path / f".{name}.partial").mkdir()


def quiet(runs, load, owner="me"):
    """A run that writes nothing until it is told: it is about to get its data."""
    there, go = threading.Event(), threading.Event()

    def wait(report):
        there.set()
        assert go.wait(20)
        return load(report)

    run = runs.start(MODEL, LONG, "digits", wait, owner)
    assert there.wait(20)
    return run, go


@pytest.mark.parametrize("name", ["model.safetensors", "state.safetensors", "frames/newest.jpg"])
def test_a_full_disk_is_said_and_the_other_run_goes_on(tmp_path, load, monkeypatch, name):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other = going(runs, load, "other")
    run, go = quiet(runs, load)
    folder = runs.folder(run)
    folder.frames.mkdir()
    full_disk(monkeypatch, folder, name)
    go.set()
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run's folder cannot be written: No space left on device."
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    wait_for(lambda: not folder.is_taken())
    runs.play(run, "me", load)  # there is space again
    wait_for(lambda: len(folder.records()) > 2)
    runs.close()
    assert is_in(runs, run, "paused") and is_in(runs, other, "paused")


def test_a_disk_that_is_full_for_the_records_is_said_and_the_other_run_goes_on(tmp_path, load, monkeypatch):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other = going(runs, load, "other")
    run, go = quiet(runs, load)
    folder = runs.folder(run)
    monkeypatch.setattr(RunFolder, "records", lambda self: [])  # reading that device would never end
    resume = RunFolder.resume

    def resume_and_link(self, *args):
        state = resume(self, *args)
        (self.path / "metrics.jsonl").unlink()
        (self.path / "metrics.jsonl").symlink_to("/dev/full")
        return state

    monkeypatch.setattr(RunFolder, "resume", resume_and_link)
    go.set()
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run's folder cannot be written: No space left on device."
    assert folder.read_status()["state"] == "failed"
    monkeypatch.undo()
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    runs.close()


def test_a_failure_that_cannot_be_written_is_known_all_the_same(runs, load, monkeypatch):
    run, go = quiet(runs, load)
    no_writing(monkeypatch, runs.folder(run), "status.json")
    go.set()
    reached(runs, run, "failed")
    assert runs.folder(run).read_status()["state"] == "loading"
    assert runs.status(run)["message"].startswith("The run's folder cannot be written: ")
    wait_for(lambda: not runs.folder(run).is_taken())
    with pytest.raises(RunError, match="folder cannot be written"):
        runs.play(run, "me", load)
    assert not runs.folder(run).is_taken()
    monkeypatch.undo()
    runs.play(run, "me", load)
    reached(runs, run, "running")


def test_leaving_the_line_with_a_full_disk_leaves_it(runs, load, monkeypatch):
    first = going(runs, load, "anna")
    run = runs.start(MODEL, LONG, "digits", load, "bert")
    full_disk(monkeypatch, runs.folder(run), "status.json")
    with pytest.raises(RunError, match="No space left on device"):
        runs.pause(run, "bert")
    assert not runs.folder(run).is_taken() and is_in(runs, run, "interrupted")
    runs.play(run, "bert", load)
    assert is_in(runs, run, "waiting") and is_in(runs, first, "running")


@pytest.mark.parametrize(
    ("how", "name"),
    [("stop", "status.json"), ("change", "changes.json"), ("rename", "name.txt"), ("play", "status.json")],
)
def test_steering_with_a_full_disk_is_refused_in_a_sentence(runs, load, monkeypatch, how, name):
    run = paused(runs, load)
    full_disk(monkeypatch, runs.folder(run), name)
    with pytest.raises(RunError, match=r"The run's folder cannot be written: No space left on device\."):
        STEERING[how](runs, run, "me", load)
    assert is_in(runs, run, "paused") and not runs.folder(run).is_taken()
    assert runs.folder(run).changes() == [] and runs.folder(run).name() == ""


def test_a_folder_that_is_deleted_under_its_training_is_said(tmp_path, load, caplog):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other, run = going(runs, load, "other"), going(runs, load)
    shutil.rmtree(runs.folder(run).path)
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}
    wait_for(lambda: not runs._live.keys() & {run})
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}
    assert runs.of("me") == [] and not runs.folder(run).path.exists()
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    assert is_in(runs, other, "running")
    again = going(runs, load)
    runs.close()
    assert is_in(runs, again, "paused") and is_in(runs, other, "paused") and not caplog.records


def test_a_folder_that_is_deleted_while_it_waits_is_said(runs, load):
    first = going(runs, load, "anna")
    run = runs.start(MODEL, LONG, "digits", load, "bert")
    shutil.rmtree(runs.folder(run).path)
    runs.stop(first, "anna")
    wait_for(lambda: not runs._live)
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}


def test_closing_goes_through_though_a_waiting_runs_folder_is_gone(tmp_path, load):
    runs = Runs(tmp_path, CPU)
    first = going(runs, load, "anna")
    gone, last = (runs.start(MODEL, LONG, "digits", load, owner) for owner in ("bert", "carl"))
    shutil.rmtree(runs.folder(gone).path)
    runs.close()
    assert is_in(runs, first, "paused") and is_in(runs, last, "paused")
    assert runs.status(last)["message"] == "The server was shut down while this run waited."


def test_a_folder_that_cannot_be_made_is_said(tmp_path, load):
    (tmp_path / "file").write_text("")
    runs = Runs(tmp_path / "file" / "runs", CPU)
    with pytest.raises(RunError, match=r"The run folder \S+ cannot be made: "):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == []
    runs.close()


def test_a_folder_that_cannot_be_written_leaves_nothing(runs, load, monkeypatch):
    def full(self):
        raise RunError("The run's folder cannot be written: No space left on device.")

    monkeypatch.setattr(RunFolder, "acquire", full)
    with pytest.raises(RunError, match="No space left"):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == [] and not list(runs.root.iterdir())


def test_a_start_while_the_server_is_shut_down_is_refused(runs, load):
    run = paused(runs, load)
    runs.close()
    with pytest.raises(RunError, match="shutdown"):
        runs.play(run, "me", load)
    with pytest.raises(RunError, match="shutdown"):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == [run] and not runs.folder(run).is_taken()


# Restarts, and two servers


def left_behind(runs, few, state, config=CONFIG):
    """A run of me that another server began and left at step 10, in that state."""
    folder, steering = began(runs.root / NOBODY, config), Steering()
    folder.write_config(dataclasses.replace(folder.read_config(), owner="me"))
    go_on(folder, few, steering, {9: steering.pause})
    folder.write_status(state)
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


def test_a_second_server_sees_a_run_but_cannot_steer_it(runs, load):
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
from vae_core.runs import Runs
runs = Runs(Path(sys.argv[1]), torch.device("cpu"))
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


# What is left behind


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
        wait_for(lambda: not runs._live)
        runs.play(run, "me", load, one_batch=True)
        wait_for(lambda: not runs._live)
        if turn == 1:
            settled = left_over()
    threads, files, tensors = left_over()
    assert (threads, files) == settled[:2] == (before[0] + 2, before[1])  # a training's thread and a single batch's
    assert tensors <= settled[2]
    runs.close()
    assert left_over()[:2] == before[:2]
