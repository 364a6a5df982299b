"""What it costs to watch log p(x) while a model trains: an epoch of MNIST with and without, in turn.

    python -m bench.watched --data-dir D [--device cpu] [--rounds 5] [--json FILE]

Two trainings of the default model (mlp, 20 dimensions) go on side by side, an epoch of one and then an epoch of the
other; that of the first ends with a look at the watched images. Seconds are of the whole epoch, its evaluation on the
test images included: by the clock, and of the processor, which other work on the machine disturbs less. Medians, and
the median of the ratios within each round.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset
from vae_core.device import describe_device, pick_device
from vae_core.training import loop


def epochs(dataset: Dataset, device: torch.device, rounds: int) -> Iterator[loop.Metrics]:
    """Trains, an epoch at each call; the first is not to be counted."""
    model = VAE(VAEConfig(), torch.Generator().manual_seed(0))
    config = TrainConfig(epochs=rounds + 2)  # the last one never comes: it is the end of the training
    for metrics in loop.train(model, dataset, config, device):
        if metrics.test:
            yield metrics


def measure(dataset: Dataset, device: torch.device, rounds: int) -> dict[str, Any]:
    """Seconds of each epoch with and without, their medians, and what watching adds, in percent."""
    trainings = {way: epochs(dataset, device, rounds) for way in ("with", "without")}
    usual = loop.WATCH_EVERY
    clocks = {"seconds": time.perf_counter, "processor_seconds": time.process_time}
    taken: dict[str, dict[str, list[float]]] = {name: {way: [] for way in trainings} for name in clocks}
    for n in range(rounds + 1):
        for way in ("with", "without") if n % 2 else ("without", "with"):
            loop.WATCH_EVERY = usual if way == "with" else 10**12
            start = {name: clock() for name, clock in clocks.items()}
            metrics = next(trainings[way])
            for name, clock in clocks.items() if n else ():
                taken[name][way].append(round(clock() - start[name], 4))
            assert (metrics.watched is not None) == (way == "with")
    loop.WATCH_EVERY = usual
    return {name: compared(ways) for name, ways in taken.items()}


def compared(ways: dict[str, list[float]]) -> dict[str, Any]:
    """Each round's seconds, their medians, and what watching adds, in percent."""
    ratios = [a / b for a, b in zip(ways["with"], ways["without"], strict=True)]
    medians = {way: statistics.median(each) for way, each in ways.items()}
    return {"rounds": ways, "median": medians, "adds_percent": round(100 * (statistics.median(ratios) - 1), 2)}


def alone(dataset: Dataset, device: torch.device) -> float:
    """Seconds of one look at the watched images, the median of five."""
    model = VAE(VAEConfig(), torch.Generator().manual_seed(0)).to(device)
    x = dataset.held_out_on(device, model.config.binarization)[: loop.WATCHED]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        float(loop.watch(model, x, loop.WATCHED_DRAWS)[1].sum())
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 4)


def main() -> None:
    """Measures, prints, and writes the figures as JSON."""
    parser = argparse.ArgumentParser("python -m bench.watched", description="What watching log p(x) costs.")
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    dataset = load_dataset("mnist", options.data_dir, download=False)
    found = {
        "date": datetime.date.today().isoformat(),
        "device": describe_device(device),
        "threads": torch.get_num_threads(),
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "seconds_of_a_look": alone(dataset, device),
        **measure(dataset, device, options.rounds),
    }
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
