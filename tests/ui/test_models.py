"""What the page is told of a model: the core's numbers."""

import base64
import json
import os
import shutil

import pytest
import torch

from ui import labels
from ui.models import decode, describe
from ui.tabs import train as train_tab
from ui.tabs.draw import look
from ui.web.requests import answering, of, pixels
from vae_core import VAE, VAEConfig, load_dataset, save_checkpoint
from vae_core.config import evidence
from vae_core.data import fit_drawing
from vae_core.objective import elbo
from vae_core.storage.checkpoint import Header

from ..conftest import seeded
from .conftest import (
    ANNA,
    DRAWING,
    FOLLOW,
    FORM,
    INK,
    finished,
    image,
    session,
)


def test_look_gives_the_elbo_of_what_the_model_sees(backend):
    answer = look(backend, DRAWING)
    model, x = backend.load("small").model, fit_drawing(INK, 28)[None]
    terms = elbo(model, x, 20_000, generator=seeded())
    assert terms.log_px.std() > 1  # 64 independent draws would be off by some tenths
    assert answer["elbo"] == pytest.approx(terms.elbo.item(), abs=0.1)
    assert answer["reconstruction_term"] == pytest.approx(terms.reconstruction.item(), abs=0.1)
    assert answer["kl"] == pytest.approx(terms.kl.item(), abs=1e-4)
    assert answer["elbo"] == pytest.approx(answer["reconstruction_term"] - answer["kl"], abs=1e-3)
    assert torch.equal(image(answer["seen"])[0], (x[0, 0] * 255).round().to(torch.uint8))
    assert answer["z"] == pytest.approx(model.encode(x)[0][0].tolist(), abs=1e-5)
    assert answer["reconstruction"] == decode(backend, {"model": "small", "z": answer["z"]})["image"]


def test_an_image_in_mnists_format_is_seen_as_it_is(backend):
    grey = torch.arange(784).remainder(256).to(torch.uint8).reshape(28, 28)
    answer = look(backend, {"model": "small", "image": base64.b64encode(grey.numpy().tobytes()).decode()})
    assert torch.equal(image(answer["seen"])[0], grey)


def test_a_shipped_models_figures_are_named_as_the_bounds_they_are():
    figures = {"elbo": -91.5, "log_likelihood": -87.1, "samples": 5000, "split": "test"}
    figures |= {"active_units": 1, "kl_per_dim": [0.1, 2.0]}
    header = Header(VAEConfig(latent_dim=2), {"data": "mnist", "figures": figures})
    said = "−ELBO 91.5 · −log p(x) ≤ 87.1 by K = 5,000 draws · 1 of 2 dimensions used"
    assert (labels.shipped(header), labels.figures(header)) == ("MNIST · 2 dimensions · ready-made", said)


def test_only_what_is_a_probability_is_called_log_p_of_x(backend):
    config = backend.load("small").model.config
    assert describe(backend, {"model": "small"})["evidence"] == evidence(config.likelihood, config.binarization)
    assert evidence("continuous_bernoulli", "grey") == "log p(x)"
    assert evidence("bernoulli", "grey") == "log s(x)"
    assert evidence("bernoulli", "dynamic") == evidence("gaussian", "grey") == "log p(x)"


def test_describe_sorts_by_kl_and_offers_a_test_image_of_each_label(backend):
    about = describe(backend, {"model": "small"})
    assert [dim["index"] for dim in about["dims"]] == [1, 3, 0, 2]
    assert about["dims"][0]["kl"] == 3.0 and about["prior_mean"] == 0.5
    assert [example["label"] for example in about["examples"]] == list(range(10))
    digits = load_dataset("digits", "unused")
    third = digits.test[(digits.test_labels == 3).nonzero()[0, 0], 0]
    assert torch.equal(image(about["examples"][3]["image"])[0], third)
    assert about["examples_from"] == "digits"
    for example in about["examples"]:  # its mean is the one that Draw shows of it
        seen = look(backend, {"model": "small", "image": example["image"]})
        assert example["mu"] == pytest.approx(seen["z"], abs=6e-4)


def test_an_image_whose_q_is_not_finite_has_no_mean(backend):
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8), seeded())
    with torch.no_grad():
        model.encoder[1].weight.fill_(1.0)
        model.encoder[-1].weight.fill_(3e38)  # the sum of its products is beyond float32
    path = backend.shipped["small"].with_name("lost.safetensors")
    save_checkpoint(model, path, {"data": "digits"})
    backend.shipped["lost"] = path
    about = describe(backend, {"model": "lost"})
    assert [example["mu"] for example in about["examples"]] == [None] * 10
    json.dumps(about, allow_nan=False)


def test_a_drawing_takes_the_format_of_the_models_data(backend):
    answer = look(backend, DRAWING)  # of a model of digits, whose images fill the frame
    rows = (image(answer["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 28
    path = backend.shipped["small"]
    save_checkpoint(backend.load("small").model, path.with_name("mnist.safetensors"), {"data": "mnist"})
    backend.shipped["mnist"] = path.with_name("mnist.safetensors")
    rows = (image(look(backend, DRAWING | {"model": "mnist"})["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 20
    about = describe(backend, {"model": "mnist"})  # MNIST is not here: digits are brought into its format
    rows = (image(about["examples"][0]["image"])[0] > 0).any(1).nonzero()
    assert about["examples_from"] == "digits" and int(rows[-1] - rows[0]) + 1 <= 20


def test_a_model_in_training_is_read_anew_when_its_file_changes(backend):
    first = backend.load("small")
    assert backend.load("small") is first
    save_checkpoint(VAE(VAEConfig(latent_dim=2), seeded()), backend.shipped["small"])
    os.utime(backend.shipped["small"], ns=(0, first.version + 1))
    assert backend.load("small").model.config.latent_dim == 2


def test_a_model_that_is_deleted_is_said(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    shutil.rmtree(backend.runs.folder(run).path)
    assert "not here any more" in of(backend, describe)({"model": run})["error"]
    assert f"There is no run {run}" in answering(backend.follower.follow)(FOLLOW | {"run": run})["error"]
    assert [name for _, name in backend.choices(ANNA)] == ["small"]


def test_pixels_clip(backend):
    assert base64.b64decode(pixels(torch.tensor([-1.0, 0.5, 2.0]))) == bytes([0, 128, 255])
