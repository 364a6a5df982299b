"""Number fields: a comma is a point, the wheel scrolls the page, and a run changes only by what is meant."""

import json

import pytest

from .test_latents import opened, point
from .test_page import wait_for_records

pytestmark = pytest.mark.browser

BETA = "β"
SMALL = {"viewport": {"width": 1200, "height": 500}}
RUN = 'async () => (await import(location.origin + "/live/shared/feed.js")).feed.run'


@pytest.fixture
def training(visit):
    """Somebody whose run is going."""
    me = visit(**SMALL)
    me.train(Epochs=3000)
    wait_for_records(me, 2)
    me.page.wait_for_function("document.querySelector('#train').disabled")
    yield me
    me.page.click("#stop")
    me.wait_for_state("stopped")


def changes(me, server):
    """What was changed during the run, in order."""
    file = server.runs / me.page.evaluate(RUN) / "changes.json"
    return [
        {name: value for name, value in change.items() if name != "step"} for change in json.loads(file.read_text())
    ]


def marked(me, text):
    """Waits until the run has that setting."""
    me.page.wait_for_selector(f"#progress >> text={text}")


def field(me, label):
    return me.page.get_by_label(label, exact=True)


def test_a_comma_is_a_point_and_arrows_fill_the_form(visit):
    me = visit()
    beta, rate = field(me, BETA), field(me, "Learning rate")
    me.page.locator("[aria-label='Batch size']").wait_for()
    beta.fill("")
    beta.press_sequentially("0,5")
    rate.focus()
    me.page.keyboard.press("ArrowUp")
    assert rate.input_value() == "0.011"
    field(me, "Epochs").fill("3")
    me.page.keyboard.press("ArrowDown")
    me.page.keyboard.press("ArrowDown")
    field(me, "Dimensions D").focus()
    me.page.keyboard.press("ArrowDown")
    assert (beta.input_value(), rate.input_value(), field(me, "Epochs").input_value()) == ("0,5", "0.011", "1")
    me.train()
    me.wait_for_state("finished")
    line = me.page.inner_text("#progress")
    assert "D = 19," in line and "β = 0.5," in line and "learning rate 0.011," in line


def test_what_can_mean_two_numbers_is_asked_back_and_stays(visit):
    me = visit()
    field(me, BETA).fill("1,000")
    me.page.click("#train")
    assert faults(me) == [(BETA, "β is '1,000', which can mean two numbers: write 1000 or 1.000.")]
    assert field(me, BETA).input_value() == "1,000"


def faults(me):
    """Waits for marked fields; the name of each with the sentence that describes it."""
    me.page.wait_for_function("document.querySelector('[aria-invalid=true]') === document.activeElement")
    return [tuple(fault) for fault in marked_now(me)]


def test_all_bad_fields_are_marked_where_they_stand_also_in_a_folded_part(visit):
    me = visit()
    page = me.page
    wrong = {"β": "-1", "Batch size": "zero", "Dimensions D": "", "Epochs": "5"}
    for label, text in wrong.items():
        me.set(label, text)
    me.unfold_training_details()
    me.set("L, draws per image", "0")
    page.get_by_text("Training details", exact=True).click()
    page.click("#train")
    page.locator("[aria-label='L, draws per image']").wait_for()  # its part is open again
    assert faults(me) == [
        ("Dimensions D", "Dimensions D is empty; it must be a whole number from 1 to 512."),
        ("Batch size", "Batch size is 'zero'; it must be a whole number from 1 to 100000."),
        ("β", "β is -1; it must be a number from 0 to 1000."),
        ("L, draws per image", "L, draws per image is 0; it must be a whole number from 1 to 1000."),
    ]
    assert page.evaluate("document.activeElement.ariaLabel") == "Dimensions D"
    assert page.locator(".toast-body").count() == 0
    assert {label: field(me, label).input_value() for label in wrong} == wrong
    box = field(me, "Batch size").bounding_box()
    note = page.locator("#fault-batch_size").bounding_box()
    assert 0 <= note["y"] - (box["y"] + box["height"]) < 12 and abs(note["x"] - box["x"]) < 2  # right below it
    me.set("Dimensions D", 4)
    assert [label for label, _ in marked_now(me)] == ["Batch size", "β", "L, draws per image"]
    page.click("#train")
    page.wait_for_function("document.activeElement.ariaLabel === 'Batch size'")  # the first of those that are left
    for label, value in {"Batch size": 128, "β": 1, "L, draws per image": 1, "Epochs": 1}.items():
        me.set(label, value)
    me.train(Epochs=1)
    me.wait_for_state("finished")
    assert marked_now(me) == []


def marked_now(me):
    """The fields that are marked, and what is said of each."""
    return me.page.evaluate("""[...document.querySelectorAll(".train-settings [aria-invalid=true]")].map((it) =>
        [it.ariaLabel, document.getElementById(it.getAttribute("aria-describedby")).innerText])""")


def test_a_run_does_not_take_a_bad_value_which_is_marked_and_stays(training, server):
    training.set("Learning rate", "-1")
    training.page.keyboard.press("Enter")
    training.page.wait_for_selector("#fault-learning_rate")
    assert marked_now(training) == [["Learning rate", "Learning rate is -1; it must be a number above 0, at most 1."]]
    assert field(training, "Learning rate").input_value() == "-1" and training.state() == "running"
    training.set("Learning rate", "0.002")
    training.page.keyboard.press("Enter")
    marked(training, "learning rate 0.002")
    assert marked_now(training) == [] and changes(training, server) == [{"learning_rate": 0.002}]


def test_the_wheel_over_a_field_scrolls_the_page(training, server):
    beta = field(training, BETA)
    beta.click()
    training.page.mouse.wheel(0, 120)
    training.page.wait_for_function("scrollY > 0")
    assert beta.input_value() == "1"
    training.page.keyboard.press("Tab")
    training.set(BETA, 3)
    training.page.keyboard.press("Enter")
    marked(training, "β = 3")
    assert changes(training, server) == [{"beta": 3}]


def test_arrows_change_a_run_only_by_enter(training, server):
    beta = field(training, BETA)
    beta.focus()
    training.page.keyboard.press("ArrowUp")
    training.page.keyboard.press("ArrowUp")
    assert beta.input_value() == "1.2"
    training.page.keyboard.press("Tab")
    assert beta.input_value() == "1"  # as it is
    beta.focus()
    training.page.keyboard.press("ArrowDown")
    training.page.keyboard.press("Enter")
    marked(training, "β = 0.9")
    beta.fill("2,5")
    training.page.keyboard.press("Tab")
    marked(training, "β = 2.5")
    assert changes(training, server) == [{"beta": 0.9}, {"beta": 2.5}]


def test_a_field_that_is_left_untouched_does_not_undo_what_another_window_changed(training, server):
    other = training.new_tab()
    other.wait_for_function("document.querySelector('#train').disabled")
    other.get_by_label(BETA, exact=True).fill("4")
    other.keyboard.press("Enter")
    marked(training, "β = 4")
    training.page.bring_to_front()
    field(training, BETA).focus()
    training.page.keyboard.press("Tab")
    training.set("Learning rate", "0,002")
    training.page.keyboard.press("Enter")
    marked(training, "learning rate 0.002")
    assert changes(training, server) == [{"beta": 4}, {"learning_rate": 0.002}]


def test_the_number_beside_a_slider_is_such_a_field(visit):
    me = opened(visit, **SMALL)
    slider, number = me.page.locator(".live-list input").nth(0), me.page.locator(".live-list input").nth(1)
    index = int(slider.get_attribute("data-dim"))
    me.page.get_by_role("button", name="Centre of the prior").click()
    number.click()
    before = me.page.evaluate("scrollY")
    me.page.mouse.wheel(0, 120)
    me.page.wait_for_function(f"scrollY > {before}")
    me.page.keyboard.press("ArrowUp")
    assert number.input_value() == "0.1" and point(me)[index] == 0
    me.page.keyboard.press("Tab")
    assert number.input_value() == "0.00" and point(me)[index] == 0
    number.focus()
    me.page.keyboard.press("ArrowDown")
    me.page.keyboard.press("Enter")
    assert number.input_value() == "-0.10" and point(me)[index] == pytest.approx(-0.1)
    number.fill("")
    number.press_sequentially("1,5")
    assert point(me)[index] == pytest.approx(-0.1)
    me.page.keyboard.press("Tab")
    assert number.input_value() == "1.50" and point(me)[index] == 1.5
