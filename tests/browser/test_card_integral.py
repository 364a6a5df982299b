"""The card of the integral: log p(x) by draws from the prior and from q, and exactly, as the draws grow (T12)."""

import base64
import json
import math
import re

import pytest
import torch

from vae_core import load_checkpoint
from vae_core.evaluation.evaluate import Proposal, log_likelihood, log_weights
from vae_core.evaluation.posterior import grid_truth

from ..conftest import ROOT
from .conftest import until

pytestmark = pytest.mark.browser

MODEL = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"
CARD = ".live-card-integral"
SEEN = """() => {
    const canvas = document.querySelector(".live-card-integral .live-in-hand");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
}"""
DRAWN = """async ([x, q, noise]) => {
    const { rowsOf } = await import(location.origin + "/live/theory/parts/scoring.js");
    const { drawing, nothing } = await import(location.origin + "/live/theory/probability/draws.js");
    const drawn = nothing();
    let used = 0;
    for (const _ of drawing(await rowsOf("test"), { x: Float32Array.from(x), q }, drawn, noise.length / 4,
        () => noise[used++]));
    return ["prior", "q"].map((name) => [1, 8, 64, drawn[name].count].map((n) => drawn[name].after(n)));
}"""


@pytest.fixture
def card(visit):
    """A visitor with an image of which q is a good guess, so that the error of q's draws is known."""
    x = load_checkpoint(MODEL).x_hat(torch.tensor([[-0.5, -1.0]])).flatten() > 0.5
    kept = json.dumps({"image": base64.b64encode(bytes((255 * x).tolist())).decode()})
    script = f"sessionStorage.setItem('vae-drawing', {json.dumps(kept)})"
    me = visit("?tab=theory&card=integral&model=mnist-mlp-2d", fresh=True, script=script)
    me.page.wait_for_selector(f"{CARD} .live-handle")
    return me


def text(me, name):
    return me.page.locator(f"{CARD} .live-numbers [data-value={name}]").inner_text()


def number(me, name):
    return float(text(me, name).replace("−", "-").replace(",", "").replace(" %", ""))


def known(me, *names):
    for name in names:
        until(me.page, lambda name=name: re.search(r"\d", text(me, name)), 60)


def image(me):
    return torch.tensor(me.page.evaluate(SEEN), dtype=torch.float32).reshape(1, 1, 28, 28)


def test_the_numbers_are_estimates_of_log_px_within_their_error(card):
    page = card.page
    page.get_by_role("button", name="about log p(x)").click()
    known(card, "from_q", "from_prior", "evidence")
    assert number(card, "n") == 100
    handle = page.get_by_role("slider", name="n, as a power of ten")
    handle.focus()
    for _ in range(14):
        page.keyboard.press("ArrowRight")
    page.locator(f"{CARD} .live-verdict:has-text('Not so.')").wait_for()
    assert number(card, "n") == 501
    known(card, "from_q", "share")
    model = load_checkpoint(MODEL)
    x = image(card)
    truth = grid_truth(model, x).log_px.item()
    assert number(card, "evidence") == pytest.approx(truth, abs=0.05)
    effective = number(card, "effective_q")
    assert number(card, "from_q") == pytest.approx(truth, abs=4 / math.sqrt(effective))
    assert number(card, "from_prior") < truth + 7  # by Markov, more than that comes once in a thousand tries
    assert number(card, "effective_prior") < effective
    assert 0 < number(card, "share") < 20
    handle.focus()
    page.keyboard.press("Home")
    assert number(card, "n") == 1 and number(card, "effective_q") == 1 and number(card, "effective_prior") == 1
    assert number(card, "share") == 100
    page.keyboard.press("End")
    assert number(card, "n") == 10_000
    assert not card.asked("decode") and not card.asked("judge")


def test_the_handle_is_dragged_and_stops_at_its_bounds(card):
    page = card.page
    box = page.get_by_role("slider", name="n, as a power of ten").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(5, 300, steps=3)
    assert number(card, "n") == 1
    page.mouse.move(1435, 300, steps=3)
    page.mouse.up()
    assert number(card, "n") == 10_000


def test_the_weights_are_those_of_the_model(card):
    known(card, "from_q")
    x = image(card)
    model = load_checkpoint(MODEL)
    generator = torch.Generator().manual_seed(0)
    turns = torch.randn((100, 2, 8, 2), generator=generator)  # by turns: eight of the prior, eight of q
    with torch.inference_mode():
        q = model.posterior(x)
        proposals = [Proposal.prior(model, x), Proposal.posterior(model, x)]
        logs = [
            log_weights(model, x, proposal, turns[:, n].reshape(-1, 1, 2))[:, 0].double()
            for n, proposal in enumerate(proposals)
        ]
        fair = log_likelihood(model, x, 4000, generator).item()
    asked = {"mu": q.mu[0].tolist(), "std": q.std[0].tolist()}
    found = card.page.evaluate(DRAWN, [x.flatten().tolist(), asked, turns.flatten().tolist()])
    for log, after in zip(logs, found, strict=True):
        for n, at in zip((1, 8, 64, 800), after, strict=True):
            weights = (log[:n] - log[:n].max()).exp()
            assert at["log_px"] == pytest.approx((torch.logsumexp(log[:n], 0) - math.log(n)).item(), abs=0.05)
            assert at["effective"] == pytest.approx((weights.sum() ** 2 / weights.square().sum()).item(), rel=0.05)
    assert found[1][-1]["log_px"] == pytest.approx(fair, abs=4 / math.sqrt(found[1][-1]["effective"]))


def test_it_works_for_any_number_of_dimensions(visit):
    me = visit("?tab=theory&card=integral&model=mnist-mlp-20d", fresh=True)
    known(me, "from_q", "from_prior")
    assert number(me, "from_prior") < number(me, "from_q")
    assert text(me, "evidence") == "–"  # known exactly only in two dimensions
    assert not me.page.locator(f"{CARD} .live-scatter").is_visible()
