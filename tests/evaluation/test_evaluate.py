"""Held-out measures against their definitions and a case whose log p(x) is known."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, Normal
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from vae_core import VAE, VAEConfig
from vae_core.evaluation import evaluate
from vae_core.evaluation.evaluate import Proposal, draws_at_once, evaluate_elbo, log_likelihood, standard_error
from vae_core.objective import elbo

from ..conftest import seeded


@pytest.fixture
def x() -> torch.Tensor:
    """40 binary images, in float64."""
    return torch.rand(40, 1, 28, 28, generator=seeded(2), dtype=torch.float64).round()


def test_the_held_out_elbo_is_the_mean_of_the_images_elbos(small_model, x):
    held = evaluate_elbo(small_model, x, seed=3)
    terms = elbo(small_model, x, generator=seeded(3))
    assert held.elbo == pytest.approx(terms.elbo.mean().item(), abs=1e-9)
    assert held.reconstruction - held.kl == pytest.approx(held.elbo, abs=1e-9)
    assert held.kl_per_dim == pytest.approx(terms.kl_per_dim.mean(0).tolist(), abs=1e-9)
    assert held.elbo_error == pytest.approx(terms.elbo.std().item() / math.sqrt(40), abs=1e-9)


def test_active_units_are_those_whose_mean_varies(x):
    model = VAE(VAEConfig(latent_dim=4, hidden_dim=8), seeded()).double()
    with torch.no_grad():
        last = model.encoder[-1]
        last.weight.zero_()
        last.weight[0] = 1.0  # of μ's four rows only the first looks at x
        means, _ = model.encode(x)
    assert float(means[:, 0].var()) > 0.01
    assert evaluate_elbo(model, x).active_units == 1


def test_importance_weights_are_those_of_torch_distributions(small_model, x):
    mu, logvar = small_model.encode(x)
    q, prior = Normal(mu, (0.5 * logvar).exp()), Normal(torch.zeros(3).double(), torch.ones(3).double())
    g = seeded(4)
    eps = torch.stack([torch.randn(40, 3, generator=g, dtype=torch.float64) for _ in range(6)])
    z = mu + q.stddev * eps
    log_px_z = Bernoulli(logits=small_model.decode(z)).log_prob(x).sum((-1, -2, -3))
    weights = log_px_z + prior.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)
    expected = weights.logsumexp(0) - math.log(6)
    assert_close(log_likelihood(small_model, x, 6, seeded(4)), expected, rtol=1e-10, atol=1e-10)


def test_the_linear_gaussian_model_has_the_known_likelihood():
    # z ~ N(m, s²I), x|z ~ N(Wz + b, σ²I), so x ~ N(Wm + b, s²WWᵀ + σ²I).
    config = VAEConfig(
        architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.5, prior_mean=0.3, prior_std=1.5
    )
    model = VAE(config, seeded()).double()
    w, b = model.decoder.weight.detach(), model.decoder.bias.detach()
    x = torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    covariance = 1.5**2 * w @ w.T + 0.25 * torch.eye(784, dtype=torch.float64)
    expected = MultivariateNormal(w @ torch.full((2,), 0.3).double() + b, covariance).log_prob(x.flatten(1))
    with torch.no_grad():  # the exact posterior as encoder: N(A(x − b) + c, S)
        precision = torch.eye(2).double() / 1.5**2 + w.T @ w / 0.25
        s = torch.linalg.inv(precision)
        model.encoder[1].weight[:2] = s @ w.T / 0.25
        model.encoder[1].bias[:2] = s @ (torch.full((2,), 0.3).double() / 1.5**2 - w.T @ b / 0.25)
        model.encoder[1].weight[2:] = 0
        model.encoder[1].bias[2:] = s.diagonal().log()
    # q's covariance is diagonal and the posterior's is nearly so: many draws close what is left.
    assert_close(log_likelihood(model, x, 20_000, seeded(2)), expected, rtol=0, atol=0.01)


def test_one_draw_averages_to_the_elbo_and_more_draws_give_more(small_model, x):
    mean = {
        k: float(torch.stack([log_likelihood(small_model, x, k, seeded(s)) for s in range(20)]).mean())
        for k in (1, 4, 64)
    }
    bound = float(torch.stack([elbo(small_model, x, 20, generator=seeded(50)).elbo.detach()]).mean())
    assert mean[1] == pytest.approx(bound, abs=0.5)
    assert mean[1] < mean[4] < mean[64]


def test_the_estimate_is_the_same_in_chunks_of_every_size_and_decodes_each_draw_once(small_model, x, monkeypatch):
    decode, estimates = small_model.decode, []
    for draws in (1, 2, 3, 7, 100):
        monkeypatch.setattr(evaluate, "MEMORY_BUDGET", 784 * 8 * 40 * draws)
        decoded, told = [], []
        monkeypatch.setattr(
            small_model, "decode", lambda z, to=decoded: (to.append(z.shape[:-1].numel()), decode(z))[1]
        )
        estimates.append(log_likelihood(small_model, x, 7, seeded(), progress=told.append))
        assert sum(decoded) == sum(told) == 40 * 7
        assert max(decoded) <= 40 * draws
    for estimate in estimates[1:]:
        assert_close(estimate, estimates[0], rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(
    ("architecture", "hidden_dim", "width"),
    [
        ("mlp", 400, 784),
        ("mlp", 1000, 1000),
        ("linear", 9, 784),
        ("conv", 16, 16 * 14 * 14),
        ("residual", 16, 16 * 784),
    ],
)
def test_chunks_are_as_large_as_the_decoders_largest_tensor_allows(architecture, hidden_dim, width):
    model = VAE(VAEConfig(architecture=architecture, hidden_dim=hidden_dim), seeded())
    assert model.decoder_width() == width
    assert draws_at_once(model, torch.zeros(100, 1, 28, 28)) == 16 * 2**20 // (100 * width * 4)
    assert draws_at_once(model, torch.zeros(100_000, 1, 28, 28)) == 1


def test_the_encoder_runs_once_an_image(small_model, monkeypatch):
    x, seen = torch.rand(250, 1, 28, 28, generator=seeded(), dtype=torch.float64), []
    encode = small_model.encode
    monkeypatch.setattr(small_model, "encode", lambda batch: (seen.append(len(batch)), encode(batch))[1])
    log_likelihood(small_model, x, 30, seeded())
    assert sum(seen) == 250


def test_one_draw_is_the_elbo_of_that_draw(small_model, x):
    proposal = Proposal.posterior(small_model, x)
    eps = torch.randn(40, 3, generator=seeded(9), dtype=torch.float64)
    z = proposal.draw(eps)
    q, prior = Normal(proposal.mean, proposal.scale), Normal(0.0, 1.0)
    elbo_of_draw = small_model.log_px_z(x, z) - (q.log_prob(z) - prior.log_prob(z)).sum(-1)
    assert_close(log_likelihood(small_model, x, 1, seeded(9)), elbo_of_draw, rtol=1e-12, atol=1e-10)


def test_simple_monte_carlo_from_the_prior(small_model, x):
    g = seeded(3)
    eps = torch.stack([torch.randn(40, 3, generator=g, dtype=torch.float64) for _ in range(9)])
    expected = small_model.log_px_z(x, eps).logsumexp(0) - math.log(9)
    assert_close(
        log_likelihood(small_model, x, 9, seeded(3), proposal=Proposal.prior), expected, rtol=1e-12, atol=1e-10
    )


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_images_outside_their_range_are_refused(small_model, x, bad):
    x[3, 0, 5, 5] = bad
    for measure in (log_likelihood, evaluate_elbo):
        with pytest.raises(ValueError, match=r"images have values from .* must be numbers in \[0, 1\]"):
            measure(small_model, x)


def test_bad_input_is_named(small_model, x):
    for samples in (0, -3, 2.5):
        with pytest.raises(ValueError, match="samples is"):
            log_likelihood(small_model, x, samples)
    with pytest.raises(ValueError, match=r"images have the shape \(0, 1, 28, 28\)"):
        log_likelihood(small_model, x[:0], 1)
    with pytest.raises(ValueError, match=r"images have the shape \(0, 1, 28, 28\)"):
        evaluate_elbo(small_model, x[:0])
    with pytest.raises(ValueError, match=r"images have the shape \(40, 1, 14, 14\); it must be \(B, 1, 28, 28\)"):
        log_likelihood(small_model, x[..., ::2, ::2], 1)


def test_the_standard_error_of_one_image_is_zero():
    assert standard_error(torch.tensor([3.0])) == 0
    assert standard_error(torch.tensor([1.0, 3.0])) == pytest.approx(1.0)


class _Waits(TorchDispatchMode):
    """Counts how often a number is read from a tensor by itself: on a GPU each one waits for it."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function in (torch.ops.aten.item.default, torch.ops.aten._local_scalar_dense.default)
        return function(*args, **(kwargs or {}))


def test_an_evaluation_reads_its_figures_all_at_once(few):
    with _Waits() as waits:
        evaluate_elbo(VAE(VAEConfig(latent_dim=3, hidden_dim=8), seeded()), few.test.float() / 255)
    assert waits.count == 0
