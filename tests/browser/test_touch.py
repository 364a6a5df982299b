"""On a telephone a finger moves the handle that it is on, up and down too, and never the page."""

import re

import pytest

pytestmark = pytest.mark.browser


def stroke(me, selector, dx, dy):
    """A finger goes from the middle of an element by dx and dy."""
    page = me.page
    page.locator(selector).scroll_into_view_if_needed()
    me.frames()
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = page.context.new_cdp_session(page)
    send = lambda kind, *points: client.send(  # noqa: E731
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]}
    )
    send("touchStart", (x, y))
    for n in range(1, 9):
        send("touchMove", (x + dx * n / 8, y + dy * n / 8))
    send("touchEnd")
    me.frames()


@pytest.fixture
def phone(visit):
    def at(card):
        me = visit(
            f"?tab=theory&model=mnist-mlp-2d&card={card}", fresh=True, viewport={"width": 390, "height": 700},
            has_touch=True, is_mobile=True,
        )  # fmt: skip
        me.page.wait_for_selector(f".live-card-{card} [role=slider], .live-card-{card} .live-held", state="attached")
        return me

    return at


def test_q_on_the_map_follows_a_finger_up(phone):
    me = phone("gap")
    me.page.wait_for_selector(".live-card-gap .live-plane[data-tiles=close]")
    mu = "document.querySelector('.live-card-gap .live-held').getAttribute('cy')"
    me.page.locator(".live-card-gap .live-held").scroll_into_view_if_needed()
    before, scrolled = float(me.page.evaluate(mu)), me.page.evaluate("scrollY")
    stroke(me, ".live-card-gap .live-held", 15, -60)
    assert me.page.evaluate("scrollY") == scrolled
    assert float(me.page.evaluate(mu)) < before - 15  # of 200 units across the map


def test_a_curve_follows_a_finger_that_goes_askew(phone):
    me = phone("gaussian")
    handle = me.page.get_by_role("slider", name=re.compile("mean of q")).first
    handle.scroll_into_view_if_needed()
    scrolled, before = me.page.evaluate("scrollY"), float(handle.get_attribute("aria-valuenow"))
    stroke(me, ".live-handle[aria-label='mean of q']", 40, -80)
    assert me.page.evaluate("scrollY") == scrolled
    assert float(handle.get_attribute("aria-valuenow")) > before + 0.3
