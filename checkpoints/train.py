"""Trains the shipped models from nothing, or goes on where that was broken off, and measures them.

    python -m checkpoints.train [NAME ...] [--data-dir D] [--runs-dir R] [--device cpu|cuda|mps|auto]

Each stage of a recipe is one `python -m vae_core train` into a run's folder; one that has finished is not trained
again. The last one's model becomes NAME.safetensors, with float16 weights where that changes no figure by 0.005 and,
in its header, how it was made and what `python -m vae_core evaluate` prints of it. `python -m checkpoints.cards` writes
the README from the headers.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from vae_core import load_checkpoint, save_checkpoint
from vae_core.cli import new_config, parser
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.storage.checkpoint import read_header

from .recipes import RECIPES, Recipe

HERE = Path(__file__).parent
RUNS = Path("runs/checkpoints")
QUICK = "--samples 50 --images 1000 --subset 2"  # what a test can repeat


def main() -> int:
    """Trains, saves and measures what is named; all where nothing is."""
    own = argparse.ArgumentParser("python -m checkpoints.train", description="Train the shipped models.")
    own.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    own.add_argument("--data-dir", default="data")
    own.add_argument("--runs-dir", type=Path, default=RUNS)
    own.add_argument("--device", default="auto")
    options = own.parse_args()
    if unknown := sorted(set(options.names) - RECIPES.keys()):
        own.error(f"there is no recipe {unknown[0]}; there are {', '.join(RECIPES)}")
    common = ["--data-dir", options.data_dir, "--device", options.device]
    for name in options.names or RECIPES:
        recipe = RECIPES[name]
        for stage in range(len(recipe.stages)):
            if status := _train(recipe, stage, options.runs_dir, common):
                return status
        save(recipe, options.runs_dir, common)
    return 0


def _train(recipe: Recipe, stage: int, runs: Path, common: list[str]) -> int:
    """Trains a stage to its end, from where it is; the exit status of the command."""
    folder = RunFolder(recipe.runs(runs)[stage])
    command = recipe.command(stage, runs)
    if (folder.path / "config.json").exists():
        if not is_of(command, folder.read_config()):
            print(f"{folder.path} is of another recipe: remove it, or take another --runs-dir", file=sys.stderr)
            return 2
        if folder.read_status()["state"] == "finished":
            return 0
        command = ["train", "--resume", "--out", str(folder.path)]
    print(f"python -m vae_core {shlex.join(command)}", flush=True)
    return subprocess.run([sys.executable, "-m", "vae_core", *command, *common], check=False).returncode


def is_of(command: list[str], config: RunConfig) -> bool:
    """Whether a run was begun by that command; how often it keeps records is nobody's matter."""
    wanted = new_config(vars(parser().parse_args(command)), config.device)
    training = replace(wanted.training, record_every=config.training.record_every)
    return (wanted.model, training, wanted.data, wanted.hold_out) == (
        config.model, config.training, config.data, config.hold_out,
    )  # fmt: skip


def save(recipe: Recipe, runs: Path, common: list[str]) -> None:
    """Writes the checkpoint of a recipe whose stages have finished, with its figures."""
    folders = [RunFolder(run) for run in recipe.runs(runs)]
    path = HERE / f"{recipe.name}.safetensors"
    last = folders[-1]
    versions = last.versions()
    model = load_checkpoint(last.model_file)
    about = read_header(last.model_file).about
    made = {
        "commands": [shlex.join(["python", "-m", "vae_core", *recipe.command(n, RUNS)]) for n in range(len(folders))],
        "seconds": sum(folder.records()[-1]["seconds"] for folder in folders),
        "torch": versions["torch"],
        "processor": versions["processor"],
        "date": datetime.fromtimestamp(last.model_file.stat().st_mtime, timezone.utc).date().isoformat(),
    }
    quick = f"{recipe.evaluate} {QUICK}"
    whole = evaluate(last.model_file, quick, common)
    dtype: torch.dtype | None = torch.float16
    save_checkpoint(model, path, about, dtype)
    about |= {"made": made, "quick": evaluate(path, quick, common)}
    if any(abs(whole[name] - about["quick"][name]) >= 0.005 for name in ("elbo", "log_likelihood", "kl")):
        about["quick"] = whole
        dtype = None
        save_checkpoint(model, path, about)
    keep = ["--keep", str(last.path / "estimates.safetensors")]  # it may take hours
    save_checkpoint(model, path, about | {"figures": evaluate(path, recipe.evaluate, common + keep)}, dtype)


def evaluate(path: Path, options: str, common: list[str]) -> dict[str, Any]:
    """What `python -m vae_core evaluate --json` prints of a checkpoint."""
    command = ["-m", "vae_core", "evaluate", str(path), *shlex.split(options), "--json", *common]
    printed = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed) | {"checkpoint": path.name, "options": options}


if __name__ == "__main__":
    sys.exit(main())
