"""The limits of a server: what a training may take, and what is kept of a visitor and of all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from ...config import MOST_STEPS, TrainConfig, VAEConfig
from ...model import VAE
from ...settings import FaultsError, check_settings, gathered, number, whole

GB = 10**9  # bytes
KEPT_FOR_EACH_WEIGHT = 5  # float32: the model, and the state's weights, average and two moments of Adam


@dataclass(frozen=True)
class Limits:
    """The limits of a server, with defaults for a class of forty. 0: no limit.

    Args:
        max_steps: steps of a training.
        max_minutes: minutes of a training's own time, evaluation and waiting apart.
        max_parameters: parameters of a model.
        max_runs: runs that a visitor may keep.
        max_gb: GB that a visitor's runs may take; a GB is 10⁹ bytes.
        max_total_gb: GB that all runs may take.

    Raises:
        FaultsError: values are out of bounds; the sentences name the field, the value and the bounds.
    """

    max_steps: int = whole(200_000, 0, MOST_STEPS, "Steps", group=None, help="most steps of a training")
    max_minutes: float = number(60.0, 0, 1e6, "Minutes", group=None, help="most minutes of a training's own time")
    max_parameters: int = whole(20_000_000, 0, 10**12, "Parameters", group=None, help="most parameters of a model")
    max_runs: int = whole(50, 0, 10**6, "Runs", group=None, help="most runs that are kept of a visitor")
    max_gb: float = number(2.0, 0, 1e6, "GB", group=None, help="most GB that are kept of a visitor's runs")
    max_total_gb: float = number(20.0, 0, 1e6, "GB of all", group=None, help="most GB that are kept of all runs")

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def most_seconds(self) -> float:
        """Seconds of a training's own time; infinite without a limit."""
        return self.max_minutes * 60 or math.inf

    @property
    def most_runs(self) -> float:
        """Runs of a visitor; infinite without a limit."""
        return self.max_runs or math.inf

    @property
    def most_bytes(self) -> float:
        """Bytes of a visitor's runs; infinite without a limit."""
        return _bytes(self.max_gb)

    @property
    def most_bytes_of_all(self) -> float:
        """Bytes of all runs; infinite without a limit."""
        return _bytes(self.max_total_gb)

    @property
    def bounds_what_is_kept(self) -> bool:
        """Whether there is a limit of what is kept."""
        return any((self.max_runs, self.max_gb, self.max_total_gb))

    def check(self, model: VAEConfig, training: TrainConfig, images: int = 0) -> None:
        """Checks the size of a model and the length of its training.

        Args:
            images: number of training images; 0: not known yet, so that an epoch counts as one step at least.

        Raises:
            FaultsError: one is over its limit; the sentences name the setting, the value and the limit.
        """
        faults: dict[str, str] = {}
        with gathered(faults):
            self._check_parameters(model)
        with gathered(faults):
            self._check_steps(training, images)
        if faults:
            raise FaultsError(faults)

    def _check_parameters(self, model: VAEConfig) -> None:
        count = parameters_of(model) if self.max_parameters else 0
        if count > self.max_parameters:
            field = "latent_dim" if model.architecture == "linear" else "hidden_dim"
            sentence = (
                f"{field} is {getattr(model, field)}; that makes a model of {count:,} parameters, and this server takes"
                f" at most {self.max_parameters:,}."
            )
            raise FaultsError({field: sentence})

    def _check_steps(self, training: TrainConfig, images: int) -> None:
        each = training.steps_per_epoch(images) if images else 1
        total = training.steps if training.steps is not None else training.epochs * each
        if not self.max_steps or total <= self.max_steps:
            return
        if training.steps is not None:
            sentence = f"steps is {training.steps}; a training on this server has at most {self.max_steps:,}."
            raise FaultsError({"steps": sentence})
        how_many = f"{total:,}" if images else f"at least {total:,}"
        epochs = self.max_steps // each
        advice = f"take at most {epochs:,}" if epochs else "take larger batches"
        sentence = (
            f"epochs is {training.epochs}; that makes {how_many} steps, and this server takes at most"
            f" {self.max_steps:,}: {advice}."
        )
        raise FaultsError({"epochs": sentence})


UNLIMITED = Limits(max_steps=0, max_minutes=0, max_parameters=0, max_runs=0, max_gb=0, max_total_gb=0)


def _bytes(gb: float) -> float:
    """GB as bytes; infinite if that means no limit."""
    return max(1, round(gb * GB)) if gb else math.inf


@lru_cache(maxsize=256)
def parameters_of(model: VAEConfig) -> int:
    """Number of parameters of a model, which is not built for it."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in VAE(model).parameters())


def bytes_of(model: VAEConfig) -> int:
    """About how many bytes a run of that model takes on the disk, apart from its records and pictures."""
    return 4 * KEPT_FOR_EACH_WEIGHT * parameters_of(model)
