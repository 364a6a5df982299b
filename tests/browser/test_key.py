"""A visitor's runs come to another browser by words or by a link, and only if both presses are made."""

import re

import pytest
from playwright.sync_api import expect

from .test_runs_tab import rename

pytestmark = pytest.mark.browser
ROWS = "#runs tbody tr"


@pytest.fixture
def anna(visit):
    """A visitor with one run."""
    me = visit()
    me.train(Epochs=1)
    me.wait_for_state("finished")
    return me


def words_of(me):
    me.tab("Runs")
    me.page.get_by_role("button", name="My key", exact=True).click()
    words = me.page.locator(".live-key-words")
    expect(words).to_have_text(re.compile(r"^\w+( \w+){11}$"))
    return words.inner_text()


def test_words_bring_the_runs_to_another_browser_which_may_then_steer_them(anna, visit):
    words, bert = words_of(anna), visit()
    bert.tab("Runs")
    bert.page.get_by_role("button", name="My key", exact=True).click()
    bert.page.get_by_label("A key of mine").fill(words.rsplit(" ", 1)[0] + " abandon abandon")
    bert.page.get_by_role("button", name="Bring its runs here").click()
    expect(bert.page.locator(".live-key .live-message")).to_contain_text("A key is twelve words; that is 13.")
    bert.page.get_by_label("A key of mine").fill(words)
    bert.page.get_by_role("button", name="Bring its runs here").click()
    expect(bert.page.locator(".live-key .live-message")).to_have_text("1 run will be here.")
    assert bert.page.locator(ROWS).count() == 0  # until it is said twice
    bert.page.get_by_role("button", name="Yes, bring them here").click()
    bert.wait_for_state("finished")
    bert.reload()
    bert.tab("Runs")
    expect(bert.page.locator(ROWS)).to_have_count(1)
    rename(bert, 0, "brought along")
    expect(bert.page.locator(ROWS)).to_contain_text("brought along")


def test_a_link_asks_first_and_leaves_the_address(anna, visit):
    browser = anna.browser()
    bert = visit(f"?tab=runs#key={browser}")
    expect(bert.page.locator(".live-key[open]")).to_be_visible()
    assert browser not in bert.page.url and bert.page.get_by_label("A key of mine").input_value() == browser
    bert.page.get_by_role("button", name="Close", exact=True).click()
    bert.reload()
    assert bert.browser() != browser  # nothing was taken
    expect(bert.page.locator(ROWS)).to_have_count(0)
