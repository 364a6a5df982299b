"""A lesson: a lecturer and participants in browsers of their own, on a server of their own."""

import re
import time

import pytest
from playwright.sync_api import expect

from .conftest import Visitor, free_port, start, stop, until
from .test_page import wait_for_records

pytestmark = pytest.mark.browser

KEY = "chalk and talk"
QUESTION = "#class .live-class-question"
STRIP = "#class .live-class-strip"


@pytest.fixture
def school(tmp_path):
    """A server with a lecturer's key that the test knows."""
    server = start(tmp_path, "--lecturer-key", KEY, "--max-trainings", "2")
    yield server
    stop(server)
    assert "Traceback" not in "".join(server.lines), "".join(server.lines)


@pytest.fixture
def people(school, browser):
    """Opens the page for a participant, or for the lecturer by the link that the server prints."""
    visitors = []

    def come(link="", viewport=None, is_lecturer=False):
        context = browser.new_context(viewport=viewport or {"width": 1280, "height": 800})
        if is_lecturer:
            until_printed(school)
            context.new_page().goto(lecturers_link(school))
        visitor = Visitor(context, school.url, "?tab=class" if is_lecturer else link)
        visitors.append(visitor)
        return visitor

    yield come
    for visitor in visitors:
        assert not visitor.errors, visitor.errors
        visitor.context.close()


def lecturers_link(school):
    return re.search(r"The lecturer's link: (\S+)", "".join(school.lines))[1]


def until_printed(school):
    """Waits until the server has printed the link."""
    end = time.monotonic() + 20
    while "The lecturer's link:" not in "".join(school.lines):
        assert time.monotonic() < end
        time.sleep(0.01)


def press(me, name, within=""):
    me.page.locator(f"{within} button").get_by_text(name, exact=True).click()


def ask(lecturer, card="", text="", answers=()):
    """Has the lecturer ask the question of a card, or one that is typed."""
    lecturer.page.locator("#desk select").select_option(card)
    if not card:
        lecturer.page.get_by_label("The question", exact=True).fill(text)
        lecturer.page.get_by_label("The answers, one a line").fill("\n".join(answers))
    press(lecturer, "Ask all")


def votes(me, place=QUESTION):
    """The bars that a page shows: for each answer, the votes of each round."""
    texts = me.page.locator(f"{place} .live-vote")
    return [[int(it) for it in re.findall(r"(\d+) vote", text)] for text in texts.all_inner_texts()]


def test_a_lesson_with_a_question_asked_twice_a_pause_and_a_lead(people):
    lecturer = people(is_lecturer=True)
    assert KEY not in lecturer.page.url and "key" not in lecturer.page.url
    expect(lecturer.page.locator(STRIP)).to_be_visible()
    anna, bert, carl = people(), people("?tab=draw"), people(viewport={"width": 390, "height": 844})
    everybody = (anna, bert, carl)
    for number, me in enumerate(everybody, 1):
        expect(me.page.locator(STRIP)).to_contain_text("you are number")
        assert me.page.get_by_role("tab", name="Class").count() == 0, number
    expect(lecturer.page.locator("#desk h2").last).to_have_text("3 participants here")

    # Asked: private votes, no bars before they are shown.
    ask(lecturer, card="gap")
    for me, choice in zip(everybody, (0, 1, 1), strict=True):
        expect(me.page.locator(f"{QUESTION} p").first).to_contain_text("You drag q away from the posterior.")
        me.page.locator(f"{QUESTION} .live-choice").nth(choice).click()
        expect(me.page.locator(f"{QUESTION} .live-choice").nth(choice)).to_have_attribute("aria-pressed", "true")
        assert me.page.locator(f"{QUESTION} .live-vote").count() == 0
    expect(lecturer.page.locator("#desk")).to_contain_text("3 of 3 have voted")
    press(lecturer, "Show the votes")
    for me in everybody:
        expect(me.page.locator(f"{QUESTION} .live-vote")).to_have_count(3)
        assert votes(me) == [[1], [2], [0]]
    press(lecturer, "Ask again")
    for me in everybody:
        me.page.locator(f"{QUESTION} .live-choice").nth(1).click()
        expect(me.page.locator(f"{QUESTION} .live-choice").nth(1)).to_have_attribute("aria-pressed", "true")
    press(lecturer, "Show the votes")
    for me in everybody:
        expect(me.page.locator(f"{QUESTION} .live-right")).to_contain_text("It stays")
        assert votes(me) == [[1, 0], [2, 3], [0, 0]]

    # Everyone to the card that settles it; one of them goes back to what he did.
    press(lecturer, "Everyone to its card")
    for me in everybody:
        me.page.wait_for_function("location.search.includes('card=gap')")
        expect(me.page.locator(".live-deck h3, .live-deck h2").first).to_be_visible()
    press(bert, "Back to my work")
    bert.page.wait_for_function("location.search.includes('tab=draw')")
    expect(bert.page.get_by_label("Follow the lecturer")).not_to_be_checked()
    lecturer.tab("ELBO")
    press(lecturer, "Everyone here")
    anna.page.wait_for_function("location.search.includes('tab=elbo')")
    assert "tab=draw" in bert.page.url  # he no longer follows
    bert.page.get_by_label("Follow the lecturer").check()
    bert.page.wait_for_function("location.search.includes('tab=elbo')")

    # A name for the lecturer alone.
    anna.page.get_by_label("My name").fill("Anna <b>A</b>")
    anna.page.get_by_label("My name").blur()
    lecturer.tab("Class")
    expect(lecturer.page.locator(".live-class-name", has_text="Anna <b>A</b>")).to_have_count(1)
    press(lecturer, "End the class")
    for me in everybody:
        expect(me.page.locator(STRIP)).to_be_hidden(timeout=20_000)


def test_a_pause_halts_the_page_and_the_training_which_go_on_where_they_were(people, school):
    lecturer, anna = people(is_lecturer=True), people()
    anna.train(Epochs=3000)
    wait_for_records(anna, 3)
    press(lecturer, "Pause all")
    sheet = anna.page.locator("dialog.live-class-paused")
    expect(sheet).to_be_visible()
    (records,) = school.runs.glob("*/metrics.jsonl")
    sizes = []

    def rests():
        sizes.append(records.stat().st_size)
        return len(sizes) > 30 and len({*sizes[-30:]}) == 1

    until(anna.page, rests)
    anna.page.keyboard.press("Escape")
    expect(sheet).to_be_visible()
    anna.reload()
    expect(sheet).to_be_visible()
    press(lecturer, "Go on")
    expect(sheet).to_be_hidden()
    until(anna.page, lambda: records.stat().st_size > sizes[-1])
    assert anna.state() == "running"


def test_the_lecturer_keeps_order_and_can_take_it_back(people):
    lecturer, anna, bert = people(is_lecturer=True), people(), people()
    anna.train(Epochs=3000)
    wait_for_records(anna, 3)
    line = lecturer.page.locator("#desk tbody tr", has=lecturer.page.locator(".live-class-spark"))
    expect(line).to_contain_text("Training")
    line.get_by_role("button", name="Pause", exact=True).click()
    anna.wait_for_state("paused")
    line.get_by_role("button", name="Resume", exact=True).click()
    anna.wait_for_state("running")
    line.get_by_role("button", name="Stop", exact=True).click()
    anna.wait_for_state("stopped")
    press(lecturer, "No new trainings", "#desk")
    expect(lecturer.page.locator("#desk")).to_contain_text("Let trainings begin again")
    bert.train(Epochs=3000)
    expect(bert.page.get_by_text("The lecturer lets nobody begin a training at the moment.")).to_be_visible()
    assert bert.page.get_by_label("Epochs", exact=True).input_value() == "3000"  # nothing is lost
    press(lecturer, "Let trainings begin again", "#desk")
    expect(lecturer.page.locator("#desk")).to_contain_text("No new trainings")
    bert.page.click("#train")
    bert.wait_for_state("running")
    bert.page.click("#stop")
    bert.wait_for_state("stopped")


def test_a_lesson_goes_on_after_a_restart_and_a_reload(tmp_path, browser):
    port = free_port()
    options = ("--lecturer-key", KEY)
    server = start(tmp_path, *options, port=port)
    until_printed(server)
    context = browser.new_context()
    context.new_page().goto(lecturers_link(server))
    lecturer = Visitor(context, server.url, "?tab=class")
    anna = Visitor(browser.new_context(), server.url)
    ask(lecturer, text="Who is it?", answers=["I", "You"])
    anna.page.locator(f"{QUESTION} .live-choice").nth(1).click()
    expect(lecturer.page.locator("#desk")).to_contain_text("1 of 1 have voted")
    stop(server)
    server = start(tmp_path, *options, port=port)
    lecturer.page.reload()
    expect(lecturer.page.locator("#desk")).to_contain_text("Who is it?", timeout=30_000)
    expect(lecturer.page.locator("#desk")).to_contain_text("1 of 1 have voted", timeout=30_000)
    press(lecturer, "Show the votes")
    expect(anna.page.locator(f"{QUESTION} .live-vote")).to_have_count(2, timeout=30_000)
    assert votes(anna) == [[0], [1]] and "You · your answer" in anna.page.inner_text(QUESTION)
    for context in (lecturer.context, anna.context):
        context.close()
    stop(server)


def test_bad_input_gets_a_sentence_where_the_person_is(people, school):
    lecturer, anna = people(is_lecturer=True), people()
    ask(lecturer, text="  ", answers=["a", "b"])
    expect(lecturer.page.locator("#desk p.live-message")).to_have_text("The question is empty: type it first.")
    ask(lecturer, text="What?", answers=["a"])
    expect(lecturer.page.locator("#desk p.live-message")).to_contain_text("2 to 6 answers")
    assert lecturer.page.get_by_label("The question", exact=True).input_value() == "What?"  # nothing is lost
    name = anna.page.get_by_label("My name")
    name.fill("\u202ebad")
    name.blur()
    expect(anna.page.locator(f"{STRIP} .live-message")).to_have_text("A name is made of letters that can be printed.")
    press(lecturer, "Everyone here")
    expect(lecturer.page.locator(f"{STRIP} .live-message")).to_contain_text("Open what all should see")
    stranger = anna.context.new_page()
    answer = stranger.goto(f"{school.url}/live/class/enter?key=wrong")
    assert answer.status == 403 and "That is not the lecturer's key" in stranger.inner_text("body")
