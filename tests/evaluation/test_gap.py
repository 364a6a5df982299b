"""The gap of each image and its two causes (T15)."""

import torch
from torch.distributions import MultivariateNormal, kl_divergence
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.evaluation import gap, ppca
from vae_core.evaluation.gap import ascend, gaps, refine
from vae_core.evaluation.noise import common_noise
from vae_core.objective import elbo_of

from ..conftest import seeded


def test_both_gaps_are_positive_and_add_up(plane):
    model, x = plane[0], plane[1][:5]
    found = gaps(model, x, 50, generator=seeded())
    assert found.exact.all()
    assert_close(found.amortization + found.approximation, found.total, rtol=0, atol=1e-4)
    assert float(found.amortization.min()) > -0.02 and float(found.approximation.min()) > 0
    assert float(found.amortization.mean()) > 0.5


def linear():
    """A linear Gaussian model of oblique columns, in which a diagonal q cannot be the posterior, and two images."""
    config = VAEConfig(
        architecture="linear", latent_dim=6, likelihood="gaussian", sigma=0.3, prior_mean=0.5, prior_std=2.0
    )
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.decoder.weight.mul_(0.3).add_(0.1 * torch.rand(784, 1, generator=seeded(2), dtype=torch.float64))
        model.encoder[1].bias.copy_(torch.linspace(-1, -2, 12))
    return model, torch.rand(2, 1, 28, 28, generator=seeded(1), dtype=torch.float64)


def best_gaussian(model, x):
    """The diagonal Gaussian of the smallest KL from a linear model's posterior: its mean, and 1/Λ_jj."""
    exact = ppca.posterior(model, x)
    posterior = MultivariateNormal(exact.mean, scale_tril=exact.scale)
    precision = posterior.precision_matrix.diagonal(dim1=1, dim2=2)
    return exact.mean, precision.rsqrt(), posterior


def test_of_a_linear_model_the_best_gaussian_is_known_and_the_ascent_ends_there():
    model, x = linear()
    mean, std, _ = best_gaussian(model, x)
    refined = refine(model, x)
    assert_close(refined.mu, mean)
    assert_close(refined.std, std)
    *_, (q, _) = ascend(model, x[:1])
    assert_close(q.mu, mean[:1], rtol=0, atol=1e-3)
    assert_close(q.std, std[:1], rtol=0.01, atol=0)


def test_of_a_linear_model_the_split_is_exact():
    model, x = linear()
    found = gaps(model, x, 2, generator=seeded(3))
    mean, std, posterior = best_gaussian(model, x)
    q = model.posterior(x)
    total = kl_divergence(MultivariateNormal(q.mu, scale_tril=torch.diag_embed(q.std)), posterior)
    approximation = kl_divergence(MultivariateNormal(mean, scale_tril=torch.diag_embed(std)), posterior)
    assert found.exact.all() and float(approximation.min()) > 0.01
    assert_close(found.approximation, approximation.detach(), rtol=0, atol=1e-5)
    assert_close(found.amortization, (total - approximation).detach(), rtol=0, atol=1e-5)


def test_where_nothing_is_known_draws_that_q_was_not_fitted_to_judge_it(monkeypatch):
    # The same linear model by estimates alone: they are as good, since matched draws are exact for quadratics.
    model, x = linear()
    exact = gaps(model, x, 2, generator=seeded(3))
    monkeypatch.setattr(gap, "exact_terms", lambda *_: None)
    monkeypatch.setattr(gap.ppca, "is_ppca", lambda _: False)
    found = gaps(model, x, 2000, generator=seeded(3))
    assert not found.exact.any()
    assert_close(found.amortization, exact.amortization, rtol=0, atol=1e-3)
    assert_close(found.approximation, exact.approximation, rtol=0, atol=0.2)  # log p(x) is an estimate there


def test_a_q_that_fits_its_own_draws_too_well_is_not_flattered(small_model, monkeypatch):
    monkeypatch.setattr(gap, "fitting_noise", lambda dims: common_noise(dims, 8, seed=1))  # far too few
    x = torch.rand(4, 1, 28, 28, generator=seeded(), dtype=torch.float64).round()
    with torch.no_grad():
        for weight in small_model.decoder.parameters():
            weight.mul_(2)  # log p(x|z) is no quadratic in z then
        found, q = gaps(small_model, x, 2, generator=seeded()), refine(small_model, x)
        own = elbo_of(small_model, x, q, gap.fitting_noise(3).to(x)).elbo
        others = torch.randn(20_000, 1, 3, generator=seeded(7), dtype=torch.float64)
        of_others = elbo_of(small_model, x, q, others).elbo
    assert float((own - of_others).max()) > 0.2
    assert_close(found.refined_elbo, of_others, rtol=0, atol=0.05)


def test_images_are_refined_alike_however_many_there_are(small_model, monkeypatch):
    x = torch.rand(3, 1, 28, 28, generator=seeded(), dtype=torch.float64).round()
    together = refine(small_model, x, max_steps=20)
    monkeypatch.setattr(gap, "REFINED_AT_ONCE", 2)
    apart = refine(small_model, x, max_steps=20)
    assert_close(apart.mu, together.mu)
    assert_close(apart.logvar, together.logvar)


def test_refining_leaves_the_model_as_it_is(small_model):
    before = {name: weight.clone() for name, weight in small_model.state_dict().items()}
    x = torch.rand(3, 1, 28, 28, generator=seeded(), dtype=torch.float64).round()
    refine(small_model, x, max_steps=50)
    assert all(torch.equal(weight, small_model.state_dict()[name]) for name, weight in before.items())
    assert all(parameter.grad is None for parameter in small_model.parameters())
