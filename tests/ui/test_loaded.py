"""Which models are kept in memory, and for how long what is made of them."""

import gc
import os
import weakref

import pytest

from ui.loaded import LoadedModels, made_once
from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.storage.checkpoint import CheckpointError

from ..conftest import seeded


@pytest.fixture
def paths(tmp_path):
    """Three models of the same size."""
    found = [tmp_path / f"{name}.safetensors" for name in "abc"]
    for path in found:
        save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded()), path)
    return found


def test_a_version_is_read_once_and_an_older_one_is_not_kept(paths):
    models = LoadedModels()
    first = models.load(paths[0])
    assert models.load(paths[0]) is first
    gone, version = weakref.ref(first), first.version
    os.utime(paths[0], ns=(version + 10**9,) * 2)
    assert models.load(paths[0]).version == version + 10**9
    del first
    gc.collect()
    assert gone() is None


def test_those_that_were_asked_for_last_are_kept_as_far_as_they_fit(paths):
    size = LoadedModels().load(paths[0]).bytes
    assert size == sum(weight.nbytes for weight in VAE(VAEConfig(latent_dim=2, hidden_dim=8)).parameters())
    models = LoadedModels(2 * size)
    one, two = models.load(paths[0]), models.load(paths[1])
    assert models.load(paths[0]) is one
    models.load(paths[2])
    assert models.load(paths[0]) is one and models.load(paths[1]) is not two
    tiny = LoadedModels(1)
    assert tiny.load(paths[0]) is tiny.load(paths[0])  # one is kept in any case


def test_a_file_that_is_gone_is_said_and_forgotten(paths):
    models = LoadedModels()
    gone = weakref.ref(models.load(paths[0]))
    paths[0].unlink()
    with pytest.raises(CheckpointError, match="not here any more"):
        models.load(paths[0])
    gc.collect()
    assert gone() is None


def test_what_is_made_of_a_model_is_remembered_as_long_as_the_model(paths):
    calls, models = [], LoadedModels()

    @made_once
    def made(loaded, what):
        calls.append(what)
        return [loaded.version, what]

    loaded = models.load(paths[0])
    assert made(loaded, "x") is made(loaded, "x") and made(loaded, "y") == [loaded.version, "y"]
    assert calls == ["x", "y"]
    gone = weakref.ref(loaded)
    paths[0].unlink()
    with pytest.raises(CheckpointError):
        models.load(paths[0])
    del loaded
    gc.collect()
    assert gone() is None
