"""The address bar: it follows what is shown, and opens it again."""

import re

import pytest

from vae_core import load_checkpoint

from ..conftest import ROOT
from .test_latents import SHIPPED, opened, point, ready, start_of

pytestmark = pytest.mark.browser


def test_watching_a_run_is_in_the_address(visit, list_runs):
    me = visit()
    list_runs(me, {})
    me.page.get_by_role("button", name="Open", exact=True).click()
    me.page.wait_for_function("location.search.includes('tab=train')")
    me.page.go_back()
    me.page.wait_for_function("document.querySelector('[role=tab][aria-selected=true]').dataset.tabId === 'runs'")
    assert "tab=runs" in me.page.url


def test_the_address_follows_before_latents_was_opened_and_back_goes_a_tab_back(visit):
    me = visit()
    me.tab("Draw")
    me.page.wait_for_function("location.search === '?tab=draw&model=mnist-mlp-20d&scale=square'")
    me.tab("Runs")
    me.page.wait_for_function("location.search.includes('tab=runs')")
    me.page.evaluate("""() => {
        window.written = 0;
        for (const name of ["pushState", "replaceState"]) {
            const write = history[name].bind(history);
            history[name] = (...args) => { write(...args); window.written += 1; };
        }
    }""")
    me.page.go_back()
    me.page.wait_for_selector("#draw .live-ink", state="visible")
    me.page.wait_for_function("written")
    assert "tab=draw" in me.page.url
    me.page.reload()
    me.page.wait_for_selector("#draw .live-ink", state="visible")


def test_the_point_of_a_link_is_kept_until_latents_is_opened(visit):
    z = ",".join(["1.5"] + ["0"] * 19)
    me = visit(f"?tab=draw&model=mnist-mlp-20d&z={z}")
    me.page.wait_for_selector("#draw .live-ink", state="visible")
    me.page.wait_for_function("location.search.includes('scale=square')")  # which the page has written
    assert f"z={z}" in me.page.url
    me.tab("Latents")
    me.page.wait_for_selector(".live-list input[type=range]")
    me.page.wait_for_function("document.querySelector('.live-path').textContent.startsWith('decoded')")
    assert point(me)[0] == 1.5


def test_a_link_opens_the_same_view_again(visit):
    me = opened(visit)
    ready(me)
    me.page.get_by_label("Scale", exact=True).select_option("quantiles")
    me.page.get_by_role("button", name="Random").click()
    z = point(me)
    me.page.wait_for_function("location.search.includes('scale=quantiles')")
    wanted = ",".join(str(round(value, 3)) for value in z[:1])
    me.page.wait_for_function("(z) => location.search.includes(`z=${z}`)", arg=wanted)
    other = visit(me.page.url.removeprefix(me.url))
    other.page.wait_for_selector(".live-list input[type=range]")
    other.page.wait_for_function("document.querySelector('.live-path').textContent.startsWith('decoded')")
    assert point(other) == pytest.approx(z, abs=6e-4)
    assert other.page.get_by_label("Scale", exact=True).input_value() == "quantiles"
    other.tab("Draw")
    other.page.wait_for_function("location.search.includes('tab=draw')")


TRANSLATE = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (texts.nextNode()) if (texts.currentNode.data.trim()) nodes.push(texts.currentNode);
    for (const node of nodes) {
        const font = document.createElement("font");
        font.textContent = `ü ${node.data}`;
        node.replaceWith(font);
    }
}"""  # as a browser's translator does it


def test_a_translated_page_keeps_its_address_back_and_the_ways_between_tabs(visit):
    me = visit()
    me.tab("Draw")
    me.page.get_by_label("Start from a 3").click()
    me.page.wait_for_function("!document.querySelector('.live-grab .live-buttons button:last-child').disabled")
    me.tab("Latents")
    me.page.wait_for_selector(".live-list input[type=range]")
    me.page.evaluate(TRANSLATE)
    assert me.page.inner_text("[data-tab-id=runs]") == "ü Runs"
    me.page.locator("[data-tab-id=runs]").click()
    me.page.wait_for_function("location.search.includes('tab=runs')")
    me.page.go_back()
    me.page.wait_for_selector("#latents .live-decoded", state="visible")
    me.page.locator(".live-hand .live-buttons button").last.click()  # Draw on it
    me.page.wait_for_selector("#draw .live-ink", state="visible")
    me.page.wait_for_function("location.search.includes('tab=draw')")
    me.page.wait_for_function("!document.querySelector('.live-grab .live-buttons button:last-child').disabled")
    me.page.locator(".live-grab .live-buttons button").last.click()  # Look at it in Latents
    me.page.wait_for_selector("#latents .live-decoded", state="visible")
    me.page.wait_for_function("location.search.includes('tab=latents')")


def test_a_translated_page_takes_back_that_the_list_of_runs_could_not_be_had(visit):
    me = visit()
    me.page.route(re.compile("component_server"), lambda route: route.abort())
    me.tab("Runs")
    me.page.wait_for_selector("#runs .live-message >> text=The server does not answer.")
    me.page.evaluate(TRANSLATE)
    me.page.unroute(re.compile("component_server"))
    me.page.wait_for_function("document.querySelector('#runs .live-message').textContent === ''")
    assert me.page.locator("text=The server does not answer.").filter(visible=True).count() == 0
    me.page.locator("[data-tab-id=train]").click()  # which says of the run that it follows what holds when it is seen
    me.page.wait_for_function("!document.body.textContent.includes('The server does not answer.')")
    me.errors[:] = [error for error in me.errors if "ERR_FAILED" not in error]


FIRST = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"  # the model that the page opens with
GONE = "The model that the link names is not on this server any more."


@pytest.mark.parametrize(
    ("link", "where", "sentence"),
    [
        ("&model=20260101-000000-0123456789abcdef", "#model", GONE),
        ("&model=../../etc", "#model", GONE),
        ("&model=20260101-000000-0123456789abcdef&z=" + ",".join(["1"] * 20), "#model", GONE),
        ("&z=1,2", ".live-hand", "The link's point has 2 coordinates, and this model 20 dimensions."),
        ("&z=" + ",".join(["x"] * 20), ".live-hand", "The link's point is not made of numbers."),
    ],
)  # fmt: skip
def test_a_link_to_what_is_not_there_says_so_and_shows_the_rest(visit, link, where, sentence, digits):
    me = opened(visit, link)
    me.page.wait_for_function(
        "([where, text]) => document.querySelector(where).innerText.includes(text)", arg=[where, sentence]
    )
    model = load_checkpoint(FIRST if sentence == GONE else SHIPPED)
    assert point(me) == pytest.approx(start_of(model, digits), abs=6e-4)
