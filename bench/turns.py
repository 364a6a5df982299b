"""Forty people press Train: when each sees its first point, how alike they progress, and what taking turns costs.

    python -m bench.turns [--data-dir D] [--data digits|mnist] [--trainings 40] [--within 20] [--seconds 60]
                          [--in-memory 64] [--out FILE]

First one training after the other has the device for a while: its images a second by the clock are what the server can
do. Then all are started one by one within some seconds, with the settings that the page offers, and watched as the
page does, by what their folders hold. No page asks anything meanwhile. Prints and, with --out, writes as JSON: seconds
from each start to its first record, images seen by each at the end, least and most; images a second of all together
over the last minute and alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vae_core import TrainConfig, VAEConfig
from vae_core.data import Dataset, load_dataset
from vae_core.device import describe_device, pick_device
from vae_core.runs.server import Runs

LONG = TrainConfig(epochs=10_000)
ALONE = 3  # trainings, one after the other
LOOK = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Figures:
    """What was measured; first: seconds to each first record, the median, the slowest but two, and the slowest."""

    device: str
    data: str
    trainings: int
    in_memory: int
    first: tuple[float, float, float]
    least: int
    most: int
    alone: float
    together: float


def seen(runs: Runs, run: str) -> int:
    """Images that a run has been trained on, by its newest record."""
    records = runs.folder(run).records()
    return records[-1]["images_seen"] if records else 0


def begin(runs: Runs, dataset: Dataset, owner: str) -> str:
    """Starts a training as the page would."""
    return runs.start(VAEConfig(), LONG, dataset.name, lambda report: (dataset, ""), owner)


def until(condition: Callable[[str], bool], run: str) -> None:
    """Waits until it holds for the run."""
    while not condition(run):
        time.sleep(LOOK)


def speed(runs: Runs, started: Sequence[str], seconds: float) -> float:
    """Images a second of the wall clock of all of these, over so many seconds."""
    before, mark = sum(seen(runs, run) for run in started), time.perf_counter()
    time.sleep(seconds)
    return (sum(seen(runs, run) for run in started) - before) / (time.perf_counter() - mark)


def alone(runs: Runs, dataset: Dataset, seconds: float) -> float:
    """Images a second of a training that has the device for itself; the median of some."""
    found = []
    for number in range(ALONE):
        run = begin(runs, dataset, f"alone {number}")
        until(lambda run: seen(runs, run) > 0, run)
        found.append(speed(runs, [run], seconds))
        runs.stop(run, f"alone {number}")
        until(lambda run: run not in runs.queue.trainings, run)
    return statistics.median(found)


def together(
    runs: Runs, dataset: Dataset, count: int, within: float, seconds: float
) -> tuple[list[float], list[int], float]:
    """Starts so many, evenly within some seconds, and lets them train for some more.

    Returns:
        the seconds to each first record, the images that each has seen at the end, and those of all a second.
    """
    began: dict[str, float] = {}
    first: dict[str, float] = {}
    mark = time.perf_counter()
    while len(first) < count:
        if len(began) < count and time.perf_counter() - mark >= len(began) * within / count:
            began[begin(runs, dataset, f"{len(began)}")] = time.perf_counter()
        for run in began.keys() - first.keys():
            if seen(runs, run):
                first[run] = time.perf_counter() - began[run]
        time.sleep(LOOK)
    a_second = speed(runs, list(began), seconds)
    return list(first.values()), [seen(runs, run) for run in began], a_second


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--data", default="digits", choices=("digits", "mnist"))
    parser.add_argument("--trainings", type=int, default=40)
    parser.add_argument("--within", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--in-memory", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    dataset = load_dataset(options.data, options.data_dir, download=False)
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(folder, device, 1, options.in_memory)
        try:
            by_itself = alone(runs, dataset, options.seconds / 4)
            first, images, a_second = together(runs, dataset, options.trainings, options.within, options.seconds)
        finally:
            runs.close()
    ordered = sorted(first)
    slow = ordered[max(0, len(ordered) - 1 - len(ordered) // 20)]
    found = Figures(
        describe_device(device), options.data, options.trainings, options.in_memory,
        (round(statistics.median(ordered), 2), round(slow, 2), round(ordered[-1], 2)),
        min(images), max(images), round(by_itself), round(a_second),
    )  # fmt: skip
    print(f"{found.device}, {found.data}, {found.trainings} trainings, {found.in_memory} in memory")
    print(f"first record after {found.first[0]} s (median), {found.first[1]} s (p95), {found.first[2]} s (slowest)")
    print(f"images seen by each: {found.least:,} to {found.most:,}, {100 * found.least / found.most:.0f} %")
    print(f"images a second: {found.alone:,} alone, {found.together:,} together: {100 * a_second / by_itself:.0f} %")
    if options.out:
        options.out.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
