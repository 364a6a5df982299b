"""Runs: folders that say all, trainings in threads, owners, and ends of every kind."""

import dataclasses
import json
import threading
import time

import pytest
import torch

from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint
from vae_core.data import DataError
from vae_core.folder import RunConfig, RunError, RunFolder
from vae_core.records import Records
from vae_core.run import train_into
from vae_core.runs import ENDED, Runs

from .conftest import seeded

CPU = torch.device("cpu")
MODEL = VAEConfig(latent_dim=3, hidden_dim=16)
LONG = TrainConfig(epochs=10_000, batch_size=50)


def wait_for(condition, seconds=20.0):
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def runs(tmp_path):
    """Runs in a folder of the test's own."""
    runs = Runs(tmp_path, CPU)
    yield runs
    runs.close()


def into(folder, few, config, steps=None, **kwargs):
    """Trains into a new folder, to the end or for so many records."""
    folder.create()
    folder.write_config(RunConfig(MODEL, config, "digits", train_images=200))
    model = VAE(MODEL, seeded(config.seed))
    records = []
    for metrics in train_into(folder, model, few, config, CPU, **kwargs):
        records.append(metrics)
        if len(records) == steps:
            break
    return model, records


def test_the_folder_says_all(tmp_path, few):
    folder = RunFolder(tmp_path / "run")
    model, records = into(folder, few, TrainConfig(epochs=2, batch_size=50, record_every=3))
    assert folder.records() == json.loads(json.dumps([dataclasses.asdict(record) for record in records]))
    assert folder.read_status() == {"state": "finished", "message": "Step 8 of 8."}
    assert folder.read_config().model == MODEL and folder.read_config().total_steps == 8
    assert "torch" in json.loads((folder.path / "config.json").read_text())["versions"]
    saved = load_checkpoint(folder.model_file)
    assert all(torch.equal(weight, saved.state_dict()[name]) for name, weight in model.state_dict().items())
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "config.json", "metrics.jsonl", "model.safetensors", "state.safetensors", "status.json",
    ]  # fmt: skip


def test_a_run_that_was_left_and_resumed_ends_bit_for_bit_like_one_that_was_not(tmp_path, few):
    config = TrainConfig(epochs=6, batch_size=50, record_every=3)
    whole, _ = into(RunFolder(tmp_path / "whole"), few, config)
    folder = RunFolder(tmp_path / "left")
    into(folder, few, config, should_stop=lambda: len(folder.records()) >= 4)
    assert folder.read_status()["state"] == "stopped"
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(folder.records()[-1] | {"step": 999}) + '\n{"half a rec')
    model = VAE(MODEL, seeded(99))
    state = folder.resume(model, config, CPU)
    for _ in train_into(folder, model, few, config, CPU, state):
        pass
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name

    def figures(name):
        return [{k: v for k, v in r.items() if "second" not in k} for r in RunFolder(tmp_path / name).records()]

    assert figures("left") == figures("whole")


def test_a_resumed_run_keeps_its_time(tmp_path, few):
    folder = RunFolder(tmp_path / "run")
    into(folder, few, TrainConfig(epochs=2, batch_size=50))
    before = folder.records()[-1]["seconds"]
    model = VAE(MODEL)
    state = folder.resume(model, TrainConfig(epochs=3, batch_size=50), CPU)
    assert state.seconds == before and state.step == 8


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "something").write_text("")
    with pytest.raises(RunError, match="is not empty"):
        RunFolder(tmp_path).create()
    with pytest.raises(RunError, match="cannot be made"):
        RunFolder(tmp_path / "something" / "run").create()
    with pytest.raises(RunError, match="holds no run"):
        RunFolder(tmp_path / "none").read_config()
    with pytest.raises(RunError, match="no saved state"):
        RunFolder(tmp_path / "none").resume(VAE(MODEL), LONG, CPU)


def line(step):
    return json.dumps({"step": step, "seconds": 1.0, "train": {}, "test": None, "kl_per_dim": []})


def test_records_are_read_on_from_where_the_last_look_ended(tmp_path):
    path = tmp_path / "metrics.jsonl"
    records = Records(path)

    def steps():
        return [record["step"] for record in records.read()]

    assert steps() == []
    path.write_text(line(1) + "\n" + line(2)[:4])
    assert steps() == [1]
    with path.open("a") as file:
        file.write(line(2)[4:] + "\n")
    assert steps() == [1, 2]
    (tmp_path / "other").write_text(line(1) + "\n")
    (tmp_path / "other").replace(path)
    assert steps() == [1]


@pytest.mark.parametrize("damage", ["garbage", "[1, 2]", '{"step": 3}', "null", "\x00\x01"])
def test_a_damaged_record_is_said(tmp_path, damage):
    (tmp_path / "metrics.jsonl").write_text(line(1) + "\n" + damage + "\n")
    with pytest.raises(RunError, match=r"metrics\.jsonl is damaged"):
        Records(tmp_path / "metrics.jsonl").read()


@pytest.mark.parametrize(
    "content", ["", "garbage", "[]", "null", '{"state": "dancing", "message": ""}', '{"state": []}']
)
def test_a_damaged_status_is_an_interrupted_run(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert RunFolder(tmp_path).read_status()["state"] == "interrupted"


@pytest.mark.parametrize("content", ["", "garbage", "[]", "null", "{}", '{"model": {"latent_dim": 0}, "training": {}}'])
def test_a_damaged_configuration_is_named(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=r"config\.json cannot be understood"):
        RunFolder(tmp_path).read_config()


def test_a_run_goes_on_by_itself_and_stops_when_told(runs, few):
    run = runs.start(MODEL, LONG, "digits", lambda report: (few, "because"), owner="me")
    wait_for(lambda: len(runs.folder(run).records()) > 3)
    assert runs.status(run)["state"] == "running"
    runs.stop(run, "me")
    wait_for(lambda: runs.status(run)["state"] == "stopped")
    last = runs.folder(run).records()[-1]["step"]
    assert runs.status(run)["message"] == f"Step {last} of 40000."
    config = runs.folder(run).read_config()
    assert (config.owner, config.why_data, config.train_images) == ("me", "because", 200)
    load_checkpoint(runs.folder(run).model_file)


def test_runs_wait_in_order_and_can_leave_the_line(runs, few):
    first, second, third = (runs.start(MODEL, LONG, "digits", lambda report: (few, "")) for _ in range(3))
    wait_for(lambda: runs.status(first)["state"] == "running")
    assert [runs.status(run)["state"] for run in (second, third)] == ["waiting", "waiting"]
    runs.stop(second)
    assert runs.status(second) == {"state": "stopped", "message": "Stopped while it was waiting."}
    runs.stop(first)
    wait_for(lambda: runs.status(third)["state"] == "running")


def test_two_owners_are_separate(runs, few):
    run = runs.start(MODEL, LONG, "digits", lambda report: (few, ""), owner="anna")
    other = runs.start(MODEL, LONG, "digits", lambda report: (few, ""), owner="bert")
    assert runs.of("anna") == [run] and runs.of("bert") == [other] and runs.of("") == []
    with pytest.raises(RunError, match="belongs to another browser"):
        runs.stop(run, "bert")
    assert Runs(runs.root, CPU).of("anna") == [run]


@pytest.mark.parametrize(
    "run", ["", "../x", "20260101-000000-" + "g" * 16, None, 7, "a" * 300, "20260101-000000-" + "0" * 16 + "\n"]
)
def test_what_is_no_id_is_refused(runs, run):
    with pytest.raises(RunError, match="not the id of a run"):
        runs.status(run)


def test_a_diverged_run_keeps_the_last_good_weights_and_says_where(runs, few):
    config = TrainConfig(epochs=200, batch_size=50, learning_rate=1.0, record_every=1)
    run = runs.start(VAEConfig(latent_dim=3, likelihood="gaussian"), config, "digits", lambda report: (few, ""))
    wait_for(lambda: runs.status(run)["state"] in ENDED, 60)
    status = runs.status(run)
    assert status["state"] == "failed"
    last = runs.folder(run).records()[-1]["step"]
    assert status["message"].startswith(f"The loss is not finite any more at step {last + 1};")
    model = load_checkpoint(runs.folder(run).model_file)
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())


def test_data_that_cannot_be_had_are_said(runs):
    def load(report):
        raise DataError("MNIST could not be downloaded: no network.")

    run = runs.start(MODEL, LONG, "mnist", load)
    wait_for(lambda: runs.status(run)["state"] == "failed")
    assert runs.status(run)["message"] == "MNIST could not be downloaded: no network."


def test_the_progress_of_a_download_is_told(runs, few):
    go_on = threading.Event()

    def load(report):
        report("Downloading: 3.1 of 9.9 MB.")
        assert go_on.wait(10)
        return few, ""

    run = runs.start(MODEL, TrainConfig(steps=1, batch_size=50), "mnist", load)
    wait_for(lambda: runs.status(run) == {"state": "loading", "message": "Downloading: 3.1 of 9.9 MB."})
    go_on.set()
    wait_for(lambda: runs.status(run)["state"] == "finished")


def test_after_a_restart_a_run_is_interrupted(runs, few, tmp_path):
    folder = RunFolder(tmp_path / "20260101-000000-0123456789abcdef")
    into(folder, few, LONG, steps=2)
    folder.write_status("running")
    assert runs.status(folder.path.name) == {
        "state": "interrupted",
        "message": "The server was restarted during this run.",
    }


def test_closing_stops_all_runs_in_order(tmp_path, few):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    started = [runs.start(MODEL, LONG, "digits", lambda report: (few, "")) for _ in range(2)]
    wait_for(lambda: all(runs.status(run)["state"] == "running" for run in started))
    runs.close()
    assert [runs.folder(run).read_status()["state"] for run in started] == ["stopped", "stopped"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("training")]
    assert all(load_checkpoint(runs.folder(run).model_file) for run in started)
