"""The linear Gaussian model: closed forms against torch.distributions and scikit-learn; training reaches them."""

import math
from dataclasses import replace

import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from vae_core import VAE, VAEConfig, train
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import Proposal, log_likelihood

from ..conftest import plain, seeded

CONFIG = VAEConfig(architecture="linear", latent_dim=3, likelihood="gaussian", sigma=0.4, prior_mean=0.3, prior_std=1.5)


@pytest.fixture
def linear():
    """A linear model with seeded weights and five images, in float64."""
    return VAE(CONFIG, seeded()).double(), torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64)


def test_the_likelihood_is_that_of_the_full_covariance(linear):
    model, x = linear
    w, b = model.decoder.weight.detach(), model.decoder.bias.detach()
    sigma = model.log_sigma.exp()
    covariance = 1.5**2 * w @ w.T + sigma**2 * torch.eye(784, dtype=torch.float64)
    expected = MultivariateNormal(w @ torch.full((3,), 0.3).double() + b, covariance).log_prob(x.flatten(1))
    assert_close(ppca.log_likelihood(model, x), expected, rtol=1e-10, atol=1e-8)


def test_one_draw_from_the_exact_posterior_gives_the_exact_likelihood(linear):
    model, x = linear
    estimate = log_likelihood(model, x, 1, seeded(2), proposal=ppca.posterior)
    assert_close(estimate, ppca.log_likelihood(model, x), rtol=0, atol=1e-8)


def test_the_encoders_estimate_comes_to_it_from_below(linear):
    model, x = linear
    with torch.no_grad():  # an encoder that is right but for its width and a shift
        exact = ppca.posterior(model, torch.cat([x, torch.zeros_like(x[:1])]))
        w, sigma = model.decoder.weight, model.log_sigma.exp()
        covariance = exact.scale[0] @ exact.scale[0].T
        model.encoder[1].weight[:3] = covariance @ w.T / sigma**2
        model.encoder[1].bias[:3] = exact.mean[-1] + 0.03
        model.encoder[1].weight[3:] = 0
        model.encoder[1].bias[3:] = covariance.diagonal().log() + 0.7
    means = []
    for samples in (1, 10, 100, 10_000):
        seeds = range(30 if samples < 1000 else 1)
        means.append(float(torch.stack([log_likelihood(model, x, samples, seeded(s)) for s in seeds]).mean()))
    truth = float(ppca.log_likelihood(model, x).mean())
    assert means[:3] == sorted(means[:3]) and means[0] < truth - 0.2
    assert means[-1] == pytest.approx(truth, abs=0.05)


def test_the_prior_with_many_draws_comes_to_it_too():
    config = VAEConfig(architecture="linear", latent_dim=1, likelihood="gaussian", sigma=2.0)
    model = VAE(config, seeded()).double()
    x = torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    estimate = log_likelihood(model, x, 5000, seeded(2), proposal=Proposal.prior)
    assert_close(estimate, ppca.log_likelihood(model, x), rtol=0, atol=0.1)


def test_the_maximum_of_the_likelihood_is_scikit_learns(digits):
    images = digits.train.double() / 255
    best = ppca.maximum_likelihood(images, 8)
    pca = PCA(8, svd_solver="full").fit(images.flatten(1).numpy())
    n = len(images)
    # scikit-learn divides the covariance by n − 1 and the noise by another number: the likelihoods differ by little.
    assert best.log_likelihood == pytest.approx(pca.score(images.flatten(1).numpy()), abs=1.0)
    assert best.sigma**2 == pytest.approx(pca.noise_variance_ * (n - 1) / n, rel=1e-6)


def test_the_maximum_is_the_likelihood_of_its_model(digits):
    images = digits.train[:, :].double() / 255
    best = ppca.maximum_likelihood(images, 8)
    model = model_of(best, 8)
    at_best = float(ppca.log_likelihood(model, images).mean())
    assert at_best == pytest.approx(best.log_likelihood, abs=1e-6)
    for change in (
        lambda m: m.decoder.weight.mul_(1.05),
        lambda m: m.log_sigma.add_(0.02),
        lambda m: m.decoder.bias.add_(0.01),
    ):
        other = model_of(best, 8)
        with torch.no_grad():
            change(other)
        assert float(ppca.log_likelihood(other, images).mean()) < at_best


def model_of(best, d):
    model = VAE(VAEConfig(architecture="linear", latent_dim=d, likelihood="gaussian", sigma=best.sigma)).double()
    with torch.no_grad():
        model.decoder.weight.copy_(best.weight)
        model.decoder.bias.copy_(best.bias)
        model.log_sigma.fill_(math.log(best.sigma))  # float32 had held it before
    return model


def test_training_reaches_the_maximum(digits):
    config = VAEConfig(architecture="linear", latent_dim=8, likelihood="gaussian", sigma=0.3, sigma_mode="learned")
    model = VAE(config, seeded())
    some = replace(digits, train=digits.train[::5], train_labels=digits.train_labels[::5])
    images = some.train.float() / 255
    for rate, steps in ((2e-2, 2500), (5e-3, 1000), (1e-3, 500), (2e-4, 300)):
        plan = plain(steps=steps, batch_size=len(images), learning_rate=rate, record_every=1000)
        for _ in train(model, some, plan):
            pass
    best = ppca.maximum_likelihood(images, 8)
    reached = float(ppca.log_likelihood(model, images).mean())
    assert best.log_likelihood - 0.5 < reached <= best.log_likelihood + 1e-3
    assert model.log_sigma.exp().item() == pytest.approx(best.sigma, rel=0.02)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="mlp with a bernoulli likelihood; PPCA is linear Gaussian"):
        ppca.log_likelihood(VAE(VAEConfig(latent_dim=2, hidden_dim=4)), torch.zeros(1, 1, 28, 28))
