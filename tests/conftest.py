"""What tests share. MNIST is read from the folder that VAE_DATA_DIR names; without it the tests that need it skip."""

import importlib.util
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import vae_core.training.step
from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset, train
from vae_core.data import binarized_for_evaluation, is_present
from vae_core.objective import ELBO
from vae_core.training.closed_form import ClosedForm

from .mnist import Mirror, serving

ROOT = Path(__file__).parent.parent
THE_PAGE = ["ui", "browser", *(f"test_{name}.py" for name in ("app", "portable", "shipped"))]

# The core and its tests need no screen; where gradio, plotly or tensorboardX are missing, what needs them is left out.
collect_ignore = [] if importlib.util.find_spec("gradio") else THE_PAGE
collect_ignore += [] if importlib.util.find_spec("tensorboardX") else ["runs/test_export.py"]


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder with MNIST; required where VAE_DATA_DIR is set."""
    folder = os.environ.get("VAE_DATA_DIR")
    if folder is None:
        pytest.skip("needs MNIST: VAE_DATA_DIR is not set")
    assert is_present("mnist", folder), f"VAE_DATA_DIR is {folder}, but MNIST is not there"
    return Path(folder)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """scikit-learn's digits."""
    return load_dataset("digits", "unused")


@pytest.fixture(scope="session")
def few(digits: Dataset) -> Dataset:
    """200 training and 50 test images of digits: a training of them takes a moment."""
    return Dataset("digits", digits.train[:200], digits.train_labels[:200], digits.test[:50], digits.test_labels[:50])


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror of a small MNIST and Fashion-MNIST on this machine, which are downloaded from there."""
    from torchvision.datasets import MNIST, FashionMNIST

    with serving() as mirror:
        for kind in (MNIST, FashionMNIST):
            monkeypatch.setattr(kind, "resources", mirror.resources)
            monkeypatch.setattr(kind, "mirrors", [mirror.address])
        yield mirror


@pytest.fixture
def small_model() -> VAE:
    """A small MLP with seeded weights, in float64."""
    config = VAEConfig(latent_dim=3, hidden_dim=16)
    return VAE(config, torch.Generator().manual_seed(1)).double().eval()


@pytest.fixture(scope="session", autouse=True)
def computing_alike() -> Iterator[None]:
    """On every machine trainings of tests compute alike: the default precision depends on the processor.

    They take one thread. Their models are so small that a second one gains next to nothing, and where something else
    needs a core, as a browser does, each product waits for the thread that has none: that takes ten times as long.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


def plain(**settings: Any) -> TrainConfig:
    """A training at a constant rate, whose weights are not averaged, so that tests know what each step does."""
    usual = {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3, "schedule": "constant", "learning_rate_warmup": 0}
    return TrainConfig(**usual | {"average": 0.0} | settings)


PLAIN = shlex.split("--learning-rate 1e-3 --schedule constant --learning-rate-warmup 0 --average 0")  # the same, typed


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of that seed."""
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="session")
def plane(digits: Dataset) -> tuple[VAE, torch.Tensor]:
    """A model of two latent dimensions, trained on digits, and 100 test images as it wants them."""
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=128), seeded())
    for _ in train(model, digits, TrainConfig(epochs=60, batch_size=64, learning_rate=2e-3)):
        pass
    return model.eval(), binarized_for_evaluation(digits.test, "dynamic")[:100]


def taken_batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.Tensor, ELBO]]:
    """What the steps of trainings take from now on: x and the ELBO's terms of each."""
    seen, closed_form, by_autograd = [], ClosedForm.differentiate, vae_core.training.step.fitted_elbo

    def differentiate(self, x, *args):
        seen.append((x.clone(), terms := closed_form(self, x, *args)))
        return terms

    def fitted_elbo(model, x, *args):
        seen.append((x.clone(), terms := by_autograd(model, x, *args)))
        return terms

    monkeypatch.setattr(ClosedForm, "differentiate", differentiate)
    monkeypatch.setattr(vae_core.training.step, "fitted_elbo", fitted_elbo)
    return seen
