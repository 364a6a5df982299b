"""How each shipped model is trained: the options of `python -m vae_core train`, a line for each stage."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

RECORD = "--data mnist --seed 0 --schedule cosine --learning-rate-warmup 500 --average 0.999"


@dataclass(frozen=True)
class Recipe:
    """A shipped model.

    stages: options of each training; each begins with the weights that the one before has made.
    about: what it is, and what it is bad at, for its card.
    published: the number of a paper to lay beside it.
    evaluate: options of its evaluation.
    """

    name: str
    stages: tuple[str, ...]
    about: str
    published: str = ""
    evaluate: str = "--samples 5000"

    def runs(self, root: Path) -> list[Path]:
        """The folder of each stage."""
        return [root / f"{self.name}-{number}" for number in range(1, len(self.stages) + 1)]

    def command(self, stage: int, root: Path) -> list[str]:
        """The command of a stage, counted from 0, without the folder of the data."""
        runs = self.runs(root)
        start = ["--start", str(runs[stage - 1] / "model.safetensors")] if stage else []
        return ["-m", "vae_core", "train", *shlex.split(self.stages[stage]), *start, "--out", str(runs[stage])]
