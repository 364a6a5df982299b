"""A step: its two ways to the gradient agree, a recorded one is the one that is taken as it comes, bfloat16 is near."""

import dataclasses
import gc
import itertools
import weakref

import pytest
import torch

import vae_core.training.step
from vae_core import VAE, TrainConfig, VAEConfig, train
from vae_core.evaluation.evaluate import Proposal, log_weights
from vae_core.training import loop
from vae_core.training.adam import Adam
from vae_core.training.loop import TrainState, batches
from vae_core.training.random import BLOCK, Batches
from vae_core.training.recording import MOST, Recordings
from vae_core.training.step import Pace, Step

from ..conftest import plain, seeded

CPU, ONE = torch.device("cpu"), Pace(1e-3, 1.0, 0.0)
MLP = VAEConfig(latent_dim=4, hidden_dim=32)
MODELS = [MLP, VAEConfig(architecture="conv", latent_dim=4, hidden_dim=32, likelihood="gaussian", sigma_mode="optimal")]
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def as_on_a_gpu(monkeypatch, block=8):
    """Trainings draw in blocks and record their steps, as they do on CUDA, with a stand-in for the graph.

    The stand-in does the work that it was recorded with again, which reads and writes the same memory. Gives the
    recordings that have been made: their keys and how often they were replayed.
    """
    made = []

    class Graph:
        def __init__(self, work):
            self.work, self.replays = work, 0
            made.append(self)

        def replay(self):
            self.replays += 1
            self.work()

    monkeypatch.setattr(Recordings, "_captured", lambda self, work: Graph(work))
    monkeypatch.setattr(Recordings, "refusal", "")
    monkeypatch.setattr(loop, "block_of", lambda device, batch_size: block)
    monkeypatch.setattr(vae_core.training.step, "is_recorded", lambda device: True)
    return made


def one_step(vae, batch, pace=ONE, **how):
    return Step(vae, Adam(vae), **how).take([batch], [pace])[0]


def trained(few, model, settings, device="cpu"):
    """Records of a training whose settings change: {step after which they hold: settings}."""
    config, vae = TrainConfig(epochs=4, batch_size=30, record_every=1, precision="float32"), VAE(model, seeded())
    state = TrainState.start(vae.to(device))
    training = batches(vae, few, config, device, state)
    records = [next(training)]
    for step in itertools.count(1):
        config, state.wants_record = dataclasses.replace(config, **settings.get(step, {})), True
        try:
            records.append(training.send(config))
        except StopIteration:
            return records, vae


# Changed between two records, which a GPU's training makes after every step here.
SETTINGS = {5: {"beta": 3.0, "learning_rate": 0.01}, 9: {"samples": 3}, 12: {"free_bits": 0.05}, 16: {"free_bits": 0.1}}


@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
def test_recorded_steps_are_those_taken_as_they_come(few, monkeypatch, model):
    with monkeypatch.context() as in_blocks:
        assert not as_on_a_gpu(in_blocks)
        in_blocks.setattr(Recordings, "refusal", "for this test")
        expected, plain = trained(few, model, SETTINGS)
    made = as_on_a_gpu(monkeypatch)
    found, recorded = trained(few, model, SETTINGS)
    for mine, other in zip(found, expected, strict=True):
        assert (mine.train, mine.kl_per_dim, mine.test) == (other.train, other.kl_per_dim, other.test)
    for one, other in zip(plain.parameters(), recorded.parameters(), strict=True):
        assert torch.equal(one, other)
    assert len(made) > 3 and sum(one.replays for one in made) > 4  # of 28 steps, each key's first as it comes


def test_a_block_of_steps_is_one_recording_made_the_second_time_it_comes(few, monkeypatch):
    made = as_on_a_gpu(monkeypatch)
    for _ in train(VAE(MLP, seeded()), few, TrainConfig(steps=70, batch_size=20, record_every=1000)):
        pass  # epochs of ten whole batches: blocks of eight and of two; the first step of all is taken alone
    assert [one.replays for one in made] == [6, 5]


def test_a_recording_that_fails_is_the_last_one_that_is_tried_and_the_training_goes_on(few, monkeypatch, caplog):
    with monkeypatch.context() as in_blocks:
        as_on_a_gpu(in_blocks)
        expected, plain = trained(few, MLP, {})
    as_on_a_gpu(monkeypatch)

    def impossible(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nmore of it")

    monkeypatch.setattr(Recordings, "_captured", impossible)
    found, recorded = trained(few, MLP, {})
    assert [record.train for record in found] == [record.train for record in expected]
    assert all(torch.equal(one, other) for one, other in zip(plain.parameters(), recorded.parameters(), strict=True))
    trained(few, MLP, {})
    assert caplog.text.count("one kernel at a time: operation not permitted") == 1
    assert Recordings.refusal == "operation not permitted when stream is capturing"


def test_a_recording_for_which_memory_runs_out_is_an_error(few, monkeypatch):
    as_on_a_gpu(monkeypatch)

    def full(self, work):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Recordings, "_captured", full)
    with pytest.raises(torch.OutOfMemoryError):
        trained(few, MLP, {})
    assert not Recordings.refusal


def test_a_training_that_ends_lets_go_of_its_recordings(few, monkeypatch):
    made = as_on_a_gpu(monkeypatch)
    model = VAEConfig(latent_dim=4, hidden_dim=32, likelihood="gaussian", sigma_mode="optimal")
    gc.disable()
    try:
        training = batches(VAE(model, seeded()), few, TrainConfig(epochs=50, batch_size=30))
        for _ in range(30):
            next(training)
        left = [weakref.ref(one) for one in made]
        assert left
        made.clear()
        training.close()
        assert not any(one() for one in left)  # at once, not when Python next looks for circles
    finally:
        gc.enable()


def test_both_ways_to_the_gradient_train_alike(few, monkeypatch):
    expected, by_hand = trained(few, MLP, SETTINGS)
    monkeypatch.setattr(vae_core.training.step, "has_closed_form", lambda model: False)
    found, by_autograd = trained(few, MLP, SETTINGS)
    for mine, other in zip(found, expected, strict=True):
        assert mine.train.elbo == pytest.approx(other.train.elbo, rel=1e-4)
    for one, other in zip(by_hand.parameters(), by_autograd.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3)


@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
def test_a_clipped_gradient_has_at_most_that_norm_and_its_direction(few, model):
    batch, gradients = Batches(few.train, model, 0).take(TrainConfig(batch_size=50), 0), {}
    for clip_norm in (0.0, 2.0, 1e6):
        vae = VAE(model, seeded())
        one_step(vae, batch, clip_norm=clip_norm)
        gradients[clip_norm] = torch.cat([parameter.grad.flatten() for parameter in vae.parameters()]).double()
    norm = gradients[0.0].norm()
    assert norm > 4 and torch.equal(gradients[1e6], gradients[0.0])
    torch.testing.assert_close(gradients[2.0], gradients[0.0] * (2 / norm), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_the_importance_weighted_gradient_is_that_of_its_definition(few, architecture):
    config = VAEConfig(architecture=architecture, latent_dim=3, hidden_dim=16, prior_mean=0.5, prior_std=1.5)
    batch = Batches(few.train, config, 0).take(TrainConfig(batch_size=50, samples=6), 0)
    vae, other = VAE(config, seeded()), VAE(config, seeded())
    one_step(vae, batch, objective="importance-weighted")
    weights = log_weights(other, batch.x, Proposal.posterior(other, batch.x), batch.eps)
    (weights.detach().softmax(0) * -weights).sum(0).mean().backward()  # Burda et al. (2015), eq. 13
    for mine, expected in zip(vae.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=["mlp", "conv"])
@pytest.mark.parametrize("samples", [1, 3])
def test_a_step_detached_at_z_has_the_gradient_without_the_way_through_z(few, monkeypatch, model, samples):
    batch = Batches(few.train, model, 0).take(TrainConfig(batch_size=50, samples=samples), 0)
    vae, recorded, other = (VAE(model, seeded()) for _ in range(3))
    one_step(vae, batch, gradient="detached")
    as_on_a_gpu(monkeypatch)  # where the step of few kernels, which does not know this gradient, stands back
    one_step(recorded, batch, gradient="detached")
    q = other.posterior(batch.x)
    z = (q.mu + q.std * batch.eps).detach()
    if model.fits_sigma:
        other.log_sigma.copy_((batch.x - other.decode(z).detach()).square().mean().sqrt().log())
    (q.kl(other.prior).sum(-1).mean() - other.log_px_z(batch.x, z).mean()).backward()
    for mine, too, expected in zip(vae.parameters(), recorded.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(too.grad, expected.grad, rtol=1e-3, atol=1e-4)


def test_a_training_detached_at_z_forgets_the_images_while_its_loss_falls(few):
    config, vae = plain(epochs=40, batch_size=50, learning_rate=3e-3, gradient="detached"), VAE(MLP, seeded())
    first, *_, last = train(vae, few, config)
    assert last.train.kl < 1e-3 and -last.train.elbo < -first.train.elbo - 100
    pictures = vae.x_hat(vae.posterior(few.train.float()[:20].div(255)).mu)
    assert float(pictures.detach().std(0).max()) < 0.02  # the same blur for every image


@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual"])
def test_bfloat16_is_near_and_is_not_float32(digits, architecture):
    model = VAEConfig(architecture=architecture, latent_dim=4, hidden_dim=128)
    batch, measured = Batches(digits.train, model, 0).take(TrainConfig(batch_size=64, samples=2), 0), {}
    for precision in ("float32", "bfloat16"):
        vae = VAE(model, seeded())
        measured[precision] = one_step(vae, batch, precision=precision)
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
    monkeypatch.setattr(Recordings, "refusal", "for this test")
    expected, plain = trained(few, model, SETTINGS, "cuda")
    for mine, other in zip(found, expected, strict=True):
        assert mine.train.elbo == pytest.approx(other.train.elbo, rel=1e-5)
    for one, other in zip(plain.parameters(), recorded.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual"])
@pytest.mark.parametrize(
    "how",
    [{}, {"objective": "importance-weighted"}, {"precision": "bfloat16"}, {"precision": "tf32"}, {"clip_norm": 1.0}],
    ids=["elbo", "importance-weighted", "bfloat16", "tf32", "clip"],
)
def test_on_a_gpu_steps_are_recorded(few, architecture, how):
    vae = VAE(VAEConfig(architecture=architecture, latent_dim=4, hidden_dim=32), seeded()).to("cuda")
    drawn = Batches(few.train.to("cuda"), vae.config, 0, BLOCK)
    step = Step(vae, Adam(vae), **how, block=BLOCK)
    for epoch in range(3):
        step.take([drawn.take(TrainConfig(batch_size=20, samples=3), 10 * epoch + n) for n in range(10)], [ONE] * 10)
    torch.cuda.synchronize()
    assert not Recordings.refusal and len(step._recordings._graphs) == 1


@pytest.mark.gpu
@on_gpu
def test_on_a_gpu_the_step_of_few_kernels_is_that_of_the_closed_form(few, monkeypatch):
    found = {}
    for knows in (True, False):
        monkeypatch.setattr(vae_core.training.step, "knows", lambda *_, knows=knows: knows)
        vae = VAE(MLP, seeded())
        config = plain(steps=100, batch_size=30, free_bits=0.1, precision="float32")
        *_, last = train(vae, few, config, "cuda")
        found[knows] = last.train.elbo, torch.cat([weight.detach().flatten() for weight in vae.parameters()])
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-3)
    torch.testing.assert_close(found[True][1], found[False][1], rtol=0, atol=5e-3)


def test_only_so_many_recordings_are_kept(few, monkeypatch):
    made, vae = as_on_a_gpu(monkeypatch), VAE(MLP, seeded())
    step, drawn = Step(vae, Adam(vae), block=8), Batches(few.train, MLP, 0, 8)
    for number in range(MOST * 8):
        step.take([drawn.take(TrainConfig(batch_size=20, samples=1 + number // 24), number)], [ONE])
        assert len(step._recordings._graphs) <= MOST
    assert len(made) > MOST
