"""Pictures lead on: what is chosen of a training opens in Draw or Latents, with that training's model."""

import pytest
import torch

from vae_core import load_checkpoint
from vae_core.runs.film import SIDE, map_dims, map_points
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import film_images
from vae_core.storage.checkpoint import read_header

from .conftest import until
from .test_draw import PIXELS, rested
from .test_latents import assert_decoded, opened, point

pytestmark = pytest.mark.browser

SEEN = ".live-pair figure:nth-child(1) canvas"
TILE = 28


@pytest.fixture
def training(visit, server, give):
    """A visitor on the pictures of a finished training, its id, and its folder."""

    def begin(*, dims=3, **options):
        me = visit(**options)
        [run] = give(me, {"epochs": 10, "latent_dim": dims})
        me.reload()
        me.page.wait_for_selector(f'#pictures .live[data-run="{run}"]:not(.live-waiting).live-leads')
        return me, run, RunFolder(server.runs / run)

    return begin


def focused(me, place):
    """Waits until the focus has come to a place, by its id."""
    me.page.wait_for_function("(id) => document.activeElement.id === id", arg=place)


def is_used(me, run):
    """Waits until Draw and Latents use a model."""
    me.page.wait_for_function("(run) => location.search.includes(`model=${run}`)", arg=run)


def cell(me, figure, column, row, rows):
    """Where a picture lies on its canvas, in px."""
    box = me.page.locator(f".live-{figure} canvas").bounding_box()
    columns = SIDE if figure == "map" else SIDE // 2
    return {"x": (column + 0.5) * box["width"] / columns, "y": (row + 0.5) * box["height"] / rows}


def test_a_test_image_opens_in_draw_as_the_run_saw_it(training, digits):
    me, run, folder = training()
    place = me.page.locator(".live-pairs canvas")
    place.hover(position=cell(me, "pairs", 3, 0, 4))
    frame = me.page.locator(".live-pairs .live-cell")
    assert frame.evaluate("(it) => getComputedStyle(it).opacity") == "1"
    assert me.page.locator(".live-pairs .live-cells").get_attribute("title") == "Open this test image in Draw"
    around, canvas = frame.bounding_box(), place.bounding_box()
    assert around["x"] - canvas["x"] == pytest.approx(3 * canvas["width"] / 10, abs=2)
    place.click(position=cell(me, "pairs", 3, 0, 4))
    focused(me, "draw-pad")
    is_used(me, run)
    rested(me)
    model = load_checkpoint(folder.model_file)
    x = film_images(digits, model, torch.device("cpu"))
    assert torch.equal(torch.tensor(me.page.evaluate(PIXELS, SEEN)), (x[3] * 255).flatten().int())
    assert me.asked("look")[-1]["model"] == run


def test_a_reconstruction_and_a_sample_open_in_draw_as_their_mean_pictures(training, digits):
    me, _, folder = training()
    model = load_checkpoint(folder.model_file)
    x = film_images(digits, model, torch.device("cpu"))
    with torch.inference_mode():
        made = model.x_hat(model.encode(x)[0])
        samples = model.x_hat(model.sample_prior(2 * SIDE, torch.Generator().manual_seed(0)))
    on_pad = (
        "async () => [...atob((await import('./live/draw/kept.js')).keptDrawing().image)].map((it) => it.charCodeAt(0))"
    )
    for figure, row, wanted in (("pairs", 3, made[12]), ("samples", 1, samples[12])):
        me.page.locator(f".live-{figure} canvas").click(position=cell(me, figure, 2, row, 4))
        focused(me, "draw-pad")
        off = torch.tensor(me.page.evaluate(on_pad)) - (wanted.clamp(0, 1) * 255).flatten()
        assert off.abs().mean() < 4  # the frame is a JPEG
        me.tab("Train")


def test_a_picture_opens_by_keys_and_by_touch(training):
    me, run, _ = training(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    me.page.locator(".live-samples .live-cell").focus()
    me.page.keyboard.press("ArrowRight")
    me.page.keyboard.press("ArrowDown")
    frame, canvas = (me.page.locator(f".live-samples {part}").bounding_box() for part in (".live-cell", "canvas"))
    assert frame["x"] - canvas["x"] == pytest.approx(canvas["width"] / 10, abs=1)
    assert frame["y"] - canvas["y"] == pytest.approx(canvas["height"] / 4, abs=1)
    me.page.keyboard.press("Enter")
    focused(me, "draw-pad")
    me.tab("Train")
    picture = me.page.locator(".live-pairs canvas")
    picture.scroll_into_view_if_needed()
    picture.tap(position=cell(me, "pairs", 1, 1, 4))
    focused(me, "draw-pad")
    is_used(me, run)


@pytest.mark.parametrize("dims", [1, 3])
def test_a_cell_of_the_map_opens_in_latents_at_its_point(training, dims):
    me, run, folder = training(dims=dims)
    model = load_checkpoint(folder.model_file)
    kl = read_header(folder.model_file).about["kl_per_dim"]
    points = map_points(model, kl)
    place = me.page.locator(".live-map canvas")
    for column, row in ((2, 3), (17, 11)):
        place.click(position=cell(me, "map", column, row, SIDE))
        me.page.wait_for_function("location.search.includes('tab=latents') && location.search.includes('z=')")
        wanted = points[row * SIDE + column].tolist()
        until(me.page, lambda wanted=wanted: point(me) == pytest.approx(wanted, abs=1e-3))
        is_used(me, run)
        assert_decoded(me, model)
        me.tab("Train")
    assert len(map_dims(kl)) == min(2, dims)


def test_a_bar_leads_to_its_slider_and_unfolds_it(training):
    me, run, folder = training(dims=9)
    kl = read_header(folder.model_file).about["kl_per_dim"]
    least = min(range(9), key=lambda j: kl[j])
    me.tab("ELBO")
    bars = me.page.locator("#kl-bars .live.live-leads")
    me.page.wait_for_function("document.querySelector('#kl-bars .live')?.data?.[0].x.length === 9")
    bars.scroll_into_view_if_needed()
    area = bars.locator(".nsewdrag").bounding_box()
    x = area["x"] + (least + 0.5) / 9 * area["width"]
    me.page.mouse.move(x, area["y"] + 20)
    assert bars.get_attribute("title") == f"Open the slider of z{least} in Latents"
    me.page.mouse.click(x, area["y"] + 20)
    focused(me, f"latents-slider-{least}")
    is_used(me, run)
    assert me.page.locator(f"#latents-slider-{least}").is_visible()
    me.tab("ELBO")
    bars.locator(".live-cell").focus()
    for _ in range(9):
        me.page.keyboard.press("ArrowLeft")
    me.page.keyboard.press("ArrowRight")
    me.page.keyboard.press("Enter")
    focused(me, "latents-slider-1")


def test_a_link_of_the_point_gives_way_to_a_cell(visit, give):
    me = visit()
    [run] = give(me, {"epochs": 10, "latent_dim": 3})
    me.page.goto(f"{me.url}?tab=train&model={run}&z=1,1,1")
    me.page.wait_for_selector(f'#pictures .live[data-run="{run}"]:not(.live-waiting).live-leads')
    me.page.locator(".live-map canvas").click(position=cell(me, "map", 0, 0, SIDE))
    focused(me, "latents-point")
    assert point(me) != [1, 1, 1]


def test_the_recording_leads_to_the_ready_made_model_that_belongs_to_it(visit):
    me = visit()
    me.page.wait_for_selector("#pictures .live.live-leads[data-version]:not(.live-waiting)")
    me.page.locator(".live-map canvas").click(position=cell(me, "map", 5, 5, SIDE))
    is_used(me, "mnist-mlp-2d")
    focused(me, "latents-point")
    assert len(point(me)) == 2
    me.tab("Train")
    me.page.locator(".live-pairs canvas").click(position=cell(me, "pairs", 4, 0, 4))
    focused(me, "draw-pad")
    rested(me)
    me.page.wait_for_selector(".live-plane:not([hidden]):not(.live-old)")  # the exact posterior of that image


def test_a_word_leads_to_its_place_in_a_panel_that_is_hidden(visit):
    me = opened(visit)
    me.page.evaluate("import('./live/words/see.js').then(({ see }) => see('prior'))")
    me.page.wait_for_function("document.querySelector('#latents-prior').contains(document.activeElement)")
    assert me.page.locator("#latents-prior").is_visible() and me.page.locator("#latents-interpolate").is_hidden()
