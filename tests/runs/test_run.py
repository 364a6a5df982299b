"""One run: paused, stepped, changed and broken off at any batch, it does what it would have done anyway."""

import dataclasses
import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file

import vae_core.runs.run
from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.runs.changes import Change
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import Steering, train_into
from vae_core.storage.checkpoint import read_header
from vae_core.training.divergence import DivergedError
from vae_core.training.loop import TrainState, batches

from ..conftest import plain, seeded

CPU = torch.device("cpu")
MODEL = VAEConfig(latent_dim=3, hidden_dim=16)
CONFIG = plain(epochs=6, batch_size=50, record_every=3)  # 4 steps an epoch: records at 1, 3, 4, 6, 8, 9, 12, …


def began(path, config=CONFIG, model=MODEL):
    """The folder of a run that has not taken a step."""
    folder = RunFolder(path)
    folder.create()
    folder.write_config(RunConfig(model, config, "digits", train_images=200))
    return folder


def go_on(folder, few, steering=None, at=None):
    """Trains a folder's run from where it is: the model as it is then, and the records.

    at: {step: function}, called when the record of that step has come.
    """
    config = folder.read_config()
    seed = config.training.seed + 99 * folder.saved_step()
    model = VAE(config.model, seeded(seed), mean=few.mean_image())  # resumed: the seed is no help
    state, records = folder.resume(model, CPU), []
    for metrics in train_into(folder, model, few, config.training, CPU, state, steering):
        records.append(metrics)
        (at or {}).get(metrics.step, lambda: None)()
    return model, records


def figures(records):
    """Records by step, without times."""
    records = [record if isinstance(record, dict) else dataclasses.asdict(record) for record in records]
    return {record["step"]: {k: v for k, v in record.items() if "second" not in k} for record in records}


def assert_same_end(one, other):
    """That two folders hold the same weights and the same optimizer, bit for bit."""
    one, other = load_file(one.path / "state.safetensors"), load_file(other.path / "state.safetensors")
    assert one.keys() == other.keys() and any(name.startswith("adam.square.") for name in one)
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


def test_no_state_is_on_the_disk_before_its_records(tmp_path, few, monkeypatch):
    folder, synced, seen = began(tmp_path / "run"), [0], []
    (folder.path / "metrics.jsonl").touch()
    sync, save_state = os.fsync, RunFolder.save_state

    def sync_records(number):
        sync(number)
        if os.path.samestat(os.fstat(number), os.stat(folder.path / "metrics.jsonl")):
            synced.append(os.fstat(number).st_size)

    def saving(self, model, state):
        records = (self.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
        wanted = sum(len(line) for line in records if json.loads(line)["step"] <= state.step)
        seen.append((synced[-1], wanted))
        save_state(self, model, state)

    monkeypatch.setattr("os.fsync", sync_records)
    monkeypatch.setattr(RunFolder, "save_state", saving)
    monkeypatch.setattr(vae_core.runs.run, "SAVE_STATE_EVERY", 0)
    go_on(folder, few)
    assert len(seen) == 24 and seen[-1][1] > 0 and all(on_disk >= wanted for on_disk, wanted in seen)


def crash_at(monkeypatch, steps, save_state_every=1e9):
    """From now on, copies what a crash after each of those steps would leave of a folder to <folder>-<step>."""
    keep = vae_core.runs.run._Keeper.keep

    def keep_and_copy(self, config, state, metrics, last):
        keep(self, config, state, metrics, last)
        if state.step in steps:
            shutil.copytree(self._folder.path, f"{self._folder.path}-{state.step}")

    monkeypatch.setattr(vae_core.runs.run._Keeper, "keep", keep_and_copy)
    monkeypatch.setattr(vae_core.runs.run, "SAVE_STATE_EVERY", save_state_every)


def at_last_batch(monkeypatch, what):
    """From now on, does something after the last batch's settings were taken, before the run has its end."""
    keep = vae_core.runs.run._Keeper.keep

    def keep_and_do(self, config, state, metrics, last):
        keep(self, config, state, metrics, last)
        if last:
            what()

    monkeypatch.setattr(vae_core.runs.run._Keeper, "keep", keep_and_do)


def by_hand(few, config, model, change_at, new, sigma=None):
    """The weights of a training in which new settings are sent to `batches` after that step."""
    model = VAE(model, seeded(config.seed), mean=few.mean_image())
    state, settings = TrainState.start(model), config
    training = batches(model, few, config, CPU, state)
    next(training)
    for step in range(1, config.total_steps(200)):
        if step == change_at:
            settings = dataclasses.replace(config, **new)
            if sigma is not None:
                model.set_sigma(sigma)
        training.send(settings)
    return model


def assert_equal(model, other):
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


# Pausing


def test_a_pause_between_two_records_makes_one_there(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    _, records = go_on(folder, few, steering, {9: steering.pause})
    assert [record.step for record in records] == [1, 3, 4, 6, 8, 9, 10]
    assert folder.read_status() == {"state": "paused", "message": "Step 10 of 24."}
    assert folder.saved_step() == folder.records()[-1]["step"] == 10 and folder.frame_steps()[-1] == 10
    assert figures(folder.records()) == figures(records)
    load_checkpoint(folder.model_file)


@pytest.mark.parametrize("after", [1, 6, 8, 9])
def test_a_run_that_was_paused_ends_bit_for_bit_like_one_that_was_not(tmp_path, few, after):
    whole, left, steering = began(tmp_path / "whole"), began(tmp_path / "left"), Steering()
    _, expected = go_on(whole, few)
    go_on(left, few, steering, {after: steering.pause})
    go_on(left, few)
    assert left.read_status() == whole.read_status() == {"state": "finished", "message": "Step 24 of 24."}
    assert_same_end(whole, left)
    expected, found = figures(expected), figures(left.records())
    assert found.keys() == expected.keys() | {after + 1}
    parted = min(step for step in expected if step > after)  # the one record that the pause has cut in two
    assert all(found[step] == expected[step] for step in expected if step != parted or step == after + 1)
    if parted != after + 1:
        first, second = found[after + 1], found[parted]
        before = max(step for step in expected if step <= after)
        shares = (after + 1 - before) / (parted - before), (parted - after - 1) / (parted - before)
        mean = shares[0] * first["train"]["elbo"] + shares[1] * second["train"]["elbo"]
        assert mean == pytest.approx(expected[parted]["train"]["elbo"], rel=1e-6)
        assert second["test"] == expected[parted]["test"] and second["epoch"] == expected[parted]["epoch"]


def test_a_run_detached_at_z_goes_on_detached_after_a_pause(tmp_path, few):
    config = dataclasses.replace(CONFIG, gradient="detached")
    whole, parted, steering = began(tmp_path / "whole", config), began(tmp_path / "parted", config), Steering()
    go_on(whole, few)
    go_on(parted, few, steering, {5: steering.pause})
    go_on(parted, few)
    assert_same_end(whole, parted)
    about = read_header(parted.model_file).about
    assert about["training"]["gradient"] == "detached" == parted.read_config().training.gradient
    usual = began(tmp_path / "usual")
    go_on(usual, few)
    assert figures(usual.records())[24]["train"] != figures(parted.records())[24]["train"]


def test_a_run_that_is_paused_at_every_batch_ends_bit_for_bit_alike(tmp_path, few):
    whole, left = began(tmp_path / "whole"), began(tmp_path / "left")
    go_on(whole, few)
    for step in range(1, 25):
        _, records = go_on(left, few, Steering(one_batch=True))
        assert [record.step for record in records] == [step]
    assert left.read_status()["state"] == "finished"
    assert_same_end(whole, left)
    assert [record["step"] for record in left.records()] == list(range(1, 25))
    last = figures(left.records())
    assert all(last[step]["test"] == record["test"] for step, record in figures(whole.records()).items())


def test_stop_outweighs_pause_and_a_run_at_its_end_is_finished(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()

    def both():
        steering.stop()
        steering.pause()

    go_on(folder, few, steering, {3: both})
    assert folder.read_status() == {"state": "stopped", "message": "Step 4 of 24."}
    steering = Steering()
    _, records = go_on(folder, few, steering, {24: steering.pause})
    assert records[-1].step == 24 and folder.read_status()["state"] == "finished"
    _, records = go_on(folder, few)
    assert records == [] and folder.read_status()["state"] == "finished"


def test_a_resumed_run_keeps_its_time(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    go_on(folder, few, steering, {8: steering.pause})
    before = folder.records()[-1]["seconds"]
    go_on(folder, few)
    seconds = [record["seconds"] for record in folder.records()]
    assert seconds == sorted(seconds) and seconds[-1] > before > 0


@pytest.mark.parametrize("every", [0, 1e9])
def test_a_run_that_crashed_anywhere_ends_bit_for_bit_like_one_that_did_not(tmp_path, few, monkeypatch, every):
    crash_at(monkeypatch, {1, 2, 7, 8, 11}, save_state_every=every)
    whole = began(tmp_path / "run")
    go_on(whole, few)
    monkeypatch.undo()
    for step in (1, 2, 7, 8, 11):
        left = RunFolder(tmp_path / f"run-{step}")
        assert left.saved_step() == (1 if every else step)  # between two records, too
        with (left.path / "metrics.jsonl").open("a") as file:
            file.write('{"step": 12, "epo')
        go_on(left, few)
        assert_same_end(whole, left)
        assert figures(left.records()) == figures(whole.records())
        assert len(left.records()) == len(whole.records())


def test_a_failure_is_said_and_the_last_good_weights_stay(tmp_path, few):
    config = plain(epochs=200, batch_size=50, learning_rate=1.0, record_every=1)
    folder = began(tmp_path / "run", config, VAEConfig(latent_dim=3, likelihood="gaussian"))
    with pytest.raises(DivergedError):
        go_on(folder, few)
    last = folder.records()[-1]["step"]
    status = folder.read_status()
    assert status["state"] == "failed"
    assert f"became infinite or NaN at step {last + 1}; try a smaller learning rate." in status["message"]
    assert all(bool(weight.isfinite().all()) for weight in load_checkpoint(folder.model_file).parameters())
    assert folder.saved_step() <= last


# Changes

WARM = dataclasses.replace(CONFIG, beta=2.0, free_bits=0.01)
GAUSSIAN = VAEConfig(latent_dim=3, hidden_dim=16, likelihood="gaussian", binarization="grey", sigma=0.5)
CHANGES = [
    (MODEL, {"learning_rate": 0.01}), (MODEL, {"beta": 7.5}), (MODEL, {"warmup_steps": 40}),
    (MODEL, {"free_bits": 0.75}), (MODEL, {"samples": 4}), (GAUSSIAN, {"sigma": 0.2}),
    (GAUSSIAN, {"sigma": 0.9, "learning_rate": 0.002, "samples": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "change"), CHANGES, ids=lambda value: "+".join(value) if type(value) is dict else "")
def test_a_change_holds_from_the_next_batch_on_and_is_taken_again_after_a_crash(
    tmp_path, few, monkeypatch, model, change
):
    crash_at(monkeypatch, {6, 7, 11})
    folder, steering = began(tmp_path / "run", WARM, model), Steering()
    trained, records = go_on(folder, few, steering, {6: lambda: steering.change(change)})
    monkeypatch.undo()
    new = {name: value for name, value in change.items() if name != "sigma"}
    expected = by_hand(few, WARM, model, 6, new, change.get("sigma"))
    assert_equal(expected, trained)
    for off, parameters in ((5, new), (7, new)):  # a batch sooner or later is another training
        other = by_hand(few, WARM, model, off, parameters, change.get("sigma"))
        assert any(not torch.equal(weight, other.state_dict()[name]) for name, weight in trained.state_dict().items())
    assert folder.changes() == [Change(6, change)]
    assert (
        folder.settings()
        == dataclasses.asdict(model) | dataclasses.asdict(WARM) | {"hold_out": 0, "start": ""} | change
    )
    by_step = figures(records)
    for name in ("learning_rate", "samples"):
        assert by_step[6][name] == getattr(WARM, name) and by_step[8][name] == new.get(name, getattr(WARM, name))
    for step in (6, 7, 11):  # the saved state is of step 1
        left = RunFolder(tmp_path / f"run-{step}")
        assert left.saved_step() == 1 and left.changes() == ([] if step == 6 else [Change(6, change)])
        if step > 6:
            go_on(left, few)
            assert_same_end(folder, left)
            assert figures(left.records()) == by_step and left.changes() == folder.changes()


def test_what_is_wanted_now_holds_whatever_was_to_come_of_it(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    folder.write_changes([Change(2, {"beta": 3.0}), Change(5, {"samples": 2}), Change(9, {"learning_rate": 0.1})])
    trained, _ = go_on(folder, few, steering, {3: lambda: steering.change({"learning_rate": 0.01})})
    assert folder.changes() == [
        Change(2, {"beta": 3.0}), Change(3, {"learning_rate": 0.01}), Change(5, {"samples": 2})
    ]  # fmt: skip
    model = VAE(MODEL, seeded(), mean=few.mean_image())
    training = batches(model, few, CONFIG, CPU, TrainState.start(model))
    next(training)
    second = dataclasses.replace(CONFIG, beta=3.0)
    third = dataclasses.replace(second, learning_rate=0.01)
    last = dataclasses.replace(third, samples=2)
    for step in range(1, 24):
        training.send({1: CONFIG, 2: second, 3: third, 4: third}.get(step, last))
    assert_equal(model, trained)


def test_several_changes_before_one_batch_are_one(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    steering.change({"beta": 3.0, "samples": 2})
    steering.change({"beta": 4.0})
    go_on(folder, few, steering)
    assert folder.changes() == [Change(0, {"beta": 4.0, "samples": 2})]
    assert {record["beta"] for record in folder.records()} == {4.0}


def test_a_change_that_comes_with_the_last_batch_waits_for_the_next_one(tmp_path, few, monkeypatch):
    folder, steering = began(tmp_path / "run"), Steering()
    at_last_batch(monkeypatch, lambda: steering.change({"learning_rate": 0.01}))
    go_on(folder, few, steering, {6: steering.pause})
    monkeypatch.undo()
    assert folder.saved_step() == 7 and folder.changes() == [Change(7, {"learning_rate": 0.01})]
    assert not steering.change({"beta": 9.0}) and folder.changes() == [Change(7, {"learning_rate": 0.01})]
    trained, _ = go_on(folder, few)
    expected = by_hand(few, CONFIG, MODEL, 7, {"learning_rate": 0.01})
    assert_equal(expected, trained)


def test_a_stop_that_comes_with_the_last_batch_is_heard(tmp_path, few, monkeypatch):
    folder, steering = began(tmp_path / "run"), Steering()
    at_last_batch(monkeypatch, steering.stop)
    go_on(folder, few, steering, {6: steering.pause})
    assert folder.read_status() == {"state": "stopped", "message": "Step 7 of 24."}


# A single batch


# Patience
