"""Several runs at one press."""

import pytest

from .conftest import until

pytestmark = pytest.mark.browser
ROWS = "#runs tbody tr"
PLAN = "document.querySelector('.live-plan').textContent"
PLANE = "[...document.querySelectorAll('#compare .live-plot')][1]"


@pytest.fixture
def asked(visit):
    """A visitor whose form holds a short training of digits, with the dialog open."""
    me = visit()
    me.choose("Data", "digits")
    me.set("Batch size", 128)
    me.set("Epochs", 1)
    me.tab("Runs")
    me.page.get_by_role("button", name="Sweep …").click()
    return me


def test_a_sweep_says_what_it_makes_and_trains_it_at_one_press(asked):
    me = asked
    me.page.wait_for_function(f"{PLAN}.startsWith('4 runs, β = 0.5, 1, 2, 4: about ')")
    me.page.get_by_label("Its values").fill("1 3")
    me.page.get_by_label("Seeds for each value").select_option("2")
    me.page.wait_for_function(f"{PLAN}.startsWith('4 runs, β = 1, 3 with 2 seeds each: about ')")
    assert me.page.evaluate(PLAN).endswith(" on this server, one after another (digits, mlp, 1 epoch).")
    me.page.get_by_role("button", name="Start", exact=True).click()
    me.page.wait_for_function(f"document.querySelectorAll('{ROWS}').length === 4")
    me.page.wait_for_function(f"{PLANE}?.data?.length === 9 + 4 + 2", timeout=60_000)  # four runs and two means
    assert me.page.locator(f"{ROWS} input:checked").count() == 4
    assert not me.page.locator(".live-sweep").is_visible()
    until(me.page, lambda: me.page.locator(f"{ROWS} td:nth-child(3)").all_inner_texts() == ["finished"] * 4)


@pytest.mark.parametrize(
    ("vary", "values", "seeds", "said"),
    [
        ("beta", "1 -2", "1", "β is -2; it must be a number from 0 to 1000."),
        ("latent_dim", "2 x", "1", "Dimensions D is 'x'; it must be a whole number from 1 to 512."),
        ("beta", "1 2 3 4 5", "5", "That makes 25 runs; the queue takes at most 20 of a browser."),
    ],
)
def test_a_bad_value_is_one_sentence_in_the_dialog_and_starts_nothing(asked, vary, values, seeds, said):
    me = asked
    me.page.get_by_label("What varies").select_option(vary)
    me.page.get_by_label("Its values").fill(values)
    me.page.get_by_label("Seeds for each value").select_option(seeds)
    me.page.get_by_role("button", name="Start", exact=True).click()
    me.page.wait_for_function(f"(said) => {PLAN} === said", arg=said)
    me.page.wait_for_function("!document.querySelector('.live-sweep .live-primary').disabled")
    assert me.page.locator(".live-sweep").is_visible() and me.page.get_by_label("Its values").input_value() == values
    with me.answered("mine"):
        pass
    assert me.page.locator(ROWS).count() == 0


def test_what_waits_of_a_sweep_is_stopped_at_one_press(visit):
    me = visit()
    me.choose("Data", "digits")
    me.set("Epochs", 10_000)
    me.tab("Runs")
    me.page.get_by_role("button", name="Sweep …").click()
    me.page.get_by_label("What varies").select_option("latent_dim")
    me.page.get_by_label("Its values").fill("2 3 4")
    me.page.get_by_role("button", name="Start", exact=True).click()
    me.page.wait_for_function(f"document.querySelectorAll('{ROWS}').length === 3")
    me.page.get_by_role("button", name="Stop all").click()
    states = me.page.locator(f"{ROWS} td:nth-child(3)")
    until(me.page, lambda: states.all_inner_texts() == ["stopped"] * 3)
    me.page.get_by_role("button", name="Stop all").wait_for(state="hidden")
    assert states.all_inner_texts() == ["stopped"] * 3
