"""A step: its two ways to the gradient agree, a recorded one is the one that is taken as it comes, bfloat16 is near."""

import dataclasses
import itertools

import pytest
import torch

import vae_core.step
from vae_core import VAE, TrainConfig, VAEConfig, train
from vae_core.adam import Adam
from vae_core.data import binarize
from vae_core.draws import Draw, Draws
from vae_core.evaluate import Proposal, log_weights
from vae_core.step import MOST_RECORDINGS, WARM_UP, Step
from vae_core.train import TrainState, batches

from .conftest import seeded

CPU = torch.device("cpu")
MLP = VAEConfig(latent_dim=4, hidden_dim=32)
MODELS = [MLP, VAEConfig(architecture="conv", latent_dim=4, hidden_dim=32, likelihood="gaussian", sigma_mode="optimal")]
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def record_without_a_gpu(monkeypatch):
    """Recording as CUDA does it: what is read is the first draw's own memory; (draws recorded, replays) so far."""
    made = []

    class Recording:
        def __init__(self, compute, draw):
            self.compute, self.draw, self.replays = compute, Draw(*(p if p is None else p.clone() for p in draw)), 0
            made.append(self)

        def replay(self, draw):
            self.replays += 1
            for mine, new in zip(self.draw, draw, strict=True):
                if mine is not None:
                    mine.copy_(new)
            return self.compute(self.draw).clone()

    monkeypatch.setattr(vae_core.step, "_Recording", Recording)
    plain = Step.__init__

    def recording(self, *args):
        plain(self, *args)
        self._records = True

    monkeypatch.setattr(Step, "__init__", recording)
    return made


def trained(few, model, settings, device="cpu"):
    """Records of a training whose settings change: {step after which they hold: settings}."""
    config, vae = TrainConfig(epochs=4, batch_size=30, record_every=1), VAE(model, seeded())
    training = batches(vae, few, config, device)
    records = [next(training)]
    for step in itertools.count(1):
        config = dataclasses.replace(config, **settings.get(step, {}))
        try:
            records.append(training.send(config))
        except StopIteration:
            return records, vae


SETTINGS = {5: {"beta": 3.0, "learning_rate": 0.01}, 9: {"samples": 3}, 12: {"free_bits": 0.05}, 16: {"free_bits": 0.1}}


@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
def test_recorded_steps_are_those_taken_as_they_come(few, monkeypatch, model):
    expected, plain = trained(few, model, SETTINGS)
    made = record_without_a_gpu(monkeypatch)
    found, recorded = trained(few, model, SETTINGS)
    for mine, other in zip(found, expected, strict=True):
        assert (mine.train, mine.kl_per_dim, mine.test) == (other.train, other.kl_per_dim, other.test)
    for one, other in zip(plain.parameters(), recorded.parameters(), strict=True):
        assert torch.equal(one, other)
    # 28 steps, four of them of 20 images; a recording for each shape of draw, and for free bits or none.
    assert [tuple(one.draw.eps.shape) for one in made] == [(1, 30, 4), (3, 30, 4), (3, 30, 4)]
    assert sum(one.replays for one in made) == 28 - WARM_UP - 4


def test_a_recording_that_fails_leaves_the_training_to_go_on(few, monkeypatch, caplog):
    expected, _ = trained(few, MLP, {})
    record_without_a_gpu(monkeypatch)

    def impossible(*args):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(vae_core.step, "_Recording", impossible)
    found, _ = trained(few, MLP, {})
    assert [record.train for record in found] == [record.train for record in expected]
    assert caplog.text.count("one launch at a time: operation not permitted") == 1


def test_a_recording_for_which_memory_runs_out_is_an_error(few, monkeypatch):
    record_without_a_gpu(monkeypatch)

    def full(*args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(vae_core.step, "_Recording", full)
    with pytest.raises(torch.OutOfMemoryError):
        trained(few, MLP, {})


def test_both_ways_to_the_gradient_train_alike(few, monkeypatch):
    expected, by_hand = trained(few, MLP, SETTINGS)
    monkeypatch.setattr(vae_core.step, "has_closed_form", lambda model: False)
    found, by_autograd = trained(few, MLP, SETTINGS)
    for mine, other in zip(found, expected, strict=True):
        assert mine.train.elbo == pytest.approx(other.train.elbo, rel=1e-4)
    for one, other in zip(by_hand.parameters(), by_autograd.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3)


@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
def test_a_clipped_gradient_has_at_most_that_norm_and_its_direction(few, model):
    draw, gradients = Draws(len(few.train), model, 0, CPU).take(TrainConfig(batch_size=50), 0), {}
    for clip_norm in (0.0, 2.0, 1e6):
        vae = VAE(model, seeded())
        Step(vae, few.train, Adam(vae), clip_norm=clip_norm).take(draw, 1e-3, 1.0, 0.0)
        gradients[clip_norm] = torch.cat([parameter.grad.flatten() for parameter in vae.parameters()]).double()
    norm = gradients[0.0].norm()
    assert norm > 4 and torch.equal(gradients[1e6], gradients[0.0])
    torch.testing.assert_close(gradients[2.0], gradients[0.0] * (2 / norm), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_the_importance_weighted_gradient_is_that_of_its_definition(few, architecture):
    config = VAEConfig(architecture=architecture, latent_dim=3, hidden_dim=16, prior_mean=0.5, prior_std=1.5)
    draw = Draws(len(few.train), config, 0, CPU).take(TrainConfig(batch_size=50, samples=6), 0)
    vae, other = VAE(config, seeded()), VAE(config, seeded())
    Step(vae, few.train, Adam(vae), objective="importance-weighted").take(draw, 1e-3, 1.0, 0.0)
    x = binarize(few.train[draw.rows], "dynamic", uniform=draw.uniform)
    weights = log_weights(other, x, Proposal.posterior(other, x), draw.eps)
    (weights.detach().softmax(0) * -weights).sum(0).mean().backward()  # Burda et al. (2015), eq. 13
    for mine, expected in zip(vae.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual"])
def test_bfloat16_is_near_and_is_not_float32(digits, architecture):
    model = VAEConfig(architecture=architecture, latent_dim=4, hidden_dim=128)
    images, config, measured = digits.train, TrainConfig(batch_size=64, samples=2), {}
    draw = Draws(len(images), model, 0, CPU).take(config, 0)
    for precision in ("float32", "bfloat16"):
        vae = VAE(model, seeded())
        measured[precision] = Step(vae, images, Adam(vae), precision).take(draw, 1e-3, 1.0, 0.0)
        assert measured[precision].dtype == torch.float32
        gradient = torch.cat([parameter.grad.flatten() for parameter in vae.parameters()])
        assert gradient.dtype == torch.float32
        measured[precision, "gradient"] = gradient
    off = (measured["bfloat16"][0] / measured["float32"][0] - 1).abs()
    assert 0 < off < 0.005
    one, other = measured["float32", "gradient"], measured["bfloat16", "gradient"]
    assert float(torch.cosine_similarity(one, other, 0)) > 0.999
    assert float((one - other).norm() / one.norm()) < 0.03


def test_bfloat16_does_not_harm_the_elbo(digits):
    last = {}
    for precision in ("float32", "bfloat16"):
        config = TrainConfig(epochs=15, batch_size=64, precision=precision)
        *_, last[precision] = train(VAE(VAEConfig(latent_dim=8, hidden_dim=128), seeded()), digits, config)
    assert last["bfloat16"].test.elbo == pytest.approx(last["float32"].test.elbo, rel=5e-3)


def test_adam_and_the_weights_of_convolutions_lie_alike_in_memory():
    model = VAE(VAEConfig(architecture="residual", latent_dim=4, hidden_dim=32), seeded())
    adam = TrainState.start(model).adam
    for parameter, mean, square in zip(model.parameters(), adam.means, adam.squares, strict=True):
        assert parameter.stride() == mean.stride() == square.stride()


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
def test_on_a_gpu_recorded_steps_are_those_taken_as_they_come(few, monkeypatch, model):
    found, recorded = trained(few, model, SETTINGS, "cuda")
    monkeypatch.setattr(vae_core.step, "WARM_UP", 1_000_000)
    expected, plain = trained(few, model, SETTINGS, "cuda")
    for mine, other in zip(found, expected, strict=True):
        assert mine.train.elbo == pytest.approx(other.train.elbo, rel=1e-3)
    for one, other in zip(plain.parameters(), recorded.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=5e-3)


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual"])
@pytest.mark.parametrize(
    "how",
    [{}, {"objective": "importance-weighted"}, {"precision": "bfloat16"}, {"clip_norm": 1.0}],
    ids=["elbo", "importance-weighted", "bfloat16", "clip"],
)
def test_on_a_gpu_steps_are_recorded(few, architecture, how):
    model = VAEConfig(architecture=architecture, latent_dim=4, hidden_dim=32)
    vae = VAE(model, seeded()).to("cuda")
    images = few.train.to("cuda")
    step, draws = Step(vae, images, Adam(vae), **how), Draws(len(images), model, 0, images.device)
    for number in range(10):
        step.take(draws.take(TrainConfig(batch_size=20, samples=3), number), 1e-3, 1.0, 0.0)
    assert step._records and len(step._recordings) == 1


def test_only_so_many_recordings_are_kept(few, monkeypatch):
    made, vae = record_without_a_gpu(monkeypatch), VAE(MLP, seeded())
    step, draws = Step(vae, few.train, Adam(vae)), Draws(len(few.train), MLP, 0, CPU)
    for number in range(WARM_UP + 20):
        step.take(draws.take(TrainConfig(batch_size=20, samples=1 + number % 7), number), 1e-3, 1.0, 0.0)
        assert len(step._recordings) <= MOST_RECORDINGS
    assert len(made) > MOST_RECORDINGS and sum(one.replays for one in made) == 20
