"""Schedules, against torch's own."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

from vae_core import VAE, VAEConfig, train
from vae_core.training.schedule import beta_at, learning_rate_at

from ..conftest import plain, seeded


def of_torch(make, steps, rate=0.01):
    """The learning rates that a scheduler of torch's gives for so many steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_beta_rises_over_its_warm_up():
    config = plain(beta=4.0, warmup_steps=8)
    assert [beta_at(config, step) for step in (1, 4, 8, 100)] == [0.5, 2.0, 4.0, 4.0]
    assert beta_at(plain(beta=4.0), 1) == 4.0


def test_a_constant_learning_rate_stays():
    assert {learning_rate_at(plain(learning_rate=0.01), step, 9) for step in range(1, 10)} == {0.01}


def test_a_cosine_is_that_of_torch():
    config = plain(learning_rate=0.01, schedule="cosine")
    expected = of_torch(lambda optimizer: CosineAnnealingLR(optimizer, T_max=20), 20)
    assert [learning_rate_at(config, step, 20) for step in range(1, 21)] == pytest.approx(expected, rel=1e-9)


def test_a_warm_up_and_then_a_cosine_are_those_of_torch():
    config = plain(learning_rate=0.01, schedule="cosine", learning_rate_warmup=5)
    rising = of_torch(lambda optimizer: LinearLR(optimizer, start_factor=1 / 5, total_iters=4), 5)
    falling = of_torch(lambda optimizer: CosineAnnealingLR(optimizer, T_max=50), 50)
    found = [learning_rate_at(config, step, 55) for step in range(1, 56)]
    assert found == pytest.approx(rising + falling, rel=1e-9)
    assert found[4] == found[5] == 0.01 and 0 < found[-1] < 0.0001


def test_a_warm_up_takes_at_most_a_tenth_of_the_training():
    config = plain(learning_rate=0.01, learning_rate_warmup=100)
    assert [learning_rate_at(config, step, 50) for step in (1, 4, 5, 6, 50)] == [0.002, 0.008, 0.01, 0.01, 0.01]
    assert learning_rate_at(config, 1, 9) == 0.01


def test_records_have_the_rate_that_each_step_was_taken_with(few):
    config = plain(epochs=3, batch_size=50, record_every=1, schedule="cosine", learning_rate_warmup=3)
    records = list(train(VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded()), few, config))
    assert [record.learning_rate for record in records] == [learning_rate_at(config, step, 12) for step in range(1, 13)]


def test_a_step_moves_by_the_rate_of_its_moment(few):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded())
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    next(train(model, few, plain(steps=100, batch_size=50, learning_rate=0.01, learning_rate_warmup=10)))
    moved = max(float((weight.detach() - before[name]).abs().max()) for name, weight in model.named_parameters())
    assert moved == pytest.approx(0.001, rel=1e-3)  # Adam's first step is the rate, whatever the gradient
