"""What a step draws is a function of seed, step and device, and has the distribution that it should have."""

import pytest
import torch

from vae_core import TrainConfig, VAEConfig
from vae_core.data import binarize
from vae_core.draws import Draws

CPU = torch.device("cpu")
MODEL = VAEConfig(latent_dim=4)
CONFIG = TrainConfig(batch_size=30, samples=2)


def draws(seed: int = 0, model: VAEConfig = MODEL, images: int = 200) -> Draws:
    return Draws(images, model, seed, CPU)


def test_an_epoch_takes_every_image_once_and_each_epoch_in_another_order():
    mine = draws()
    orders = [torch.cat([mine.take(CONFIG, 7 * epoch + step).rows for step in range(7)]) for epoch in range(2)]
    assert all(order.sort().values.tolist() == list(range(200)) for order in orders)
    assert orders[0].tolist() != orders[1].tolist() != list(range(200))


def test_any_step_can_be_drawn_again():
    mine, later = draws(), draws()
    every = [mine.take(CONFIG, step) for step in range(20)]
    for step in (19, 3, 7, 8):
        for one, other in zip(every[step], later.take(CONFIG, step), strict=True):
            assert torch.equal(one, other)


def test_steps_and_seeds_draw_differently():
    first, second, other = draws().take(CONFIG, 0), draws().take(CONFIG, 1), draws(seed=1).take(CONFIG, 0)
    for one in (second, other):
        assert not torch.equal(first.rows, one.rows) and not torch.equal(first.eps, one.eps)
        assert not torch.equal(first.uniform, one.uniform)


def test_shapes():
    last = draws().take(CONFIG, 6)  # 200 images are six batches of 30 and one of 20
    assert last.rows.shape == (20,) and last.uniform.shape == (20, 1, 28, 28) and last.eps.shape == (2, 20, 4)
    assert draws(model=VAEConfig(binarization="grey")).take(CONFIG, 0).uniform is None


def test_uniform_numbers_are_uniform_and_those_of_two_steps_independent():
    config = TrainConfig(batch_size=2000)
    mine = draws(images=2000)
    one, other = (mine.take(config, step).uniform.flatten().double() for step in range(2))
    assert 0 < one.min() < 1e-4 and 1 - 1e-4 < one.max() < 1
    counts = torch.histc(one, 256, 0, 1)
    expected = len(one) / 256
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi2 - 255) < 4 * (2 * 255) ** 0.5
    for a, b in ((one, other), (one[1:], one[:-1]), (one[4:], one[:-4])):
        assert abs(float(torch.corrcoef(torch.stack([a, b]))[0, 1])) < 4 / len(a) ** 0.5
    eps = mine.take(config, 0).eps.flatten().double()
    assert abs(float(eps.mean())) < 4 / len(eps) ** 0.5 and float(eps.var()) == pytest.approx(1, abs=0.1)


def test_grey_values_become_1_with_their_own_probability():
    grey = torch.arange(256, dtype=torch.uint8).repeat(4).view(1024, 1, 1, 1).expand(1024, 1, 28, 28)
    x = binarize(grey, "dynamic", uniform=draws(images=1024).take(TrainConfig(batch_size=1024), 0).uniform)
    found = x.view(4, 256, 784).mean((0, 2)).double()
    p = torch.arange(256, dtype=torch.float64) / 255
    assert found[0] == 0 and found[255] == 1
    assert bool(((found - p).abs() <= 5 * (p * (1 - p) / (4 * 784)).sqrt()).all())


def test_shares_hold_every_image_once():
    whole = draws().take(CONFIG, 6)
    parts = [whole.share(rank, 3) for rank in range(3)]
    assert sorted(torch.cat([part.rows for part in parts]).tolist()) == sorted(whole.rows.tolist())
    for rank, part in enumerate(parts):
        assert torch.equal(part.uniform, whole.uniform[rank::3]) and torch.equal(part.eps, whole.eps[:, rank::3])
