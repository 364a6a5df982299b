"""The Draw tab's answers are the core's numbers, add up, and say in one sentence what is wrong with a question."""

import base64
import itertools
import math
from types import SimpleNamespace

import pytest
import torch

from ui.backend import Backend
from ui.tabs import draw
from ui.tabs.draw import CROWD, DRAWS, complete, crowd, judge, look, refine, truth
from ui.web.requests import of
from vae_core import VAE, VAEConfig, load_dataset, save_checkpoint
from vae_core.data import binarize, binarized_for_evaluation
from vae_core.densities import gaussian_kl
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import Proposal, log_likelihood
from vae_core.evaluation.gap import ascend
from vae_core.evaluation.inpaint import visible, visible_posterior
from vae_core.evaluation.noise import common_noise
from vae_core.evaluation.posterior import grid_truth
from vae_core.objective import elbo
from vae_core.runs.server import Runs

from ..conftest import ROOT, seeded

CONFIGS = {
    "small": VAEConfig(latent_dim=4, hidden_dim=8, prior_mean=0.5, prior_std=2.0),
    "plane": VAEConfig(latent_dim=2, hidden_dim=16),
    "linear": VAEConfig(architecture="linear", latent_dim=3, likelihood="gaussian", sigma=0.5),
    "grey": VAEConfig(latent_dim=3, hidden_dim=8, likelihood="continuous_bernoulli"),
}


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """A server with a model of each kind, no MNIST."""
    folder = tmp_path_factory.mktemp("draw")
    (folder / "checkpoints").mkdir()
    for name, config in CONFIGS.items():
        save_checkpoint(VAE(config, seeded()), folder / "checkpoints" / f"{name}.safetensors", {"data": "digits"})
    runs = Runs(folder / "runs", torch.device("cpu"))
    yield Backend(folder / "data", folder / "checkpoints", runs)
    runs.close()


def encoded(grey):
    return base64.b64encode(grey.to(torch.uint8).contiguous().numpy().tobytes()).decode()


def image(text):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8).reshape(-1, 28, 28)


GREY = load_dataset("digits", "unused").test[0, 0]
HIDDEN = torch.zeros(28, 28)
HIDDEN[14:] = 1


def asked(model, **more):
    return {"model": model, "image": encoded(GREY)} | more


def seen_by(backend, model):
    """The model, what it sees, and that as a request has it."""
    answer = look(backend, asked(model))
    return backend.load(model).model, image(answer["seen"]).float()[None] / 255, answer


@pytest.mark.parametrize("name", CONFIGS)
def test_look_is_the_cores_numbers(backend, name):
    model, x, answer = seen_by(backend, name)
    assert torch.equal(x, binarize(GREY, model.config.binarization, seeded())[None, None])
    assert torch.equal(image(answer["grey"])[0], GREY)
    with torch.inference_mode():
        terms = elbo(model, x, eps=common_noise(model.config.latent_dim))
        decoded = model.x_hat(terms.z)[:, 0]
        mu, logvar = model.encode(x)
        scatter = model.log_px_z(x, terms.z)[:, 0].std() / math.sqrt(DRAWS)
    assert answer["elbo"] == pytest.approx(terms.elbo.item(), abs=1e-3)
    assert answer["kl_per_dim"] == pytest.approx(terms.kl_per_dim[0].tolist(), abs=1e-5)
    assert answer["kl"] == pytest.approx(gaussian_kl(mu, logvar, model.config.prior_mean, model.config.prior_std).sum())
    assert answer["elbo"] == pytest.approx(answer["reconstruction_term"] - answer["kl"], abs=1e-3)
    assert answer["scatter"] == pytest.approx(scatter.item(), rel=1e-4)
    assert answer["std"] == pytest.approx(torch.exp(0.5 * logvar[0]).tolist(), abs=1e-6)
    assert torch.equal(image(answer["drawn"]), (decoded[:8, 0].clamp(0, 1) * 255).round().to(torch.uint8))
    assert answer["most"] == pytest.approx(decoded.std(0).max().item(), rel=1e-4)
    assert image(answer["spread"]).max() == 255


@pytest.mark.parametrize("draws", [64, 1000])
def test_log_px_is_the_estimate_by_as_many_draws_as_are_asked_for(backend, draws):
    model, x, _ = seen_by(backend, "small")
    answer = look(backend, asked("small", draws=draws))
    assert answer["log_px"] == pytest.approx(log_likelihood(model, x, draws, seeded()).item(), abs=1e-3)
    assert answer["exact"] is False and answer["how"] == f"estimated from below by {draws} draws of q(z|x)"
    assert answer["elbo"] == look(backend, asked("small"))["elbo"]


def test_of_probabilistic_pca_log_px_is_exact(backend):
    model, x, answer = seen_by(backend, "linear")
    assert answer["log_px"] == pytest.approx(ppca.log_likelihood(model, x).item(), abs=1e-6)
    assert answer["exact"] is True and "closed form" in answer["how"]
    assert answer["log_px"] - answer["elbo"] > -3 * answer["scatter"]


def posterior_of(model, x):
    """p(z|x) of a linear Gaussian model, by Bayes' theorem for Gaussians."""
    dims = model.config.latent_dim
    offset = model.decode(torch.zeros(1, dims)).detach().double().flatten()
    weight = torch.stack([model.decode(one[None]).detach().double().flatten() - offset for one in torch.eye(dims)], 1)
    covariance = torch.linalg.inv(torch.eye(dims).double() + weight.T @ weight / model.sigma**2)
    mean = covariance @ weight.T @ (x.double().flatten() - offset) / model.sigma**2
    return torch.distributions.MultivariateNormal(mean, covariance)


def test_of_probabilistic_pca_the_gap_and_its_parts_are_exact(tmp_path):
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    backend, name = Backend(tmp_path / "data", ROOT / "checkpoints", runs), "digits-linear-8d"
    model, x, answer = seen_by(backend, name)
    posterior = posterior_of(model, x)
    q = torch.distributions.MultivariateNormal(
        torch.tensor(answer["z"]).double(), torch.diag(torch.tensor(answer["std"]).double() ** 2)
    )
    gap = torch.distributions.kl_divergence(q, posterior).item()
    assert answer["log_px"] - answer["elbo"] == pytest.approx(gap, abs=2e-3)
    best = torch.distributions.MultivariateNormal(posterior.mean, torch.diag(1 / posterior.precision_matrix.diag()))
    approximation = torch.distributions.kl_divergence(best, posterior).item()
    path = refine(backend, {"model": name, "image": answer["seen"]})["path"]
    assert answer["log_px"] - path[-1]["elbo"] == pytest.approx(approximation, abs=2e-3)
    assert min(gap, approximation, answer["scatter"]) > 0.05
    runs.close()


def test_of_a_plane_log_px_is_the_grids(backend):
    model, x, answer = seen_by(backend, "plane")
    found = truth(backend, {"model": "plane", "image": answer["seen"]})
    exact = grid_truth(model, x)
    assert found["log_px"] == pytest.approx(exact.log_px.item(), abs=1e-3)
    assert found["uncertainty"] == pytest.approx(exact.error.item(), abs=1e-6)
    gap = found["log_px"] - answer["elbo"]
    assert gap == pytest.approx(exact.kl_q_posterior.item(), abs=5 * answer["scatter"] + 0.01)


def test_where_the_grid_does_not_hold_q_nothing_is_called_exact(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    model = VAE(CONFIGS["plane"], seeded())
    with torch.no_grad():
        model.encoder[3].bias.copy_(torch.tensor([400.0, 0.0, 0.0, 0.0]))
    save_checkpoint(model, tmp_path / "checkpoints" / "far.safetensors", {"data": "digits"})
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    found = truth(Backend(tmp_path / "data", tmp_path / "checkpoints", runs), asked("far"))
    assert found["log_px"] is None and found["half"] > 1
    runs.close()


def test_the_posteriors_picture_has_its_largest_value_where_the_posterior_has(backend):
    model, x, answer = seen_by(backend, "plane")
    found = truth(backend, {"model": "plane", "image": answer["seen"]})
    side = found["cells"]
    density = torch.frombuffer(bytearray(base64.b64decode(found["density"])), dtype=torch.uint8).reshape(side, side)
    row, column = divmod(int(density.argmax()), side)
    middle, half = torch.tensor(found["center"]), found["half"]
    peak = middle + half * torch.tensor([2 * column / (side - 1) - 1, 1 - 2 * row / (side - 1)])
    z = peak.clone().requires_grad_()
    log_joint = model.log_px_z(x, z[None]) - 0.5 * z.square().sum()
    step = torch.autograd.functional.hessian(
        lambda z: (model.log_px_z(x, z[None]) - 0.5 * z.square().sum()).sum(), peak
    )
    newton = -torch.linalg.solve(step, torch.autograd.grad(log_joint.sum(), z)[0])
    assert newton.abs().max() < 2 * half / (side - 1) * 1.5  # within a cell or so of where the derivative is 0
    assert density[0].max() < 60 and density[:, 0].max() < 60  # little of it lies outside


@pytest.mark.parametrize("name", CONFIGS)
def test_the_encoders_q_is_judged_as_look_does(backend, name):
    _, _, answer = seen_by(backend, name)
    q = {"mu": answer["z"], "std": answer["std"]}
    judged = judge(backend, {"model": name, "image": answer["seen"]} | q)
    for term in ("elbo", "reconstruction_term", "kl", "scatter"):
        assert judged[term] == pytest.approx(answer[term], abs=2e-3), term
    assert judged["kl_per_dim"] == pytest.approx(answer["kl_per_dim"], abs=1e-4)
    for picture in ("reconstruction", "drawn", "spread"):
        assert (image(judged[picture]).int() - image(answer[picture]).int()).abs().max() <= 1, picture
    assert judged["most"] == pytest.approx(answer["most"], rel=1e-3)


def test_a_q_in_the_hand_has_the_terms_of_the_definition(backend):
    model, x, answer = seen_by(backend, "small")
    mu, std = [0.5, -1.0, 2.0, 0.0], [0.3, 1.0, 2.0, 0.05]
    judged = judge(backend, {"model": "small", "image": answer["seen"], "mu": mu, "std": std})
    q = torch.distributions.Normal(torch.tensor(mu), torch.tensor(std))
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.5, 2.0))
    assert judged["kl_per_dim"] == pytest.approx(kl.tolist(), abs=1e-5)
    z = q.loc + q.scale * common_noise(4)
    assert judged["reconstruction_term"] == pytest.approx(model.log_px_z(x, z).mean().item(), abs=1e-3)
    assert judged["elbo"] == pytest.approx(judged["reconstruction_term"] - judged["kl"], abs=1e-3)


@pytest.mark.parametrize("name", CONFIGS)
def test_refining_leads_from_the_encoders_q_to_a_better_one(backend, name):
    model, x, answer = seen_by(backend, name)
    found = refine(backend, {"model": name, "image": answer["seen"]})
    path = found["path"]
    assert 1 < len(path) <= draw.WAYPOINTS and path[0]["step"] == 0
    assert path[0]["mu"] == pytest.approx(answer["z"], abs=1e-6)
    assert path[0]["elbo"] == pytest.approx(answer["elbo"], abs=2e-3)
    assert path[-1]["elbo"] == max(at["elbo"] for at in path) > path[0]["elbo"]
    last = {"mu": path[-1]["mu"], "std": path[-1]["std"]}
    judged = judge(backend, {"model": name, "image": answer["seen"]} | last)
    assert judged["elbo"] == pytest.approx(path[-1]["elbo"], abs=2e-3)
    q = Proposal(torch.tensor([last["mu"]]), torch.tensor([last["std"]]))
    again = log_likelihood(model, x, 1000, seeded(), proposal=lambda *_: q)
    assert found["log_px"] == pytest.approx(again.item(), abs=0.01)


def test_the_way_is_that_of_the_core(backend):
    model, x, answer = seen_by(backend, "small")
    path = refine(backend, {"model": "small", "image": answer["seen"]})["path"]
    way = [q.mu for q, _ in ascend(model, x, max_steps=draw.MOST_STEPS)]
    for at in path:
        assert at["mu"] == pytest.approx(way[at["step"]][0].tolist(), abs=1e-5)


def test_a_refinement_that_is_cut_short_says_so(backend, monkeypatch):
    request = {"model": "small", "image": encoded(GREY)}
    ticks = itertools.repeat(0.0)  # however long it takes
    monkeypatch.setattr(draw, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    assert refine(backend, request)["ended"]
    with monkeypatch.context() as fewer:
        fewer.setattr(draw, "MOST_STEPS", 20)
        assert not refine(backend, request)["ended"]
    ticks = itertools.count(0.0, draw.MOST_SECONDS / 4)  # the first look at the clock is before the first step
    found = refine(backend, request)
    assert not found["ended"] and [at["step"] for at in found["path"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("function", [refine, complete, truth])
def test_a_busy_server_says_so(backend, monkeypatch, function):
    monkeypatch.setattr(draw, "PATIENCE", 0.01)
    request = asked("plane", hidden=encoded(HIDDEN))
    with draw._turn(), draw._turn():
        assert "busy" in of(backend, function)(request)["error"]
    assert "error" not in of(backend, function)(request)


@pytest.mark.parametrize("name", CONFIGS)
def test_completing_changes_hidden_pixels_only(backend, name):
    answer = complete(backend, asked(name, hidden=encoded(HIDDEN)))
    for completed in (image(answer["completed"])[0], *image(answer["drawn"])):
        assert torch.equal(completed[:14], GREY[:14])
        assert not torch.equal(completed[14:], GREY[14:])


def test_what_is_completed_is_the_mean_over_the_posterior_of_the_visible_pixels(backend):
    answer = complete(backend, asked("grey", hidden=encoded(HIDDEN)))
    model, hidden, x = backend.load("grey").model, HIDDEN[None, None] > 0, GREY[None, None] / 255
    q = visible_posterior(model, x, hidden)
    z = q.sample(torch.randn(DRAWS, 1, 3, generator=seeded()))
    expected = (model.x_hat(z).mean(0)[0, 0] * 255).round()
    assert (image(answer["completed"])[0][14:].float() - expected[14:]).abs().max() <= 1
    # What lies under the hidden part is not looked at.
    blank = GREY * (1 - HIDDEN).to(torch.uint8)
    again = complete(backend, {"model": "grey", "image": encoded(blank), "hidden": encoded(HIDDEN)})
    assert again["completed"] == answer["completed"]


SEEN = HIDDEN.flatten() == 0
PIXELS = {
    "bernoulli": lambda model, params: torch.distributions.Bernoulli(logits=params, validate_args=False),
    "continuous_bernoulli": lambda model, params: torch.distributions.ContinuousBernoulli(logits=params),
    "gaussian": lambda model, params: torch.distributions.Normal(params, model.sigma),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_with_a_hidden_part_the_visible_pixels_alone_are_scored(backend, name):
    request = asked(name, hidden=encoded(HIDDEN), draws=1000)
    answer = look(backend, request)
    model, x = backend.load(name).model, image(answer["seen"]).float() / 255
    q = torch.distributions.Normal(torch.tensor(answer["z"]), torch.tensor(answer["std"]))
    with torch.inference_mode():
        params = model.decode(q.loc + q.scale * common_noise(len(answer["z"]))).flatten(1)[:, SEEN]
        log_px = PIXELS[model.config.likelihood](model, params).log_prob(x.flatten()[SEEN]).sum(1)
    assert answer["reconstruction_term"] == pytest.approx(log_px.mean().item(), abs=2e-3)
    prior = torch.distributions.Normal(model.config.prior_mean, model.config.prior_std)
    assert answer["kl"] == pytest.approx(torch.distributions.kl_divergence(q, prior).sum().item(), rel=1e-4)
    assert answer["elbo"] == pytest.approx(answer["reconstruction_term"] - answer["kl"], abs=1e-3)
    assert answer["elbo"] < answer["log_px"] + 3 * answer["scatter"]
    # The same of a q that is dragged, and of the way to the best one.
    seen = asked(name, image=answer["seen"], hidden=encoded(HIDDEN))
    judged = judge(backend, seen | {"mu": answer["z"], "std": answer["std"]})
    assert judged["elbo"] == pytest.approx(answer["elbo"], abs=2e-3)
    found = refine(backend, seen)
    first, last = found["path"][0], found["path"][-1]
    assert first["elbo"] == pytest.approx(answer["elbo"], abs=2e-3) and last["elbo"] > first["elbo"]
    assert last["elbo"] < found["log_px"] + 3 * last["scatter"]
    # What lies under the hidden part does not matter.
    other = look(backend, request | {"image": encoded(torch.where(HIDDEN > 0, 255 - GREY, GREY))})
    for number in ("elbo", "reconstruction_term", "kl", "log_px", "z", "std"):
        assert other[number] == answer[number], number


def test_of_probabilistic_pca_log_px_of_the_visible_pixels_is_exact(backend):
    model = backend.load("linear").model
    answer = look(backend, asked("linear", hidden=encoded(HIDDEN)))
    w, b = model.decoder.weight.detach().double(), model.decoder.bias.detach().double()
    covariance = w @ w.T + model.sigma**2 * torch.eye(784).double()
    marginal = torch.distributions.MultivariateNormal(b[SEEN], covariance[SEEN][:, SEEN])
    x = image(answer["seen"]).double().flatten()[SEEN] / 255
    assert answer["log_px"] == pytest.approx(marginal.log_prob(x).item(), abs=1e-3)
    assert answer["exact"] is True


def test_of_a_plane_the_truth_is_that_of_the_visible_pixels(backend):
    model, x, answer = seen_by(backend, "plane")
    whole = {"model": "plane", "image": answer["seen"]}
    found = truth(backend, whole | {"hidden": encoded(HIDDEN)})
    exact = grid_truth(visible(model, HIDDEN > 0), x)
    assert found["log_px"] == pytest.approx(exact.log_px.item(), abs=1e-3)
    assert found["log_px"] > truth(backend, whole)["log_px"] + 1
    given = look(backend, asked("plane", hidden=encoded(HIDDEN)))
    gap = found["log_px"] - given["elbo"]
    assert gap == pytest.approx(exact.kl_q_posterior.item(), abs=5 * given["scatter"] + 0.01)


def test_where_nothing_is_hidden_all_is_as_without_a_mask(backend):
    assert look(backend, asked("small", hidden=BLANK)) == look(backend, asked("small"))
    _, _, answer = seen_by(backend, "small")
    seen = {"model": "small", "image": answer["seen"]}
    assert judge(backend, seen | Q | {"hidden": BLANK}) == judge(backend, seen | Q)


def test_the_crowd_is_the_test_images_elbos(backend):
    found = crowd(backend, {"model": "small"})
    loaded = backend.load("small")
    images = load_dataset("digits", "unused").test[:CROWD]
    assert len(found["elbos"]) == len(images) and found["data"] == "digits"
    assert found["elbos"] == sorted(found["elbos"]) and found["version"] == look(backend, asked("small"))["version"]
    x = binarized_for_evaluation(images, loaded.model.config.binarization)
    with torch.inference_mode():
        mine = [elbo(loaded.model, one[None], DRAWS, generator=seeded(3)).elbo.item() for one in x[:100]]
        everyone = elbo(loaded.model, x, DRAWS, generator=seeded(4)).elbo
    assert sum(found["elbos"]) / len(images) == pytest.approx(everyone.mean().item(), abs=0.2)
    # The share with a higher ELBO is that of counting: the middle of the images has half of them above it.
    median = sorted(mine)[50]
    assert sum(value > median for value in found["elbos"]) / len(images) == pytest.approx(0.5, abs=0.1)


def test_a_crowd_is_computed_once_for_a_version(backend, monkeypatch):
    first = crowd(backend, {"model": "grey"})
    monkeypatch.setattr(draw, "elbo", None)
    assert crowd(backend, {"model": "grey"}) == first


Q = {"mu": [0.5] * 4, "std": [1.0] * 4}
BLANK = encoded(torch.zeros(28, 28))


@pytest.mark.parametrize(
    ("function", "change", "message"),
    [
        (look, {"draws": 0}, "draws is 0; it must be a whole number from 1 to 1000"),
        (look, {"draws": 10**9}, "draws is 1000000000"),
        (look, {"draws": "64"}, "draws is '64'"),
        (look, {"draws": math.nan}, "draws is nan"),
        (look, {"image": encoded(torch.zeros(27, 28))}, "image has 756 bytes; it must have 28×28"),
        (look, {"image": [math.nan] * 784}, "image must be base64 of 28×28 bytes"),
        (look, {"image": "a four"}, "image must be base64 of 28×28 bytes"),
        (look, {"model": "none"}, "no such model"),
        (judge, {"model": "none"}, "no such model"),
        (judge, {"image": None}, "image must be base64"),
        (judge, {"mu": [0.5] * 3}, "mu must be a list of 4 numbers"),
        (judge, {"std": [1.0] * 5}, "std must be a list of 4 numbers"),
        (judge, {"mu": "0000"}, "mu must be a list of 4 numbers"),
        (judge, {"mu": None}, "mu must be a list of 4 numbers"),
        (judge, {"mu": [0.5, 0.5, 0.5, "1"]}, "mu is '1'; it must be a number from -3.40282e+38 to 3.40282e+38"),
        (judge, {"mu": [0.5, 0.5, 0.5, math.nan]}, "mu is nan"),
        (judge, {"mu": [0.5, 0.5, 0.5, True]}, "mu is True"),
        (judge, {"mu": [0.5, 0.5, 0.5, -1e39]}, "mu is -1e+39; it must be a number from -3.40282e+38"),
        (judge, {"std": [1.0, 1.0, 1.0, 0]}, "std is 0; it must be a number from 1.17549e-38 to 3.40282e+38"),
        (judge, {"std": [1.0, 1.0, 1.0, -1.0]}, "std is -1.0"),
        (judge, {"std": [1.0, 1.0, 1.0, 1e39]}, "std is 1e+39"),
        (judge, {"std": [1.0, 1.0, 1.0, math.inf]}, "std is inf"),
        (refine, {"model": 3}, "no such model"),
        (refine, {"image": BLANK[:8]}, "image has 6 bytes"),
        (complete, {"hidden": BLANK}, "Nothing is hidden"),
        (complete, {"hidden": None}, "Nothing is hidden"),
        *[
            (function, {"hidden": hidden}, message)
            for function in (look, judge, refine, complete, truth)
            for hidden, message in (
                ("x", "hidden must be base64 of 28×28 bytes"),
                (784 * [0], "hidden must be base64 of 28×28 bytes"),
                (encoded(torch.ones(28, 27)), "hidden has 756 bytes; it must have 28×28"),
                (encoded(torch.ones(28, 28)), "All pixels are hidden: leave at least one of them visible."),
            )
        ],
        (complete, {"model": None}, "no such model"),
        (crowd, {"model": "../plane"}, "no such model"),
        (truth, {}, "latent_dim is 4; the posterior's grid needs a model of 2 dimensions"),
        (truth, {"image": 7}, "image must be base64"),
    ],
)
def test_a_bad_request_gets_one_sentence(backend, function, change, message):
    answer = of(backend, function)(asked("small", hidden=encoded(HIDDEN)) | Q | change)
    assert list(answer) == ["error"] and message in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize("function", [look, judge, refine, complete, crowd, truth])
@pytest.mark.parametrize("request_", [None, [], "small", {}])
def test_what_is_no_request_gets_one_sentence(backend, function, request_):
    assert of(backend, function)(request_) == {"error": "The request has no model."}


def test_what_is_not_finite_becomes_null(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    model = VAE(CONFIGS["grey"], seeded())
    with torch.no_grad():
        model.decoder[2].bias.fill_(-3e38)
    save_checkpoint(model, tmp_path / "checkpoints" / "broken.safetensors", {"data": "digits"})
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    backend = Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    answer = look(backend, asked("broken"))
    assert answer["elbo"] is None and answer["log_px"] is None and answer["scatter"] is None
    assert crowd(backend, {"model": "broken"})["elbos"] == []
    assert refine(backend, {"model": "broken", "image": answer["seen"]})["path"][0]["elbo"] is None
    with torch.no_grad():
        model.encoder[3].bias.fill_(1000.0)
    save_checkpoint(model, tmp_path / "checkpoints" / "broken.safetensors", {"data": "digits"})
    assert "not finite" in of(backend, look)(asked("broken"))["error"]
    runs.close()


def test_a_stroke_decodes_each_draw_once(backend, monkeypatch):
    decoded, decode = [], VAE.decode

    def counting(self, z):
        decoded.append(z.shape[:-1].numel())
        return decode(self, z)

    monkeypatch.setattr(VAE, "decode", counting)
    look(backend, asked("small"))
    assert sorted(decoded) == [1, 64, 64]  # the mean of q, the draws of the ELBO, those of log p̂(x)
