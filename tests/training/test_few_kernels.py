"""The step of few kernels is that of the closed form, and it is one of few kernels."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import vae_core.training.step
from vae_core import VAE, VAEConfig
from vae_core.training.adam import Adam
from vae_core.training.few_kernels import knows
from vae_core.training.random import Batch
from vae_core.training.recording import Recordings
from vae_core.training.step import Pace, Step

from ..conftest import seeded

VIEWS = (
    "view",
    "t",
    "transpose",
    "permute",
    "unflatten",
    "flatten",
    "split",
    "split_with_sizes",
    "chunk",
    "slice",
    "select",
    "detach",
)


class Launches(TorchDispatchMode):
    """The names of torch's functions that are called, but for those that only look at memory in another way."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.__name__
        if name.partition(".")[0] not in VIEWS:
            self.names.append(name)
        return function(*args, **kwargs or {})


def batch(images: int, dims: int = 20) -> Batch:
    x = (torch.rand(images, 1, 28, 28, generator=seeded(1)) < 0.3).float()
    return Batch(x, torch.randn(1, images, dims, generator=seeded(2)))


@pytest.fixture
def step_of(monkeypatch):
    """Makes a step with a model of its own, of few kernels or by the closed form, which is not recorded."""

    def make(config: VAEConfig, *, short: bool) -> tuple[Step, VAE]:
        monkeypatch.setattr(vae_core.training.step, "is_recorded", lambda device: short)
        monkeypatch.setattr(Recordings, "refusal", "for this test")
        vae = VAE(config, seeded())
        step = Step(vae, Adam(vae))
        assert (step._few_kernels is not None) == short
        return step, vae

    return make


@pytest.mark.parametrize(
    ("config", "images"),
    [
        (VAEConfig(), 128),  # whose long products are shared out
        (VAEConfig(hidden_dim=48, hidden_layers=3, latent_dim=5), 30),
        (VAEConfig(), 300),
        (VAEConfig(architecture="linear", latent_dim=3), 40),
    ],
    ids=["mlp", "deep", "many images", "linear"],
)
@pytest.mark.parametrize("pace", [Pace(1e-3, 1.0, 0.0), Pace(3e-3, 2.5, 0.3)], ids=["plain", "β and free bits"])
def test_it_is_that_of_the_closed_form(step_of, config, images, pace):
    (mine, vae), (theirs, other) = (step_of(config, short=short) for short in (True, False))
    for number, size in enumerate((images, images // 2, images)):
        taken = batch(size, config.latent_dim)
        found, expected = (step.take([taken], [pace]) for step in (mine, theirs))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3)
        for one, another in zip(vae.parameters(), other.parameters(), strict=True):
            off = (one.grad - another.grad).norm() / another.grad.norm()
            assert off < 5e-6 * 30**number  # Adam makes a step of any gradient, however small
            torch.testing.assert_close(one, another, rtol=0, atol=1e-3)


def test_a_step_that_it_does_not_know_in_between_leaves_it_right(step_of):
    """L is changed to 3 and back: the closed form's gradients and its own are the same tensors."""
    config = VAEConfig(hidden_dim=32, latent_dim=4)
    (mine, _), (theirs, _) = (step_of(config, short=short) for short in (True, False))
    three = Batch(batch(20).x, torch.randn(3, 20, 4, generator=seeded(3)))
    for one in (batch(20, 4), three, batch(20, 4), three):
        found, expected = (step.take([one], [Pace(1e-3, 1.0, 0.0)]) for step in (mine, theirs))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3)


def test_what_it_does_not_know():
    vae = VAE(VAEConfig())
    assert knows(vae, "float32", "elbo", 0.0) and knows(vae, "tf32", "elbo", 0.0)
    assert not knows(vae, "tf32", "importance-weighted", 0.0) and not knows(vae, "tf32", "elbo", 1.0)
    assert not knows(vae, "bfloat16", "elbo", 0.0)
    others = VAEConfig(prior_std=2.0), VAEConfig(prior_mean=1.0), VAEConfig(architecture="conv")
    assert not any(knows(VAE(config), "float32", "elbo", 0.0) for config in others)


@pytest.mark.parametrize(("short", "most"), [(True, 41), (False, 60)])
def test_how_many_functions_a_step_launches(step_of, short, most):
    step, _ = step_of(VAEConfig(), short=short)
    taken = batch(128)
    step.take([taken], [Pace(1e-3, 1.0, 0.0)])
    with Launches() as seen:
        step._compute([taken])
    assert len(seen.names) <= most, seen.names
