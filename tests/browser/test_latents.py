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
