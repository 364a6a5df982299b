"""The card on Jensen's inequality: weights of the image in hand, the bound of K draws, and two models' q (T13)."""

import math

import pytest
import torch

from vae_core.evaluation.posterior import grid_truth

from .planes import image, known, shipped, shown

pytestmark = pytest.mark.browser

LINK = "?tab=theory&card=jensen&model=mnist-mlp-2d"
DRAWS = 2048
CARD = "#theory-card"
NAMES = ("mean_log", "log_mean", "average", "elbo", "log_px")


@pytest.fixture
def card(visit):
    """A visitor at the card, with the exact posterior of the digit that it opens with."""
    me = visit(LINK, fresh=True)
    known(me, *NAMES)
    return me


def drawn(me):
    """Waits until all draws are made."""
    me.page.wait_for_selector(f"{CARD} [data-draws='{DRAWS}']")


def values(me):
    return {name: shown(me, name) for name in NAMES}


def to(me, count):
    """Moves the slider to K."""
    move = "(it, at) => { it.value = at; it.dispatchEvent(new Event('input')); }"
    me.page.get_by_label("number of draws K").evaluate(move, str(math.log(count)))
    me.page.wait_for_function(
        "(count) => Math.abs(document.querySelector('#theory-card .live-knob output').textContent / count - 1) < 0.05",
        arg=count,
    )


def test_the_bound_tightens_with_k_from_the_elbo_towards_log_p(card):
    drawn(card)
    model, x = shipped(), image(card)
    with torch.inference_mode():
        q = model.posterior(x)
    truth = grid_truth(model, x, q, cells=201)
    gap = truth.kl_q_posterior.item()
    found = []
    for count in (1, 10, 100, 1000):
        to(card, count)
        now = values(card)
        assert now["log_mean"] >= now["mean_log"]  # of any K weights
        found.append(now["average"])
    assert found == sorted(found) and found[-1] > found[0] + 0.5
    assert found[0] == pytest.approx(now["elbo"], abs=0.011)  # K = 1
    assert now["elbo"] == pytest.approx(truth.log_px.item() - gap, abs=1.5)  # by 2,048 draws
    assert now["log_px"] == pytest.approx(truth.log_px.item(), abs=0.04)
    assert found[-1] < now["log_px"] + 0.5


def test_other_draws_have_other_means_and_the_question_is_settled(card):
    drawn(card)
    card.page.locator(".live-choice", has_text="The ELBO again").click()
    to(card, 5)
    questions = card.page.evaluate("questions.length")
    tries = set()
    for _ in range(6):
        card.page.get_by_role("button", name="Draw again").click()
        card.frames()
        now = values(card)
        assert now["log_mean"] >= now["mean_log"]
        tries.add(now["log_mean"])
    assert len(tries) > 2
    assert card.page.evaluate("questions.length") == questions
    card.page.locator(".live-verdict", has_text="Not so.").wait_for()


def test_the_handle_in_the_chart_moves_k(card):
    drawn(card)
    grip = card.page.get_by_label("K, as a power of ten")
    grip.focus()
    card.page.keyboard.press("End")
    card.page.wait_for_function("document.querySelector('#theory-card .live-knob output').textContent === '1000'")
    far = shown(card, "average")
    card.page.keyboard.press("Home")
    card.page.wait_for_function("document.querySelector('#theory-card .live-knob output').textContent === '1'")
    assert shown(card, "average") < far


def test_both_models_show_their_q_over_the_posterior(card):
    card.page.wait_for_function(
        "[...document.querySelectorAll('.live-teacher small')].every((it) => /[0-9]/.test(it.textContent))",
        timeout=60_000,
    )
    x = image(card)
    ratios = []
    for n, name in enumerate(("mnist-mlp-2d", "mnist-mlp-2d-iw")):
        figure = card.page.locator(f"{CARD} .live-teacher").nth(n)
        ratios.append(float(figure.locator("small").inner_text().split()[2]))
        with torch.inference_mode():
            std = shipped(name).posterior(x).std[0]
        rx, ry = (float(figure.locator("[data-sigma='1']").get_attribute(side)) for side in ("rx", "ry"))
        assert rx / ry == pytest.approx((std[0] / std[1]).item(), rel=1e-3)
    assert all(0.01 < ratio < 100 for ratio in ratios) and ratios[0] != ratios[1]


def test_it_fits_a_phone(visit):
    me = visit(LINK, fresh=True, viewport={"width": 390, "height": 844}, has_touch=True)
    known(me, "elbo")
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
