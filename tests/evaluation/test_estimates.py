"""Estimates that are kept: broken off anywhere, they end bit for bit as those that were not."""

import pytest
import torch
from safetensors.torch import save_file

import vae_core.evaluation.estimates
from vae_core import VAE, VAEConfig
from vae_core.evaluation.estimates import kept_log_likelihood
from vae_core.evaluation.evaluate import log_likelihood
from vae_core.storage.tensors import read_tensors

from ..conftest import seeded

K = 7


@pytest.fixture
def model():
    return VAE(VAEConfig(latent_dim=3, hidden_dim=16), seeded()).eval()


@pytest.fixture
def x():
    return torch.rand(250, 1, 28, 28, generator=seeded(1)).round()


def broken_off(monkeypatch, after):
    """From now on, evaluation is interrupted when that many parts have been estimated."""
    left = iter(range(after))

    def estimate(*args, **kwargs):
        if next(left, None) is None:
            raise RuntimeError("broken off")
        return log_likelihood(*args, **kwargs)

    monkeypatch.setattr(vae_core.evaluation.estimates, "log_likelihood", estimate)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_it_goes_on_where_it_was_broken_off(model, x, tmp_path, monkeypatch, after):
    path, told = tmp_path / "kept.safetensors", []
    expected = log_likelihood(model, x, K, seeded(5))
    broken_off(monkeypatch, after)
    with pytest.raises(RuntimeError, match="broken off"):
        kept_log_likelihood(model, x, K, seeded(5), path)
    monkeypatch.undo()
    found, held = kept_log_likelihood(model, x, K, seeded(5), path, told.append)
    assert torch.equal(found, expected) and held == after * 100
    assert told[0] == after * 100 * K and sum(told) == 250 * K
    broken_off(monkeypatch, 0)  # nothing is left to do
    found, held = kept_log_likelihood(model, x, K, seeded(5), path)
    assert torch.equal(found, expected) and held == 250


def test_the_estimates_of_another_evaluation_are_refused_and_stay(model, x, tmp_path):
    path = tmp_path / "kept.safetensors"
    kept_log_likelihood(model, x, K, seeded(5), path)
    before, other = path.read_bytes(), VAE(model.config, seeded(9))
    for arguments in (
        (other, x, K, seeded(5)),
        (model, 1 - x, K, seeded(5)),
        (model, x, 8, seeded(5)),
        (model, x, K, seeded(6)),
    ):
        with pytest.raises(
            ValueError, match=r"kept\.safetensors holds the estimates of another evaluation; take another file"
        ):
            kept_log_likelihood(*arguments, path)
    assert path.read_bytes() == before


def test_a_file_that_is_none_is_refused(model, x, tmp_path):
    path = tmp_path / "kept.safetensors"
    path.write_text("estimates")
    with pytest.raises(ValueError, match="holds no estimates, or is damaged"):
        kept_log_likelihood(model, x, K, seeded(5), path)


@pytest.mark.parametrize(
    "change",
    [
        {"log_px": torch.zeros(251)},
        {"log_px": torch.zeros(2, 2)},
        {"log_px": torch.zeros(3, dtype=torch.complex64)},
        {"generator": torch.zeros(7, dtype=torch.uint8)},
        {"generator": torch.zeros(7)},
    ],
)
def test_damaged_estimates_are_refused(model, x, tmp_path, change):
    path = tmp_path / "kept.safetensors"
    kept_log_likelihood(model, x, K, seeded(5), path)
    metadata, tensors = read_tensors(path)
    save_file(tensors | change, path, metadata)
    with pytest.raises(ValueError, match="holds no estimates, or is damaged"):
        kept_log_likelihood(model, x, K, seeded(5), path)


def test_what_cannot_be_kept_is_said_before_anything_is_estimated(model, x, tmp_path, monkeypatch):
    broken_off(monkeypatch, 0)
    with pytest.raises(FileNotFoundError) as caught:
        kept_log_likelihood(model, x, K, seeded(5), tmp_path / "nowhere" / "kept.safetensors")
    assert caught.value.filename == str(tmp_path / "nowhere" / "kept.safetensors")
