"""The KL taken apart into information and the marginal's misfit."""

import math

import pytest
import torch

from vae_core import VAE, VAEConfig
from vae_core.densities import gaussian_kl
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
    found = information(constant_encoder(0.7, -1.0), X, draws=50, generator=seeded())
    kl = 2 * gaussian_kl(torch.tensor(0.7).double(), torch.tensor(-1.0).double()).item()
    assert found.mutual_information == pytest.approx(0, abs=1e-9)
    assert found.marginal_kl == pytest.approx(kl, rel=0.03)


def test_an_encoder_that_tells_all_images_apart_has_log_n():
    model = VAE(VAEConfig(latent_dim=8, hidden_dim=64), seeded()).double()
    with torch.no_grad():
        model.encoder[-1].bias[8:] = -20.0
        model.encoder[-1].weight[8:] = 0
    found = information(model, X, generator=seeded())
    assert found.mutual_information == pytest.approx(math.log(300), abs=1e-6)


def test_the_parts_add_up_to_the_kl(plane):
    model, x = plane
    found = information(model, x, draws=200, generator=seeded())
    with torch.no_grad():
        kl = gaussian_kl(*model.encode(x)).sum(1).mean().item()
    assert found.mutual_information + found.marginal_kl == pytest.approx(kl, abs=0.03)
    assert 0 < found.mutual_information < math.log(100) and found.marginal_kl > 0
