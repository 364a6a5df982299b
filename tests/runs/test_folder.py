"""A run's folder: what it holds, what is said of a damaged one, and who may have it."""

import dataclasses
import json
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.runs.changes import Change, check_change
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import NAME_LENGTH, RunError, RunFolder
from vae_core.runs.run import Steering
from vae_core.runs.states import State
from vae_core.storage.tensors import read_tensors

from ..conftest import ROOT, plain, seeded
from .test_run import CONFIG, CPU, GAUSSIAN, MODEL, began, go_on


def trained(path, few, after=None):
    """The folder of a run that is finished, or paused with the batch after a record."""
    folder, steering = began(path), Steering()
    go_on(folder, few, steering, {after: steering.pause})
    return folder


def test_the_folder_says_all(tmp_path, few):
    folder = began(tmp_path / "run")
    model, records = go_on(folder, few)
    assert folder.records() == json.loads(json.dumps([dataclasses.asdict(record) for record in records]))
    assert folder.read_status() == {"state": "finished", "message": "Step 24 of 24."}
    assert folder.read_config() == RunConfig(MODEL, CONFIG, "digits", train_images=200)
    assert folder.read_config().total_steps == 24 == folder.saved_step()
    versions = folder.versions()
    assert (versions["torch"], versions["python"]) == (torch.__version__, platform.python_version())
    assert versions["processor"].startswith(f"{os.cpu_count()} cores of ")
    content = json.loads((folder.path / "config.json").read_text()) | {"versions": {"torch": "of another machine"}}
    (folder.path / "config.json").write_text(json.dumps(content))
    folder.write_config(folder.read_config())  # as when it is resumed here
    assert folder.versions() == {"torch": "of another machine"}
    saved = load_checkpoint(folder.model_file)
    assert all(torch.equal(weight, saved.state_dict()[name]) for name, weight in model.state_dict().items())
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "config.json", "frames", "metrics.jsonl", "model.safetensors", "state.safetensors", "status.json",
    ]  # fmt: skip


def test_a_configuration_is_read_as_it_was_written(tmp_path):
    folder = RunFolder(tmp_path)
    config = RunConfig(GAUSSIAN, plain(steps=7, beta=2.5), "mnist", "cuda", "because", 60_000, "anna")
    folder.write_config(config)
    assert folder.read_config() == config and config.total_steps == 7
    assert dataclasses.replace(config, train_images=0).total_steps == 0


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "something").write_text("")
    with pytest.raises(RunError, match="is not empty"):
        RunFolder(tmp_path).create()
    with pytest.raises(RunError, match="cannot be made"):
        RunFolder(tmp_path / "something" / "run").create()
    with pytest.raises(RunError, match="There is no run none"):
        RunFolder(tmp_path / "none").read_config()


def test_a_start_that_was_killed_at_once_can_be_repeated(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.acquire()
    folder.release()
    folder.create()
    assert folder.path.is_dir() and folder.records() == [] and not folder.is_taken()


# Names


@pytest.mark.parametrize("name", ["", "   ", "\t", ".", "..", " .. ", "../x", "a/b", "a\\b", "a\nb", "a\x00b", "\x7f"])
def test_what_is_no_name_is_refused(tmp_path, name):
    folder = RunFolder(tmp_path)
    folder.write_name("before")
    with pytest.raises(RunError, match="name must not"):
        folder.write_name(name)
    assert folder.name() == "before" and [path.name for path in tmp_path.iterdir()] == ["name.txt"]


@pytest.mark.parametrize("name", [None, 5, ["a"], b"a"])
def test_what_is_no_text_is_no_name(tmp_path, name):
    with pytest.raises(RunError, match="must not be empty"):
        RunFolder(tmp_path).write_name(name)


def test_a_long_name_is_refused_with_its_length(tmp_path):
    with pytest.raises(RunError, match="has 300 characters; a run's name has at most 80"):
        RunFolder(tmp_path).write_name("x" * 300)
    for name in ("x" * NAME_LENGTH, "β = 4, größer …", "..x", "日本語"):
        RunFolder(tmp_path).write_name(name)
        assert RunFolder(tmp_path).name() == name
        (tmp_path / "name.txt").write_bytes(name.encode() + b"\r\n")  # as editors end lines
        assert RunFolder(tmp_path).name() == name


def test_a_run_without_a_usable_name_has_none(tmp_path):
    assert RunFolder(tmp_path / "none").name() == ""
    (tmp_path / "name.txt").write_bytes(b"\xff\xfe\xff")
    assert RunFolder(tmp_path).name() == ""


# Damage


@pytest.mark.parametrize(
    "content", ["", "garbage", "[]", "null", '{"state": "dancing", "message": ""}', '{"state": []}', '{"state": {}}']
)
def test_a_damaged_status_is_an_interrupted_run(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert RunFolder(tmp_path).read_status()["state"] == "interrupted"


def test_a_long_message_is_cut(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_status(State.FAILED, "x" * 10**6)
    assert folder.read_status() == {"state": "failed", "message": "x" * 1000}


def test_a_folder_that_is_gone_is_a_failed_run(tmp_path):
    assert RunFolder(tmp_path / "none").read_status() == {"state": "failed", "message": "The run's folder is gone."}


@pytest.mark.parametrize(
    "content", ["", "garbage", "[]", "null", "{}", '{"model": {"latent_dim": 0}, "training": {}}', b"\xff\xff"]
)
def test_a_damaged_configuration_is_named(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=r"config\.json of the run .* cannot be understood"):
        RunFolder(tmp_path).read_config()


@pytest.mark.parametrize(
    "content",
    [
        "", "garbage", "null", "5", "[5]", '["a"]', "[{}]", '[{"step": "a"}]', '[{"step": -1}]', '[{"step": 1.5}]',
        '[{"step": 1, "seed": 3}]', '[{"step": 1, "beta": "x"}]', '[{"step": 1, "beta": null}]',
        '[{"step": 1, "beta": NaN}]',
    ],
)  # fmt: skip
def test_damaged_changes_are_named(tmp_path, content):
    (tmp_path / "changes.json").write_text(content)
    with pytest.raises(RunError, match=r"changes\.json of the run .* cannot be understood"):
        RunFolder(tmp_path).changes()


@pytest.mark.parametrize("name", ["metrics.jsonl", "changes.json", "state.safetensors"])
def test_damage_is_said_when_the_run_is_to_go_on(tmp_path, few, name):
    folder = trained(tmp_path / "run", few, after=6)
    before = folder.records()
    (folder.path / name).write_text("garbage\n")
    with pytest.raises(RunError, match=rf"{name.replace('.', '[.]')} ") as caught:
        go_on(folder, few)
    assert "\n" not in str(caught.value)
    if name != "metrics.jsonl":
        assert folder.records() == before  # nothing of it was thrown away


def changed(path, metadata, tensors):
    """Writes a file of tensors with other metadata and tensors in it; None: without that one."""
    had, of_all = read_tensors(path)
    left = {name: tensor.clone() for name, tensor in (of_all | tensors).items() if tensor is not None}
    save_file(left, path, had | metadata)


WEIGHT = "model.decoder.0.weight"
STATES = {
    "a step of 22 digits": ({"step": "9" * 22}, {}),
    "no step": ({"step": ""}, {}),
    "a negative step": ({"step": "-1"}, {}),
    "a time that is not finite": ({"seconds": "inf"}, {}),
    "a best ELBO that is none": ({"best": "nan"}, {}),
    "a best ELBO that nothing exceeds": ({"best": "inf"}, {}),
    "complex weights": ({}, {WEIGHT: torch.zeros(16, 3, dtype=torch.complex64)}),
    "infinite weights": ({}, {WEIGHT: torch.full((16, 3), torch.inf)}),
    "whole weights": ({}, {WEIGHT: torch.zeros(16, 3, dtype=torch.uint8)}),
    "no weights": ({}, {WEIGHT: None}),
    "a moment of another shape": ({}, {"adam.mean.decoder.0.weight": torch.zeros(3)}),
    "sums of another shape": ({}, {"sums": torch.zeros(2)}),
}


@pytest.mark.parametrize("kind", STATES)
def test_a_state_is_not_taken_on_trust(tmp_path, few, kind):
    folder = trained(tmp_path / "run", few, after=6)
    changed(folder.state_file, *STATES[kind])
    with pytest.raises(RunError, match=r"state\.safetensors of the run cannot be used: .+") as caught:
        go_on(folder, few)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_state_without_metadata_is_refused(tmp_path, few):
    folder = trained(tmp_path / "run", few, after=6)
    save_file(read_tensors(folder.state_file)[1], folder.state_file)
    with pytest.raises(RunError, match=r"state\.safetensors of the run cannot be used: .+"):
        go_on(folder, few)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_a_state_is_not_mapped_while_it_is_used(tmp_path, few):
    folder = trained(tmp_path / "run", few, after=6)
    changed(folder.state_file, {}, {"sums": torch.zeros(4)})  # as where it was saved between two records
    state = folder.resume(VAE(MODEL), CPU)
    assert state.sums.measured is not None
    assert str(folder.path) not in Path("/proc/self/maps").read_text(encoding="utf-8")


def test_a_state_of_another_model_is_refused(tmp_path, few):
    folder = trained(tmp_path / "run", few, after=6)
    with pytest.raises(RunError, match=r"state\.safetensors of the run cannot be used: .+") as caught:
        folder.resume(VAE(VAEConfig(latent_dim=5, hidden_dim=16)), CPU)
    assert "\n" not in str(caught.value)


# Settings


def test_settings_are_those_of_the_start_with_all_changes(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_config(RunConfig(GAUSSIAN, CONFIG, "digits"))
    start = dataclasses.asdict(GAUSSIAN) | dataclasses.asdict(CONFIG) | {"hold_out": 0, "start": ""}
    assert folder.settings() == start and folder.changes() == []
    folder.write_changes([Change(3, {"beta": 2.0, "sigma": 0.3}), Change(9, {"beta": 4})])
    assert folder.settings() == start | {"beta": 4, "sigma": 0.3}
    assert folder.changes() == [Change(3, {"beta": 2.0, "sigma": 0.3}), Change(9, {"beta": 4})]
    folder.add_change(5, {"samples": 2})
    assert folder.changes() == [
        Change(3, {"beta": 2.0, "sigma": 0.3}), Change(5, {"samples": 2}), Change(9, {"beta": 4})
    ]  # fmt: skip
    folder.add_change(2, {"beta": 1.5})
    assert folder.changes() == [Change(2, {"beta": 1.5}), Change(3, {"sigma": 0.3}), Change(5, {"samples": 2})]


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (MODEL, {"seed": 1}, "seed cannot change during a run"),
        (MODEL, {"latent_dim": 1}, "latent_dim cannot change during a run"),
        (MODEL, {"batch_size": 1}, "batch_size cannot change during a run"),
        (MODEL, {"beta": 1, "epochs": 3}, "epochs cannot change during a run"),
        (MODEL, {"sigma": 0.1}, "sigma cannot change during a run of this model"),
        (
            dataclasses.replace(GAUSSIAN, sigma_mode="learned"),
            {"sigma": 0.1},
            "sigma cannot change during a run of this model",
        ),
        (GAUSSIAN, {"sigma": 0}, "sigma is 0; it must be a number above 0, at most 100"),
        (GAUSSIAN, {"sigma": float("nan")}, "sigma is nan"),
        (MODEL, {"beta": None}, "beta is empty"),
        (MODEL, {"beta": 10**400}, "beta is 1000"),
        (MODEL, {"learning_rate": "0.1"}, "learning_rate is '0.1'"),
        (MODEL, {"samples": 1.5}, "samples is 1.5"),
        (MODEL, {"samples": True}, "samples is True"),
    ],
)
def test_what_cannot_change_in_mid_run_is_named(model, settings, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        check_change(RunConfig(model, CONFIG, "digits"), settings)


# Going on


def test_what_came_after_the_saved_state_is_dropped(tmp_path, few):
    folder = trained(tmp_path / "run", few, after=6)
    before, records = folder.frame_steps(), folder.records()
    assert before[-1] == folder.saved_step() == 7
    with (folder.path / "metrics.jsonl").open("a") as file:
        for step in (8, 9, 12):
            file.write(json.dumps(records[-1] | {"step": step}) + "\n")
        file.write('{"half a rec')
    for step in (8, 120):
        (folder.frames / f"{step}.jpg").write_bytes(b"")
    assert folder.frame_steps() == [*before, 8, 120] and folder.records()[-1]["step"] == 12
    state = folder.resume(VAE(MODEL), CPU)
    assert state.step == 7 and folder.records() == records and folder.frame_steps() == before
    assert (folder.frames / "newest.jpg").exists()


def test_a_half_written_last_record_is_no_record(tmp_path, few):
    folder = trained(tmp_path / "run", few)
    path, records = folder.path / "metrics.jsonl", folder.records()
    content = path.read_bytes()
    for cut in (1, 40, len(content.splitlines()[-1])):
        path.write_bytes(content[:-cut])
        assert folder.records() == records[:-1]
    go_on(folder, few)
    assert folder.records() == records[:-1]


def test_a_run_that_has_saved_nothing_begins_anew(tmp_path, few):
    folder = began(tmp_path / "run")
    (folder.path / "metrics.jsonl").write_text('{"half')
    model = VAE(MODEL, seeded())
    state = folder.resume(model, CPU)
    assert state.step == 0 == folder.saved_step() and folder.records() == []
    assert torch.equal(next(model.parameters()), next(VAE(MODEL, seeded()).parameters()))


def test_the_saved_step_of_a_damaged_state_is_none(tmp_path):
    for content in (b"", b"garbage", b"\x00" * 100):
        (tmp_path / "state.safetensors").write_bytes(content)
        assert RunFolder(tmp_path).saved_step() == 0


# Who trains

HOLD = """
import sys
from pathlib import Path
from vae_core.runs.folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def holding(path):
    """A process that has taken a run's folder."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], cwd=ROOT, **pipes)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_taker_in_this_process_is_refused_until_the_first_lets_go(tmp_path):
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    assert not second.is_taken()
    first.acquire()
    assert first.is_taken() and second.is_taken()
    for taker in (first, second):
        with pytest.raises(RunError, match="Another process is training this run"):
            taker.acquire()
    second.release()  # it has nothing to let go of
    assert second.is_taken()
    first.release()
    first.release()
    assert not second.is_taken()
    second.acquire()
    assert first.is_taken()
    second.release()


def test_a_second_process_is_refused_until_the_first_one_dies(tmp_path, few):
    folder = trained(tmp_path / "run", few, after=6)
    process = holding(folder.path)
    try:
        assert folder.is_taken()
        with pytest.raises(RunError, match="Another process is training this run"):
            folder.acquire()
        with pytest.raises(RunError, match="being trained: stop it first"):
            folder.delete()
        assert folder.records()
    finally:
        process.kill()
        process.communicate()
    assert not folder.is_taken()
    folder.acquire()
    folder.release()


def test_many_who_look_at_once_do_not_take_each_other_for_a_training(tmp_path):
    (tmp_path / "lock").touch()
    said, start = [], threading.Barrier(4)

    def look():
        start.wait(10)
        said.extend(RunFolder(tmp_path).is_taken() for _ in range(100))

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    taker = RunFolder(tmp_path)
    for looker in lookers:
        looker.join(30)
    taker.acquire()
    taker.release()
    assert len(said) == 400 and not any(said)


def test_a_lock_that_cannot_be_had_is_no_training(tmp_path):
    (tmp_path / "lock").mkdir()
    assert not RunFolder(tmp_path).is_taken()
    with pytest.raises(RunError, match="folder cannot be written"):
        RunFolder(tmp_path).acquire()


# Size and end


def test_the_size_is_that_of_all_files(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "a").write_bytes(bytes(1000))
    (tmp_path / "frames" / "1.jpg").write_bytes(bytes(234))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert RunFolder(tmp_path).size() == 1234
    assert RunFolder(tmp_path / "none").size() == 0


def test_a_deleted_run_leaves_nothing(tmp_path, few):
    folder, other = trained(tmp_path / "run", few, after=6), trained(tmp_path / "other", few, after=6)
    folder.delete()
    assert [path.name for path in tmp_path.iterdir()] == ["other"] and other.records()
    with pytest.raises(RunError, match="The run cannot be deleted: No such file"):
        folder.delete()
