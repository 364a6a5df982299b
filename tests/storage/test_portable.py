"""The file of a decoder for the browser, and the route that serves it. That it decodes alike: browser/test_decoder."""

import json
import struct

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient
from torch import nn

from ui.backend import Backend
from ui.models import routes
from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.runs.server import Runs
from vae_core.storage.portable import portable_decoder

from ..conftest import seeded


def read(content):
    """The description and the weights of a file."""
    (length,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + length]), np.frombuffer(content[4 + length :], dtype="<f2")


def test_the_file_describes_the_layers_and_holds_the_weights():
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=8, prior_mean=0.5, prior_std=2), seeded())
    about, weights = read(portable_decoder(model))
    assert about == {
        "likelihood": "bernoulli", "latent_dim": 3, "prior_mean": 0.5, "prior_std": 2.0,
        "sigma": None, "remainders": False,
        "layers": [{"kind": "linear", "in": 3, "out": 8}, {"kind": "relu"}, {"kind": "linear", "in": 8, "out": 784}],
        "numbers": len(weights),
    }  # fmt: skip
    wanted = torch.cat([weight.flatten() for weight in model.decoder.parameters()]).half()
    assert np.array_equal(weights, wanted.detach().numpy())


def test_the_file_of_a_gaussian_plane_has_its_sigma_and_what_float16_rounds_off():
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, likelihood="gaussian", sigma=0.25), seeded())
    about, numbers = read(portable_decoder(model))
    assert about["sigma"] == pytest.approx(0.25) and about["remainders"] and about["numbers"] == len(numbers)
    halves, remainders = numbers.astype(np.float64).reshape(2, -1)
    wanted = torch.cat([weight.flatten() for weight in model.decoder.parameters()]).detach().double().numpy()
    assert np.abs(halves - wanted).max() > 1e-5
    assert np.abs(halves + remainders - wanted).max() < 1e-7


def test_what_cannot_be_described_is_refused():
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=8))
    for layer in (
        nn.Tanh(), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, (3, 1)), nn.Conv2d(4, 4, 3, dilation=2),
        nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1), nn.ConvTranspose2d(4, 4, 4, stride=2),
    ):  # fmt: skip
        model.decoder = nn.Sequential(nn.Linear(3, 8), layer)
        with pytest.raises(ValueError, match="has no description"):
            portable_decoder(model)
    model.decoder = nn.Linear(3, 784)
    with torch.no_grad():
        model.decoder.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match="too large for float16"):
        portable_decoder(model)


@pytest.fixture
def app(tmp_path):
    """The route of a server with one shipped model."""
    (tmp_path / "checkpoints").mkdir()
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded()), tmp_path / "checkpoints" / "one.safetensors")
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    app = Starlette(routes=routes(Backend(tmp_path, tmp_path / "checkpoints", runs)))
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    yield app
    runs.close()


def test_a_decoder_is_sent_once_and_again_only_when_it_has_changed(app, tmp_path):
    client = TestClient(app)
    first = client.get("/live/models/one/decoder")
    assert first.status_code == 200 and read(first.content)[0]["latent_dim"] == 2
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/live/models/one/decoder", headers=tag).status_code == 304
    other = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded(1))
    save_checkpoint(other, tmp_path / "checkpoints" / "one.safetensors")
    again = client.get("/live/models/one/decoder", headers=tag)
    assert again.status_code == 200 and again.content == portable_decoder(other)


@pytest.mark.parametrize("model", ["none", "..", "20260101-000000-0123456789abcdef", "a" * 500])
def test_no_other_file_is_served(app, model):
    assert TestClient(app).get(f"/live/models/{model}/decoder").status_code == 404


def test_a_decoder_is_for_who_is_logged_in(app):
    app.auth, app.tokens = [("me", "word")], {"token": "me"}
    assert TestClient(app).get("/live/models/one/decoder").status_code == 401
    client = TestClient(app, cookies={"access-token-here": "token"})
    assert client.get("/live/models/one/decoder").status_code == 200
