"""The arithmetic of the JavaScript modules, run by Chromium, against torch."""

import math

import pytest
import torch

from vae_core.runs.config import ALL_SETTINGS

from ..conftest import seeded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(browser, server):
    """Runs an expression with what a module exports in reach, and gives its value."""
    page = browser.new_page()
    page.goto(f"{server.url}/live/shared/page.js")

    def evaluate(module, expression, argument=None):
        script = f"async (a) => {{ const m = await import(`/live/{module}.js`); return {expression}; }}"
        return page.evaluate(script, argument)

    yield evaluate
    page.close()


def test_the_normal_distribution_is_that_of_torch(run):
    normal = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1.0)
    x = torch.linspace(-7.5, 7.5, 301, dtype=torch.float64)
    assert run("space/normal", "a.map(m.probability)", x.tolist()) == pytest.approx(normal.cdf(x).tolist(), abs=1e-14)
    assert run("space/normal", "a.map(m.density)", x.tolist()) == pytest.approx(
        normal.log_prob(x).exp().tolist(), rel=1e-12
    )
    p = torch.linspace(0.0005, 0.9995, 200, dtype=torch.float64)
    assert run("space/normal", "a.map(m.quantile)", p.tolist()) == pytest.approx(normal.icdf(p).tolist(), abs=1e-7)
    draws = torch.tensor(run("space/normal", "Array.from({ length: 40000 }, m.normal)"))
    assert abs(draws.mean()) < 0.03 and abs(draws.std() - 1) < 0.02 and draws.isfinite().all()


def test_names_of_runs_go_over_several_lines(run):
    names = ("epochs", "objective", "schedule", "start", "average", "patience")
    rows = [{"name": "", "title": "t", "created": "", "settings": {n: f"{n * 2} {i}" for n in names}} for i in (1, 2)]
    first, second = run("compare/names", "m.named(a)", rows)
    assert first.replace("<br>", " ") == ", ".join(f"{ALL_SETTINGS[name].short} = {name * 2} 1" for name in names)
    assert max(len(line) for line in first.split("<br>")) < 80 and second != first


def test_names_of_runs_are_words(run):
    kinds = ("continuous_bernoulli", "bernoulli")
    rows = [{"name": "", "title": "t", "created": "", "settings": {"likelihood": kind}} for kind in kinds]
    assert run("compare/names", "m.named(a)", rows) == ["likelihood = continuous Bernoulli", "likelihood = Bernoulli"]


def test_the_line_goes_in_equal_steps(run):
    a, b = [1.0, -2.0, 0.5], [3.0, 0.0, 0.5]
    points = torch.tensor(run("latents/ways", "m.line(...a, 5).map((z) => [...z])", [a, b]))
    assert torch.allclose(points, torch.lerp(torch.tensor(a), torch.tensor(b), torch.linspace(0, 1, 5)[:, None]))


def test_the_great_circle_turns_and_grows_evenly(run):
    a, b = (torch.randn(2, 6, generator=seeded()) * torch.tensor([[1.0], [2.0]]) + 3).tolist()
    points = torch.tensor(run("latents/ways", "m.circle(...a, 9, 3).map((z) => [...z])", [a, b])) - 3
    assert torch.allclose(points[[0, -1]] + 3, torch.tensor([a, b]), atol=1e-5)
    radii = points.norm(dim=1)
    assert torch.allclose(radii.diff(), radii.diff().mean().expand(8), atol=1e-5)
    unit = points / radii[:, None]
    angles = torch.arccos((unit[1:] * unit[:-1]).sum(1))
    assert torch.allclose(angles, angles.mean().expand(8), atol=1e-3) and angles.sum() > 0.5
    flat = torch.linalg.matrix_rank(points, atol=1e-4)
    assert flat == 2  # all in one plane


def test_the_great_circle_of_one_ray_or_through_the_middle_is_the_line(run):
    for a, b in (([1, 1], [2, 2]), ([1, 0], [-1, 0]), ([0, 0], [1, 0])):
        circle, line = (
            run("latents/ways", f"m.{way}(...a, 5).map((z) => [...z])", [a, b]) for way in ("circle", "line")
        )
        assert circle == line


@pytest.mark.parametrize("quantiles", [True, False])
def test_a_plane_keeps_what_is_off_it(run, quantiles):
    axes, _ = torch.linalg.qr(torch.randn(5, 2, generator=seeded(), dtype=torch.float64))
    axes, z = axes.T, torch.randn(5, generator=seeded(1), dtype=torch.float64)
    script = """(() => {
        const p = m.plane(a.axes, 0.5, 2, a.quantiles, 15), moved = p.through(a.z, [0.3, -0.7]);
        const drawn = [0.3, -0.7].map(p.drawn), back = drawn.map(p.at);
        return { from: p.coordinates(a.z), moved: [...moved], drawn, back, whole: p.whole(0) };
    })()"""
    it = run("space/plane", script, {"axes": axes.tolist(), "z": z.tolist(), "quantiles": quantiles})
    moved = torch.tensor(it["moved"], dtype=torch.float64)
    assert it["from"] == pytest.approx((axes @ z).tolist())
    assert (axes @ moved).tolist() == pytest.approx([0.3, -0.7], abs=1e-6)
    rest = torch.eye(5, dtype=torch.float64) - axes.T @ axes
    assert torch.allclose(rest @ moved, rest @ z, atol=1e-6)
    assert it["back"] == pytest.approx([0.3, -0.7], abs=1e-6)
    centres = 0.5 * axes.sum(1)
    places = torch.distributions.Normal(centres, 2.0).cdf(torch.tensor([0.3, -0.7])) if quantiles else [0.3, -0.7]
    assert it["drawn"] == pytest.approx([float(place) for place in places])
    assert it["whole"] == pytest.approx([0, 1] if quantiles else [centres[0].item() - 15, centres[0].item() + 15])


def test_the_scale_of_the_meter_ends_in_plain_numbers(run):
    scale = "it.node.querySelector('.live-scale').textContent"
    script = f"(() => {{ const it = new m.Meter(); it.show(a, null); return {scale}; }})()"
    terms = TERMS | {"elbo": -228.8, "kl": 4.7, "reconstruction_term": -224.1, "log_px": -228.1}
    assert (
        run("meter/meter", script, terms) == "−231−220.5 nats (the scale does not begin at 0)"
    )  # with room for a better q


TERMS = {"elbo": -10.4, "kl": 2.0, "reconstruction_term": -8.4, "log_px": -10.0}
TERMS |= {"scatter": 0.1, "exact": False, "how": ""}
SHOWN = """(() => {
    const it = new m.Meter();
    if (a.evidence) it.about(a.evidence);
    it.show(a, null);
    return [...it.node.querySelectorAll("tr")].filter((row) => !row.hidden).map((row) => row.innerText);
})()"""


def test_every_number_of_the_meter_is_its_own_and_they_add_up(run):
    terms = TERMS | {"elbo": -10.44, "kl": 2.04, "reconstruction_term": -8.40, "log_px": -10.02}  # −8.4 − 2.0 ≠ −10.5
    shown = "".join(run("meter/meter", SHOWN, terms))
    for number in ("−8.4", "2.0", "−10.4", "0.4", "−10.0"):
        assert number in shown
    terms = TERMS | {"elbo": -10.48, "kl": 2.04, "reconstruction_term": -8.44}  # −8.4 − 2.0 is not −10.5
    shown = "".join(run("meter/meter", SHOWN, terms))
    for number in ("−8.44", "2.04", "−10.48", "0.48", "−10.00"):
        assert number in shown


def test_numbers_that_cannot_add_up_say_so(run):
    assert "≈" in "".join(run("meter/meter", SHOWN, TERMS | {"elbo": -10.0}))
    assert "≈" not in "".join(run("meter/meter", SHOWN, TERMS))


def test_of_grey_pixels_nothing_is_called_log_p_of_x(run):
    grey = "".join(run("meter/meter", SHOWN, TERMS | {"evidence": "log s(x)", "scatter": None}))
    assert "log p(x)" not in grey and "log p̂(x)" not in grey and "log ŝ(x)" in grey and "at most log s(x)" in grey
    known = {"evidence": "log s(x)", "exact": True, "how": "by quadrature"}  # the flag decides, whatever the words
    assert "log s(x)" in "".join(run("meter/meter", SHOWN, TERMS | known))
    assert "log p̂(x)" in "".join(run("meter/meter", SHOWN, TERMS | {"evidence": "log p(x)"}))


def test_what_is_rounded_to_0_has_no_sign(run):
    numbers = ["-0.0", "-0", "-0.00 nats", "-0.01", "-10", "-0.5 to 1"]
    assert run("shared/page", "a.map(m.minus)", numbers) == ["0.0", "0", "0.00 nats", "−0.01", "−10", "−0.5 to 1"]


def test_a_simple_picture_is_not_called_strange_by_0_percent(run):
    script = """(() => {
        const it = m.crowdView();
        it.take({ elbos: Array.from({ length: 1000 }, (_, i) => i - 1000), data: "MNIST", version: "1" });
        return a.map((elbo) => { it.show(elbo, "1"); return it.node.querySelector(".live-sentence").textContent; });
    })()"""
    blank, simple, usual, strange = run("draw/crowd", script, [5.0, -3.5, -500.5, -2000.0])
    end = " of MNIST’s test images, by its ELBO"
    assert blank == f"easier to explain than all{end}: simple, which does not make it typical"
    assert simple == f"easier to explain than over 99 %{end}: simple, which does not make it typical"
    assert usual == f"stranger than 50 %{end}"
    assert strange == f"stranger than 100 %{end}"


def test_the_mean_of_a_label_is_over_its_images(run):
    mu, labels = torch.randn(50, 3, generator=seeded()), torch.arange(50) % 3
    about = {"mu": mu.flatten().tolist(), "labels": labels.tolist(), "dims": 3}
    assert run("latents/arithmetic", "[...m.centre(a, 2)]", about) == pytest.approx(
        mu[labels == 2].mean(0).tolist(), abs=1e-6
    )
    assert run("latents/arithmetic", "m.centre(a, 7)", about) is None
    assert math.isclose(run("space/plane", "m.unit(1, 3)[1]"), 1.0)
