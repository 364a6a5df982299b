"""The latent map: where images lie, how it is zoomed and touched, and the exact posterior over it."""

import pytest
import torch

from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.data import binarize
from vae_core.evaluation.latent import embed, reach

from ..conftest import seeded
from .test_latents import SHIPPED, assert_decoded, opened, point, ready, wait_for_move

pytestmark = pytest.mark.browser


def test_the_map_shows_where_images_lie_and_moves_the_point(visit, run_of, digits):
    model = VAE(VAEConfig(latent_dim=4, hidden_dim=8), seeded())
    me = opened(visit, f"&model={run_of(model, [0.5, 3.0, 1.0, 2.0], 2)}&z=1,0,1,0&scale=square")
    ready(me)
    me.page.wait_for_function("document.querySelector('.live-map-plot').data.length === 10")
    traces = me.page.evaluate("document.querySelector('.live-map-plot').data.map((t) => [[...t.x], [...t.y]])")
    mu = embed(model, digits.test)
    for label, (x, y) in enumerate(traces):
        some = mu[digits.test_labels == label]
        assert x == pytest.approx(some[:, 1].tolist(), abs=2e-3) and y == pytest.approx(some[:, 3].tolist(), abs=2e-3)
    plot = me.page.locator(".live-map-plot").bounding_box()
    me.page.mouse.move(plot["x"] + plot["width"] * 0.7, plot["y"] + plot["height"] * 0.3)
    me.page.wait_for_function("!document.querySelector('.live-preview').hidden")
    me.page.mouse.down()
    me.page.mouse.move(plot["x"] + plot["width"] * 0.75, plot["y"] + plot["height"] * 0.25, steps=5)
    me.page.mouse.up()
    z = point(me)
    assert (z[0], z[2]) == pytest.approx((1, 1), abs=1e-5) and z[1] > 0.5 and z[3] > 0.5
    assert_decoded(me, model)
    marker = me.page.locator(".live-marker")
    box = marker.bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(plot["x"] + plot["width"] * 0.75, abs=3)
    marker.focus()
    me.page.keyboard.press("ArrowLeft")
    assert point(me)[1] == pytest.approx(z[1] - 0.1, abs=1e-5) and point(me)[3] == pytest.approx(z[3], abs=1e-5)


RANGE = "document.querySelector('.live-map-plot')._fullLayout.xaxis.range"


def test_the_map_is_zoomed_by_wheel_and_button_and_a_double_click_shows_it_all(visit, digits):
    me = opened(visit)
    ready(me)
    marker = me.page.locator(".live-marker")
    marker.scroll_into_view_if_needed()
    marker.hover()
    scrolled = me.page.evaluate("scrollY")
    me.page.evaluate("""document.querySelector('.live-map-plot').once('plotly_relayout', () => {
        window.wheeled = true;
    })""")
    me.page.mouse.wheel(0, -300)  # over the point itself
    me.page.wait_for_function(f"{RANGE}[1] < 3.9")
    assert me.page.evaluate("scrollY") == scrolled
    me.page.wait_for_function("window.wheeled")  # Plotly waits for more turns of the wheel
    plot = me.page.locator(".live-map-plot").bounding_box()
    me.page.mouse.dblclick(plot["x"] + plot["width"] * 0.4, plot["y"] + plot["height"] * 0.6)
    model = load_checkpoint(SHIPPED)
    far = reach(embed(model, digits.test), model.prior)
    dims = [int(node.get_attribute("data-dim")) for node in me.page.locator(".live-list input[type=range]").all()[:2]]
    far = far[dims].max().item()
    me.page.wait_for_function(f"Math.abs({RANGE}[0] + {far}) < 1e-4 && Math.abs({RANGE}[1] - {far}) < 1e-4")
    z = point(me)
    me.page.get_by_role("button", name="Zoom in").click()
    me.page.wait_for_function(f"Math.abs({RANGE}[1] - {RANGE}[0] - {far}) < 1e-4")
    low, high = me.page.evaluate(RANGE)
    across = z[min(dims)]
    assert (across - low) / (high - low) == pytest.approx((across + far) / (2 * far), abs=1e-5)  # it stays there
    me.page.get_by_role("button", name="See all").click()
    me.page.wait_for_function(f"Math.abs({RANGE}[1] - {far}) < 1e-4")


def test_a_point_out_of_sight_is_not_what_the_map_is_zoomed_about(visit):
    me = opened(visit)
    ready(me)
    outside = """async ([x, y]) => {
        const plot = document.querySelector(".live-map-plot");
        await Plotly.relayout(plot, { "xaxis.range": x, "yaxis.range": y });
        const all = [plot._fullLayout.xaxis, plot._fullLayout.yaxis];
        return all.map((axis) => axis.range);
    }"""
    z = dict(zip("xy", (point(me)[index] for index in _shown(me)), strict=True))
    ranges = "[document.querySelector('.live-map-plot')._fullLayout].flatMap((it) => [it.xaxis.range, it.yaxis.range])"
    for asked in ([[z["x"] + 1, z["x"] + 3], [z["y"] - 1, z["y"] + 1]], [[z["x"] - 1, z["x"] + 1], [2.0, 6.0]]):
        me.page.evaluate(outside, asked)
        for name, factor in (("Zoom in", 0.5), ("Zoom out", 2), ("Zoom out", 2)):
            before = me.page.evaluate(ranges)
            me.page.get_by_role("button", name=name, exact=True).click()
            me.page.wait_for_function(f"(before) => JSON.stringify({ranges}) !== JSON.stringify(before)", arg=before)
            now = me.page.evaluate(ranges)
            inside = all(low <= z[axis] <= high for axis, (low, high) in zip("xy", before, strict=True))
            for axis, (low, high), (left, right) in zip("xy", before, now, strict=True):
                about = z[axis] if inside else (low + high) / 2
                assert left == pytest.approx(about + factor * (low - about), abs=1e-5)
                assert right == pytest.approx(about + factor * (high - about), abs=1e-5)


def _shown(me):
    """The dimensions that the map goes across and up."""
    return [int(me.page.get_by_label(name).input_value()) for name in ("Across", "Up")]


def test_a_finger_taps_the_map_or_scrolls_the_page(visit):
    me = opened(visit, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    me.page.locator(".live-map-plot").scroll_into_view_if_needed()
    ready(me)
    box = me.page.locator(".live-map-plot").bounding_box()
    places = [{"x": box["x"] + box["width"] * 0.7, "y": box["y"] + box["height"] * (0.5 - 0.05 * n)} for n in range(5)]
    touch, before = me.context.new_cdp_session(me.page), point(me)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert point(me) == before
    me.page.locator(".live-map-plot").scroll_into_view_if_needed()  # which waits until it stands still
    box = me.page.locator(".live-map-plot").bounding_box()
    me.page.touchscreen.tap(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3)
    wait_for_move(me, before)


def test_a_pen_scrolls_over_the_map_and_moves_the_point_by_a_tap_whatever_the_palm_does(visit):
    me = opened(visit)
    ready(me)
    script = """([name, across, up, palm]) => {
        const box = document.querySelector(".live-map-plot").getBoundingClientRect();
        const [clientX, clientY] = [box.left + across * box.width, box.top + up * box.height];
        const target = document.elementFromPoint(clientX, clientY);
        const hand = palm ? { pointerType: "touch", pointerId: 8 } : { pointerType: "pen", pointerId: 7 };
        const place = { bubbles: true, button: 0, buttons: 1, clientX, clientY };
        target.dispatchEvent(new PointerEvent(name, { ...place, ...hand }));
    }"""
    before = point(me)
    for name, up in (("pointerdown", 0.5), ("pointermove", 0.4), ("pointermove", 0.3), ("pointerup", 0.3)):
        me.page.evaluate(script, [name, 0.7, up])
    assert point(me) == before
    for name in ("pointerdown", "pointerup"):
        me.page.evaluate(script, [name, 0.7, 0.3])
    tapped = point(me)
    assert tapped != before
    pen, palm = (False, 0.5), (True, 0.8)
    for hands in ((palm, pen, palm, pen), (pen, palm, pen, palm), (pen, palm, palm, pen)):
        me.page.evaluate(script, ["pointercancel", 0.7, 0.5])
        names = ("pointerdown", "pointerdown", "pointerup", "pointerup")
        for name, (is_palm, up) in zip(names, hands, strict=True):
            me.page.evaluate(script, [name, 0.7, up, is_palm])
        moved = point(me)
        assert moved != tapped
        for name in ("pointerdown", "pointerup"):
            me.page.evaluate(script, [name, 0.7, 0.3])
        assert point(me) == tapped


def test_the_map_goes_through_any_two_directions(visit):
    me = opened(visit)
    ready(me)
    me.page.get_by_label("Plane", exact=True).select_option("principal")
    ready(me, 2)
    spread = me.page.evaluate("""() => {
        const all = document.querySelector(".live-map-plot").data.filter((t) => t.name.length === 1);
        return [all.flatMap((t) => [...t.x]), all.flatMap((t) => [...t.y])];
    }""")
    x, y = torch.tensor(spread)
    assert x.var() > y.var() and abs(torch.corrcoef(torch.stack([x, y]))[0, 1]) < 0.15
    me.page.get_by_label("Plane", exact=True).select_option("chosen")
    me.page.get_by_label("Across").select_option("3")
    me.page.get_by_label("Up").select_option("0")
    me.page.wait_for_function("location.search.includes('plane=3,0')")
    me.page.wait_for_function("document.querySelector('.live-map-plot').layout.xaxis.title.text === 'z3'")
    me.page.get_by_label("prior 1, 2, 3 σ").check()
    me.page.wait_for_function(
        "document.querySelector('.live-map-plot').data.filter((t) => t.mode === 'lines').length === 3"
    )


def test_q_lies_over_the_exact_posterior_where_there_are_two_dimensions(visit, run_of, plane, digits):
    model, _ = plane
    me = opened(visit, f"&model={run_of(model, [2.0, 3.0], 3)}&scale=square")
    ready(me)
    me.page.get_by_label("q over the exact posterior of").select_option("3")
    me.page.wait_for_function("document.querySelector('.live-map-plot').data.some((t) => t.type === 'contour')")
    traces = me.page.evaluate("""() => document.querySelector(".live-map-plot").data.filter((t) => !t.name)
        .map((t) => ({ x: [...t.x], y: [...t.y], z: t.z?.map((row) => [...row]) }))""")
    density, inner, outer = traces
    grey = digits.test[(digits.test_labels == 3).nonzero()[0]] / 255
    image = binarize(grey, model.config.binarization, seeded())  # what the model sees
    mu, logvar = (part[0].tolist() for part in model.encode(image))
    for k, ellipse in ((1, inner), (2, outer)):
        for axis, name in enumerate("xy"):
            sigma = torch.tensor(logvar[axis]).mul(0.5).exp().item()
            wanted = pytest.approx([mu[axis] - k * sigma, mu[axis] + k * sigma], abs=1e-3)
            assert [min(ellipse[name]), max(ellipse[name])] == wanted
    z = torch.tensor(density["z"])  # rows upwards, columns to the right
    row, column = divmod(int(z.argmax()), len(density["x"]))
    peak = torch.tensor([density["x"][column], density["y"][row]])
    assert (peak - torch.tensor(mu)).norm() < 0.6  # of a trained encoder


def test_a_model_is_offered_no_posterior_of_a_drawing_that_is_not_there(visit, run_of, plane):
    model, _ = plane
    me = opened(visit, f"&model={run_of(model, [2.0, 3.0], 4)}&scale=square")
    ready(me)
    chosen = me.page.get_by_label("q over the exact posterior of")
    assert chosen.input_value() == "" and me.page.locator(".live-message").first.inner_text() == ""
    assert not any(question.get("draws") == 1 for question in me.asked("look"))
    with me.answered("look", draws=1):  # of the image whose exact posterior is wanted
        chosen.select_option("3")
    with me.answered("look", draws=1, model="mnist-mlp-2d"):  # what is chosen stays, as every model has it
        me.page.get_by_label("Model", exact=True).click()
        me.page.get_by_role("option", name="MNIST · 2 dimensions").first.click()
    assert chosen.input_value() == "3"
