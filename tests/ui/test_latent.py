"""Where images lie in latent space, and nearest images, against brute force; and what Latents asks of the server."""

import base64
import io
import json
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from torch.testing import assert_close

from ui import models
from ui.backend import Backend
from ui.tabs import latents
from ui.web.requests import of
from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.data import binarized_for_evaluation
from vae_core.densities import Prior
from vae_core.evaluation.latent import embed, nearest, principal_axes, reach
from vae_core.runs.export import as_gif
from vae_core.runs.server import Runs

from ..conftest import seeded
from .conftest import image


def test_embedding_is_the_mean_of_q_of_the_held_out_images(few):
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=8), seeded())
    assert_close(embed(model, few.test), model.encode(binarized_for_evaluation(few.test, "dynamic"))[0].detach())


def test_principal_axes_are_those_of_the_singular_value_decomposition():
    mu = torch.randn(500, 6, generator=seeded()) * torch.tensor([0.1, 3.0, 0.5, 1.0, 2.0, 0.2]) + 7
    axes = principal_axes(mu)
    _, _, vectors = torch.linalg.svd(mu - mu.mean(0))
    assert_close((axes * vectors[:2]).sum(1).abs(), torch.ones(2), rtol=0, atol=1e-4)
    assert_close(axes @ axes.T, torch.eye(2), rtol=0, atol=1e-5)
    assert bool((axes.gather(1, axes.abs().argmax(1, keepdim=True)) > 0).all())


def test_what_is_shown_reaches_over_the_prior_and_all_images():
    prior = Prior(2.0, 0.5)
    mu = 2 + torch.tensor([[1.0, -15.0, 0.0], [-1.5, 3.0, 0.0], [0.0, 0.0, torch.nan], [torch.inf, 0.0, 0.0]])
    assert_close(reach(mu, prior), torch.tensor([4 * 0.5, 1.05 * 15, 4 * 0.5]))
    diagonal = torch.tensor([[0.6, 0.8, 0.0]])
    assert_close(reach(mu[:2], prior, diagonal), torch.tensor([1.05 * abs(0.6 * 1 - 0.8 * 15)]))


def test_nearest_is_that_of_all_distances(digits):
    pictures = torch.rand(9, 784, generator=seeded()) * 0.3 + digits.train[100:109].flatten(1) / 255 * 0.7
    distances = torch.cdist(pictures, digits.train.flatten(1) / 255)
    many = digits.train.repeat(3, 1, 1, 1)  # more than are looked at at once: the first one counts
    assert torch.equal(nearest(pictures, many), distances.argmin(1))
    late = torch.cat([255 - digits.train.repeat(2, 1, 1, 1), digits.train])
    assert torch.equal(nearest(pictures, late), 2 * len(digits.train) + distances.argmin(1))


def test_a_gif_shows_every_picture(few):
    gif = Image.open(io.BytesIO(as_gif(few.test[:5, 0], 80, scale=2)))
    assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (5, (56, 56), 80, 0)
    for n in range(5):
        gif.seek(n)
        shown = np.asarray(gif.convert("L"))[::2, ::2].astype(int)
        assert np.abs(shown - few.test[n, 0].numpy()).max() <= 3


@pytest.fixture
def backend(tmp_path):
    """A server with one shipped model of two dimensions, and no MNIST."""
    (tmp_path / "checkpoints").mkdir()
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, prior_mean=1.0), seeded())
    save_checkpoint(model, tmp_path / "checkpoints" / "two.safetensors", {"data": "digits"})
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    yield Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    runs.close()


@pytest.fixture
def client(backend):
    app = Starlette(routes=[*models.routes(backend), *latents.routes(backend)])
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    return TestClient(app)


def text(pictures):
    return base64.b64encode((pictures * 255).round().to(torch.uint8).numpy().tobytes()).decode()


def test_many_points_are_decoded_at_once(backend):
    z = torch.randn(7, 2, generator=seeded())
    answer = models.decode(backend, {"model": "two", "z": z.tolist()})
    wanted = backend.load("two").model.x_hat(z).detach()
    assert torch.equal(image(answer["image"]), (wanted[:, 0] * 255).round().to(torch.uint8))


def test_neighbours_are_training_images(backend, digits):
    answer = latents.neighbours(backend, {"model": "two", "images": text(digits.train[[5, 900]] / 255)})
    assert torch.equal(image(answer["image"]), digits.train[[5, 900], 0])
    assert answer["labels"] == digits.train_labels[[5, 900]].tolist() and answer["data"] == "digits"


def test_the_means_are_a_file(backend, client, digits):
    answer = client.get("/live/models/two/means")
    (length,) = struct.unpack("<I", answer.content[:4])
    about, rest = json.loads(answer.content[4 : 4 + length]), answer.content[4 + length :]
    count = len(digits.test)
    assert (about["count"], about["dims"], about["data"]) == (count, 2, "digits") and len(rest) == count * 5
    mu = torch.from_numpy(np.frombuffer(rest[: 4 * count], dtype="<f2").astype(np.float32).reshape(-1, 2))
    assert_close(mu, embed(backend.load("two").model, digits.test), rtol=1e-3, atol=1e-3)
    assert list(rest[4 * count :]) == digits.test_labels.tolist()
    assert_close(torch.tensor(about["axes"]), principal_axes(mu), rtol=0, atol=1e-2)
    off = mu - 1.0
    assert about["reach"] == pytest.approx((1.05 * off.abs().amax(0)).clamp(min=4).tolist(), rel=1e-3)
    along = (off @ torch.tensor(about["axes"]).T).abs().amax(0)
    assert about["axes_reach"] == pytest.approx((1.05 * along).clamp(min=4).tolist(), rel=1e-3)
    assert models.describe(backend, {"model": "two"})["reach"] == about["reach"]


@pytest.mark.parametrize(
    ("function", "request_", "message"),
    [
        (models.decode, {"z": [[0, 0]] * 65}, "z has 65 points; it may have at most 64"),
        (models.decode, {"z": [[0, 0], [0]]}, "z must be a list of 2 numbers"),
        (models.decode, {"z": []}, "z must be a list of 2 numbers"),
        (models.decode, {"z": [[0, 1e39]]}, "z is 1e+39; it must be a number from -3.40282e+38 to 3.40282e+38"),
        (latents.neighbours, {"images": ""}, "images has 0 bytes"),
        (latents.neighbours, {"images": "AAAA"}, "images has 3 bytes"),
        (latents.neighbours, {"images": base64.b64encode(bytes(784 * 65)).decode()}, "1 to 64 times 28×28"),
        (latents.neighbours, {"images": 7}, "must be base64"),
    ],
)
def test_a_bad_request_gets_one_sentence(backend, function, request_, message):
    answer = of(backend, function)({"model": "two"} | request_)
    assert list(answer) == ["error"] and message in answer["error"]


def test_a_film_becomes_a_gif(client):
    assert Image.open(io.BytesIO(client.post("/live/gif", content=bytes(784 * 3)).content)).size == (224, 224)
    for content, status in ((b"", 400), (bytes(783), 400), (bytes(784 * 241), 413)):
        assert client.post("/live/gif", content=content).status_code == status
