"""Who may do what, what a run is called, lists of runs, uploads."""

import dataclasses
import json
import time
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from vae_core import VAE, TrainConfig, load_checkpoint, save_checkpoint
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.server import Runs
from vae_core.storage.checkpoint import FORMAT, CheckpointError, read_header

from ..conftest import seeded
from .conftest import LONG, NOBODY, STEERING, content, going, paused, reached, wait_for
from .test_run import CPU, MODEL


def test_two_owners_are_separate(runs, load):
    run = runs.start(MODEL, LONG, "digits", load, owner="anna")
    other = runs.start(MODEL, LONG, "digits", load, owner="bert")
    assert runs.of("anna") == [run] and runs.of("bert") == [other] and runs.of("") == []
    second = Runs(runs.root, CPU)
    assert second.of("anna") == [run]
    second.close()


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
        with pytest.raises(RunError, match="not a run id"):
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
    for name in ("First", "FIRST", "first."):  # the same folder where downloads are unpacked on macOS or Windows
        with pytest.raises(RunError, match="called first already"):
            runs.rename(two, "me", name)
    runs.rename(two, "me", "gro\u0308sser")
    with pytest.raises(RunError, match="already"):
        runs.rename(one, "me", "gr\u00f6sser")
    runs.rename(one, "me", "FIRST")


def test_a_run_with_a_name_has_it_as_soon_as_it_is_listed(runs, load, tmp_path, monkeypatch):
    listed = []

    def write_config(folder, config, write=RunFolder.write_config):
        write(folder, config)
        listed.append({runs.folder(run).name() for run in runs.of("me")})

    monkeypatch.setattr(RunFolder, "write_config", write_config)
    run = runs.start(MODEL, TrainConfig(batch_size=50), "digits", load, "me", one_batch=True, name="first")
    reached(runs, run, "paused")
    save_checkpoint(VAE(MODEL, seeded(5)), tmp_path / "up.safetensors")
    runs.add(tmp_path / "up.safetensors", "me", "second")
    assert listed[0] == {"first"} and listed[-1] == {"first", "second"}
    assert "" not in set().union(*listed)


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
    wait_for(lambda: runs.summary(run) is runs.summary(run))  # nothing is read again, once its thread has let go of it
    first = runs.summary(run)
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
    three = runs.add(path, "me", "MINE")
    long = runs.add(path, "me", "x" * 80), runs.add(path, "me", "x" * 80)
    path.unlink()
    assert [runs.folder(run).name() for run in (one, two, three)] == ["mine", "mine 2", "MINE 3"]
    assert len({runs.folder(run).name() for run in long}) == 2
    assert set(runs.of("me")) == {one, two, three, *long}
    summary = runs.summary(one)
    assert (summary.state, summary.elbo, summary.step, summary.config.data) == ("finished", -90.5, 70, "digits")
    loaded = load_checkpoint(runs.folder(one).model_file)
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in model.state_dict().items())
    with pytest.raises(RunError, match="cannot go on: it is finished"):
        runs.play(one, "me", None)


@pytest.mark.parametrize(
    "about",
    [
        [1], "x", 5, None, {"test": 5}, {"test": {"elbo": "x"}}, {"test": {"elbo": None}}, {"step": [1]},
        {"test": {}, "step": "many"},
        {"kl_per_dim": [1.0]}, {"kl_per_dim": 5}, {"kl_per_dim": ["a", "b", "c"]}, {"data": ["mnist"]},
        {"learned": [1]}, {"learned": {"mnist": "x"}},
    ],
)  # fmt: skip
def test_an_upload_with_an_odd_header_is_refused(runs, tmp_path, about):
    path, config = tmp_path / "up.safetensors", json.dumps(dataclasses.asdict(MODEL))
    header = {"format": FORMAT, "config": config, "about": json.dumps(about)}
    save_file(VAE(MODEL, seeded()).state_dict(), path, header)
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
    for name in ("", "../x", "x" * 300, "a\u202eb", "a\ud800b"):
        with pytest.raises(RunError):
            runs.add(path, "me", name)
    assert runs.of("me") == [] and not runs.root.exists()


def test_a_run_begins_with_the_weights_that_it_is_given(runs, load, tmp_path):
    model = VAE(dataclasses.replace(MODEL, latent_dim=2), seeded(5))
    save_checkpoint(model, tmp_path / "start.safetensors", {"data": "digits", "hold_out": 10})
    config = TrainConfig(batch_size=50, learning_rate=1e-12)
    run = runs.start(
        MODEL, config, "digits", load, "me", weights=tmp_path / "start.safetensors", one_batch=True
    )  # fmt: skip
    reached(runs, run, "paused")
    assert runs.folder(run).read_config().model == model.config and runs.folder(run).read_config().start == "start"
    trained = load_checkpoint(runs.folder(run).model_file).state_dict()
    assert all(torch.allclose(weight, trained[name], atol=1e-9) for name, weight in model.state_dict().items())
    with pytest.raises(CheckpointError):
        runs.start(MODEL, config, "digits", load, "me", weights=tmp_path / "none.safetensors")
    for data in ("digits", "auto"):
        with pytest.raises(ValueError, match="hold_out is 20, but the model to begin with has learned from all but 10"):
            runs.start(MODEL, config, data, load, "me", weights=tmp_path / "start.safetensors", hold_out=20)
    assert runs.of("me") == [run]


def test_what_a_model_has_learned_from_is_passed_on(runs, load, tmp_path):
    save_checkpoint(VAE(MODEL, seeded()), tmp_path / "start.safetensors", {"data": "mnist", "hold_out": 5})
    begin = partial(runs.start, MODEL, TrainConfig(batch_size=50), load=load, owner="me", one_batch=True)
    run = begin(data="digits", weights=tmp_path / "start.safetensors", hold_out=20)
    reached(runs, run, "paused")
    model_file = runs.folder(run).model_file
    assert read_header(model_file).about["learned"] == {"mnist": 5, "digits": 20}
    for data, learned in (("mnist", 5), ("auto", 5), ("digits", 20)):
        with pytest.raises(ValueError, match=f"has learned from all but {learned} of the training images"):
            begin(data=data, weights=model_file, hold_out=learned + 1)
    other = begin(data="digits", weights=model_file, hold_out=10)
    reached(runs, other, "paused")
    assert read_header(runs.folder(other).model_file).about["learned"] == {"mnist": 5, "digits": 10}
