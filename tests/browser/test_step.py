"""The batch of a step in the machine: one image of it, with the draws that the step made."""

import re

import pytest
import torch

from vae_core.training.one_batch import OneBatch

pytestmark = pytest.mark.browser

MACHINE = "#batch .live-machine"
NUMBER = r"−?\d+\.\d+"
# What the canvas of a station shows: its grey values.
GREY = """(selector) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i]);
}"""
# How far what is in sight of the machine and the row sticks out of their place, or runs out of itself, in px.
STICKS_OUT = """() => {
    const place = document.querySelector("#batch").getBoundingClientRect();
    return [...document.querySelectorAll("#batch .live-machine *, #batch .live-batch-images *")]
        .filter((it) => it.checkVisibility()).map((it) => {
            const { left, right } = it.getBoundingClientRect();
            const isBox = !(it instanceof SVGElement) && getComputedStyle(it).display !== "inline";
            const own = isBox ? it.scrollWidth - it.clientWidth : 0;
            return [Math.max(place.left - left, right - place.right, own), it.outerHTML.slice(0, 80)];
        }).filter(([px]) => px > 1);
}"""


def number(text):
    return float(re.search(NUMBER, text)[0].replace("−", "-"))


def step(visit, server, *, dims=5, samples=3, **options):
    """A visitor who has taken a first step, and the batch of it as its run's folder has it."""
    me = visit(**options)
    me.form_is_ready()
    me.choose("Data", "digits")
    me.set("Dimensions D", dims)
    me.unfold_training_details()
    me.set("L, draws per image", samples)
    me.page.wait_for_function(f"{samples} === 1 || location.search.includes('samples={samples}')")
    with me.answered("batch"):
        me.page.click("#step")
        me.wait_for_state("paused")
    me.page.locator(MACHINE).wait_for()
    return me, OneBatch.load(server.runs / me.asked("batch")[-1]["run"] / "batch.safetensors")


def sum_of(me):
    """By dimension, μ, σ, ε and z as the machine writes them."""
    lines = me.page.locator(f"{MACHINE} .live-sum > div").all_inner_texts()
    found = [(re.match(r"z(\d+)", line)[1], re.findall(NUMBER, line)) for line in lines]
    return {int(dim): [float(text.replace("−", "-")) for text in numbers] for dim, numbers in found}


def assert_shows(me, batch, n, draw):
    """The machine shows image n of the batch and that draw of it, as the step's tensors and its figure have it."""
    found = sum_of(me)
    assert list(found) == batch.kl_per_dim.argsort(descending=True)[:3].tolist()
    for j, (mu, std, eps, z) in found.items():
        wanted = batch.draws[draw, n, j], batch.mu[n, j], batch.logvar[n, j].div(2).exp()
        assert [z, mu, std] == pytest.approx([float(value) for value in wanted], abs=0.006)
        assert eps == pytest.approx(float((wanted[0] - wanted[1]) / wanted[2]), abs=0.006)
        assert mu + std * eps == pytest.approx(z, abs=0.03)  # of numbers with two digits
    for station, tensor in (("x canvas", batch.x[n]), ("made canvas", batch.x_hat[draw, n])):
        grey = torch.tensor(me.page.evaluate(GREY, f"{MACHINE} .live-station-{station}"))
        assert (grey - 255 * tensor.flatten()).abs().max() <= 0.51
    kl, term = (me.page.inner_text(f"{MACHINE} .live-hanging[data-term={name}]") for name in ("kl", "reconstruction"))
    assert number(kl) == pytest.approx(float(batch.kl[n]), abs=0.06)
    assert number(term) == pytest.approx(float(batch.log_px_draws[draw, n]), abs=0.06)
    *terms, last = me.page.locator("#batch figure").nth(n).locator("figcaption div").all_inner_texts()
    assert number(kl) == number(last.replace("− ", "")) and number(term) == number(terms[draw])
    if batch.samples > 1:
        note = me.page.inner_text(f"{MACHINE} .live-station-made small")
        assert note == f"its mean over the {batch.samples} draws: {terms[-1]} nats"


def pressed(me):
    """The numbers of the images that are chosen."""
    states = [it.get_attribute("aria-pressed") for it in me.page.locator("#batch .live-image").all()]
    return [n for n, state in enumerate(states) if state == "true"]


@pytest.mark.parametrize("dims", [2, 5])
def test_the_machine_shows_the_image_that_is_chosen_and_each_draw_that_the_step_made(visit, server, dims):
    me, batch = step(visit, server, dims=dims)
    page = me.page
    assert batch.samples == 3 and pressed(me) == [0]
    seen = page.locator(f"{MACHINE} .live-station-q circle, {MACHINE} .live-station-q .live-spread")
    assert seen.count() == (1 + 2 if dims == 2 else 2 * dims)  # one draw, and ellipses or bars of q
    assert_shows(me, batch, 0, 0)
    following, before = (page.get_by_role("button", name=f"{which} draw") for which in ("Next", "Previous"))
    for draw in (1, 2, 0):
        following.click()
        assert page.inner_text(f"{MACHINE} [role=status]") == f"draw {draw + 1} of 3"
        assert_shows(me, batch, 0, draw)
    before.click()
    page.get_by_role("button", name="Image 4", exact=True).click()
    assert pressed(me) == [3]
    assert_shows(me, batch, 3, 2)  # the draw stays
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert pressed(me) == [5] and page.evaluate("document.activeElement.ariaPressed") == "true"
    assert_shows(me, batch, 5, 2)
    for key in ("Home", *["ArrowRight"] * 4):  # the last one is the last
        page.keyboard.press(key)
    assert pressed(me) == [7]
    with me.answered("batch"):
        page.click("#step")
        me.wait_for_state("paused")
    page.wait_for_function("document.querySelector('#batch h4').textContent.startsWith('Step 2,')")
    batch = OneBatch.load(server.runs / me.asked("batch")[-1]["run"] / "batch.safetensors")
    assert pressed(me) == [0] and page.inner_text(f"{MACHINE} [role=status]") == "draw 1 of 3"
    assert_shows(me, batch, 0, 0)


def test_a_single_draw_is_the_only_noise_there_is(visit, server):
    me, batch = step(visit, server, samples=1)
    assert_shows(me, batch, 0, 0)
    assert me.page.inner_text(f"{MACHINE} [role=status]") == "ε as drawn"
    assert me.page.locator(f"{MACHINE} button").count() == 0  # no die


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_a_step_stands_below_what_moves_and_fits_its_place(visit, server, width, height):
    me, _ = step(visit, server, dims=20, viewport={"width": width, "height": height})
    assert me.page.evaluate(STICKS_OUT) == []
    assert me.page.evaluate("document.documentElement.scrollWidth") <= width
    ends = me.page.evaluate("""() => ["#train-curves", ".live-pairs", ".live-samples", ".live-map"].map((it) =>
        document.querySelector(it).getBoundingClientRect().bottom + scrollY)""")
    top = me.page.evaluate("document.querySelector('#batch .live').getBoundingClientRect().top + scrollY")
    assert top >= max(ends)
    if width == 1440:
        assert max(ends) <= height
