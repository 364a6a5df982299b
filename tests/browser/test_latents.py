"""The Latents tab: decoded under the hand, and every way to move the point."""

import io
import re

import pytest
import torch
from PIL import Image

from ui.vocabulary import ASLEEP
from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.data import converted
from vae_core.evaluation.latent import embed

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


def start_of(model, digits, data="mnist"):
    """Where the tab opens with a model: at the mean of q(z|x) of the first test image, to three digits."""
    first = digits.test[digits.test_labels == 0][:1]
    return embed(model, converted(first, "digits", data))[0].tolist()


def way(me, name):
    """Shows another of the ways to move the point."""
    me.page.locator("#latents").get_by_role("tab", name=name, exact=True).click()


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
    """Waits until the picture is that of the point, which may be on its way."""
    until(me.page, lambda: is_decoded(me, model))


def ready(me, tiles=1):
    me.page.wait_for_function(
        f"Number(document.querySelector('.live-map-plot').dataset.tiles) >= {tiles}", timeout=60_000
    )


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
    me.page.click(".live-more summary")
    me.page.evaluate("scrollTo(0, 700)")
    me.page.wait_for_function("scrollY > 500")
    top = me.page.locator(".live-decoded").bounding_box()["y"]
    assert 0 <= top < 20


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_picture_sliders_and_map_are_in_sight_together_and_the_ways_begin_there(visit, size):
    me = opened(visit, viewport={"width": size[0], "height": size[1]})
    ready(me)
    me.fitted()
    boxes = [me.page.locator(part).bounding_box() for part in (".live-hand", "#latents-sliders", ".live-map-frame")]
    assert all(box["y"] + box["height"] <= size[1] for box in boxes)
    assert me.page.locator(".live-ways [role=tablist]").bounding_box()["y"] + 40 <= size[1]
    lefts = [box["x"] for box in boxes]
    ends = [box["x"] + box["width"] for box in boxes]
    assert lefts[1] > ends[0] and lefts[2] > ends[1] and ends[2] <= size[0]


def test_on_a_phone_the_sliders_come_at_once_and_nothing_shows_beside_the_picture_above_them(visit):
    me = opened(visit, viewport={"width": 390, "height": 844})
    rows = [row.bounding_box() for row in me.page.locator(".live-row").all()[:6]]
    assert rows[-1]["y"] + rows[-1]["height"] <= 844
    me.page.evaluate("scrollTo(0, 420)")
    me.page.wait_for_function("scrollY > 400")
    covers = """() => {
        const { top, bottom } = document.querySelector(".live-hand").getBoundingClientRect();
        const row = document.querySelector(".live-row").getBoundingClientRect();
        const at = [row.left - 6, row.left, row.right - 1, row.right + 6]; // a field's outline goes 4 px beyond it
        return at.map((x) => Boolean(document.elementFromPoint(x, (top + bottom) / 2).closest(".live-hand")));
    }"""
    assert me.page.evaluate(covers) == [True] * 4
    number = me.page.locator(".live-row .live-number").nth(0)
    number.focus()  # which has scrolled out of sight
    below = me.page.locator(".live-hand").bounding_box()
    me.page.wait_for_function(
        "(low) => document.activeElement.getBoundingClientRect().top >= low", arg=below["y"] + below["height"]
    )


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
    before = point(me)[index]
    slider.focus()
    for _ in range(5):
        me.page.keyboard.press("ArrowRight")
    assert 0 < point(me)[index] - before < 1
    assert float(number.input_value()) == pytest.approx(point(me)[index], abs=0.006)
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
    assert me.page.locator(".live-asleep summary").inner_text() == "2 unused"
    assert me.page.locator(".live-more").is_hidden()
    shown = me.page.locator(".live-list").first.locator("input[type=range]")
    assert [shown.nth(n).get_attribute("data-dim") for n in range(shown.count())] == ["2", "0"]
    assert "2.00 nats" in me.page.inner_text(".live-row")
    me.page.get_by_role("button", name="Centre of the prior").click()
    assert point(me) == [2, 2, 2, 2]
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


# Where it opens


def test_it_opens_at_a_test_image_and_asks_nothing_more_for_it(visit, digits):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    assert point(me) == pytest.approx(start_of(model, digits), abs=6e-4)
    assert_decoded(me, model)
    shown = torch.tensor(me.page.evaluate(SHOWN)) / 255
    image = converted(digits.test[digits.test_labels == 0][:1], "digits", "mnist").flatten()
    middle = model.x_hat(torch.zeros(1, 20)).detach().flatten()
    assert (shown - image).norm() < 0.6 * (middle - image).norm()  # it looks like that image
    assert all("image" in question for question in me.asked("look"))
    assert len(me.asked("look")) == 2  # the two ends of the interpolation
    me.page.get_by_role("button", name="Centre of the prior").click()
    assert point(me) == [0] * 20


def test_another_model_opens_at_its_own_image_and_a_point_that_was_moved_stays(visit, run_of, digits):
    models = [VAE(VAEConfig(latent_dim=4, hidden_dim=8), seeded(n)) for n in (1, 2, 3)]
    runs = [run_of(model, [3.0, 2.0, 1.0, 0.5], 7 + n) for n, model in enumerate(models[:2])]
    me = opened(visit, f"&model={runs[0]}")
    assert point(me) == pytest.approx(start_of(models[0], digits, "digits"), abs=6e-4)
    use = """async (model) => {
        const { useModel, whenUsed } = await import(location.origin + "/live/shared/model.js");
        const describe = async () => ({ ...window.about, examples: [{ label: 0, image: "", mu: [1, 2, 3, 4] }] });
        window.about ??= (await import(location.origin + "/live/shared/model.js")).model.about;
        useModel(model, { describe, decode: async () => undefined });
        await new Promise((then) => whenUsed(model, then));
    }"""
    me.page.evaluate(use, runs[1])
    assert point(me) == [1, 2, 3, 4]
    drag(me.page, [0.25])
    moved = point(me)
    me.page.evaluate(use, runs[0])
    assert point(me) == moved


def test_six_sliders_are_shown_and_what_is_unfolded_stays_so(visit, run_of):
    kl = [float(20 - n) for n in range(9)] + [0.0]
    nine = VAE(VAEConfig(latent_dim=10, hidden_dim=8), seeded())
    me = opened(visit, f"&model={run_of(nine, kl, 6)}")
    dims = "[...document.querySelectorAll('.live-list input[type=range]')].filter((it) => it.checkVisibility())"
    shown = f"{dims}.map((it) => Number(it.dataset.dim))"
    assert me.page.evaluate(shown) == list(range(6))
    assert me.page.inner_text(".live-more summary") == "3 more"
    me.page.click(".live-more summary")
    assert me.page.evaluate(shown) == list(range(9))
    me.page.wait_for_function("document.querySelector('.live-more .live-strip').width === 308")
    with me.answered("describe", model="mnist-mlp-20d"):
        me.page.get_by_label("Model", exact=True).click()
        me.page.get_by_role("option", name="MNIST · 20 dimensions · ready-made").first.click()
    me.page.wait_for_function("document.querySelector('.live-more summary').textContent === '14 more'")
    assert len(me.page.evaluate(shown)) == 20


# The ways to move the point


def test_one_way_is_shown_and_the_arrow_keys_go_to_the_next(visit):
    me = opened(visit)
    shown = "[...document.querySelectorAll('.live-ways [role=tabpanel]')].filter((it) => it.checkVisibility())"
    assert me.page.evaluate(f"{shown}.map((it) => it.id)") == ["latents-interpolate"]
    me.page.locator("#latents-tab-interpolate").focus()
    moves = [("ArrowRight", "arithmetic"), ("End", "prior"), ("ArrowRight", "interpolate"), ("ArrowLeft", "prior")]
    for key, name in moves:
        me.page.keyboard.press(key)
        assert me.page.evaluate("document.activeElement.id") == f"latents-tab-{name}"
        assert me.page.evaluate(f"{shown}.map((it) => it.id)") == [f"latents-{name}"]
    chosen = me.page.locator(".live-ways [role=tab][aria-selected=true]")
    assert [chosen.inner_text(), chosen.get_attribute("tabindex"), chosen.count()] == ["Prior", "0", 1]
    me.page.wait_for_function("location.search.includes('way=prior')")
    other = opened(visit, "&way=prior")
    assert other.page.evaluate(f"{shown}.map((it) => it.id)") == ["latents-prior"]
    wrong = opened(visit, "&way=nowhere")
    assert wrong.page.evaluate(f"{shown}.map((it) => it.id)") == ["latents-interpolate"]
    wrong.page.wait_for_function("!location.search.includes('way=')")


def test_the_ways_keep_their_controls_on_a_projector(visit):
    me = opened(visit)
    me.page.get_by_role("button", name="Present").click()
    way(me, "Arithmetic")
    assert me.page.get_by_label("Strength").is_visible() and me.page.get_by_label("Plane", exact=True).is_hidden()


def test_interpolation_goes_from_image_to_image_and_becomes_a_gif(visit):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    me.page.wait_for_function("document.querySelector('#latents-interpolate .live-strip').width === 16 * 28")
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
    me.page.get_by_role("button", name="Centre of the prior").click()  # a hand is stronger than the player
    me.page.clock.run_for(300)
    assert point(me) == [0] * 20 and me.page.get_by_role("button", name="Play").is_visible()
    me.page.clock.resume()
    with me.page.expect_download() as download:
        me.page.get_by_role("button", name="Save as GIF").click()
    gif = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert gif.n_frames == 30 and download.value.suggested_filename == "interpolation.gif"


def test_draws_from_the_prior_have_their_temperature_and_neighbours(visit, digits):
    me = opened(visit)
    way(me, "Prior")
    grid = "#latents-prior figure:first-child .live-grid"
    me.page.wait_for_function(f"document.querySelector('{grid}').width === 8 * 28")
    tiles = f"""() => {{
        const {{ data }} = document.querySelector('{grid}').getContext("2d").getImageData(0, 0, 224, 224);
        return Array.from({{ length: 224 * 224 }}, (_, i) => data[4 * i]);
    }}"""

    def pictures():
        return torch.tensor(me.page.evaluate(tiles)).reshape(8, 28, 8, 28).transpose(1, 2).reshape(64, 784)

    assert len(pictures().unique(dim=0)) == 64
    me.page.locator(grid).click(position={"x": 5, "y": 5})
    me.page.locator("#latents-prior figure:first-child button").focus()
    z = torch.tensor(point(me))
    assert z.norm() > 1
    assert torch.equal(torch.tensor(me.page.evaluate(SHOWN)), pictures()[0])
    me.page.keyboard.press("ArrowDown")
    assert torch.equal(torch.tensor(me.page.evaluate(SHOWN)), pictures()[8])
    me.page.get_by_label("Temperature").fill("0.5")
    me.page.locator(grid).click(position={"x": 5, "y": 5})
    assert torch.allclose(torch.tensor(point(me)), z / 2, atol=1e-5)
    me.page.get_by_label("black/white draws of x").check()
    assert set(pictures().unique().tolist()) == {0, 255}
    me.page.get_by_label("nearest training images").check()
    me.page.wait_for_selector(".live-grid[data-labels]")
    labels = me.page.locator(".live-grid[data-labels]").get_attribute("data-labels").split()
    assert len(labels) == 64 and len(set(labels)) > 1


def test_arithmetic_adds_the_difference_of_two_means(visit, digits):
    me, model = opened(visit), load_checkpoint(SHIPPED)
    before = torch.tensor(point(me))
    way(me, "Arithmetic")
    me.page.get_by_label("Plus").select_option("7")
    me.page.get_by_label("Minus").select_option("1")
    me.page.get_by_label("Strength").fill("1.5")
    me.page.wait_for_function("document.querySelector('#latents-arithmetic output').textContent === '1.50'")
    wait_for_move(me, before.tolist())
    mu = embed(model, converted(digits.test, "digits", "mnist"))  # MNIST is not here: digits are shown
    difference = mu[digits.test_labels == 7].mean(0) - mu[digits.test_labels == 1].mean(0)
    assert torch.allclose(torch.tensor(point(me)) - before, 1.5 * difference, atol=2e-3)
