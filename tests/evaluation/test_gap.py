"""The gap of each image and its two causes (T15)."""

import torch
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.evaluation import ppca
from vae_core.evaluation.gap import gaps, refine

from ..conftest import seeded


def test_both_gaps_are_positive_and_add_up(plane):
    model, x = plane[0], plane[1][:25]
    found = gaps(model, x, 2000, generator=seeded())
    assert_close(found.amortization + found.approximation, found.total, rtol=0, atol=1e-4)
    assert float(found.amortization.min()) > -0.25 and float(found.approximation.min()) > -0.25  # estimates
    assert float(found.amortization.mean()) > 0.5 and float(found.approximation.mean()) > 0


def test_refining_finds_the_best_diagonal_gaussian():
    # Of a linear model with orthogonal columns the posterior is diagonal: refining must find it, and no gap stays.
    config = VAEConfig(architecture="linear", latent_dim=3, likelihood="gaussian", sigma=0.5)
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.decoder.weight.copy_(torch.linalg.qr(model.decoder.weight)[0] * torch.tensor([0.5, 1.0, 2.0]))
    x = torch.rand(2, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    exact = ppca.posterior(model, x)
    mu, logvar = refine(model, x, draws=256, generator=seeded(2))
    assert_close(mu, exact.mean, rtol=0, atol=0.02)
    assert_close((0.5 * logvar).exp(), exact.scale.diagonal(dim1=1, dim2=2), rtol=0.12, atol=0)
    found = gaps(model, x, 2000, generator=seeded(3))
    assert_close(found.log_px, ppca.log_likelihood(model, x), rtol=0, atol=0.02)
    assert float(found.approximation.abs().max()) < 0.2
    assert float(found.amortization.min()) > 0


def test_refining_leaves_the_model_as_it_is(small_model):
    before = {name: weight.clone() for name, weight in small_model.state_dict().items()}
    x = torch.rand(3, 1, 28, 28, generator=seeded(), dtype=torch.float64).round()
    refine(small_model, x, max_steps=50, generator=seeded())
    assert all(torch.equal(weight, small_model.state_dict()[name]) for name, weight in before.items())
    assert all(parameter.grad is None for parameter in small_model.parameters())
