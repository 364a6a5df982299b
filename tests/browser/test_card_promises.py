"""The card on what training promises (T15, T20): each of its pictures answers, and its numbers add up."""

import json
import math
import re

import pytest
import torch

from ui.theory.deck import deck
from vae_core import load_checkpoint

from ..conftest import ROOT
from .conftest import until

pytestmark = pytest.mark.browser

CARD = ".live-card-promises"
QUESTION = deck()["promises"].question
RECORDS = ROOT / "checkpoints" / "lessons" / "watched" / "metrics.jsonl"


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=promises&model=mnist-mlp-2d", fresh=True)
    known(me, "gap")
    return me


def known(me, *names):
    for name in names:
        me.page.wait_for_function(
            "(name) => /[0-9]/.test(document.querySelector(`.live-card-promises [data-value=${name}]`)?.textContent)",
            arg=name,
        )


def value(me, name):
    text = me.page.locator(f"{CARD} .live-numbers [data-value={name}]").text_content()
    return float(text.replace("−", "-"))


def part(me, title):
    me.page.locator(CARD).get_by_role("tab", name=title, exact=True).click()


def press(me, name, *keys):
    slider = me.page.locator(CARD).get_by_role("slider", name=name, exact=True).filter(visible=True)
    slider.focus()
    for key in keys:
        me.page.keyboard.press(key)


def test_the_gap_over_a_training_is_what_its_records_say(card):
    watched = [it["watched"] for it in map(json.loads, RECORDS.read_text().splitlines()) if it["watched"]]
    assert value(card, "elbo") == pytest.approx(watched[0]["elbo"], abs=0.01)
    card.page.locator(f"{CARD} .live-choice").nth(1).click()
    press(card, "Step of the training", "End")
    for name, field in (("elbo", "elbo"), ("evidence", "log_px"), ("exact", "exact")):
        assert value(card, name) == pytest.approx(watched[-1][field], abs=0.01)
    assert value(card, "elbo") + value(card, "gap") == pytest.approx(value(card, "evidence"), abs=0.011)
    first, last = (it["log_px"] - it["elbo"] for it in (watched[0], watched[-1]))
    said = card.page.locator(f"{CARD} .live-found:visible").first.inner_text()
    assert ("grew" in said) == (last > first) and f"by {abs(last - first):.1f}" in said
    verdict = card.page.locator(f"{CARD} .live-settled .live-verdict").inner_text()
    assert QUESTION.because in verdict


def test_the_linear_model_stands_beside_its_optimum(card):
    part(card, "PCA")
    known(card, "missing")
    assert value(card, "optimum") - value(card, "learned") == pytest.approx(value(card, "missing"), abs=0.011)
    assert 0 < value(card, "missing") < 1 and value(card, "linear_gap") > 0
    assert card.ink(f"{CARD} .live-axes-pictures") > 0
    assert card.page.locator(f"{CARD} rect.live-bar-own").count() == 8


def test_a_rotation_moves_q_and_leaves_every_term(card):
    part(card, "Rotate z")
    known(card, "turned_elbo")
    terms = ("turned_reconstruction", "turned_kl", "turned_elbo")
    before = {name: value(card, name) for name in (*terms, "turned_first", "turned_second")}
    looked = card.page.evaluate("[...document.querySelectorAll('.live-card-promises .live-ellipse')][0].outerHTML")
    press(card, "rotation of z, degrees", "Home")
    after = {name: value(card, name) for name in before}
    assert after == pytest.approx(before, abs=0.011)  # half a turn
    press(card, "rotation of z, degrees", *["ArrowRight"] * 40)
    moved = {name: value(card, name) for name in before}
    assert {name: moved[name] for name in terms} == pytest.approx({name: before[name] for name in terms}, abs=0.011)
    assert abs(moved["turned_first"] - before["turned_first"]) > 0.05
    assert card.page.locator(f"{CARD} .live-ellipse").evaluate("(it) => it.outerHTML") != looked
    assert before["turned_first"] + before["turned_second"] == pytest.approx(before["turned_kl"], abs=0.021)
    assert value(card, "turned_reconstruction") - value(card, "turned_kl") == pytest.approx(
        value(card, "turned_elbo"), abs=0.011
    )


def test_below_one_beta_is_no_bound(card):
    part(card, "β")
    known(card, "surprise")
    kind = card.page.locator(f"{CARD} tr:has([data-value=surprise]) .live-kind")
    kind.filter(has_text="exact only here").wait_for()
    distortion, kl = value(card, "distortion"), value(card, "weighed") / 2
    press(card, "β", "End")
    assert value(card, "bound") == pytest.approx(distortion + 4 * kl, abs=0.05)
    card.page.locator(f"{CARD} .live-found:visible:has-text('a bound')").wait_for()
    press(card, "β", "Home")
    assert value(card, "weighed") == 0 and value(card, "bound") == distortion
    assert value(card, "bound") - value(card, "surprise") == pytest.approx(value(card, "above"), abs=0.011)
    said = card.page.locator(f"{CARD} .live-found:visible").inner_text()
    assert ("It bounds nothing" in said) == (value(card, "above") < 0)
    press(card, "β", "ArrowUp", "ArrowUp")
    assert value(card, "weighed") == pytest.approx(0.1 * kl, abs=0.01)
    encoders, surprise = value(card, "distortion"), value(card, "surprise")
    card.page.get_by_role("button", name="Find the best q").filter(visible=True).click()
    card.page.get_by_role("button", name="Back to the encoder’s q").filter(visible=True).wait_for()
    assert value(card, "distortion") != encoders and value(card, "surprise") == surprise  # the evidence is the model's
    press(card, "β", "Home")
    assert value(card, "above") < 0
    card.page.locator(f"{CARD} .live-found:visible:has-text('It bounds nothing')").wait_for()


def test_z_is_moved_over_the_average_of_the_qs(card):
    part(card, "q(z)")
    known(card, "mean_kl", "marginal")
    numbers = {
        name: [
            float(it) for it in re.findall(r"\d+\.\d+", card.page.locator(f"[data-value={name}]").first.inner_text())
        ]
        for name in ("information", "marginal")
    }
    kl = value(card, "mean_kl")
    assert numbers["information"][0] + numbers["marginal"][1] == pytest.approx(kl, abs=0.011)
    press(card, "z", "ArrowRight", "ArrowRight", "ArrowUp")
    script = """() => {
        const canvas = document.querySelector(".live-decoded-z");
        return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
    }"""
    wanted = load_checkpoint(ROOT / "checkpoints" / "mnist-mlp-2d.safetensors").x_hat(torch.tensor([[0.2, 0.1]]))
    until(card.page, lambda: (torch.tensor(card.page.evaluate(script)) / 255 - wanted.flatten()).abs().max() < 0.01)
    box = card.page.locator(f"{CARD} .live-handle:visible").bounding_box()
    card.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card.page.mouse.down()
    card.page.mouse.move(1430, box["y"], steps=2)  # it stops at the edge
    card.page.mouse.up()
    handle = card.page.locator(f"{CARD} .live-handle:visible")
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(3.5, abs=0.5)


def test_a_larger_beta_puts_dimensions_to_sleep(card):
    part(card, "Collapse")
    asleep = []
    for beta, name in ((1, "plain"), (4, "beta-4"), (10, "beta-10"), (784, "mean")):
        card.page.get_by_role("button", name=f"β = {beta}", exact=True).click()
        card.page.wait_for_selector(f"{CARD} .live-lesson-pictures[data-lesson={name}]")
        *_, last = map(json.loads, (RECORDS.parents[1] / name / "metrics.jsonl").read_text().splitlines())
        text = card.page.locator(f"{CARD} .live-numbers [data-value=asleep]").inner_text()
        asleep.append(int(text.split()[0]))
        assert asleep[-1] == sum(kl < 0.01 for kl in last["kl_per_dim"])
        assert value(card, "lesson_kl") == pytest.approx(math.fsum(last["kl_per_dim"]), abs=0.01)
        assert value(card, "lesson_elbo") == pytest.approx(last["test"]["elbo"], abs=0.01)
    assert asleep == sorted(asleep) and asleep[-1] == 10
    assert card.page.locator(f"{CARD} .live-asleep").count() == 10


def test_a_model_without_a_plane_has_all_of_it_too(visit):
    me = visit("?tab=theory&card=promises&model=digits-linear-8d", fresh=True)
    known(me, "gap")
    part(me, "Rotate z")
    known(me, "turned_elbo")
    press(me, "rotation of z, degrees", "Home")
    part(me, "β")
    known(me, "surprise")
    part(me, "q(z)")
    known(me, "mean_kl")
    assert not any(word in me.page.locator(CARD).inner_text() for word in ("NaN", "undefined", "not finite"))
