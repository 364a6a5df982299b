"""The card that breaks one thing at a time: each way is predicted, played, and shown with the recording's numbers."""

import pytest

from checkpoints.lessons import HERE
from ui.theory.learning import CARDS
from ui.vocabulary import ASLEEP
from vae_core.runs.folder import RunFolder

CARD = ".live-card-break"
BREAK = next(card for card in CARDS if card.name == "break")
WAYS = {way.lesson: way for way in BREAK.ways}


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=break&model=mnist-mlp-2d", reduced_motion="reduce")  # a play takes no time then
    me.page.wait_for_selector(f"{CARD} output:text-is('step 1')")
    return me


def choose(me, way):
    """Chooses a way, and waits for its question."""
    me.page.get_by_role("button", name=way.title, exact=False).filter(has_text=way.title).first.click()
    me.page.wait_for_selector(f"{CARD} .live-predict p:text-is('{way.question.text}')")


def shown(me, name):
    """What stands in the table under a name."""
    return me.page.locator(f"{CARD} .live-both [data-value='{name}']").text_content().replace("−", "-")


def check(me, lesson, behind, at):
    """The table's column holds a record of a lesson, and its terms add up as they are read."""
    record = RunFolder(HERE / lesson).records()[at]
    for term, sign in (("reconstruction", -1), ("kl", 1)):
        assert float(shown(me, term + behind)) == pytest.approx(sign * record["train"][term], abs=0.006), lesson
    terms = [round(100 * float(shown(me, term + behind))) for term in ("reconstruction", "kl", "elbo")]
    assert terms[0] + terms[1] == terms[2]
    awake = sum(kl >= ASLEEP for kl in record["kl_per_dim"])
    assert shown(me, f"used{behind}") == f"{awake} of {len(record['kl_per_dim'])}"


def test_each_way_is_predicted_and_then_shown_with_the_numbers_of_its_recording(card):
    page = card.page
    for number, (name, way) in enumerate(WAYS.items()):
        if number:
            choose(card, way)
        page.wait_for_selector(f"{CARD} output:text-is('step 1')")
        check(card, name, "_other", 0)
        check(card, way.against, "", 0)
        assert page.locator(f"{CARD} .live-settled").count() == 0
        choice = way.question.choices[way.question.right if number % 2 == 0 else way.question.right - 1]
        page.get_by_role("button", name=choice, exact=True).click()
        verdict = "Right." if number % 2 == 0 else "Not so."
        page.wait_for_selector(f"{CARD} .live-settled .live-verdict:has-text('{verdict}')")
        page.wait_for_selector(f"{CARD} output:text-is('step 1,410')")
        check(card, name, "_other", -1)
        check(card, way.against, "", -1)
        pictures = f"{CARD} .live-lesson-pictures[data-lesson='{name}'][data-step='1410']"
        page.wait_for_function("(s) => document.querySelectorAll(s).length === 2", arg=pictures)
    assert page.locator(f"{CARD} .live-break.live-was").count() == len(WAYS)
    beta = page.locator(f"{CARD} .live-break").first
    beta.click()  # what was played is at its end, and its answer is kept
    page.wait_for_selector(f"{CARD} .live-settled .live-verdict:has-text('Right.')")
    check(card, "beta-0", "_other", -1)
    page.reload()
    page.wait_for_selector(f"{CARD} .live-settled .live-verdict:has-text('Right.')")
    assert page.locator(f"{CARD} .live-break.live-was").count() == len(WAYS)


def test_what_comes_is_not_shown_before_it_is_played_and_any_step_can_be_looked_at(card):
    page = card.page
    drawn = "(s) => [...document.querySelectorAll(s)].map((it) => it.getAttribute('d').split('L').length)"
    paths = f"{CARD} .live-curves .live-curve:not(.live-faint)"
    page.wait_for_selector(paths, state="attached")
    assert page.evaluate(drawn, paths) == [1, 1, 1]
    page.get_by_label("Step of the training").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    steps = [record["step"] for record in RunFolder(HERE / "beta-0").records()]
    page.wait_for_selector(f"{CARD} output:text-is('step {steps[5]}')")
    assert page.evaluate(drawn, paths) == [6, 6, 6]
    check(card, "beta-0", "_other", 5)
    check(card, "plain", "", 5)
    assert page.locator(f"{CARD} .live-settled").count() == 0
    page.get_by_role("button", name="Line by line").click()
    assert float(page.locator(f"{CARD} [data-value=loss_other]").text_content()) == pytest.approx(
        float(shown(card, "reconstruction_other")), abs=0.006
    )  # β = 0: the loss is the reconstruction alone
