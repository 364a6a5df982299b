"""Settings that change during a run, each from a certain step on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..config import CHANGEABLE, SETTINGS, TrainConfig, may_change
from ..model import VAE
from .config import RunConfig


@dataclass(frozen=True)
class Change:
    """New settings during a run, which apply to every batch after that step."""

    step: int
    settings: dict[str, float]

    def apply(self, model: VAE, training: TrainConfig) -> TrainConfig:
        """The new training settings; a new σ is set in the model."""
        settings: dict[str, Any] = dict(self.settings)
        if (sigma := settings.pop("sigma", None)) is not None:
            model.set_sigma(sigma)
        return replace(training, **settings)


def still_to_come(changes: list[Change], settings: dict[str, float]) -> list[Change]:
    """Later changes that remain once these settings are chosen: a run that went back applies the others again."""
    left = [(change.step, {n: v for n, v in change.settings.items() if n not in settings}) for change in changes]
    return [Change(step, rest) for step, rest in left if rest]


def check_change(config: RunConfig, settings: dict[str, Any]) -> None:
    """Checks settings that are to change during a run.

    Raises:
        ValueError: a setting cannot change during a run, or is out of bounds.
    """
    now = asdict(config.model) | asdict(config.training)
    for name, value in settings.items():
        if not may_change(name, now):
            free = [name for name in SETTINGS if may_change(name, now)]
            raise ValueError(f"{name} cannot change during a run of this model; {', '.join(free)} can.")
        SETTINGS[name].check(name, value)
    replace(config.training, **{name: value for name, value in settings.items() if name in CHANGEABLE})
