"""The card of Bayes' theorem: prior × likelihood ÷ evidence on one axis, and as maps of the image in hand (T1)."""

import math
import re

import pytest
import torch

from ui.theory.deck import deck
from vae_core import load_checkpoint
from vae_core.evaluation.posterior import grid_truth

from ..conftest import ROOT
from .conftest import until

pytestmark = pytest.mark.browser

MODEL = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"
CARD = ".live-card-bayes"
SEEN = """() => {
    const canvas = document.querySelector(".live-card-bayes .live-in-hand");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
}"""
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=bayes&model=mnist-mlp-2d", fresh=True)
    me.page.wait_for_selector(f"{CARD} .live-handle")
    return me


def number(me, name):
    text = me.page.locator(f"{CARD} .live-words [data-value={name}]").inner_text().translate(RAISED)
    digits, _, power = text.partition(" · 10")
    return float(digits) * 10 ** int(power or 0)


def normal(x, mean, std):
    return math.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def state(me):
    """x, the noise, z and w, as the controls say them."""
    values = me.page.locator(f"{CARD} .live-handle").evaluate_all(
        "(all) => all.map((it) => Number(it.getAttribute('aria-valuenow')))"
    )
    return [*values, float(me.page.locator(f"{CARD} .live-knob input").input_value())]


def holds(me):
    """That all numbers of the axis are those of the closed forms, to the three digits shown."""
    x, noise, z, w = state(me)
    evidence = normal(x, 0, math.hypot(w, noise))
    precision = 1 + (w / noise) ** 2
    posterior = normal(z, w * x / noise**2 / precision, precision**-0.5)
    expected = {
        "prior": normal(z, 0, 1), "likelihood": normal(x, w * z, noise), "evidence": evidence, "posterior": posterior,
        "area_prior": 1, "area_likelihood": 1 / w, "area_evidence": evidence, "area_posterior": 1,
    }  # fmt: skip
    shown = {name: number(me, name) for name in expected}
    for name, value in expected.items():  # a small one is written with two digits
        assert shown[name] == pytest.approx(value, rel=0.006 if value > 1e-3 else 0.06), name
    assert shown["prior"] * shown["likelihood"] / shown["evidence"] == pytest.approx(shown["posterior"], rel=0.15)


def test_every_handle_moves_its_number_and_the_theorem_holds(card):
    page = card.page
    holds(card)
    page.get_by_role("button", name="always 1").click()
    before = state(card)
    for n, name in enumerate(("the observation x", "the noise of the observation", "the place z")):
        page.get_by_role("slider", name=name).focus()
        for _ in range(6):
            page.keyboard.press("ArrowLeft")
        after = state(card)
        assert after[n] < before[n] and after[:n] + after[n + 1 :] == before[:n] + before[n + 1 :]
        holds(card)
        before = after
    page.locator(f"{CARD} .live-verdict:has-text('Not so.')").wait_for()
    page.get_by_role("slider", name="w", exact=True).focus()
    page.keyboard.press("Home")
    assert number(card, "area_likelihood") == pytest.approx(2, rel=0.006)
    holds(card)


def test_a_drag_by_the_mouse_and_bounds(card):
    page = card.page
    box = page.get_by_role("slider", name="the observation x").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(5, 300, steps=4)  # far beyond the axis
    page.mouse.up()
    assert state(card)[0] == -7
    holds(card)
    page.get_by_role("slider", name="the noise").focus()
    for key in ("Home", "End"):
        page.keyboard.press(key)
        holds(card)
    page.get_by_role("slider", name="w", exact=True).focus()
    page.keyboard.press("Home")
    assert state(card)[0] == -1.75  # the observation stays on the axis
    holds(card)


def test_the_maps_say_what_the_model_says_of_the_image_in_hand(card):
    page = card.page
    page.wait_for_selector(f"{CARD} .live-maps[data-known$=whole]", timeout=60_000)
    page.get_by_role("button", name="zoom to the posterior").wait_for(timeout=60_000)
    x = torch.tensor(page.evaluate(SEEN), dtype=torch.float32).reshape(1, 1, 28, 28)
    model = load_checkpoint(MODEL)
    truth = grid_truth(model, x)
    box = page.locator(f"{CARD} .live-tile canvas").nth(1).bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    said = page.get_by_role("slider", name="z of the model").get_attribute("aria-valuetext")
    z = torch.tensor([[float(text) for text in re.findall(r"-?[\d.]+", said.replace("−", "-"))]])
    assert z.flatten().tolist() == pytest.approx([-1.4, 0.7], abs=0.05)
    prior, likelihood, evidence, posterior = (
        number(card, f"log_{name}") for name in ("prior", "likelihood", "evidence", "posterior")
    )
    with torch.inference_mode():
        assert prior == pytest.approx(model.prior.log_prob(z).item(), abs=0.02)
        slack = 0.01 * 800  # the place is said to two digits, and the likelihood falls steeply
        assert likelihood == pytest.approx(model.log_px_z(x, z[None]).item(), abs=slack)
    assert evidence == pytest.approx(truth.log_px.item(), abs=0.05)
    assert prior + likelihood - evidence == pytest.approx(posterior, abs=0.02)
    assert not card.asked("decode") and not card.asked("judge")


def test_the_maps_are_the_densities_of_the_model(card):
    page = card.page
    page.get_by_role("button", name="zoom to the posterior").click(timeout=60_000)
    page.wait_for_selector(f"{CARD} .live-maps[data-known$=close]", timeout=60_000)
    x = torch.tensor(page.evaluate(SEEN), dtype=torch.float32).reshape(1, 1, 28, 28)
    rows = """async (x) => {
        const { rowsOf } = await import(location.origin + "/live/theory/parts/scoring.js");
        const rows = await rowsOf("test");
        const grid = [-3, -1.5, 0, 1.5, 3].flatMap((a) => [-3, -1.5, 0, 1.5, 3].map((b) => [a, b]));
        const score = rows.scorer(Float32Array.from(x));
        return grid.map((z) => [rows.logPrior(z), score(rows.decode([z])[0])]);
    }"""
    found = torch.tensor(page.evaluate(rows, x.flatten().tolist()))
    model = load_checkpoint(MODEL)
    axis = torch.tensor([-3.0, -1.5, 0, 1.5, 3])
    z = torch.cartesian_prod(axis, axis)
    with torch.inference_mode():
        assert (found[:, 0] - model.prior.log_prob(z)).abs().max() < 1e-5
        off = (found[:, 1] - model.log_px_pairs(x, z)[:, 0]).abs()
    assert off.median() < 0.01 and off.quantile(0.95) < 0.05
    peaks = page.locator(f"{CARD} .live-tile canvas").evaluate_all("""(all) => all.map((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, 64, 64);
        return Array.from({ length: 4096 }, (_, i) => data[4 * i + 3]);
    })""")
    prior, likelihood, posterior = torch.tensor(peaks).float()
    assert posterior.max() == 255 and likelihood.max() == 255
    added = (prior + likelihood - 255)[posterior > 0]  # logs add up, apart from a constant: where the highest is
    assert (added - posterior[posterior > 0]).std() < 2


def test_without_a_plane_it_offers_one_and_the_axis_stays(visit):
    me = visit("?tab=theory&card=bayes&model=mnist-mlp-20d", fresh=True)
    me.page.get_by_text("The maps need a model with two latent dimensions.").wait_for()
    holds(me)
    me.page.get_by_role("button", name="Use one").click()
    me.page.wait_for_selector(f"{CARD} .live-maps[data-known]", timeout=60_000)
    assert me.page.locator(f"{CARD} .live-tiles").is_visible()


def test_each_line_has_its_value(card):
    card.page.get_by_role("button", name="Line by line").click()
    values = {line.value for line in deck()["bayes"].lines}
    until(card.page, lambda: number(card, "log_posterior") is not None if _known(card) else False)
    for value in values:
        text = card.page.locator(f"{CARD} .live-lines [data-value={value}]").first.inner_text()
        assert re.search(r"\d", text), value


def _known(me):
    return re.search(r"\d", me.page.locator(f"{CARD} .live-words [data-value=log_posterior]").inner_text())
