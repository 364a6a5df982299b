"""The recorded trainings that the cards play."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from checkpoints.lessons import HERE, LESSONS, STRIP, Lesson, make
from ui.backend import Backend
from ui.files import routes
from ui.tabs.form import LABELS, configured, in_field
from ui.theory.lessons import settings_of
from vae_core import load_dataset
from vae_core.runs.folder import RunFolder
from vae_core.runs.server import RECORDED, Runs

from ...conftest import ROOT

LARGEST = 4_000_000  # bytes of all of them


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lessons")
    return Backend(folder, ROOT / "checkpoints", Runs(folder / "runs", torch.device("cpu")))


def test_all_of_them_are_shipped_and_small():
    assert {path.name for path in HERE.iterdir() if path.is_dir()} == set(LESSONS)
    assert sum(file.stat().st_size for file in HERE.rglob("*") if file.is_file()) <= LARGEST


@pytest.mark.parametrize("name", LESSONS)
def test_it_is_what_its_settings_say(name, backend):
    wanted, folder = LESSONS[name].config(), RunFolder(HERE / name)
    config = folder.read_config()
    assert (config.model, config.training, config.data) == (wanted.model, wanted.training, wanted.data)
    assert config.owner == RECORDED and folder.name() == LESSONS[name].title
    assert folder.records()[-1]["step"] == config.total_steps
    assert folder.read_status()["state"] == "finished"
    settings = settings_of(config)
    asked = configured(backend, {field: in_field(field, settings[field]) for field in LABELS})
    recorded = wanted.training.record_every  # how often records are kept is not in the form
    assert asked.model == wanted.model
    assert vars(asked.training) | {"record_every": recorded} == vars(wanted.training)


@pytest.mark.parametrize("name", LESSONS)
def test_what_is_served_is_what_its_folder_holds(name, backend):
    served = backend.lessons.lesson({"name": name})
    records = RunFolder(HERE / name).records()
    columns = served["columns"]
    assert columns["step"] == [record["step"] for record in records]
    for part in ("train", "test"):
        for term, sign in (("elbo", -1), ("reconstruction", -1), ("kl", 1)):
            held = [sign * record[part][term] if record[part] else None for record in records]
            assert columns[f"{part}_{term}"] == pytest.approx(held, abs=1e-3)
    assert served["kl"] == [record["kl_per_dim"] for record in records]
    assert all(len(row) == served["latent_dim"] for row in served["kl"])
    terms = (columns[f"train_{term}"] for term in ("elbo", "reconstruction", "kl"))
    for elbo, reconstruction, kl in zip(*terms, strict=True):
        assert elbo == pytest.approx(reconstruction + kl, abs=2e-3)
    assert f"β = {served['beta']:g}" in served["settings"]


def test_its_pictures_are_served(backend):
    app = Starlette(routes=routes(backend))
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    client = TestClient(app)
    for name in ("plain", "plane"):
        for step in backend.lessons.lesson({"name": name})["frames"]:
            answer = client.get(f"/live/lessons/{name}/{step}.jpg")
            rows = 24 * 28 if LESSONS[name].has_map else STRIP
            assert answer.status_code == 200
            assert Image.open(io.BytesIO(answer.content)).size == (20 * 28, rows)
    for wrong in ("plain/2", "plain/newest", "nothing/1", "..%2Frecorded/1"):
        assert client.get(f"/live/lessons/{wrong}.jpg").status_code == 404


@pytest.mark.parametrize("request_", [{}, {"name": "nothing"}, {"name": ["plain"]}, {"name": "../recorded"}, None])
def test_what_does_not_exist_is_said(request_, backend):
    with pytest.raises(ValueError, match=r"no such recorded|has no name"):
        backend.lessons.lesson(request_)


def test_a_server_without_recordings_has_none(tmp_path):
    assert Backend(tmp_path, tmp_path, Runs(tmp_path / "runs", torch.device("cpu"))).lessons.names() == []


def test_the_settings_make_the_same_recording_again(tmp_path):
    small = {"hidden_dim": 8, "latent_dim": 2, "epochs": 2, "batch_size": 128, "record_every": 2}
    digits = load_dataset("digits", "none")
    once, again = (make(Lesson("small", small, "digits"), digits, tmp_path / name) for name in ("once", "again"))
    clock = {"seconds": 0, "images_per_second": 0}
    assert [record | clock for record in once.records()] == [record | clock for record in again.records()]
    assert once.frame_steps() == again.frame_steps() and once.frame_steps()[0] == 1
    for step in once.frame_steps():
        assert _content(once, step) == _content(again, step)


def test_a_picture_without_the_map_is_what_lies_below_it(tmp_path):
    small = {"hidden_dim": 8, "latent_dim": 2, "epochs": 1, "batch_size": 500, "record_every": 1}
    digits = load_dataset("digits", "none")
    whole, strip = (
        make(Lesson("small", small, "digits", has_map=has_map), digits, tmp_path / str(has_map))
        for has_map in (True, False)
    )
    grey = [
        torch.frombuffer(bytearray(Image.open(folder.frames / "3.jpg").tobytes()), dtype=torch.uint8).reshape(-1, 560)
        for folder in (whole, strip)
    ]
    assert grey[0].shape == (24 * 28, 560) and grey[1].shape == (STRIP, 560)
    assert (grey[0][-STRIP:].float() - grey[1].float()).abs().mean() < 2  # JPEG's blocks lie otherwise


def _content(folder: RunFolder, step: int) -> bytes:
    return Path(folder.frames / f"{step}.jpg").read_bytes()
