"""The likelihoods against torch.distributions: densities, sums, pairs, means and samples."""

import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import ContinuousBernoulli as TorchContinuousBernoulli
from torch.distributions import Normal
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.config import LIKELIHOODS
from vae_core.likelihood import Bernoulli, ContinuousBernoulli, Gaussian

from ..conftest import seeded

LOG_SIGMA = torch.tensor(-1.2, dtype=torch.float64)
KINDS = {
    "bernoulli": (Bernoulli(), lambda params: TorchBernoulli(logits=params)),
    "continuous_bernoulli": (ContinuousBernoulli(), lambda params: TorchContinuousBernoulli(logits=params)),
    "gaussian": (Gaussian(LOG_SIGMA), lambda params: Normal(params, LOG_SIGMA.exp())),
}


def data(kind, images=3, points=4):
    x = torch.rand(images, 17, generator=seeded(), dtype=torch.float64)
    params = 3 * torch.randn(points, 17, generator=seeded(1), dtype=torch.float64)
    return (x.round() if kind == "bernoulli" else x), params


def test_every_likelihood_that_can_be_chosen_is_here():
    assert set(KINDS) == set(LIKELIHOODS)
    for name, (mine, _) in KINDS.items():
        assert type(VAE(VAEConfig(likelihood=name, latent_dim=2, hidden_dim=8)).likelihood) is type(mine)


@pytest.mark.parametrize("kind", KINDS)
def test_densities_sums_and_pairs_are_those_of_torch(kind):
    (mine, theirs), (x, params) = KINDS[kind], data(kind)
    each = params.unsqueeze(1).expand(-1, len(x), -1)
    expected = theirs(each).log_prob(x)  # (4, 3, 17)
    assert_close(mine.log_prob(x, each), expected, rtol=1e-8, atol=1e-8)
    assert_close(mine.total(x, each), expected.sum(-1), rtol=1e-8, atol=1e-7)
    assert_close(mine.pairs(x, params), expected.sum(-1), rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_means_and_samples_are_those_of_torch(kind):
    mine, theirs = KINDS[kind]
    params = torch.tensor([-200.0, -30.0, -4.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 4.0, 30.0, 200.0], dtype=torch.float64)
    expected = theirs(params)
    within = params.abs() < 50  # torch's own mean is off where the logits are large
    assert_close(mine.mean(params)[within], expected.mean[within], rtol=1e-5, atol=1e-5)
    drawn = mine.sample(params.expand(40_000, -1), seeded())
    error = expected.variance.sqrt() / 200
    assert bool(((drawn.mean(0) - mine.mean(params)).abs()[within] < 4 * error[within] + 1e-6).all())
    assert_close(drawn.var(0)[within], expected.variance[within], rtol=0.1, atol=1e-6)
    if kind != "gaussian":
        assert drawn.min() >= 0 and drawn.max() <= 1
