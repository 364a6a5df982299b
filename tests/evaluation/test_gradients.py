"""Gradient estimators: the same mean, and a known one for a linear model; not the same scatter (T17)."""

import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.gradients import as_draws_grow, gradient_estimates

from ..conftest import seeded


def linear(sigma):
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=sigma)
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.encoder[1].bias[2:] = -1.0  # σ well away from 1, so that it is not taken for its inverse
    x = torch.rand(3, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    return model, x


def test_all_have_the_gradient_as_their_mean():
    # E log p(x|z) = −‖x − Wμ − b‖²/2σ² − Σ_j σ_j² ‖w_j‖²/2σ² + const has its gradient in closed form.
    model, x = linear(3.0)
    found = gradient_estimates(model, x, 10_000, generator=seeded(2))
    w, b = model.decoder.weight.detach(), model.decoder.bias.detach()
    with torch.no_grad():
        mu, logvar = model.encode(x)
    variance = model.log_sigma.exp() ** 2
    by_mu = (x.flatten(1) - mu @ w.T - b) @ w / variance
    by_logvar = -logvar.exp() * w.square().sum(0) / (2 * variance)
    exact = torch.cat([by_mu, by_logvar], 1)
    assert_close(found.pathwise.mean(0), exact, rtol=0, atol=5 * found.pathwise.std(0).max().item() / 10_000**0.5)
    for estimates in (found.score, found.with_baseline):
        error = 5 * estimates.std(0) / 10_000**0.5
        assert bool(((estimates.mean(0) - exact).abs() < error).all())


def test_each_estimate_is_its_definition_by_autograd():
    model, x = linear(3.0)
    found = gradient_estimates(model, x, 4, generator=seeded(2))
    eps = torch.randn((4, 3, 2), generator=seeded(2), dtype=torch.float64)
    with torch.no_grad():
        mu, logvar = (part.expand(4, 3, 2).clone() for part in model.encode(x))
    mu.requires_grad_(), logvar.requires_grad_()
    z = mu + (0.5 * logvar).exp() * eps
    pathwise = torch.autograd.grad(model.log_px_z(x, z).sum(), (mu, logvar))
    assert_close(found.pathwise, torch.cat(pathwise, -1), rtol=1e-10, atol=1e-10)
    z = z.detach()
    by_q = torch.autograd.grad(Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(), (mu, logvar))
    score = model.log_px_z(x, z).detach().unsqueeze(-1) * torch.cat(by_q, -1)
    assert_close(found.score, score, rtol=1e-10, atol=1e-10)
    log_px_z = model.log_px_z(x, z).detach()
    for n in range(4):
        others = log_px_z[[m for m in range(4) if m != n]].mean(0)
        expected = (log_px_z[n] - others).unsqueeze(-1) * torch.cat(by_q, -1)[n]
        assert_close(found.with_baseline[n], expected, rtol=1e-9, atol=1e-9)


def test_a_q_of_ones_own_takes_the_place_of_the_encoders():
    model, x = linear(3.0)
    q = DiagonalGaussian(torch.full((3, 2), 0.7).double(), torch.full((3, 2), -2.0).double())
    found = gradient_estimates(model, x, 10_000, q=q, generator=seeded(2))
    by_mu = (x.flatten(1) - q.mu @ model.decoder.weight.T - model.decoder.bias) @ model.decoder.weight / 9.0
    error = 5 * found.pathwise[..., :2].std(0) / 10_000**0.5
    assert bool(((found.pathwise.mean(0)[:, :2] - by_mu).abs() < error).all())


def test_draws_are_decoded_in_parts_and_belong_together(monkeypatch, small_model):
    x = torch.rand(2, 1, 28, 28, generator=seeded(1), dtype=torch.float64).round()
    whole = gradient_estimates(small_model, x, 9, generator=seeded(3))
    monkeypatch.setattr("vae_core.evaluation.gradients.AT_ONCE", 4)
    parted = gradient_estimates(small_model, x, 9, generator=seeded(3))
    for name in ("pathwise", "score", "with_baseline"):
        assert_close(getattr(parted, name), getattr(whole, name))


def test_mean_and_error_are_those_of_the_first_draws():
    estimates = torch.randn(50, 3, generator=seeded(4)) + 2
    mean, error = as_draws_grow(estimates, [2, 10, 50])
    for row, count in enumerate((2, 10, 50)):
        some = estimates[:count].double()
        assert_close(mean[row], some.mean(0))
        assert_close(error[row], some.std(0) / count**0.5)
    with pytest.raises(ValueError, match="counts is 1; it must be a whole number from 2 to 50"):
        as_draws_grow(estimates, [1])


def test_the_score_function_scatters_more(small_model):
    x = torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64).round()
    found = gradient_estimates(small_model, x, 500, generator=seeded(2))
    assert found.variance_ratio() > 100 > 10 * found.variance_ratio("with_baseline") > 10


def test_both_use_the_same_draws(small_model):
    x = torch.rand(2, 1, 28, 28, generator=seeded(1), dtype=torch.float64).round()
    one, two = (gradient_estimates(small_model, x, 7, generator=seeded(3)) for _ in range(2))
    assert one.pathwise.shape == one.score.shape == (7, 2, 6)
    assert torch.equal(one.pathwise, two.pathwise) and torch.equal(one.score, two.score)
