"""The card on amortization: the encoder's q, the best q of the image, and two gaps that add up (T15)."""

import pytest
import torch

from vae_core.evaluation.posterior import grid_truth

from .planes import drag, held, image, known, settled, shipped, shown, worth

pytestmark = pytest.mark.browser

LINK = "?tab=theory&card=amortization&model=mnist-mlp-2d"
CARD = "#theory-card"
NAMES = ("own", "amortization", "best", "approximation", "log_px")


@pytest.fixture
def card(visit):
    """A visitor at the card, with the exact posterior of the digit that it opens with."""
    me = visit(LINK, fresh=True)
    known(me, "own", "log_px")
    settled(me, ("own",))
    return me


def found(me):
    """Finds the best q, and waits until it is weighed well."""
    me.page.get_by_role("button", name="Find the best q").click()
    me.page.locator(".live-card[data-done]").wait_for(timeout=60_000)
    settled(me, NAMES)
    return {name: shown(me, name) for name in NAMES}


def test_the_two_gaps_of_the_best_q_add_up_and_are_those_of_torch(card):
    model, x, own = shipped(), image(card), held(card)
    assert shown(card, "best") is None and shown(card, "amortization") is None
    card.page.locator(".live-choice", has_text="Only the amortization gap").click()
    now = found(card)
    best = held(card)
    assert now["own"] + now["amortization"] == pytest.approx(now["best"], abs=0.011)
    assert now["best"] + now["approximation"] == pytest.approx(now["log_px"], abs=0.05)
    assert now["amortization"] > 0 and now["approximation"] > 0
    truth = grid_truth(model, x, best, cells=201)
    assert now["own"] == pytest.approx(worth(model, x, own).elbo.item(), abs=0.05)
    assert now["best"] == pytest.approx(worth(model, x, best).elbo.item(), abs=0.05)
    assert now["approximation"] == pytest.approx(truth.kl_q_posterior.item(), abs=0.05)
    assert now["log_px"] == pytest.approx(truth.log_px.item(), abs=0.04)
    card.page.locator(".live-verdict", has_text="Right.").wait_for()
    ghost = card.page.locator(f"{CARD} .live-other")
    assert ghost.get_attribute("visibility") == "inherit"  # the encoder's q, to compare with
    middle = card.page.locator(f"{CARD} .live-middle")
    assert float(ghost.get_attribute("cx")) != pytest.approx(float(middle.get_attribute("cx")), abs=0.01)
    assert torch.allclose(held(card).mu, best.mu)


def test_a_hand_can_look_for_a_better_q_and_the_encoders_stays(card):
    before = shown(card, "own")
    drag(card, ".live-held", 30, 0)
    drag(card, ".live-end >> nth=0", -12, 0)
    known(card, "best", "amortization")
    settled(card, NAMES)
    now = {name: shown(card, name) for name in NAMES}
    assert now["own"] == before
    assert now["own"] + now["amortization"] == pytest.approx(now["best"], abs=0.011)
    assert now["best"] == pytest.approx(worth(shipped(), image(card), held(card)).elbo.item(), abs=0.2)


def test_test_digits_are_compared_one_after_the_other(card):
    card.page.get_by_role("button", name="Compare 5 test digits").click()
    card.page.wait_for_function(
        "/\\+/.test(document.querySelector('#theory-card .live-digits-compared output')?.textContent)", timeout=60_000
    )
    amortization, approximation = (
        float(part)
        for part in card.page.locator(f"{CARD} .live-digits-compared output").first.inner_text().split(" + ")
    )
    assert amortization > -0.05 and approximation > -0.05
    first, second = (card.page.locator(f"{CARD} .live-two i").nth(n).bounding_box()["width"] for n in range(2))
    assert first / second == pytest.approx(amortization / approximation, rel=0.1, abs=0.1)


def test_it_fits_a_phone(visit):
    me = visit(LINK, fresh=True, viewport={"width": 390, "height": 844}, has_touch=True)
    known(me, "own")
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
