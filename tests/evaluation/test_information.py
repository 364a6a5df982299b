"""The KL taken apart into information and the marginal's misfit."""

import math

import pytest
import torch

from vae_core import VAE, VAEConfig
from vae_core.densities import DiagonalGaussian, gaussian_kl
from vae_core.evaluation.information import information

from ..conftest import seeded


def constant_encoder(mean, logvar):
    """A model whose q(z|x) is the same for every x."""
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded()).double()
    with torch.no_grad():
        model.encoder[-1].weight.zero_()
        model.encoder[-1].bias.copy_(torch.tensor([mean, mean, logvar, logvar]))
    return model


X = torch.rand(300, 1, 28, 28, generator=seeded(5), dtype=torch.float64)


def test_a_blind_encoder_has_no_information():
    found = information(constant_encoder(0.7, -1.0), X, draws=3, generator=seeded())
    kl = 2 * gaussian_kl(torch.tensor(0.7).double(), torch.tensor(-1.0).double()).item()
    assert (found.at_least, found.at_most) == pytest.approx((0, 0), abs=1e-9)
    assert (found.marginal_at_least, found.marginal_at_most) == pytest.approx((kl, kl), abs=1e-9)


def test_an_encoder_that_tells_all_images_apart_is_known_between_log_n_and_the_kl():
    model = VAE(VAEConfig(latent_dim=8, hidden_dim=64), seeded()).double()
    with torch.no_grad():
        model.encoder[-1].bias[8:] = -20.0
        model.encoder[-1].weight[8:] = 0
    found = information(model, X, generator=seeded())
    kl = model.posterior(X).kl(model.prior).sum(1).mean().item()
    assert found.at_least == pytest.approx(math.log(300), abs=1e-6)
    assert found.at_most == pytest.approx(kl)
    assert found.marginal_at_least == pytest.approx(0, abs=1e-9)
    assert found.marginal_at_most == pytest.approx(kl - math.log(300))


def test_the_bounds_hold_the_information_of_a_channel_whose_capacity_is_known():
    # q(z|x) = N(x, s²) of x ~ N(0, 1): I(x; z) = ½ log(1 + 1/s²), and q(z) = N(0, 1 + s²).
    model, s = VAE(VAEConfig(latent_dim=2, hidden_dim=4), seeded()).double(), 0.2
    means = torch.randn(3000, 2, generator=seeded(1), dtype=torch.float64)
    logvar = torch.full_like(means, 2 * math.log(s))
    model.posterior = lambda x: DiagonalGaussian(means[: len(x)], logvar[: len(x)])
    found = information(model, torch.zeros(2000, 1, 28, 28).double(), draws=3, generator=seeded())
    truth = math.log(1 + 1 / s**2)
    marginal = 2 * gaussian_kl(torch.tensor(0.0), torch.tensor(math.log(1 + s**2))).item()
    assert found.at_least < truth + 0.05 and found.at_most > truth - 0.05  # the means are a sample, too
    assert found.at_most - found.at_least < 0.2
    assert found.marginal_at_least - 0.05 < marginal < found.marginal_at_most + 0.05


def test_the_parts_add_up_to_the_kl(plane):
    model, x = plane
    found = information(model, x, draws=20, generator=seeded())
    with torch.no_grad():
        kl = model.posterior(x).kl(model.prior).sum(1).mean().item()
    assert found.at_least + found.marginal_at_most == pytest.approx(kl)
    assert found.at_most + found.marginal_at_least == pytest.approx(kl)
    assert 0 < found.at_least < math.log(100) and found.at_least <= found.at_most <= kl + 1e-6


def test_one_image_has_no_information():
    with pytest.raises(ValueError, match="give at least 2"):
        information(constant_encoder(0.0, 0.0), X[:1])
