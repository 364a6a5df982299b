"""The moving average of the weights: by its definition, in what is evaluated and saved, and after a pause."""

import pytest
import torch
from torch.testing import assert_close

from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint, train
from vae_core.data import binarized_for_evaluation
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import train_into
from vae_core.training.average import Average
from vae_core.training.loop import TrainState, batches

from ..conftest import seeded

MODEL = VAEConfig(latent_dim=3, hidden_dim=16)
CONFIG = TrainConfig(epochs=5, batch_size=50, record_every=4, average=0.9)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_it_is_the_sum_that_its_definition_gives(few, decay):
    state = TrainState.start(model := VAE(MODEL, seeded()))
    theta = [parameter.detach().double().clone() for parameter in model.parameters()]
    config = TrainConfig(epochs=3, batch_size=10, average=decay)  # twenty steps an epoch
    last = 0
    for _ in batches(model, few, config, state=state):
        if state.step <= 16 or state.step in (20, 36, 40, 56, 60):  # sixteen steps of an epoch, and its end
            d = min(decay, (1 + state.step) / (10 + state.step)) ** (state.step - last) if state.step > 16 else 0.0
            pairs, last = zip(theta, model.parameters(), strict=True), state.step
            theta = [d * mean + (1 - d) * weight.detach().double() for mean, weight in pairs]
    for mine, mean in zip(state.average.model.parameters(), theta, strict=True):
        assert_close(mine.double(), mean, rtol=1e-5, atol=1e-7)
    assert any(not torch.equal(mine, weight) for mine, weight in zip(theta, model.parameters(), strict=True))


def test_a_constant_stays_itself():
    model = VAE(MODEL, seeded())
    average = Average(model)
    for step in range(1, 200):
        average.update(0.95, step, 50)
    for mine, weight in zip(average.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(mine, weight)


def test_it_is_what_is_evaluated_and_the_weights_learn_as_without_it(few):
    state = TrainState.start(model := VAE(MODEL, seeded()))
    *_, record = train(model, few, CONFIG, state=state)
    x = binarized_for_evaluation(few.test, "dynamic")
    assert record.test.elbo == evaluate_elbo(state.average.model, x).elbo != evaluate_elbo(model, x).elbo
    plain = VAE(MODEL, seeded())
    list(train(plain, few, TrainConfig(epochs=5, batch_size=50, record_every=4)))
    for mine, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_sigma_that_is_no_parameter_is_taken_as_it_is(few):
    model = VAE(VAEConfig(latent_dim=3, hidden_dim=16, likelihood="gaussian", sigma_mode="optimal"), seeded())
    state = TrainState.start(model)
    list(train(model, few, CONFIG, state=state))
    assert torch.equal(state.average.model.log_sigma, model.log_sigma) and float(model.log_sigma.exp()) != 0.1


def test_it_is_what_is_saved_and_goes_on_exactly(tmp_path, few):
    ends = {}
    for name, stops in {"whole": [], "parted": [7, 13]}.items():
        folder = RunFolder(tmp_path / name)
        folder.create()
        folder.write_config(RunConfig(MODEL, CONFIG, "digits", train_images=200))
        for stop in [*stops, None]:
            model = VAE(MODEL, seeded(folder.saved_step()))
            state = folder.resume(model, torch.device("cpu"))
            for metrics in train_into(folder, model, few, CONFIG, torch.device("cpu"), state):
                if stop and metrics.step >= stop:
                    break
            folder.save_state(model, state)
        ends[name] = load_checkpoint(folder.model_file).state_dict()
        for key, weight in state.average.model.state_dict().items():
            assert torch.equal(ends[name][key], weight)
        assert any(not torch.equal(ends[name][key], weight) for key, weight in model.state_dict().items())
    for key, weight in ends["whole"].items():
        assert torch.equal(weight, ends["parted"][key]), key
