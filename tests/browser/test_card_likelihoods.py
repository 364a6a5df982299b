"""The card on likelihoods: every pixel's log-probability and their sums against torch.distributions."""

import base64
import itertools
import math

import pytest
import torch
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal

from vae_core import load_checkpoint
from vae_core.data import binarize
from vae_core.likelihood import Bernoulli as OurBernoulli
from vae_core.likelihood import ContinuousBernoulli as OurContinuous
from vae_core.likelihood import Gaussian as OurGaussian
from vae_core.storage.checkpoint import read_header

from ..conftest import ROOT, seeded

pytestmark = pytest.mark.browser

CHECKPOINTS = ROOT / "checkpoints"
CARD = ".live-card-likelihoods"
GRID = list(itertools.product((0.0, 0.3, 1.0), (-9.0, -2.0, -0.004, 0.0, 0.5, 7.0), (0.05, 0.0975, 0.4, 1.0)))
VALUE = """(name) => Number(document.querySelector(`.live-card-likelihoods .live-card-numbers [data-value=${name}]`)
    .textContent.replace("−", "-"))"""
PIXEL = """() => Object.fromEntries([...document.querySelectorAll("[data-pixel]")].map((it) =>
    [it.dataset.pixel, Number(it.textContent.replace("−", "-"))]))"""


@pytest.fixture
def card(visit):
    """A visitor's card on likelihoods, with the image in hand."""

    def come(model="mnist-mlp-2d", **options):
        me = visit(f"?tab=theory&card=likelihoods&model={model}", fresh=True, **options)
        me.page.wait_for_function("document.querySelector('[data-value=sse]')?.textContent.match(/[0-9]/)")
        return me

    return come


def value(me, name):
    return me.page.evaluate(VALUE, name)


def given(me, name):
    """The model, the image in hand as it sees it, and the mean and logits that it predicts, (784,) each."""
    model = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    grey = torch.frombuffer(bytearray(base64.b64decode(me.asked("look")[-1]["image"])), dtype=torch.uint8) / 255
    x = binarize(grey.view(1, 1, 28, 28), model.config.binarization, seeded())
    with torch.no_grad():
        params = model.decode(model.posterior(x).mu).flatten().double()
    mean = model.likelihood.mean(params)
    logits = params if model.config.likelihood != "gaussian" else mean.clamp(1 / 510, 1 - 1 / 510).logit()
    return x.flatten().double(), mean, logits


def sums(x, mean, logits, sigma):
    """log p(x|z) under the three likelihoods, by the core."""
    log_sigma = torch.tensor(math.log(sigma), dtype=torch.float64)
    return {
        "bernoulli": OurBernoulli().total(x, logits).item(),
        "gaussian": OurGaussian(log_sigma).total(x, mean).item(),
        "continuous": OurContinuous().total(x, logits).item(),
    }


def sigma(me):
    return math.exp(float(me.page.get_by_label("σ of the Gaussian").input_value()))


def test_each_pixel_is_scored_as_by_torch(card):
    script = """async (grid) => {
        const { logOf, ceiling } = await import(location.origin + "/live/theory/gaussian/pixels.js");
        const { crossEntropy, squared } = await import(location.origin + "/live/theory/gaussian/costs.js");
        return grid.map(([x, param, sigma]) => {
            const p = 1 / (1 + Math.exp(-param));
            return [logOf("bernoulli", x, param), logOf("gaussian", x, param, sigma),
                    logOf("continuous_bernoulli", x, param), -crossEntropy(x, p), squared(x, p, sigma), ceiling(sigma)];
        });
    }"""
    found = torch.tensor(card().page.evaluate(script, GRID), dtype=torch.float64).T
    x, param, sigma = torch.tensor(GRID, dtype=torch.float64).T
    bernoulli = Bernoulli(logits=param, validate_args=False).log_prob(x)
    # torch's own normalizer is a series near λ = ½: the core's and this one agree with it there to 1e-6
    continuous = ContinuousBernoulli(logits=param, validate_args=False).log_prob(x)
    p = param.sigmoid()
    best = 784 * Normal(0.0, sigma).log_prob(torch.zeros(()))
    squares = (x - p) ** 2 / (2 * sigma**2)
    expected = (bernoulli, Normal(param, sigma).log_prob(x), continuous, bernoulli, squares, best)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("name", ["mnist-mlp-2d", "mnist-gaussian-20d"])
def test_the_sums_are_those_of_the_core_and_follow_sigma(card, name):
    me = card(name)
    x, mean, logits = given(me, name)
    me.page.get_by_role("button", name="Only of a Gaussian, scaled and shifted").click()
    for key in (None, "Home", "End", "ArrowLeft"):
        if key:
            me.page.get_by_label("σ of the Gaussian").press(key)
        for what, expected in sums(x, mean, logits, sigma(me)).items():
            rounded = 0.003 / (2 * sigma(me) ** 2) if what == "gaussian" else 0  # the browser's weights are float16
            assert value(me, what) == pytest.approx(expected, abs=0.02 + rounded, rel=1e-4), (key, what)
        identity = value(me, "ceiling") - value(me, "sse") / (2 * sigma(me) ** 2)
        assert value(me, "gaussian") == pytest.approx(identity, abs=0.01 / (2 * sigma(me) ** 2) + 0.02)
        assert value(me, "beta") == pytest.approx(2 * sigma(me) ** 2, abs=0.006)
        assert value(me, "ceiling") == pytest.approx(-392 * math.log(2 * math.pi * sigma(me) ** 2), abs=0.01)
    assert value(me, "sse") == pytest.approx((x - mean).square().sum().item(), abs=0.02)
    me.page.locator(".live-settled .live-verdict:has-text('Right.')").wait_for()
    under = me.page.locator(f"{CARD} .live-pixels-sum output").all_text_contents()
    assert [float(text.replace("−", "-")) for text in under] == [value(me, it) for it in
                                                               ("bernoulli", "gaussian", "continuous")]  # fmt: skip


def test_a_pixel_is_chosen_on_a_map_and_its_prediction_dragged(card):
    me = card()
    x, mean, _ = given(me, "mnist-mlp-2d")
    first = me.page.evaluate(PIXEL)
    worst = (x - mean).abs().argmax()
    assert first["x"] == x[worst] and first["predicted"] == pytest.approx(mean[worst].item(), abs=0.006)
    box = me.page.locator(f"{CARD} .live-pixel-map canvas").nth(1).bounding_box()
    me.page.mouse.click(box["x"] + 14.5 / 28 * box["width"], box["y"] + 10.5 / 28 * box["height"])
    assert me.page.evaluate(PIXEL)["predicted"] == pytest.approx(mean[10 * 28 + 14].item(), abs=0.006)
    me.page.locator(f"{CARD} .live-pixel-map canvas").first.focus()
    me.page.keyboard.press("ArrowDown")
    me.page.keyboard.press("ArrowRight")
    seen = me.page.evaluate(PIXEL)
    assert seen["predicted"] == pytest.approx(mean[11 * 28 + 15].item(), abs=0.006)
    me.page.locator(".live-card[data-done]").wait_for()
    handle = me.page.get_by_role("slider", name="predicted value")
    handle.focus()
    for key, predicted in (("Home", 0.001), ("End", 0.999), ("Shift+ArrowLeft", 0.899)):
        me.page.keyboard.press(key)
        seen = me.page.evaluate(PIXEL)
        p = torch.tensor(predicted, dtype=torch.float64)
        assert seen["entropy"] == pytest.approx(
            -Bernoulli(p).log_prob(torch.tensor(seen["x"]).double()).item(), abs=0.006
        )
        assert seen["square"] == pytest.approx((seen["x"] - predicted) ** 2 / (2 * sigma(me) ** 2), abs=0.006)


def test_the_figures_of_the_shipped_models_are_those_of_their_files(card):
    me = card()
    said = me.page.locator(f"{CARD} .live-shipped")
    said.wait_for()
    for name in ("mnist-mlp-20d", "mnist-gaussian-20d"):
        figures = read_header(CHECKPOINTS / f"{name}.safetensors").about["figures"]
        assert f"{-figures['elbo']:.2f}".replace("-", "−") in said.inner_text()
    assert f"σ = {figures['sigma']:.4f}" in said.inner_text()


def test_on_a_telephone_nothing_is_wider_than_the_screen(card):
    me = card(viewport={"width": 390, "height": 844}, has_touch=True)
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
