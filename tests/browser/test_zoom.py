"""Other ways of looking at the page: zoomed, on a phone, translated by the browser, and without motion."""

import pytest

from ui import TABS

from .conftest import script
from .test_accessibility import follow_a_run, go, weighed

pytestmark = pytest.mark.browser

SIZES = {
    "zoomed to 200 %": {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2},
    "a phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}
# What reaches out of the page or of a part that cuts it off, although it could not be scrolled into sight.
CUT_OFF = script("cut_off.js")
# Does to every text of the page what a browser does that translates it.
TRANSLATE = script("translate.js")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_and_the_page_scrolls_down_alone(visit, give, size):
    me = visit(**SIZES[size])
    follow_a_run(me, give)
    found = []
    for tab in TABS:
        go(me, tab)
        me.fitted()
        found.extend(f"{tab}: {text}" for text in me.page.evaluate(CUT_OFF))
    me.page.get_by_role("button", name="Help").click()
    found.extend(f"Help: {text}" for text in me.page.evaluate(CUT_OFF))
    assert found == []


def test_on_a_phone_the_form_is_one_press_away(visit):
    me = visit(**SIZES["a phone"])
    me.page.get_by_role("button", name="Settings").tap()
    me.page.wait_for_function(
        "Math.abs(document.querySelector('.train-settings').getBoundingClientRect().top) < innerHeight / 2"
    )
    assert me.page.locator("#presets button").first.is_visible()


def test_a_translated_page_still_works(visit):
    me = visit()
    me.choose("Data", "digits")
    me.set("Epochs", 2000)
    for tab in TABS:
        go(me, tab)
        me.page.evaluate(TRANSLATE)
    assert me.page.get_by_role("tab", name="Train", exact=True).count() == 0
    go(me, "train")
    me.page.click("#train")
    me.wait_for_state("running")
    me.page.click("#pause")
    me.wait_for_state("paused")
    me.page.evaluate(TRANSLATE)
    me.page.click("#pause")
    me.wait_for_state("running")
    me.page.click("#stop")
    me.wait_for_state("stopped")
    go(me, "draw")
    me.page.locator(".live-examples button").first.click()
    weighed(me)
    me.page.evaluate(TRANSLATE)
    me.page.locator(".live-grab .live-buttons button:nth-child(2)").click()
    me.page.wait_for_selector("#draw [data-term=gap] span[data-term=amortization]")
    go(me, "latents")
    me.page.locator(".live-list input[type=range]").first.press("ArrowRight")
    me.page.locator("#switches button").nth(1).click()
    me.page.locator(".live-help button").nth(TABS.index("train")).click()
    me.page.wait_for_function("document.querySelector('[data-tab-id=train]').ariaSelected === 'true'")
    go(me, "runs")
    me.page.locator("#runs .live-name").click()
    me.page.keyboard.type("mine")
    me.page.keyboard.press("Enter")
    me.page.wait_for_selector("#runs .live-name:text-is('mine')")


def test_nothing_moves_for_those_who_mind_motion(visit):
    me = visit(fresh=True, reduced_motion="reduce")
    moving = "document.getAnimations().map(({ effect }) => effect.target.outerHTML.slice(0, 160))"
    for tab in TABS:
        go(me, tab)
        assert me.page.evaluate(moving) == [], tab
    go(me, "train")
    film = me.page.locator("#pictures .live-scrubber")
    assert film.locator("output").inner_text() == "now"  # the recording has not begun to play
    film.locator("button").first.click()
    me.frames(30)
    assert film.locator("input").input_value() == "0" and film.locator("button").first.inner_text() == "Replay"
    go(me, "draw")
    weighed(me)
    me.page.evaluate("""() => {
        window.ways = [];
        const way = document.querySelector(".live-way .live-trail");
        new MutationObserver(() => ways.push(way.getAttribute("points").split(" ").length))
            .observe(way, { attributeFilter: ["points"] });
    }""")
    me.page.get_by_role("button", name="Find the best q").click()
    me.page.wait_for_selector("#draw [data-term=gap] span[data-term=amortization]")
    me.settled()
    assert len(set(me.page.evaluate("ways"))) == 1  # the whole way at once
