"""The Draw tab in a browser: a stroke's answer, the meter, q in the hand, refined and exact."""

import re

import pytest
import torch

from ui.vocabulary import ASLEEP
from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.evaluation.latent import embed, reach

from ..conftest import seeded
from .conftest import Hold

pytestmark = pytest.mark.browser

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.5, 0.55), (0.42, 0.85)]
TERMS = ("reconstruction", "kl", "elbo", "gap", "evidence")

DIGIT = 0.11  # nats: what two numbers that are rounded each for itself, to a tenth or finer, may differ by

METER = """() => {
    const rows = [...document.querySelectorAll("#draw .live-terms tr")].filter((row) => !row.hidden);
    return Object.fromEntries(rows.map((row) => {
        const [length, bar] = ["td.live-length", "i"].map((it) => row.querySelector(it).getBoundingClientRect());
        const value = Number(row.querySelector("output").textContent.replace("−", "-"));
        const [left, right] = [bar.left - length.left, bar.right - length.left];
        return [row.dataset.term, { value, left, right, width: bar.width }];
    }));
}"""
SEEN = ".live-pair figure:nth-child(1) canvas"  # what the model sees
PIXELS = """(selector) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
}"""

EXACT_SHOWN = """document.querySelector("#draw .live-plane:not([hidden]):not(.live-old)")
    && document.querySelector("#draw [data-term=evidence] small").textContent.startsWith("exact")"""


def begin(me, digit=None):
    """To the Draw tab, with a test digit on the pad."""
    me.tab("Draw")
    me.page.wait_for_selector(".live-examples button")
    if digit is not None:
        me.page.get_by_label(f"Start from a {digit}").click()
        rested(me)
    return me.page


def rested(me):
    """Waits for the answer of the resting pen, and for the crowd that it is asked with."""
    me.page.wait_for_function(
        "document.querySelector('#draw [data-term=evidence] small').textContent.match(/1000 draws|exact/)"
    )
    me.page.wait_for_selector(".live-crowd:not([hidden]) strong")


def values(me):
    return {name: row["value"] for name, row in me.page.evaluate(METER).items()}


def encoders(me, own):
    """Lets the encoder do it again, and waits until the meter shows its values, with nothing more to come."""
    press(me, "Back to the encoder’s q")
    shown = (
        f"(own) => Object.entries(own).every(([name, value]) => Math.abs(({METER})()[name].value - value) < {DIGIT})"
    )
    me.page.wait_for_function(shown, arg=own)
    me.settled()


def refined(me):
    """Waits until a refinement has been shown to its end."""
    made = "document.querySelector('#draw .live-station-made small').textContent"
    me.page.wait_for_function(f"{made}.includes('refined')", timeout=20_000)


def press(me, name):
    me.page.get_by_role("button", name=name, exact=True).click()


def test_a_stroke_is_answered_while_it_goes(visit):
    me = visit()
    page = begin(me)
    box = page.locator("#draw .live-ink").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.mouse.move(*at(0.3, 0.2))
    page.mouse.down()
    for step in range(1, 11):  # every 100 ms of the pen bring a question, as soon as the one before is answered
        with me.answered("look", draws=64):
            page.mouse.move(*at(0.3 + 0.04 * step, 0.2 + 0.06 * step))
            page.clock.run_for(100)
        assert "64 draws" in page.inner_text("#draw [data-term=evidence]")
    page.clock.resume()
    page.mouse.up()
    rested(me)
    looks = me.asked("look")
    assert looks[-1]["draws"] == 1000 and len({request["ink"] for request in looks[:-1]}) >= 10


def test_the_meters_lengths_add_up_and_stranger_images_are_counted(visit):
    me = visit()

    def answers(name):
        return lambda response: response.request.post_data and f'"fn_name":"{name}"' in response.request.post_data

    with me.page.expect_response(answers("look")) as look, me.page.expect_response(answers("crowd")) as crowd:
        begin(me, 4)
    rows = me.page.evaluate(METER)
    v = {name: row["value"] for name, row in rows.items()}
    assert v["elbo"] == pytest.approx(v["reconstruction"] - v["kl"], abs=1e-6)
    assert v["evidence"] == pytest.approx(v["elbo"] + v["gap"], abs=1e-6)
    assert set(rows) == set(TERMS) and v["gap"] > 0 and v["kl"] > 0
    unit = rows["elbo"]["width"] / abs(v["elbo"])  # pixels a nat, on all of the bars
    for name, row in rows.items():
        assert row["width"] == pytest.approx(unit * abs(row["value"]), abs=1), name
    assert rows["kl"]["right"] == pytest.approx(rows["reconstruction"]["left"], abs=0.6)
    assert rows["kl"]["left"] == pytest.approx(rows["elbo"]["left"], abs=0.6)
    assert rows["gap"]["left"] == pytest.approx(rows["elbo"]["left"], abs=0.6)
    assert rows["gap"]["right"] == pytest.approx(rows["evidence"]["left"], abs=0.6)
    found, mine = crowd.value.json(), look.value.json()
    share = sum(elbo > mine["elbo"] for elbo in found["elbos"]) / len(found["elbos"])
    said = me.page.inner_text(".live-crowd .live-sentence")
    assert 0.01 <= share <= 0.99  # test_modules has the rest
    assert said == f"stranger than {share * 100:.0f} % of digits’ test images, by its ELBO"


def test_q_in_the_hand_and_the_encoders_back_again(visit):
    me = visit()
    page = begin(me, 3)
    own = values(me)
    page.locator(".live-dim").nth(2).click()
    assert page.locator(".live-dim").nth(2).get_attribute("aria-pressed") == "true"
    mean, width = (page.locator("#draw .live-handles input").nth(i) for i in (0, 1))
    mean.evaluate("(range) => { range.value = 3; range.dispatchEvent(new Event('input')); }")
    page.wait_for_function(
        f"!document.querySelector('#draw [data-term=elbo] output').textContent.includes('{abs(own['elbo'])}')"
    )
    far = values(me)
    assert far["elbo"] < own["elbo"] - 1 and far["gap"] > own["gap"] + 1
    assert far["evidence"] == pytest.approx(own["evidence"], abs=DIGIT)  # log p(x) knows no q
    assert far["evidence"] == pytest.approx(far["elbo"] + far["gap"], abs=1e-6)
    with me.answered("judge"):
        width.evaluate("(range) => { range.value = 0.5; range.dispatchEvent(new Event('input')); }")
    assert values(me)["elbo"] != far["elbo"]
    encoders(me, own)
    assert values(me) == pytest.approx(own, abs=DIGIT)
    # A column is dragged by the mouse.
    box = page.locator(".live-dim").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8, steps=4)
    page.mouse.up()
    me.settled()
    assert values(me)["elbo"] < own["elbo"] and float(mean.input_value()) > 2


def test_refining_shrinks_the_gap_and_splits_it(visit):
    me = visit()
    page = begin(me, 5)
    own = values(me)
    press(me, "Find the best q")
    refined(me)
    v = values(me)
    note = page.inner_text("#draw [data-term=gap] small")
    whole, amortization, approximation = (float(number) for number in re.findall(r"\d+\.\d+", note))
    assert v["elbo"] > own["elbo"] and whole == pytest.approx(amortization + approximation, abs=1e-6)
    assert amortization == pytest.approx(v["elbo"] - own["elbo"], abs=DIGIT)
    assert approximation == pytest.approx(v["gap"], abs=DIGIT)
    assert "refined q" in page.inner_text("#draw [data-term=evidence]")
    points = page.locator(".live-way polyline").get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert 5 < len(points) <= 40 and heights[-1] == min(heights)
    encoders(me, {"elbo": own["elbo"]})
    assert values(me)["gap"] == pytest.approx(whole, abs=DIGIT)


@pytest.mark.parametrize("tool", ["Hide a part", "Add noise"])
def test_what_is_made_of_a_drawing_waits_until_its_last_stroke_is_answered(visit, tool):
    me = visit()
    page = begin(me)
    me.draw((0.3, 0.2), (0.3, 0.8))
    rested(me)
    columns = """() => {
        const pen = document.querySelector(".live-pair canvas").getContext("2d");
        const { data } = pen.getImageData(0, 0, 28, 28);
        const ink = Array.from({ length: 28 }, () => 0);
        for (let i = 0; i < 784; i += 1) ink[i % 28] += data[4 * i];
        return ink.filter((sum) => sum > 1000).length;
    }"""
    assert 1 <= page.evaluate(columns) <= 3  # are full of ink: one line
    hold = Hold(page, function="look")
    me.draw((0.7, 0.2), (0.7, 0.8))
    hold.wait()
    if tool == "Hide a part":
        press(me, tool)
    else:
        page.get_by_label(tool).evaluate("(it) => { it.value = 1; it.dispatchEvent(new Event('input')); }")
        page.get_by_label(tool).dispatch_event("change")
    me.frames()
    kept = "JSON.parse(sessionStorage.getItem('vae-drawing'))"
    assert "ink" in page.evaluate(kept)  # nothing was made of the old one
    hold.release()
    page.wait_for_function(f"{kept}.image")  # by now it is of pixels
    rested(me)
    page.wait_for_function(f"({columns})() >= 4")  # two


def test_without_an_answer_a_drawing_stays_as_it_is(visit):
    me = visit()
    page = begin(me)
    press(me, "Hide a part")
    page.wait_for_selector("text=Draw something first, or start from a test digit.")
    me.draw((0.3, 0.2), (0.3, 0.8))
    rested(me)
    page.route(re.compile("component_server"), lambda route: route.abort())
    me.draw((0.7, 0.2), (0.7, 0.8))
    page.wait_for_selector("#draw .live-message >> text=The server does not answer.")
    ink = me.ink("#draw .live-ink")
    press(me, "Hide a part")
    me.settled()
    assert me.ink("#draw .live-ink") == ink
    assert page.get_by_role("button", name="Hide a part").get_attribute("aria-pressed") == "false"
    me.errors[:] = [error for error in me.errors if "ERR_FAILED" not in error]


def test_the_mean_goes_to_latents_and_an_image_comes_back(visit):
    me = visit()
    page = begin(me, 7)
    press(me, "Look at it in Latents")
    assert page.get_by_role("tab", name="Latents").get_attribute("aria-selected") == "true"
    moved = "import('./live/space/point.js').then(({ point }) => ({ z: [...point.z], by: point.by }))"
    sent = page.evaluate(moved)
    assert sent["by"] == "draw" and len(sent["z"]) == 20 and any(abs(z) > 0.1 for z in sent["z"])
    bar = "new Uint8Array(784).map((_, i) => (i % 28 === 14 ? 255 : 0))"
    page.evaluate(f"import('./live/draw/kept.js').then(({{ putOnPad }}) => putOnPad({bar}))")
    with me.answered("look", draws=1000):  # as soon as it can be seen
        me.tab("Draw")
    rested(me)
    seen = page.evaluate(PIXELS, SEEN)
    assert [i % 28 for i, value in enumerate(seen) if value] == [14] * 28
    me.reload()
    begin(me)
    rested(me)
    assert page.evaluate(PIXELS, SEEN) == seen


def test_while_the_model_trains_q_is_not_refined_and_it_is_said_why(visit):
    me = visit()
    page = me.page
    me.train(Epochs=4000)
    me.wait_for_state("running")
    me.wait_for_weights()
    me.tab("Runs")
    page.get_by_role("button", name="Draw with it").click()
    begin(me, 5)
    hold = Hold(page, function="refine")
    with me.answered("look"):  # newer weights come meanwhile
        press(me, "Find the best q")
        hold.wait()
    hold.release()
    page.wait_for_selector("text=The model has learned on meanwhile: pause its training to refine q.")
    assert len(hold.routes) == 1
    me.tab("Train")
    page.click("#stop")
    me.wait_for_state("stopped")


def test_of_a_plane_the_truth_is_exact_and_drawn(visit, tmp_path):
    me = visit()
    page = me.page
    path = tmp_path / "plane.safetensors"
    about = {"data": "digits", "kl_per_dim": [0.9 * ASLEEP, 1.1 * ASLEEP]}
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=16), seeded()), path, about)
    me.tab("Runs")
    page.set_input_files("#upload", path)
    page.get_by_role("button", name="Draw with it").click()
    begin(me)
    page.get_by_role("button", name="1 asleep").click()  # folded away until then
    assert page.locator(".live-dim").count() == 2
    place = "JSON.stringify(document.querySelector('#draw .live-plane').getBoundingClientRect())"
    reserved = page.evaluate(place)
    me.draw(*SEVEN)
    page.wait_for_function(EXACT_SHOWN)
    assert page.evaluate(place) == reserved
    assert re.search(r"exact, by quadrature over the plane, ± 0\.0\d\d", page.inner_text("#draw [data-term=evidence]"))
    assert not me.asked("truth")  # the server is not needed
    small, large = (float(page.locator(f"#draw .live-plane [data-sigma='{k}']").get_attribute("rx")) for k in (1, 2))
    assert large == pytest.approx(2 * small)
    v = values(me)
    assert v["evidence"] == pytest.approx(v["elbo"] + v["gap"], abs=1e-6)
    press(me, "Find the best q")
    refined(me)
    assert "exact" in page.inner_text("#draw [data-term=evidence]")  # stays the better one
    assert len(page.locator("#draw .live-plane polyline").get_attribute("points").split()) > 5


def test_where_this_browser_cannot_the_server_finds_the_exact_posterior(visit, tmp_path):
    me = visit()
    page = me.page
    path = tmp_path / "plane.safetensors"
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=16), seeded()), path, {"data": "digits"})
    me.tab("Runs")
    page.set_input_files("#upload", path)
    page.get_by_role("button", name="Draw with it").click()
    page.route("**/live/models/*/decoder", lambda route: route.fulfill(status=404, json={"error": "It has none."}))
    begin(me)
    me.draw(*SEVEN)
    page.wait_for_function(EXACT_SHOWN)
    assert len(me.asked("truth")) == 1
    me.errors[:] = [error for error in me.errors if "404" not in error]


def test_a_mean_far_from_the_prior_is_seen_where_it_is_and_can_be_held(visit, tmp_path, digits):
    me = visit()
    page = me.page
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=16), seeded())
    with torch.no_grad():
        model.encoder[3].bias.copy_(torch.tensor([6.5, 0.0, -2.0, -2.0]))
    save_checkpoint(model, tmp_path / "far.safetensors", {"data": "digits", "kl_per_dim": [20.0, 1.0]})
    me.tab("Runs")
    page.set_input_files("#upload", tmp_path / "far.safetensors")
    page.get_by_role("button", name="Draw with it").click()
    begin(me)
    me.draw(*SEVEN)
    rested(me)
    place = "document.querySelector('.live-dim[data-dim=\"0\"] .live-dot').style.bottom"
    mu = float(page.locator("#draw .live-handles output").first.inner_text())
    far = reach(embed(model, digits.test), model.prior)[0].item()
    assert 5.5 < mu < far
    assert float(page.evaluate(place).removesuffix("%")) == pytest.approx(50 + 50 * mu / far, abs=0.1)
    mean = page.locator("#draw .live-handles input").first
    assert float(mean.input_value()) == pytest.approx(mu, abs=0.01)
    assert float(mean.get_attribute("max")) == pytest.approx(far, abs=0.01)


def test_what_is_wrong_is_said_and_the_view_stays(visit):
    me = visit()
    page = begin(me, 2)
    before = values(me)
    page.route(re.compile("component_server"), lambda route: route.abort())
    press(me, "Find the best q")
    page.wait_for_selector("text=The server does not answer.")
    assert values(me) == before
    page.unroute(re.compile("component_server"))
    me.errors[:] = [error for error in me.errors if "ERR_FAILED" not in error]
