"""A browser that refuses to store anything for the page: all works for that visit, and one sentence says so."""

import pytest

from .conftest import Visitor
from .test_draw import SEVEN, begin, rested, values

pytestmark = pytest.mark.browser

LOST = "your runs cannot be found again"
REFUSED = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
    get() { throw new DOMException("Access is denied for this document.", "SecurityError"); }
});"""  # as where cookies are blocked
ABSENT = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { value: null, configurable: true });"""
FULL = """for (const storage of [localStorage, sessionStorage]) {
    let part = "x".repeat(2 ** 20);
    while (part) {
        try {
            storage.setItem(`part ${storage.length}`, part);
        } catch {
            part = part.slice(Math.ceil(part.length / 2));
        }
    }
}"""


def sentences(me: Visitor) -> list[str]:
    return [text for text in me.page.locator(".page-lost").all_inner_texts() if LOST in text]


def all_works(me: Visitor) -> None:
    """Trains, chooses what the charts show, draws, and goes to Latents and back."""
    page = me.page
    me.train(Epochs=1)
    me.wait_for_state("finished")
    page.locator("#train-curves .live-controls input[type=checkbox]").check()
    page.wait_for_function("document.querySelector('#train-curves .live-plot').layout.yaxis.type === 'log'")
    begin(me)
    me.draw(*SEVEN)
    rested(me)
    drawn = values(me)
    me.tab("Latents")
    page.wait_for_selector("#latents .live-row")
    me.tab("Draw")
    assert values(me) == drawn
    me.tab("Runs")
    page.wait_for_selector("#runs tbody tr")


@pytest.mark.parametrize("script", [REFUSED, ABSENT, FULL], ids=["refused", "absent", "full"])
def test_where_nothing_can_be_stored_all_works_for_the_visit(visit, script):
    me = visit(script=script)
    me.page.wait_for_selector(".page-lost")
    all_works(me)
    assert len(sentences(me)) == 1
    me.reload()
    me.page.wait_for_selector(".page-lost")  # the run is another browser's now
    assert me.page.locator("#runs tbody tr").count() == 0


def test_a_storage_that_fills_up_changes_nothing_and_the_runs_are_found_again(visit):
    me = visit()
    me.page.evaluate(FULL)
    all_works(me)
    me.reload()
    me.page.wait_for_selector("#runs tbody tr")
    assert sentences(me) == []


def test_all_works_in_a_sandboxed_frame(visit, server):
    me = visit()
    # Gradio serves no page of 127.0.0.1 to a frame without an origin.
    url = server.url.replace("127.0.0.1", "vae.localhost")
    me.page.set_content(f'<iframe sandbox="allow-scripts" src="{url}?tab=train" width="1400" height="880"></iframe>')
    frame = me.page.frames[-1]
    frame.wait_for_selector(".page-lost")
    frame.get_by_label("Epochs", exact=True).fill("3000")  # it must not end before it is stopped
    frame.click("#train")
    frame.wait_for_selector('#progress .live[data-state="running"]')
    frame.click("#stop")
    frame.wait_for_selector('#progress .live[data-state="stopped"]')
    frame.get_by_role("tab", name="Draw", exact=True).click()
    frame.get_by_label("Start from a 3").click()
    frame.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
    frame.wait_for_function("location.search.includes('tab=draw')")
    assert frame.locator(".page-lost").is_visible()
    assert frame.locator("#progress strong").first.inner_text() == "Stopped"
    me.page.goto("about:blank")  # it asks nothing more
    me.requests[:] = [address.replace("vae.localhost", "127.0.0.1") for address in me.requests]
