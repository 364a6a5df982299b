"""The card on KL as an expectation (T2): one number by area, closed form, quadrature and draws, and the game."""

import math
import re

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ui.theory.deck import deck

pytestmark = pytest.mark.browser

CARD = ".live-card-kl"
QUESTION = deck()["kl"].question
FIRST = {"mean of q": 1.0, "width of q": 0.8, "mean of p": 0.0, "width of p": 1.0}
GRID = [(0.0, 1.0), (1.0, 0.6), (-2.5, 0.4), (2.5, 1.6), (0.3, 1.0)]  # μ and σ

# The integrals of the browser for each two Gaussians of a grid.
MEASURED = """async (grid) => {
    const { divergence, gaussian, signedParts, crossings } = await import("/live/theory/kl/measure.js");
    return grid.flatMap(([mu, sigma]) => grid.map(([mean, width]) => {
        const [q, p] = [{ mu, sigma }, { mu: mean, sigma: width }];
        const { above, below } = signedParts(q, p);
        return [divergence(gaussian(q), gaussian(p)), above, below, crossings(q, p)];
    }));
}"""


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=kl&model=mnist-mlp-2d", fresh=True, script=SEEDED)
    me.page.locator(f"{CARD} .live-numbers output[data-value=kl]:has-text('.')").wait_for()
    return me


# Draws that are the same in every test.
SEEDED = """{
    let state = 7;
    Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
}"""


def shown(me):
    """The values of the card's rows, and the standard error of the draws' mean, which a single draw has not."""
    texts = me.page.evaluate(
        f"Object.fromEntries([...document.querySelectorAll('{CARD} .live-numbers output')].map("
        "(it) => [it.dataset.value, it.textContent]))"
    )
    found = {name: [float(n) for n in text.replace("−", "-").split(" ± ")] for name, text in texts.items()}
    return {name: values[0] for name, values in found.items()} | {"error": found["mc"][1:]}


def press(me, name, *keys):
    me.page.get_by_role("slider", name=name, exact=True).focus()
    for key in keys:
        me.page.keyboard.press(key)


PAIR = """async () => {
    const { pair } = await import("/live/theory/kl/pair.js");
    return Object.fromEntries(["q", "p"].flatMap((name) => [
        [`mean of ${name}`, pair[name].mu], [`width of ${name}`, pair[name].sigma]]));
}"""


def gaussians(me):
    """q and p as the visitor has dragged them, which is where the handles say that they are."""
    at = me.page.evaluate(PAIR)
    for name, value in at.items():
        slider = me.page.get_by_role("slider", name=name, exact=True)
        assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(value, abs=0.00501)
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in at.items()}
    return tuple(Normal(values[f"mean of {name}"], values[f"width of {name}"]) for name in "qp")


def integrand(q, p, z):
    return (q.log_prob(z)).exp() * (q.log_prob(z) - p.log_prob(z))


def agrees(me):
    """That all the card shows is the KL of the Gaussians that its handles hold."""
    q, p = gaussians(me)
    kl = kl_divergence(q, p).item()
    now = shown(me)
    assert now["kl"] == pytest.approx(kl, abs=0.00501)
    assert now["quadrature"] == now["kl"]
    assert now["above"] - now["below"] == pytest.approx(now["kl"], abs=1e-9)
    z = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    assert now["above"] == pytest.approx(torch.trapezoid(integrand(q, p, z).clamp(min=0), z).item(), abs=0.00501)
    return now


def test_the_integrals_of_the_browser_are_those_of_torch(card):
    found = card.page.evaluate(MEASURED, GRID)
    z = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    pairs = [(Normal(*map(as_double, q)), Normal(*map(as_double, p))) for q in GRID for p in GRID]
    for (q, p), (kl, above, below, crossings) in zip(pairs, found, strict=True):
        true = kl_divergence(q, p).item()
        assert kl == pytest.approx(true, abs=1e-6)
        assert above - below == pytest.approx(true, abs=1e-6)
        f = integrand(q, p, z)
        assert above == pytest.approx(torch.trapezoid(f.clamp(min=0), z).item(), abs=1e-5)  # the sum has kinks
        for x in crossings:
            x = as_double(x)
            assert q.log_prob(x).item() == pytest.approx(p.log_prob(x).item(), abs=1e-6)


def as_double(value):
    return torch.tensor(value, dtype=torch.float64)


def test_every_handle_moves_the_one_number_that_all_rows_show(card):
    card.page.locator(f"{CARD} .live-choice").nth(QUESTION.right).click()
    seen = {agrees(card)["kl"]}
    assert seen == {0.54}  # the worked example
    for name in FIRST:
        press(card, name, "ArrowRight", "ArrowRight", "ArrowRight")
        seen.add(agrees(card)["kl"])
    assert len(seen) == 5
    for name in FIRST:
        for key in ("Home", "ArrowLeft", "End", "ArrowRight"):  # the control stops at its bound
            press(card, name, key)
            agrees(card)
    assert card.page.locator(f"{CARD} .live-settled").count() == 0  # dragging is not what was asked


def test_a_drag_of_the_mouse_takes_the_top_along(card):
    box = card.page.get_by_role("slider", name="mean of q", exact=True).locator("circle").last.bounding_box()
    plot = card.page.locator(f"{CARD} .live-plane-1d svg").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    card.page.mouse.move(x, y)
    card.page.mouse.down()
    card.page.mouse.move(x - plot["width"] / 11, y, steps=4)  # the axis has eleven units
    card.page.mouse.up()
    q, _ = gaussians(card)
    assert q.loc.item() == pytest.approx(0, abs=0.05)
    agrees(card)


def test_estimates_scatter_about_the_kl_and_one_draw_may_be_negative(card):
    card.page.locator(f"{CARD} .live-choice").nth(QUESTION.right).click()
    q, p = gaussians(card)
    z = torch.linspace(-12, 14, 100_001, dtype=torch.float64)
    variance = torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)) ** 2, z) - kl_divergence(q, p) ** 2
    again = card.page.get_by_role("button", name="Draw again")
    press(card, "number of draws", "End")
    many = shown(card)
    assert many["error"][0] == pytest.approx(math.sqrt(variance / 10_000), abs=0.00501)
    assert many["mc"] == pytest.approx(many["kl"], abs=0.04)  # four standard errors
    press(card, "number of draws", "Home")
    single = []
    for _ in range(60):
        again.click()
        now = shown(card)
        assert now["error"] == [] and now["kl"] == many["kl"]
        single.append(now["mc"])
    assert min(single) < 0 < max(single)
    verdict = card.page.locator(f"{CARD} .live-verdict").inner_text()
    assert QUESTION.because in verdict


def test_draws_are_marked_below_q(card):
    marks = card.page.locator(f"{CARD} .live-rug")
    press(card, "number of draws", "Home")
    assert marks.get_attribute("d").count("M") == 1
    press(card, "number of draws", "End")
    assert 290 <= marks.get_attribute("d").count("M") <= 300


def test_the_game_hides_the_numbers_during_three_drags_and_counts_points(card):
    page = card.page
    page.get_by_role("button", name="Play").click()
    assert 2 <= agrees(card)["kl"] <= 5
    says = page.locator(f"{CARD} .live-game p")
    for left in ("Two drags are left", "One drag is left", "points"):
        press(card, "mean of q", "ArrowLeft")
        assert set(page.locator(f"{CARD} .live-numbers output").all_inner_texts()) == {"?"}
        assert page.locator(f"{CARD} .live-above-sum").text_content() == ""
        page.keyboard.press("Enter")
        agrees(card)
        says.filter(has_text=left).wait_for()
    nearest, points, best = map(
        float, re.search(r"Nearest: (\S+?)\. (\d+) of 100 points; your best: (\d+)", says.inner_text()).groups()
    )
    assert points == best == max(0, round(100 * (1 - abs(nearest - 1)))) or abs(nearest - 1) > 1
    press(card, "mean of q", "ArrowLeft")  # it is over: nothing is hidden
    agrees(card)


def test_a_kl_of_one_ends_the_game_at_once(card):
    page = card.page
    page.evaluate("""async () => {
        const { pair } = await import("/live/theory/kl/pair.js");
        window.pair = pair;
    }""")
    page.get_by_role("button", name="Play").click()
    # both of one width: the KL is half the squared distance of the means
    page.evaluate(
        "Object.assign(pair.q, { mu: Math.SQRT2 - 0.05, sigma: 1 }), Object.assign(pair.p, { mu: 0, sigma: 1 })"
    )
    press(card, "mean of q", "ArrowRight", "Enter")
    assert shown(card)["kl"] == 1
    assert page.locator(f"{CARD} .live-game p").inner_text() == "1.00 in one drag. 100 of 100 points; your best: 100."
    page.get_by_role("button", name="Play again").wait_for()


def test_on_a_telephone_nothing_is_wider_than_the_screen(visit):
    me = visit("?tab=theory&card=kl&model=mnist-mlp-2d", fresh=True, viewport={"width": 390, "height": 844})
    me.page.locator(f"{CARD} .live-numbers output[data-value=kl]:has-text('.')").wait_for()
    assert me.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
