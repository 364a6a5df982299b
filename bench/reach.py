"""How long it takes until what the lecturer does has reached every page of a class, beside a training.

    python -m bench.reach [--pages 40] [--acts 30] [--idle] [--out FILE]

Starts the app, has so many pages ask what is new as the page's own script does, and a training of another process
compete for the processor (with --idle: none). Then the lecturer leads, asks, pauses and lets go, one act every two
seconds. Prints the seconds from the moment at which an act is sent to the moment at which a page has been told of it,
over all pages and acts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx

from app import HERE

KEY = "the key of the bench"
PAUSE = 2.0  # seconds between two acts
ACTS: list[dict[str, Any]] = [
    {"what": "lead", "address": "?tab=theory&card=gap"},
    {"what": "ask", "text": "Is the ELBO a lower bound?", "options": ["Always.", "Never."]},
    {"what": "pause", "is_paused": True},
    {"what": "pause", "is_paused": False},
    {"what": "take_away"},
]


@contextmanager
def served() -> Iterator[str]:
    """The app as a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = ("--port", str(port), "--runs-dir", f"{folder}/runs", "--data-dir", f"{folder}/data")
        command = [sys.executable, "app.py", "--lecturer-key", KEY, *options]
        process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "lecturer's link" in line:
                    break
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


async def page(url: str, arrivals: dict[int, list[float]]) -> None:
    """One page, until it is cancelled: notes when it is told of each version."""
    browser, version = secrets.token_hex(16), 0
    async with httpx.AsyncClient(timeout=30) as client:
        while True:
            said = {"browser": browser, "version": version, "tab": "train", "card": "", "run": ""}
            news = (await client.post(f"{url}/live/class/news", json=said)).json()
            if news["version"] != version:
                for told in range(version + 1, news["version"] + 1):
                    arrivals.setdefault(told, []).append(time.perf_counter())
                version = news["version"]
            await asyncio.sleep(news["wait"] / 1000)


async def lesson(url: str, pages: int, acts: int) -> list[float]:
    """Plays the acts, and returns the seconds until each page was told of each."""
    arrivals: dict[int, list[float]] = {}
    sent: dict[int, float] = {}
    async with httpx.AsyncClient(timeout=30) as lecturer:
        await lecturer.get(f"{url}/live/class/enter", params={"key": KEY})
        tasks = [asyncio.create_task(page(url, arrivals)) for _ in range(pages)]
        await asyncio.sleep(2 * PAUSE)
        for number in range(acts):
            mark = time.perf_counter()
            answer = (await lecturer.post(f"{url}/live/class/act", json=ACTS[number % len(ACTS)])).json()
            sent[answer["version"]] = mark
            await asyncio.sleep(PAUSE)
        await asyncio.sleep(2 * PAUSE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for version in sent:
        assert len(arrivals[version]) == pages, f"{len(arrivals[version])} of {pages} pages were told"
    return sorted(at - sent[version] for version in sent for at in arrivals[version])


@contextmanager
def busy() -> Iterator[None]:
    """A training of the command line, which takes what the server leaves of the processor, and more."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--data", "digits", "--epochs", "100000", "--out", f"{folder}/run")
        command = [sys.executable, "-m", "vae_core", "train", *options]
        training = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            training.terminate()
            training.wait()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--acts", type=int, default=30)
    parser.add_argument("--idle", action="store_true", help="no training beside it")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with nullcontext() if options.idle else busy(), served() as url:
        seconds = asyncio.run(lesson(url, options.pages, options.acts))
    p95 = seconds[int(0.95 * len(seconds))]
    found = {
        "pages": options.pages,
        "acts": options.acts,
        "beside_a_training": not options.idle,
        "cores": os.cpu_count(),
        "median": round(statistics.median(seconds), 3),
        "p95": round(p95, 3),
        "slowest": round(seconds[-1], 3),
    }
    print(json.dumps(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
