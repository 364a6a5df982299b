"""What a training leaves to look at: its film, the chart by other axes, the KL over the steps, a long run."""

import json

import pytest

from .test_page import wait_for_records

pytestmark = pytest.mark.browser
MINUTE = 60_000


def test_the_film_is_scrubbed_during_and_after_a_training(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    wait_for_records(me, 1)
    page.wait_for_function("document.querySelector('.live-scrubber input')?.max >= 4", timeout=MINUTE)
    slider = page.get_by_label("Moment of the training")
    picture = "document.querySelector('#pictures .live').dataset.version"
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"{picture} === '1'")  # the first step, by keyboard alone
    first = page.locator("#pictures canvas").last.screenshot()
    count = int(slider.get_attribute("max"))
    page.wait_for_function(f"document.querySelector('.live-scrubber input').max > {count}", timeout=MINUTE)
    assert page.inner_text(".live-scrubber output") == "step 1"  # new frames do not move the view
    page.click("#stop")
    me.wait_for_state("stopped")
    page.keyboard.press("Home")
    page.get_by_role("button", name="Back to now").click()
    page.wait_for_function(f"{picture} !== '1'")
    assert page.locator("#pictures canvas").last.screenshot() != first
    page.get_by_role("button", name="Replay").click()
    page.wait_for_function("document.querySelector('.live-scrubber output').textContent.startsWith('step')")
    page.wait_for_function("document.querySelector('.live-scrubber output').textContent === 'now'", timeout=MINUTE)


def test_the_chart_against_epochs_and_seconds_smoothed_and_logarithmic(visit):
    me = visit()
    page = me.page
    me.train(Epochs=10)
    me.wait_for_state("finished")
    steps, losses = me.curves()["train_elbo"]
    controls = page.locator("#train-curves .live-controls")
    controls.locator("select").select_option("epoch")
    assert me.curves()["train_elbo"][0] == pytest.approx([step / 12 for step in steps])
    controls.locator("select").select_option("seconds")
    seconds = me.curves()["train_elbo"][0]
    assert seconds == sorted(seconds) and 0 < seconds[-1] < 60
    controls.get_by_label("Smoothing").fill("0.9")
    smooth, raw = (me.curves()[name][1] for name in ("train_elbo", "raw train_elbo"))
    assert raw == losses and len(smooth) == len(losses) and smooth != losses
    sum_ = mass = 0
    for value, found in zip(losses, smooth, strict=True):
        sum_, mass = 0.9 * sum_ + 0.1 * value, 0.9 * mass + 0.1
        assert found == pytest.approx(sum_ / mass)
    controls.get_by_label("Log scale").check()
    assert page.evaluate("document.querySelector('#train-curves .live-plot').layout.yaxis.type") == "log"
    page.reload()
    page.wait_for_selector("#train-curves .live-controls")
    assert page.locator("#train-curves .live-controls select").input_value() == "seconds"  # choices are kept


def test_the_history_of_the_kl_is_drawn(visit):
    me = visit()
    me.train(Epochs=10, Dimensions_D=3)
    me.wait_for_state("finished")
    me.tab("ELBO")
    me.page.wait_for_function("document.querySelector('#kl-history .live')?.data?.[0].z?.length === 3")
    z, x, active = me.page.evaluate(
        "(({ data }) => [data[0].z, [...data[0].x], [...data[1].y]])(document.querySelector('#kl-history .live'))"
    )
    assert len(x) == len(z[0]) and x[0] == 1 and x[-1] == 120 and len(active) == 10


def test_a_long_run_is_thinned_and_shown_in_full_where_one_zooms_in(visit, server):
    me = visit()
    me.train(Epochs=1)
    me.wait_for_state("finished")
    me.tab("Runs")
    me.page.wait_for_selector("#runs tbody tr")
    run = me.page.locator("#runs tbody tr").first.get_attribute("data-run")
    file = server.runs / run / "metrics.jsonl"
    record = json.loads(file.read_text().splitlines()[-1])
    count, peak = 100_000, 12_345
    with file.open("a") as more:
        for step in range(13, count + 1):
            elbo = -900.0 if step == peak else -200.0 - step % 7
            train = {"elbo": elbo, "reconstruction": elbo + 20, "kl": 20.0}
            more.write(json.dumps(record | {"step": step, "seconds": step / 100, "train": train, "test": None}) + "\n")
    me.reload()
    me.tab("Train")
    newest = f"document.querySelector('#train-curves .live-plot')?.data?.[0].x.at(-1) === {count}"
    me.page.wait_for_function(newest, timeout=MINUTE)
    steps, losses = me.curves()["train_elbo"]
    assert len(steps) < 4000 and steps == sorted(set(steps))
    assert losses[steps.index(peak)] == 900  # the extremes are kept
    zoom = "Plotly.relayout(document.querySelector('#train-curves .live-plot'), { 'xaxis.range': [50000, 50100] })"
    me.page.evaluate(zoom)
    inside = (
        "document.querySelector('#train-curves .live-plot').data[0].x.filter((x) => x >= 50000 && x <= 50100).length"
    )
    me.page.wait_for_function(f"{inside} === 101")
    steps, losses = me.curves()["train_elbo"]
    assert losses[steps.index(50_003)] == 200 + 50_003 % 7 and 0 in [step % 7 for step in steps]
