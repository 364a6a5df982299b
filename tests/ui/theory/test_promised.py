"""What the card on a training's promises asks of the server: the linear model's optimum, and q(z) beside the prior."""

import base64
import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from ui.backend import Backend
from ui.theory.promised import CELLS, LINEAR_MODEL, _density, _rotation, aggregate, optimum
from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.data import binarized_for_evaluation, spread
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import ppca
from vae_core.evaluation.information import information
from vae_core.runs.server import Runs

from ...conftest import ROOT, seeded


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    folder = tmp_path_factory.mktemp("promised")
    return Backend(folder, ROOT / "checkpoints", Runs(folder / "runs", torch.device("cpu")))


def decoded(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def test_the_linear_models_figures_are_those_of_ppca(backend):
    found = optimum(backend, {})
    model = load_checkpoint(ROOT / "checkpoints" / f"{LINEAR_MODEL}.safetensors")
    x = binarized_for_evaluation(backend.dataset("digits").train, model.config.binarization)
    covariance = torch.cov(x.flatten(1).double().T, correction=0)
    eigenvalues = torch.linalg.eigvalsh(covariance).flip(0)
    assert found["best_variances"] == pytest.approx(eigenvalues[:8].tolist(), rel=1e-6)
    assert found["learned"] == pytest.approx(ppca.log_likelihood(model, x).mean().item())
    assert found["learned"] < found["best"] < found["learned"] + 1
    with torch.inference_mode():
        q = model.posterior(x[:5])
        mine = torch.distributions.MultivariateNormal(q.mu.double(), torch.diag_embed(q.std.double().square()))
        exact = ppca.posterior(model, x[:5])
        theirs = torch.distributions.MultivariateNormal(exact.mean.double(), scale_tril=exact.scale.double())
    gaps = kl_divergence(mine, theirs)
    assert 0 < found["gap"] < 3 * gaps.max() and found["sigma"] == pytest.approx(model.sigma)
    weight = model.decoder.weight.double()
    whole = weight.square().sum().item() + 8 * model.sigma**2  # which no rotation of z changes
    assert math.fsum(found["variances"]) == pytest.approx(whole, rel=1e-5)
    assert min(found["cosines"]) > 0.98  # up to a rotation it has found the principal axes
    for name in ("directions", "best_directions"):
        pictures = decoded(found[name], 8, 784)
        assert ((pictures == 0) | (pictures == 255)).any(1).all()


def test_the_rotation_is_one_that_the_likelihood_does_not_notice():
    weight = torch.randn(784, 3, generator=seeded(1), dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=seeded(2), dtype=torch.float64))[0]
    found = _rotation(weight @ turn, weight)
    torch.testing.assert_close(found @ found.T, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(weight @ turn @ found, weight)


def test_the_aggregates_bounds_are_those_of_the_core_and_add_up(backend):
    found = aggregate(backend, {"model": LINEAR_MODEL})
    model = load_checkpoint(ROOT / "checkpoints" / f"{LINEAR_MODEL}.safetensors")
    test = backend.dataset("digits").test
    x = binarized_for_evaluation(test, model.config.binarization)
    assert found["images"] == len(x) == len(test)
    wanted = information(model, x[spread(len(x), 1000)], generator=seeded())
    assert found["information"] == pytest.approx([wanted.at_least, wanted.at_most])
    assert found["kl"] == pytest.approx(found["information"][0] + found["marginal"][1])
    assert found["kl"] == pytest.approx(found["information"][1] + found["marginal"][0])
    density = decoded(found["density"], CELLS, CELLS)
    assert density.max() == 255 and found["data"] == "digits"
    assert found["dims"] == sorted(found["dims"]) and len(found["dims"]) == 2


def test_the_density_is_that_of_the_mixture():
    mu = torch.tensor([[-1.0, 0.5], [2.0, 1.0], [0.0, -2.0]])
    std = torch.tensor([[0.6, 0.8], [0.9, 0.7], [0.8, 0.6]])
    config = VAEConfig(latent_dim=2, prior_mean=0.5, prior_std=2.0)
    density, half = _density(config, DiagonalGaussian(mu, 2 * std.log()))
    cell = 2 * half * 2.0 / CELLS
    axis = 0.5 + cell * (torch.arange(CELLS) - (CELLS - 1) / 2)
    wide = (std.square() + (cell / 3) ** 2).sqrt()
    mixture = MixtureSameFamily(Categorical(torch.ones(3)), Independent(Normal(mu, wide), 1))
    wanted = mixture.log_prob(torch.cartesian_prod(axis, axis)).exp().view(CELLS, CELLS)
    torch.testing.assert_close(density / (2 * math.pi), wanted)
    assert half == 3.5


def test_a_model_with_one_dimension_is_told_what_it_lacks(backend):
    class Line:
        model = VAE(VAEConfig(latent_dim=1, hidden_dim=8), seeded())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "load", lambda _: Line)
        with pytest.raises(ValueError, match="one latent dimension"):
            aggregate(backend, {"model": "a line"})
