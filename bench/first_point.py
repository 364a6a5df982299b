"""Time from pressing Train to the first point on the chart, in a real Chromium.

python -m bench.first_point [--data-dir D] [--data digits|MNIST] [--trials 10]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS, NAMES, Visitor, start

# Seen by the page itself, at its next frame: nothing of the test's own round trips is in it.
STOPWATCH = """() => new Promise((resolve) => {
    const node = document.querySelector("#train-curves .live-plot");
    const began = performance.now();
    const look = () => (node.data[0].x.length ? resolve(performance.now() - began) : requestAnimationFrame(look));
    document.querySelector("#train").click();
    look();
})"""


def measure(browser: Browser, url: str, data: str, trials: int) -> list[float]:
    """Milliseconds of each trial, every one a new visitor's first training."""
    times = []
    for _ in range(trials):
        visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), url)
        visitor.page.wait_for_selector("#train-curves .main-svg")
        visitor.choose("Data", data)
        times.append(visitor.page.evaluate(STOPWATCH))
        visitor.page.wait_for_selector("#stop:not([disabled])")
        visitor.page.click("#stop")
        visitor.wait_for_state("stopped")
        visitor.context.close()
    return times


def main() -> None:
    """Prints the median and the range."""
    parser = argparse.ArgumentParser("python -m bench.first_point")
    parser.add_argument("--data-dir", type=Path, help="where MNIST is, for --data MNIST")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--trials", type=int, default=10)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    more = ["--data-dir", str(options.data_dir)] if options.data_dir else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), *more)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        measure(browser, server.url, options.data, 1)  # the data are read once a server
        times = sorted(measure(browser, server.url, options.data, options.trials))
        browser.close()
        server.process.terminate()
        server.process.wait()
    print(f"{options.data}: first point after {statistics.median(times):.0f} ms (median of {len(times)}; ", end="")
    print(f"{times[0]:.0f} to {times[-1]:.0f} ms)")


if __name__ == "__main__":
    main()
