"""The card on evidence = ELBO + gap: the numbers of a q, each by itself, against torch and a quadrature (T14)."""

import base64
import math

import pytest
import torch

from vae_core import load_dataset
from vae_core.data import binarized_for_evaluation, spread
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.evaluate import Proposal, log_weights
from vae_core.evaluation.posterior import grid_truth
from vae_core.storage.portable import portable_decoder

from ..conftest import seeded
from .conftest import script
from .planes import drag, held, image, known, settled, shipped, shown, text_of, worth

pytestmark = pytest.mark.browser

LINK = "?tab=theory&card=gap&model=mnist-mlp-2d"
WEIGH = script("weigh.js")
TERMS = ("reconstruction", "kl", "elbo", "gap")


@pytest.fixture(scope="module")
def page(browser, server):
    """A page of the app's origin, with nothing but its modules."""
    page = browser.new_page()
    page.goto(f"{server.url}/live/q/weigh.js")
    yield page
    page.close()


@pytest.fixture
def card(visit):
    """A visitor at the card, with the exact posterior of the digit that it opens with."""
    me = visit(LINK, fresh=True)
    known(me, "log_px", "gap")
    return me


def in_page(page, model, asked):
    decoder = base64.b64encode(portable_decoder(model)).decode()
    return page.evaluate(WEIGH, [decoder, asked])


def moved(q):
    """The q that a hand has dragged by its middle, and made wider one way and narrower the other."""
    return DiagonalGaussian(q.mu + q.std * torch.tensor([0.8, -0.5]), q.logvar + torch.tensor([math.log(3), -0.7]))


@pytest.mark.parametrize("change", [lambda q: q, moved], ids=["encoder's", "dragged"])
def test_elbo_kl_and_gap_of_test_images_are_those_of_torch(page, mnist_dir, change):
    model, images = shipped(), load_dataset("mnist", mnist_dir).test
    x = binarized_for_evaluation(images[spread(len(images), 6)], "dynamic")
    q = change(model.posterior(x))
    q = DiagonalGaussian(q.mu.detach(), q.logvar.detach())
    truth = grid_truth(model, x, q, cells=201)
    assert truth.holds.all()
    asked = [
        {"seen": text_of(one), "q": {"mu": mu, "std": std}, "log_px": log_px, "fine": True}
        for one, mu, std, log_px in zip(x, q.mu.tolist(), q.std.tolist(), truth.log_px.tolist(), strict=True)
    ]
    found = in_page(page, model, asked)
    terms = worth(model, x, q)
    wanted = {"reconstruction": truth.log_px - truth.kl_q_posterior + terms.kl, "kl": terms.kl,
              "elbo": truth.log_px - truth.kl_q_posterior, "gap": truth.kl_q_posterior}  # fmt: skip
    for name in TERMS:
        off = (torch.tensor([one[name] for one in found]) - wanted[name]).abs()
        assert off.median() < 0.01 and off.quantile(0.95) < 0.05, (name, off)
    drawn = (torch.tensor([one["elbo"] for one in found]) - terms.elbo).abs()
    assert drawn.median() < 0.02  # by draws, which err more
    assert max(abs(one["misses"]) for one in found) < 0.05
    for one, log_px in zip(found, truth.log_px.tolist(), strict=True):
        assert one["elbo"] + one["gap"] - log_px == pytest.approx(one["misses"], abs=1e-6)


def test_log_weights_are_those_of_torch(page):
    model = shipped()
    z = model.sample_prior(3, seeded(2))
    x = (torch.rand(3, 1, 28, 28, generator=seeded(3)) < model.x_hat(z)).float()
    with torch.inference_mode():
        q = model.posterior(x)
        eps = torch.randn(50, 3, 2, generator=seeded(4))
        wanted = log_weights(model, x, Proposal.of(q), eps)
    asked = [
        {"seen": text_of(x[n]), "q": {"mu": q.mu[n].tolist(), "std": q.std[n].tolist()},
         "eps": eps[:, n].flatten().tolist()}
        for n in range(3)
    ]  # fmt: skip
    for n, found in enumerate(in_page(page, model, asked)):
        assert (torch.tensor(found["logs"]) - wanted[:, n]).abs().max() < 5e-3


def test_the_numbers_are_those_of_torch_and_add_up(card):
    settled(card)
    values = {name: shown(card, name) for name in (*TERMS, "log_px", "misses")}
    model, x, q = shipped(), image(card), held(card)
    terms, truth = worth(model, x, q), grid_truth(model, x, q, cells=201)
    assert values["kl"] == pytest.approx(terms.kl.item(), abs=0.006)
    assert values["elbo"] == pytest.approx(terms.elbo.item(), abs=0.05)
    assert values["gap"] == pytest.approx(truth.kl_q_posterior.item(), abs=0.05)
    assert values["log_px"] == pytest.approx(truth.log_px.item(), abs=0.04)
    assert values["reconstruction"] - values["kl"] == pytest.approx(values["elbo"], abs=0.011)
    assert values["elbo"] + values["gap"] == pytest.approx(values["log_px"], abs=values["misses"] + 0.016)
    assert values["misses"] < 0.05


def test_dragging_q_trades_elbo_for_gap_and_asks_the_server_nothing(card):
    card.page.locator(".live-choice", has_text="It falls with the ELBO").click()
    settled(card)
    own, before = held(card), {name: shown(card, name) for name in ("elbo", "gap", "log_px")}
    questions = card.page.evaluate("questions.length")
    drag(card, ".live-held", 25, 20)
    by_middle = held(card)
    assert by_middle.mu[0, 0] > own.mu[0, 0] and by_middle.mu[0, 1] < own.mu[0, 1]
    assert torch.allclose(by_middle.std, own.std)
    for n, (dx, dy) in enumerate(((50, 0), (0, -50))):
        drag(card, f".live-end >> nth={n}", dx, dy)
    assert (held(card).std > 1.2 * own.std).all()
    settled(card)
    after = {name: shown(card, name) for name in ("elbo", "gap", "log_px", "misses")}
    assert after["log_px"] == before["log_px"]
    assert after["elbo"] < before["elbo"] - 0.5 and after["gap"] > before["gap"] + 0.5
    assert after["elbo"] + after["gap"] == pytest.approx(after["log_px"], abs=after["misses"] + 0.016)
    assert after["elbo"] == pytest.approx(worth(shipped(), image(card), held(card)).elbo.item(), abs=0.3)
    assert card.page.evaluate("questions.length") == questions
    card.page.locator(".live-verdict", has_text="Not so.").wait_for()
    card.page.get_by_role("button", name="The encoder’s q").click()
    card.page.wait_for_function(
        "(mu) => JSON.parse(document.querySelector('#theory-card .live-plane[data-q]').dataset.q).mu[0] === mu",
        arg=own.mu[0, 0].item(),
    )


def test_keys_move_q_too(card):
    own = held(card)
    card.page.locator("#theory-card .live-plane").focus()
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowDown"):
        card.page.keyboard.press(key)
    q = held(card)
    assert q.mu[0, 0] > own.mu[0, 0] and q.mu[0, 1] < own.mu[0, 1]
    assert q.std[0, 0] == pytest.approx(own.std[0, 0].item() * math.exp(0.2), rel=1e-4)
    assert q.std[0, 1] == pytest.approx(own.std[0, 1].item() * math.exp(-0.2), rel=1e-4)


def test_the_best_q_leaves_less_gap_and_the_drawer_ends_in_the_same_numbers(card):
    settled(card)
    before = {name: shown(card, name) for name in ("gap", "log_px")}
    card.page.get_by_role("button", name="Find the best q").click()
    card.page.locator(".live-card[data-done]").wait_for(timeout=60_000)
    settled(card)
    assert shown(card, "gap") < before["gap"] and shown(card, "log_px") == before["log_px"]
    card.page.get_by_role("button", name="Line by line").click()
    rows = card.page.locator("#theory-card .live-lines tr").all()
    ends = {row.locator("th").inner_text(): row.locator("output").inner_text() for row in rows}
    main = {
        name: card.page.locator(f"#theory-card [data-value={name}]").first.inner_text() for name in (*TERMS, "log_px")
    }
    assert ends["(17)"] == main["gap"]
    assert ends["(21)"] == ends["(25)"] == ends["(28)"] == main["elbo"]
    assert ends["(20)"] == ends["(22)"] == ends["§6"] == main["log_px"]


def test_the_model_moves_the_total(card):
    before = shown(card, "log_px")
    card.page.get_by_role("button", name="finished by K = 5 draws").click()
    card.page.locator(".live-models small", has_text="under the other").wait_for(timeout=60_000)
    assert f"{before:.2f}".replace("-", "−") in card.page.locator(".live-models small").inner_text()
    known(card, "gap")
    settled(card)
    assert shown(card, "log_px") != before
    model = shipped("mnist-mlp-2d-iw")
    assert shown(card, "elbo") == pytest.approx(worth(model, image(card), held(card)).elbo.item(), abs=0.1)


def test_it_fits_a_phone(visit):
    me = visit(LINK, fresh=True, viewport={"width": 390, "height": 844}, has_touch=True)
    known(me, "elbo")
    assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert me.page.locator("#theory-card .live-held").bounding_box()["width"] >= 24
