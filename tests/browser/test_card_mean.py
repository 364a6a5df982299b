"""The card on averaging over pixels: two recorded trainings, and the loss of both for any divisor."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from checkpoints.lessons import HERE, LESSONS
from vae_core.runs.folder import RunFolder

CARD = ".live-card-mean"
PIXELS = 784


@pytest.fixture
def card(visit):
    me = visit("?tab=theory&card=mean&model=mnist-mlp-2d")
    me.page.wait_for_selector(f"{CARD} output:text-matches('^step 1$')")
    return me


def value(me, name):
    """What the card shows under a name."""
    text = me.page.locator(f"{CARD} [data-value='{name}']").first.text_content()
    return float(text.replace("−", "-"))


def last(name):
    """−log p(x|z) and KL of the last record of a lesson."""
    train = RunFolder(HERE / name).records()[-1]["train"]
    return -train["reconstruction"], train["kl"]


def divide(me, n):
    """Moves the slider to a divisor."""
    script = """(input, at) => { input.value = at; input.dispatchEvent(new Event("input", { bubbles: true })); }"""
    me.page.locator(f"{CARD} .live-knob input").evaluate(script, math.log(n))


def to_the_end(me):
    me.page.get_by_label("Step of the training").focus()
    me.page.keyboard.press("End")
    me.page.wait_for_selector(f"{CARD} output:text-is('step 1,410')")


def test_both_losses_follow_from_the_recorded_terms_and_the_mean_prefers_the_blur(card):
    page = card.page
    page.get_by_role("button", name="The balance: it is β = 784").click()
    to_the_end(card)
    terms = {"": last("plain"), "_other": last("mean")}
    for behind, (reconstruction, kl) in terms.items():
        assert value(card, f"reconstruction{behind}") == pytest.approx(reconstruction, abs=0.006)
        assert value(card, f"kl{behind}") == pytest.approx(kl, abs=0.006)
        shown = value(card, f"reconstruction{behind}") + value(card, f"kl{behind}")
        assert value(card, f"elbo{behind}") == pytest.approx(shown, abs=1e-9) == value(card, f"divided{behind}")
    assert page.locator(f"{CARD} .live-balance").get_attribute("data-lower") == "sum"
    assert page.locator(f"{CARD} .live-settled").count() == 0  # the act is not done yet
    (r, kl), (blur, none) = terms[""], terms["_other"]
    even = (blur - r) / (kl - none)  # where both have the same loss
    assert 4 < even < 12
    for n, lower in ((math.floor(even), "sum"), (math.ceil(even), "mean"), (PIXELS, "mean")):
        divide(card, n)
        page.wait_for_selector(f"{CARD} .live-balance[data-lower={lower}]:has-text('n = {n} is β = {n}')")
        for behind, (reconstruction, its_kl) in terms.items():
            assert value(card, f"divided{behind}") == pytest.approx(reconstruction / n + its_kl, abs=0.015)
    page.wait_for_selector(f"{CARD} .live-settled .live-verdict:has-text('Right.')")
    page.get_by_role("button", name="Line by line").click()
    assert value(card, "loss_sum") == pytest.approx(r + kl, abs=0.015)
    assert value(card, "loss_mean") == pytest.approx(r / PIXELS + kl, abs=0.015)
    assert value(card, "loss_784") == pytest.approx(r + PIXELS * kl, abs=PIXELS * 0.006)


def test_the_pictures_are_those_of_the_recordings(card):
    to_the_end(card)
    strips = card.page.locator(f"{CARD} .live-lesson-pictures")
    card.page.wait_for_function(
        "(s) => [...document.querySelectorAll(s)].every((it) => it.dataset.step === '1410')",
        arg=f"{CARD} .live-lesson-pictures",
    )
    script = (
        "(it) => [...it.getContext('2d').getImageData(0, 0, it.width, it.height).data].filter((_, n) => n % 4 === 0)"
    )
    for n, (name, first) in enumerate((("plain", 2), ("plain", 0), ("mean", 2), ("mean", 0))):
        shown = np.reshape(strips.nth(n).evaluate(script), (56, 140))
        content = (HERE / name / "frames" / "1410.jpg").read_bytes()
        whole = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=float)
        rows = whole[first * 28 : (first + 2) * 28].reshape(56, 20, 28)[:, ::4].reshape(56, 140)
        assert abs(shown - rows).max() <= 3, name


def test_it_plays_and_stops_and_goes_to_the_end_at_once_for_those_who_mind_motion(card, visit):
    page = card.page
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector(f"{CARD} .live-player output:not(:text-is('step 1'))")
    page.get_by_role("button", name="Stop", exact=True).click()
    at = page.locator(f"{CARD} .live-player output").inner_text()
    card.frames(10)
    assert page.locator(f"{CARD} .live-player output").inner_text() == at != "step 1,410"
    still = visit("?tab=theory&card=mean&model=mnist-mlp-2d", reduced_motion="reduce")
    still.page.get_by_role("button", name="Play", exact=True).click()
    still.page.wait_for_selector(f"{CARD} output:text-is('step 1,410')")
    assert still.page.get_by_role("button", name="Play", exact=True).is_visible()


def test_run_it_here_trains_with_the_settings_of_the_recording_and_opens_train(card):
    """Another recording is asked for than that of the card, whose data this server does not have."""

    def ask_for_digits(route):
        if '"name":"mean"' in (route.request.post_data or ""):
            asked.append("mean")
            route.continue_(post_data=route.request.post_data.replace('"name":"mean"', '"name":"ppca"'))
        else:
            route.continue_()

    asked = []
    card.page.route("**/gradio_api/queue/join*", ask_for_digits)
    card.page.get_by_role("button", name="Run it here").click()
    card.page.wait_for_selector("[role=tab][data-tab-id=train][aria-selected=true]")
    card.page.wait_for_selector("#progress .live[data-state=running], #progress .live[data-state=finished]")
    assert asked == ["mean"]
    settings = LESSONS["ppca"].settings
    assert card.page.get_by_label("Batch size", exact=True).input_value() == str(settings["batch_size"])
    assert card.page.get_by_label("Learning rate", exact=True).input_value() == str(settings["learning_rate"])
    assert card.page.get_by_label("Architecture", exact=True).input_value() == "linear"
    if card.state() == "running":
        card.page.get_by_role("button", name="Stop", exact=True).click()
    card.page.wait_for_selector("#progress .live[data-state=stopped], #progress .live[data-state=finished]")
