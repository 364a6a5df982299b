"""The card of information: −log p of an event and of a density, and images among the test images (T2)."""

import math
import re

import pytest
import torch

from vae_core import load_checkpoint, load_dataset
from vae_core.data import binarized_for_evaluation, converted, spread
from vae_core.evaluation.posterior import grid_truth
from vae_core.objective import elbo

from ..conftest import ROOT
from .conftest import until

pytestmark = pytest.mark.browser

MODEL = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"
CARD = ".live-card-information"
DRAWS = 64


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=information&model=mnist-mlp-2d", fresh=True)
    me.page.wait_for_selector(f"{CARD} .live-handle")
    return me


def text(me, name):
    return me.page.locator(f"{CARD} .live-numbers [data-value={name}]").inner_text()


def number(me, name):
    return float(text(me, name).replace("−", "-").replace("%", ""))


def held(me, name):
    return float(me.page.get_by_role("slider", name=name).get_attribute("aria-valuenow"))


def known(me, *names):
    for name in names:
        until(me.page, lambda name=name: re.search(r"\d", text(me, name)), 60)


def test_the_event_and_the_density_follow_their_handles(card):
    page = card.page
    assert number(card, "nats") == 1 and number(card, "bits") == 1.44
    page.get_by_role("slider", name="p of the event").focus()
    for key, times in (("ArrowLeft", 5), ("Home", 1), ("End", 1)):
        for _ in range(times):
            page.keyboard.press(key)
        p = held(card, "p of the event")
        if key == "ArrowLeft":
            assert number(card, "nats") == pytest.approx(-math.log(p), abs=0.02)  # p is said with two digits
            assert number(card, "bits") == pytest.approx(number(card, "nats") / math.log(2), abs=0.01)
    assert p == 1 and number(card, "nats") == 0
    page.get_by_role("slider", name="width of the density").focus()
    for key in ("ArrowRight", "Home", "End"):
        page.keyboard.press(key)
        sigma = held(card, "width of the density")
        assert number(card, "peak") == pytest.approx(0.5 * math.log(2 * math.pi * sigma**2), abs=0.005)
    page.keyboard.press("Home")
    assert number(card, "peak") < 0
    box = page.get_by_role("slider", name="p of the event").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(0, 400, steps=3)  # beyond the axis
    page.mouse.up()
    assert number(card, "nats") == pytest.approx(-math.log(0.005), abs=0.005)


def test_the_image_and_the_empty_one_stand_among_the_test_images(card):
    page = card.page
    page.get_by_role("button", name="as a typical digit").click()
    known(card, "share", "evidence")
    assert text(card, "empty") == "–"  # it would answer the question
    model = load_checkpoint(MODEL)
    images = load_dataset("digits", "none").test
    images = converted(images[spread(len(images), 2000)], "digits", "mnist")
    x = binarized_for_evaluation(images, "dynamic")
    with torch.inference_mode():
        generator = torch.Generator().manual_seed(0)
        elbos = torch.cat([elbo(model, part, DRAWS, generator=generator).elbo for part in x.split(50)])
    share = 100 * (elbos <= -number(card, "elbo")).float().mean().item()
    assert number(card, "share") == pytest.approx(share, abs=0.51)
    assert number(card, "evidence") <= number(card, "elbo")
    page.get_by_role("button", name="the empty image").click()
    page.locator(f"{CARD} .live-verdict:has-text('Not so.')").wait_for()
    known(card, "empty")
    until(page, lambda: text(card, "share") == text(card, "empty"), 60)
    empty = torch.zeros(1, 1, 28, 28)
    with torch.inference_mode():
        generator = torch.Generator().manual_seed(0)
        bound = elbo(model, empty, 4000, generator=generator).elbo.item()
    assert number(card, "elbo") == pytest.approx(-bound, abs=0.5)
    assert number(card, "empty") == pytest.approx(100 * (elbos <= bound).float().mean().item(), abs=1)
    truth = -grid_truth(model, empty).log_px.item()
    until(page, lambda: re.search(r"\d", text(card, "evidence")) and abs(number(card, "evidence") - truth) < 0.05, 60)
    assert len(card.asked("crowd")) == 1  # one histogram for all images


def test_nine_in_ten_digits_are_more_surprising_than_no_ink(mnist_dir):
    model = load_checkpoint(MODEL)
    images = load_dataset("mnist", mnist_dir).test
    x = binarized_for_evaluation(images[spread(len(images), 500)], "dynamic")
    with torch.inference_mode():
        generator = torch.Generator().manual_seed(0)
        bound = elbo(model, torch.zeros(1, 1, 28, 28), DRAWS, generator=generator).elbo
        share = (elbo(model, x, 8, generator=generator).elbo < bound).float().mean().item()
    assert 0.88 < share < 0.96
