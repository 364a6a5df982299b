"""What a run keeps: the newest or the best model, its last evaluation, and one batch to look at."""

import dataclasses
import math

import pytest
import torch
from safetensors.torch import save

from vae_core import VAE, load_checkpoint
from vae_core.data import binarized_for_evaluation
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.runs.run import Steering
from vae_core.runs.summary import summarize
from vae_core.storage.checkpoint import read_header
from vae_core.storage.tensors import read_tensors
from vae_core.training.one_batch import OneBatch

from ..conftest import plain, seeded, taken_batches
from .test_run import CONFIG, CPU, GAUSSIAN, MODEL, assert_equal, assert_same_end, began, figures, go_on


def test_an_evaluation_that_is_infinite_leaves_a_model_that_loads(tmp_path, few, monkeypatch):
    def infinite(*args):
        return dataclasses.replace(evaluate_elbo(*args), elbo=-math.inf, reconstruction=-math.inf)

    monkeypatch.setattr("vae_core.training.loop.evaluate_elbo", infinite)
    folder = began(tmp_path / "run")
    go_on(folder, few)
    assert folder.records()[-1]["test"]["elbo"] == -math.inf
    assert load_checkpoint(folder.model_file).config == MODEL
    assert read_header(folder.model_file).about["test"] is None
    assert summarize("20260101-000000-0123456789abcdef", folder, folder.read_status()).elbo is None


def test_a_training_goes_on_where_a_header_cannot_hold_what_it_has_found(tmp_path, few, monkeypatch):
    def too_many(*args):
        return dataclasses.replace(evaluate_elbo(*args), active_units=MODEL.latent_dim + 1)

    monkeypatch.setattr("vae_core.training.loop.evaluate_elbo", too_many)
    named = dataclasses.replace(few, name="x" * 101)
    folder = began(tmp_path / "run")
    go_on(folder, named)
    about = read_header(folder.model_file).about
    assert folder.read_status()["state"] == "finished" and load_checkpoint(folder.model_file).config == MODEL
    assert about["step"] == 24 and about["data"] is None is about["active_units"]


@pytest.mark.parametrize("model", [MODEL, dataclasses.replace(GAUSSIAN, sigma_mode="optimal")])
@pytest.mark.parametrize("after", [0, 4, 5])
def test_one_batch_advances_one_step_and_shows_that_very_batch(tmp_path, few, monkeypatch, model, after):
    config = dataclasses.replace(CONFIG, beta=3.0, warmup_steps=10, samples=2, free_bits=0.01)
    folder, steering = began(tmp_path / "run", config, model), Steering()
    if after:
        go_on(folder, few, steering, {after - 1: steering.pause})
    before = VAE(model, seeded(), mean=few.mean_image())
    assert folder.resume(before, CPU).step == after
    seen = taken_batches(monkeypatch)
    _, (record,) = go_on(folder, few, Steering(one_batch=True))
    assert record.step == after + 1 == folder.saved_step() and folder.read_status()["state"] == "paused"

    batch = OneBatch.load(folder.path / "batch.safetensors")
    ((x, taken),) = seen
    assert batch.step == record.step and torch.equal(batch.x, x)
    assert torch.equal(batch.z, taken.z[0]) and taken.z.shape == (2, 50, 3)
    assert torch.equal(batch.mu, taken.q.mu) and torch.equal(batch.logvar, taken.q.logvar)
    torch.testing.assert_close(batch.reconstruction, taken.reconstruction.detach(), rtol=1e-6, atol=0)
    torch.testing.assert_close(batch.log_px_z, taken.log_px[0].detach(), rtol=1e-6, atol=0)
    assert batch.samples == 2 and torch.equal(batch.draws, taken.z[:, :8])
    torch.testing.assert_close(batch.log_px_draws, taken.log_px[:, :8].detach(), rtol=1e-6, atol=0)
    assert torch.equal(batch.kl, taken.kl)
    assert float(batch.reconstruction.mean()) == pytest.approx(record.train.reconstruction, rel=1e-6)
    assert float(batch.kl.mean()) == pytest.approx(record.train.kl, rel=1e-5)
    assert batch.beta == record.beta == pytest.approx(3.0 * (after + 1) / 10)
    loss = batch.beta * taken.kl_per_dim.mean(0).clamp(min=0.01).sum() - taken.reconstruction.mean()
    assert batch.loss == pytest.approx(float(loss.detach()), rel=1e-6)
    assert torch.equal(batch.x_hat, before.x_hat(batch.draws).detach()) and batch.x_hat.shape[:2] == (2, 8)
    torch.testing.assert_close(batch.kl_per_dim, taken.kl_per_dim.detach().mean(0))


def test_the_gradient_norm_of_a_batch_is_that_of_its_loss(tmp_path, few):
    folder = began(tmp_path / "run", dataclasses.replace(CONFIG, beta=3.0))
    go_on(folder, few, Steering(one_batch=True))
    batch, model = OneBatch.load(folder.path / "batch.safetensors"), VAE(MODEL, seeded(), mean=few.mean_image())
    mu, logvar = model.encode(batch.x)
    assert torch.equal(mu, batch.mu)
    eps = (batch.z - batch.mu) / torch.exp(0.5 * batch.logvar)
    z = mu + torch.exp(0.5 * logvar) * eps.detach()
    q, p = torch.distributions.Normal(mu, torch.exp(0.5 * logvar)), torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(q, p).sum(1)
    log_px = torch.distributions.Bernoulli(logits=model.decode(z)).log_prob(batch.x).sum((1, 2, 3))
    loss = (3.0 * kl - log_px).mean()
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = sum(float(gradient.double().square().sum()) for gradient in gradients) ** 0.5
    assert batch.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    assert batch.gradient_norm == pytest.approx(norm, rel=1e-4)


def test_a_batch_that_an_earlier_version_wrote_has_its_gradient_through_z(tmp_path, few):
    folder = began(tmp_path / "run", dataclasses.replace(CONFIG, gradient="detached"))
    go_on(folder, few, Steering(one_batch=True))
    path = folder.path / "batch.safetensors"
    batch = OneBatch.load(path)
    assert batch.gradient == "detached"
    metadata, tensors = read_tensors(path)
    del metadata["gradient"]
    path.write_bytes(save(tensors, metadata=metadata))
    earlier = OneBatch.load(path)
    assert earlier.gradient == "reparameterized" and torch.equal(earlier.z, batch.z) and earlier.loss == batch.loss


def test_looking_at_a_batch_changes_nothing(tmp_path, few):
    looked, plain, steering = began(tmp_path / "looked"), began(tmp_path / "plain"), Steering()
    go_on(looked, few, Steering(one_batch=True))
    steering.pause()
    go_on(plain, few, steering)
    assert_same_end(looked, plain)
    assert figures(looked.records()) == figures(plain.records())


def test_the_newest_weights_are_those_of_the_last_record_of_a_run(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    model, _ = go_on(folder, few, steering, {8: steering.pause})
    assert_equal(model, load_checkpoint(folder.model_file))
    about = read_header(folder.model_file).about
    evaluated = [record for record in folder.records() if record["test"]][-1]
    assert (about["step"], about["test_step"], about["test"]) == (9, 8, evaluated["test"])
    assert about["active_units"] == evaluated["active_units"] and about["data"] == "digits"


def test_a_resumed_run_still_knows_its_last_evaluation(tmp_path, few):
    folder, steering = began(tmp_path / "run"), Steering()
    go_on(folder, few, steering, {8: steering.pause})
    go_on(folder, few, Steering(one_batch=True))
    about = read_header(folder.model_file).about
    assert (about["step"], about["test_step"]) == (10, 8) and about["test"]["elbo"] < 0


@pytest.mark.parametrize("pauses", [[], [9, 40]], ids=["at once", "with pauses"])
def test_with_patience_the_best_model_is_what_is_kept(tmp_path, few, pauses):
    config = plain(epochs=60, batch_size=50, learning_rate=0.02, patience=3)
    folder = began(tmp_path / "run", config)
    for step in [*pauses, None]:
        steering = Steering()
        go_on(folder, few, steering, {step: steering.pause} if step else None)
    evaluated = [record for record in folder.records() if record["test"]]
    best = max(evaluated, key=lambda record: record["test"]["elbo"])
    assert best is evaluated[-4] and best["step"] < folder.saved_step() == evaluated[-1]["step"] < 240
    header, model = read_header(folder.model_file), load_checkpoint(folder.model_file)
    assert (header.about["step"], header.about["test_step"]) == (best["step"], best["step"])
    assert header.about["test"] == best["test"]
    summary = summarize("id", folder, folder.read_status())
    assert (summary.step, summary.test_step, summary.elbo) == (
        evaluated[-1]["step"], best["step"], best["test"]["elbo"],
    )  # fmt: skip
    assert summary.seconds == pytest.approx(folder.records()[-1]["seconds"])
    assert evaluate_elbo(model, binarized_for_evaluation(few.test, "dynamic")).elbo == best["test"]["elbo"]
    assert folder.read_status() == {
        "state": "finished",
        "message": f"Step {folder.saved_step()} of 240. For 3 epochs the held-out ELBO had not risen.",
    }
    more = folder.records()
    go_on(folder, few)  # it is over, and stays so
    assert folder.records() == more and folder.read_status()["state"] == "finished"


def test_before_the_first_evaluation_patience_keeps_the_newest(tmp_path, few):
    folder, steering = began(tmp_path / "run", plain(epochs=60, batch_size=50, patience=3)), Steering()
    go_on(folder, few, steering, {1: steering.pause})
    assert read_header(folder.model_file).about["step"] == 2
