"""Takes README.md's moving picture from the real app: python -m docs.film --data-dir D.

A 4 is drawn, its best q is found and the gap closes; then a model with a map trains. MNIST must be in D.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import CLEARED, FLAGS, NAMES, Visitor, start, until

HERE = Path(__file__).parent / "screenshots"
SIZE = (960, 600)  # of the film; the page is half as large again
MOST_BYTES = 3_000_000
FOUR = ([(0.36, 0.16), (0.3, 0.38), (0.26, 0.58), (0.72, 0.56)], [(0.64, 0.2), (0.62, 0.55), (0.6, 0.86)])
CARD = "#theory-card"


class Film:
    """The frames of a page, and the ms that each is shown."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.frames: list[Image.Image] = []
        self.times: list[int] = []

    def shoot(self, ms: int) -> None:
        """Takes a frame."""
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(shot.resize(SIZE, Image.Resampling.LANCZOS))
        self.times.append(ms)

    def save(self, path: Path) -> None:
        """Writes a WebP that plays for ever.

        Raises:
            SystemExit: it is too large.
        """
        first, *rest = self.frames
        first.save(path, save_all=True, append_images=rest, duration=self.times, loop=0, quality=55, method=4)
        if path.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{path} has {path.stat().st_size:,} bytes; it may have {MOST_BYTES:,}.")


def drawn(film: Film) -> None:
    """A 4, its q, and the best q."""
    page = film.page
    page.wait_for_selector(f"{CARD} .live-plane[data-tiles]")
    film.shoot(600)
    box = page.locator(f"{CARD} .live-ink").bounding_box()
    assert box
    for (x, y), *stroke in FOUR:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.down()
        for x, y in stroke:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
            film.shoot(120)
        page.mouse.up()
    exact = f"document.querySelector('{CARD} [data-term=evidence] small').textContent.startsWith('exact')"
    page.wait_for_function(exact)
    film.shoot(1400)
    page.get_by_role("button", name="Find the best q").click()
    page.wait_for_selector(f"{CARD} .live-plane.live-close")
    said = f"document.querySelector('{CARD} .live-card .live-message').textContent.includes('left')"
    while not page.evaluate(said):
        film.shoot(90)
    page.wait_for_selector(f"{CARD} .live-plane[data-tiles=close]")
    film.shoot(2000)
    for _ in range(3):
        page.get_by_role("button", name="throw ε").click()
        page.wait_for_selector(f"{CARD} figcaption:text-is('p(x|z) of this draw')")
        film.shoot(600)


def trained(film: Film, visitor: Visitor) -> None:
    """A training of two dimensions, from its beginning to its end."""
    page = film.page
    visitor.tab("Train")
    page.get_by_role("button", name="2-D map").click()
    until(page, lambda: page.get_by_label("Dimensions D", exact=True).input_value() == "2")
    film.shoot(500)
    page.click("#train")
    page.wait_for_selector('#progress .live[data-state="running"]')
    page.wait_for_selector("#pictures .live[data-version]:not(.live-waiting)")
    while visitor.state() == "running":
        film.shoot(160)
        page.wait_for_timeout(2000)
    film.shoot(2500)


def main() -> None:
    """Starts the app, visits it, and leaves the film in docs/screenshots."""
    parser = argparse.ArgumentParser("python -m docs.film")
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), "--data-dir", str(options.data_dir))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(CLEARED)
            visitor = Visitor(context, server.url, "/")
            film = Film(visitor)
            drawn(film)
            trained(film, visitor)
            film.save(HERE / "film.webp")
        finally:
            browser.close()
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    main()
