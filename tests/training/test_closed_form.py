"""The closed-form gradient is autograd's."""

import pytest
import torch

from vae_core import VAE, VAEConfig
from vae_core.objective import Objective, elbo
from vae_core.training.closed_form import ClosedForm, has_closed_form
from vae_core.training.loss_weights import LossWeights

from ..conftest import seeded

CASES = [
    VAEConfig(latent_dim=3, hidden_dim=16),
    VAEConfig(architecture="linear", latent_dim=3),
    VAEConfig(latent_dim=3, hidden_dim=16, hidden_layers=3),
    VAEConfig(latent_dim=3, hidden_dim=16, prior_mean=1.5, prior_std=0.6, binarization="grey"),
]


def assert_close(found: torch.Tensor, expected: torch.Tensor, what: str | None = None) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12, msg=what)


@pytest.mark.parametrize("config", CASES, ids=["mlp", "linear", "deep mlp", "another prior"])
@pytest.mark.parametrize(("samples", "beta", "free_bits"), [(1, 1.0, False), (4, 3.0, False), (2, 0.5, True)])
def test_terms_and_gradient_are_those_of_autograd(config, samples, beta, free_bits):
    model = VAE(config, seeded()).double()
    x, eps = torch.rand(7, 1, 28, 28, generator=seeded(1)).double(), torch.randn(samples, 7, 3, generator=seeded(2))
    expected = elbo(model, x, eps=eps.double())
    least = (
        float(expected.kl_per_dim.detach().mean(0).median()) * 1.01 if free_bits else 0.0
    )  # above it for some, not for all
    loss = Objective("elbo", beta, least).loss(expected, model.prior)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    weights = LossWeights(torch.tensor(LossWeights.values(7, beta, least), dtype=torch.float64))
    weights.has_free_bits = least > 0
    closed_form = ClosedForm(model)
    for _ in range(2):  # nothing is left over from the first time
        found = closed_form.differentiate(x, eps.double(), weights)
    for mine, other in zip((*found.q, *found[:2], found.z), (*expected.q, *expected[:2], expected.z), strict=True):
        assert_close(mine, other.detach())
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        assert_close(parameter.grad, gradient, name)


@pytest.mark.parametrize("config", CASES, ids=["mlp", "linear", "deep mlp", "another prior"])
@pytest.mark.parametrize(("samples", "beta"), [(1, 1.0), (5, 1.0), (3, 0.4)])
def test_the_gradient_of_the_importance_weighted_bound_is_that_of_autograd(config, samples, beta):
    model = VAE(config, seeded()).double()
    x, eps = torch.rand(7, 1, 28, 28, generator=seeded(1)).double(), torch.randn(samples, 7, 3, generator=seeded(2))
    expected = elbo(model, x, eps=eps.double())
    bound = expected.importance_weighted(model.prior, beta)
    loss = Objective("importance-weighted", beta).loss(expected, model.prior)
    assert_close(loss, -bound.mean())
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    weights = LossWeights(torch.tensor(LossWeights.values(7, beta, 0.0), dtype=torch.float64))
    found = ClosedForm(model, torch.float32, "importance-weighted").differentiate(x, eps.double(), weights)
    assert_close(found.importance_weighted(model.prior, beta), bound.detach())
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        assert_close(parameter.grad, gradient, name)


@pytest.mark.parametrize("config", CASES, ids=["mlp", "linear", "deep mlp", "another prior"])
@pytest.mark.parametrize("samples", [1, 4])
def test_detached_at_z_the_gradient_is_that_of_autograd_without_the_way_through_z(config, samples):
    model = VAE(config, seeded()).double()
    x, eps = torch.rand(7, 1, 28, 28, generator=seeded(1)).double(), torch.randn(samples, 7, 3, generator=seeded(2))
    q = model.posterior(x)
    z = (q.mu + (0.5 * q.logvar).exp() * eps.double()).detach()
    loss = 2.0 * q.kl(model.prior).sum(-1).mean() - model.log_px_z(x, z).mean()
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    weights = LossWeights(torch.tensor(LossWeights.values(7, 2.0, 0.0), dtype=torch.float64))
    found = ClosedForm(model, gradient="detached").differentiate(x, eps.double(), weights)
    assert_close(found.z, z)
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        assert_close(parameter.grad, gradient, name)
    defined = Objective("elbo", 2.0).loss(elbo(model, x, eps=eps.double(), gradient="detached"), model.prior)
    for one, other in zip(torch.autograd.grad(defined, list(model.parameters())), gradients, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("architecture", ["conv", "residual"])
def test_it_does_not_claim_what_it_does_not_know(architecture):
    assert has_closed_form(VAE(CASES[0]))
    assert not has_closed_form(VAE(VAEConfig(architecture=architecture)))
    for likelihood in ("gaussian", "continuous_bernoulli"):
        assert not has_closed_form(VAE(VAEConfig(likelihood=likelihood)))
