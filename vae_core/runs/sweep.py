"""Several trainings at once: one setting takes several values, each of them with several seeds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ..config import SETTINGS, TrainConfig, VAEConfig
from ..settings import check_choice, check_int, check_text, settings_of, typed

VARIED = {"beta": "0.5 1 2 4", "latent_dim": "2 5 10 20"}  # what can vary, and values to start from
MOST_SEEDS = 5
MOST_RUNS = 20  # of one browser in the queue
MOST_TYPED = 200  # characters of the values
BETWEEN = re.compile(r"\s*;\s*|\s*,\s+|\s+")  # two values; a comma alone may be a decimal one


@dataclass(frozen=True)
class Sweep:
    """What varies from run to run.

    Args:
        vary: the setting, one of VARIED.
        values: its values.
        seeds: runs with each value, whose seeds follow one another.

    Raises:
        ValueError: `vary` or a value cannot be chosen, a value is there twice, or there would be too many runs.
    """

    vary: str
    values: tuple[Any, ...]
    seeds: int

    def __post_init__(self) -> None:
        check_choice("vary", self.vary, VARIED)
        check_int("seeds", self.seeds, 1, MOST_SEEDS)
        if not self.values:
            raise ValueError(f"{self.vary} has no value; a sweep needs at least one.")
        for n, value in enumerate(self.values):
            SETTINGS[self.vary].check(self.vary, value)
            if value in self.values[:n]:
                raise ValueError(f"{self.vary} is {value:g} twice; a sweep takes each value once.")
        if self.runs > MOST_RUNS:
            raise ValueError(f"That makes {self.runs} runs; the queue takes at most {MOST_RUNS} of a browser.")

    @classmethod
    def read(cls, vary: Any, values: Any, seeds: Any) -> Sweep:
        """A sweep whose values come as they were typed: 1 2 4, or 1, 2, 4, or 0.5; 1.

        Raises:
            ValueError: as for the class, or a value can be read as two numbers.
        """
        check_choice("vary", vary, VARIED)
        parts = [part for part in BETWEEN.split(check_text(vary, values, MOST_TYPED).strip(" ,;")) if part]
        whole = SETTINGS[vary].kind is int
        apart = (part.split(",") if whole or part.count(",") > 1 or "." in part else [part] for part in parts)
        return cls(vary, tuple(typed(vary, value) for part in apart for value in part), seeds)

    @property
    def runs(self) -> int:
        """How many runs it makes."""
        return len(self.values) * self.seeds

    def configs(self, model: VAEConfig, training: TrainConfig) -> list[tuple[VAEConfig, TrainConfig]]:
        """The configurations of its runs, all values with the first seed first.

        Args:
            model, training: what does not vary, and the first seed.

        Raises:
            ValueError: a value is not possible beside the other settings.
        """
        found = []
        for seed in range(training.seed, training.seed + self.seeds):
            for value in self.values:
                one = {self.vary: value}
                of_model = {name: one[name] for name in one if name in settings_of(VAEConfig)}
                of_training = {name: one[name] for name in one if name in settings_of(TrainConfig)}
                found.append((replace(model, **of_model), replace(training, **of_training, seed=seed)))
        return found
