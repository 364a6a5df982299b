"""Checkpoints: bit for bit, all or nothing, and a clear sentence for every file that is none."""

import json
import math
import os

import pytest
import torch
from safetensors.torch import save_file

from vae_core import VAE, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.storage.checkpoint import FORMAT, CheckpointError, read_header

from ..conftest import seeded

CONFIGS = [
    VAEConfig(latent_dim=3, hidden_dim=8),
    VAEConfig(architecture="conv", latent_dim=2, hidden_dim=8, likelihood="continuous_bernoulli", binarization="grey"),
    VAEConfig(
        architecture="linear",
        latent_dim=5,
        likelihood="gaussian",
        sigma=0.2,
        sigma_mode="learned",
        prior_mean=1.0,
        prior_std=0.5,
    ),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.architecture)
def test_round_trip_bit_for_bit(tmp_path, config):
    model = VAE(config, seeded())
    save_checkpoint(model, tmp_path / "a.safetensors", {"data": "digits", "test": {"elbo": -1.25}})
    again = load_checkpoint(tmp_path / "a.safetensors")
    assert again.config == config and not again.training
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    header = read_header(tmp_path / "a.safetensors")
    assert header.config == config and header.about == {"data": "digits", "test": {"elbo": -1.25}}


def test_half_precision_halves_the_file_and_rounds_the_weights(tmp_path):
    model = VAE(VAEConfig(), seeded())
    save_checkpoint(model, tmp_path / "whole.safetensors")
    save_checkpoint(model, tmp_path / "half.safetensors", dtype=torch.float16)
    whole, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half"))
    assert half < 0.51 * whole
    again = load_checkpoint(tmp_path / "half.safetensors")
    for name, weight in model.state_dict().items():
        assert again.state_dict()[name].dtype == torch.float32
        assert torch.equal(again.state_dict()[name], weight.half().float()), name
    with torch.no_grad():
        model.decoder[0].bias[1] = 1e5
    with pytest.raises(ValueError, match=r"decoder\.0\.bias are not finite"):
        save_checkpoint(model, tmp_path / "half.safetensors", dtype=torch.float16)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_checkpoint(VAE(CONFIGS[0], seeded()), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(VAE(CONFIGS[0], seeded(1)), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = VAE(CONFIGS[0], seeded())
    with torch.no_grad():
        model.decoder[0].bias[1] = float("inf")
    with pytest.raises(ValueError, match=r"decoder\.0\.bias are not finite"):
        save_checkpoint(model, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({"test": {"elbo": math.nan}}, "not finite"),
        ({"kl_per_dim": [1.0, math.inf, 1.0]}, "not finite"),
        ({"kl_per_dim": [1.0] * 4}, "kl_per_dim must be a list of 3"),
        ({"step": 10**21}, "larger than 2⁵³"),
        ({"data": "x" * 101}, "data is"),
        ({"made": "x" * 2**20}, "larger than 1,048,576 bytes"),
        ({"made": '"' * 400_000}, "larger than 1,048,576 bytes"),  # each of them escaped twice, and then too long
    ],
)
def test_what_would_not_load_again_is_not_saved(tmp_path, about, fault):
    path = tmp_path / "a.safetensors"
    save_checkpoint(VAE(CONFIGS[0], seeded()), path, {"step": 1})
    with pytest.raises(ValueError, match=f"^The model was not saved, since .*{fault}"):
        save_checkpoint(VAE(CONFIGS[0], seeded(1)), path, about)
    assert read_header(path).about == {"step": 1} and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.int64, torch.uint8, torch.complex64])
def test_weights_are_not_saved_in_a_type_that_does_not_load(tmp_path, dtype):
    with pytest.raises(ValueError, match="not saved"):
        save_checkpoint(VAE(CONFIGS[0], seeded()), tmp_path / "a.safetensors", dtype=dtype)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_a_loaded_model_could_not_have_are_not_saved(tmp_path):
    model = VAE(CONFIGS[0], seeded()).double()
    with torch.no_grad():
        model.decoder[0].bias[1] = 1e300
    with pytest.raises(ValueError, match=r"decoder\.0\.bias are not finite"):
        save_checkpoint(model, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def write(path, kind):
    """A file that is no checkpoint of ours, in one of several ways."""
    model = VAE(CONFIGS[0], seeded())
    save_checkpoint(model, path)
    content, weights = path.read_bytes(), model.state_dict()
    header = {"format": FORMAT, "config": json.dumps({"latent_dim": 3, "hidden_dim": 8}), "about": "{}"}
    if kind == "truncated":
        path.write_bytes(content[:-100])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "foreign":
        path.write_bytes(b"PK\x03\x04" + bytes(1000))
    elif kind == "other safetensors":
        save_file({"w": torch.zeros(2)}, path)
    elif kind == "other architecture":
        save_file(weights, path, header | {"config": json.dumps({"architecture": "conv", "latent_dim": 3})})
    elif kind == "wrong shape":
        save_file(weights, path, header | {"config": json.dumps({"latent_dim": 4, "hidden_dim": 8})})
    elif kind == "tensor missing":
        save_file({k: v for k, v in weights.items() if k != "decoder.0.bias"}, path, header)
    elif kind == "bad value":
        save_file(weights, path, header | {"config": json.dumps({"latent_dim": 10**9})})
    elif kind == "unknown field":
        save_file(weights, path, header | {"config": json.dumps({"depth": 9})})
    elif kind == "no JSON":
        save_file(weights, path, header | {"config": "{"})


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("truncated", "cannot be read as a checkpoint"),
        ("empty", "cannot be read as a checkpoint"),
        ("foreign", "cannot be read as a checkpoint"),
        ("other safetensors", "no VAE of this app"),
        ("other architecture", "conv needs"),
        ("wrong shape", "decoder.0.weight has the shape (8, 3), mlp needs (8, 4)"),
        ("tensor missing", "decoder.0.bias has the shape none"),
        ("bad value", "latent_dim is 1000000000"),
        ("unknown field", "depth"),
        ("no JSON", "cannot be understood"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_its_name_and_fault(tmp_path, kind, fault):
    path = tmp_path / "a.safetensors"
    write(path, kind)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert message.startswith("a.safetensors ") and fault in message and "\n" not in message
    assert caught.value.with_path == f"{tmp_path}{os.sep}{message}"


def test_a_file_without_its_weights_takes_no_memory_for_them(tmp_path, monkeypatch):
    path, made = tmp_path / "a.safetensors", []
    monkeypatch.setattr("vae_core.storage.checkpoint.VAE", lambda *args: made.append(VAE(*args)) or made[-1])
    save_file({}, path, {"format": FORMAT, "config": json.dumps({"hidden_dim": 8192}), "about": "{}"})
    with pytest.raises(CheckpointError, match="has the shape none, mlp needs"):
        load_checkpoint(path)
    assert made and all(weight.is_meta for model in made for weight in model.parameters())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors is not there"):
        load_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize(("mode", "saved"), [("fixed", 0.35), ("learned", 0.1), ("optimal", 0.1)])
def test_a_fixed_sigma_that_was_changed_is_the_configurations(tmp_path, mode, saved):
    model = VAE(VAEConfig(architecture="linear", likelihood="gaussian", sigma=0.1, sigma_mode=mode), seeded())
    model.set_sigma(0.35)
    save_checkpoint(model, tmp_path / "m.safetensors")
    assert read_header(tmp_path / "m.safetensors").config.sigma == saved
    assert float(load_checkpoint(tmp_path / "m.safetensors").log_sigma.detach().exp()) == pytest.approx(0.35)
