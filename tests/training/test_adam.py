"""Adam is torch.optim's, goes on exactly, and keeps no subnormal moments."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vae_core import VAE, TrainConfig, VAEConfig, train
from vae_core.training.adam import Adam, Part, piece_size
from vae_core.training.loop import TrainState

from ..conftest import seeded

SMALLEST_NORMAL = torch.finfo(torch.float32).tiny


def model() -> nn.Module:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded()))
    return layer


def take(adam: Adam, layer: nn.Module, steps: range) -> None:
    """Steps with gradients that are a function of the step."""
    for step in steps:
        rate = torch.tensor(1e-2 / (1 + step))
        for parameter in layer.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=seeded(step))
        adam.step(rate)


def test_its_steps_are_those_of_torch_optim():
    mine, theirs = model(), model()
    take(Adam(mine), mine, range(20))
    optimizer = torch.optim.Adam(theirs.parameters())
    for step in range(20):
        optimizer.param_groups[0]["lr"] = 1e-2 / (1 + step)
        for parameter in theirs.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=seeded(step))
        optimizer.step()
    for one, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_it_goes_on_exactly():
    whole, halves = model(), model()
    take(Adam(whole), whole, range(20))
    first = Adam(halves)
    take(first, halves, range(11))
    kept = {name: tensor.clone() for name, tensor in first.state().items()}
    second = Adam(halves)
    second.restore(kept)
    take(second, halves, range(11, 20))
    for one, other in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_state_of_another_model_is_refused():
    adam, other = Adam(model()), Adam(nn.Linear(4, 2))
    with pytest.raises(RuntimeError, match=r"adam.mean.weight has the shape \(2, 4\), not \(2, 3\)"):
        adam.restore(other.state())
    with pytest.raises(KeyError):
        adam.restore({})


def subnormal(adam: Adam) -> int:
    """How many moments a CPU takes long for."""
    return sum(int(((m != 0) & (m.abs() < SMALLEST_NORMAL)).sum()) for m in (*adam.means, *adam.squares))


def test_no_moment_stays_subnormal_and_no_weight_is_moved_by_that():
    layers = [model(), model()]
    keeping, dropping = (Adam(layer) for layer in layers)
    for layer, adam in zip(layers, (keeping, dropping), strict=True):
        take(adam, layer, range(5))
        for step in range(5, 1200):  # then the first input is silent
            for parameter in layer.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=seeded(step))
            layer.weight.grad[:, 0] = 0
            adam.step(torch.tensor(2e-3))
            if adam is dropping and step % 100 == 0:
                adam.drop_negligible()
                assert subnormal(adam) == 0
    assert subnormal(keeping) == 2 and subnormal(dropping) == 0
    for one, other in zip(*(layer.parameters() for layer in layers), strict=True):
        assert torch.equal(one, other)


def test_a_moment_that_still_moves_a_weight_is_kept():
    layer = model()
    adam = Adam(layer)
    take(adam, layer, range(3))
    adam.means[0].fill_(1e-25)
    adam.squares[0].fill_(1e-25)  # its root, 3e-13, is not nothing beside 1e-8
    before = [moment.clone() for moment in (*adam.means, *adam.squares)]
    adam.drop_negligible()
    assert all(torch.equal(one, other) for one, other in zip(before, (*adam.means, *adam.squares), strict=True))


def test_a_training_drops_what_is_negligible(few):
    images = few.train.clone()
    images[:, 0, 0, 0] = 0  # a pixel that is black in all of them
    vae = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded())
    state = TrainState.start(vae)
    squares = state.adam.squares[0]
    config = TrainConfig(steps=100, batch_size=100, record_every=1)
    for metrics in train(vae, replace(few, train=images), config, state=state):
        if metrics.step == 1:
            squares[0, 0] = SMALLEST_NORMAL / 2
        if metrics.step == 99:
            assert 0 < squares[0, 0] < SMALLEST_NORMAL
    assert squares[0, 0] == 0


def test_in_pieces_and_in_parts_it_takes_the_same_steps():
    """As on a GPU, where the kernel gives a tensor of up to 65,536 numbers to one block of threads."""
    vaes = [VAE(VAEConfig(architecture="residual", latent_dim=4, hidden_dim=32), seeded()) for _ in range(2)]
    whole, cut = (Adam(vae) for vae in vaes)
    parts = [cut.part(half.parameters()) for half in (vaes[1].encoder, vaes[1].decoder)]
    for part in parts:
        part._size = 1000
        part._pieces = [part._cut(tensors) for tensors in (part._parameters, *_moments(cut, part))]
        part._counts = [cut._count] * len(part._pieces[0])
        assert all(len(piece) <= 1000 for pieces in part._pieces for piece in pieces)
    for step in range(3):
        for vae in vaes:
            for number, weight in enumerate(vae.parameters()):
                noise = torch.randn(weight.shape, generator=seeded(100 * step + number))
                weight.grad = torch.empty_like(weight).copy_(noise)  # as it lies in memory
        rate = torch.tensor(1e-2)
        whole.step(rate)
        cut.begin_step()
        for part in parts:
            part.move(rate)
    for one, other in zip(*(vae.parameters() for vae in vaes), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-8)


def _moments(adam: Adam, part: Part) -> list[list[torch.Tensor]]:
    places = [n for n, mine in enumerate(adam._parameters) if any(mine is other for other in part._parameters)]
    return [[moments[n] for n in places] for moments in (adam.means, adam.squares)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([784 * 400, 400, 400 * 40, 40, 20 * 400, 400, 400 * 784, 784], 22_528),  # 14 + 1 + 1 + 1 + 1 + 1 + 14 + 1
        ([1000], 2048),
        ([2**16] * 40, 0),  # more tensors than a launch takes, whole
        ([50_000_000], 0),
    ],
)
def test_tensors_are_cut_into_as_many_pieces_as_one_launch_takes(sizes, expected):
    assert piece_size(sizes) == expected
    if expected:
        assert sum(-(-n // expected) for n in sizes) <= 36 < sum(-(-n // max(expected - 2048, 1)) for n in sizes)
