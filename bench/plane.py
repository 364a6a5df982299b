"""The exact posterior in the browser: how far its log p(x) is from a converged one, and how long it takes.

    python -m bench.plane --data-dir D [--model mnist-mlp-2d] [--images 200]

Of MNIST's test images, evenly over all, in a real Chromium. The first of them finds the table of the plane made, as a
drawing does whose first stroke has begun before.
"""

from __future__ import annotations

import argparse
import base64
import math
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
from vae_core.evaluation.posterior import log_joint, square

HERE = Path(__file__).parent.parent


def asked(model: VAE, x: Tensor) -> list[dict[str, object]]:
    """What the page is asked of each image: as the model sees it, and q."""
    with torch.inference_mode():
        q = model.posterior(x)
    images = (255 * x).round().to(torch.uint8).flatten(1)
    texts = [base64.b64encode(image.numpy().tobytes()).decode() for image in images]
    each = zip(texts, q.mu.tolist(), q.std.tolist(), strict=True)
    return [{"seen": seen, "q": {"mu": mu, "std": std}} for seen, mu, std in each]


@torch.inference_mode()
def converged(model: VAE, x: Tensor) -> list[float]:
    """log p(x) of each image, by sums over lattices that are halved until none moves by more than 1e-3 nats.

    They begin where the server's do, and go on wherever p(x, z) is not 16 nats below its highest.
    """
    axis, area = square(model, model.posterior(x), 401, 5.0)
    points = torch.cartesian_prod(axis, axis)
    joints = log_joint(model, x, points).T
    return [_halved(model, image[None], points, joint, area) for image, joint in zip(x, joints, strict=True)]


def _halved(model: VAE, x: Tensor, points: Tensor, joint: Tensor, area: float) -> float:
    found, before = float(joint.logsumexp(0)) + math.log(area), math.inf
    while abs(found - before) > 1e-3:
        side = math.sqrt(area)
        parts = torch.cartesian_prod(*[torch.tensor([-0.25, 0.25]) * side] * 2)  # of the squares that matter
        around = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0]) * side] * 2)
        matter = (points[joint > joint.max() - 16][:, None] + around).flatten(0, 1)
        squares = torch.unique(torch.round((matter - points[0]) / side), dim=0) * side + points[0]
        points, area = (squares[:, None] + parts).flatten(0, 1), area / 4
        joint = log_joint(model, x, points)[:, 0]
        found, before = float(joint.logsumexp(0)) + math.log(area), found
    return found


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
    truth = converged(model, x)
    off = [abs(one["log_px"] - wanted) for one, wanted in zip(found, truth, strict=True)]
    shown = [one["uncertainty"] for one in found]
    within = sum(a <= b + 1e-3 for a, b in zip(off, shown, strict=True))
    print(f"nats from a converged quadrature: {spread_of(off, 4)}")
    print(f"as it is shown: ± {spread_of(shown, 4)}; {within} of {len(off)} are within it")


if __name__ == "__main__":
    main()
