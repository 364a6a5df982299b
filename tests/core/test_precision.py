"""Which arithmetic a training computes in, and that CUDA's switches are for one thread at a time."""

import threading

import pytest
import torch

from vae_core import VAE, TrainConfig, VAEConfig, train
from vae_core.precision import arithmetic, compute_exactly, resolve

from ..conftest import plain, seeded

CPU, GPU, MPS = torch.device("cpu"), torch.device("cuda", 0), torch.device("mps")


@pytest.fixture
def flags():
    """torch's own switches, put back."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.deterministic
    yield lambda: (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.deterministic = before


@pytest.mark.parametrize(
    ("capability", "amx", "expected"),
    [
        ((9, 0), False, {"cuda": "tf32", "cpu": "float32", "mps": "float32"}),
        ((7, 5), True, {"cuda": "float32", "cpu": "bfloat16", "mps": "float32"}),
    ],
)
def test_auto_is_the_quickest_that_a_device_has(monkeypatch, capability, amx, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert {device.type: resolve("auto", device) for device in (CPU, GPU, MPS)} == expected
    assert {resolve("float32", device) for device in (CPU, GPU, MPS)} == {"float32"}
    assert {resolve("bfloat16", device) for device in (CPU, GPU, MPS)} == {"bfloat16"}
    assert resolve("tf32", CPU) == resolve("tf32", MPS) == "float32"
    assert resolve("tf32", GPU) == expected["cuda"]


def test_float32_means_float32_and_the_same_input_gives_the_same_bits(flags):
    compute_exactly()
    assert flags() == (False, False) and torch.backends.cudnn.deterministic


def test_tf32_is_for_what_is_in_there_and_evaluation_in_there_is_float32(flags):
    compute_exactly()
    with arithmetic("tf32", GPU):
        assert flags() == (True, True)
        with arithmetic("float32", GPU):
            assert flags() == (False, False)
        assert flags() == (True, True)
    assert flags() == (False, False)
    with pytest.raises(ValueError, match="in there"), arithmetic("tf32", GPU):
        raise ValueError("in there")
    assert flags() == (False, False)
    with arithmetic("tf32", CPU):
        assert flags() == (False, False)


def test_no_other_thread_computes_in_between(flags):
    compute_exactly()
    go, seen = threading.Event(), []

    def evaluate() -> None:
        go.set()
        with arithmetic("float32", GPU):
            seen.append(flags())

    with arithmetic("tf32", GPU):
        other = threading.Thread(target=evaluate)
        other.start()
        go.wait(10)
        other.join(0.05)
        assert not seen
    other.join(10)
    assert seen == [(False, False)]


def test_records_say_what_was_computed_in(few):
    for asked, used in (("auto", "float32"), ("tf32", "float32"), ("bfloat16", "bfloat16")):
        config = plain(steps=2, batch_size=50, precision=asked)
        records = train(VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded()), few, config)
        assert {record.precision for record in records} == {used}
    assert TrainConfig().precision == "auto"
