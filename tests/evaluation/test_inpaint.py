"""Completing images: the exact posterior of the visible pixels is found, and only hidden pixels change."""

import pytest
import torch
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.evaluation.inpaint import completions, fill_in, visible_log_px_z, visible_posterior

from ..conftest import seeded


@pytest.fixture
def half():
    """The lower half hidden, of three images."""
    hidden = torch.zeros(3, 1, 28, 28, dtype=torch.bool)
    hidden[:, :, 14:] = True
    return hidden


@pytest.fixture
def images():
    return torch.rand(3, 1, 28, 28, generator=seeded(), dtype=torch.float64)


def test_of_a_linear_gaussian_model_the_exact_posterior_is_found(images, half):
    model = VAE(VAEConfig(architecture="linear", latent_dim=3, likelihood="gaussian", sigma=0.5), seeded()).double()
    with torch.no_grad():
        model.decoder.weight.copy_(torch.linalg.qr(model.decoder.weight)[0] * torch.tensor([1.0, 2.0, 3.0]))
    seen = ~half[0].flatten()
    w, b = model.decoder.weight.detach()[seen], model.decoder.bias.detach()[seen]
    precision = w.T @ w / 0.25 + torch.eye(3)
    exact = torch.linalg.solve(precision, w.T @ (images.flatten(1)[:, seen] - b).T / 0.25).T
    q = visible_posterior(model, images, half, steps=600)
    assert_close(q.mu, exact, rtol=0, atol=1e-4)
    # The best diagonal Gaussian has the conditional standard deviations.
    assert_close(q.std, precision.diagonal().rsqrt().expand(3, -1), rtol=1e-3, atol=0)


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli", "gaussian"])
def test_visible_and_hidden_pixels_make_the_whole(likelihood, images, half):
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=16, likelihood=likelihood), seeded()).double()
    z = torch.randn(5, 3, 3, generator=seeded(), dtype=torch.float64)
    parts = visible_log_px_z(model, images, z, half) + visible_log_px_z(model, images, z, ~half)
    assert_close(parts, model.log_px_z(images, z))


def test_only_hidden_pixels_change_and_what_they_were_does_not_matter(small_model, images, half):
    q = visible_posterior(small_model, images, half, steps=20)
    other = visible_posterior(small_model, images.masked_fill(half, 1.0), half, steps=20)
    assert torch.equal(q.mu, other.mu)
    for completed in (fill_in(small_model, images, half), completions(small_model, images, half, q.mu[None])[0]):
        assert torch.equal(completed[~half], images[~half])
        assert not torch.equal(completed[half], images[half])


def test_nothing_visible_leaves_the_prior(small_model, images):
    q = visible_posterior(small_model, images, torch.ones_like(images, dtype=torch.bool), steps=400)
    assert_close(q.mu, torch.zeros_like(q.mu), rtol=0, atol=1e-3)
    assert_close(q.std, torch.ones_like(q.std), rtol=0, atol=1e-3)
