"""What watching costs a training: its speed with no watcher, with one, and with thirty, in turn in one process.

    python -m bench.watching [--data-dir D] [--data digits|mnist] [--rounds 9] [--seconds 4]

A watcher asks what the page asks, over HTTP, as often as the server lets it; all watchers are one other process, so
what that process costs the processor counts too. Prints each one's requests a second and bytes, and the drop in speed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import torch

import ui
from app import HERE
from ui.backend import Backend
from vae_core import TrainConfig, VAEConfig
from vae_core.device import describe_device, pick_device
from vae_core.runs.records import Records
from vae_core.runs.server import Runs

ALONE = 1
MANY = 30
SETTLING = 5.0  # seconds until all watchers have what there was before they came


async def watch(url: str, component: int, run: str, tally: dict[str, int]) -> None:
    """One watcher, until it is cancelled: asks for what is new, and waits as it is told."""
    request: dict[str, Any] = {"run": run, "since": 0, "mark": "", "changes": 0, "frames": 0}
    async with httpx.AsyncClient(timeout=30) as client:
        while True:
            body = {"data": request, "component_id": component, "fn_name": "follow", "session_hash": "bench"}
            content = (await client.post(f"{url}/gradio_api/component_server", json=body)).content
            answer = json.loads(content)
            tally["requests"] += 1
            tally["bytes"] += len(content) if request["since"] else 0  # the first answer holds everything so far
            tally["increments"] += bool(request["since"])
            seen = {"changes": len(answer["changes"]), "frames": len(answer["frames"])}
            request |= {"since": answer["to"], "mark": answer["mark"]} | {
                name: request[name] + count for name, count in seen.items()
            }
            await asyncio.sleep(answer["wait"] / 1000)


def watchers(url: str, component: int, run: str, orders: multiprocessing.Queue, answers: multiprocessing.Queue) -> None:
    """The process of the watchers: takes (how many, seconds), and gives its tally."""

    async def crowd(count: int, seconds: float) -> dict[str, int]:
        tally = {"requests": 0, "bytes": 0, "increments": 0}
        tasks = [asyncio.create_task(watch(url, component, run, tally)) for _ in range(count)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return tally

    while (order := orders.get()) is not None:
        answers.put(asyncio.run(crowd(*order)))


def speed(records: Records, seconds: float) -> float:
    """Steps a second of the wall clock, from records that lie that far apart."""

    def now() -> tuple[int, float]:
        first = len(records.read())
        while len(records.read()) == first:
            time.sleep(0.002)
        assert records.last is not None
        return records.last["step"], time.perf_counter()

    step, start = now()
    time.sleep(seconds)
    last, end = now()
    return (last - step) / (end - start)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser("python -m bench.watching")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--data", default="digits")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    device = pick_device(options.device)
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(folder, device)
        backend = Backend(options.data_dir, HERE / "checkpoints", runs)
        page = ui.build(backend)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        _, url, _ = page.launch(server_port=port, prevent_thread_lock=True, quiet=True, ssr_mode=False)
        component = next(id for id, block in page.blocks.items() if getattr(block, "elem_id", "") == "progress")
        run = runs.start(VAEConfig(), TrainConfig(epochs=100_000), options.data, backend.loading(options.data), "bench")
        while not runs.folder(run).records():
            time.sleep(0.1)
        measure(Records(runs.folder(run).path / "metrics.jsonl"), run, url.rstrip("/"), component, options)
        runs.close()
        page.close()
    print(f"{describe_device(device)}, torch {torch.__version__}, gradio {gr.__version__}, {options.data}")


def measure(records: Records, run: str, url: str, component: int, options: argparse.Namespace) -> None:
    """Measures the three conditions in turn, so that a slow moment of the machine meets all of them."""
    context = multiprocessing.get_context("spawn")
    orders = context.Queue()
    answers = context.Queue()
    process = context.Process(target=watchers, args=(url, component, run, orders, answers))
    process.start()
    alone: list[float] = []
    drops: dict[int, list[float]] = {ALONE: [], MANY: []}
    tallies: dict[int, list[dict[str, int]]] = {ALONE: [], MANY: []}
    for round_ in range(options.rounds + 1):
        for count in (ALONE, MANY):
            pair = []
            for watching in (0, count) if round_ % 2 else (count, 0):
                if watching:
                    orders.put((watching, options.seconds + SETTLING + 0.5))
                    time.sleep(SETTLING)
                pair.append((watching, speed(records, options.seconds)))
                if watching:
                    tallies[count].append(answers.get())
            without, with_ = (next(rate for watching, rate in pair if bool(watching) == on) for on in (False, True))
            if round_:  # the first round warms up
                alone.append(without)
                drops[count].append(1 - with_ / without)
    orders.put(None)
    process.join()
    print(f"no watcher: {statistics.median(alone):,.0f} steps/s")
    for count, drop in drops.items():
        asked = statistics.median(tally["requests"] for tally in tallies[count]) / (options.seconds + SETTLING + 0.5)
        size = sum(t["bytes"] for t in tallies[count]) / max(1, sum(t["increments"] for t in tallies[count]))
        print(
            f"{count} watching: {statistics.median(drop):+.1%} slower (median of {len(drop)} pairs; "
            f"{min(drop):+.1%} to {max(drop):+.1%}), {asked:.1f} requests/s, {size:,.0f} bytes an increment"
        )


if __name__ == "__main__":
    main()
