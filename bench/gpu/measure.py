"""What every part of the measurement on a GPU has: the data, the device, a server with runs, and how they are timed."""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from vae_core import VAE, Dataset, TrainConfig, VAEConfig
from vae_core.config import usual_learning_rate
from vae_core.runs.folder import RunFolder
from vae_core.runs.server import Runs

MODELS = {
    "mlp": VAEConfig(),
    "conv": VAEConfig(architecture="conv"),
    "residual": VAEConfig(architecture="residual"),
    "optimal sigma": VAEConfig(likelihood="gaussian", sigma_mode="optimal"),
}


FOREVER = 10**5  # epochs


Row = dict[str, Any]


class Bench:
    """What every part gets: the data, the device, and whether a moment of everything is enough."""

    def __init__(self, dataset: Dataset, options: argparse.Namespace, device: torch.device) -> None:
        self.dataset = dataset
        self.device = device
        self.data_dir = options.data_dir
        self.short = options.short
        self.rounds = 1 if options.short else options.rounds

    def wait(self) -> None:
        """Until the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], times: int = 1) -> float:
        """Of one call, on average, the device's own work included."""
        self.wait()
        start = time.perf_counter()
        for _ in range(times):
            work()
        self.wait()
        return (time.perf_counter() - start) / times

    def memory(self) -> Row:
        """Megabytes: the largest use since `let_go`, and what the allocator holds."""
        if self.device.type != "cuda":
            return {}
        used = torch.cuda.max_memory_allocated(self.device)
        held = torch.cuda.memory_reserved(self.device)
        return {"most_mb": round(used / 1e6), "reserved_mb": round(held / 1e6)}

    def let_go(self) -> None:
        """Frees what parts before have left."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def load(self, report: Callable[[str], None]) -> tuple[Dataset, str]:
        """The dataset, as a server loads it."""
        return self.dataset, ""

    @contextmanager
    def server(self, trainings: int) -> Iterator[Runs]:
        """The runs of a server that has just been started, in a folder of their own."""
        with tempfile.TemporaryDirectory() as root:
            runs = Runs(root, self.device, trainings)
            try:
                for warming in runs.warm_up():
                    warming.result()
                yield runs
            finally:
                runs.close()
        self.let_go()

    def model(self, name: str) -> VAE:
        """A new one on the device."""
        return VAE(MODELS[name], torch.Generator().manual_seed(0)).to(self.device)


def training(name: str, **settings: Any) -> TrainConfig:
    """Of one of MODELS, at the learning rate that suits it."""
    return TrainConfig(**{"learning_rate": usual_learning_rate(MODELS[name])} | settings)


def last_step(folder: RunFolder) -> int:
    """Of the newest record; the file may be long."""
    try:
        with (folder.path / "metrics.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 20_000))
            lines = file.read().splitlines()
        return json.loads(lines[-1] if lines[-1].endswith(b"}") else lines[-2])["step"]
    except (OSError, IndexError, ValueError):
        return 0


def steps_a_second(folders: list[RunFolder], seconds: float) -> list[float]:
    """Of each run, between two of its records."""
    seen: list[list[tuple[float, int]]] = [[] for _ in folders]
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for folder, of_run in zip(folders, seen, strict=True):
            step = last_step(folder)
            if not of_run or step != of_run[-1][1]:
                of_run.append((now, step))
        time.sleep(0.1)
    spans = [(of_run[1], of_run[-1]) if len(of_run) > 2 else None for of_run in seen]
    return [(b[1] - a[1]) / (b[0] - a[0]) if span else 0.0 for span in spans for a, b in [span or ((0, 0), (1, 0))]]
