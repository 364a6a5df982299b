"""What the card of reparameterization asks of the server: three estimators of the gradient, as the draws grow."""

import base64
import itertools

import pytest
import torch
from torch.testing import assert_close

from ui.theory.estimates import ESTIMATORS, MOST_DRAWS, estimators, slopes_at, spaced
from ui.web.requests import answering, of
from vae_core import load_checkpoint
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.gradients import gradient_estimates

from ...conftest import ROOT, seeded

MODEL = ROOT / "checkpoints" / "mnist-mlp-2d.safetensors"
MU, STD = [0.4, -0.8], [0.2, 0.1]
GREY = (torch.rand(784, generator=seeded(1)) < 0.2).byte() * 255
ASKED = {"model": "one", "image": base64.b64encode(GREY.numpy().tobytes()).decode(), "mu": MU, "std": STD, "draws": 512}


class Only:
    """A server with one model."""

    def load(self, name):
        return type("Loaded", (), {"model": load_checkpoint(MODEL)})


def test_they_are_those_of_the_core_for_the_q_that_was_asked():
    answer = estimators(Only(), ASKED)
    q = DiagonalGaussian(torch.tensor([MU]), 2 * torch.tensor([STD]).log())
    x = (GREY / 255).view(1, 1, 28, 28)
    found = gradient_estimates(load_checkpoint(MODEL), x, 512, q=q, generator=seeded(0))
    assert answer["counts"] == spaced(512) and answer["counts"][-1] == 512
    for name in ESTIMATORS:
        estimates = getattr(found, name)[:, 0].double()
        for row, count in enumerate(answer["counts"]):
            some = estimates[:count]
            assert_close(torch.tensor(answer[name]["mean"][row]).double(), some.mean(0), rtol=1e-5, atol=1e-3)
            error = some.std(0) / count**0.5
            assert_close(torch.tensor(answer[name]["error"][row]).double(), error, rtol=1e-5, atol=1e-3)
        assert answer[name]["ratio"] == pytest.approx(found.variance_ratio(name), rel=1e-5)
    assert answer["pathwise"]["ratio"] == pytest.approx(1)
    assert answer["score"]["ratio"] > 10 * answer["with_baseline"]["ratio"]


def test_the_means_agree_within_their_errors():
    answer = estimators(Only(), ASKED | {"draws": 4000})
    mean, error = ({name: torch.tensor(answer[name][of][-1]) for name in ESTIMATORS} for of in ("mean", "error"))
    for name in ("score", "with_baseline"):
        off = (mean[name] - mean["pathwise"]).abs() / (error[name].square() + error["pathwise"].square()).sqrt()
        assert float(off.max()) < 4


def test_slopes_are_those_of_autograd():
    points = [[0.3, -1.2], [2.0, 0.5]]
    answer = slopes_at(Only(), ASKED | {"z": points})
    model, x = load_checkpoint(MODEL), (GREY / 255).view(1, 1, 28, 28)
    for point, log_px, slope in zip(points, answer["log_px"], answer["slope"], strict=True):
        z = torch.tensor([point], requires_grad=True)
        found = model.log_px_z(x, z)
        found.sum().backward()
        assert log_px == pytest.approx(float(found.detach()), abs=2e-3)
        assert slope == pytest.approx(z.grad[0].tolist(), rel=1e-4, abs=2e-3)


@pytest.mark.parametrize(
    ("z", "message"), [([], "z must be a list of 1 to 64"), ([[0, 0]] * 65, "z must be"), ([[0.0]], "z")]
)
def test_points_that_cannot_be_used_are_said_in_a_sentence(z, message):
    assert answering(of(Only(), slopes_at))(ASKED | {"z": z})["error"].startswith(message)


def test_counts_are_even_over_their_logarithm():
    counts = spaced(MOST_DRAWS)
    assert counts == sorted(set(counts)) and (counts[0], counts[-1]) == (4, MOST_DRAWS) and len(counts) < 40
    assert all(later / earlier < 1.7 for earlier, later in itertools.pairwise(counts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": 10_001}, "draws is 10001; it must be a whole number from 16 to 10000."),
        ({"draws": 1}, "draws is 1; it must be a whole number from 16 to 10000."),
        ({"mu": [0.0]}, "mu"),
        ({"std": [0.1, 0.0]}, "std"),
        ({"std": [1e-36, 1e-36]}, "The gradient is not finite there: take a q with larger widths"),
        ({"image": "abc"}, "image"),
    ],
)
def test_a_bad_request_is_said_in_a_sentence(change, message):
    answer = answering(of(Only(), estimators))(ASKED | change)
    assert answer["error"].startswith(message)
