"""The card on the two directions of KL (T3): both KLs of what is dragged, both fits, and the infinite one."""

import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, Uniform, kl_divergence

from ui.theory.deck import deck

pytestmark = pytest.mark.browser

CARD = ".live-card-asymmetry"
QUESTION = deck()["asymmetry"].question
SHARE, HUMP = 0.55, 0.5
Z = torch.linspace(-40, 40, 200_001, dtype=torch.float64)
NAMES = ("mean of q", "width of q")

# The KLs of the browser, both ways, for Gaussians q of a grid and two humps, and for q and a box.
MEASURED = """async (grid) => {
    const { divergence, gaussian, mixture, uniform } = await import("/live/theory/kl/measure.js");
    const p = mixture({ mu: -1.6, sigma: 0.5 }, { mu: 1.6, sigma: 0.5 }, 0.55);
    const box = uniform(-2, 1);
    return grid.map(([mu, sigma]) => {
        const q = gaussian({ mu, sigma });
        const infinite = divergence(q, box) === Infinity;
        return [divergence(q, p), divergence(p, q), divergence(box, q), infinite];
    });
}"""


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=asymmetry&model=mnist-mlp-2d", fresh=True, reduced_motion="reduce")
    me.page.locator(f"{CARD} .live-numbers output[data-value=forward]:has-text('.')").wait_for()
    return me


def double(value):
    return torch.tensor(value, dtype=torch.float64)


def humps(left=-1.6, right=1.6):
    parts = Normal(double([left, right]), double([HUMP, HUMP]))
    return MixtureSameFamily(Categorical(double([SHARE, 1 - SHARE])), parts)


def divergence(f, g):
    """KL(f‖g) of two densities on the whole axis."""
    return torch.trapezoid(f.log_prob(Z).exp() * (f.log_prob(Z) - g.log_prob(Z)), Z).item()


def value(me, name):
    texts = me.page.locator(f"{CARD} output[data-value={name}]").all_inner_texts()
    shown = {text for text in texts if text}  # the drawer is closed
    assert len(shown) == 1
    return float(shown.pop().replace("∞", "inf").replace("−", "-"))


def slider(me, name):
    return me.page.locator(f"{CARD} .live-handle:not([hidden])[aria-label='{name}']")


def at(me, name):
    return float(slider(me, name).get_attribute("aria-valuenow"))


def press(me, name, *keys):
    slider(me, name).focus()
    for key in keys:
        me.page.keyboard.press(key)


def minimize(me, which):
    me.page.get_by_role("button", name=f"Minimize {which}").click()
    name = "seeking" if which == "KL(q ‖ p)" else "covering"
    me.page.locator(f"{CARD} output[data-value={name}_qp]:not(:has-text('–'))").wait_for()
    return name


def q_of(me):
    return Normal(*(double(at(me, name)) for name in NAMES))


def moments(density):
    return [density.mean.item(), density.stddev.item()]


def test_the_integrals_of_the_browser_are_those_of_torch(card):
    grid = [(0.0, 1.0), (-2.5, 0.5), (2.5, 2.6), (1.6, 0.5), (-0.05, 0.15)]
    box = Uniform(double(-2.0), double(1.0))
    for (mu, sigma), (forward, backward, of_box, is_infinite) in zip(
        grid, card.page.evaluate(MEASURED, grid), strict=True
    ):
        q = Normal(double(mu), double(sigma))
        assert forward == pytest.approx(divergence(q, humps()), abs=1e-6)
        assert backward == pytest.approx(divergence(humps(), q), abs=1e-6)
        second = double(1.0 - mu) ** 2 + double(-2.0 - mu) ** 2 + (1 - mu) * (-2 - mu)  # 3 E[(z − μ)²]
        cross = -math.log(sigma) - 0.5 * math.log(2 * math.pi) - second.item() / (6 * sigma**2)
        assert of_box == pytest.approx(-box.entropy().item() - cross, abs=1e-6)
        assert is_infinite  # also where hardly any mass lies outside


def test_both_numbers_follow_every_handle(card):
    card.page.locator(f"{CARD} .live-choice").nth(QUESTION.right).click()
    handles = (*NAMES, "mean of the left hump", "mean of the right hump")
    seen = set()
    for name in handles:
        for keys in (["ArrowRight"] * 4, ["Home", "ArrowLeft"], ["End", "ArrowRight"], ["ArrowLeft"] * 9):
            press(card, name, *keys)
            p = humps(at(card, handles[2]), at(card, handles[3]))
            q = q_of(card)
            assert value(card, "forward") == pytest.approx(divergence(q, p), abs=0.00501)
            assert value(card, "backward") == pytest.approx(divergence(p, q), abs=0.00501)
            seen.add((value(card, "forward"), value(card, "backward")))
    assert len(seen) > 12  # a few places are come to twice


@pytest.mark.parametrize(("side", "mean", "share"), [("Home", -1.6, SHARE), ("End", 1.6, 1 - SHARE)])
def test_one_way_keeps_to_the_hump_on_its_side_and_the_other_covers_both(card, side, mean, share):
    card.page.locator(f"{CARD} .live-choice").nth(QUESTION.right).click()
    press(card, "mean of q", side)
    name = minimize(card, "KL(p ‖ q)")
    q = q_of(card)
    p = humps()
    assert moments(q) == pytest.approx(moments(p), abs=0.00501)
    covering = [value(card, f"{name}_qp"), value(card, f"{name}_pq")]
    press(card, "mean of q", side)
    press(card, "width of q", "Home")  # a wide one may come to the other hump
    name = minimize(card, "KL(q ‖ p)")
    q = q_of(card)
    assert moments(q) == pytest.approx([mean, HUMP], abs=0.02)
    seeking = [value(card, f"{name}_qp"), value(card, f"{name}_pq")]
    assert seeking[0] == pytest.approx(-math.log(share), abs=0.01)
    assert seeking[0] < covering[0] and seeking[1] > covering[1]  # each is best by its own measure
    assert [value(card, "forward"), value(card, "backward")] == seeking
    assert f"log(1/{share:.2f})" in card.page.locator(f"{CARD} .live-message").inner_text()
    assert QUESTION.because in card.page.locator(f"{CARD} .live-verdict").inner_text()


def test_a_fit_is_a_minimum_of_the_true_kl(card):
    press(card, "mean of the right hump", *["ArrowLeft"] * 30)  # at 0.1: one hump with a shoulder
    minimize(card, "KL(q ‖ p)")
    found = card.page.evaluate("import('/live/theory/kl/targets.js').then(({ TARGETS }) => TARGETS.humps.q)")
    mu, log_sigma = (double(v).requires_grad_() for v in (found["mu"], math.log(found["sigma"])))
    q, p = Normal(mu, log_sigma.exp()), humps(right=at(card, "mean of the right hump"))
    z = torch.linspace(-20, 20, 100_001, dtype=torch.float64)
    kl = torch.trapezoid(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)), z)
    for slope in torch.autograd.grad(kl, (mu, log_sigma)):
        assert slope.item() == pytest.approx(0, abs=1e-3)
    assert value(card, "seeking_qp") == pytest.approx(kl.item(), abs=0.00501)


def test_what_was_fitted_to_another_p_is_forgotten(card):
    minimize(card, "KL(p ‖ q)")
    press(card, "mean of the left hump", "ArrowLeft")
    assert card.page.locator(f"{CARD} output[data-value=covering_qp]").inner_text() == "–"
    assert card.page.locator(f"{CARD} .live-message").inner_text() == ""


def test_outside_a_box_one_of_them_is_infinite(card):
    page = card.page
    page.get_by_role("button", name="a box").click()
    assert value(card, "forward") == math.inf
    assert page.get_by_role("button", name="Minimize KL(q ‖ p)").is_disabled()
    press(card, "left edge of p", "ArrowLeft")
    press(card, "right edge of p", "End")
    press(card, "width of q", "Home")  # hardly any of q lies outside, and yet
    assert value(card, "forward") == math.inf and math.isfinite(value(card, "backward"))
    minimize(card, "KL(p ‖ q)")
    low, high = at(card, "left edge of p"), at(card, "right edge of p")
    assert [at(card, name) for name in NAMES] == pytest.approx([(low + high) / 2, (high - low) / 12**0.5], abs=0.00501)
    assert value(card, "covering_pq") == pytest.approx(
        -math.log(12**0.5) + 0.5 * math.log(2 * math.pi * math.e), abs=0.00501
    )


def test_the_two_gaussians_are_those_of_the_card_before(card):
    page = card.page
    page.keyboard.press("PageUp")
    width = page.locator(".live-card-kl .live-handle[aria-label='width of p']")
    width.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    page.get_by_role("button", name="a Gaussian").click()
    q, p = q_of(card), Normal(double(at(card, "mean of p")), double(at(card, "width of p")))
    assert p.scale.item() == pytest.approx(1.2)
    assert value(card, "forward") == pytest.approx(kl_divergence(q, p).item(), abs=0.00501)
    assert value(card, "backward") == pytest.approx(kl_divergence(p, q).item(), abs=0.00501)
    for which in ("KL(p ‖ q)", "KL(q ‖ p)"):
        press(card, "mean of q", "End")
        name = minimize(card, which)
        assert value(card, f"{name}_qp") == value(card, f"{name}_pq") == 0
        assert at(card, "width of q") == pytest.approx(1.2)


def test_q_slides_to_its_optimum_where_that_is_wanted(visit):
    me = visit("?tab=theory&card=asymmetry&model=mnist-mlp-2d", fresh=True, viewport={"width": 390, "height": 844})
    me.page.locator(f"{CARD} .live-numbers output[data-value=forward]:has-text('.')").wait_for()
    assert me.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    me.page.evaluate("""() => {
        window.seen = new Set();
        const node = document.querySelector(".live-card-asymmetry output[data-value=forward]");
        new MutationObserver(() => seen.add(node.textContent)).observe(node, { childList: true });
    }""")
    minimize(me, "KL(q ‖ p)")
    assert me.page.evaluate("seen.size") >= 2  # on the slowest machine at least one place between
