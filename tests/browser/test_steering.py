"""A run is steered from the page, outlives it, and is found again."""

import json
import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from vae_core.runs.states import State

from .conftest import Hold, until
from .test_page import wait_for_records

pytestmark = pytest.mark.browser
MINUTE = 60_000


def step_of(visitor):
    """The step that the page names."""
    return int(re.search(r"step ([\d,]+) of", visitor.page.inner_text("#progress"))[1].replace(",", ""))


def change(visitor, label, value):
    """Types a setting and leaves its field."""
    visitor.set(label, value)
    visitor.page.keyboard.press("Tab")


def test_pause_step_and_resume(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    wait_for_records(me, 3)
    page.click("#pause")
    me.wait_for_state("paused")
    before = step_of(me)
    assert page.locator("#batch h4").count() == 0 or not page.locator("#batch h4").is_visible()
    for taken in (1, 2):
        page.click("#step")
        page.wait_for_function(f"document.querySelector('#progress').innerText.includes('step {before + taken:,} of')")
    # The page shows that batch: its images, what became of them, and terms that add up to the loss.
    page.wait_for_function(f"document.querySelector('#batch h4')?.textContent.startsWith('Step {before + 2:,},')")
    assert page.locator("#batch figure").count() == 8 and me.ink("#batch figure canvas") > 0
    line = page.inner_text("#batch p").replace("−", "-")
    sum_ = r"= ([-\d.]+) \+ ([\d.]+) · ([\d.]+) = ([-\d.]+) \(rounded\), in nats per image"
    numbers = re.search(rf"{sum_} · gradient norm ([\d.e+]+)", line)
    reconstruction, beta, kl, loss, norm = map(float, numbers.groups())
    assert loss == pytest.approx(reconstruction + beta * kl, abs=0.3) and norm > 0
    # The last point of the chart is that batch alone, at β = 1.
    steps, losses = me.curves()["train_elbo"]
    assert steps[-1] == before + 2 and losses[-1] == pytest.approx(reconstruction + kl, abs=0.2)
    me.wait_for_state("paused")  # the button is Train on now: a batch's record comes before its run's end
    page.click("#pause")
    me.wait_for_state("running")
    wait_for_records(me, len(steps) + 2)
    page.click("#stop")
    me.wait_for_state("stopped")


# What the row of buttons offers in a state: toggle, Stop, Step and Start over; * is the primary one.
NEW = "Step: first"
ROW = {
    ("", False): [NEW],
    ("gone", True): [NEW],
    ("waiting", False): ["Pause: pause", "Stop: stop"],
    ("waiting", True): ["Pause: pause", "Stop: stop"],
    ("loading", False): ["Pause: pause", "Stop: stop"],
    ("running", True): ["Pause: pause", "Stop: stop"],
    ("paused", False): ["Train*: play", "Stop: stop", "Step: step"],
    ("paused", True): ["Train on*: play", "Stop: stop", "Step: step", "Start over: reset"],
    ("stopped", False): ["Resume: play", "Step: step"],
    ("stopped", True): ["Resume: play", "Step: step", "Start over: reset"],
    ("failed", True): ["Resume: play", "Step: step", "Start over: reset"],
    ("interrupted", True): ["Resume: play", "Step: step", "Start over: reset"],
    ("finished", True): [NEW, "Start over: reset"],
    ("recorded", True): [NEW],
}
OFFERS = """async (rows) => {
    const { offersOf } = await import(location.origin + "/live/train/buttons.js");
    return rows.map(([state, hasBegun]) => {
        const isRecorded = state === "recorded";
        const { toggle, stop, step, reset } = offersOf(isRecorded ? "finished" : state, { isRecorded, hasBegun });
        return [toggle, stop, step, reset].filter(Boolean)
            .map(({ text, command, isPrimary }) => `${text}${isPrimary ? "*" : ""}: ${command}`);
    });
}"""


def test_the_row_of_buttons_offers_what_holds_in_every_state(visit):
    found = visit().page.evaluate(OFFERS, [list(row) for row in ROW])
    assert dict(zip(ROW, found, strict=True)) == ROW
    assert {state for state, _ in ROW} == {"", "gone", "recorded", *State}


def test_a_recording_is_marked_plays_once_and_is_gone_with_the_first_own_run(visit):
    me = visit()
    page = me.page
    said = "Recorded; press Train for your own."
    page.locator("#progress strong", has_text=said).wait_for()
    page.get_by_role("button", name="Pause", exact=True).click()  # of its film, which plays by itself
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    me.tab("ELBO")
    page.locator("#recorded .live", has_text=said).wait_for()
    me.tab("Train")
    me.train(Epochs=1)
    me.wait_for_state("finished")
    assert said not in page.inner_text("#progress")
    me.tab("ELBO")
    page.wait_for_function("document.querySelector('#recorded .live').textContent === ''")
    me.reload()
    me.tab("Train")
    me.wait_for_state("finished")


def row(visitor):
    """The texts of the buttons in sight that begin a training or steer it; * is a primary one."""
    script = """() => [...document.querySelectorAll("#train, #progress .live-buttons button")]
        .filter((it) => it.offsetParent).map((it) =>
            it.textContent.trim() + (it.matches(".primary, .live-primary") ? "*" : ""))"""
    return visitor.page.evaluate(script)


def test_after_a_step_of_a_new_run_one_primary_button_trains_on(visit):
    me = visit()
    assert row(me) == ["Train*", "Step"]
    me.choose("Data", "digits")
    me.set("Epochs", 3000)
    me.page.click("#step")
    me.wait_for_state("paused")
    me.page.wait_for_function("document.querySelector('#batch h4')?.textContent.startsWith('Step 1,')")
    assert step_of(me) == 1
    me.page.wait_for_function("document.querySelector('#train').disabled")
    assert row(me) == ["Train on*", "Stop", "Step", "Start over"]
    assert not me.page.locator("#presets .live").is_visible()  # they would change what the run's form shows
    me.page.get_by_role("button", name="Train on").click()
    me.wait_for_state("running")
    assert row(me) == ["Pause", "Stop"]
    me.page.click("#stop")
    me.wait_for_state("stopped")
    me.page.wait_for_function("!document.querySelector('#train').disabled")
    assert row(me) == ["Train*", "Resume", "Step", "Start over"] and me.page.locator("#presets .live").is_visible()


def test_whoever_presses_train_beside_others_is_told_how_many_share_the_server(visit):
    everybody = [visit() for _ in range(3)]  # one more than train at once
    for me in everybody:
        me.train(Epochs=3000)
        me.wait_for_state("running")
    for me in everybody:
        expect(me.page.locator("#progress .live-note:visible")).to_contain_text(
            "3 trainings share this server, in turns."
        )
        assert len(me.curves()["train_elbo"][0]) > 0
    for me in everybody:
        me.page.click("#stop")
        me.wait_for_state("stopped")


def test_a_waiting_run_says_its_place_and_offers_what_it_can_give(visit):
    me = visit()
    me.choose("Data", "digits")
    me.set("Epochs", 3000)
    me.tab("Runs")
    me.page.get_by_role("button", name="Sweep …").click()
    me.page.get_by_label("Its values").fill("1 2 3 4")
    me.page.get_by_role("button", name="Start", exact=True).click()
    lines = me.page.locator("#runs tbody tr")
    expect(lines).to_have_count(4)
    waiting = lines.filter(has_text="waiting").first  # one of the two that wait until others are done
    waiting.wait_for()
    offered = waiting.locator("button:visible").all_inner_texts()
    assert not {"Draw with it", "Resume"} & {*offered}
    waiting.get_by_role("button", name="Open", exact=True).click()
    me.wait_for_state("waiting")
    me.page.wait_for_selector("#progress .live-line >> text=/^(You are next|1 before you)$/")
    me.page.wait_for_function("document.querySelector('#train').disabled")
    assert row(me) == ["Pause", "Stop"]
    assert not me.page.locator("#pictures canvas").first.is_visible()
    me.tab("Runs")
    waiting.get_by_role("button", name="More for this run").click()
    me.page.get_by_role("menuitem").first.wait_for()
    items = ["Stop", "Copy link to this run", "Download all of it (zip)", "Pin", "Delete"]
    assert me.page.get_by_role("menuitem").all_inner_texts() == items
    me.page.keyboard.press("Escape")
    me.tab("Train")
    me.page.click("#pause")
    me.wait_for_state("paused")
    me.page.wait_for_function("document.querySelector('#train').disabled")
    assert row(me) == ["Train*", "Stop", "Step"]
    me.page.click("#stop")
    me.wait_for_state("stopped")
    me.tab("Runs")
    me.page.get_by_role("button", name="Stop all").click()
    expect(me.page.get_by_role("button", name="Stop all")).to_be_hidden()


def test_a_step_of_the_importance_weighted_bound_says_its_own_loss(visit):
    me = visit()
    me.choose("Data", "digits")
    me.unfold_training_details()
    me.choose("Objective", "importance-weighted")
    me.set("L, draws per image", 5)
    me.page.click("#step")
    me.wait_for_state("paused")
    me.page.wait_for_function("document.querySelector('#batch h4')?.textContent.startsWith('Step 1,')")
    assert me.page.inner_text("#batch p").startswith("loss = −log mean over the draws of p(x|z) (p(z)/q(z|x))^β = ")
    assert "learning rate 0.0014 ·" in me.page.inner_text("#progress")


@pytest.mark.parametrize(("dims", "shapes"), [(2, "ellipse"), (3, "line.live-spread")])
def test_a_step_shows_each_draw_its_term_and_their_mean(visit, dims, shapes):
    me = visit()
    page = me.page
    me.choose("Data", "digits")
    me.set("Dimensions D", dims)
    me.unfold_training_details()
    me.set("L, draws per image", 3)
    page.wait_for_function("location.search.includes('samples=3')")
    with me.answered("batch"):
        page.click("#step")
        me.wait_for_state("paused")
    figure = page.locator("#batch figure").first
    assert figure.locator("circle.live-draw").count() == (3 if dims == 2 else 3 * dims)
    assert figure.locator(shapes).count() == dims  # ellipses of 1 and 2 σ, or a bar for each dimension
    assert figure.locator("line.live-term").count() == 3
    *terms, mean, _ = figure.locator("figcaption div").all_inner_texts()
    numbers = [float(text.replace("−", "-")) for text in (*terms, mean)]
    assert len(terms) == 3 and sum(numbers[:3]) / 3 == pytest.approx(numbers[3], abs=0.11)
    assert "Dots: the 3 draws z = μ + σε" in page.inner_text("#batch details > small")


def test_the_batch_of_a_step_folds_away_when_the_run_goes_on(visit):
    me = visit()
    page = me.page
    me.choose("Data", "digits")
    me.set("Epochs", 3000)
    page.click("#step")
    me.wait_for_state("paused")
    figure = page.locator("#batch figure").first
    figure.wait_for()
    page.click("#step")
    page.wait_for_function("document.querySelector('#batch h4').textContent.startsWith('Step 2,')")
    me.wait_for_state("paused")  # until then the button would pause it
    assert figure.is_visible()
    page.click("#pause")
    figure.wait_for(state="hidden")
    assert me.state() == "running"
    page.click("#batch summary")
    count = len(me.curves()["train_elbo"][0])
    wait_for_records(me, count + 2)
    assert figure.is_visible()  # it stays open for whoever has opened it
    page.click("#stop")
    me.wait_for_state("stopped")
    me.reload()
    page.wait_for_function("document.querySelector('#batch h4')?.textContent.startsWith('Step 2,')")
    assert not figure.is_visible()


def test_a_value_that_comes_while_another_is_on_its_way_is_not_lost(visit, server):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    page.wait_for_function("document.querySelector('#train').disabled")
    hold = Hold(page, "queue/join", most=1)
    change(me, "β", 2)
    hold.wait()
    change(me, "β", 3)
    me.frames()
    hold.release()
    page.wait_for_selector("#progress >> text=β = 3")
    page.click("#stop")
    me.wait_for_state("stopped")
    written = [path.read_text() for path in server.runs.glob("*/changes.json")]
    assert any('"beta": 2' in text and '"beta": 3' in text for text in written)
    assert page.get_by_label("β", exact=True).input_value() == "3"


def test_a_run_that_goes_on_after_a_stop_has_its_form_again(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000, Dimensions_D=3)
    wait_for_records(me, 2)
    beta, dims = (page.get_by_label(name, exact=True) for name in ("β", "Dimensions D"))
    for button in ("#step", "#pause"):
        page.click("#stop")
        me.wait_for_state("stopped")
        page.wait_for_function("!document.querySelector('#train').disabled")
        me.set("β", 7)
        me.set("Dimensions D", 5)
        page.click(button)
        page.wait_for_function("document.querySelector('#train').disabled")
        page.wait_for_function("document.querySelector('[aria-label=\"Dimensions D\"]').value === '3'")
        assert (beta.input_value(), dims.input_value()) == ("1", "3") and dims.is_disabled()
    page.click("#stop")
    me.wait_for_state("stopped")


def test_settings_change_in_mid_run_and_the_chart_marks_where(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    wait_for_records(me, 3)
    page.wait_for_function("document.querySelector('#train').disabled")
    assert page.get_by_label("Dimensions D", exact=True).is_disabled()
    assert "cannot change during a run" in page.inner_text(".train-note")
    change(me, "β", 4)
    marked = """(document.querySelector("#train-curves .live-plot")?.layout?.annotations ?? [])
        .some(({ text }) => text === "β = 4")"""
    page.wait_for_function(marked, timeout=MINUTE)
    assert me.state() == "running"
    change(me, "Learning rate", -1)
    page.wait_for_selector("#fault-learning_rate >> text=Learning rate is -1; it must be a number above 0")
    me.reload()
    page.wait_for_function("document.querySelector('#progress .live')?.dataset.state === 'running'")
    page.wait_for_function(marked, timeout=MINUTE)  # and a reload has the mark, and the form what was changed
    assert page.get_by_label("β", exact=True).input_value() == "4"
    page.click("#stop")
    me.wait_for_state("stopped")
    page.wait_for_function("!document.querySelector('#train').disabled")
    assert page.get_by_label("Dimensions D", exact=True).is_enabled()


def test_reset_begins_anew_and_keeps_the_old_run(visit):
    me = visit()
    me.train(Epochs=3000)
    wait_for_records(me, 3)
    me.page.click("#pause")
    me.wait_for_state("paused")
    before = me.page.evaluate("window.session?.run")
    me.page.click("#reset")
    me.wait_for_state("running")
    wait_for_records(me, 1)
    me.page.click("#pause")
    me.wait_for_state("paused")
    assert before != me.asked("follow")[-1]["run"]
    me.tab("Runs")
    me.page.wait_for_function("document.querySelectorAll('#runs tbody tr').length === 2")
    states = me.page.locator("#runs tbody tr td:nth-child(3)").all_inner_texts()
    assert sorted(states) == ["paused", "stopped"]


def test_a_closed_page_comes_back_within_a_second(visit):
    me = visit()
    me.train(Epochs=3000)
    wait_for_records(me, 5)
    steps = me.curves()["train_elbo"][0]
    me.page.close()
    me.page = me.context.new_page()
    me.page.goto(f"{me.url}?tab=train")
    me.page.wait_for_selector("#train", state="attached")
    wait_for_records(me, len(steps))
    assert me.curves()["train_elbo"][0][: len(steps)] == steps and me.state() == "running"
    me.page.click("#pause")
    me.wait_for_state("paused")


def test_two_windows_watch_one_run_and_both_steer(visit):
    me = visit()
    me.train(Epochs=3000)
    wait_for_records(me, 2)
    second = me.new_tab()
    second.wait_for_selector('#progress .live[data-state="running"]')
    second.click("#pause")
    me.wait_for_state("paused")
    second.wait_for_selector('#progress .live[data-state="paused"]')
    me.page.click("#pause")
    me.wait_for_state("running")
    me.page.click("#stop")
    me.wait_for_state("stopped")
    assert me.state() == "stopped"


def test_several_tabs_of_one_browser_keep_working(visit):
    me = visit()
    me.train(Epochs=3000)
    wait_for_records(me, 2)
    me.page.click("#pause")  # while the tabs are opened, which is slow beside a training
    me.wait_for_state("paused")
    count = len(me.curves()["train_elbo"][0])
    tabs = [me.new_tab() for _ in range(6)]
    me.page.click("#pause")
    for tab in tabs:
        tab.wait_for_function(f"document.querySelector('#train-curves .live-plot')?.data?.[0].x.length > {count}")
    tabs[-1].click("#stop")
    me.page.bring_to_front()
    me.wait_for_state("stopped")
    assert me.state() == "stopped" and len(tabs) == 6


def test_a_hole_in_the_increments_heals(visit):
    me = visit()
    dropped = []

    def drop(route):
        """Loses an answer's increment: as if it had been another one's."""
        body = json.loads(route.request.post_data)
        if body.get("fn_name") == "follow" and body["data"]["since"] > 5 and len(dropped) < 2:
            answer = route.fetch().json()
            dropped.append(answer["from"])
            answer["from"] += 1
            return route.fulfill(json=answer)
        return route.continue_()

    me.page.route(re.compile("component_server"), drop)
    me.train(Epochs=3000)
    until(me.page, lambda: len(dropped) == 2)
    wait_for_records(me, 40)
    steps = me.curves()["train_elbo"][0]
    assert steps == sorted(set(steps)) and steps[0] == 1
    assert max(b - a for a, b in pairwise(steps)) <= 20  # no record is missing
    me.page.click("#stop")
    me.wait_for_state("stopped")
