"""Draw and Latents at the speed of the hand, in a real Chromium: how soon a slider or a stroke is answered.

    python -m bench.hand [--data-dir D] [--data digits|MNIST] [--trials 100]

Times are the page's own: from the event to the frame that shows its answer.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import torch
from playwright.sync_api import Browser, FloatRect, Locator, Request, Response, sync_playwright

from tests.browser.conftest import FLAGS, NAMES, Server, Visitor, start
from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.states import State

HERE = Path(__file__).parent.parent
POINTS = 1000  # z, for the largest difference from torch
DRAG = 5.0  # seconds
SIDE_BY_SIDE = 8  # pairs of a training's speed with Latents in sight and without
WINDOW = 8.0  # seconds of each
SCRIPT = Path(__file__).with_suffix(".js")


def spread(times: list[float]) -> str:
    """Median and 95th percentile."""
    return f"median {statistics.median(times):.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:.1f} ms"


def box_of(element: Locator) -> FloatRect:
    """Where a visible element is on the page."""
    box = element.bounding_box()
    assert box is not None
    return box


def latents(browser: Browser, url: str, model: str) -> Visitor:
    """A visitor on the Latents tab with that model."""
    visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), url)
    visitor.page.goto(f"{url}?tab=latents&model={model}")
    visitor.page.wait_for_function("document.querySelector('.live-path')?.textContent.startsWith('decoded in')")
    visitor.page.wait_for_timeout(4000)  # map and strips have come
    return visitor


def sliders(browser: Browser, url: str, name: str, model: str, trials: int) -> None:
    """Slider to picture; frames and requests during a drag by the mouse; the last value of each of many drags."""
    visitor = latents(browser, url, model)
    page = visitor.page
    page.add_script_tag(path=SCRIPT)
    times = [page.evaluate("(value) => hand.slide(value)", random.uniform(-2, 2)) for _ in range(trials)]
    print(f"{name}: slider event to painted pixels: {spread(times)} ({len(times)} moves)")

    box = box_of(page.locator(".live-list input[type=range]").first)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.evaluate("hand.countFrames()")
    visitor.requests.clear()
    began = time.monotonic()
    n = page.evaluate("window.painted")
    while (now := time.monotonic() - began) < DRAG:
        share = 0.5 + 0.4 * torch.sin(torch.tensor(3 * now)).item()
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    rate = (page.evaluate("window.painted") - n) / (time.monotonic() - began)
    page.mouse.up()
    print(f"{name}: {rate:.1f} frames a second over {DRAG:.0f} s, {len(visitor.requests)} requests")
    visitor.context.close()


def last_values(browser: Browser, server: Server, model: str, path: Path) -> None:
    """How many of a hundred drags end with the picture of their last value."""
    visitor = latents(browser, server.url, model)
    decoder = load_checkpoint(path)
    right = 0
    visitor.page.add_script_tag(path=SCRIPT)
    for _ in range(100):
        visitor.page.evaluate("(last) => hand.drag(last)", random.uniform(-3, 3))
        z, shown = visitor.page.evaluate("hand.shown()")
        with torch.inference_mode():
            wanted = decoder.x_hat(torch.tensor([z], dtype=torch.float32)).flatten().clamp(0, 1) * 255
        right += bool((torch.tensor(shown) - wanted).abs().max() <= 1.5)
    print(f"last value of a drag shown: {right} of 100")
    visitor.context.close()


def difference(browser: Browser, url: str, name: str, model: str, path: Path) -> None:
    """The largest difference of a pixel from torch's."""
    decoder = load_checkpoint(path)
    page = browser.new_page()
    page.goto(url)
    page.add_script_tag(path=SCRIPT)
    config = decoder.config
    z = config.prior_mean + config.prior_std * torch.randn(POINTS, config.latent_dim)
    answer = b"".join(map(base64.b64decode, page.evaluate("(asked) => hand.decode(asked)", [model, z.tolist()])))
    with torch.inference_mode():
        wanted = decoder.x_hat(z).reshape(POINTS, 784)
    made = torch.frombuffer(bytearray(answer), dtype=torch.float32).reshape(POINTS, 784)
    print(
        f"{name}: largest pixel difference over {POINTS} z: {float((made - wanted).abs().max()):.1e} (1/255 = 3.9e-03)"
    )
    page.close()


def strokes(browser: Browser, url: str) -> None:
    """From the request of a drawing to its reconstruction on the screen, while strokes go."""
    visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), url)
    page = visitor.page
    visitor.tab("Draw")
    page.wait_for_selector(".live-examples button")
    visitor.draw((0.3, 0.3), (0.6, 0.6))
    page.wait_for_timeout(3000)  # the crowd of test images has been weighed
    page.add_script_tag(path=SCRIPT)
    page.evaluate("hand.noteStrokes()")
    began = time.monotonic()
    box = box_of(page.locator("#draw .live-ink"))
    for stroke in range(6):
        page.mouse.move(box["x"] + box["width"] * (0.25 + 0.08 * stroke), box["y"] + 0.2 * box["height"])
        page.mouse.down()
        for n in range(60):
            y = box["y"] + box["height"] * (0.2 + 0.6 * n / 60)
            page.mouse.move(box["x"] + box["width"] * (0.25 + 0.08 * stroke), y)
            page.wait_for_timeout(16)
        page.mouse.up()
    seconds = time.monotonic() - began
    page.wait_for_timeout(1000)
    times = page.evaluate("window.taken")
    print(f"stroke to reconstruction: {spread(times)} ({len(times)} answers, {len(times) / seconds:.1f} a second)")
    visitor.context.close()


def refreshes(browser: Browser, server: Server, data: str) -> None:
    """How often the weights of a training reach the sliders, and what that costs the training.

    Three pairs: a Latents tab's requests alone against none, as where the browser is another machine's; then with
    Chromium itself on the training's own cores, where the tab's weights are refreshed against where it stays with a
    shipped model, which is what refreshing costs; and against no page at all, which is what an open page costs.
    """
    visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), server.url)
    asked, decoders = noted(visitor)
    run = begin(visitor, server, data)

    def images() -> int:
        return json.loads((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])["images_seen"]

    def speed() -> float:
        """Images a second over a while, by the times at which they were counted."""
        visitor.page.wait_for_timeout(1000)
        began = images()
        at = time.monotonic()
        visitor.page.wait_for_timeout(1000 * WINDOW)
        return (images() - began) / (time.monotonic() - at)

    def requests_alone() -> tuple[float, float]:
        over = threading.Event()
        times: list[float] = []
        watcher = threading.Thread(target=watch, args=(server.url, run.name, asked[-1], over, times))
        watcher.start()
        rate = speed()
        over.set()
        watcher.join()
        return rate, len(times) / (WINDOW + 1)

    def unwatched() -> tuple[float, float]:
        visitor.page.goto("about:blank")
        return speed(), 0.0

    def opened(model: str) -> tuple[float, float]:
        visitor.page.goto(f"{server.url}?tab=latents&model={model}")
        visitor.page.wait_for_function("document.querySelector('.live-path')?.textContent.startsWith('decoded in')")
        visitor.page.wait_for_timeout(5000)
        decoders.clear()
        return speed(), len(decoders) / (WINDOW + 1)

    shipped = next(path.stem for path in sorted((HERE / "checkpoints").glob("*.safetensors")))
    for name, without, watched in (
        ("requests alone", unwatched, requests_alone),
        ("in Chromium on the same cores", lambda: opened(shipped), lambda: opened(run.name)),
        ("the whole page on the same cores", unwatched, lambda: opened(run.name)),
    ):
        compare(name, without, watched)
    visitor.page.goto(f"{server.url}?tab=train")
    visitor.page.click("#stop")
    visitor.wait_for_state("stopped")
    visitor.context.close()


def noted(visitor: Visitor) -> tuple[list[dict[str, Any]], list[str]]:
    """Lists that grow as the page asks what is new of a run, and as it gets decoders: the questions, the addresses."""
    asked: list[dict[str, Any]] = []
    decoders: list[str] = []

    def on_request(request: Request) -> None:
        body = request.post_data or ""
        if '"follow"' in body:
            asked.append(json.loads(body))

    def on_response(response: Response) -> None:
        if response.url.endswith("/decoder") and response.status == 200:
            decoders.append(response.url)

    visitor.page.on("request", on_request)
    visitor.page.on("response", on_response)
    return asked, decoders


def begin(visitor: Visitor, server: Server, data: str) -> Path:
    """Starts a long training on the page, and gives the run's folder."""
    visitor.page.wait_for_selector("#train-curves .main-svg")
    visitor.choose("Data", data)
    visitor.set("Epochs", 10_000)
    visitor.page.click("#train")
    visitor.page.wait_for_selector("#stop:not([disabled])")
    visitor.page.wait_for_timeout(3000)
    (run,) = [path for path in server.runs.iterdir() if (path / "metrics.jsonl").exists()]
    return run


def compare(name: str, without: Callable[[], tuple[float, float]], watched: Callable[[], tuple[float, float]]) -> None:
    """Measures pairs of a training's speed, and prints by how much it is slower with the weights asked for."""
    drops = []
    rates = []
    for _ in range(SIDE_BY_SIDE):
        alone, _ = without()
        rate, often = watched()
        drops.append(1 - rate / alone)
        rates.append(often)
    print(f"weights of a training, {name}: {statistics.median(rates):.2f} times a second, the training ", end="")
    print(f"{statistics.median(drops):.1%} slower ({min(drops):.1%} to {max(drops):.1%}; {len(drops)} pairs)")


def watch(url: str, run: str, body: dict[str, Any], over: threading.Event, times: list[float]) -> None:
    """Asks what a Latents tab asks, as often, and notes when other weights have come."""
    newest = tag = ""
    with httpx.Client(base_url=url) as client:
        while not over.wait(0.5):
            answer = client.post("gradio_api/component_server", json=body).json()
            body["data"] |= {"since": answer["to"], "mark": answer["mark"]}
            for name in ("changes", "frames"):
                body["data"][name] += len(answer[name])
            if answer["newest"] == newest:
                continue
            newest = answer["newest"]
            decoder = client.get(f"live/models/{run}/decoder", headers={"If-None-Match": tag})
            tag = decoder.headers["ETag"]
            if decoder.status_code == 200:
                times.append(time.monotonic())


def main() -> None:
    """Prints a line a measurement."""
    parser = argparse.ArgumentParser("python -m bench.hand")
    parser.add_argument("--data-dir", type=Path, help="where MNIST is, for --data MNIST")
    parser.add_argument("--data", default="digits", help="what the training learns from whose weights are refreshed")
    parser.add_argument("--trials", type=int, default=100)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    more = ["--data-dir", str(options.data_dir)] if options.data_dir else []
    shipped = {path.stem: path for path in sorted((HERE / "checkpoints").glob("*.safetensors"))}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), *more)
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            refreshes(browser, server, options.data)
            models = {name: (name, path) for name, path in shipped.items()}
            models["conv, 20-D"] = put(server, VAEConfig(architecture="conv"))
            for name, (model, path) in models.items():
                sliders(browser, server.url, name, model, options.trials)
                difference(browser, server.url, name, model, path)
            last_values(browser, server, *next(iter(models.values())))
            strokes(browser, server.url)
            browser.close()
        finally:
            server.process.terminate()
            server.process.wait()


def put(server: Server, config: VAEConfig) -> tuple[str, Path]:
    """An untrained model among the server's runs: its id and its file."""
    folder = RunFolder(server.runs / "20260101-000000-0123456789abcdef")
    folder.create()
    folder.write_config(RunConfig(config, TrainConfig(), "digits"))
    save_checkpoint(VAE(config, torch.Generator().manual_seed(0)), folder.model_file)
    folder.write_status(State.FINISHED)
    return folder.path.name, folder.model_file


if __name__ == "__main__":
    main()
