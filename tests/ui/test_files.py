"""What is served by plain requests: with a login where the app asks for one, and nothing outside of a run's folder."""

import base64
import io

import pytest
import torch
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.backend import Backend
from ui.files import routes
from ui.vocabulary import LARGEST_CHECKPOINT, LARGEST_PHOTO
from vae_core import VAE, TrainConfig, VAEConfig, save_checkpoint
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import train_into
from vae_core.runs.server import Runs

from ..conftest import ROOT, seeded

RUN = "20260101-000000-0123456789abcdef"
MODEL = VAEConfig(latent_dim=2, hidden_dim=16)


@pytest.fixture
def served(tmp_path, few):
    """The routes of a server with one finished run, as an application like Gradio's, which asks for no login."""
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    folder, config = runs.folder(RUN), TrainConfig(epochs=1, batch_size=50)
    folder.create()
    folder.write_config(RunConfig(MODEL, config, "digits", train_images=200, owner="me"))
    list(train_into(folder, VAE(MODEL, seeded()), few, config, torch.device("cpu")))
    app = Starlette(routes=routes(Backend(tmp_path, ROOT / "checkpoints", runs)))
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    yield app
    runs.close()


PATHS = [f"/live/runs/{RUN}/{what}" for what in ("newest.jpg", "frames/1.jpg", "metrics.csv", "archive.zip")]


@pytest.mark.parametrize("path", PATHS)
def test_everything_is_served_and_with_a_login_only_to_who_is_logged_in(served, path):
    def status(**cookies):
        return TestClient(served, cookies=cookies).get(path).status_code

    assert status() == 200
    served.auth = {"anna": "secret"}
    served.tokens["token"] = "anna"
    assert status() == 401
    assert status(**{"access-token-unsecure-here": "token"}) == 200
    assert status(**{"access-token-unsecure-here": "another"}) == 401


def test_an_upload_needs_the_login_too(served):
    served.auth = {"anna": "secret"}
    address = "/live/upload?browser=" + "0" * 32 + "&name=x"
    assert TestClient(served).post(address, content=b"x").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"/live/runs/{RUN}/config.json",
        f"/live/runs/{RUN}/frames/999.jpg",
        f"/live/runs/{RUN}/frames/{'9' * 5000}.jpg",
        f"/live/runs/{RUN}/frames/newest.jpg",
        f"/live/runs/{RUN}/frames/..%2F..%2Fconfig.jpg",
        "/live/runs/20260101-000000-ffffffffffffffff/metrics.csv",
        "/live/runs/..%2F..%2Fetc/passwd",
        "/live/runs/x/archive.zip",
    ],
)
def test_nothing_else_is(served, path):
    answer = TestClient(served).get(path)
    assert answer.status_code == 404 and "Traceback" not in answer.text


def test_frames_are_kept_by_the_browser_and_the_newest_is_not(served):
    client = TestClient(served)
    assert "immutable" in client.get(PATHS[1]).headers["cache-control"]
    assert client.get(PATHS[0]).headers["cache-control"] == "no-store"
    assert client.get(PATHS[0]).headers["map-dimensions"] == "0 1"


@pytest.mark.parametrize("what", ["metrics.csv", "archive.zip", "tensorboard.zip", "model.safetensors"])
def test_a_download_is_whole_whatever_part_is_asked_for_and_leaves_nothing(served, tmp_path, monkeypatch, what):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    folder = RunFolder(tmp_path / "runs" / RUN)
    for asked in ({}, {"Range": "bytes=9999999999-"}, {"Range": "bytes=x"}):
        answer = TestClient(served).get(f"/live/runs/{RUN}/{what}", headers=asked)
        assert answer.status_code == 200 and len(answer.content) > 100
        assert what != "model.safetensors" or answer.content == folder.model_file.read_bytes()
        assert answer.headers["content-disposition"].startswith(f"attachment; filename*=UTF-8''{RUN}")
    assert not list((tmp_path / "temp").iterdir())


@pytest.mark.parametrize("what", ["metrics.csv", "tensorboard.zip"])
def test_a_download_that_cannot_begin_says_why_without_the_servers_paths(served, tmp_path, what):
    path = tmp_path / "runs" / RUN / "metrics.jsonl"
    path.write_bytes(b"garbage\n")
    answer = TestClient(served).get(f"/live/runs/{RUN}/{what}")
    assert answer.status_code == 404 and "metrics.jsonl is damaged" in answer.text
    path.unlink()
    path.mkdir()
    answer = TestClient(served).get(f"/live/runs/{RUN}/{what}")
    assert answer.status_code == 404 and "Is a directory" in answer.text and str(tmp_path) not in answer.text


@pytest.mark.parametrize("comment", [b"", b"0 1\r\nSet-Cookie: x", b"\xff", b"0 1 2", "β".encode()])
def test_a_picture_that_says_no_dimensions_is_none(served, tmp_path, comment):
    frame = tmp_path / "runs" / RUN / "frames" / "newest.jpg"
    Image.new("L", (8, 8)).save(frame, "JPEG", comment=comment)
    assert TestClient(served).get(PATHS[0]).status_code == 404
    frame.write_bytes(comment)
    assert TestClient(served).get(PATHS[0]).status_code == 404


def test_an_upload_of_a_browser_that_is_none_is_refused(served):
    answer = TestClient(served).post("/live/upload?browser=me&name=x", content=b"x")
    assert answer.json() == {"error": "The request names no browser."}


def test_a_photo_becomes_ink(served):
    picture, content = Image.new("RGB", (300, 400), "white"), io.BytesIO()
    ImageDraw.Draw(picture).line([(150, 100), (150, 300)], "navy", 20)
    picture.save(content, "JPEG")
    answer = TestClient(served).post("/live/photo", content=content.getvalue())
    ink = base64.b64decode(answer.json()["ink"])
    assert answer.status_code == 200 and len(ink) == 56 * 56 and max(ink) == 255 and ink[0] == 0


def test_what_is_no_photo_is_refused_in_a_sentence(served):
    answer = TestClient(served).post("/live/photo", content=b"Hello!")
    assert answer.status_code == 200
    assert answer.json() == {"error": "This file is not a picture in PNG, JPEG, WebP, GIF or BMP format."}


def test_a_large_model_of_the_apps_own_can_be_uploaded(served, tmp_path):
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=4000)), tmp_path / "large.safetensors")
    content = (tmp_path / "large.safetensors").read_bytes()
    address = "/live/upload?browser=" + "0" * 32 + "&name=large"
    answer = TestClient(served).post(address, content=content).json()
    assert len(content) > 20 * 2**20 and set(answer) == {"run"}


@pytest.mark.parametrize(("path", "largest"), [("/live/photo", LARGEST_PHOTO), ("/live/upload", LARGEST_CHECKPOINT)])
def test_what_is_posted_may_be_so_large_only_and_needs_the_login(served, tmp_path, monkeypatch, path, largest):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    answer = TestClient(served).post(path, content=bytes(largest + 1))
    limit = f"The file is over the limit of {largest // 2**20} MB."
    assert answer.status_code == 413 and answer.json() == {"error": limit} and set(tmp_path.iterdir()) == before
    served.auth = {"anna": "secret"}
    assert TestClient(served).post(path, content=b"x").status_code == 401
