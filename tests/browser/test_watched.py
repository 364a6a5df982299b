"""The third line of the loss charts: −log p(x) of the watched images, and the gap above it."""

import json

import pytest

from vae_core.runs.records import Records

from ..conftest import ROOT

pytestmark = pytest.mark.browser

LESSON = ROOT / "checkpoints" / "lessons" / "watched" / "metrics.jsonl"

# As if these records had come of the run that is followed.
COME = """async (columns) => {
    const { feed, update } = await import("/live/shared/feed.js");
    Object.assign(feed, { columns, covered: columns.step.length, replaced: feed.replaced + 1 });
    update();
}"""


@pytest.mark.parametrize(("tab", "chart"), [("train", "train-curves"), ("elbo", "elbo-curves")])
def test_log_px_of_the_watched_images_and_the_gap_are_in_the_chart(visit, tab, chart):
    me = visit(f"?tab={tab}")
    me.page.wait_for_selector(f"#{chart} .live-plot .legendtext")
    legend = me.page.locator(f"#{chart} .legendtext")
    assert not any("log p(x)" in text for text in legend.all_text_contents())  # the recording is of an earlier version
    columns = Records(LESSON).read().rows()
    me.page.route("**/component_server**", lambda route: None)  # nothing more of the recording comes
    me.page.evaluate(COME, columns)
    legend.filter(has_text="log p(x)").wait_for()
    assert legend.filter(has_text="gap").count() == 1
    curves = me.curves(chart)
    watched = [it["watched"] for it in map(json.loads, LESSON.read_text().splitlines()) if it["watched"]]
    assert curves["watched_log_px"][1] == pytest.approx([-it["log_px"] for it in watched], abs=1e-3)
    assert curves["watched_elbo"][1] == pytest.approx([-it["elbo"] for it in watched], abs=1e-3)
    assert curves["watched_exact"][1] == pytest.approx([-watched[-1]["exact"]], abs=1e-3)
    script = "(id) => document.querySelector(`#${id} .live-plot`).data.map((it) => [it.meta, it.line?.color])"
    colours = dict(me.page.evaluate(script, chart))
    assert colours["watched_log_px"] == "#00795a" and colours["watched_elbo"] == "#d55e00"
