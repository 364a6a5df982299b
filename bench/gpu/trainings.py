"""Trainings as visitors start them: the first record, many at once, and memory over many starts."""

from __future__ import annotations

import time

import torch

from .measure import FOREVER, MODELS, Bench, Row, last_step, steps_a_second, training

BETWEEN_STARTS = 0.15  # seconds


def first(bench: Bench) -> list[Row]:
    """From Train to the first record, of a server's first visitors."""
    rows = []
    with bench.server(4) as runs:
        for number, name in enumerate(("mlp", "mlp", "conv", "conv")):
            start = time.perf_counter()
            config = training(name, steps=200, seed=number)
            run = runs.start(MODELS[name], config, bench.dataset.name, bench.load, f"visitor {number}")
            while not last_step(runs.folder(run)) and runs.status(run)["state"] != "failed":
                time.sleep(0.002)
            rows.append({"model": name, "seconds": time.perf_counter() - start, "state": runs.status(run)["state"]})
            while runs.queue.going(run):
                time.sleep(0.01)
    return rows


def many(bench: Bench) -> list[Row]:
    """Trainings at once, each started while the others go on: how fast all together, and whether one harms another."""
    rows = []
    cases = [("mlp", 1), ("mlp", 2)] if bench.short else [*(("mlp", 2**n) for n in range(5)), ("conv", 1), ("conv", 8)]
    for name, count in cases:
        with bench.server(count) as runs:
            started = []
            for number in range(count):
                config = training(name, epochs=FOREVER, batch_size=128, seed=number)
                started.append(runs.start(MODELS[name], config, bench.dataset.name, bench.load, f"visitor {number}"))
                time.sleep(BETWEEN_STARTS)
            folders = [runs.folder(run) for run in started]
            end = time.monotonic() + 30
            while time.monotonic() < end and any(last_step(folder) < 200 for folder in folders):
                time.sleep(0.05)
            rates = steps_a_second(folders, 1.0 if bench.short else 3.0)
            failed = [status for run in started if (status := runs.status(run))["state"] == "failed"]
            row = {"model": name, "trainings": count, "steps_a_second": sum(rates), "slowest": min(rates)}
            rows.append(row | {"failed": len(failed), "why": failed[:1]} | bench.memory())
    return rows


def cycle(bench: Bench) -> list[Row]:
    """Forty short trainings, one after another, beside a long one: does memory stay flat, and the long one whole?"""
    rows: list[Row] = []
    with bench.server(4) as runs:
        forever = training("conv", epochs=FOREVER, batch_size=128)
        long = runs.start(MODELS["conv"], forever, bench.dataset.name, bench.load, "long")
        failed = 0
        for number in range(3 if bench.short else 40):
            name = ("conv", "optimal sigma", "mlp")[number % 3]
            config = training(name, steps=40, batch_size=128, seed=number)
            run = runs.start(MODELS[name], config, bench.dataset.name, bench.load, f"visitor {number}")
            while runs.queue.going(run):
                time.sleep(0.01)
            failed += runs.status(run)["state"] != "finished"
            if number % 8 == 0 and bench.device.type == "cuda":
                held = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
                rows.append({"started": number, "allocated_mb": held[0] / 1e6, "reserved_mb": held[1] / 1e6})
        rate = steps_a_second([runs.folder(long)], 1.5)[0]
        record = runs.folder(long).records()[-1]
        state = runs.status(long)["state"]
        elbo = record["train"]["elbo"]
        rows.append({"failed": failed, "long": state, "long_steps_a_second": rate, "long_elbo": elbo})
    return rows
