"""The deck of cards: ways between them, what is kept, and what a formula says when it is pointed at."""

import json

import pytest

from ui.theory.deck import SHORT_WAY, deck

pytestmark = pytest.mark.browser

NAMES = list(deck())
SHORT = [name for name in NAMES if name in SHORT_WAY]
SHOWN = "document.querySelector('.live-card')?.classList.contains(`live-card-${name}`)"


@pytest.fixture
def at(visit):
    """A visitor at a card, whose picture is there."""

    def come(card="", more="", **options):
        me = visit(f"?tab=theory&model=mnist-mlp-2d{card and '&card=' + card}{more}", fresh=True, **options)
        sees(me, card or NAMES[0])
        return me

    return come


def sees(me, name):
    me.page.wait_for_function(f"(name) => {SHOWN}", arg=name)


def address(me, part):
    me.page.wait_for_function("(part) => location.search.includes(part)", arg=part)


def test_buttons_and_keys_lead_through_all_cards_and_the_address_follows(at):
    me = at(NAMES[1])
    assert (
        me.page.locator(".live-deck-foot").get_by_role("button").all_inner_texts()[0] == f"← {deck()[NAMES[0]].short}"
    )
    me.page.keyboard.press("PageUp")
    sees(me, NAMES[0])
    me.page.keyboard.press("PageUp")  # there is none before it
    sees(me, NAMES[0])
    me.page.locator(".live-deck-foot > button").last.click()
    sees(me, NAMES[1])
    address(me, f"card={NAMES[1]}")
    for name in NAMES[2:]:
        me.page.keyboard.press("PageDown")
        sees(me, name)
    me.page.keyboard.press("PageDown")
    sees(me, NAMES[-1])
    address(me, f"card={NAMES[-1]}")
    assert me.page.locator(".live-deck-foot > button").last.inner_text() == "Train one yourself →"
    me.reload()
    sees(me, NAMES[-1])
    me.tab("Draw")
    me.page.wait_for_function("!location.search.includes('card=')")
    me.page.keyboard.press("PageUp")
    me.tab("Theory")
    sees(me, NAMES[-1])


def test_the_list_leads_to_any_card(at):
    me = at(NAMES[1])
    me.page.get_by_role("button", name="choose another").click()
    names = me.page.locator(".live-deck-list button strong").all_inner_texts()
    assert names == [f"{n} {card.short}" for n, card in enumerate(deck().values(), 1)]
    me.page.locator(".live-deck-list button").first.click()
    sees(me, NAMES[0])
    assert not me.page.locator("dialog[open]").count()


def test_a_card_that_does_not_exist_is_said_and_the_first_is_shown(visit):
    me = visit("?tab=theory&card=nothing&model=mnist-mlp-2d", fresh=True)
    sees(me, NAMES[0])
    notice = me.page.get_by_text("There is no card “nothing”: this is the first one.")
    notice.wait_for()
    me.page.keyboard.press("PageDown")
    sees(me, NAMES[1])
    assert not notice.is_visible()  # it is of the address, not of this card


def test_the_short_way_has_few_cards_and_is_in_the_address(at):
    me = at(NAMES[1], "&short=1")
    foot = me.page.locator(".live-deck-foot")
    assert foot.get_by_role("button", name="All cards").is_visible()
    me.page.keyboard.press("PageUp")
    sees(me, NAMES[0])
    for name in SHORT[1:]:
        me.page.keyboard.press("PageDown")
        sees(me, name)
    foot.get_by_role("button", name="All cards").click()
    me.page.wait_for_function("!location.search.includes('short=')")


def test_a_swipe_turns_the_page_and_a_stroke_does_not(at):
    me = at(NAMES[1], has_touch=True, viewport={"width": 390, "height": 844})
    swipe = """([selector, from, to]) => {
        const node = document.querySelector(selector);
        const it = (type, x) => node.dispatchEvent(new PointerEvent(type, {
            bubbles: true, pointerType: "touch", clientX: x, clientY: 200 }));
        it("pointerdown", from);
        it("pointerup", to);
    }"""
    me.page.evaluate(swipe, [".live-claim", 100, 300])
    sees(me, NAMES[0])
    picture = "#theory-card .live-reconstruction"
    me.page.locator(picture).wait_for()
    me.page.evaluate(swipe, [picture, 300, 100])  # what is on a picture may be moved itself
    me.frames()
    assert me.page.locator(f".live-card-{NAMES[0]}").is_visible()
    me.page.evaluate(swipe, [".live-claim", 300, 100])
    sees(me, NAMES[1])


def test_a_question_keeps_its_answer_until_there_is_a_choice(at):
    me = at("gaussian")
    question = deck()["gaussian"].question
    me.page.get_by_role("slider").first.focus()
    me.page.keyboard.press("ArrowRight")  # the act
    me.page.wait_for_function("JSON.parse(localStorage.getItem('vae-cards'))?.gaussian?.done")
    assert me.page.locator(".live-verdict").inner_text() == ""
    assert me.page.locator(".live-right").count() == 0
    me.page.locator(".live-choice").nth(question.right).click()
    assert me.page.locator(".live-verdict").inner_text().startswith("Right. ")


def test_a_question_is_answered_once_and_settled_by_the_act(at):
    me = at("gaussian")
    question = deck()["gaussian"].question
    wrong = next(n for n in range(len(question.choices)) if n != question.right)
    me.page.locator(".live-choice").nth(wrong).click()
    assert me.page.locator(".live-verdict").inner_text() == "Now drag q onto p."
    assert me.page.locator(".live-choice").nth(question.right).is_disabled()
    me.reload()
    sees(me, "gaussian")
    me.page.locator(".live-choice[aria-pressed=true]").wait_for()
    me.page.get_by_role("slider").first.focus()
    me.page.keyboard.press("ArrowRight")
    me.page.locator(".live-verdict:has-text('Not so.')").wait_for()
    assert json.loads(me.page.evaluate("localStorage.getItem('vae-cards')"))["gaussian"] == {
        "choice": wrong,
        "done": True,
    }
    me.reload()
    sees(me, "gaussian")
    me.page.locator(".live-verdict:has-text('Not so.')").wait_for()


def test_a_term_that_is_pointed_at_marks_its_number_and_shows_its_source(at):
    me = at("gaussian")
    me.page.locator(".live-card-text > .live-formula .term-kl[role=button]").hover()
    me.page.locator("output[data-value=kl].live-marked").first.wait_for()
    source = deck()["gaussian"].served()["code"]["kl"]
    assert me.page.locator(".live-code-line code").text_content() == source["text"]
    assert me.page.locator(".live-code-line small").inner_text() == f"{source['file']}, line {source['line']}"
    me.page.mouse.move(5, 5)
    me.page.wait_for_function("!document.querySelector('.live-marked')")
    me.page.locator(".live-card-text > .live-formula .term-kl[role=button]").focus()  # by the keyboard, too
    me.page.locator("output[data-value=kl].live-marked").first.wait_for()


PLANE = [name for name, card in deck().items() if card.needs == "plane"]


@pytest.mark.parametrize("name", PLANE)
def test_a_card_that_needs_a_plane_offers_one(visit, name):
    me = visit(f"?tab=theory&model=mnist-mlp-20d&card={name}", fresh=True)
    me.page.get_by_role("button", name="Use a model with two dimensions").click()
    me.page.wait_for_function("location.search.includes('model=mnist-mlp-2d')")
    me.page.wait_for_function("!document.querySelector('.live-needs')")
    sees(me, name)
    me.page.wait_for_function("document.querySelector('.live-card-picture').children.length > 0")
    assert not me.page.get_by_role("button", name="Use a model with two dimensions").count()
