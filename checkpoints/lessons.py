"""Trains the small models whose trainings the cards play: python -m checkpoints.lessons [NAME ...] --data-dir D.

Each is trained on the CPU by its settings alone, in a minute or two, and recorded into lessons/NAME/: a run folder
without weights, with some of its records and some pictures. A picture holds samples from the prior, held-out images
and their reconstructions, the last four rows of a frame (`vae_core.runs.film`); those of one lesson hold the map, too.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from vae_core import Dataset, load_dataset
from vae_core.config import TrainConfig, VAEConfig
from vae_core.files import write_atomically
from vae_core.model import VAE
from vae_core.runs.config import RunConfig
from vae_core.runs.film import Film
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import film_images
from vae_core.runs.states import State
from vae_core.settings import settings_of
from vae_core.training.loop import TrainState, train

from .record import record

HERE = Path(__file__).parent / "lessons"
RECORDS = 70  # of each lesson, and those with held-out figures
FRAMES = 9
STRIP = 4 * 28  # pixels: the rows of a frame that a lesson keeps
DIGITS = 4  # after the point, of the numbers that are kept
SMALL: dict[str, Any] = {"hidden_dim": 200, "latent_dim": 10, "epochs": 6, "precision": "float32", "record_every": 20}


@dataclass(frozen=True)
class Lesson:
    """A training that a card plays. title: what is unusual about it; settings: those that are not the default."""

    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    data: str = "mnist"
    has_map: bool = False

    def config(self) -> RunConfig:
        """What it is started with."""
        settings = SMALL | self.settings
        model = {name: value for name, value in settings.items() if name in settings_of(VAEConfig)}
        training = {name: value for name, value in settings.items() if name in settings_of(TrainConfig)}
        return RunConfig(VAEConfig(**model), TrainConfig(**training), self.data)


LESSONS = {
    "plain": Lesson("the ELBO as it is"),
    "mean": Lesson("pixels averaged: β = 784", {"beta": 784.0}),
    "beta-0": Lesson("β = 0", {"beta": 0.0}),
    "beta-4": Lesson("β = 4", {"beta": 4.0}),
    "beta-10": Lesson("β = 10", {"beta": 10.0}),
    "gaussian": Lesson("Gaussian, best σ", {"likelihood": "gaussian", "sigma_mode": "optimal"}),
    "tiny-sigma": Lesson("Gaussian, σ = 0.01", {"likelihood": "gaussian", "sigma": 0.01}),
    "detached": Lesson("z detached", {"gradient": "detached"}),
    "one-dimension": Lesson("one dimension", {"latent_dim": 1}),
    "linear": Lesson("linear encoder and decoder", {"architecture": "linear"}),
    "far-prior": Lesson("prior mean 10", {"prior_mean": 10.0}),
    "plane": Lesson("two dimensions", {"latent_dim": 2}, has_map=True),
    "watched": Lesson("two dimensions, twenty epochs", {"latent_dim": 2, "epochs": 20}),
    "ppca": Lesson(
        "linear and Gaussian: probabilistic PCA",
        {
            "architecture": "linear",
            "latent_dim": 8,
            "likelihood": "gaussian",
            "sigma_mode": "optimal",
            "batch_size": 125,
            "epochs": 40,
            "learning_rate": 0.02,
            "average": 0.0,
            "learning_rate_warmup": 0,
        },
        data="digits",
    ),
}  # by name


def main() -> int:
    """Trains and records what is named; all where nothing is."""
    parser = argparse.ArgumentParser("python -m checkpoints.lessons", description="Record the trainings of the cards.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(LESSONS))
    parser.add_argument("--data-dir", default="data")
    options = parser.parse_args()
    torch.set_num_threads(1)  # models this small gain nothing by more
    if unknown := sorted(set(options.names) - LESSONS.keys()):
        parser.error(f"there is no lesson {unknown[0]}; there are {', '.join(LESSONS)}")
    for name in options.names or LESSONS:
        lesson = LESSONS[name]
        made = make(lesson, load_dataset(lesson.data, options.data_dir), HERE / name)
        test = made.records()[-1]["test"]
        print(f"{name}: −ELBO {-test['elbo']:.2f}, KL {test['kl']:.2f}, {made.size() / 1e6:.2f} MB", flush=True)
    return 0


def make(lesson: Lesson, dataset: Dataset, into: Path) -> RunFolder:
    """Trains a lesson on the CPU and records it into a folder, which is replaced; returns that folder."""
    made = RunFolder(into)
    with tempfile.TemporaryDirectory() as work:
        run = RunFolder(Path(work) / "run")
        _train(lesson, dataset, run)
        shutil.rmtree(into, ignore_errors=True)
        rows = None if lesson.has_map else STRIP
        record(run, made, name=lesson.title, records=RECORDS, frames=FRAMES, height=rows)
    (made.frames / "newest.jpg").unlink()  # that is the last one, too
    return made


def _train(lesson: Lesson, dataset: Dataset, run: RunFolder) -> None:
    """Trains a lesson into a folder. Pictures come after records number 1, 2, 3, 4, 6, 8, …, not by the clock."""
    config = lesson.config()
    run.create()
    run.write_config(RunConfig(**vars(config) | {"train_images": len(dataset.train)}))
    model = VAE(config.model, torch.Generator().manual_seed(config.training.seed), mean=dataset.mean_image())
    state = TrainState.start(model)
    film = Film(run.frames, film_images(dataset, model, torch.device("cpu")), math.inf)
    lines = []
    run.write_status(State.RUNNING)
    for metrics in train(model, dataset, config.training, "cpu", state):
        lines.append(json.dumps(_rounded(asdict(metrics))) + "\n")
        last = state.step == config.training.total_steps(len(dataset.train))
        if last or math.log2(len(lines)) % 0.5 < math.log2(1 + 1 / len(lines)):
            film.take(state.model(model), metrics.step, metrics.seconds, metrics.kl_per_dim, keep=True)
    write_atomically(run.path / "metrics.jsonl", "".join(lines).encode())
    run.write_status(State.FINISHED, f"Step {state.step:,} of {state.step:,}.")


def _rounded(value: Any) -> Any:
    """A record with few digits, which is all that a card shows."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(of_it) for name, of_it in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
