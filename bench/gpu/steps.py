"""A step of a training taken apart, the largest batches, and an epoch beside the textbook's loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch

from bench import train_speed
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.precision import resolve
from vae_core.training.loop import TrainState, batches
from vae_core.training.random import Batches, block_of
from vae_core.training.step import Pace, Step

from .measure import FOREVER, MODELS, Bench, Row, last_step, steps_a_second, training


def step(bench: Bench) -> list[Row]:
    """A step taken apart: in a training, its recording alone, what the processor does for it, and its kernels."""
    cases = [
        ("mlp", 128, "float32"),
        ("mlp", 128, "tf32"),
        ("mlp", 128, "bfloat16"),
        ("mlp", 1024, "float32"),
        ("mlp", 1024, "tf32"),
        ("conv", 128, "float32"),
        ("conv", 128, "tf32"),
        ("residual", 128, "tf32"),
    ]
    return [_step(bench, *case) for case in cases[: 1 if bench.short else None]]


def _step(bench: Bench, name: str, size: int, precision: str) -> Row:
    config = training(name, epochs=FOREVER, batch_size=size, precision=precision)
    device = bench.device
    epochs = 4 if name == "mlp" else 1
    model = bench.model(name)
    count = 40 if bench.short else epochs * math.ceil(len(bench.dataset.train) / size)
    state = TrainState.start(model)
    taken = batches(model, bench.dataset, config, device, state)
    while state.step < count:
        next(taken)
    before = state.step
    seconds = state.seconds
    start = time.perf_counter()
    while state.step < 2 * count:
        next(taken)
    bench.wait()
    steps = state.step - before
    wall = time.perf_counter() - start
    taken.close()

    images = bench.dataset.train_on(device)
    used = resolve(precision, device)
    drawn = Batches(images, model.config, 0, block_of(device, size))
    places = max(drawn.block, 1)
    alone = Step(model, state.adam, used, block=drawn.block)
    pace = Pace(1e-3, 1.0, 0.0)
    block = [drawn.take(config, number) for number in range(places)]
    for _ in range(3):
        alone.take(block, [pace] * len(block))
    taking = bench.seconds(lambda: alone.take(block, [pace] * len(block)), 30) / len(block)
    start = time.perf_counter()
    for _ in range(10):
        alone.take(block, [pace] * len(block))
    host = (time.perf_counter() - start) / 10 / len(block)
    bench.wait()
    drawing = bench.seconds(lambda: [drawn.take(config, places * n) for n in range(20)]) / 20 / places
    row = {"model": name, "batch": size, "precision": precision, "micros": (state.seconds - seconds) / steps * 1e6}
    row |= {"wall_micros": wall / steps * 1e6, "take_micros": taking * 1e6, "host_micros": host * 1e6}
    row |= {"draw_micros": drawing * 1e6, "recorded": bool(alone._recordings and alone._recordings._graphs)}
    row["check_micros"] = bench.seconds(lambda: state.check_finite(model), 20) * 1e6
    test = bench.dataset.held_out_on(device, model.config.binarization)
    row["evaluate_micros"] = bench.seconds(lambda: evaluate_elbo(model, test), 3) * 1e6
    if device.type == "cuda":
        row |= _kernels(lambda: alone.take(block[:1], [pace]))
    alone.close()
    bench.let_go()
    return row | bench.memory()


def _kernels(work: Callable[[], object], times: int = 10) -> Row:
    """Kernels and copies of a call, how long they take, and what the host calls; prints when each kernel ran."""
    from torch.profiler import ProfilerActivity, profile

    for _ in range(2):  # as it comes, and recorded
        work()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        for _ in range(times):
            work()
        torch.cuda.synchronize()
    on_device = [event for event in seen.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    of_host = {e.key: e.count / times for e in seen.key_averages() if e.key.startswith("cu") and e.count >= times}
    on_device.sort(key=lambda event: event.time_range.start)
    of_last = on_device[-len(on_device) // times :]
    for event in of_last:
        since = event.time_range.start - of_last[0].time_range.start
        print(f"    at {since:7.1f} µs for {event.device_time:6.1f}: {event.name[:100]}")
    total = sum(event.device_time for event in on_device)
    return {"kernels": len(on_device) / times, "kernel_micros": total / times, "host_calls": of_host}


def speed(bench: Bench) -> list[Row]:
    """An epoch of MNIST of the textbook's loop and ours, as `bench.train_speed` measures it."""
    cases = train_speed.CASES[: 1 if bench.short else None]
    return [train_speed.measure(*case, bench.data_dir, bench.dataset, bench.device, bench.rounds) for case in cases]


def batch(bench: Bench) -> list[Row]:
    """Time and memory of a step in large batches, and that running out of memory is said and harms nothing else."""
    cases = [("mlp", 1024, 1), ("mlp", 8192, 1), ("mlp", 60_000, 2), ("conv", 8192, 1), ("residual", 8192, 1)]
    rows = []
    for name, size, samples in cases[: 1 if bench.short else None]:
        bench.let_go()
        steps = 6 if bench.short else 24
        config = training(name, steps=steps, batch_size=size, samples=samples)
        model = bench.model(name)
        state = TrainState.start(model)
        for _ in batches(model, bench.dataset, config, bench.device, state):
            pass
        micros = state.seconds / steps * 1e6
        rows.append({"model": name, "batch": size, "samples": samples, "micros": micros} | bench.memory())
        del model, state
    with bench.server(3) as runs:
        config = training("mlp", epochs=FOREVER, batch_size=128)
        small = runs.start(MODELS["mlp"], config, bench.dataset.name, bench.load, "small")
        while last_step(runs.folder(small)) < 100 and runs.queue.going(small):
            time.sleep(0.05)
        row: Row = {"model": "residual", "batch": 60_000, "samples": 2}
        if not bench.short:
            large = training("residual", steps=6, batch_size=60_000, samples=2)
            greedy = [runs.start(MODELS["residual"], large, bench.dataset.name, bench.load, str(n)) for n in range(2)]
            while any(runs.queue.going(run) for run in greedy):
                time.sleep(0.05)
            row["greedy"] = [runs.status(run) for run in greedy]
        rate = steps_a_second([runs.folder(small)], 1.0)[0]
        rows.append(row | {"small": runs.status(small), "small_steps_a_second": rate})
    return rows
