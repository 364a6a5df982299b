"""A training that diverges names what is at fault, from what is known of it."""

import pytest
import torch

from vae_core import VAE, VAEConfig
from vae_core.training.divergence import DivergedError
from vae_core.training.loop import train

from ..conftest import plain, seeded


def message(model, few, **settings):
    with pytest.raises(DivergedError) as caught:
        for _ in train(model, few, plain(batch_size=50, epochs=100, **settings)):
            pass
    return str(caught.value)


@pytest.mark.parametrize("architecture", ["mlp", "linear", "conv"])  # by hand, and by autograd
def test_a_sigma_whose_square_overflows_is_named(few, architecture):
    config = VAEConfig(architecture=architecture, latent_dim=2, hidden_dim=4, likelihood="gaussian", sigma=1e-20)
    said = message(VAE(config, seeded()), few)
    assert "at step 1; σ is 1e-20, and grey values are 0.004 apart: choose a larger σ." in said


def test_a_prior_whose_variance_vanishes_is_named(few):
    config = VAEConfig(latent_dim=2, hidden_dim=4, prior_std=1e-20)
    said = message(VAE(config, seeded()), few)
    assert (
        said == "The KL became infinite or NaN at step 1; the prior's standard deviation is 1e-20: choose a larger one."
    )


def test_weights_that_are_at_fault_from_the_start_are_named(few):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=4), seeded())
    with torch.no_grad():
        model.encoder[-1].bias[2:] = 200.0  # σ² = e²⁰⁰ is beyond float32
    assert "at step 1; the weights that it starts from are at fault" in message(model, few)


def test_else_it_is_the_learning_rate(few):
    config = VAEConfig(latent_dim=3, likelihood="gaussian", sigma=0.1)
    said = message(VAE(config, seeded()), few, learning_rate=1.0)
    assert said.endswith("; try a smaller learning rate.") and "at step 1;" not in said
