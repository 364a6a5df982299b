"""The objective's formulas against torch.distributions and closed forms, in float64."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal, kl_divergence
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.densities import (
    DiagonalGaussian,
    Prior,
    bernoulli_log_prob,
    continuous_bernoulli_log_prob,
    gaussian_kl,
    gaussian_log_prob,
    optimal_sigma,
    reparameterize,
    sum_bernoulli_log_prob,
    sum_bernoulli_log_prob_and_mean,
)
from vae_core.evaluation.evaluate import Proposal, log_weights
from vae_core.objective import ELBO, Objective, elbo

from ..conftest import seeded

EXACT = {"rtol": 1e-10, "atol": 1e-10}


def normals(*shape: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Means and log-variances over a wide range."""
    g = seeded(seed)
    mu = 3 * torch.randn(shape, generator=g, dtype=torch.float64)
    return mu, 2 * torch.randn(shape, generator=g, dtype=torch.float64)


@pytest.mark.parametrize("prior", [(0.0, 1.0), (1.5, 0.3), (-2.0, 4.0)])
@pytest.mark.parametrize("shape", [(1,), (5, 20), (2, 3, 4)])
def test_gaussian_kl_is_that_of_torch(shape, prior):
    mu, logvar = normals(*shape)
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(*map(torch.tensor, prior)))
    assert_close(gaussian_kl(mu, logvar, *prior), expected.double(), rtol=1e-6, atol=1e-6)
    mean, std = (torch.tensor(value, dtype=torch.float64) for value in prior)
    assert_close(
        gaussian_kl(mu, logvar, *prior), kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(mean, std)), **EXACT
    )


def test_gaussian_kl_by_hand():
    # KL(N(1, 4) ‖ N(0, 1)) = ½ (4 + 1 − 1 − log 4)
    kl = gaussian_kl(torch.tensor([1.0]), torch.tensor([math.log(4.0)]))
    assert_close(kl, torch.tensor([0.5 * (4 - math.log(4.0))]))
    assert gaussian_kl(torch.zeros(3), torch.zeros(3)).tolist() == [0, 0, 0]


def test_gaussian_kl_is_never_below_0_nor_minus_0():
    logvar = torch.cat([1e-3 * torch.randn(10_000, generator=seeded()), torch.tensor([0.0, -0.0])])
    kl = gaussian_kl(torch.zeros_like(logvar), logvar)
    assert not kl.signbit().any()
    unclamped = 0.5 * (logvar.exp() - logvar - 1.0)
    assert float(unclamped.min()) < 0  # rounding alone goes below


@pytest.mark.parametrize("q", [(0.7, 0.5), (-2.0, 3.0), (1.0, 0.1)])
@pytest.mark.parametrize("p", [(0.0, 1.0), (-1.0, 2.0)])
def test_gaussian_kl_is_the_area_under_its_integrand_in_both_directions(q, p):
    (m_q, s_q), (m_p, s_p) = q, p
    q_of_p = quadrature(m_q, s_q, m_p, s_p)
    p_of_q = quadrature(m_p, s_p, m_q, s_q)
    assert closed_form(m_q, s_q, m_p, s_p) == pytest.approx(q_of_p, abs=1e-9)
    assert closed_form(m_p, s_p, m_q, s_q) == pytest.approx(p_of_q, abs=1e-9)
    assert abs(q_of_p - p_of_q) > 0.1  # KL is not symmetric (T3)


def closed_form(m_q, s_q, m_p, s_p):
    """KL(N(m_q, s_q²)‖N(m_p, s_p²)) by our formula."""
    mu, std = torch.tensor([[m_q], [s_q]], dtype=torch.float64)
    return gaussian_kl(mu, 2 * std.log(), m_p, s_p).item()


def quadrature(m_q, s_q, m_p, s_p):
    """The same by adaptive quadrature of q (log q − log p)."""
    q, p = norm(m_q, s_q), norm(m_p, s_p)
    integrand = lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z))  # noqa: E731
    return quad(integrand, m_q - 12 * s_q, m_q + 12 * s_q, points=[m_q], epsabs=1e-12, epsrel=1e-12, limit=200)[0]


def test_gaussian_log_prob_is_that_of_torch():
    mu, logvar = normals(4, 7)
    x = torch.randn(4, 7, generator=seeded(3), dtype=torch.float64)
    assert_close(gaussian_log_prob(x, mu, logvar), Normal(mu, (0.5 * logvar).exp()).log_prob(x), **EXACT)
    std = torch.tensor(0.1, dtype=torch.float64)
    assert_close(gaussian_log_prob(x, mu, 2 * math.log(0.1)), Normal(mu, std).log_prob(x), **EXACT)


def test_bernoulli_log_prob_is_that_of_torch():
    logits = torch.linspace(-60, 60, 1201, dtype=torch.float64)
    for x in (torch.zeros_like(logits), torch.ones_like(logits)):
        assert_close(bernoulli_log_prob(x, logits), Bernoulli(logits=logits).log_prob(x), **EXACT)
    grey = torch.full_like(logits, 0.3)
    expected = -torch.nn.functional.binary_cross_entropy_with_logits(logits, grey, reduction="none")
    assert_close(bernoulli_log_prob(grey, logits), expected, **EXACT)


@pytest.mark.parametrize("pixels", [784, 16, 15, 1, 100])
def test_the_sum_over_pixels_is_the_sum_over_pixels(pixels):
    logits = 12 * torch.randn(3, 4, pixels, generator=seeded(), dtype=torch.float64)
    for x in (torch.rand(4, pixels, generator=seeded(1), dtype=torch.float64), logits[0].sign().clamp(min=0)):
        assert_close(sum_bernoulli_log_prob(x, logits), bernoulli_log_prob(x, logits).sum(-1), **EXACT)


def test_the_sum_over_pixels_survives_sure_pixels():
    logits = torch.tensor([[200.0, -200.0, 90.0, -1e4, 1e4]])
    x = torch.tensor([[1.0, 0.0, 0.0, 0.0, 1.0]])
    assert sum_bernoulli_log_prob(x, logits).tolist() == [-90.0]
    found, mean = sum_bernoulli_log_prob_and_mean(x, logits)
    assert found.tolist() == [-90.0] and mean.tolist() == [[1.0, 0.0, 1.0, 0.0, 1.0]]


def test_the_sum_and_the_mean_from_one_sigmoid():
    logits = 12 * torch.randn(2, 4, 100, generator=seeded(), dtype=torch.float64)
    x = torch.rand(4, 100, generator=seeded(1), dtype=torch.float64)
    found, mean = sum_bernoulli_log_prob_and_mean(x, logits)
    assert_close(found, bernoulli_log_prob(x, logits).sum(-1), **EXACT)
    assert_close(mean, torch.distributions.Bernoulli(logits=logits).mean, **EXACT)


def test_the_gradient_of_the_sum_over_pixels():
    logits = torch.randn(2, 3, 40, generator=seeded(), dtype=torch.float64, requires_grad=True)
    x = torch.rand(3, 40, generator=seeded(1), dtype=torch.float64)
    assert torch.autograd.gradcheck(sum_bernoulli_log_prob, (x, logits))
    assert torch.autograd.gradgradcheck(sum_bernoulli_log_prob, (x, logits))
    (found,) = torch.autograd.grad(sum_bernoulli_log_prob(x, logits).sum(), logits)
    (expected,) = torch.autograd.grad(bernoulli_log_prob(x, logits).sum(), logits)
    assert_close(found, expected, **EXACT)


def test_the_optimal_sigma_is_the_likeliest():
    x, mean = torch.rand(2, 5, 50, generator=seeded(), dtype=torch.float64)
    best = optimal_sigma(x, mean)
    likelihood = {k: Normal(mean, k * best).log_prob(x).sum().item() for k in (0.99, 1.0, 1.01)}
    assert likelihood[1.0] > max(likelihood[0.99], likelihood[1.01])


def test_continuous_bernoulli_log_prob_is_that_of_torch():
    x = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
    logits = torch.tensor([-8.0, -2.0, -0.5, 0.5, 1.0, 5.0], dtype=torch.float64)
    assert_close(continuous_bernoulli_log_prob(x, logits), ContinuousBernoulli(logits=logits).log_prob(x), **EXACT)


@pytest.mark.parametrize("logit", [-30.0, -3.0, -0.0101, -0.0099, 0.0, 1e-5, 0.0099, 0.0101, 30.0])
def test_continuous_bernoulli_is_a_density(logit):
    # torch's own is off by 1e-6 around 0, where it uses a Taylor series of lower order: so the integral is the judge.
    x = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    density = continuous_bernoulli_log_prob(x, torch.tensor(logit, dtype=torch.float64)).exp()
    assert_close(torch.trapezoid(density, x), torch.tensor(1.0, dtype=torch.float64), rtol=1e-8, atol=1e-8)


def test_reparameterize_has_the_moments_of_q():
    mu, logvar = torch.tensor([2.0, -1.0]).double(), torch.tensor([0.0, -2.0]).double()
    eps = torch.randn(200_000, 2, generator=seeded(), dtype=torch.float64)
    z = reparameterize(mu, logvar, eps)
    assert z.shape == (200_000, 2)
    assert_close(z, mu + (0.5 * logvar).exp() * eps, **EXACT)
    assert_close(z.mean(0), mu, rtol=0, atol=0.01)
    assert_close(z.std(0), (0.5 * logvar).exp(), rtol=0, atol=0.01)


def test_reparameterize_draws_anew_and_is_seeded():
    mu, logvar = normals(4, 3)
    first, second = (reparameterize(mu, logvar, generator=seeded(5)) for _ in range(2))
    assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first, reparameterize(mu, logvar, generator=seeded(6)))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "continuous_bernoulli"])
@pytest.mark.parametrize("samples", [1, 7])
def test_elbo_is_reconstruction_minus_kl_of_torch_distributions(likelihood, samples):
    config = VAEConfig(latent_dim=4, hidden_dim=8, likelihood=likelihood, prior_mean=0.5, prior_std=2.0, sigma=0.3)
    model = VAE(config, seeded(1)).double()
    x = torch.rand(5, 1, 28, 28, generator=seeded(2), dtype=torch.float64)
    if likelihood == "bernoulli":
        x = x.round()
    terms = elbo(model, x, samples, generator=seeded(3))

    mu, logvar = model.encode(x)
    q = Normal(mu, (0.5 * logvar).exp())
    z = mu + q.stddev * torch.randn(samples, 5, 4, generator=seeded(3), dtype=torch.float64)
    params = model.decode(z)
    px_z = {
        "bernoulli": lambda: Bernoulli(logits=params),
        "gaussian": lambda: Normal(params, model.log_sigma.exp()),
        "continuous_bernoulli": lambda: ContinuousBernoulli(logits=params, lims=(0.4999, 0.5001)),
    }[likelihood]()
    prior = Normal(torch.tensor(0.5, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64))
    reconstruction = px_z.log_prob(x.expand_as(params)).sum((-1, -2, -3)).mean(0)
    kl = kl_divergence(q, prior)
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if likelihood == "continuous_bernoulli" else EXACT
    assert_close(terms.reconstruction, reconstruction, **tolerance)
    assert_close(terms.kl_per_dim, kl, **EXACT)
    assert_close(terms.kl, kl.sum(-1), **EXACT)
    assert_close(terms.elbo, reconstruction - kl.sum(-1), **tolerance)


@pytest.mark.parametrize("samples", [0, -1, 1.5, True])
def test_elbo_wants_a_whole_number_of_draws(small_model, samples):
    with pytest.raises(ValueError, match=r"samples is .*; it must be a whole number from 1"):
        elbo(small_model, torch.zeros(1, 1, 28, 28).double(), samples)


def test_gaussian_kl_refuses_a_prior_without_width():
    with pytest.raises(ValueError, match=r"prior_std is 0\.0"):
        gaussian_kl(torch.zeros(1), torch.zeros(1), 0.0, 0.0)


def test_free_bits_are_free_of_the_batch_not_of_the_image():
    kl = torch.tensor([[3.0, 0.2, 0.1], [0.0, 0.4, 0.3]], dtype=torch.float64)  # means 1.5, 0.3, 0.2
    nothing = torch.zeros(1, 2, dtype=torch.float64)
    terms = ELBO(nothing, kl, DiagonalGaussian(kl, kl), kl.unsqueeze(0), None)
    assert_close(Objective(free_bits=0.5).counted_kl(terms), torch.tensor(1.5 + 0.5 + 0.5).double(), **EXACT)
    assert_close(Objective().counted_kl(terms), torch.tensor(2.0).double(), **EXACT)
    loss = Objective(beta=3.0, free_bits=0.5).loss(terms, Prior(0.0, 1.0))
    assert_close(loss, torch.tensor(7.5).double(), **EXACT)


def test_the_importance_weighted_bound_is_that_of_the_weights(small_model):
    x, eps = torch.rand(4, 1, 28, 28, generator=seeded()).double(), torch.randn(7, 4, 3, generator=seeded(1)).double()
    bound = elbo(small_model, x, eps=eps).importance_weighted(small_model.prior)
    q = Proposal.posterior(small_model, x)
    assert_close(bound, log_weights(small_model, x, q, eps).logsumexp(0) - math.log(7), rtol=1e-12, atol=1e-10)
    one = elbo(small_model, x, eps=eps[:1])
    z, normal = one.z[0], torch.distributions.Normal
    log_ratio = normal(0.0, 1.0).log_prob(z) - normal(one.q.mu, (one.q.logvar / 2).exp()).log_prob(z)
    assert_close(
        one.importance_weighted(small_model.prior, 0.3),
        one.reconstruction + 0.3 * log_ratio.sum(-1),
        rtol=1e-12,
        atol=1e-10,
    )
