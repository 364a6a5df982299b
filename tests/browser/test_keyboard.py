"""All by the keyboard alone: what has the focus is reached by Tab, works by Enter, Space and arrows, and keeps it."""

import pytest

from ui import TABS

from .conftest import script
from .test_accessibility import go, weighed

pytestmark = pytest.mark.browser

MOST = 150  # presses of Tab to a control
# The controls that have no ring, one that something cuts off, or one through their own text.
RINGS = script("rings.js")


class Keys:
    """A visitor without a mouse."""

    def __init__(self, me):
        self.me, self.page = me, me.page

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def has(self, selector):
        """Whether the focus is at that control, with a ring around it."""
        script = """(selector) => {
            const { activeElement: node } = document;
            return node.matches(selector) && getComputedStyle(node).outlineStyle !== "none";
        }"""
        return self.page.evaluate(script, selector)

    def to(self, selector, key="Tab"):
        """Goes on to a control, as far as the page has any."""
        for _ in range(MOST):
            if self.has(selector):
                return
            self.press(key)
        pytest.fail(f"{key} does not lead to {selector}")

    def value(self):
        return self.page.evaluate("document.activeElement.value")


@pytest.fixture
def keys(visit):
    return Keys(visit())


def shown(keys, tab):
    """Goes to a tab, backwards from where the focus is or on from the page's beginning."""
    keys.to(f"[role=tab][data-tab-id={tab}]", "Shift+Tab")
    keys.press("Enter")
    go_on = f"document.querySelector('[role=tab][data-tab-id={tab}]').ariaSelected === 'true'"
    keys.page.wait_for_function(go_on)


def test_a_training_is_started_paused_and_stopped(keys):
    me = keys.me
    keys.to("#presets button")
    keys.press("Space")
    keys.page.wait_for_selector("#presets [aria-pressed=true]")
    assert keys.has("#presets [aria-pressed=true]")
    keys.to("#number-epochs input")
    keys.press("Control+A", *"2000")
    keys.to("#train", "Shift+Tab")
    keys.press("Enter")
    me.wait_for_state("running")
    keys.to("#pause")
    keys.press("Enter")
    me.wait_for_state("paused")
    assert keys.has("#pause")
    keys.press("Space")
    me.wait_for_state("running")
    keys.to("#stop")
    keys.press("Enter")
    me.wait_for_state("stopped")
    keys.to("#setup button")
    me.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys.press("Enter")
    keys.page.wait_for_selector("dialog[open]")
    keys.to("dialog[open] .live-primary")
    keys.press("Enter")
    keys.page.wait_for_selector("dialog[open] >> text=Copied")
    assert "epochs=2000" in keys.page.evaluate("navigator.clipboard.readText()")


def test_a_digit_is_drawn_its_best_q_found_and_moved(keys):
    shown(keys, "draw")
    keys.page.wait_for_selector(".live-examples button")
    keys.to(".live-examples button")
    keys.press("Enter")
    weighed(keys.me)
    keys.to(".live-grab .live-buttons button:nth-child(2):enabled")
    assert keys.page.evaluate("document.activeElement.textContent") == "Find the best q"
    keys.press("Enter")
    keys.page.wait_for_selector("#draw [data-term=gap] span[data-term=amortization]")
    keys.me.settled()
    keys.to(".live-dim", "Shift+Tab")
    keys.press("Space")
    assert keys.has(".live-dim[aria-pressed=true]")
    keys.to("[aria-label='μ of the chosen dimension']")
    before = keys.value()
    with keys.me.answered("judge"):
        keys.press("ArrowRight")
    assert keys.value() != before


def test_a_slider_and_the_maps_point_are_moved(keys):
    shown(keys, "latents")
    keys.page.wait_for_selector(".live-map-plot .main-svg image")
    keys.to(".live-list input[type=range]")
    before = keys.value()
    keys.press("ArrowRight", "ArrowRight")
    assert float(keys.value()) > float(before)
    keys.to(".live-marker")
    said = "document.activeElement.getAttribute('aria-valuetext')"
    before = keys.page.evaluate(said)
    keys.press("ArrowUp")
    keys.page.wait_for_function(f"(before) => {said} !== before", arg=before)


def test_a_run_is_renamed_and_deleted(keys, give):
    give(keys.me, {"latent_dim": 2}, {"latent_dim": 6, "epochs": 3})
    shown(keys, "runs")
    rows = keys.page.locator("#runs tbody tr")
    rows.nth(1).wait_for()
    keys.to("#runs .live-name")
    keys.press("Enter", "Control+A", *"mine", "Enter")
    keys.page.wait_for_selector("#runs .live-name:text-is('mine')")
    assert keys.has("#runs .live-name")
    more = "#runs tbody tr:first-child button[aria-haspopup]"
    keys.to(more)
    keys.press("Enter")
    keys.page.wait_for_selector("[role=menuitem]:focus")
    keys.press("End")
    assert keys.page.evaluate("document.activeElement.textContent") == "Delete"
    keys.press("Enter")
    keys.page.wait_for_selector("#runs dialog[open]")
    keys.press("Escape")
    assert keys.has(more)
    keys.press("Enter")
    keys.page.wait_for_selector("[role=menuitem]:focus")
    keys.press("End", "Enter")
    keys.to("#runs dialog[open] button:not(.live-primary)")
    assert keys.page.evaluate("document.activeElement.textContent") == "Delete it"
    keys.press("Enter")
    rows.nth(1).wait_for(state="detached")
    assert "mine" not in rows.inner_text()
    keys.page.wait_for_function("document.activeElement.closest('#runs')")  # and goes on there


def test_help_and_a_word_give_the_focus_back(keys):
    keys.to("#switches button:nth-of-type(2)")
    keys.press("Enter")
    keys.page.wait_for_selector(".live-help[open]")
    keys.press("Escape")
    assert keys.has("#switches button:nth-of-type(2)")
    keys.to("span[data-term]")
    keys.press("Space")
    keys.page.wait_for_selector(".live-explained:popover-open")
    keys.press("Escape")
    assert keys.has("span[data-term]")


@pytest.mark.parametrize("tab", TABS)
def test_every_control_shows_where_the_focus_is(keys, tab):
    go(keys.me, tab)
    keys.press("Tab")  # from now on the focus is a keyboard's
    assert keys.page.evaluate(RINGS) == []
