"""The first tab: what the bare address opens, the plane that answers, and what leads on."""

import base64
import re

import pytest
import torch

from vae_core import load_checkpoint
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.terms import worth

from ..conftest import ROOT
from .conftest import script, until

pytestmark = pytest.mark.browser

MODEL = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"
LINK = "?tab=theory&model=mnist-mlp-2d"
CARD = "#theory-card"
WHOLE = 3.5  # what the whole plane goes to, in every direction
IN_SIGHT = script("in_sight.js")
DRAG_Q = script("drag_q.js")
ROWS = script("meter_rows.js")
FREE = script("free_of_z.js")
GREYS = """() => {
    const canvas = document.querySelector("#theory-card .live-reconstruction");
    return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
}"""
ENDS = "[...document.querySelectorAll('#theory-card .live-meter .live-scale span')].map((it) => it.textContent)"


@pytest.fixture
def card(visit):
    """A visitor's first tab, with the exact posterior of the digit that it opens with."""
    me = visit(LINK, fresh=True)
    known(me)
    return me


@pytest.fixture
def again(visit):
    """A visitor who has done the first card before."""

    def come(**options):
        return visit(LINK, fresh=True, script='localStorage.setItem("vae-cards", `{"model":{"done":true}}`)', **options)

    return come


def known(me):
    """Waits for log p(x) by quadrature, and for the pictures of the plane."""
    me.page.wait_for_selector(f"{CARD} [data-term=evidence] span[data-term=evidence]:text-is('log p(x)')")
    me.page.wait_for_function(
        "document.querySelector('#theory-card [data-term=evidence] small').textContent.startsWith('exact')"
    )
    me.page.wait_for_selector(f"{CARD} .live-plane[data-tiles]")


def q(me):
    """The q that is shown: its mean and standard deviations, as the sum writes them."""
    lines = me.page.locator(f"{CARD} .live-sum > div").all_inner_texts()
    return [[float(text.replace("−", "-")) for text in re.findall(r"[−\d.]+", line)[-3:-1]] for line in lines]


def place(me, x, y):
    """A place of the plane in pixels, from fractions of its sides."""
    box = me.page.locator(f"{CARD} .live-plane svg").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_the_bare_address_opens_with_a_digit_that_is_answered_in_few_words(visit):
    me = visit("/", fresh=True)
    me.page.wait_for_function("location.search.includes('tab=theory')")
    me.page.wait_for_function("document.querySelector('#theory-card .live-terms output')?.textContent.match(/[0-9]/)")
    assert me.ink(f"{CARD} .live-ink") > 0 and me.ink(f"{CARD} .live-reconstruction") > 0
    me.settled()
    seen = me.page.evaluate(IN_SIGHT)
    assert len(seen["words"]) <= 60, seen["words"]
    assert len(seen["controls"]) <= 12, seen["controls"]
    assert me.page.locator(".live-next:visible").count() == 1


def test_another_tab_in_the_address_asks_nothing_for_the_first(visit):
    me = visit("?tab=runs", fresh=True)
    me.page.wait_for_function("location.search.includes('model=')")
    me.settled()
    assert not me.asked("look") and not me.asked("describe")


def test_pointing_at_the_map_shows_what_lies_there(card):
    model = load_checkpoint(MODEL)
    card.page.mouse.move(*place(card, 0.25, 0.75))
    card.page.wait_for_selector(f"{CARD} figcaption:text-is('p(x|z) of this place')")
    shown = card.page.evaluate("""() => {
        const canvas = document.querySelector("#theory-card .live-reconstruction");
        const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
        return Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
    }""")
    there = model.x_hat(torch.tensor([[-WHOLE / 2, -WHOLE / 2]])).detach().flatten()
    assert (torch.tensor(shown) - there).abs().max() < 0.1  # the mouse is at a whole pixel
    assert not card.asked("decode")
    dimmed = card.page.locator(f"{CARD} .live-station-made .live-hanging").evaluate(
        "(it) => getComputedStyle(it).opacity"
    )
    assert float(dimmed) < 0.5  # the term is that of q, not of this place
    card.page.mouse.move(5, 5)
    card.page.wait_for_selector(f"{CARD} figcaption:text-is('p(x|z): what it makes of it')")


def test_the_best_q_closes_the_gap_on_one_scale_beside_the_bars_of_before(card):
    before, ends = card.page.evaluate(ROWS), card.page.evaluate(ENDS)
    assert all(row["before"] is None for row in before.values())
    card.page.get_by_role("button", name="Find the best q").click()
    card.page.wait_for_selector(f"{CARD} .live-message:has-text('left')", timeout=60_000)
    after = card.page.evaluate(ROWS)
    assert card.page.evaluate(ENDS) == ends
    for name, row in after.items():
        assert row["before"] == pytest.approx(before[name]["bar"], abs=1)
    value = {name: row["value"] for name, row in after.items()}
    assert value["gap"] < before["gap"]["value"] and value["evidence"] == pytest.approx(
        before["evidence"]["value"], abs=0.05
    )
    assert value["reconstruction"] - value["kl"] == pytest.approx(value["elbo"], abs=1e-6)
    assert value["elbo"] + value["gap"] == pytest.approx(value["evidence"], abs=1e-6)
    note = card.page.locator(f"{CARD} [data-term=gap] small").text_content()
    whole, amortization, approximation = (float(text) for text in re.findall(r"\d+\.\d+", note))
    assert amortization + approximation == pytest.approx(whole, abs=1e-6)
    assert whole == pytest.approx(before["gap"]["value"], abs=0.1) and approximation == pytest.approx(
        value["gap"], abs=0.1
    )
    assert card.page.locator(".live-next:visible").inner_text() == "throw ε"


def test_each_thing_that_is_done_leads_to_the_next(card):
    assert not card.page.get_by_role("button", name="throw ε").is_visible()  # one thing at a time
    box = card.page.locator(f"{CARD} .live-ink").bounding_box()
    card.page.mouse.move(box["x"] + 60, box["y"] + 60)
    card.page.mouse.down()
    card.page.mouse.move(box["x"] + 120, box["y"] + 120, steps=4)
    card.page.mouse.up()  # in any order
    card.page.get_by_role("button", name="throw ε").click()
    card.page.wait_for_selector(f"{CARD} figcaption:text-is('p(x|z) of this draw')")
    assert card.page.locator(".live-next:visible").inner_text() == "Find the best q"
    card.page.get_by_role("button", name="Find the best q").click()
    card.page.wait_for_selector(f"{CARD} button.live-next:text-is('Sample z, draw x')")
    card.page.get_by_role("button", name="the encoder", exact=True).click()
    card.page.get_by_role("button", name="Sample z, draw x").click()
    card.page.wait_for_selector(f"{CARD} figcaption:has-text('the mean of p(x|z)')")
    card.page.wait_for_selector(f"{CARD} .live-settled .live-verdict:has-text('Right.')")
    drawn = card.page.evaluate(GREYS)
    assert set(drawn) == {0, 255}  # x is black or white, its mean was grey
    assert card.page.locator(".live-next:visible").count() == 0
    card.page.locator(f"{CARD} .live-deck-foot .live-primary").click()
    card.page.wait_for_function("location.search.includes('card=')")


def test_a_q_that_moves_is_weighed_here_and_by_the_server_once_it_rests(card):
    """Thirty moves, a frame each: the page asks for the q that rests, and for no more than a few where it stutters."""
    before = len(card.asked("judge"))
    with card.answered("judge"):
        assert card.page.evaluate(DRAG_Q, CARD) > 15
    card.quiet("judge")
    asked = card.asked("judge")[before:]
    assert 1 <= len(asked) <= 5
    model = load_checkpoint(MODEL)
    x = torch.frombuffer(bytearray(base64.b64decode(asked[-1]["image"])), dtype=torch.uint8).view(1, 1, 28, 28) / 255
    last = DiagonalGaussian(torch.tensor([asked[-1]["mu"]]), 2 * torch.tensor([asked[-1]["std"]]).log())
    shown = float(card.page.locator(f"{CARD} [data-term=elbo] output").inner_text().replace("−", "-"))
    with torch.inference_mode():
        assert shown == pytest.approx(worth(model, x, last).elbo.item(), abs=0.006)


def test_q_is_dragged_by_its_middle_and_by_the_ends_of_its_axes(card):
    card.page.get_by_role("button", name="zoom to q").click()
    card.page.wait_for_selector(f"{CARD} .live-plane[data-tiles=close]")
    own, moved = q(card), []
    for handle, (dx, dy) in ((".live-held", (-30, 20)), (".live-end >> nth=0", (25, 0))):
        box = card.page.locator(f"{CARD} {handle}").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        with card.answered("judge"):
            card.page.mouse.move(x, y)
            card.page.mouse.down()
            card.page.mouse.move(x + dx, y + dy, steps=3)
            card.page.mouse.up()
        card.settled()
        moved.append(card.asked("judge")[-1])
    by_middle, by_end = moved
    assert by_middle["mu"][0] < own[0][0] and by_middle["mu"][1] < own[1][0]
    assert by_middle["std"] == pytest.approx([own[0][1], own[1][1]], abs=0.006)
    assert by_end["mu"] == by_middle["mu"] and by_end["std"][1] == by_middle["std"][1]
    assert by_end["std"][0] > 1.3 * by_middle["std"][0]
    for (mu, std), *shown in zip(q(card), by_end["mu"], by_end["std"], strict=True):
        assert [mu, std] == pytest.approx(shown, abs=0.006)


def test_a_drawing_is_the_same_on_both_tabs(card):
    box = card.page.locator(f"{CARD} .live-ink").bounding_box()
    card.page.mouse.move(box["x"] + 30, box["y"] + 200)
    card.page.mouse.down()
    card.page.mouse.move(box["x"] + 200, box["y"] + 200, steps=6)
    with card.answered("look"):
        card.page.mouse.up()
    card.quiet("look")
    known(card)
    first = card.page.evaluate(ROWS)
    card.tab("Draw")
    card.page.wait_for_function(
        "document.querySelector('#draw [data-term=evidence] small')?.textContent.startsWith('exact')"
    )
    assert card.number("elbo") == pytest.approx(first["elbo"]["value"], abs=0.1)
    card.page.get_by_role("button", name="Clear").click()
    card.tab("Theory")
    until(card.page, lambda: card.ink(f"{CARD} .live-ink") == 0)
    assert card.page.locator(f"{CARD} .live-terms output").first.inner_text() == "–"


def test_a_model_without_a_plane_has_its_dimensions_there(visit):
    me = visit("?tab=theory&model=mnist-mlp-20d", fresh=True)
    me.page.wait_for_selector(f"{CARD} .live-dim >> nth=5")
    assert me.page.locator(f"{CARD} .live-plane").is_hidden()
    me.page.get_by_role("button", name="Find the best q").click()
    me.page.wait_for_selector(f"{CARD} .live-message:has-text('nats are left')", timeout=60_000)


def test_each_station_says_its_shape_and_its_values_when_pointed_at_or_focused(again):
    card = again()
    known(card)
    page = card.page
    said = {name: page.locator(f"{CARD} .live-station-{name} .live-shape") for name in ("x", "q", "z", "made")}
    assert not any(it.is_visible() for it in said.values())
    page.locator(f"{CARD} .live-station-z").focus()
    assert said["z"].is_visible() and not said["made"].is_visible()
    page.locator(f"{CARD} .live-station-made").hover()
    said_of_mean = re.fullmatch(
        r"mean of p\(x\|z\): 28 × 28 numbers from 0\.00 to (\d\.\d\d)", said["made"].inner_text()
    )
    brightest = load_checkpoint(MODEL).x_hat(torch.tensor([[mu for mu, _ in q(card)]])).max().item()
    assert float(said_of_mean[1]) == pytest.approx(brightest, abs=0.03)  # the sum has two digits
    assert said["x"].text_content() == "x: 28 × 28 numbers from 0.00 to 1.00"
    mu, std = zip(*q(card), strict=True)
    listed = {name: ", ".join(f"{value:.2f}".replace("-", "−") for value in values) for name, values in
              {"mu": mu, "std": std}.items()}  # fmt: skip
    assert said["q"].text_content() == f"μ: 2 numbers, {listed['mu']}; σ: 2 numbers, {listed['std']}"
    assert said["z"].text_content() == f"z: 2 numbers, {listed['mu']}"
    page.evaluate("Math.random = () => 0.1")  # ε of 1.7: a small one would not be seen in two digits
    page.locator(f"{CARD} .live-die").click()
    page.wait_for_function(
        "(text) => document.querySelector('#theory-card .live-station-z .live-shape').textContent !== text",
        arg=f"z: 2 numbers, {listed['mu']}",
    )
    z = [float(text) for text in re.findall(r"-?\d+\.\d+", said["z"].text_content().replace("−", "-"))]
    dot = page.locator(f"{CARD} .live-thrown")
    assert dot.is_visible()
    at = [float(dot.get_attribute(name)) for name in ("cx", "cy")]  # of 200 units across the whole plane
    assert at == pytest.approx([100 * (1 + z[0] / WHOLE), 100 * (1 - z[1] / WHOLE)], abs=0.3)
    page.get_by_role("button", name="back to the mean").click()
    assert not dot.is_visible()


def claim(me):
    """How large the claim is written, px."""
    return me.page.locator(f"{CARD} .live-claim").evaluate("(it) => parseFloat(getComputedStyle(it).fontSize)")


@pytest.mark.parametrize("width", [1440, 1024, 910])
def test_on_a_projector_it_is_larger_and_nothing_lies_on_anything_else(again, width):
    me = again(viewport={"width": width, "height": 800})
    me.page.locator(f"{CARD} .live-sum > div").first.wait_for()
    usual = claim(me)
    me.page.evaluate("Math.random = () => 0.7")  # ε of less than −0.1: as wide as it is written
    me.page.locator(f"{CARD} .live-die").click()
    for large in (False, True):
        if large:
            me.page.get_by_role("button", name="Present").click()
        free, beyond = me.page.evaluate(FREE)
        assert free > 0 and beyond <= 0
    assert (claim(me) > usual) == (width > 1300)  # a narrow one has no room for that
