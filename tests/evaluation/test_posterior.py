"""Quadrature for two latent dimensions, against estimates that know nothing of a grid (T14, T20b)."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import posterior
from vae_core.evaluation.evaluate import Proposal, log_likelihood
from vae_core.evaluation.gap import gaps
from vae_core.evaluation.posterior import grid_truth, log_joint
from vae_core.evaluation.ppca import kl_to_posterior
from vae_core.evaluation.ppca import log_likelihood as exact_log_likelihood
from vae_core.evaluation.ppca import posterior as exact_posterior
from vae_core.objective import elbo

from ..conftest import seeded


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "continuous_bernoulli"])
def test_pairs_are_the_pairs(likelihood):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, likelihood=likelihood), seeded()).double()
    x = torch.rand(4, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    z = torch.randn(6, 2, generator=seeded(2), dtype=torch.float64)
    one_by_one = torch.stack([model.log_px_z(x, point.expand(4, 2)) for point in z])
    assert_close(model.log_px_pairs(x, z), one_by_one, rtol=1e-10, atol=1e-8)


def covering(model, x):
    """A proposal that covers all modes of each image's posterior: its mean, and its covariance widened."""
    axis = torch.linspace(-5, 5, 301)
    points = torch.cartesian_prod(axis, axis)
    with torch.inference_mode():
        weights = log_joint(model, x, points).softmax(0).T
    mean = weights @ points
    centred = points - mean.unsqueeze(1)
    covariance = torch.einsum("bm,bmi,bmj->bij", weights, centred, centred)
    return Proposal(mean, torch.linalg.cholesky(2 * covariance + 1e-5 * torch.eye(2)))


def test_three_ways_to_the_evidence_agree(plane):
    model, x = plane
    truth = grid_truth(model, x)
    assert_close(truth.q_mass, torch.ones(100), rtol=0, atol=1e-3)
    estimate = log_likelihood(model, x, 5000, seeded(1), proposal=covering)
    off = (estimate - truth.log_px).abs()
    assert float(off.mean()) < 0.05 and float(off.quantile(0.9)) < 0.05
    generator = seeded(2)
    with torch.inference_mode():
        bound = torch.stack([elbo(model, x, 50, generator=generator).elbo for _ in range(100)]).mean(0)
    off = (bound + truth.kl_q_posterior - truth.log_px).abs()
    assert float(off.median()) < 0.05 and float((bound + truth.kl_q_posterior - truth.log_px).mean().abs()) < 0.05


def test_the_encoders_estimate_stays_below_the_evidence(plane):
    model, x = plane
    truth = grid_truth(model, x).log_px
    over = log_likelihood(model, x, 5000, seeded(1)) - truth
    # By Markov's inequality an estimate is above by t with a chance below e^−t: of 100 none is far above. Where the
    # encoder is far off some are far below.
    assert float(over.max()) < 7 and float(over.mean()) < 0
    assert float(over.median().abs()) < 0.1


def test_the_grid_of_a_linear_model_is_its_closed_form():
    config = VAEConfig(
        architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.5, prior_mean=0.3, prior_std=1.5
    )
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.decoder.weight.mul_(0.3)
        model.encoder[1].bias[2:] = -1.0
    x = torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    truth = grid_truth(model, x, cells=401, reach=7)
    assert_close(truth.log_px, exact_log_likelihood(model, x), rtol=0, atol=1e-8)
    far = DiagonalGaussian(torch.full((5, 2), 4.0).double(), torch.full((5, 2), -3.0).double())
    wanted = kl_to_posterior(model, x, far)
    assert_close(grid_truth(model, x, far, cells=401, reach=7).kl_q_posterior, wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("sigma", [0.2, 0.05, 0.03])
def test_a_posterior_narrower_than_the_grids_spacing_is_resolved(sigma):
    model, x = narrow(sigma)
    with torch.no_grad():
        truth, exact, q = grid_truth(model, x), exact_posterior(model, x), Proposal.posterior(model, x)
    assert truth.holds.all()
    assert_close(truth.log_px, exact_log_likelihood(model, x).detach(), rtol=0, atol=5e-3)
    for n in range(5):
        its_q = MultivariateNormal(q.mean[n], scale_tril=q.scale[n].diag())
        wanted = kl_divergence(its_q, MultivariateNormal(exact.mean[n], scale_tril=exact.scale[n]))
        assert float(truth.kl_q_posterior[n]) == pytest.approx(float(wanted), rel=1e-6, abs=5e-3)


@pytest.mark.parametrize("parts", [2, 5, 8, 9, 11, 12.5, 14, 20])
def test_what_is_believed_of_a_narrow_density_is_right_wherever_it_lies(parts):
    axis = torch.linspace(-1, 1, 41, dtype=torch.float64)
    points, spacing = torch.cartesian_prod(axis, axis), 0.05
    second = torch.cartesian_prod(torch.arange(41) % 2 == 0, torch.arange(41) % 2 == 0).all(1)
    width, believed = spacing / parts, 0
    centers = [torch.zeros(2, dtype=torch.float64), torch.full((2,), spacing / 2, dtype=torch.float64)]
    for center in [*centers, *spacing * torch.rand(150, 2, generator=seeded(1), dtype=torch.float64)]:
        density = MultivariateNormal(center, width**2 * torch.eye(2, dtype=torch.float64)).log_prob

        def rule(z, area, density=density):  # log 1, where it is right
            return density(z).logsumexp(0, keepdim=True) + math.log(area)

        first = rule(points, spacing**2)
        off = (first - rule(points[second], 4 * spacing**2)).abs()[0]
        found, error = posterior._finer(rule, points, density(points), spacing**2, first, off)
        if float(error) < 1e-2:
            believed += 1
            assert abs(float(found[0])) < 1e-2
    assert believed > 100 or parts > 12


def test_a_posterior_that_no_grid_resolves_does_not_hold():
    assert not grid_truth(*narrow(1e-4)).holds.any()


def narrow(sigma):
    """A linear model, of which all is known, whose posteriors are about σ/15 wide, and five images; its q are 0.4."""
    model = VAE(VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=sigma), seeded()).double()
    with torch.no_grad():
        model.encoder[1].weight.mul_(0.01)
        model.encoder[1].bias.copy_(torch.tensor([0.3, -0.2, -1.8, -1.8]))
    return model, model.decode(torch.randn(5, 2, generator=seeded(1), dtype=torch.float64)).detach().clamp(0, 1)


def test_a_grid_holds_a_q_that_lies_far_from_the_prior():
    model, x = narrow(0.3)
    q = DiagonalGaussian(torch.full((5, 2), 12.0).double(), torch.zeros(5, 2).double())
    truth = grid_truth(model, x, q)
    assert_close(truth.q_mass, torch.ones(5).double(), rtol=0, atol=1e-6)
    assert_close(truth.log_px, exact_log_likelihood(model, x).detach(), rtol=0, atol=5e-3)


def test_a_posterior_that_reaches_beyond_the_grid_does_not_hold():
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.5)
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        model.encoder[1].bias.copy_(torch.tensor([0.0, 0.0, -6.0, -6.0]))  # q is narrow, and near the prior's mean
        model.decoder.weight.mul_(0.2)
        model.decoder.bias.fill_(0.5)
    x = model.decode(torch.tensor([[1.2, 0.0]]).double()).detach().clamp(0, 1)
    truth = grid_truth(model, x, reach=1.0)
    assert float(truth.edge) > 1e-3 and not truth.holds.any()
    assert grid_truth(model, x).holds.all()


def test_the_gap_is_the_kl_to_the_exact_posterior(plane):
    model, x = plane
    truth = grid_truth(model, x[:10])
    found = gaps(model, x[:10], 10, generator=seeded(3))
    assert found.exact.all()
    assert_close(found.total, truth.kl_q_posterior, rtol=0, atol=1e-3)
    assert_close(found.log_px, truth.log_px)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="latent_dim is 3; the posterior's grid needs"):
        grid_truth(VAE(VAEConfig(latent_dim=3, hidden_dim=4)), torch.zeros(1, 1, 28, 28))
