"""How soon a visitor sees something live: from the address to the answered digit, and from a press to each other tab.

    python -m bench.first_sight --data-dir D [--visits 10]

Each visit is another browser. The first one, which finds nothing in the server's memory, is shown apart.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS, NAMES, start, stop

# By tab, what is live: a selector, and a pattern of its text. It is looked for at every frame: Playwright's own waiting
# comes to look only once a second.
THERE = {
    "theory": ("#theory-card .live-terms output", "[0-9]"),  # the ELBO of a digit
    "train": ("#pictures .live[data-version]:not(.live-waiting)", ""),
    "elbo": ("#elbo-curves .main-svg .scatterlayer .trace", ""),
    "draw": ("#draw .live-terms output", "[0-9]"),
    "latents": (".live-path", "decoded"),
    "runs": ("#runs p", "[a-z]"),
}
IS_THERE = """([selector, pattern]) => [...document.querySelectorAll(selector)].some(
    (it) => it.getClientRects().length && new RegExp(pattern).test(it.textContent))"""


def visit(browser: Browser, url: str) -> dict[str, float]:
    """The seconds until something live is there, by tab; theory is the address itself."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    begun = time.monotonic()
    page.goto(url, wait_until="commit")
    found = {}
    for tab, there in THERE.items():
        if tab != "theory":
            page.wait_for_selector("#theory-card .live-plane[data-tiles]", state="attached")
            begun = time.monotonic()
            page.click(f"[role=tab][data-tab-id={tab}]:visible")
        page.wait_for_function(IS_THERE, arg=there)
        found[tab] = time.monotonic() - begun
    page.context.close()
    return found


def main() -> None:
    """Prints medians and the slowest of all visits."""
    parser = argparse.ArgumentParser("python -m bench.first_sight")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--visits", type=int, default=10)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), "--data-dir", options.data_dir)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            cold, *warm = [visit(browser, server.url) for _ in range(1 + options.visits)]
        finally:
            browser.close()
            stop(server)
    for tab, seconds in cold.items():
        of_it = [each[tab] for each in warm]
        print(
            f"{tab:8} first visit {seconds:5.2f} s, then median {statistics.median(of_it):5.2f} s,"
            f" slowest {max(of_it):5.2f} s"
        )


if __name__ == "__main__":
    main()
