"""What is known exactly, against closed forms (T14, T20)."""

import torch
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.evaluation import ppca, truth
from vae_core.evaluation.posterior import grid_truth

from ..conftest import seeded


def test_a_posterior_beyond_the_first_grid_is_integrated_on_a_wider_one(monkeypatch):
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.5)
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.encoder[1].weight.zero_()
        model.encoder[1].bias.copy_(torch.tensor([0.0, 0.0, -6.0, -6.0]))  # q is narrow, and near the prior's mean
        model.decoder.weight.mul_(0.2)
        model.decoder.bias.fill_(0.5)
        x = model.decode(torch.tensor([[0.0, 0.0], [7.5, 0.0]]).double()).clamp(0, 1)
        q = model.posterior(x)
        assert grid_truth(model, x, q).holds.tolist() == [True, False]
        exact, gap = ppca.log_likelihood(model, x), ppca.kl_to_posterior(model, x, q)
        monkeypatch.setattr(ppca, "is_ppca", lambda config: False)
        found = truth.exact_terms(model, x, q)
    assert_close(found.log_px, exact, rtol=0, atol=5e-3)
    assert_close(found.elbo, exact - gap, rtol=0, atol=1e-2)
