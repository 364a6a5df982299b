"""The Latents tab: decoded under the hand, and every way to move the point."""

import io
import re

import pytest
import torch
from PIL import Image

from ui.vocabulary import ASLEEP
from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.data import binarize, converted
from vae_core.evaluation.latent import embed, reach

from ..conftest import ROOT, seeded
from .conftest import until

pytestmark = pytest.mark.browser

SHIPPED = ROOT / "checkpoints" / "mnist-mlp-20d.safetensors"
POINT = 'async () => [...(await import(location.origin + "/live/space/point.js")).point.z]'
SHOWN = """() => {
    const canvas = document.querySelector(".live-decoded");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i]);
}"""


def opened(visit, link="", **options):
    """A visitor on the Latents tab of a link."""
    me = visit(f"?tab=latents{link}", **options)
    me.page.wait_for_selector(".live-list input[type=range]")
    me.page.wait_for_function("document.querySelector('.live-path').textContent.startsWith('decoded')")
    return me


def point(me):
    return me.page.evaluate(POINT)


def wait_for_move(me, before):
    """Waits until the point is elsewhere."""
    script = f"async (before) => (await ({POINT})()).some((value, j) => value !== before[j])"
    me.page.wait_for_function(script, arg=before)


def is_decoded(me, model):
    """Whether the picture on the screen is that of the point, to a grey level and its rounding."""
    with torch.inference_mode():
        wanted = model.x_hat(torch.tensor([point(me)], dtype=torch.float32)).flatten().clamp(0, 1) * 255
    return bool((torch.tensor(me.page.evaluate(SHOWN)) - wanted).abs().max() <= 1.5)


def assert_decoded(me, model):
    assert is_decoded(me, model)


def drag(page, values):
    """Moves the first slider through values, as fast as events can come."""
    script = """(values) => {
        const range = document.querySelector(".live-list input[type=range]");
        for (const value of values) { range.value = value; range.dispatchEvent(new Event("input")); }
        return Number(range.dataset.dim);
    }"""
    return page.evaluate(script, values)


def test_a_drag_asks_the_server_nothing_and_its_last_value_is_shown(visit):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    me.page.wait_for_selector("text=/test images of .* at the mean/", timeout=30_000)  # the last thing that comes
    asked = []  # by the page; Chromium itself fetches the icon and, now and then, the page's address: that is "other"
    me.page.on("request", lambda request: request.resource_type != "other" and asked.append(request.url))
    for last in torch.linspace(-3, 3, 10).tolist():
        index = drag(me.page, [*torch.linspace(-2, 2, 40).tolist(), last])
        assert point(me)[index] == pytest.approx(last, abs=1e-6)
        assert_decoded(me, model)
    assert asked == []


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)])
def test_the_picture_stays_in_sight_while_the_page_scrolls(visit, size):
    me = opened(visit, viewport={"width": size[0], "height": size[1]})
    me.page.evaluate("scrollTo(0, 700)")
    me.page.wait_for_function("scrollY > 500")
    top = me.page.locator(".live-decoded").bounding_box()["y"]
    assert 0 <= top < 20


def test_a_page_that_becomes_narrow_holds_all_of_it(visit):
    me = opened(visit)
    me.page.wait_for_selector(".live-map-plot .main-svg")
    me.page.set_viewport_size({"width": 390, "height": 844})
    me.fitted()
    assert me.page.evaluate("document.querySelector('.live-latents').scrollWidth") < 390


def test_a_browser_that_is_too_slow_has_the_server_decode(visit):
    me = visit()
    clock = "const clock = performance.now.bind(performance); performance.now = () => 1000 * clock();"
    me.page.add_init_script(clock)
    me.page.goto(f"{me.url}?tab=latents")
    me.page.wait_for_function("document.querySelector('.live-path')?.textContent.startsWith('decoded on the server')")
    me.page.wait_for_selector(".live-list input[type=range]")
    ready(me)
    drag(me.page, torch.linspace(-2, 2, 40).tolist())
    me.quiet("decode")
    assert_decoded(me, load_checkpoint(SHIPPED))
    painted = "[...document.querySelectorAll('.live-list:not(details *) .live-strip')].map((it) => it.width)"
    me.page.wait_for_function(f"{painted}.every((width) => width === 11 * 28)")  # the strips come from there too
    before = len(me.asked("decode"))
    drag(me.page, [1.0])
    me.quiet("decode")
    asked = [len(question["z"]) for question in me.asked("decode")[before:]]
    strips, tiles = 11 * me.page.evaluate(f"{painted}.length"), 20 * 20
    assert asked[0] == 1 and sum(asked) == 1 + strips + tiles
    assert len(asked) <= 1 + -(-strips // 64) + -(-tiles // 64)  # 64 in a question


def test_a_server_that_did_not_answer_is_asked_again(visit):
    me = visit()
    me.page.route(re.compile("component_server"), lambda route: route.abort())
    me.tab("Latents")
    me.page.wait_for_selector(".live-hand >> text=The server does not answer.")
    me.page.unroute(re.compile("component_server"))
    me.page.wait_for_selector(".live-list input[type=range]")
    assert me.page.locator(".live-hand .live-message").inner_text() == ""
    me.errors[:] = [error for error in me.errors if "ERR_FAILED" not in error]


def test_sliders_are_moved_by_keys_numbers_and_double_clicks(visit):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    slider, number = me.page.locator(".live-list input").nth(0), me.page.locator(".live-list input").nth(1)
    index = int(slider.get_attribute("data-dim"))
    slider.focus()
    for _ in range(5):
        me.page.keyboard.press("ArrowRight")
    assert 0 < point(me)[index] < 1 and float(number.input_value()) == pytest.approx(point(me)[index], abs=0.006)
    assert_decoded(me, model)
    number.fill("-2.5")
    number.press("Enter")
    assert point(me)[index] == -2.5 and float(slider.input_value()) == -2.5
    number.fill("−0,5")
    number.press("Enter")
    assert point(me)[index] == -0.5 and number.input_value() == "-0.50"
    for typed in ("", "1,2,3", "1e39"):
        number.fill(typed)
        number.press("Enter")
        assert number.input_value() == "-0.50" and point(me)[index] == -0.5
        said = f"“{typed}” is not a number that can be decoded: z{index} stays at -0.50."
        assert me.page.inner_text(".live-hand .live-message") == said
    slider.dblclick()
    assert point(me)[index] == 0


def test_sliders_take_touch(visit):
    me = opened(visit, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    slider = me.page.locator(".live-list input[type=range]").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    me.page.touchscreen.tap(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert point(me)[int(slider.get_attribute("data-dim"))] > 1
    picture = me.page.locator(".live-decoded").bounding_box()
    assert picture["y"] >= 0 and picture["y"] + picture["height"] <= box["y"]  # in sight above the slider
    assert_decoded(me, load_checkpoint(SHIPPED))


def test_dimensions_that_carry_nothing_are_folded_away(visit, run_of):
    model = VAE(VAEConfig(latent_dim=4, hidden_dim=8, prior_mean=2.0), seeded())
    me = opened(visit, f"&model={run_of(model, [1.1 * ASLEEP, 0.9 * ASLEEP, 2.0, 0.0], 1)}")
    assert me.page.locator(".live-asleep summary").inner_text() == "asleep: 2"
    shown = me.page.locator(".live-list").first.locator("input[type=range]")
    assert [shown.nth(n).get_attribute("data-dim") for n in range(shown.count())] == ["2", "0"]
    assert point(me) == [2, 2, 2, 2] and "2.00 nats" in me.page.inner_text(".live-row")
    me.page.click(".live-asleep summary")
    me.page.wait_for_function("document.querySelector('.live-asleep .live-strip').width === 308")
    assert_decoded(me, model)


def test_the_sliders_stay_live_while_the_model_trains(visit):
    me = visit()
    loads = lambda: sum(url.endswith("/decoder") for url in me.requests)  # noqa: E731
    me.train(Epochs=4000, Dimensions_D=3)
    me.wait_for_weights()
    run = me.page.evaluate('async () => (await import(location.origin + "/live/shared/feed.js")).feed.run')
    me.page.goto(f"{me.url}?tab=latents&model={run}&z=0.5,0.5,0.5")
    me.page.wait_for_function("document.querySelectorAll('.live-list input[type=range]').length === 3")
    assert point(me) == [0.5, 0.5, 0.5]
    pictures, before = set(), loads()

    def follows():
        pictures.add(tuple(me.page.evaluate(SHOWN)))
        return len(pictures) >= 3 and loads() >= before + 3

    until(me.page, follows)
    me.tab("Train")
    me.page.click("#stop")
    me.wait_for_state("stopped")


# The map


def ready(me, tiles=1):
    me.page.wait_for_function(
        f"Number(document.querySelector('.live-map-plot').dataset.tiles) >= {tiles}", timeout=60_000
    )


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
    me.page.get_by_role("button", name="Zoom in, about the point").click()
    me.page.wait_for_function(f"Math.abs({RANGE}[1] - {RANGE}[0] - {far}) < 1e-4")
    low, high = me.page.evaluate(RANGE)
    across = z[min(dims)]
    assert (across - low) / (high - low) == pytest.approx((across + far) / (2 * far), abs=1e-5)  # it stays there
    me.page.get_by_role("button", name="See all").click()
    me.page.wait_for_function(f"Math.abs({RANGE}[1] - {far}) < 1e-4")


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


# From one to another


def test_interpolation_goes_from_image_to_image_and_becomes_a_gif(visit):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    me.page.wait_for_function("document.querySelector('.live-between .live-strip').width === 16 * 28")
    with me.answered("look"):
        me.page.get_by_label("From", exact=True).select_option("7")
    me.page.get_by_label("Way", exact=True).select_option("circle")
    place = me.page.get_by_label("Place on the way")
    place.fill("0")
    start = point(me)
    place.fill("15")
    end = point(me)
    assert torch.tensor(start).sub(torch.tensor(end)).norm() > 1
    assert_decoded(me, model)
    me.page.clock.install(time=0)
    me.page.clock.pause_at(1)
    me.page.get_by_role("button", name="Play").click()
    me.page.clock.run_for(600)
    assert place.input_value() == "6"  # 80 ms a picture
    me.page.get_by_role("button", name="Stop").click()
    assert point(me) not in (start, end)
    me.page.get_by_role("button", name="Play").click()
    me.page.clock.run_for(200)
    me.page.get_by_role("button", name="Zero").click()  # a hand is stronger than the player
    me.page.clock.run_for(300)
    assert point(me) == [0] * 20 and me.page.get_by_role("button", name="Play").is_visible()
    me.page.clock.resume()
    with me.page.expect_download() as download:
        me.page.get_by_role("button", name="Save as GIF").click()
    gif = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert gif.n_frames == 30 and download.value.suggested_filename == "interpolation.gif"


def test_draws_from_the_prior_have_their_temperature_and_neighbours(visit, digits):
    me = opened(visit)
    grid = ".live-prior figure:first-child .live-grid"
    me.page.wait_for_function(f"document.querySelector('{grid}').width === 8 * 28")
    tiles = f"""() => {{
        const {{ data }} = document.querySelector('{grid}').getContext("2d").getImageData(0, 0, 224, 224);
        return Array.from({{ length: 224 * 224 }}, (_, i) => data[4 * i]);
    }}"""

    def pictures():
        return torch.tensor(me.page.evaluate(tiles)).reshape(8, 28, 8, 28).transpose(1, 2).reshape(64, 784)

    assert len(pictures().unique(dim=0)) == 64
    me.page.locator(grid).click(position={"x": 5, "y": 5})
    me.page.locator(grid).focus()
    z = torch.tensor(point(me))
    assert z.norm() > 1
    assert torch.equal(torch.tensor(me.page.evaluate(SHOWN)), pictures()[0])
    me.page.keyboard.press("ArrowDown")
    assert torch.equal(torch.tensor(me.page.evaluate(SHOWN)), pictures()[8])
    me.page.get_by_label("Temperature").fill("0.5")
    me.page.locator(grid).click(position={"x": 5, "y": 5})
    assert torch.allclose(torch.tensor(point(me)), z / 2, atol=1e-5)
    me.page.get_by_label("drawn x instead of probabilities").check()
    assert set(pictures().unique().tolist()) == {0, 255}
    me.page.get_by_label("nearest training images").check()
    me.page.wait_for_selector(".live-grid[data-labels]")
    labels = me.page.locator(".live-grid[data-labels]").get_attribute("data-labels").split()
    assert len(labels) == 64 and len(set(labels)) > 1


def test_arithmetic_adds_the_difference_of_two_means(visit, digits):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    before = torch.tensor(point(me))
    me.page.get_by_label("Plus").select_option("7")
    me.page.get_by_label("Minus").select_option("1")
    me.page.get_by_label("Strength").fill("1.5")
    me.page.wait_for_function("document.querySelector('.live-arithmetic output').textContent === '1.50'")
    wait_for_move(me, before.tolist())
    mu = embed(model, converted(digits.test, "digits", "mnist"))  # MNIST is not here: digits are shown
    difference = mu[digits.test_labels == 7].mean(0) - mu[digits.test_labels == 1].mean(0)
    assert torch.allclose(torch.tensor(point(me)) - before, 1.5 * difference, atol=2e-3)


# The address
