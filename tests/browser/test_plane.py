"""The exact posterior in the browser's worker, against the server's quadrature and against closed forms (T14, T20b)."""

import base64

import pytest
import torch
from torch.testing import assert_close

from vae_core import VAE, VAEConfig, load_checkpoint, load_dataset
from vae_core.config import LIKELIHOODS
from vae_core.data import binarized_for_evaluation, fit_drawing, spread
from vae_core.evaluation import ppca
from vae_core.evaluation.inpaint import visible
from vae_core.evaluation.posterior import grid_truth
from vae_core.storage.portable import portable_decoder

from ..conftest import ROOT, seeded
from .conftest import EXACT

pytestmark = pytest.mark.browser

SHIPPED = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"


@pytest.fixture(scope="module")
def page(browser, server):
    """A page of the app's origin, with nothing but its modules."""
    page = browser.new_page()
    page.goto(f"{server.url}/live/exact/exact.js")
    yield page
    page.close()


def lower(rows):
    """So many of the lowest rows of an image."""
    hidden = torch.zeros(28, 28, dtype=torch.bool)
    hidden[28 - rows :] = True
    return hidden


def text_of(values):
    return base64.b64encode(bytes(values.int().flatten().tolist())).decode()


def found(page, model, x, hidden=None):
    """What the worker finds of each image, or of the part of it that is not hidden."""
    decoder = "data:;base64," + base64.b64encode(portable_decoder(model)).decode()
    with torch.inference_mode():
        q = (model if hidden is None else visible(model, hidden)).posterior(x)
    hole = {} if hidden is None else {"hidden": text_of(hidden)}
    asked = [
        {"seen": text_of((255 * image).round()), "q": {"mu": mu, "std": std}} | hole
        for image, mu, std in zip(x, q.mu.tolist(), q.std.tolist(), strict=True)
    ]
    _, answers = page.evaluate(EXACT, [decoder, asked])
    return answers


def log_px(answers):
    return torch.tensor([answer["log_px"] for answer in answers], dtype=torch.float64)


def seven():
    """A drawing, as the model sees it: (1, 1, 28, 28)."""
    ink = torch.zeros(56, 56, dtype=torch.uint8)
    ink[12:16, 14:42] = 255
    for row in range(16, 46):
        ink[row, 38 - row // 2 : 42 - row // 2] = 255
    return (fit_drawing(ink, 20) > 0.5).float()[None]


@pytest.fixture(scope="module")
def shipped():
    return load_checkpoint(SHIPPED)


@pytest.mark.parametrize("rows", [0, 14])
def test_log_px_of_test_images_is_that_of_a_converged_quadrature(page, shipped, mnist_dir, rows):
    images = load_dataset("mnist", mnist_dir).test
    x = binarized_for_evaluation(images[spread(len(images), 6)], "dynamic")
    truth = grid_truth(visible(shipped, lower(rows)), x)
    assert_close(log_px(found(page, shipped, x, lower(rows))), truth.log_px.double(), rtol=0, atol=0.03)


def test_log_px_of_a_drawing_is_that_of_a_converged_quadrature(page, shipped):
    x = seven()
    assert_close(log_px(found(page, shipped, x)), grid_truth(shipped, x).log_px.double(), rtol=0, atol=0.03)


@pytest.mark.parametrize("rows", [0, 14, 27])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood_and_another_prior(page, likelihood, rows):
    config = VAEConfig(latent_dim=2, hidden_dim=24, likelihood=likelihood, sigma=0.25, prior_mean=0.7, prior_std=1.6)
    model = VAE(config, seeded(), mean=torch.full((1, 28, 28), 0.5))
    with torch.no_grad():
        model.decoder[-1].weight.mul_(0.25 if likelihood == "gaussian" else 2)  # so that x is grey, and tells of z
    x = model.x_hat(torch.tensor([[0.7, 0.7], [2.0, -1.0], [-1.5, 1.0]])).detach()
    assert x.min() > 0 and x.max() < 1
    x = (255 * x).round() / 255
    answers = found(page, model, x, lower(rows))
    truth = grid_truth(visible(model, lower(rows)), x)
    assert truth.holds.all()
    assert_close(log_px(answers), truth.log_px.double(), rtol=0, atol=0.01)
    assert all(answer["uncertainty"] < 0.03 for answer in answers)


def linear(**settings):
    """A linear model, of which all is known in closed form, and three images."""
    model = VAE(VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", **settings), seeded())
    x = model.x_hat(model.sample_prior(3, seeded(1))).detach().clamp(0, 1)
    return model, (255 * x).round() / 255


@pytest.mark.parametrize(("sigma", "rows"), [(0.5, 0), (0.1, 0), (0.03, 0), (0.1, 14)])
def test_the_closed_form_of_a_linear_model(page, sigma, rows):
    model, x = linear(sigma=sigma, prior_mean=0.3, prior_std=1.5)
    answers = found(page, model, x, lower(rows))
    model = visible(model.double(), lower(rows))
    assert_close(log_px(answers), ppca.log_likelihood(model, x.double()).detach(), rtol=0, atol=0.01)
    exact = ppca.posterior(model, x.double())
    for n, answer in enumerate(answers):
        covariance = exact.scale[n] @ exact.scale[n].T
        std = covariance.diagonal().sqrt()
        assert ((torch.tensor(answer["mean"]).double() - exact.mean[n]).abs() < 0.02 * std).all()
        assert_close(torch.tensor(answer["std"]).double(), std, rtol=0.02, atol=0)


def test_the_picture_is_the_density(page):
    model, x = linear(sigma=0.5)
    (answer,) = found(page, model, x[:1])
    side = answer["cells"]
    shown = torch.tensor(answer["density"]).reshape(side, side).flip(0).T / 255  # the first index along z0
    axes = [middle + answer["half"] * torch.linspace(-1, 1, side) for middle in answer["center"]]
    exact = ppca.posterior(model, x[:1])
    away = (torch.cartesian_prod(*axes) - exact.mean) @ torch.linalg.inv(exact.scale[0]).T
    wanted = torch.exp(-away.square().sum(1) / 2)
    assert (shown.flatten() - wanted / wanted.max()).abs().max() < 0.02


def test_a_posterior_far_from_the_prior_is_found_where_q_is(page):
    model, x = linear(sigma=0.3)
    with torch.no_grad():  # the images come from far beyond the first level
        model.decoder.weight.mul_(0.2)
    far = torch.tensor([[9.0, -8.0]])
    x = (255 * model.x_hat(far).detach().clamp(0, 1)).round() / 255
    exact = ppca.posterior(model, x).mean[0]
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        model.encoder[1].bias.copy_(torch.tensor([*exact.tolist(), -2.0, -2.0]))
    (answer,) = found(page, model, x)
    assert answer["log_px"] == pytest.approx(ppca.log_likelihood(model, x).item(), abs=0.01)


def test_the_worker_is_replaced_after_it_failed(page):
    failed = page.evaluate("""async () => {
        const { askWorker } = await import(location.origin + "/live/exact/thread.js");
        const broken = { decoder: new ArrayBuffer(8), image: null, q: { mu: [], std: [] } };
        return askWorker(broken).then(() => "", (error) => error.message);
    }""")
    assert failed
    model, x = linear(sigma=0.5)
    assert len(found(page, model, x)) == 3
