"""The recorded training of the card "motion": it adds up, and its script records the same again."""

import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from checkpoints import motion
from vae_core import load_dataset
from vae_core.densities import DiagonalGaussian, Prior, bernoulli_log_prob, reparameterize
from vae_core.storage.tensors import read_tensors
from vae_core.training.schedule import learning_rate_at

MOST = 1_000_000  # bytes


@pytest.fixture(scope="module")
def file():
    return read_tensors(motion.PATH)


@pytest.fixture(scope="module")
def kept(file):
    return file[1]


def test_it_is_small_and_holds_about_forty_of_a_few_hundred_steps(kept):
    assert motion.PATH.stat().st_size <= MOST
    steps = kept["step"].long().tolist()
    assert 35 <= len(steps) <= 45
    assert steps == motion.chosen(len(kept["loss"])) and steps[:5] == [1, 2, 3, 4, 5] and steps[-1] == len(kept["loss"])


def test_its_settings_are_those_of_the_script(file):
    described = json.loads(file[0]["settings"])
    model, training = motion.configs()
    assert described.pop("data") == motion.DATA
    for name, value in described.items():
        assert getattr(model, name, None) == value or getattr(training, name, None) == value
    layers = [(layer["in"], layer["out"]) for layer in json.loads(file[0]["layers"])]
    assert layers == [(784, 400), (400, 4), (2, 400), (400, 784)]


def test_the_loss_is_reconstruction_and_kl_at_every_step(kept):
    assert_close(kept["loss"], kept["kl_of_batch"] - kept["reconstruction"], atol=1e-3, rtol=0)
    assert kept["loss"][:10].mean() - kept["loss"][-50:].mean() > 30  # it learns
    _, training = motion.configs()
    total = len(kept["loss"])
    rates = [learning_rate_at(training, step, total) for step in (1, total // 2, total)]
    assert_close(kept["learning_rate"][[0, total // 2 - 1, total - 1]], torch.tensor(rates))


def test_each_tensor_follows_from_the_one_before(kept):
    mu, logvar = kept["mu"], kept["logvar"]
    assert_close(kept["z"], reparameterize(mu, logvar, kept["eps"]), atol=1e-5, rtol=0)
    x = torch.from_numpy(np.unpackbits(kept["x"][:, 0].numpy(), axis=1)).float()
    by_logits = bernoulli_log_prob(x, kept["logits"].float()).sum(1)
    assert_close(kept["log_px_z"], by_logits, atol=0.05, rtol=0)  # logits are kept as float16
    q = DiagonalGaussian(mu, logvar)
    assert_close(kept["kl"], q.kl(Prior(0.0, 1.0)).sum(1), atol=1e-5, rtol=1e-5)
    assert_close(kept["means"][:, 0], mu)


def test_the_gradients_are_those_of_the_reparameterized_draw_and_of_the_closed_kl(kept):
    of_error, of_kl = kept["gradient"].unbind(1)
    std = torch.exp(0.5 * kept["logvar"])
    assert_close(of_error[:, 1], of_error[:, 0] * kept["eps"], atol=1e-4, rtol=1e-4)  # ∂z/∂σ = ε
    assert_close(of_kl, torch.stack([kept["mu"], std - 1 / std], 1), atol=1e-3, rtol=1e-4)


def test_a_batch_costs_less_after_its_step(kept):
    before = kept["loss"][kept["step"].long() - 1]
    assert (kept["loss_after"] < before)[:-1].float().mean() > 0.9
    assert (kept["moved"] >= 0).all() and (kept["moved"][:20] > 1e-4).all()


@pytest.mark.mnist
def test_the_script_records_the_same_again(kept, mnist_dir):
    steps = 2
    dataset = load_dataset(motion.DATA, mnist_dir)
    again = motion.record(dataset, steps)
    assert again.keys() == kept.keys()
    for name, tensor in again.items():
        of_bytes = tensor.dtype == torch.uint8
        part = kept[name] if name == "test" else kept[name][:steps]
        assert_close(tensor.float(), part.float(), atol=1.0 if of_bytes and name != "x" else 2e-3, rtol=2e-3)
