"""The card on L draws: the spread of the estimates against what it should be, and the mean of a batch."""

import base64
import math
import statistics

import pytest
import torch

from ui.theory.measured import BATCH, BATCH_DRAWS
from vae_core import load_checkpoint, load_dataset
from vae_core.data import binarize, binarized_for_evaluation, converted, spread
from vae_core.objective import elbo

from ..conftest import ROOT, seeded

pytestmark = pytest.mark.browser

NAME = "mnist-mlp-20d"
CARD = ".live-card-draws"
SEEDED = """{ let state = 7; Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}; }"""  # mulberry32
VALUE = """(name) => Number(document.querySelector(`.live-card-draws .live-card-numbers [data-value=${name}]`)
    .textContent.replace("−", "-"))"""


@pytest.fixture
def card(visit):
    """A visitor's card on L draws, once all draws are drawn and the batch is known."""

    def come(**options):
        me = visit(f"?tab=theory&card=draws&model={NAME}", fresh=True, script=SEEDED, **options)
        me.page.wait_for_function(
            "document.querySelector('.live-card-draws .live-two-curves')?.textContent.startsWith('2,048 estimates')",
            timeout=120_000,
        )
        me.page.wait_for_function("document.querySelector('[data-value=batch_mean]')?.textContent.match(/[0-9]/)")
        return me

    return come


def value(me, name):
    return me.page.evaluate(VALUE, name)


def slide(me, name, value):
    """Moves a slider that goes by powers."""
    script = "(it, to) => { it.value = String(Math.log(to)); it.dispatchEvent(new Event('input')); }"
    me.page.get_by_label(name, exact=True).evaluate(script, value)


def test_the_arithmetic_is_that_of_python(card):
    script = """async (values) => {
        const { estimates, mean, spread, ofBatch } = await import(location.origin + "/live/theory/gaussian/pool.js");
        const batch = { elbos: values, scatter: values.map((value) => value ** 2) };
        return [mean(values), spread(values), estimates(values, 3), ofBatch(batch, 4, 2)];
    }"""
    values = [1.5, -2.0, 0.25, 7.0, 3.0, -1.0, 2.5]
    mean, sd, groups, parts = card().page.evaluate(script, values)
    assert mean == pytest.approx(statistics.mean(values), abs=1e-12)
    assert sd == pytest.approx(statistics.stdev(values), abs=1e-12)
    assert groups == pytest.approx([statistics.mean(values[:3]), statistics.mean(values[3:6])], abs=1e-12)
    assert parts["of_draws"] == pytest.approx(math.sqrt(statistics.mean(v**4 for v in values) / 8), abs=1e-12)
    assert parts["of_images"] == pytest.approx(statistics.stdev(values) / 2, abs=1e-12)


def test_the_spread_falls_as_one_over_the_root_of_l_and_the_mean_is_the_elbo(card):
    me = card()
    model = load_checkpoint(ROOT / "checkpoints" / f"{NAME}.safetensors")
    grey = torch.frombuffer(bytearray(base64.b64decode(me.asked("look")[-1]["image"])), dtype=torch.uint8) / 255
    x = binarize(grey.view(1, 1, 28, 28), model.config.binarization, seeded())
    with torch.inference_mode():
        terms = elbo(model, x, 4000, generator=seeded())
    sd = terms.log_px.std().item()
    assert value(me, "mean") == pytest.approx(terms.elbo.item(), abs=5 * sd * math.sqrt(1 / 2048 + 1 / 4000))
    assert value(me, "one") == pytest.approx(sd, rel=0.1)
    me.page.get_by_role("button", name="8 times", exact=True).click()
    for draws in (1, 4, 16, 64):
        slide(me, "L, draws", draws)
        assert value(me, "expected") == pytest.approx(value(me, "one") / math.sqrt(draws), abs=0.01)
        error = 1 / math.sqrt(2 * (2048 // draws - 1))  # of a standard deviation, relative
        assert value(me, "measured") == pytest.approx(value(me, "expected"), rel=4 * error, abs=0.01)
        assert (
            f"{2048 // draws:,} estimates of L = {draws}, and a Gaussian"
            in me.page.locator(f"{CARD} .live-two-curves").inner_text()
        )
    me.page.locator(".live-settled .live-verdict:has-text('Right.')").wait_for()
    mean = value(me, "mean")
    handle = me.page.get_by_role("slider", name="L, draws for each estimate")
    handle.focus()
    me.page.keyboard.press("Home")
    assert value(me, "expected") == value(me, "one") and value(me, "mean") == mean
    assert me.page.locator(f"{CARD} .live-measured circle").count() == 7
    me.page.get_by_role("button", name="Line by line").click()
    lines = {name: me.page.locator(f"{CARD} .live-lines [data-value={name}]").inner_text() for name in
             ("estimate", "loss", "minus_kl")}  # fmt: skip
    estimate, loss, minus_kl = (float(text.replace("−", "-")) for text in lines.values())
    assert estimate == -loss and minus_kl == pytest.approx(-terms.kl.item(), abs=0.02)


def test_the_batch_is_that_of_the_test_images(card):
    me = card()
    model = load_checkpoint(ROOT / "checkpoints" / f"{NAME}.safetensors")
    dataset = load_dataset("digits", "unused")  # of this server
    images = converted(dataset.test[spread(len(dataset.test), BATCH)], "digits", "mnist")
    with torch.inference_mode():
        terms = elbo(model, binarized_for_evaluation(images, "dynamic"), 4 * BATCH_DRAWS, generator=seeded(1))
    elbos, variance = terms.elbo, terms.log_px.var(0)
    for count, draws in ((BATCH, 1), (10, 4)):
        slide(me, "B, images of the batch", count)
        slide(me, "L, draws", draws)
        error = math.sqrt(variance.mean().item() / count / BATCH_DRAWS)
        assert value(me, "batch_mean") == pytest.approx(elbos[:count].mean().item(), abs=6 * error)
        assert value(me, "of_draws") == pytest.approx(math.sqrt(variance.mean().item() / count / draws), rel=0.1)
        assert value(me, "of_images") == pytest.approx(elbos.std().item() / math.sqrt(count), rel=0.03)


def test_a_model_that_the_browser_does_not_decode_is_asked_of_the_server(visit):
    slow = "performance.now = ((now) => () => (now += 40))(0);"  # each decode takes long
    me = visit(f"?tab=theory&card=draws&model={NAME}", fresh=True, script=slow)
    me.page.wait_for_function(
        "document.querySelector('.live-card-draws .live-two-curves')?.textContent.startsWith('2,048 estimates')",
        timeout=120_000,
    )
    assert [it["seed"] for it in me.asked("single_draws")] == [0, 1, 2, 3]


def test_on_a_telephone_nothing_is_wider_than_the_screen(card):
    me = card(viewport={"width": 390, "height": 844}, has_touch=True)
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
    right = "(it) => it.getBoundingClientRect().right"
    text, table = (me.page.locator(f"{CARD} {it}").evaluate(right) for it in (".live-says", ".live-numbers"))
    assert table <= text + 1
