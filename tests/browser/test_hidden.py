"""A part of the drawing is hidden: the model is scored on what it was given, and completes the rest."""

import base64

import pytest
import torch

from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.evaluation.inpaint import visible
from vae_core.evaluation.posterior import grid_truth

from ..conftest import seeded
from .test_draw import DIGIT, EXACT_SHOWN, PIXELS, SEEN, begin, encoders, press, refined, values

pytestmark = pytest.mark.browser

GIVEN = "#draw .live-given"  # which pixels are scored


def hide(me, *points):
    """Hides the pixels along a stroke, waits until they are scored no more, and returns the hidden ones: (28, 28)."""
    press(me, "Hide a part")
    me.page.wait_for_selector("button[aria-pressed=true] >> text=Hide a part")
    with me.answered("look", draws=1000):
        me.draw(*points)
    return mask(me.asked("look")[-1])


def mask(request):
    content = base64.b64decode(request["hidden"])
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(28, 28) > 0


def adds_up(v):
    assert v["elbo"] == pytest.approx(v["reconstruction"] - v["kl"], abs=1e-6)
    assert v["evidence"] == pytest.approx(v["elbo"] + v["gap"], abs=1e-6)


def test_hiding_and_completing_changes_hidden_pixels_only(visit):
    me = visit()
    page = begin(me, 0)
    before = page.evaluate(PIXELS, ".live-examples button:first-child canvas")
    press(me, "Hide a part")
    me.draw((0.3, 0.7), (0.7, 0.7))
    press(me, "Complete it")
    page.wait_for_selector(".live-completed:not([hidden])", timeout=20_000)
    hole, after = (page.evaluate(PIXELS, f".live-completed figure:nth-child({n}) canvas") for n in (1, 2))
    hidden = [i for i in range(784) if hole[i] != before[i]]
    changed = [i for i in range(784) if after[i] != before[i]]
    assert 20 < len(hidden) < 300 and len(changed) > 10
    cells = """() => {
        const pen = document.querySelector("#draw .live-over").getContext("2d", { willReadFrequently: true });
        const opaque = (i) => pen.getImageData((i % 28) * 10 + 5, Math.floor(i / 28) * 10 + 5, 1, 1).data[3] > 0;
        return Array.from({ length: 784 }, (_, i) => opaque(i));
    }"""
    painted = page.evaluate(cells)
    assert all(painted[i] for i in changed)
    press(me, "Show it again")
    assert page.locator(".live-completed").is_hidden()


def test_what_is_hidden_is_not_scored_and_that_is_said(visit):
    me = visit()
    page = begin(me, 0)
    own, compared = values(me), page.inner_text(".live-crowd .live-sentence")
    assert page.locator(GIVEN).is_hidden() and not any("hidden" in request for request in me.asked("look"))
    hidden = hide(me, (0.3, 0.7), (0.7, 0.7))
    count = 784 - int(hidden.sum())
    part = values(me)
    adds_up(part)
    assert 484 < count < 764
    assert all(part[name] > own[name] for name in ("reconstruction", "elbo", "evidence"))  # fewer pixels to explain
    assert page.inner_text(GIVEN).startswith(f"Scored on the {count} of 784 pixels that the model was given.")
    terms = page.inner_text("#draw .live-terms")
    assert "log p̂(x\u00a0visible)" in terms and "KL(q ‖ p(z|x\u00a0visible))" in terms
    assert "E log p(x\u00a0visible|z)" in page.inner_text("#draw .live-machine")
    assert "a drawing with a hidden part has no place among them" in page.inner_text(".live-crowd .live-sentence")
    # The pictures say where it is; the best q and q in the hand are of the same part.
    seen = page.evaluate(PIXELS, SEEN)
    assert all(seen[i] == 0xE8 for i in hidden.flatten().nonzero().flatten().tolist())
    press(me, "Find the best q")
    refined(me)
    best = values(me)
    adds_up(best)
    assert best["elbo"] > part["elbo"]
    assert "and log p(x\u00a0visible)" in page.inner_text("#draw .live-way")
    encoders(me, {"elbo": part["elbo"]})
    assert torch.equal(mask(me.asked("refine")[-1]), hidden) and torch.equal(mask(me.asked("judge")[-1]), hidden)
    press(me, "Complete it")
    page.wait_for_selector(".live-completed:not([hidden])", timeout=20_000)
    said = page.inner_text(".live-completed")
    assert f"Completed from the {count} of 784 pixels that the model was given." in said
    assert "log p(x\u00a0visible)" in said
    # All that is seen again is scored again, and hidden again by undoing that.
    with me.answered("look", draws=1000):
        press(me, "Show it again")
    assert values(me) == own and page.locator(GIVEN).is_hidden() and page.locator(".live-completed").is_hidden()
    assert page.inner_text(".live-crowd .live-sentence") == compared
    assert "visible" not in page.inner_text("#draw .live-terms")
    with me.answered("look", draws=1000):
        press(me, "Undo")
    assert values(me) == part and page.locator(GIVEN).is_visible()
    with me.answered("look", draws=1000):
        press(me, "Undo")
    assert values(me) == own


def test_the_meter_follows_while_a_part_is_being_hidden(visit):
    me = visit()
    page = begin(me, 0)
    press(me, "Hide a part")
    box = page.locator("#draw .live-ink").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 200)
    page.mouse.down()
    with me.answered("look", draws=64):
        page.mouse.move(box["x"] + 160, box["y"] + 200, steps=4)
    assert "pixels that the model was given" in page.inner_text(GIVEN)
    page.mouse.up()
    me.settled()
    assert mask(me.asked("look")[-1]).sum() >= mask(me.asked("look")[-2]).sum() > 0


def test_where_all_is_hidden_it_is_said_that_something_must_be_seen(visit):
    me = visit()
    page = begin(me, 0)
    page.get_by_label("Stroke").evaluate(
        "(it) => { it.max = 900; it.value = 900; it.dispatchEvent(new Event('input')); }"
    )
    press(me, "Hide a part")
    me.draw((0.5, 0.5), (0.6, 0.5))
    page.wait_for_selector("#draw .live-message >> text=All pixels are hidden: leave at least one of them visible.")
    with me.answered("look", draws=1000):
        press(me, "Show it again")
    assert page.inner_text("#draw .live-message") == ""


@pytest.mark.parametrize("by", ["this browser", "the server"])
def test_of_a_plane_the_truth_of_a_part_is_exact(visit, tmp_path, by):
    me = visit()
    page = me.page
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=16), seeded())
    save_checkpoint(model, tmp_path / "plane.safetensors", {"data": "digits"})
    me.tab("Runs")
    page.set_input_files("#upload", tmp_path / "plane.safetensors")
    page.get_by_role("button", name="Draw with it").click()
    if by == "the server":
        page.route("**/live/models/*/decoder", lambda route: route.fulfill(status=404, json={"error": "It has none."}))
    begin(me, 0)
    page.wait_for_function(EXACT_SHOWN)
    x = torch.tensor(page.evaluate(PIXELS, SEEN)).reshape(1, 1, 28, 28) / 255
    hidden = hide(me, (0.3, 0.7), (0.7, 0.7))
    page.wait_for_function(EXACT_SHOWN)
    adds_up(values(me))
    truth = grid_truth(visible(model, hidden), x).log_px.item()
    assert values(me)["evidence"] == pytest.approx(truth, abs=0.05 + DIGIT / 2)
    assert "p(z|x\u00a0visible) behind" in page.inner_text("#draw .live-plane figcaption")
    assert len(me.asked("truth")) == (2 if by == "the server" else 0)
    me.errors[:] = [error for error in me.errors if "404" not in error]
