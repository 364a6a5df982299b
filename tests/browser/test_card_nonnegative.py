"""The card on why KL is never negative (T4): log t below t − 1, and KL as the mean slack, exactly and by draws."""

import math
import re

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ui.theory.deck import deck

pytestmark = pytest.mark.browser

CARD = ".live-card-nonnegative"
QUESTION = deck()["nonnegative"].question
HANDLES = ("mean of q", "width of q", "mean of p", "width of p")
GRID = [(0.0, 1.0), (1.0, 0.6), (-2.5, 0.4), (2.5, 1.6)]  # μ and σ
DRAWS = 1000

AVERAGES = """async (grid) => {
    const { averages } = await import("/live/theory/kl/measure.js");
    return grid.flatMap(([mu, sigma]) => grid.map(([mean, width]) => {
        const { t, log_t, slack } = averages({ mu, sigma }, { mu: mean, sigma: width });
        return [t, log_t, slack];
    }));
}"""

# Draws that are the same in every test, and known to it: ε by Box and Muller's method from the uniform numbers.
SEEDED = """{
    let state = 11;
    window.uniform = [];
    Math.random = () => {
        state = (state * 48271) % 2147483647;
        uniform.push(state / 2147483647);
        return state / 2147483647;
    };
}"""


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=nonnegative&model=mnist-mlp-2d", fresh=True, script=SEEDED)
    me.page.locator(f"{CARD} .live-numbers output[data-value=slack]:has-text('.')").wait_for()
    return me


def value(me, name):
    text = me.page.locator(f"{CARD} output[data-value={name}]").first.text_content()
    return float(text.replace("−", "-"))


def slider(me, name):
    return me.page.locator(f"{CARD} .live-handle[aria-label='{name}']")


def press(me, name, *keys):
    slider(me, name).focus()
    for key in keys:
        me.page.keyboard.press(key)


def pair(me):
    at = [torch.tensor(float(slider(me, name).get_attribute("aria-valuenow")), dtype=torch.float64) for name in HANDLES]
    return Normal(at[0], at[1]), Normal(at[2], at[3])


def log_ratios(me):
    """log p(z) − log q(z) at the last draws of the card."""
    again = "document.querySelector('.live-card-nonnegative .live-cloud button').click()"
    uniform = me.page.evaluate(f"() => {{ uniform.length = 0; {again}; return uniform; }}")
    assert len(uniform) == 2 * DRAWS
    u = torch.tensor(uniform, dtype=torch.float64).view(DRAWS, 2)
    eps = (-2 * torch.log1p(-u[:, 0])).sqrt() * torch.cos(2 * math.pi * u[:, 1])
    q, p = pair(me)
    z = q.loc + q.scale * eps
    return p.log_prob(z) - q.log_prob(z)


def agrees(me):
    """That the card's averages are those of q, p and the draws."""
    logs = log_ratios(me)
    q, p = pair(me)
    kl = kl_divergence(q, p).item()
    assert value(me, "ratio") == 1 and value(me, "bound") == 0
    assert value(me, "kl") == value(me, "slack") == value(me, "minus_log") == pytest.approx(kl, abs=0.00501)
    assert value(me, "log_t") == -value(me, "kl")
    assert value(me, "drawn_ratio") == pytest.approx(logs.exp().mean().item(), rel=1e-9, abs=0.00501)
    assert value(me, "drawn_log") == pytest.approx(-logs.mean().item(), abs=0.00501)
    assert value(me, "drawn_slack") == pytest.approx((logs.exp() - 1 - logs).mean().item(), rel=1e-9, abs=0.00501)
    assert value(me, "drawn_slack") >= 0
    return logs


def test_the_averages_of_the_browser_are_those_of_torch(card):
    found = card.page.evaluate(AVERAGES, GRID)
    pairs = [(q, p) for q in GRID for p in GRID]
    for (q, p), (ratio, log_ratio, slack) in zip(pairs, found, strict=True):
        q, p = (Normal(*torch.tensor(it, dtype=torch.float64)) for it in (q, p))
        kl = kl_divergence(q, p).item()
        assert [ratio, log_ratio, slack] == pytest.approx([1, -kl, kl], abs=1e-6)


def test_the_mean_slack_is_the_kl_of_what_is_dragged(card):
    card.page.locator(f"{CARD} .live-choice").nth(QUESTION.right).click()
    agrees(card)
    for name in HANDLES:
        for keys in (["ArrowRight"] * 3, ["Home", "ArrowLeft"], ["End", "ArrowRight"], ["ArrowLeft"] * 12):
            press(card, name, *keys)
            agrees(card)
    assert QUESTION.because in card.page.locator(f"{CARD} .live-verdict").inner_text()


def test_t_is_dragged_with_its_slack(card):
    page = card.page
    text = page.locator(f"{CARD} .live-slack-text")
    assert value(card, "slack_at_t") == 0.58  # the worked example
    for key, t in (("ArrowRight", 2.55), ("Home", 0.06), ("ArrowLeft", 0.06), ("End", 3.9), ("ArrowRight", 3.9)):
        press(card, "t", key)
        assert float(slider(card, "t").get_attribute("aria-valuenow")) == t
        slack = t - 1 - math.log(t)
        assert value(card, "slack_at_t") == pytest.approx(slack, abs=0.00501)
        assert text.text_content() == f"slack {slack:.2f}"
        ends = page.locator(f"{CARD} .live-slack").evaluate("(it) => [it.y1, it.y2].map((y) => y.baseVal.value)")
        height = page.locator(f"{CARD} .live-plane-1d svg").first.evaluate("(it) => it.clientHeight") - 8 - 34
        assert ends[0] - ends[1] == pytest.approx(slack * height / 6, abs=1)  # the axis has six units
    box = slider(card, "t").locator("circle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    width = page.locator(f"{CARD} .live-plane-1d svg").first.bounding_box()["width"] - 16
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 2.9 * width / 4, y, steps=5)  # to t = 1, where the curve touches the line
    page.mouse.up()
    assert float(slider(card, "t").get_attribute("aria-valuenow")) == pytest.approx(1, abs=0.03)
    assert value(card, "slack_at_t") == 0


def test_each_dot_lies_below_the_line_and_those_outside_are_counted(card):
    page = card.page
    for name, key in ((None, None), ("mean of p", "End"), ("width of q", "End")):
        if name:
            press(card, name, key)
        logs = agrees(card)
        dots = page.locator(f"{CARD} .live-ratio").evaluate_all(
            "(all) => all.map((it) => [it.hasAttribute('hidden'), it.cx.baseVal.value, it.cy.baseVal.value])"
        )
        outside = [not -3 <= log <= math.log(4) for log in logs.tolist()]
        assert [dot[0] for dot in dots] == outside
        said = page.locator(f"{CARD} .live-outside").inner_text()
        counted = re.search(r"; (\d+) lie outside", said)
        assert (int(counted[1]) if counted else 0) == sum(outside)
        size = page.locator(f"{CARD} .live-plane-1d svg").first.evaluate("(it) => [it.clientWidth, it.clientHeight]")
        for (hidden, x, y), log in zip(dots, logs.tolist(), strict=True):
            if hidden:
                continue
            t = 4 * (x - 8) / (size[0] - 16)
            height = 3 - 6 * (y - 8) / (size[1] - 42)
            assert [t, height] == pytest.approx([math.exp(log), log], abs=1e-3)
            assert height <= t - 1 + 1e-6


def test_a_mean_that_draws_cannot_be_trusted_with_is_said(card):
    message = card.page.locator(f"{CARD} .live-message")
    assert message.inner_text() == ""  # 1 < 2 · 0.8²
    press(card, "width of q", *["ArrowLeft"] * 2)
    assert "no finite variance" in message.inner_text()  # 1 > 2 · 0.7²
    press(card, "width of q", "ArrowRight")
    assert message.inner_text() == ""  # 1 < 2 · 0.75²


def test_on_a_telephone_nothing_is_wider_than_the_screen(visit):
    me = visit("?tab=theory&card=nonnegative&model=mnist-mlp-2d", fresh=True, viewport={"width": 390, "height": 844})
    me.page.locator(f"{CARD} .live-numbers output[data-value=slack]:has-text('.')").wait_for()
    assert me.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
