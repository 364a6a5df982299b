"""What a step takes is a function of seed, step and kind of device, and has the distribution that it should have."""

import pytest
import torch

from vae_core import TrainConfig, VAEConfig
from vae_core.data import binarize
from vae_core.training.random import BLOCK, LARGE, Batches, block_of

CPU = torch.device("cpu")
MODEL = VAEConfig(latent_dim=4)
GREY = VAEConfig(latent_dim=4, binarization="grey")
CONFIG = TrainConfig(batch_size=30, samples=2)


def images(count: int = 200) -> torch.Tensor:
    """Grey images that can be told apart, by the values of their first two pixels."""
    made = torch.full((count, 1, 28, 28), 77, dtype=torch.uint8)
    made[:, 0, 0, 0], made[:, 0, 0, 1] = torch.arange(count) % 256, torch.arange(count) // 256
    return made


def batches(seed: int = 0, model: VAEConfig = MODEL, count: int = 200, block: int = 0) -> Batches:
    return Batches(images(count), model, seed, block)


def which(x: torch.Tensor) -> torch.Tensor:
    """Which of `images` they are, as grey x."""
    pixels = (x[:, 0, 0, :2] * 255).round().long()
    return pixels[:, 0] + 256 * pixels[:, 1]


@pytest.mark.parametrize("block", [0, 1, 8])
def test_an_epoch_takes_every_image_once_and_each_epoch_in_another_order(block):
    mine = batches(model=GREY, block=block)
    orders = [torch.cat([which(mine.take(CONFIG, 7 * epoch + step).x) for step in range(7)]) for epoch in range(2)]
    assert all(order.sort().values.tolist() == list(range(200)) for order in orders)
    assert orders[0].tolist() != orders[1].tolist() != list(range(200))


@pytest.mark.parametrize("block", [0, 1, 8])
def test_any_step_can_be_drawn_again(block):
    mine, later = batches(block=block), batches(block=block)
    every = [[part.clone() for part in mine.take(CONFIG, step)[:2]] for step in range(20)]
    for step in (19, 3, 7, 8):
        for one, other in zip(every[step], later.take(CONFIG, step)[:2], strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("block", [0, 1, 8])
def test_steps_and_seeds_draw_differently(block):
    first, second = batches(block=block).take(CONFIG, 0), batches(block=block).take(CONFIG, 1)
    for one in (second, batches(seed=1, block=block).take(CONFIG, 0)):
        assert not torch.equal(first.x, one.x) and not torch.equal(first.eps, one.eps)


@pytest.mark.parametrize("block", [0, 1, 8])
def test_shapes(block):
    last = batches(block=block).take(CONFIG, 6)  # 200 images are six batches of 30 and one of 20
    assert last.x.shape == (20, 1, 28, 28) and last.eps.shape == (2, 20, 4) and last.place == 6 % max(block, 1)
    assert bool(((last.x == 0) | (last.x == 1)).all())
    grey = batches(model=GREY, block=block).take(CONFIG, 0).x
    assert bool((grey[:, 0, 1:] == torch.tensor(77) / 255).all())


def test_steps_at_the_same_place_of_two_blocks_find_their_batch_at_the_same_place_in_memory():
    mine = batches(block=8)
    one, last, other = (mine.take(CONFIG, step) for step in (1, 6, 8))  # of the first epoch, and of the second
    assert one.x.data_ptr() == other.x.data_ptr() != last.x.data_ptr()
    assert one.eps.data_ptr() == other.eps.data_ptr()
    more = mine.take(TrainConfig(batch_size=30, samples=3), 8)  # L was changed
    assert more.eps.shape == (3, 30, 4) and torch.equal(other.x, more.x)


def test_large_batches_of_a_gpu_lie_in_the_same_memory_too():
    """If they did not, every step would be recorded again, and each recording would keep its memory."""
    mine = batches(block=1)
    places = {(batch.x.data_ptr(), batch.eps.data_ptr()) for batch in (mine.take(CONFIG, step) for step in range(6))}
    assert len(places) == 1


def test_only_a_gpu_draws_several_steps_at_once_and_not_of_large_batches():
    gpu = torch.device("cuda")
    assert block_of(CPU, 128) == block_of(torch.device("mps"), 128) == 0
    assert block_of(gpu, 128) == BLOCK and block_of(gpu, LARGE) == 1


def test_uniform_numbers_are_uniform_and_those_of_two_calls_independent():
    config = TrainConfig(batch_size=2000)
    mine = batches(count=2000)
    one, other = (mine._uniform(2000).flatten().double() for _ in range(2))
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
    x = binarize(grey, "dynamic", uniform=batches(count=1024)._uniform(1024))
    found = x.view(4, 256, 784).mean((0, 2)).double()
    p = torch.arange(256, dtype=torch.float64) / 255
    assert found[0] == 0 and found[255] == 1
    assert bool(((found - p).abs() <= 5 * (p * (1 - p) / (4 * 784)).sqrt()).all())


def test_shares_hold_every_image_once():
    whole = batches(model=GREY).take(CONFIG, 6)
    parts = [whole.share(rank, 3) for rank in range(3)]
    assert sorted(torch.cat([which(part.x) for part in parts]).tolist()) == sorted(which(whole.x).tolist())
    for rank, part in enumerate(parts):
        assert torch.equal(part.x, whole.x[rank::3]) and torch.equal(part.eps, whole.eps[:, rank::3])
