"""The exact posterior in the browser: how far its log p(x) is from the server's quadrature, and how long it takes.

    python -m bench.plane --data-dir D [--model mnist-mlp-2d] [--images 200]

Of MNIST's test images, evenly over all, in a real Chromium. The first of them finds the table of the plane made, as a
drawing does whose first stroke has begun before.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import statistics
import tempfile
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright
from torch import Tensor

from tests.browser.conftest import EXACT, FLAGS, NAMES, start, stop
from vae_core import VAE, load_checkpoint, load_dataset
from vae_core.data import binarized_for_evaluation, spread
from vae_core.evaluation.posterior import grid_truth

HERE = Path(__file__).parent.parent


def asked(model: VAE, x: Tensor) -> list[dict[str, object]]:
    """What the page is asked of each image: as the model sees it, and q."""
    with torch.inference_mode():
        q = model.posterior(x)
    images = (255 * x).round().to(torch.uint8).flatten(1)
    texts = [base64.b64encode(image.numpy().tobytes()).decode() for image in images]
    each = zip(texts, q.mu.tolist(), q.std.tolist(), strict=True)
    return [{"seen": seen, "q": {"mu": mu, "std": std}} for seen, mu, std in each]


def spread_of(values: list[float], digits: int) -> str:
    """Median, 95th percentile and largest."""
    p95 = statistics.quantiles(values, n=20)[-1]
    return f"median {statistics.median(values):.{digits}f}, p95 {p95:.{digits}f}, largest {max(values):.{digits}f}"


def main() -> None:
    """Prints a line a measurement."""
    parser = argparse.ArgumentParser("python -m bench.plane")
    parser.add_argument("--data-dir", type=Path, required=True, help="where MNIST is")
    parser.add_argument("--model", default="mnist-mlp-2d", help="a shipped model of two dimensions")
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    model = load_checkpoint(HERE / "checkpoints" / f"{options.model}.safetensors")
    images = load_dataset("mnist", options.data_dir).test
    x = binarized_for_evaluation(images[spread(len(images), options.images)], model.config.binarization)
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder))
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page()
            page.goto(f"{server.url}/live/exact/exact.js")
            table, found = page.evaluate(EXACT, [f"{server.url}/live/models/{options.model}/decoder", asked(model, x)])
            browser.close()
        finally:
            stop(server)
    print(f"the decoder loaded and the plane's table made: {table:.0f} ms")
    print(f"ms for an image: {spread_of([one['ms'] for one in found], 0)}")
    truth = grid_truth(model, x)
    off = [abs(one["log_px"] - wanted) for one, wanted in zip(found, truth.log_px.tolist(), strict=True)]
    shown = [one["uncertainty"] for one in found]
    print(f"nats from the server's quadrature: {spread_of(off, 4)}")
    print(f"the server's own error: {spread_of(truth.error.tolist(), 4)}")
    print(f"error as it is shown: {spread_of(shown, 4)}; {sum(a <= b + 1e-3 for a, b in zip(off, shown, strict=True))} "
          f"of {len(off)} are within it")  # fmt: skip


if __name__ == "__main__":
    main()
