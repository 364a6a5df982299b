"""The card of reparameterization: held noise, what passes through it, three estimators, and a training without it."""

import base64
import json
import re

import pytest
import torch

from ui.theory.estimates import ESTIMATORS
from vae_core import load_checkpoint
from vae_core.densities import DiagonalGaussian, gaussian_kl
from vae_core.evaluation.gradients import as_draws_grow, gradient_estimates

from ..conftest import ROOT, seeded

pytestmark = pytest.mark.browser

CARD = ".live-card-reparameterization"
LINK = "?tab=theory&card=reparameterization&model=mnist-mlp-2d"
LESSONS = ROOT / "checkpoints" / "lessons"
SLOPES = """async ([x, points]) => {
    const { slopesOf } = await import(new URL("live/theory/gradient/slopes.js", location.origin + location.pathname));
    const at = (await slopesOf("mnist-mlp-2d")).of(Float32Array.from(x));
    return points.map((z) => at(z));
}"""


NO_DECODER = """const real = fetch;
window.fetch = (address, ...rest) => String(address).endsWith("/decoder")
    ? Promise.resolve(new Response('{"error": "none"}', { status: 503 }))
    : real(address, ...rest);"""


@pytest.fixture(scope="module")
def model():
    return load_checkpoint(ROOT / "checkpoints" / "mnist-mlp-2d.safetensors")


@pytest.fixture
def card(visit):
    """A visitor at the card, whose slopes are known."""
    me = visit(LINK, fresh=True)
    known(me)
    return me


def known(me):
    me.page.wait_for_selector(f"{CARD} .live-cloud[data-tiles]:not(.live-old)", timeout=60_000)
    script = f"document.querySelector('{CARD} .live-numbers [data-value=to_mu]')?.textContent.startsWith('(')"
    me.page.wait_for_function(script, timeout=60_000)


def shown(me, name):
    """The numbers under a name."""
    text = me.page.locator(f"{CARD} .live-card-numbers [data-value={name}]").text_content()
    found = [float(part) for part in re.findall(r"-?[\d.]+", text.replace("−", "-").replace(",", ""))]
    return found


def pair(me, name):
    """The two numbers under a name."""
    text = me.page.locator(f"{CARD} .live-card-numbers [data-value={name}]").text_content()
    return torch.tensor([float(part) for part in text.strip("()").replace("−", "-").split(", ")])


def draws(me):
    """The z of each dot."""
    script = "(dots) => dots.map((it) => it.dataset.z.split(',').map(Number))"
    return torch.tensor(me.page.locator(f"{CARD} .live-dots-of-q circle").evaluate_all(script))


def slopes(model, x, z):
    """log p(x|z) and its gradient by torch."""
    z = z.clone().requires_grad_()
    log_px = model.log_px_z(x, z[:, None])[:, 0]
    return log_px.detach(), torch.autograd.grad(log_px.sum(), z)[0]


def seen(me):
    """The image in hand and q, as the page asks the server about them."""
    me.page.get_by_role("button", name="Three estimators").click()
    me.page.wait_for_selector(f"{CARD} .live-estimators[data-draws='10000']", timeout=60_000)
    asked = me.asked("estimators")[-1]
    image = torch.frombuffer(bytearray(base64.b64decode(asked["image"])), dtype=torch.uint8)
    return image.view(1, 1, 28, 28) / 255, torch.tensor(asked["mu"]), torch.tensor(asked["std"])


def drag(me, name, dx, dy):
    box = me.page.get_by_role("slider", name=name, exact=True).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    me.page.mouse.move(x, y)
    me.page.mouse.down()
    me.page.mouse.move(x + dx, y + dy, steps=3)
    me.page.mouse.up()


def test_the_slopes_of_the_page_are_those_of_torch(card, model):
    x = (torch.rand(1, 1, 28, 28, generator=seeded(1)) < 0.2).float()
    axis = torch.linspace(-2.7, 2.7, 7)
    z = torch.cartesian_prod(axis, axis)
    found = card.page.evaluate(SLOPES, [x.flatten().tolist(), z.tolist()])
    log_px, slope = slopes(model, x, z)
    off = (torch.tensor([it["log_px"] for it in found]) - log_px).abs()
    assert off.median() < 0.01 and off.quantile(0.95) < 0.05
    off = (torch.tensor([it["slope"] for it in found]) - slope).norm(dim=1) / slope.norm(dim=1)
    assert off.median() < 0.001 and off.quantile(0.9) < 0.01  # a network of ReLUs has kinks


def test_the_dots_keep_their_noise_and_pass_on_their_slopes(card, model):
    before = draws(card)
    x, mu, std = seen(card)
    eps = (before - mu) / std
    card.page.get_by_role("button", name="Hold ε").click()
    drag(card, "μ", 40, -30)
    drag(card, "σ of z0", 50, 0)
    drag(card, "σ of z1", 0, -20)
    known(card)
    after = draws(card)
    _, to_mu, to_std = seen(card)
    assert bool((to_mu > mu).all()) and bool((to_std > 1.1 * std).all())
    torch.testing.assert_close((after - to_mu) / to_std, eps, atol=2e-3, rtol=0)
    log_px, slope = slopes(model, x, after)
    by_mu, by_std = slope.mean(0), (slope * eps).mean(0)
    card.page.get_by_role("button", name="Hold ε").click()
    room = 0.02 * slope.norm(dim=1).mean() + 0.02
    assert (pair(card, "to_mu") - by_mu).abs().max() < room and (pair(card, "to_sigma") - by_std).abs().max() < room
    assert shown(card, "reconstruction")[0] == pytest.approx(float(log_px.mean()), abs=0.05)
    kl = gaussian_kl(to_mu, 2 * to_std.log()).sum()
    assert -shown(card, "minus_kl")[0] == pytest.approx(float(kl), abs=0.006)
    assert (pair(card, "kl_mu") + to_mu).abs().max() < 0.006
    assert (pair(card, "kl_sigma") - (1 / to_std - to_std)).abs().max() < 0.006
    card.page.get_by_role("button", name="New ε").click()
    known(card)
    assert (draws(card) - after).abs().max() > 0.01


def test_keys_move_the_handles_and_stop_at_their_bounds(card):
    mean = card.page.get_by_role("slider", name="μ", exact=True)
    before = mean.get_attribute("aria-valuetext")
    mean.press("ArrowRight")
    mean.press("ArrowUp")
    first, second = (float(text.replace("−", "-")) for text in before.split(", "))
    moved = [float(text.replace("−", "-")) for text in mean.get_attribute("aria-valuetext").split(", ")]
    assert moved == pytest.approx([first + 0.02, second + 0.02], abs=0.011)
    for _ in range(3):
        card.page.get_by_role("slider", name="σ of z0").press("Home")
    assert float(card.page.get_by_role("slider", name="σ of z0").get_attribute("aria-valuenow")) == 0.01  # 0.005
    known(card)
    assert "NaN" not in card.page.locator(CARD).inner_text()


def test_detached_q_becomes_the_prior_and_the_question_is_settled(card):
    card.page.get_by_role("button", name="−ELBO rises").click()
    card.page.get_by_role("button", name="Detach z", exact=True).click()
    assert pair(card, "to_mu").tolist() == [0, 0] == pair(card, "to_sigma").tolist()
    assert card.page.get_by_text("only the KL pulls").is_visible()
    kl = -shown(card, "minus_kl")[0]
    card.page.get_by_role("button", name="Follow the gradient").click()
    card.page.get_by_text("knows nothing of this image").wait_for(timeout=60_000)
    assert -shown(card, "minus_kl")[0] < 0.05 < kl
    card.page.wait_for_selector(f"{CARD} .live-settled .live-wrong")
    assert "only the KL" in card.page.locator(f"{CARD} .live-verdict").inner_text()


def test_the_way_uphill_can_be_stopped_and_raises_the_elbo(card, model):
    for _ in range(3):
        card.page.get_by_role("slider", name="μ", exact=True).press("Shift+ArrowUp")
    known(card)
    elbo = shown(card, "reconstruction")[0] + shown(card, "minus_kl")[0]
    card.page.get_by_role("button", name="Follow the gradient").click()
    card.page.wait_for_function(
        """(least) => {
            const value = (name) => document.querySelector(`.live-card-numbers [data-value=${name}]`).textContent;
            const [one, other] = ["reconstruction", "minus_kl"].map((it) => Number(value(it).replace("−", "-")));
            return one + other > least;
        }""",
        arg=elbo + 1,
        timeout=60_000,
    )
    button = card.page.get_by_role("button", name="Stop", exact=True)
    if button.count():
        button.click()
    assert card.page.get_by_role("button", name="Follow the gradient").is_visible()


def test_the_means_of_the_estimators_agree_within_their_errors(card, model):
    x, mu, std = seen(card)
    q = DiagonalGaussian(mu[None], 2 * std[None].log())
    found = gradient_estimates(model, x, 10_000, q=q, generator=seeded(0))
    slider = card.page.get_by_role("slider", name="number of draws")
    slider.press("End")
    for place, name in enumerate(("μ of z0", "μ of z1", "log σ² of z0", "log σ² of z1")):
        card.page.get_by_role("button", name=f"derivative by {name}").click()
        values = {estimator: shown(card, estimator) for estimator in ESTIMATORS}
        for estimator, (mean, error) in values.items():
            means, errors = as_draws_grow(getattr(found, estimator)[:, 0, place], [10_000])
            assert mean == pytest.approx(float(means), rel=0.01, abs=0.006)
            assert error == pytest.approx(float(errors), rel=0.01, abs=0.006)
            pathwise, its = values["pathwise"]
            assert abs(mean - pathwise) < 4 * (error**2 + its**2) ** 0.5
    assert shown(card, "draws") == [10_000]
    ratios = shown(card, "ratio_baseline")[0], shown(card, "ratio_score")[0]
    assert ratios == pytest.approx((found.variance_ratio("with_baseline"), found.variance_ratio()), rel=0.02)
    assert 1 < ratios[0] < 100 < ratios[1]
    for _ in range(8):
        slider.press("ArrowLeft")
    assert shown(card, "draws")[0] == pytest.approx(1000, rel=0.2)
    assert shown(card, "score")[1] > 2 * values["score"][1]
    slider.press("Home")
    assert shown(card, "draws") == [4]


def test_a_recorded_training_shows_the_blur_while_its_loss_falls(card):
    card.page.get_by_role("button", name="KL 0, one blur for all").click()
    card.page.get_by_role("button", name="Detach z in training").click()
    card.page.wait_for_selector(f"{CARD} canvas[data-lesson=detached]", timeout=30_000)
    card.page.get_by_role("slider", name="Step of the training").press("End")
    card.page.wait_for_selector(f"{CARD} canvas[data-lesson=detached][data-step='1410']")
    for name, lesson in (("detached", "detached"), ("through", "plain")):
        *_, last = map(json.loads, (LESSONS / lesson / "metrics.jsonl").read_text().splitlines())
        assert shown(card, f"{name}_elbo")[0] == pytest.approx(-last["train"]["elbo"], abs=0.006)
        assert shown(card, f"{name}_kl")[0] == pytest.approx(last["train"]["kl"], abs=0.006)
    assert shown(card, "detached_kl")[0] < 0.01
    said = card.page.locator(f"{CARD} .live-message").inner_text()
    first, last = (float(text) for text in re.findall(r"\d+\.\d", said))
    assert first - last > 2
    blurs = card.page.locator(f"{CARD} canvas[data-lesson=detached]").evaluate("""(canvas) => {
        const pen = canvas.getContext("2d");
        const picture = (n) => [...pen.getImageData(28 * n, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
        return Array.from({ length: 10 }, (_, n) => picture(n));
    }""")
    blurs = torch.tensor(blurs).float()
    assert blurs.std(0).max() < 15 and blurs.mean(0).max() > 60  # JPEG's noise, and a picture
    card.page.wait_for_selector(".live-card[data-done]")


def test_where_the_decoder_is_too_slow_here_the_server_finds_the_slopes(visit, model):
    me = visit(LINK, fresh=True, script=NO_DECODER)
    known(me)
    found = draws(me)
    x, *_ = seen(me)
    log_px, slope = slopes(model, x, found)
    assert me.asked("slopes_at") and (pair(me, "to_mu") - slope.mean(0)).abs().max() < 0.6
    assert shown(me, "reconstruction")[0] == pytest.approx(float(log_px.mean()), abs=0.03)


def test_it_leads_to_the_setting_in_train(card):
    card.page.get_by_role("button", name="Try it in Train").click()
    field = card.page.get_by_label("Gradient through z", exact=True)
    field.wait_for()
    assert field.input_value() == "reparameterized"


def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    me = visit(LINK, fresh=True, viewport={"width": 390, "height": 844}, has_touch=True)
    known(me)
    for act in ("Three estimators", "Detach z in training", "Hold ε"):
        me.page.get_by_role("button", name=act).click()
        assert me.page.evaluate("document.documentElement.scrollWidth") <= 390
