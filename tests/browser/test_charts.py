"""The charts and the film of a training: what a reader sets on them stays, and what they show is the run's."""

import json
import shutil
from itertools import pairwise

import pytest
from PIL import Image

from .conftest import Hold
from .test_page import wait_for_records

pytestmark = pytest.mark.browser
MINUTE = 60_000
PLOT = "document.querySelector('#train-curves .live-plot')"
LABELS = f"({PLOT}.layout.annotations ?? []).map(({{ text }}) => text)"


def reload(visitor, records):
    """Reloads the page, which follows its browser's newest run then, and waits for its chart."""
    visitor.reload()
    visitor.tab("Train")
    wait_for_records(visitor, records)


def lengthen(server, run, count, elbo):
    """Goes on with the records of an ended run up to step `count`, with the training ELBO elbo(step)."""
    file = server.runs / run / "metrics.jsonl"
    record = json.loads(file.read_text().splitlines()[-1])
    with file.open("a") as more:
        for step in range(record["step"] + 1, count + 1):
            train = {"elbo": elbo(step), "reconstruction": elbo(step) + 20, "kl": 20.0}
            more.write(
                json.dumps(
                    record | {"step": step, "seconds": step / 100, "train": train, "test": None, "watched": None}
                )
                + "\n"
            )


def test_choices_are_the_same_in_all_charts_and_after_a_reload(visit, give):
    me = visit()
    page = me.page
    give(me, {"epochs": 10})
    reload(me, 10)
    me.tab("ELBO")
    page.wait_for_selector("#elbo-curves .live-controls")
    me.tab("Train")
    controls = page.locator("#train-curves .live-controls")
    controls.locator("select").select_option("epoch")
    controls.get_by_label("Log scale").check()
    me.tab("ELBO")
    elbo = "document.querySelector('#elbo-curves .live-plot').layout"
    page.wait_for_function(f"{elbo}.xaxis.title.text === 'epoch' && {elbo}.yaxis.type === 'log'")
    assert page.locator("#elbo-curves select").input_value() == "epoch"
    clips = "[...document.querySelectorAll('.live-plot [clip-path]')].map((part) => part.getAttribute('clip-path'))"
    assert page.evaluate(clips) and all(clip.startswith("url(#") for clip in page.evaluate(clips))
    page.locator("#elbo-curves").get_by_label("Log scale").uncheck()
    me.tab("Train")
    page.wait_for_function(f"{PLOT}.layout.yaxis.type === 'linear'")
    assert not controls.get_by_label("Log scale").is_checked()
    reload(me, 10)
    assert page.evaluate(f"{PLOT}.layout.xaxis.title.text") == "epoch"
    # What is kept may be broken: then the chart begins with its defaults.
    page.evaluate('localStorage.setItem(\'vae-chart\', \'{"axis": "nonsense", "smoothing": "x"\')')
    reload(me, 10)
    assert page.evaluate(f"{PLOT}.layout.xaxis.title.text") == "step"


def test_the_legend_says_whose_weights_are_evaluated(visit, give):
    titles = f"{PLOT}.data.map(({{ meta, name }}) => [meta, name])"
    for average, words in ((0.99, ", averaged weights"), (0.0, "")):
        me = visit()
        give(me, {"epochs": 10, "average": average})
        reload(me, 10)
        curves = dict(me.page.evaluate(titles))
        held_out = [name for column, name in curves.items() if column.startswith("test_")]
        assert held_out and all(name.endswith(f"held-out{words}") for name in held_out)
        training = [name for column, name in curves.items() if column.startswith("train_")]
        assert training and not any("weights" in name for name in training)
        assert held_out[0] in me.page.locator("#train-curves .legendtext").all_text_contents()


def test_a_chart_that_was_out_of_sight_fills_its_place(visit):
    me = visit("?tab=draw")
    me.page.wait_for_selector(".live-examples button")
    me.tab("Train")
    whole = "[...document.querySelectorAll('#train-curves .main-svg, #train-curves .live-plot')]"
    me.page.wait_for_selector("#train-curves .main-svg")
    me.page.wait_for_function(f"new Set({whole}.map((it) => Math.round(it.getBoundingClientRect().width))).size === 1")
    widths = me.page.evaluate(f"{whole}.map((it) => it.getBoundingClientRect().width)")
    assert len(widths) > 2 and max(widths) > 500 and max(widths) - min(widths) < 1


def test_numbers_of_any_length_stand_beside_their_axis(visit, server, give):
    me = visit()
    [run] = give(me, {"epochs": 10})
    lengthen(server, run, 400, lambda step: -5e7 - 1e7 * step)
    reload(me, 100)
    apart = """() => {
        const all = (it) => [...document.querySelectorAll(`#train-curves ${it}`)];
        const boxes = (it) => all(it).map((n) => n.getBoundingClientRect());
        const [[plot], [title], labels] = [".live-plot", ".ytitle", ".ytick text"].map(boxes);
        return labels.length > 1 && title.left >= plot.left && labels.every(({ left }) => left >= title.right);
    }"""
    me.page.wait_for_function(apart)
    assert me.page.evaluate(apart) and "00,000,000" in "".join(
        me.page.locator("#train-curves .ytick text").all_text_contents()
    )


def test_a_zoom_stays_where_it_is_on_every_axis_and_through_updates(visit):
    me = visit()
    page = me.page
    me.train(Epochs=3000)
    wait_for_records(me, 12)
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [12, 48], 'yaxis.range': [100, 1000] }})")
    page.evaluate(f"Plotly.restyle({PLOT}, {{ visible: 'legendonly' }}, [1])")
    page.locator("#train-curves").get_by_label("Smoothing").fill("0.5")
    count = page.evaluate(f"{PLOT}.data[0].x.length")
    wait_for_records(me, count + 3)
    assert page.evaluate(f"{PLOT}.layout.xaxis.range") == [12, 48]
    assert page.evaluate(f"{PLOT}.layout.yaxis.range") == [100, 1000]
    axis = page.locator("#train-curves select")
    axis.select_option("epoch")
    assert page.evaluate(f"{PLOT}.layout.xaxis.range") == pytest.approx([1, 4])
    page.locator("#train-curves").get_by_label("Log scale").check()
    assert page.evaluate(f"{PLOT}.layout.yaxis.range") == pytest.approx([2, 3])
    axis.select_option("seconds")
    low, high = page.evaluate(f"{PLOT}.layout.xaxis.range")
    assert 0 < low < high
    page.locator("#train-curves").get_by_label("Smoothing").fill("0")
    count = page.evaluate(f"{PLOT}.data[0].x.length")
    wait_for_records(me, count + 3)
    assert page.evaluate(f"{PLOT}.layout.xaxis.range") == [low, high]
    assert page.evaluate(f"{PLOT}.data[1].visible") == "legendonly"
    axis.select_option("step")
    assert page.evaluate(f"{PLOT}.layout.xaxis.range") == pytest.approx([12, 48])
    page.click("#stop")
    me.wait_for_state("stopped")


def test_a_double_click_shows_the_first_steps_too(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10})
    lengthen(server, run, 1000, lambda step: -9000.0 if step == 150 else -250.0)
    reload(me, 800)
    file = server.runs / run / "metrics.jsonl"
    first = -json.loads(file.read_text().splitlines()[0])["train"]["elbo"]
    file.write_text(file.read_text().replace("-9000.0", "-250.0"))
    reload(me, 800)
    top = f"{PLOT}._fullLayout.yaxis.range[1]"
    assert page.evaluate(top) < first  # the steep beginning does not squash the rest
    box = page.locator("#train-curves .nsewdrag").bounding_box()
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [300, 400] }})")
    page.mouse.dblclick(*centre)
    page.wait_for_function(f"{PLOT}.layout.xaxis.autorange && {PLOT}._fullLayout.xaxis.range[1] >= 1000")
    assert page.evaluate(top) < first
    # Plotly counts a press soon after the last as one more click of the same series.
    over = f"Date.now() - {PLOT}._mouseDownTime > {PLOT}._context.doubleClickDelay"
    page.wait_for_function(over)
    page.mouse.dblclick(*centre)
    page.wait_for_function(f"{top} >= {first}")
    page.wait_for_function(over)
    page.mouse.dblclick(*centre)
    page.wait_for_function(f"{top} < {first}")


def test_twenty_changes_are_marked_without_names_on_each_other(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10})
    changes = [{"step": 2 + 5 * i, "beta": 1.0 + i} for i in range(20)]
    (server.runs / run / "changes.json").write_text(json.dumps(changes))
    reload(me, 10)
    page.wait_for_function(f"{PLOT}.layout.shapes?.length === 20")
    named = [label for label in page.evaluate(LABELS) if label != "▾"]
    assert named[0] == "β = 20" and 2 <= len(named) < 20  # the newest first
    boxes = page.evaluate("""[...document.querySelectorAll('#train-curves .annotation-text')]
        .filter((node) => node.textContent !== '▾').map((node) => node.getBoundingClientRect())
        .map(({ x, right }) => [x, right])""")
    boxes.sort()
    assert all(right <= x for (_, right), (x, _) in pairwise(boxes))
    assert "β 19 → 20" in page.evaluate(f"{PLOT}.layout.annotations[0].hovertext")
    # Zoomed in, there is room for every name.
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [90, 100] }})")
    page.wait_for_function(f"{LABELS}.filter((text) => text === 'β = 19' || text === 'β = 20').length === 2")
    # On each axis a mark stands where its step is.
    page.locator("#train-curves select").select_option("epoch")
    assert page.evaluate(f"{PLOT}.layout.shapes[0].x0") == pytest.approx(2 / 12)


def test_a_late_window_does_not_take_a_newer_ones_place(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {})
    lengthen(server, run, 20_000, lambda step: -200.0 - step % 7)
    reload(me, 300)
    hold = Hold(page, function="window", most=1)
    inside = f"{PLOT}.data[0].x.filter((x) => x >= %d && x <= %d).length"
    for low in (4000, 4900, 5000):  # the last two in one go: one question
        page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.range': [{low}, {low + 50}] }})")
        if low == 4000:
            hold.wait()
    page.wait_for_function(f"{inside % (5000, 5050)} === 51")
    hold.release()
    me.settled()
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'yaxis.range': [190, 220] }})")
    assert page.evaluate(inside % (5000, 5050)) == 51 and page.evaluate(inside % (4000, 4050)) < 51
    asked = me.asked("window")
    assert len(asked) == 2 and asked[1]["low"] == pytest.approx(5000)
    # Out of the zoom, the overview is back.
    page.evaluate(f"Plotly.relayout({PLOT}, {{ 'xaxis.autorange': true }})")
    page.wait_for_function(f"{inside % (5000, 5050)} < 51")


def test_a_log_scale_says_what_it_cannot_show(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10})
    lengthen(server, run, 130, lambda step: 5.0)
    reload(me, 20)
    page.locator("#train-curves").get_by_label("Log scale").check()
    page.get_by_text("Values of 0 and below have no place on a log scale.").wait_for()
    page.locator("#train-curves").get_by_label("Log scale").uncheck()
    assert page.get_by_text("Values of 0 and below").count() == 0


def test_the_bars_the_charts_and_the_pictures_show_the_moment_of_the_range(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10, "latent_dim": 3})
    reload(me, 10)
    frames = sorted(int(path.stem) for path in (server.runs / run / "frames").glob("*.jpg") if path.stem.isdigit())
    lines = (server.runs / run / "metrics.jsonl").read_text().splitlines()
    kl = {record["step"]: record["kl_per_dim"] for record in map(json.loads, lines)}
    me.tab("ELBO")
    bars = "document.querySelector('#kl-bars .live').data[0].y"
    page.wait_for_function("document.querySelector('#kl-bars .live')?.data?.[0].y.length === 3")
    page.wait_for_function("document.querySelector('#kl-history .live')?.data?.[0].z?.length === 3")
    page.get_by_label("Moment shown by the bars").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"{bars}[0] !== {kl[max(kl)][0]:.4f}")
    assert page.evaluate(bars) == pytest.approx(kl[frames[0]], abs=1e-3)
    assert page.evaluate("document.querySelector('#kl-history .live').layout.shapes[0].x0") == frames[0]
    me.tab("Train")
    page.wait_for_function(f"document.querySelector('#pictures .live').dataset.version === '{frames[0]}'")
    assert page.inner_text("#pictures .live-scrubber output") == f"step {frames[0]}"
    page.wait_for_function(f"{PLOT}.layout.shapes.length === 1")
    first, second = sorted(sorted(range(3), key=lambda j: -kl[frames[0]][j])[:2])
    assert f"z{first} →, z{second} ↑" in page.inner_text("#pictures")
    page.locator("#pictures").get_by_role("button", name="Back to now").click()
    page.wait_for_function(f"{PLOT}.layout.shapes.length === 0")
    me.tab("ELBO")
    page.wait_for_function(f"Math.abs({bars}[0] - {kl[max(kl)][0]}) < 1e-3")


def test_a_late_picture_does_not_take_a_newer_ones_place(visit, server, give):
    me = visit()
    page = me.page
    [run] = give(me, {"epochs": 10})
    frames = sorted(int(path.stem) for path in (server.runs / run / "frames").glob("*.jpg") if path.stem.isdigit())
    assert len(frames) > 1
    for step, dims in zip(frames, ("3 5", "8 9"), strict=False):  # as if others had been the two of largest KL
        with Image.open(file := server.runs / run / "frames" / f"{step}.jpg") as image:
            image.load()
        image.save(file, "JPEG", comment=dims)
    reload(me, 10)
    page.wait_for_selector("#pictures .live[data-version]:not(.live-waiting)")
    hold = Hold(page, rf"frames/{frames[0]}\.jpg")
    slider = page.get_by_label("Moment of the training")
    version = "document.querySelector('#pictures .live').dataset.version"
    slider.focus()
    page.keyboard.press("Home")
    hold.wait()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{version} === '{frames[1]}'")
    page.evaluate("""() => {
        const decode = createImageBitmap;
        window.createImageBitmap = (file) => decode(file).finally(() => setTimeout(() => { window.decoded = true; }));
    }""")
    hold.release()
    page.wait_for_function("window.decoded")  # the late picture is there
    assert page.evaluate(version) == str(frames[1])
    assert "z8 →, z9 ↑" in page.inner_text("#pictures")  # the caption is the picture's
    page.keyboard.press("ArrowLeft")  # by now it is here
    page.wait_for_function(f"{version} === '{frames[0]}'")
    assert "z3 →, z5 ↑" in page.inner_text("#pictures")


def test_a_run_without_a_film_asks_for_no_pictures(visit, server, give):
    me = visit()
    [run] = give(me, {"epochs": 10})
    shutil.rmtree(server.runs / run / "frames")
    reload(me, 10)
    me.page.wait_for_function("document.querySelector('#progress .live').dataset.state === 'finished'")
    assert me.page.locator("#pictures .live.live-waiting").count() == 1
    assert not [url for url in me.requests if ".jpg" in url and run in url]


def test_a_second_window_sees_that_the_run_goes_on_again(visit):
    me = visit()
    me.train(Epochs=3000)
    wait_for_records(me, 2)
    second = me.new_tab()
    second.wait_for_selector('#progress .live[data-state="running"]')
    me.page.click("#pause")
    for page in (me.page, second):
        page.wait_for_selector('#progress .live[data-state="paused"]')
    me.page.click("#pause")
    me.wait_for_state("running")
    second.wait_for_selector('#progress .live[data-state="running"]')
    assert me.state() == "running"
    second.click("#stop")
    me.wait_for_state("stopped")
    assert me.state() == "stopped"
