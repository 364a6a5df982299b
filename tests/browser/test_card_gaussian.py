"""The card on two Gaussians: what is dragged against torch, and the KL of each dimension of the image in hand."""

import base64
import itertools
import re

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae_core import VAE, VAEConfig, load_checkpoint
from vae_core.data import binarize
from vae_core.densities import gaussian_kl

from ..conftest import ROOT, seeded

pytestmark = pytest.mark.browser

MODEL = "mnist-mlp-2d"
CARD = ".live-card-gaussian"
GRID = list(itertools.product((-3.0, 0.0, 0.4), (0.02, 0.6, 3.0), (-1.0, 2.0), (0.3, 1.0, 2.5)))
PARTS = ("widths", "spread", "shift", "half", "kl")
EQUATIONS = [f"eq{n}" for n in range(31, 40)]
VALUES = """(card) => Object.fromEntries([...document.querySelectorAll(`${card} [data-value]`)].map((it) =>
    [it.dataset.value, Number(it.textContent.replace("−", "-"))]))"""


@pytest.fixture
def card(visit):
    """A visitor's card on two Gaussians, with the image in hand."""

    def come(model=MODEL, **options):
        me = visit(f"?tab=theory&card=gaussian&model={model}", fresh=True, **options)
        me.page.wait_for_function("document.querySelector('[data-value=kl_image]')?.textContent.match(/[0-9]/)")
        return me

    return come


def values(me):
    return me.page.evaluate(VALUES, CARD)


def handle(me, name):
    return me.page.get_by_role("slider", name=name, exact=True)


def held(me):
    """q and p as the handles say them."""
    numbers = {name: float(handle(me, name).get_attribute("aria-valuenow")) for name in
               ("mean of q", "width of q", "mean of p", "width of p")}  # fmt: skip
    return [Normal(numbers[f"mean of {it}"], numbers[f"width of {it}"]) for it in "qp"]


def agrees(me, within=0.006):
    """Holds the card's identities on the screen; gives KL(q‖p)."""
    q, p = held(me)
    shown = values(me)
    expected = kl_divergence(q, p).item()
    assert shown["kl"] == pytest.approx(expected, abs=within)
    assert shown["widths"] == pytest.approx((p.stddev / q.stddev).log().item(), abs=within)
    assert shown["spread"] == pytest.approx((q.variance / p.variance / 2).item(), abs=within)
    assert shown["shift"] == pytest.approx(((q.mean - p.mean).square() / p.variance / 2).item(), abs=within)
    assert shown["widths"] + shown["spread"] + shown["shift"] - shown["half"] == pytest.approx(shown["kl"], abs=0.021)
    for name in EQUATIONS:
        assert shown[name] == pytest.approx(-expected, abs=within), name
    assert shown["eq40"] == pytest.approx(-kl_divergence(q, Normal(0.0, 1.0)).item(), abs=within)
    return expected


def test_closed_form_and_every_step_by_quadrature_are_those_of_torch(card):
    script = """async (grid) => {
        const { kl } = await import(location.origin + "/live/space/gaussian.js");
        const { steps, byDraws } = await import(location.origin + "/live/theory/gaussian/steps.js");
        return grid.map(([mu, sigma, mean, std]) => {
            const [q, p] = [{ mu, sigma }, { mu: mean, sigma: std }];
            return { kl: kl(q, p), steps: steps(q, p), drawn: byDraws(q, p, [-1, 0, 2]) };
        });
    }"""
    found = card().page.evaluate(script, GRID)
    mu, sigma, mean, std = torch.tensor(GRID, dtype=torch.float64).T
    q, p = Normal(mu, sigma), Normal(mean, std)
    expected = kl_divergence(q, p).tolist()
    ours = [gaussian_kl(*(torch.tensor(it, dtype=torch.float64) for it in (m, s)), a, b).item() for m, s, a, b in
            zip(mu.tolist(), (2 * sigma.log()).tolist(), mean.tolist(), std.tolist(), strict=True)]  # fmt: skip
    assert [it["kl"] for it in found] == pytest.approx(expected, rel=1e-9, abs=1e-6) == ours
    for name in EQUATIONS:
        assert [-it["steps"][name] for it in found] == pytest.approx(expected, rel=1e-9, abs=1e-6), name
    standard = kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).tolist()
    assert [-it["steps"]["eq40"] for it in found] == pytest.approx(standard, rel=1e-9, abs=1e-6)
    z = mu + sigma * torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64)
    drawn = (q.log_prob(z) - p.log_prob(z)).mean(0).tolist()
    assert [it["drawn"] for it in found] == pytest.approx(drawn, rel=1e-9, abs=1e-6)


def test_every_handle_moves_its_number_and_the_parts_add_up_to_the_kl(card):
    me = card()
    me.page.get_by_role("button", name="No: z would say nothing of x").click()
    assert me.page.locator(".live-verdict").inner_text() == "Now drag q onto p."
    me.page.get_by_role("button", name="Line by line").click()
    before = agrees(me)
    me.page.wait_for_function("document.querySelector('[data-value=draws]').textContent !== '–'")
    assert values(me)["draws"] == pytest.approx(-before, abs=0.25)
    for name, key in (("mean of q", "ArrowLeft"), ("width of q", "ArrowRight"), ("mean of p", "ArrowRight"),
                      ("width of p", "ArrowLeft")):  # fmt: skip
        handle(me, name).focus()
        me.page.keyboard.press(f"Shift+{key}")
        after = agrees(me)
        assert abs(after - before) > 0.01, name
        before = after
    me.page.locator(".live-settled .live-verdict:has-text('Right.')").wait_for()
    for name, key, end in (("mean of q", "End", 4), ("width of q", "End", 3), ("width of p", "Home", 0.1)):
        handle(me, name).focus()
        me.page.keyboard.press(key)
        assert float(handle(me, name).get_attribute("aria-valuenow")) == pytest.approx(end, abs=0.006)
        agrees(me)
        box, plot = handle(me, name).bounding_box(), me.page.locator(f"{CARD} .live-plane-1d svg").bounding_box()
        middle = box["x"] + box["width"] / 2
        assert plot["x"] <= middle <= plot["x"] + plot["width"], name  # on the axis at its bound, too


def test_a_curve_is_dragged_by_its_top_and_by_its_side(card):
    me = card()
    for name in ("width of p", "mean of p", "width of q", "mean of q"):
        box = handle(me, name).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        was = float(handle(me, name).get_attribute("aria-valuenow"))
        me.page.mouse.move(x, y)
        me.page.mouse.down()
        me.page.mouse.move(x - 30, y, steps=3)
        me.page.mouse.up()
        moved = float(handle(me, name).get_attribute("aria-valuenow")) - was
        assert moved == pytest.approx(-30 * 10 / 584, abs=0.06), name  # ten units of z across the axis
        agrees(me, 0.2)  # the handles say two digits, and σ is small


def test_the_axis_of_densities_grows_with_a_narrow_curve_and_its_peak_is_drawn(card):
    me = card()
    highest = """() => {
        const path = document.querySelector(".live-card-gaussian path.live-curve.live-of-q").getAttribute("d");
        return Math.min(...path.slice(1).split("L").map((point) => Number(point.split(",")[1])));
    }"""
    top = me.page.evaluate(highest)
    handle(me, "width of q").focus()
    me.page.keyboard.press("Home")
    at = handle(me, "mean of q").get_attribute("transform")
    y = float(re.search(r",([\d.]+)\)", at)[1])
    assert y > 0 and me.page.evaluate(highest) == pytest.approx(y, abs=0.6)  # the handle is at the peak
    assert abs(y - top) < 120
    numbers = [float(text) for text in me.page.locator(f"{CARD} .live-densities text").all_text_contents()[1:]]
    assert max(numbers) >= 10 and len(numbers) >= 2


def test_the_bars_are_the_kls_of_the_image_in_hand_and_one_gives_its_q_to_the_plot(card):
    me = card()
    grey = torch.frombuffer(bytearray(base64.b64decode(me.asked("look")[-1]["image"])), dtype=torch.uint8) / 255
    model = load_checkpoint(ROOT / "checkpoints" / f"{MODEL}.safetensors")
    q = model.posterior(binarize(grey.view(1, 1, 28, 28), "dynamic", seeded()))
    kl = gaussian_kl(q.mu, q.logvar)[0].tolist()
    assert values(me)["kl_image"] == pytest.approx(sum(kl), abs=0.02)
    bars = me.page.locator(f"{CARD} .live-kl-bars button")
    shown = [float(text) for text in me.page.locator(f"{CARD} .live-kl-bars b").all_inner_texts()]
    assert shown == pytest.approx(kl, abs=0.02) and sum(shown) == pytest.approx(values(me)["kl_image"], abs=0.011)
    heights = [bars.nth(n).locator("i").bounding_box()["height"] for n in range(2)]
    assert heights[0] / heights[1] == pytest.approx(kl[0] / kl[1], abs=0.03)
    for n in range(2):
        bars.nth(n).click()
        now = values(me)
        assert now["kl"] == pytest.approx(kl[n], abs=0.02)
        assert now["mu_q"] == pytest.approx(q.mu[0, n].item(), abs=0.006)
        assert now["sigma_q"] == pytest.approx(q.std[0, n].item(), abs=0.006)
        assert [now["mu_p"], now["sigma_p"]] == [0, 1]
    before = values(me)["kl_image"]
    with me.answered("look"):
        me.page.get_by_role("button", name="a test 0").click()
    me.page.wait_for_function(
        "(old) => Number(document.querySelector('[data-value=kl_image]').textContent) !== old", arg=before
    )


def test_many_dimensions_are_few_bars_that_hold_all_of_the_kl(card):
    me = card("mnist-mlp-50d")
    bars = me.page.locator(f"{CARD} .live-kl-bars > *")
    assert bars.count() == 12
    titles = bars.evaluate_all("(all) => all.map((it) => it.title)")
    kl = [float(re.search(r"(\d+\.\d+) nats", title)[1]) for title in titles]
    assert sum(kl) == pytest.approx(values(me)["kl_image"], abs=0.07)
    assert "The other 39" in titles[-1]


def test_a_q_beyond_the_axis_is_said_and_changes_nothing(card, run_of):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded())
    with torch.no_grad():
        [*model.encoder.parameters()][-1][0] = 9.0  # the bias of μ's first dimension
    me = card(run_of(model, [1.0, 1.0], 7))
    before = values(me)
    me.page.locator(f"{CARD} .live-kl-bars button").first.click()
    me.page.get_by_text("lies beyond this axis. Choose another one.").wait_for()
    assert values(me) == before


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_telephone_nothing_is_wider_than_the_screen(card, dark):
    me = card("mnist-mlp-20d", viewport={"width": 390, "height": 844}, has_touch=True,
              color_scheme="dark" if dark else "light")  # fmt: skip
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
    narrowest = min(box["width"] for box in me.page.locator(f"{CARD} .live-kl-bars button").evaluate_all(
        "(all) => all.map((it) => ({ width: it.getBoundingClientRect().width }))"))  # fmt: skip
    assert narrowest >= 24
