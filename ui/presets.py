"""Settings to start from, each for one thing to see, and how long a training with them takes on this server."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch

from vae_core.config import TrainConfig, VAEConfig
from vae_core.data import Dataset
from vae_core.model import VAE
from vae_core.settings import settings_of
from vae_core.training.loop import TrainState, batches

IMAGES = 60_000  # of MNIST's training set, by which a duration is said
WARM_UP, TIMED = 3, 12  # steps by which it is measured
MOST_TIMED = 30_000  # images by which it is measured


@dataclass(frozen=True)
class Preset:
    """A set-up by its title; settings: those that are not the default; shows: what it is there for."""

    title: str
    settings: dict[str, Any]
    shows: str

    def configs(self) -> tuple[VAEConfig, TrainConfig]:
        """The two configurations."""
        model = {name: value for name, value in self.settings.items() if name in settings_of(VAEConfig)}
        training = {name: value for name, value in self.settings.items() if name in settings_of(TrainConfig)}
        return VAEConfig(**model), TrainConfig(**training)


PRESETS = (
    Preset("First look", {"epochs": 3}, "A model of digits within seconds."),
    Preset("2-D map", {"latent_dim": 2}, "Two dimensions: the map shows all that the model can make."),
    Preset("β too large", {"beta": 8.0, "epochs": 4}, "The KL weighs too much: the pictures blur."),
    Preset(
        "Collapse",
        {"likelihood": "gaussian", "sigma": 1.0, "epochs": 4},
        "σ = 1 makes pixels so uncertain that z is not worth its KL: dimensions go unused.",
    ),
    Preset(
        "Gaussian",
        {"likelihood": "gaussian", "sigma_mode": "learned"},
        "Grey pixels under a Gaussian whose σ is learned: the ELBO is a density's, and may be above 0.",
    ),
    Preset(
        "Linear",
        {"architecture": "linear", "latent_dim": 8, "likelihood": "gaussian", "sigma_mode": "learned", "epochs": 6},
        "Linear encoder and decoder: probabilistic PCA, of which everything is known.",
    ),
)


class Durations:
    """The seconds that each preset takes on a device, measured once, in the background."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seconds: dict[str, float] = {}
        self._thread = threading.Thread(target=self._measure, name="durations")
        self._is_over = threading.Event()
        self._a_step = lru_cache(maxsize=64)(lambda model, training: seconds_a_step(model, training, device))
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Starts to measure."""
        self._thread.start()

    def close(self) -> None:
        """Ends the measuring, and waits for it: torch does not survive the end of the process."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def offered(self) -> list[dict[str, Any]]:
        """What the page shows of each preset: title, shows, and seconds, null before they were measured."""
        return [{"title": p.title, "shows": p.shows, "seconds": self._seconds.get(p.title)} for p in PRESETS]

    def of(self, model: VAEConfig, training: TrainConfig, images: int) -> float:
        """The seconds that a training takes alone with so many images; its steps are timed when first asked for."""
        alike = replace(training, epochs=1, beta=1.0, seed=0)  # as long a step
        with self._lock:  # one measurement at a time, so that none slows another
            return self._a_step(model, alike) * training.total_steps(images)

    def _measure(self) -> None:
        for preset in PRESETS:
            if not self._is_over.is_set():
                self._seconds[preset.title] = seconds_of(preset, self._device)


def seconds_of(preset: Preset, device: torch.device) -> float:
    """The seconds of training that a preset takes with MNIST's images."""
    model, training = preset.configs()
    return seconds_a_step(model, training, device) * training.total_steps(IMAGES)


def seconds_a_step(model: VAEConfig, training: TrainConfig, device: torch.device) -> float:
    """The seconds that a step takes, by the time of some steps on noise."""
    timed = max(1, min(TIMED, MOST_TIMED // training.batch_size))
    count = training.batch_size * (WARM_UP + timed)
    images = torch.randint(0, 256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    dataset = Dataset("noise", images, torch.zeros(count, dtype=torch.int64), images[:1], torch.zeros(1).long())
    some = replace(training, epochs=1, record_every=10**6)
    network = VAE(model, torch.Generator().manual_seed(0))
    state = TrainState.start(network.to(device))
    taken = batches(network, dataset, some, device, state)
    while state.step < WARM_UP:
        next(taken)
    steps = []
    while state.step < count // training.batch_size - 1:
        before = state.step
        start = time.perf_counter()
        next(taken)
        steps.append((time.perf_counter() - start) / (state.step - before))
    taken.close()
    return statistics.median(steps)  # whatever else the machine did meanwhile
