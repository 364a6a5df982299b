"""A recording: a run without weights that anybody may watch, and nobody may change."""

import json

import pytest
import torch
from PIL import Image

from checkpoints.record import FRAMES, ID, RECORDS, record
from ui.backend import Backend
from vae_core import VAE, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.cli import main
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.server import RECORDED, Runs

from ..conftest import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded") / "run"
    assert main(["train", "--data=digits", "--data-dir=none", "--epochs=3", "--record-every=1", f"--out={folder}"]) == 0
    return RunFolder(folder)


@pytest.fixture
def recorded(run, tmp_path):
    into = RunFolder(tmp_path / "recordings" / ID)
    record(run, into)
    return into


def test_it_has_the_beginning_the_end_and_every_evaluation_of_the_run(run, recorded):
    kept, whole = recorded.records(), run.records()
    assert kept[0] == whole[0] and kept[-1] == whole[-1] and len(kept) <= min(len(whole), RECORDS)
    assert [record for record in kept if record["test"]] == [record for record in whole if record["test"]]
    steps = recorded.frame_steps()
    assert steps[0] == run.frame_steps()[0] and steps[-1] == run.frame_steps()[-1] and len(steps) <= FRAMES
    comment = [Image.open(folder.frames / f"{steps[0]}.jpg").info["comment"] for folder in (run, recorded)]
    assert comment[0] == comment[1]  # the dimensions of the map
    assert recorded.read_status()["state"] == "finished" and not recorded.model_file.exists()


def test_anybody_may_watch_it_and_nobody_may_change_it(recorded, tmp_path):
    runs = Runs(tmp_path / "runs", torch.device("cpu"), recordings=recorded.path.parent)
    backend = Backend(tmp_path, tmp_path, runs)
    answer = backend.follower.follow({"run": ID, "since": 0, "mark": "", "changes": 0, "frames": 0})
    assert answer["about"]["is_recorded"] and answer["state"] == "finished" and answer["newest"] == ""
    assert answer["columns"]["step"] == [record["step"] for record in recorded.records()]
    assert runs.of("0" * 32) == [] and backend.choices("0" * 32) == []
    for change in (runs.pause, runs.stop, runs.delete, runs.start_over):
        with pytest.raises(RunError, match="belongs to another browser"):
            change(ID, "0" * 32)
    assert recorded.records()


def test_the_model_that_belongs_to_it_is_a_shipped_one_like_it(run, recorded, tmp_path):
    runs = Runs(tmp_path / "runs", torch.device("cpu"), recordings=recorded.path.parent)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    about = {"data": "digits", "training": {"objective": "elbo"}}
    model = load_checkpoint(run.model_file)
    other = VAE(VAEConfig(latent_dim=2))

    def chosen(**files):
        for name, (of_it, said) in files.items():
            save_checkpoint(of_it, shipped / f"{name}.safetensors", said)
        backend = Backend(tmp_path, shipped, runs)
        answer = backend.follower.follow({"run": ID, "since": 0, "mark": "", "changes": 0, "frames": 0})
        assert answer["about"]["model"] == backend.model_of(ID)
        return backend.model_of(ID)

    assert chosen() == ""
    assert chosen(a=(other, about), b=(model, about | {"data": "mnist"})) == ""
    assert chosen(c=(model, about | {"training": {"objective": "importance-weighted"}})) == "c"
    assert chosen(d=(model, about)) == "d"
    own = ID.replace("2000", "2026", 1)  # the id of a run that is no recording
    assert Backend(tmp_path, shipped, runs).model_of(own) == own


def test_the_shipped_one_is_small_and_whole():
    (folder,) = (path for path in (ROOT / "checkpoints" / "recorded").iterdir())
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 2_000_000
    shipped = RunFolder(folder)
    config = shipped.read_config()
    assert config.owner == RECORDED and config.model.latent_dim == 2 and config.training.objective == "elbo"
    last = shipped.records()[-1]
    assert last["step"] == config.total_steps and last["test"]["elbo"] > -135 and len(shipped.frame_steps()) > 10
    assert "/" not in json.dumps(json.loads((folder / "config.json").read_text()))  # no path of the machine it is from
