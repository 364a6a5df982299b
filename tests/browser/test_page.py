"""The whole job, as a person does it in a browser."""

import re

import pytest
from playwright.sync_api import expect

from checkpoints.record import ID

from .conftest import Visitor, free_port, start, stop
from .test_draw import rested

pytestmark = pytest.mark.browser

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.5, 0.55), (0.42, 0.85)]


def wait_for_records(visitor, count, chart="train-curves"):
    """Waits until the chart's training curve of a run, which is no recording, has so many points."""
    script = """([id, n]) => document.querySelector('#progress .live').dataset.state !== "recorded"
        && document.querySelector(`#${id} .live-plot`)?.data?.[0].x.length >= n"""
    visitor.page.wait_for_function(script, arg=[chart, count], timeout=60_000)


def test_the_main_job_through_all_four_tabs(visit):
    me = visit()
    page = me.page
    # Train on digits until the held-out −ELBO has fallen by a tenth from what it was after the first epoch.
    me.train(Epochs=2000)
    wait_for_records(me, 1)
    page.evaluate("document.querySelector('#train-curves .live-plot').mark = 'the same node'")
    falls = """() => {
        const { data } = document.querySelector("#train-curves .live-plot");
        const { y } = data.find((trace) => trace.meta === "test_elbo");
        return y.length > 1 && y.at(-1) < 0.9 * y[0];
    }"""
    page.wait_for_function(falls, timeout=120_000)
    assert page.evaluate("document.querySelector('#train-curves .live-plot').mark") == "the same node"
    steps, losses = me.curves()["train_elbo"]
    assert steps[0] == 1 and steps == sorted(set(steps)) and losses[-1] < losses[0]
    line = r"step [\d,]+ of 24,000 · epoch [\d.]+ · learning rate 0.0[\d]+ · [\d,]+ images/s · .* left"
    assert re.search(line, page.inner_text("#progress"))
    page.wait_for_selector("#pictures .live[data-version]:not(.live-waiting)")
    assert me.ink("#pictures canvas") > 0

    # The ELBO tab has the same run, and its three curves add up.
    me.tab("ELBO")
    wait_for_records(me, len(steps), "elbo-curves")
    curves = me.curves("elbo-curves")
    held_out = [curves[f"test_{name}"][1] for name in ("elbo", "reconstruction", "kl")]
    assert len(held_out[0]) > 1
    for total, reconstruction, kl in zip(*held_out, strict=True):
        assert total == pytest.approx(reconstruction + kl, abs=0.01)
    page.wait_for_function("document.querySelector('#kl-bars .live').data?.[0]?.y.length === 20")

    # A reload finds the run still going, with all of its curve.
    me.reload()
    me.tab("Train")
    me.wait_for_state("running")
    wait_for_records(me, len(steps))
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("2000")  # the form is the run's
    again, losses_again = me.curves()["train_elbo"]
    assert again[: len(steps)] == steps and losses_again[: len(steps)] == losses
    wait_for_records(me, len(again) + 1)
    page.click("#stop")
    me.wait_for_state("stopped")

    # A drawing with the mouse has a reconstruction with ink, and an ELBO whose terms add up.
    me.tab("Draw")
    page.wait_for_selector(".live-examples button")
    assert me.ink("#draw .live-reconstruction") == 0
    me.draw(*SEVEN)
    rested(me)
    assert me.ink(".live-pair figure:nth-child(1) canvas") > 5000
    assert me.ink("#draw .live-reconstruction") > 5000
    assert me.number("elbo") == pytest.approx(me.number("reconstruction") - me.number("kl"), abs=0.11)

    # A slider changes the picture.
    me.tab("Latents")
    slider = page.locator(".live-list input[type=range]").first
    slider.wait_for()
    page.wait_for_function("document.querySelector('.live-decoded').width === 28")
    before = page.locator(".live-decoded").screenshot()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2, steps=10)
    page.mouse.up()
    assert float(slider.input_value()) > 2
    assert page.locator(".live-decoded").screenshot() != before


def test_the_new_model_is_offered_beside_the_shipped_one(visit):
    me = visit()
    me.train(Epochs=3, Dimensions_D=3)
    me.wait_for_state("finished")
    me.page.wait_for_function("document.querySelector('#train').disabled === false")
    me.page.get_by_label("Model", exact=True).click()
    options = me.page.locator('ul[role="listbox"] li').all_inner_texts()
    assert any("ready-made" in option for option in options) and "finished" in options[-1]
    me.page.locator('ul[role="listbox"] li').last.click()
    me.tab("Latents")
    me.page.wait_for_function("document.querySelectorAll('.live-list input[type=range]').length === 3")
    me.page.wait_for_function("location.search.includes('tab=latents')")
    me.page.reload()
    me.page.wait_for_function("document.querySelectorAll('.live-list input[type=range]').length === 3")


def test_two_visitors_do_not_meet(visit):
    anna, bert = visit(), visit()
    anna.train(Epochs=2000)
    wait_for_records(anna, 2)
    bert.page.goto(f"{bert.url}?tab=train")
    bert.page.wait_for_function("location.search.includes('model=')")  # the page knows what its session holds
    assert {question["run"] for question in bert.asked("follow")} <= {ID}  # the recording, which is nobody's
    expect(bert.page.locator("#progress")).to_contain_text("Recorded; press Train for your own.")
    bert.page.get_by_label("Model", exact=True).click()
    assert all("my run" not in option for option in bert.page.locator('ul[role="listbox"] li').all_inner_texts())
    # A second tab of the same person does see the run.
    second = anna.new_tab()
    second.wait_for_selector('#progress .live[data-state="running"]')
    anna.page.click("#stop")
    anna.wait_for_state("stopped")


def test_zoom_and_hidden_curves_survive_updates(visit):
    me = visit()
    me.tab("ELBO")
    me.page.wait_for_selector("#elbo-curves .main-svg")
    me.tab("Train")
    me.train(Epochs=2000)
    me.tab("ELBO")
    wait_for_records(me, 3, "elbo-curves")
    change = """async () => {
        const node = document.querySelector("#elbo-curves .live-plot");
        await Plotly.relayout(node, { "xaxis.range": [2, 9] });
        await Plotly.restyle(node, { visible: "legendonly" }, [3]);
        return node.data[0].x.length;
    }"""
    points = me.page.evaluate(change)
    wait_for_records(me, points + 3, "elbo-curves")
    node = "document.querySelector('#elbo-curves .live-plot')"
    assert me.page.evaluate(f"{node}.layout.xaxis.range") == [2, 9]
    assert me.page.evaluate(f"{node}.data[3].visible") == "legendonly"
    me.tab("Train")
    me.page.click("#stop")
    me.wait_for_state("stopped")


def test_a_bad_setting_is_said_and_the_session_goes_on(visit):
    me = visit()
    me.choose("Data", "digits")
    for label, value, message in (
        ("Dimensions D", "0", "Dimensions D is 0; it must be a whole number from 1 to 512."),
        ("Dimensions D", "1000000000", "Dimensions D is 1000000000"),
        ("Learning rate", "", "Learning rate is empty; it must be a number above 0"),
        ("Batch size", "5000", "Batch size is 5000; the training set has 1500 images"),
        ("Epochs", "2.5", "Epochs is 2.5; it must be a whole number"),
    ):
        good = me.page.get_by_label(label, exact=True).input_value()
        me.set(label, value)
        me.page.click("#train")
        fault = me.page.locator(".live-fault", has_text=message)
        fault.wait_for()
        assert "Traceback" not in fault.inner_text()
        me.set(label, good)
    me.train(Epochs=1)
    me.wait_for_state("finished")


def test_a_training_that_diverges_says_at_which_step(visit):
    me = visit()
    me.choose(
        "Architecture", "residual"
    )  # diverges in two steps everywhere; others may not, which depends on the machine
    me.choose("Likelihood p(x|z)", "Gaussian")
    me.unfold_training_details()
    me.train(Epochs=500, Learning_rate=1, **{"Learning-rate warm-up": 0})
    me.wait_for_state("failed")
    assert re.search(
        r"became infinite or NaN at step \d+; try a smaller learning rate", me.page.inner_text("#progress")
    )


def test_the_pad_clears_starts_from_a_digit_and_keeps_the_drawing(visit):
    me = visit()
    me.tab("Draw")
    me.page.get_by_label("Start from a 4").click()
    done = "document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)"
    me.page.wait_for_function(done)
    elbo = me.number("elbo")
    me.reload()
    me.tab("Draw")
    me.page.wait_for_function(done)
    assert me.number("elbo") == elbo
    me.tab("Latents")
    me.page.wait_for_selector(".live-list input[type=range]")
    me.page.get_by_role("button", name="My drawing").click()
    me.page.wait_for_function(
        "[...document.querySelectorAll('.live-list input[type=range]')].some((i) => Math.abs(i.value) > 0.3)"
    )
    me.page.get_by_text("Centre of the prior", exact=True).click()
    assert me.page.evaluate("[...document.querySelectorAll('.live-list input[type=range]')].every((i) => i.value == 0)")
    me.tab("Draw")
    me.page.get_by_role("button", name="Clear").click()
    assert me.page.locator("#draw .live-terms output").first.inner_text() == "–"
    assert me.ink("#draw .live-ink") == 0
    me.tab("Latents")
    me.page.get_by_role("button", name="My drawing").click()
    me.page.wait_for_selector("text=There is no drawing yet")


def test_a_click_is_a_drawing(visit):
    me = visit()
    me.tab("Draw")
    me.page.wait_for_selector(".live-examples button")
    me.page.locator("#draw .live-ink").click(position={"x": 30, "y": 40})
    me.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
    assert me.ink("#draw .live-ink") > 10_000


def test_the_pad_takes_touch(visit):
    me = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    me.tab("Draw")
    me.page.wait_for_selector(".live-examples button")
    box = me.page.locator("#draw .live-ink").bounding_box()
    touch = me.context.new_cdp_session(me.page)
    places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in SEVEN]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    me.page.wait_for_function("document.querySelector('#draw .live-terms output')?.textContent.match(/[0-9]/)")
    assert me.ink("#draw .live-ink") > 100_000
    assert me.page.evaluate("scrollY") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off(visit, theme):
    me = visit(f"?__theme={theme}")
    for name, there in (
        ("Train", "#train-curves .main-svg"),
        ("ELBO", "#kl-history .main-svg"),
        ("Draw", ".live-examples button"),
        ("Latents", ".live-map-plot .main-svg"),
        ("Runs", "#runs p:not([hidden])"),
    ):
        me.tab(name)
        me.page.wait_for_selector(there)
        for width in (1440, 390):
            me.page.set_viewport_size({"width": width, "height": 844})
            me.fitted()
            assert me.page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def test_a_server_that_was_started_anew_asks_for_the_login_again(browser, tmp_path):
    options, port = ("--auth", "class:secret", "--max-trainings", "2"), free_port()
    server = start(tmp_path, *options, port=port)
    context = browser.new_context()
    assert context.request.post(f"{server.url}/login", form={"username": "class", "password": "secret"}).ok
    me = Visitor(context, server.url)
    me.train(Epochs=1)
    me.wait_for_state("finished")
    stop(server)
    me.page.evaluate("dispatchEvent(new Event('focus'))")  # one comes back to the page
    me.page.wait_for_selector("#progress >> text=The server does not answer.")
    server = start(tmp_path, *options, port=port)
    me.page.evaluate("dispatchEvent(new Event('focus'))")
    me.page.wait_for_selector("#progress >> text=asks for name and password again: reload the page.")
    context.close()
    stop(server)
