"""What cards ask the server: the core's numbers, and one sentence where a question is wrong."""

import base64
import math
import statistics

import pytest
import torch

from ui.theory.measured import BATCH, BATCH_DRAWS, batch_elbos, shipped_figures, single_draws
from ui.web.requests import of
from vae_core import load_checkpoint, load_dataset
from vae_core.data import TITLES, binarized_for_evaluation, converted, spread
from vae_core.objective import elbo

from ...conftest import ROOT, seeded
from ..conftest import ODD, without

BYTES = torch.arange(784).remainder(256).to(torch.uint8)
DRAWS = {"model": "small", "image": base64.b64encode(BYTES.numpy().tobytes()).decode(), "draws": 5, "seed": 3}


def test_figures_are_those_of_the_files_and_a_model_without_any_is_left_out(backend):
    assert shipped_figures(backend, {}) == {"models": []}
    backend.shipped = {name: ROOT / "checkpoints" / f"{name}.safetensors" for name in
                       ("mnist-mlp-20d", "mnist-gaussian-20d", "digits-linear-8d")}  # fmt: skip
    black, grey = shipped_figures(backend, None)["models"]  # the linear one was measured on training images
    assert black["sigma"] is None and grey["sigma"] == pytest.approx(
        load_checkpoint(backend.shipped["mnist-gaussian-20d"]).sigma, abs=1e-3
    )
    for it in (black, grey):
        assert it["elbo"] == pytest.approx(it["reconstruction"] - it["kl"], abs=1e-3) and it["dims"] == 20
    assert black["elbo"] < 0 < grey["elbo"]


def test_a_batch_has_the_elbo_and_the_scatter_of_each_image(backend):
    answer = batch_elbos(backend, {"model": "small"})
    assert len(answer["elbos"]) == len(answer["scatter"]) == BATCH and answer["data"] == TITLES["digits"]
    assert answer == batch_elbos(backend, {"model": "small"})
    dataset = load_dataset("digits", "unused")
    images = converted(dataset.test[spread(len(dataset.test), BATCH)], "digits", "digits")
    with torch.inference_mode():
        terms = elbo(backend.load("small").model, binarized_for_evaluation(images, "grey"), 2000, generator=seeded(1))
    error = terms.log_px.std(0) / math.sqrt(BATCH_DRAWS)
    assert ((torch.tensor(answer["elbos"]) - terms.elbo).abs() < 6 * error).all()
    mean_error = float(error.square().mean().sqrt()) / math.sqrt(BATCH)
    assert statistics.mean(answer["elbos"]) == pytest.approx(float(terms.elbo.mean()), abs=5 * mean_error)
    variance = torch.tensor(answer["scatter"]).square().mean()
    assert float(variance / terms.log_px.var(0).mean()) == pytest.approx(1, abs=0.15)


def test_single_draws_are_those_of_the_elbo(backend):
    model = backend.load("small").model
    x = BYTES.view(1, 1, 28, 28) / 255
    with torch.inference_mode():
        expected = elbo(model, x, 5, generator=seeded(3)).log_px[:, 0].tolist()
    assert single_draws(backend, DRAWS)["log_px"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["model", "image", "draws", "seed"])
def test_a_wrong_question_about_draws_is_refused(backend, name):
    ask = of(backend, single_draws)
    assert ask(without(DRAWS, name))["error"] == f"The request has no {name}."
    fine = 7 if name in ("draws", "seed") else object()
    for odd in ODD:
        if odd is True or odd != fine:
            assert "error" in ask(DRAWS | {name: odd}), odd
