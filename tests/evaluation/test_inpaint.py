"""Visible pixels are scored as if there were no others; the exact posterior is found, and only hidden pixels change."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, ContinuousBernoulli, MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import Proposal, log_likelihood
from vae_core.evaluation.gap import ascend, gaps
from vae_core.evaluation.inpaint import completions, fill_in, visible, visible_posterior
from vae_core.evaluation.noise import common_noise
from vae_core.evaluation.picture import posterior_picture
from vae_core.evaluation.posterior import grid_truth
from vae_core.evaluation.terms import worth
from vae_core.objective import elbo, elbo_of

from ..conftest import seeded


@pytest.fixture
def half():
    """The lower half, and a pixel besides, so that the visible ones are no multiple of anything."""
    hidden = torch.zeros(28, 28, dtype=torch.bool)
    hidden[14:] = True
    hidden[3, 4] = True
    return hidden


@pytest.fixture
def images():
    return torch.rand(3, 1, 28, 28, generator=seeded(), dtype=torch.float64)


def linear():
    """Probabilistic PCA with columns of other lengths, in float64, and its W and b."""
    config = VAEConfig(
        architecture="linear", latent_dim=3, likelihood="gaussian", sigma=0.5, prior_mean=0.3, prior_std=1.5
    )
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.decoder.weight.copy_(torch.linalg.qr(model.decoder.weight)[0] * torch.tensor([1.0, 2.0, 3.0]))
    return model, model.decoder.weight.detach(), model.decoder.bias.detach()


def exact_posterior(images, half):
    """p(z|x_visible) of `linear`, by Bayes' theorem for Gaussians: means (3, 3), covariance."""
    _, w, b = linear()
    seen = ~half.flatten()
    w, b = w[seen], b[seen]
    precision = w.T @ w / 0.25 + torch.eye(3) / 1.5**2
    rest = w.T @ (images.flatten(1)[:, seen] - b).T / 0.25 + 0.3 / 1.5**2
    return torch.linalg.solve(precision, rest).T, torch.linalg.inv(precision)


def distribution(model, params):
    """p(x|z) as torch has it."""
    kind = model.config.likelihood
    if kind == "gaussian":
        return Normal(params, model.sigma)
    return (Bernoulli if kind == "bernoulli" else ContinuousBernoulli)(logits=params, validate_args=False)


@pytest.mark.parametrize("count", [1, 15, 391])
@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli", "gaussian"])
def test_log_px_z_is_that_of_the_visible_pixels(likelihood, count, images):
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=16, likelihood=likelihood, sigma=0.3), seeded()).double()
    seen = torch.randperm(784, generator=seeded(2))[:count]
    hidden = torch.ones(784, dtype=torch.bool)
    hidden[seen] = False
    view = visible(model, hidden.reshape(28, 28))
    z = 3 * torch.randn(5, 3, generator=seeded(), dtype=torch.float64)
    params = model.decode(z).flatten(1)[:, None, seen]
    expected = distribution(model, params).log_prob(images.flatten(1)[:, seen]).sum(-1)  # (5, 3)
    assert_close(view.log_px_pairs(images, z), expected)
    assert_close(view.log_px_z(images, z[:, None].expand(-1, 3, -1)), expected)
    assert_close(visible(model, ~hidden.reshape(28, 28)).log_px_pairs(images, z) + expected,
                 model.log_px_pairs(images, z))  # fmt: skip
    assert torch.equal(view.x_hat(z), model.x_hat(z))


def test_where_nothing_is_hidden_it_is_the_model_itself(small_model, images):
    nothing = torch.zeros(28, 28, dtype=torch.bool)
    assert visible(small_model, nothing) is small_model
    x = images.round()
    assert torch.equal(fill_in(small_model, x, nothing), x)


def test_what_is_hidden_does_not_matter(small_model, images, half):
    view = visible(small_model, half)
    one, other = images.round(), images.round().masked_fill(half, 1.0)
    assert not torch.equal(one, other)
    eps = torch.randn(4, 1, 3, generator=seeded(), dtype=torch.float64)
    for mine, theirs in zip(elbo(view, one, eps=eps)[:3], elbo(view, other, eps=eps)[:3], strict=True):
        assert_close(mine, theirs, rtol=0, atol=0)
    assert_close(log_likelihood(view, one, 10, seeded()), log_likelihood(view, other, 10, seeded()), rtol=0, atol=0)


def test_of_several_ways_to_fill_in_the_best_is_taken(plane):
    model, some = plane
    x = some[:30]
    hidden = torch.zeros(28, 28, dtype=torch.bool)
    hidden[:14] = True
    view = visible(model, hidden)
    eps = common_noise(2, 32)
    with torch.inference_mode():
        from_black = model.posterior(fill_in(model, x.masked_fill(hidden, 0.0), hidden))
        mine, black = (elbo_of(view, x, q, eps).elbo for q in (view.posterior(x), from_black))
        each = torch.cat([view.posterior(image[None]).mu for image in x])
    assert (mine > black - 1e-3).all() and (mine > black + 0.3).any()
    assert_close(view.posterior(x).mu, each)


def test_the_weights_are_the_models_and_it_is_left_as_it_is(images, half):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, likelihood="gaussian", sigma_mode="learned"), seeded()).double()
    before = model.log_px_z(images, torch.zeros(3, 2).double())
    view = visible(model, half)
    assert {*map(id, view.parameters())} == {*map(id, model.parameters())}
    assert torch.equal(model.log_px_z(images, torch.zeros(3, 2).double()), before)
    model.set_sigma(0.7)
    assert view.sigma == pytest.approx(0.7)


def test_of_a_linear_gaussian_model_log_px_is_that_of_the_marginal(images, half):
    model, w, b = linear()
    seen = ~half.flatten()
    covariance = 1.5**2 * w @ w.T + model.sigma**2 * torch.eye(784, dtype=torch.float64)
    marginal = MultivariateNormal((0.3 * w.sum(1) + b)[seen], covariance[seen][:, seen])
    view = visible(model, half)
    expected = marginal.log_prob(images.flatten(1)[:, seen])
    assert_close(ppca.log_likelihood(view, images), expected, rtol=1e-10, atol=1e-8)
    assert_close(log_likelihood(view, images, 1, seeded(), proposal=ppca.posterior), expected, rtol=0, atol=1e-8)
    mean, covariance = exact_posterior(images, half)
    q = DiagonalGaussian(torch.zeros(3, 3).double(), torch.zeros(3, 3).double())
    posterior = MultivariateNormal(mean, covariance)
    gap = kl_divergence(MultivariateNormal(q.mu, torch.eye(3).double()), posterior)
    assert_close(ppca.kl_to_posterior(view, images, q), gap)
    found = gaps(view, images)
    assert found.exact.all() and (found.amortization > 0).all() and (found.approximation > 0).all()
    assert_close(found.log_px, expected)


def test_of_a_linear_gaussian_model_the_exact_posterior_is_found(images, half):
    model, *_ = linear()
    mean, covariance = exact_posterior(images, half)
    q = visible_posterior(model, images, half, steps=600)
    assert_close(q.mu, mean, rtol=0, atol=1e-4)
    # The best diagonal Gaussian has the conditional standard deviations.
    assert_close(q.std, torch.linalg.inv(covariance).diagonal().rsqrt().expand(3, -1), rtol=1e-3, atol=0)


def test_of_a_plane_log_px_and_the_posterior_are_those_of_a_quadrature(plane):
    model, some = plane
    x = some[:1]
    hidden = torch.zeros(28, 28, dtype=torch.bool)
    hidden[:14] = True
    view = visible(model, hidden)
    # By the definition: every pixel's density by torch, on a grid of 1/50 from −5 to 5.
    axis = torch.linspace(-5, 5, 501)
    points = torch.cartesian_prod(axis, axis)
    with torch.inference_mode():
        pixels = [distribution(model, model.decode(part)).log_prob(x) for part in points.split(20_000)]
    given = torch.cat([log_p[..., 14:, :].flatten(1).double().sum(1) for log_p in pixels])
    joint = given + Normal(0.0, 1.0).log_prob(points.double()).sum(1)
    expected = joint.logsumexp(0) + 2 * math.log(0.02)
    truth = grid_truth(view, x)
    assert truth.holds.all()
    assert truth.log_px.item() == pytest.approx(expected.item(), abs=5e-3)
    assert truth.log_px.item() > grid_truth(model, x).log_px.item() + 1  # fewer pixels to explain
    share = (joint - joint.logsumexp(0)).exp()
    mean = share @ points.double()
    picture = posterior_picture(view, x)
    std = (share @ (points.double() - mean).square()).sqrt()
    assert ((picture.mean - mean).abs() < 0.05 * std).all()
    assert_close(picture.std.double(), std, rtol=0.05, atol=0)
    # The bound: whatever q is, its ELBO and its gap add up to it.
    *_, (best, _) = ascend(view, x, max_steps=200)
    for q in (view.posterior(x), best, DiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))):
        terms = worth(view, x, DiagonalGaussian(q.mu.detach(), q.logvar.detach()))
        gap = grid_truth(view, x, terms.q).kl_q_posterior
        assert gap > 0
        error = terms.log_px.std() / math.sqrt(len(terms.z))
        assert (terms.elbo + gap).item() == pytest.approx(expected.item(), abs=3 * error.item() + 0.02)
    estimate = log_likelihood(view, x, 5_000, seeded(), proposal=Proposal.prior)
    assert estimate.item() == pytest.approx(expected.item(), abs=0.3)


def test_only_hidden_pixels_change_and_what_they_were_does_not_matter(small_model, images, half):
    q = visible_posterior(small_model, images, half, steps=20)
    other = visible_posterior(small_model, images.masked_fill(half, 1.0), half, steps=20)
    assert torch.equal(q.mu, other.mu)
    for completed in (fill_in(small_model, images, half), completions(small_model, images, half, q.mu[None])[0]):
        assert torch.equal(completed[..., ~half], images[..., ~half])
        assert not torch.equal(completed[..., half], images[..., half])


def test_nothing_visible_leaves_the_prior(small_model, images):
    q = visible_posterior(small_model, images, torch.ones(28, 28, dtype=torch.bool), steps=400)
    assert_close(q.mu, torch.zeros_like(q.mu), rtol=0, atol=1e-3)
    assert_close(q.std, torch.ones_like(q.std), rtol=0, atol=1e-3)
