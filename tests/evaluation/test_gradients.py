"""Two gradient estimators: the same mean, and a known one for a linear model; not the same scatter (T17)."""

import torch
from torch.distributions import Normal
from torch.testing import assert_close

from vae_core import VAE, VAEConfig
from vae_core.evaluation.gradients import gradient_estimates

from ..conftest import seeded


def linear(sigma):
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=sigma)
    model = VAE(config, seeded()).double()
    with torch.no_grad():
        model.encoder[1].bias[2:] = -1.0  # σ well away from 1, so that it is not taken for its inverse
    x = torch.rand(3, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    return model, x


def test_both_have_the_gradient_as_their_mean():
    # E log p(x|z) = −‖x − Wμ − b‖²/2σ² − Σ_j σ_j² ‖w_j‖²/2σ² + const has its gradient in closed form.
    model, x = linear(3.0)
    found = gradient_estimates(model, x, 10_000, generator=seeded(2))
    w, b = model.decoder.weight.detach(), model.decoder.bias.detach()
    with torch.no_grad():
        mu, logvar = model.encode(x)
    variance = model.log_sigma.exp() ** 2
    by_mu = (x.flatten(1) - mu @ w.T - b) @ w / variance
    by_logvar = -logvar.exp() * w.square().sum(0) / (2 * variance)
    exact = torch.cat([by_mu, by_logvar], 1)
    assert_close(found.pathwise.mean(0), exact, rtol=0, atol=5 * found.pathwise.std(0).max().item() / 10_000**0.5)
    error = 5 * found.score.std(0) / 10_000**0.5
    assert bool(((found.score.mean(0) - exact).abs() < error).all())


def test_each_estimate_is_its_definition_by_autograd():
    model, x = linear(3.0)
    found = gradient_estimates(model, x, 4, generator=seeded(2))
    eps = torch.randn((4, 3, 2), generator=seeded(2), dtype=torch.float64)
    with torch.no_grad():
        mu, logvar = (part.expand(4, 3, 2).clone() for part in model.encode(x))
    mu.requires_grad_(), logvar.requires_grad_()
    z = mu + (0.5 * logvar).exp() * eps
    pathwise = torch.autograd.grad(model.log_px_z(x, z).sum(), (mu, logvar))
    assert_close(found.pathwise, torch.cat(pathwise, -1), rtol=1e-10, atol=1e-10)
    z = z.detach()
    by_q = torch.autograd.grad(Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(), (mu, logvar))
    score = model.log_px_z(x, z).detach().unsqueeze(-1) * torch.cat(by_q, -1)
    assert_close(found.score, score, rtol=1e-10, atol=1e-10)


def test_the_score_function_scatters_more(small_model):
    x = torch.rand(5, 1, 28, 28, generator=seeded(1), dtype=torch.float64).round()
    assert gradient_estimates(small_model, x, 500, generator=seeded(2)).variance_ratio() > 100


def test_both_use_the_same_draws(small_model):
    x = torch.rand(2, 1, 28, 28, generator=seeded(1), dtype=torch.float64).round()
    one, two = (gradient_estimates(small_model, x, 7, generator=seeded(3)) for _ in range(2))
    assert one.pathwise.shape == one.score.shape == (7, 2, 6)
    assert torch.equal(one.pathwise, two.pathwise) and torch.equal(one.score, two.score)
