"""Ticked runs side by side: their settings, curves, points in the rate–distortion plane, and films."""

import json

import pytest

from vae_core.runs.changes import Change
from vae_core.runs.folder import RunFolder

pytestmark = pytest.mark.browser
ROWS = "#runs tbody tr"
PLOTS = "[...document.querySelectorAll('#compare .live-plot')]"
SEEDS = [{"beta": 1, "seed": seed} for seed in range(3)]


def column(visitor, number):
    return visitor.page.locator(f"{ROWS} td:nth-child({number})").all_inner_texts()


def tick(visitor, count):
    """Ticks the runs, the oldest first."""
    for row in reversed(range(count)):
        visitor.page.locator(ROWS).nth(row).get_by_label("Compare this run").check()


def table(visitor):
    """The cells of the comparison's table by the title of their line."""
    script = "(line) => [...line.children].map((it) => it.innerText)"
    lines = visitor.page.locator("#compare tr").evaluate_all(f"(lines) => lines.map({script})")
    return {title: cells for title, *cells in lines}


def names(visitor):
    return visitor.page.evaluate(f"{PLOTS}[0].data.filter((it) => it.showlegend !== false).map((it) => it.name)")


def test_two_runs_are_compared_by_what_differs(visit, list_runs):
    me = visit()
    list_runs(me, {"beta": 1}, {"beta": 3})
    for row in (0, 1):
        me.page.locator(ROWS).nth(row).get_by_label("Compare this run").check()
    plots = "[...document.querySelectorAll('#compare .live-plot')]"
    me.page.wait_for_function(f"{plots}[0].data.length === 2 && {plots}[1].data.length === 11")
    assert me.page.evaluate(f"{plots}[0].data.map((it) => it.name)") == ["β = 3", "β = 1"]
    points = me.page.evaluate(f"{plots}[1].data.slice(-2).map((it) => it.x[0] + it.y[0])")
    assert points == pytest.approx([float(text) for text in column(me, 6)], abs=0.01)
    lines = me.page.evaluate(f"{plots}[1].data.slice(0, 9).map((it) => [it.x[0] + it.y[0], it.x[1] + it.y[1]])")
    assert all(one == pytest.approx(other) for one, other in lines)  # along a line the ELBO is the same
    me.page.locator(ROWS).nth(0).get_by_label("Compare this run").uncheck()
    me.page.wait_for_function(f"{plots}[0].data.length === 1")


def test_a_compared_run_that_was_resumed_and_paused_again_is_followed(visit):
    me = visit()
    last = "document.querySelector('#compare .live-plot').data?.[0]?.x.at(-1)"
    me.train(Epochs=10_000)
    steps = []
    for resume in (True, False):
        me.page.wait_for_function("document.querySelector('#progress .live').dataset.state === 'running'")
        me.page.click("#pause")
        me.wait_for_state("paused")
        me.tab("Runs")
        me.page.locator(ROWS).first.get_by_label("Compare this run").check()
        me.page.get_by_label("Images").select_option("training")
        me.page.wait_for_function(f"{last} > {steps[-1] if steps else 0}")
        steps.append(me.page.evaluate(last))
        if resume:
            me.page.locator(ROWS).first.get_by_role("button", name="Resume").click()
            me.tab("Train")


def test_the_table_says_what_differs_and_the_best_beside_the_last_loss(visit, list_runs, server):
    me = visit()
    runs = list_runs(me, {"beta": 1, "latent_dim": 2}, {"beta": 4, "architecture": "conv", "epochs": 1})
    folder = RunFolder(server.runs / runs[0])
    folder.write_changes([Change(1, {"beta": 2.0}), Change(2, {"beta": 1.0})])
    records = folder.records()
    first = next(record for record in records if record["test"])
    first["test"]["elbo"] = -1.234  # better than what comes after it
    (folder.path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    tick(me, 2)
    me.page.wait_for_function("document.querySelectorAll('#compare thead th').length === 2")
    me.page.wait_for_function("document.querySelector('#compare table').innerText.includes('changed')")
    found = table(me)
    assert found[""] == ["digits · 2 dimensions", "digits · 20 dimensions · conv"]
    assert (found["β"], found["Dimensions D"], found["Architecture"]) == (["1", "4"], ["2", "20"], ["mlp", "conv"])
    assert found["During the run"] == ["changed 2 times during the run", "–"]
    assert found["Hidden layers"] == ["1", "–"]  # it has no effect in the other
    last = -records[-1]["test"]["elbo"]
    assert found["Best −ELBO, held-out"][0] == f"1.23 at step {first['step']}"
    assert found["Last −ELBO, held-out"][0] == f"{last:.2f} at step {records[-1]['step']}"
    alike = {"Data", "Seed", "Batch size", "Learning rate", "Likelihood p(x|z)"}
    assert alike.isdisjoint(found)
    colours = me.page.locator("#compare thead .live-swatch").evaluate_all(
        "(all) => all.map((it) => it.style.background)"
    )
    drawn = me.page.evaluate(f"{PLOTS}[0].data.map((it) => it.line.color)")
    assert len(set(drawn)) == 2 and colours == [
        f"rgb{tuple(int(it[i : i + 2], 16) for i in (1, 3, 5))}" for it in drawn
    ]


def test_runs_that_differ_in_the_seed_alone_are_a_mean_with_a_band(visit, list_runs):
    me = visit()
    list_runs(me, *SEEDS, {"beta": 3})
    tick(me, 4)
    me.page.wait_for_function(f"{PLOTS}[1].data?.length === 9 + 5")
    assert names(me) == ["β = 1 (mean of 3 seeds)", "β = 3, seed = 0"]
    low, high, mean, other = me.page.evaluate(f"{PLOTS}[0].data.map((it) => it.y.at(-1))")
    ended = [float(text) for text in column(me, 6)]  # the newest first
    assert other == pytest.approx(ended[0], abs=0.01)
    assert [low, high, mean] == pytest.approx([min(ended[1:]), max(ended[1:]), sum(ended[1:]) / 3], abs=0.01)
    sizes = me.page.evaluate(f"{PLOTS}[1].data.slice(9).map((it) => it.marker.size)")
    assert sizes == [7, 7, 7, 15, 12]  # singles are small beside their mean
    points = me.page.evaluate(f"{PLOTS}[1].data.slice(9, 13).map((it) => [it.x[0], it.y[0]])")
    for axis in (0, 1):
        assert points[3][axis] == pytest.approx(sum(point[axis] for point in points[:3]) / 3)
    me.page.get_by_label("Mean over seeds").uncheck()
    me.page.wait_for_function(f"{PLOTS}[0].data.length === 4")
    assert names(me) == ["β = 1, seed = 0", "β = 1, seed = 1", "β = 1, seed = 2", "β = 3, seed = 0"]
    assert me.page.evaluate(f"{PLOTS}[1].data.length") == 9 + 4
    for row in (1, 2):
        me.page.locator(ROWS).nth(row).get_by_label("Compare this run").uncheck()
    me.page.wait_for_function(f"{PLOTS}[0].data.length === 2")
    assert not me.page.get_by_label("Mean over seeds").is_visible()  # nothing is left to take together


@pytest.mark.parametrize("how", ["press", "key"])
def test_a_point_of_the_plane_opens_its_run(visit, list_runs, how):
    me = visit()
    first, _ = list_runs(me, {"beta": 1}, {"beta": 3})
    tick(me, 2)
    point = me.page.get_by_role("button", name="Open β = 1")
    point.wait_for()
    if how == "key":
        point.focus()
        me.page.keyboard.press("Enter")
    else:
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        me.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        me.page.wait_for_selector("#compare .hoverlayer .hovertext")
        me.page.mouse.down()
        me.page.mouse.up()
    me.page.wait_for_selector("#train", state="visible")
    with me.answered("follow", run=first):
        pass
    me.page.wait_for_selector("#progress >> text=β = 1,")
    assert me.asked("follow")[-1]["run"] == first


def test_films_play_beside_each_other_by_share_of_the_training(visit, list_runs):
    me = visit()
    list_runs(me, {"epochs": 2}, {"epochs": 1}, *SEEDS)
    tick(me, 2)
    films = me.page.locator("#compare .live-films figure")
    me.page.wait_for_function("document.querySelectorAll('#compare .live-films figure[data-step]').length === 1")
    tick(me, 5)
    me.page.wait_for_function("document.querySelectorAll('#compare .live-films figure[data-step]').length === 4")
    assert "the films of the first 4 are shown" in me.page.inner_text("#compare section")
    steps = "[...document.querySelectorAll('#compare .live-films figure')].map((it) => Number(it.dataset.step))"
    ended = me.page.evaluate(steps)
    assert sorted(set(ended)) == [12, 24]
    slider = me.page.get_by_label("Share of the training")
    slider.fill("0")
    me.page.wait_for_function(f"{steps}.every((step) => step < 12)")
    assert slider.get_attribute("aria-valuetext") == "0 % of the training"
    me.page.locator("#compare").get_by_role("button", name="Play").click()
    me.page.wait_for_function(f"JSON.stringify({steps}) === '{json.dumps(ended, separators=(',', ':'))}'")
    me.page.wait_for_function("document.querySelector('#compare section output').textContent === '100 %'")
    assert films.first.locator("canvas").evaluate(
        "(it) => it.getContext('2d').getImageData(0, 0, 560, 560).data.some(Boolean)"
    )


def test_on_a_phone_nothing_is_wider_than_the_page(visit, list_runs):
    me = visit(viewport={"width": 390, "height": 844})
    list_runs(me, *SEEDS, {"beta": 3})
    tick(me, 4)
    me.page.wait_for_function(f"{PLOTS}[1].data?.length === 9 + 5")
    me.fitted()
    assert me.page.evaluate("document.documentElement.scrollWidth") == 390
    small = """[...document.querySelectorAll("#runs *, #compare *")].filter((it) => it.checkVisibility()
        && [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
        && parseFloat(getComputedStyle(it).fontSize) < 14).map((it) => it.outerHTML.slice(0, 80))"""
    assert me.page.evaluate(small) == []
