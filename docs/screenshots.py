"""Takes the pictures of README.md and docs/using.md from the real app: python -m docs.screenshots --data-dir D.

MNIST must be in D.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, NAMES, Visitor, start

HERE = Path(__file__).parent / "screenshots"
TWO = [(0.3, 0.3), (0.42, 0.17), (0.6, 0.2), (0.64, 0.36), (0.5, 0.56), (0.28, 0.8), (0.72, 0.8)]


def take(visitor: Visitor) -> None:
    """One picture a tab, in the order in which a person would come to them."""
    page = visitor.page
    records = "document.querySelector('#train-curves .live-plot')?.data?.[1].x.length >= "
    visitor.set("Epochs", 20)
    visitor.set("Dimensions D", 2)
    page.click("#train")
    page.wait_for_function(f"{records} 6", timeout=60_000)
    visitor.set("β", 2)
    page.keyboard.press("Tab")
    page.wait_for_function(f"{records} 11", timeout=60_000)
    page.screenshot(path=HERE / "train.png", full_page=True)
    visitor.tab("ELBO")
    page.wait_for_function("document.querySelector('#kl-history .live')?.data?.[0].z?.length === 2", timeout=60_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=HERE / "elbo.png", full_page=True)
    visitor.tab("Train")
    page.click("#pause")
    visitor.wait_for_state("paused")
    page.click("#step")
    page.wait_for_selector("#batch figure")
    page.locator("#batch").screenshot(path=HERE / "batch.png")
    page.click("#stop")
    visitor.wait_for_state("stopped")
    page.wait_for_function("!document.querySelector('#train').disabled")
    visitor.set("Epochs", 4)
    visitor.set("β", 1)
    for dims in (5, 20):
        visitor.set("Dimensions D", dims)
        page.click("#train")
        visitor.wait_for_state("finished")
        page.wait_for_function("!document.querySelector('#train').disabled")
    visitor.tab("Draw")
    page.wait_for_selector(".live-examples button")
    page.get_by_role("button", name="Clear").click()
    visitor.draw(*TWO)
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Find the best q").click()
    page.wait_for_timeout(9000)
    page.screenshot(path=HERE / "draw.png", full_page=True)
    visitor.tab("Latents")
    page.wait_for_selector(".live-list input[type=range]")
    page.get_by_role("button", name="My drawing").click()
    page.get_by_label("Plane", exact=True).select_option("principal")
    page.wait_for_timeout(4000)
    page.screenshot(path=HERE / "latents.png")
    plane(visitor)
    visitor.tab("Runs")
    page.wait_for_function("document.querySelectorAll('#runs tbody tr').length === 3")
    for row in range(3):
        page.locator("#runs tbody tr").nth(row).get_by_label("Compare this run").check()
    page.wait_for_function("document.querySelector('#compare .live-plot').data.length === 3")
    page.wait_for_timeout(1000)
    page.screenshot(path=HERE / "runs.png", full_page=True)


def theory(visitor: Visitor) -> None:
    """A card of the Theory tab: evidence = ELBO + gap."""
    page = visitor.page
    page.goto(f"{visitor.url}?tab=theory&model=mnist-mlp-2d&card=gap")
    page.wait_for_selector(".live-card-gap .live-plane[data-tiles=close]")
    page.wait_for_function("document.querySelector('.live-card-gap [data-value=gap]').textContent.match(/[0-9]/)")
    page.wait_for_timeout(1000)
    page.screenshot(path=HERE / "theory.png")


def plane(visitor: Visitor) -> None:
    """The map of the run with two dimensions, and q of a test image over its exact posterior."""
    page = visitor.page
    page.get_by_label("Model", exact=True).click()
    page.locator('ul[role="listbox"] li', has_text=re.compile("my run.*2 dimensions")).click()
    page.wait_for_function("document.querySelectorAll('.live-list input[type=range]').length === 2")
    page.get_by_label("q over the exact posterior of").select_option("5")
    page.wait_for_timeout(5000)
    page.locator("#latents-plane").screenshot(path=HERE / "plane.png")


def main() -> None:
    """Starts the app, visits it, and leaves the pictures in docs/screenshots."""
    parser = argparse.ArgumentParser("python -m docs.screenshots")
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), "--data-dir", str(options.data_dir))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script("sessionStorage.removeItem('vae-drawing')")  # a digit is there
            theory(Visitor(context, server.url, "/"))
            take(Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), server.url))
        finally:
            browser.close()
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    main()
