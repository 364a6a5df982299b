"""The picture of the exact posterior holds it, and is fine enough, wherever and however narrow it is."""

import pytest
import torch
from torch.testing import assert_close

from vae_core import VAE, VAEConfig, load_checkpoint, load_dataset
from vae_core.data import binarized_for_evaluation
from vae_core.evaluation import ppca
from vae_core.evaluation.picture import posterior_picture
from vae_core.evaluation.posterior import log_joint

from ..conftest import ROOT, seeded


def moments(center, half, density):
    """The mean and the standard deviations of a density on a grid, and each point's share."""
    axes = [middle + half * torch.linspace(-1, 1, len(density)).double() for middle in center]
    share = density.double() / density.double().sum()
    means = torch.stack([(share.sum(1 - k) * axes[k]).sum() for k in range(2)])
    stds = torch.stack([(share.sum(1 - k) * (axes[k] - means[k]) ** 2).sum().sqrt() for k in range(2)])
    return means, stds


@pytest.mark.parametrize("sigma", [0.3, 0.03, 0.003])
def test_of_a_linear_model_its_moments_are_those_in_closed_form(sigma):
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=sigma)
    model = VAE(config, seeded()).double().requires_grad_(False)
    x = torch.rand(1, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    exact, q = ppca.posterior(model, x), model.posterior(x)
    mean, std = exact.mean[0], (exact.scale[0] @ exact.scale[0].T).diagonal().sqrt()
    picture = posterior_picture(model, x)
    assert_close(picture.mean, mean, rtol=0, atol=0.01 * float(std.min()))
    assert_close(picture.std, std, rtol=0.01, atol=0)
    drawn_mean, drawn_std = moments(picture.center, picture.half, picture.density)
    assert_close(drawn_mean, mean, rtol=0, atol=0.01 * float(std.min()))
    assert_close(drawn_std, std, rtol=0.01, atol=0)
    assert ((mean - picture.center).abs() + 3 * std).max() < picture.half
    if float(q.std.max()) < 5 * float(std.max()):  # there is room for both
        assert ((q.mu[0] - picture.center).abs() + 2.99 * q.std[0]).max() < picture.half


def test_a_posterior_that_is_a_narrow_ridge_across_the_axes_is_drawn_finely_enough():
    model = VAE(VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.3), seeded()).double()
    with torch.no_grad():
        weight = model.decoder.weight
        weight[:, 1] = weight[:, 0] + 0.3 * weight[:, 1]  # z_0 + z_1 is known far better than z_0 − z_1
    x = torch.rand(1, 1, 28, 28, generator=seeded(1), dtype=torch.float64)
    exact = ppca.posterior(model, x)
    std = (exact.scale[0] @ exact.scale[0].T).diagonal().sqrt()
    picture = posterior_picture(model, x)
    drawn = moments(picture.center, picture.half, picture.density)
    for mean, deviation in (drawn, (picture.mean, picture.std)):
        assert_close(mean, exact.mean[0].detach(), rtol=0, atol=0.01 * float(std.min()))
        assert_close(deviation, std.detach(), rtol=0.01, atol=0)


def test_it_holds_the_posteriors_of_test_images(mnist_dir):
    model = load_checkpoint(ROOT / "checkpoints" / "mnist-mlp-2d.safetensors")
    images = binarized_for_evaluation(load_dataset("mnist", mnist_dir).test[[5, 12, 15]], model.config.binarization)
    for x in images.split(1):
        picture = posterior_picture(model, x)
        drawn = moments(picture.center, picture.half, picture.density)
        # Far more points, farther out.
        side = torch.linspace(-1, 1, 401)
        fine = [middle + 1.1 * picture.half * side for middle in picture.center]
        with torch.inference_mode():
            log = log_joint(model, x, torch.cartesian_prod(*fine))[:, 0].double()
            density = (log - log.max()).exp().reshape(401, 401)
        mean, std = moments(picture.center, 1.1 * picture.half, density)
        inside = [(fine[k] - picture.center[k]).abs() <= picture.half for k in range(2)]
        assert float(density[inside[0]][:, inside[1]].sum() / density.sum()) > 0.997
        for found in (drawn, (picture.mean, picture.std)):
            assert_close(found[0].double(), mean, rtol=0, atol=0.01 * float(std.max()))
            assert_close(found[1].double(), std, rtol=0.01, atol=0)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="latent_dim is 3; the posterior's grid needs"):
        posterior_picture(VAE(VAEConfig(latent_dim=3, hidden_dim=4)), torch.zeros(1, 1, 28, 28))
