"""The shipped models: they load, are small, are as good as they say, and reach what they are to reach."""

import json
import re
import shlex

import pytest

from checkpoints.recipes import RECIPES
from checkpoints.train import QUICK
from vae_core.__main__ import main
from vae_core.checkpoint import read_header

from .conftest import ROOT

PATHS = sorted((ROOT / "checkpoints").glob("*.safetensors"))
AT_MOST = {"mnist-mlp-20d": 89.0}  # −log p(x) of MNIST's test images, K = 5,000, nats per image


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_each_has_a_recipe_and_a_card(path):
    card = (ROOT / "checkpoints" / "README.md").read_text()
    assert path.stem in RECIPES and f"\n## {path.stem}\n" in card
    assert (ROOT / "checkpoints" / "pictures" / f"{path.stem}.png").is_file()


def test_all_recipes_are_shipped_and_small():
    assert {path.stem for path in PATHS} == RECIPES.keys()
    assert sum(path.stat().st_size for path in PATHS) <= 25e6


def test_the_card_has_the_figures_of_the_header(path):
    card = (ROOT / "checkpoints" / "README.md").read_text().split(f"\n## {path.stem}\n")[1].split("\n## ")[0]
    about = read_header(path).about
    for name in ("elbo", "log_likelihood"):
        figure = about["figures"]
        assert f"{-figure[name]:.2f} ± {figure[f'{name}_error']:.2f}".replace("-", "−") in card
    assert f"{about['figures']['active_units']} of {read_header(path).config.latent_dim}" in card
    for command in about["made"]["commands"]:
        assert command in re.sub(r" \\\n *", " ", card)


def test_each_is_as_good_as_it_says(path, request, capsys):
    about = read_header(path).about
    stored = about["quick"]
    options = shlex.split(RECIPES[path.stem].evaluate) + shlex.split(QUICK)
    if about["data"] == "mnist":
        options += ["--data-dir", str(request.getfixturevalue("mnist_dir"))]
    assert main(["evaluate", str(path), *options, "--json", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["samples"]) == (stored["images"], stored["samples"]) == (1000, 50)
    for name in ("elbo", "log_likelihood"):  # the same draws: three standard errors are far more than this
        assert found[name] == pytest.approx(stored[name], abs=0.02)
        assert found[f"{name}_error"] == pytest.approx(stored[f"{name}_error"], abs=0.01)
    assert found["active_units"] == stored["active_units"]


@pytest.mark.parametrize(("name", "nats"), AT_MOST.items())
def test_each_reaches_what_it_is_to_reach(name, nats):
    figures = read_header(ROOT / "checkpoints" / f"{name}.safetensors").about["figures"]
    assert (figures["images"], figures["samples"], figures["split"]) == (10_000, 5000, "test")
    assert figures["binarization"] == "dynamic" and -figures["log_likelihood"] <= nats


def test_the_linear_model_is_probabilistic_pca():
    figures = read_header(ROOT / "checkpoints" / "digits-linear-8d.safetensors").about["figures"]
    assert figures["exact_images"] == 1500
    assert 0 <= figures["maximum_log_likelihood"] - figures["exact_log_likelihood"] < 0.5
