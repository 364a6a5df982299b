"""Words explained where they stand: opened by mouse, touch and keyboard, closed again, and always within the screen."""

import re

import pytest

from ui.glossary import glossary
from ui.tabs.form import LABELS

from .test_accessibility import BOX, TEXTS, texts

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
TYPESET = """async (terms) => {
    const { typeset } = await import(location.origin + "/live/words/typeset.js");
    const failed = [];
    for (const [name, formula] of Object.entries(terms)) {
        const node = document.createElement("div");
        document.querySelector(".gradio-container").append(node);
        await typeset(node, formula).catch((error) => failed.push(`${name}: ${error.message}`));
        if (!node.querySelector(".katex-html") || node.querySelector(".katex-error")) failed.push(name);
        node.remove();
    }
    return failed;
}"""


def sign(me, name):
    """The i of a field."""
    return me.page.locator(f".train-settings span[data-term='{name}']")


def ready(me):
    """Waits until the page's words can be opened."""
    me.page.wait_for_selector("span[data-term='beta'][role=button]", state="attached")
    return me


def opened(me, title):
    """Waits until the box explains that."""
    me.page.wait_for_selector(f"{BOX} h4:text-is('{title}')")
    return me.page.locator(BOX)


def closed(me):
    me.page.wait_for_function("!document.querySelector('.live-explained:popover-open')")


def focused(me):
    return me.page.evaluate("document.activeElement.dataset.term ?? document.activeElement.id")


def within(me):
    """Whether the box is within the screen, and the page no wider than that."""
    return me.page.evaluate("""() => {
        const { left, right, top, bottom } = document.querySelector(".live-explained").getBoundingClientRect();
        const { clientWidth, clientHeight, scrollWidth } = document.documentElement;
        return left >= 0 && right <= clientWidth && top >= 0 && bottom <= clientHeight && scrollWidth <= clientWidth;
    }""")


def test_every_formula_is_typeset_without_an_error(visit):
    me = ready(visit())
    formulas = {name: term.formula for name, term in glossary().items() if term.formula}
    assert len(formulas) > 40
    assert me.page.evaluate(TYPESET, formulas) == []


def test_every_field_of_the_form_has_its_sign(visit):
    me = ready(visit())
    for fold in ("model", "training"):
        me.page.click(f"#fold-{fold} > button")
    for name in LABELS:
        sign(me, name).wait_for()
        assert sign(me, name).get_attribute("aria-label") == f"Explain {glossary()[name].title}"
        assert sign(me, name).count() == 1


def test_a_click_opens_it_and_a_second_one_closes_it(visit):
    me = ready(visit())
    sign(me, "beta").click()
    box = opened(me, "β")
    assert sign(me, "beta").get_attribute("aria-expanded") == "true"
    assert box.get_attribute("role") == "dialog"
    box.locator(".katex .term-kl").first.wait_for()
    assert me.page.locator("#number-beta input").evaluate("(it) => it !== document.activeElement")
    sign(me, "beta").click()
    closed(me)
    assert sign(me, "beta").get_attribute("aria-expanded") == "false"
    assert focused(me) == "beta"


def test_a_click_pins_it_though_the_pointer_goes_on_resting_there(visit):
    me = ready(visit())
    me.page.clock.install()
    sign(me, "beta").click()
    opened(me, "β")
    me.page.clock.run_for(1000)  # longer than a pointer rests until a word opens
    me.page.mouse.move(700, 600)
    me.page.clock.run_for(1000)  # longer than it is away until an unpinned box closes
    assert opened(me, "β").is_visible()


def test_a_click_elsewhere_closes_it_and_another_word_takes_its_place(visit):
    me = ready(visit())
    sign(me, "data").click()
    opened(me, "Data")
    me.page.locator("#train-curves [data-term='nat']").click()  # which the box does not cover
    opened(me, glossary()["nat"].title)
    assert me.page.locator(BOX).count() == 1
    me.page.mouse.click(5, 5)
    closed(me)


def test_a_pointer_that_rests_opens_it_and_one_that_leaves_closes_it(visit):
    me = ready(visit())
    me.settled()  # what comes late may move the word away from the pointer
    sign(me, "data").hover()
    box = opened(me, "Data")
    assert focused(me) != "data"
    box.hover()
    me.frames(30)
    assert box.is_visible()
    me.page.mouse.move(700, 600)
    closed(me)
    sign(me, "data").hover()
    opened(me, "Data")
    sign(me, "data").click()  # makes it stay
    me.page.mouse.move(700, 600)
    me.frames(30)
    opened(me, "Data")


@pytest.mark.parametrize("key", ["Enter", " "])
def test_the_keyboard_opens_it_goes_through_it_and_comes_back(visit, key):
    me = ready(visit("?tab=elbo"))
    word = me.page.locator("span[data-term='elbo']:visible").first
    word.focus()
    me.page.keyboard.press(key)
    box = opened(me, "ELBO, evidence lower bound")
    me.page.wait_for_function("document.activeElement.matches('.live-explained')")
    me.page.keyboard.press("Tab")
    assert box.get_by_role("button", name="See it in Draw").evaluate("(it) => it === document.activeElement")
    me.page.keyboard.press("Tab")
    closed(me)
    assert focused(me) == "reconstruction"  # the word after it
    me.page.keyboard.press("Shift+Tab")
    assert focused(me) == "elbo"
    me.page.keyboard.press(key)
    opened(me, "ELBO, evidence lower bound")
    me.page.keyboard.press("Escape")
    closed(me)
    assert focused(me) == "elbo"


def test_a_finger_opens_every_word_within_the_screen_of_a_phone(visit):
    me = ready(visit(**PHONE))
    for name in ("data", "architecture", "latent_dim", "batch_size", "beta"):
        sign(me, name).tap()
        box = opened(me, glossary()[name].title)
        if glossary()[name].formula:
            box.locator(".katex").first.wait_for()
        assert within(me), name
        sizes = box.evaluate("(it) => [...it.children].map((part) => parseFloat(getComputedStyle(part).fontSize))")
        assert min(sizes) >= 14
        me.page.keyboard.press("Escape")
        closed(me)


def test_it_says_the_value_now_and_follows_it(visit):
    me = visit("?tab=draw")
    me.page.locator(".live-examples button").first.click()
    me.page.locator("#draw tr[data-term=evidence] small", has_text="1000 draws").wait_for()
    me.page.locator("#draw th span[data-term='kl']").click()
    box = opened(me, "KL divergence")
    kl = me.page.locator("#draw tr[data-term='kl'] output").inner_text()
    assert re.fullmatch(r"\d+\.\d+", kl)
    assert box.locator(".live-now").inner_text() == f"now {kl} nats"
    me.page.evaluate("document.querySelector('#draw tr[data-term=kl] output').textContent = '1.5'")
    me.page.wait_for_selector(f"{BOX} .live-now >> text=1.5 nats")


def test_see_it_leads_to_the_place_even_where_it_is_folded_away(visit):
    me = visit("?tab=elbo")
    me.page.get_by_text("More about these curves").click()
    me.page.locator("span[data-term='average']:visible").click()
    opened(me, "Weight averaging (decay)").get_by_role("button", name="See it in Train").click()
    me.page.wait_for_function("document.activeElement.closest('#number-average')")
    assert me.page.locator("#number-average input").is_visible()
    me.page.wait_for_function("location.search.includes('tab=train')")


def test_every_place_that_a_term_leads_to_is_on_the_page(visit):
    me = ready(visit())
    places = {(term.tab, term.place, term.fold) for term in glossary().values() if term.place}
    for tab in sorted({tab for tab, _, _ in places}):
        me.page.locator(f"[role=tab][data-tab-id={tab}]").click()
        if tab == "runs":
            me.page.wait_for_selector("#runs .live-none")  # as a visitor without a run sees it
        for _, place, fold in sorted(it for it in places if it[0] == tab):
            if fold and not me.page.locator(f"#{place}").is_visible():
                me.page.click(f"#{fold} > button")
            if (way := me.page.locator(f"[role=tab][aria-controls={place}]")).count():
                way.click()
            me.page.wait_for_selector(f"#{place}")
            assert me.page.locator(f"#{place}").is_visible(), place


def test_a_word_that_comes_later_is_one_too(visit):
    me = ready(visit())
    me.page.evaluate("""() => {
        const line = document.createElement("p");
        line.innerHTML = 'the <span data-term="gap">gap</span>';
        document.querySelector("#train-curves").prepend(line);
    }""")
    me.page.get_by_role("button", name="gap", exact=True).click()
    assert opened(me, "Gap").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_texts_and_the_terms_colours_stand_out(visit, scheme):
    me = ready(visit("?tab=elbo", script=TEXTS, color_scheme=scheme))
    for term in ("elbo", "held_out"):
        me.page.locator(f"span[data-term='{term}']:visible").first.click()
        opened(me, glossary()[term].title)
        if glossary()[term].formula:
            me.page.wait_for_selector(f"{BOX} .term-evidence")
        assert min(text["contrast"] for text in texts(me, f"{BOX} *")) >= 4.5
    assert me.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")


def test_forced_colours_keep_words_signs_and_box_in_sight(visit):
    me = ready(visit(forced_colors="active"))
    border = "(it) => getComputedStyle(it).borderTopWidth"
    assert sign(me, "data").evaluate(border) == "1px"
    sign(me, "data").click()
    assert opened(me, "Data").evaluate(border) == "1px"
