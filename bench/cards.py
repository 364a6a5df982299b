"""The cards of Theory at the speed of the hand, in a real Chromium: each of their handles dragged by the mouse.

    python -m bench.cards [--data-dir D] [--json FILE] [CARD ...]

From a move of the mouse to the frame with its numbers or its picture, in ms; frames a second; requests to the server
while the handle is dragged.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.browser.conftest import FLAGS, NAMES, Visitor, start
from ui.theory.deck import PLANE_MODEL, deck
from vae_core.device import describe_device, pick_device

DRAG = 2.0  # seconds
FAR = 30  # px to each side
FEWEST = 5  # answers that are worth a median
EVERY = 1 / 60  # seconds from a move to the next
KINDS = ("[role=slider]", "input[type=range]", ".live-held", ".live-end")
HANDLES = ", ".join(f"#theory-card {kind}:visible" for kind in KINDS)
SCRIPT = Path(__file__).with_suffix(".js")


def measure(browser: Browser, url: str, card: str) -> list[dict[str, Any]]:
    """What each handle of a card does while it is dragged."""
    visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), url)
    page = visitor.page
    page.goto(f"{url}?tab=theory&card={card}&model={PLANE_MODEL}")
    page.wait_for_selector(f".live-card-{card} .live-card-picture > *")
    page.wait_for_timeout(6000)  # the image in hand, the plane and the draws of the card have come
    page.add_script_tag(path=SCRIPT)
    handles = page.locator(HANDLES).all()
    found = [drag(page, visitor, handle) for handle in handles]
    visitor.context.close()
    return [{"card": card, **it} for it in found if it]


def drag(page: Page, visitor: Visitor, handle: Locator) -> dict[str, Any] | None:
    """Drags a handle to and fro; None if it is not in sight."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    if box is None:
        return None
    name = handle.get_attribute("aria-label") or handle.get_attribute("class") or ""
    is_range = handle.evaluate("(it) => it.matches('input')")
    share = handle.evaluate("(it) => it.matches('input') ? (it.value - it.min) / (it.max - it.min) : 0.5")
    x, y = box["x"] + box["width"] * min(max(share, 0.1), 0.9), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("(isSlider) => drag.note(document.querySelector('#theory-card .live-card'), isSlider)", is_range)
    visitor.requests.clear()
    began = time.monotonic()
    while (now := time.monotonic() - began) < DRAG:
        away = FAR * math.sin(4 * now)
        page.mouse.move(x + away, y if is_range else y - away / 2)
        time.sleep(EVERY)
    requests = len(visitor.requests)
    noted = page.evaluate("drag.end()")
    page.mouse.up()
    page.wait_for_timeout(500)
    taken = noted["taken"]
    if len(taken) < FEWEST:
        return {"handle": name, "answers": len(taken)}
    p95 = statistics.quantiles(taken, n=20)[-1]
    figures = {"median_ms": statistics.median(taken), "p95_ms": p95, "frames_a_second": noted["rate"]}
    rounded = {what: round(value, 1) for what, value in figures.items()}
    return {"handle": name, "answers": len(taken), **rounded, "requests": requests}


def main() -> None:
    """Prints a line a handle, and writes them into a file."""
    parser = argparse.ArgumentParser("python -m bench.cards")
    parser.add_argument("cards", nargs="*", metavar="CARD")
    parser.add_argument("--data-dir", type=Path, help="where MNIST is")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chromium = next(found for name in NAMES if (found := shutil.which(name)))
    more = ["--data-dir", str(options.data_dir)] if options.data_dir else []
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder), *more)
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for card in options.cards or deck():
                for row in measure(browser, server.url, card):
                    rows.append(row)
                    print(json.dumps(row, ensure_ascii=False), flush=True)
            browser.close()
        finally:
            server.process.terminate()
            server.process.wait()
    if options.json:
        date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        about = {"date": date, "device": describe_device(pick_device("cpu")), "load_average": os.getloadavg()}
        options.json.write_text(
            json.dumps(about | {"handles": rows}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
