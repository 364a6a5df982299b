"""The card "motion": a training in slow motion, its numbers, and the code of its loss."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
import torch

from checkpoints import motion
from ui.theory.deck import deck
from vae_core.storage.tensors import read_tensors

pytestmark = pytest.mark.browser

CARD = ".live-card-motion"
NAMES = ["pick", "encode", "draw ε", "decode", "loss", "gradient", "update"]
VALUES = """() => Object.fromEntries([...document.querySelectorAll(".live-card-motion [data-value]")]
    .map((it) => [it.dataset.value, it.textContent]))"""
CELLS = "[...document.querySelectorAll('.live-motion-cells output')].map((it) => it.textContent)"


@pytest.fixture(scope="module")
def kept():
    """The recording."""
    return read_tensors(motion.PATH)[1]


@pytest.fixture
def at(visit):
    """A visitor at the card, whose picture is there."""

    def come(**options):
        me = visit("?tab=theory&card=motion&model=mnist-mlp-2d", fresh=True, **options)
        me.page.wait_for_selector(f"{CARD} .live-motion-board")
        return me

    return come


def numbers(text):
    return [float(part) for part in re.findall(r"-?\d+\.\d+|-?\d+(?![\d.])", text.replace("−", "-"))]


def value(me, name):
    """A number of the card."""
    (number,) = numbers(me.page.evaluate(VALUES)[name])
    return number


def cells(me):
    return [numbers(text) for text in me.page.evaluate(CELLS)]


def goes(me, stage, shot=None):
    """Goes to a stage, and to a recorded step."""
    if shot is not None:
        me.page.get_by_label("Step of the training").fill(str(shot))
    me.page.get_by_role("button", name=stage, exact=True).click()


@pytest.mark.parametrize("shot", [0, 17])
def test_each_stage_shows_its_tensors_and_the_loss_adds_up(at, kept, shot):
    me = at()
    goes(me, "pick", shot % len(kept["step"]))
    step = int(kept["step"][shot])
    assert me.page.locator(".live-motion-step").inner_text() == f"step {step} of {len(kept['loss'])}"
    of = {name: kept[name][shot] for name in ("mu", "logvar", "eps", "z", "log_px_z", "kl", "gradient", "moved")}
    std = (0.5 * of["logvar"]).exp()
    loss = float(kept["loss"][step - 1])
    shown = []
    for n, name in enumerate(NAMES):
        goes(me, name)
        assert me.page.locator(".live-motion-rail [aria-current]").inner_text() == name
        shown.append(cells(me))
        later = me.page.locator(".live-motion-board .live-later")
        assert (later.count() == 0) == (n >= 6)
        # the identity, at every stage: of the image, and of the batch
        assert value(me, "reconstruction") == pytest.approx(-float(of["log_px_z"]), abs=0.006)
        assert value(me, "of_image") == pytest.approx(value(me, "reconstruction") + value(me, "kl"), abs=1e-6)
        assert value(me, "loss") == pytest.approx(loss, abs=0.006)
        assert value(me, "sum") == pytest.approx(value(me, "loss"), abs=0.02)
        assert value(me, "gain") == pytest.approx(-loss, abs=0.006)
    near = {"abs": 0.006}
    assert shown[0][0] == [float(kept["images"][shot]), 784]
    assert shown[1] == [pytest.approx(of["mu"].tolist(), **near), pytest.approx(std.tolist(), **near)]
    assert shown[2] == [pytest.approx(of["eps"].tolist(), **near), pytest.approx(of["z"].tolist(), **near)]
    made = kept["logits"][shot].float().sigmoid()
    assert shown[3][0][1:] == pytest.approx([float(made.min()), float(made.max())], **near)
    assert [each for (each,) in shown[4]][2] == pytest.approx(value(me, "of_image"), abs=1e-6)
    whole = of["gradient"].sum(0)
    for row, parts, sums in zip(shown[5], of["gradient"].transpose(0, 1), whole, strict=True):
        assert row[:4] == pytest.approx(parts.flatten().tolist(), **near)
        assert row[4:] == pytest.approx(sums.tolist(), abs=0.012)
    assert shown[6][4] == pytest.approx([loss, float(kept["loss_after"][shot])], **near)
    moved = [0.0 if "under" in text else numbers(text)[0] for text in me.page.evaluate(CELLS)[:4]]
    assert moved == pytest.approx((100 * of["moved"]).tolist(), abs=0.006)


def test_the_arrows_and_q_are_where_the_recording_has_them(at, kept):
    me = at()
    goes(me, "gradient", 20)
    q = me.page.locator(f"{CARD} .live-q").get_attribute("style")
    x, y, width, height = numbers(q)
    mu, std = kept["mu"][20], (0.5 * kept["logvar"][20]).exp()
    unit = 240 / (7 * float(std.max()))  # q is small by then: the plane is seen close up
    assert [x, y] == pytest.approx([120, 120], abs=0.1)
    assert [width, height] == pytest.approx((unit * std).tolist(), abs=0.1)
    z = numbers(me.page.locator(f"{CARD} .live-z").get_attribute("style"))
    assert z == pytest.approx([120 + unit * float(std[0] * kept["eps"][20][0]),
                               120 - unit * float(std[1] * kept["eps"][20][1])], abs=0.2)  # fmt: skip
    for term, gradient in zip(("reconstruction", "kl"), kept["gradient"][20][:, 0], strict=True):
        path = numbers(me.page.locator(f"{CARD} .live-arrow.term-{term}").get_attribute("d"))
        direction = torch.tensor([path[2] - path[0], path[1] - path[3]])
        assert torch.cosine_similarity(direction, -gradient, dim=0) > 0.99
    goes(me, "encode")  # from afar
    x, y, width, _ = numbers(me.page.locator(f"{CARD} .live-q").get_attribute("style"))
    assert [x, y] == pytest.approx([120 + 240 / 7 * float(mu[0]), 120 - 240 / 7 * float(mu[1])], abs=0.1)
    assert width == pytest.approx(240 / 7 * float(std[0]), abs=0.1)


def test_play_goes_faster_and_faster_to_the_code_and_settles_the_question(at, kept):
    me = at()
    question = deck()["motion"].question
    me.page.get_by_role("button", name=question.choices[question.right]).click()
    before = me.ink(".live-held-out")
    me.page.get_by_label("Speed").select_option("8 ×")
    me.page.get_by_role("button", name="Play", exact=True).click()
    me.page.wait_for_selector(".live-motion-step:has-text('s each')")
    me.page.get_by_role("button", name="Pause").click()
    me.page.wait_for_selector(".live-motion-play:text-is('Play')")
    assert me.page.locator(".live-settled").count() == 0
    me.page.keyboard.press("Space")  # on the button that was pressed
    me.page.wait_for_selector(".live-motion-step:has-text('a second')")
    me.page.locator(".live-motion-code").wait_for()
    me.page.locator(".live-settled .live-verdict:has-text('Right.')").wait_for()
    assert me.page.locator(".live-motion-play").inner_text() == "Play again"
    assert value(me, "loss") == pytest.approx(float(kept["loss"][-1]), abs=0.006)
    points = me.page.locator(f"{CARD} .live-curve.term-loss").get_attribute("d").count("L") + 1
    assert points == len(kept["loss"])
    assert me.ink(".live-held-out") != before


def test_the_six_lines_are_those_of_the_source_and_mark_their_terms(at):
    me = at()
    me.page.get_by_role("button", name="the code").click()
    lines = me.page.locator(".live-motion-code li")
    code = deck()["motion"].served()["code"]
    assert lines.locator("code").all_inner_texts() == [it["text"] for it in code.values()] and len(code) == 6
    places = [f"{it['file']}, line {it['line']}" for it in code.values()]
    assert lines.locator("small").all_inner_texts() == places
    for n, term in enumerate(code):
        lines.nth(n).hover()
        me.page.locator(f".live-code-line code:text-is('{code[term]['text']}')").wait_for()
        if term in ("reconstruction", "kl", "loss"):
            me.page.locator(f"output[data-value={term}].live-marked").first.wait_for()
            shown = numbers(lines.nth(n).locator("output").inner_text())[0]
            assert abs(shown) == pytest.approx(value(me, term), abs=1e-6)
    me.page.get_by_role("button", name="Next stage").click()
    assert me.page.locator(".live-motion-board").is_visible()


def test_keys_go_by_a_stage_and_space_plays(at):
    me = at()
    me.page.get_by_role("button", name="encode", exact=True).click()
    now = me.page.locator(".live-motion-rail [aria-current]")
    for key, name in (("ArrowRight", "draw ε"), ("ArrowRight", "decode"), ("ArrowLeft", "draw ε")):
        me.page.keyboard.press(key)
        assert now.inner_text() == name
    me.page.locator(".live-motion-board").focus()
    me.page.keyboard.press("Space")
    me.page.wait_for_selector(".live-motion-play:text-is('Pause')")
    me.page.keyboard.press("PageUp")  # it does not go on behind another card
    me.page.wait_for_function("!document.querySelector('.live-card-motion')")
    me.page.keyboard.press("PageDown")
    me.page.wait_for_selector(".live-motion-play:text-is('Play')")
    me.page.get_by_label("Speed").select_option("8 ×")
    me.page.get_by_role("button", name="Play", exact=True).click()
    me.tab("Draw")  # nor behind another tab
    me.page.wait_for_function("document.querySelector('.live-motion-play').textContent === 'Play'")


def test_nothing_moves_by_itself_where_stillness_is_wanted(at):
    me = at(reduced_motion="reduce")
    for name in NAMES:
        goes(me, name)
    play = me.page.locator(".live-motion-play")
    assert play.inner_text() == "To the end"
    play.click()
    assert me.page.locator(".live-motion-code").is_visible()
    assert me.page.locator(".live-card[data-done]").count() == 1
    assert play.inner_text() == "To the start"
    play.click()
    me.frames(30)
    assert me.page.locator(".live-motion-step").inner_text().startswith("step 1 of")


def test_run_it_here_opens_train_with_the_same_settings(at):
    me = at()
    link = me.page.get_by_role("link", name="Run it here")
    query = {name: value for name, (value,) in parse_qs(urlparse(link.get_attribute("href")).query).items()}
    assert query == {"tab": "train", "data": motion.DATA, **{name: str(it) for name, it in motion.SETTINGS.items()}}
    link.click()
    me.page.wait_for_selector("#train")
    for label, name in (("Dimensions D", "latent_dim"), ("Batch size", "batch_size"), ("Epochs", "epochs")):
        me.page.wait_for_function(
            "([label, value]) => [...document.querySelectorAll('label')].some((it) => it.textContent.includes(label)"
            " && it.querySelector('input')?.value === value)",
            arg=[label, str(motion.SETTINGS[name])],
        )


@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_the_screen_and_has_no_number_that_is_none(at, width):
    me = at(viewport={"width": width, "height": 844}, has_touch=width < 900)
    for shot in (0, 30):
        for name in [*NAMES, "the code"]:
            goes(me, name, shot if name == "pick" else None)
            assert me.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            text = me.page.locator(CARD).inner_text()
            assert not re.search("NaN|undefined|Infinity|not finite", text), name
