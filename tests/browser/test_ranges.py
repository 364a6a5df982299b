"""Ranges follow the model: one that is trained with β = 0 has its images far from the prior."""

import pytest
import torch

from vae_core import VAE, VAEConfig
from vae_core.evaluation.latent import embed

from ..conftest import seeded
from .test_draw import rested, values
from .test_latents import assert_decoded, opened, point, ready
from .test_map import RANGE

pytestmark = pytest.mark.browser

FURTHEST = 15.0


@pytest.fixture(scope="module")
def wide(digits):
    """A model whose test images lie up to 15 off in both dimensions, with narrow q(z|x)."""
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=16), seeded())
    with torch.no_grad():
        scale = FURTHEST / embed(model, digits.test).abs().amax(0)
        model.encoder[3].weight[:2] *= scale[:, None]
        model.encoder[3].bias[:2] *= scale
        model.encoder[3].bias[2:] = -14.0  # σ = 9e-4
    return model


@pytest.fixture(scope="module")
def example(wide, digits):
    """The label of the example that lies furthest out."""
    firsts = torch.stack([digits.test[(digits.test_labels == label).nonzero()[0, 0]] for label in range(10)])
    off = wide.posterior(firsts / 255).mu.abs().amax(1)
    assert off.max() > 10
    return int(off.argmax())


def test_the_map_shows_all_images_and_the_point_goes_to_them(visit, wide, run_of, digits):
    me = opened(visit, f"&model={run_of(wide, [2.0, 3.0], 5)}&z=15,-12")
    assert point(me) == [15, -12]
    ready(me)
    mu = embed(wide, digits.test)
    me.page.wait_for_function(f"{RANGE}[1] > {FURTHEST}")
    axes = "document.querySelector('.live-map-plot')._fullLayout"
    (left, right), (low, high) = me.page.evaluate(f"[{axes}.xaxis.range, {axes}.yaxis.range]")
    inside = (mu[:, 0] > left) & (mu[:, 0] < right) & (mu[:, 1] > low) & (mu[:, 1] < high)
    assert bool(inside.all())
    slider, number = me.page.locator(".live-list input").nth(0), me.page.locator(".live-list input").nth(1)
    ends = [float(slider.get_attribute(end)) for end in ("min", "max")]
    assert ends == pytest.approx([-1.05 * FURTHEST, 1.05 * FURTHEST], rel=1e-4)
    number.fill("-40")
    number.press("Enter")
    assert point(me) == [15, -40] and float(slider.get_attribute("min")) < -40
    assert_decoded(me, wide)


def test_the_point_of_a_drawing_far_out_is_where_it_is(visit, wide, run_of, example):
    me = opened(visit, f"&model={run_of(wide, [2.0, 3.0], 6)}")
    me.tab("Draw")
    me.page.get_by_label(f"Start from a {example}").click()
    rested(me)
    me.tab("Latents")
    me.page.get_by_role("button", name="My drawing").click()
    ranges = "[...document.querySelectorAll('.live-list input[type=range]')]"
    me.page.wait_for_function(f"{ranges}.some((it) => Math.abs(it.value) > 10)")
    assert max(map(abs, point(me))) > 10
    assert_decoded(me, wide)


def test_a_q_far_from_the_prior_can_be_moved(visit, wide, run_of, example):
    me = visit(f"?tab=draw&model={run_of(wide, [2.0, 3.0], 7)}")
    me.page.get_by_label(f"Start from a {example}").click()
    rested(me)
    own = values(me)
    mean, width = (me.page.locator("#draw .live-handles input").nth(n) for n in (0, 1))
    power = float(width.input_value())
    assert power < -3 and float(width.get_attribute("min")) < power  # of ten: where q is, and not where the slider ends
    for handle, value in ((mean, FURTHEST), (width, -2.5)):
        before = values(me)
        handle.evaluate("(it, value) => { it.value = value; it.dispatchEvent(new Event('input')); }", value)
        assert float(handle.input_value()) == pytest.approx(value)
        me.page.wait_for_function(
            "(kl) => document.querySelector('#draw [data-term=kl] output').textContent !== kl",
            arg=f"{before['kl']:.1f} nats",
        )
        assert me.page.inner_text("#draw .live-message") == ""
    assert values(me)["kl"] != own["kl"]
