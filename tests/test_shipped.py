"""The shipped models: they load, are small, are as good as they say, and reach what they are to reach."""

import json
import math
import re
import shlex
from dataclasses import asdict

import pytest
import torch

from checkpoints.recipes import RECIPES, Recipe
from checkpoints.train import QUICK, RUNS
from checkpoints.train import main as train_shipped
from ui import labels
from ui.backend import Backend
from vae_core import TrainConfig
from vae_core.cli import main, new_config, parser
from vae_core.runs.folder import RunFolder
from vae_core.runs.server import Runs
from vae_core.settings import settings_of
from vae_core.storage.checkpoint import read_header

from .conftest import ROOT

PATHS = sorted((ROOT / "checkpoints").glob("*.safetensors"))
AT_MOST = {
    "mnist-mlp-2d": 129.0,
    "mnist-mlp-2d-iw": 128.0,
    "mnist-mlp-20d": 89.0,
    "mnist-mlp-50d": 86.0,
    "mnist-conv": 81.08,
}  # −log p(x) of MNIST's test images, K = 5,000, nats per image


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


def test_each_was_made_by_its_recipe(path):
    header, recipe = read_header(path), RECIPES[path.stem]
    begun = [vars(parser().parse_args(recipe.command(stage, RUNS))) for stage in range(len(recipe.stages))]
    training = TrainConfig(**{name: begun[-1][name] for name in settings_of(TrainConfig) if name in begun[-1]})
    assert header.config == new_config(begun[0], "cpu").model
    of_no_account = ("record_every", "epochs") if training.steps else ("record_every",)
    of_it = {name: header.about["training"][name] for name in of_no_account}
    made = asdict(TrainConfig(**header.about["training"]))  # a setting that is younger than the file has its default
    assert made == asdict(training) | of_it
    assert header.about["made"]["commands"] == [
        shlex.join(["python", "-m", "vae_core", *recipe.command(stage, RUNS)]) for stage in range(len(recipe.stages))
    ]


def test_a_run_of_another_recipe_is_not_taken(tmp_path, monkeypatch, capsys):
    options = "--data digits --hidden-dim 8 --steps 2 --precision float32"
    monkeypatch.setitem(RECIPES, "small", Recipe("small", (f"{options} --latent-dim 2",), "", ""))
    monkeypatch.setattr("checkpoints.train.save", lambda *_: None)
    arguments = ["train", "small", "--runs-dir", str(tmp_path), "--data-dir", str(tmp_path), "--device", "cpu"]
    monkeypatch.setattr("sys.argv", arguments)
    assert train_shipped() == 0 and RunFolder(tmp_path / "small-1").saved_step() == 2
    assert train_shipped() == 0
    monkeypatch.setitem(RECIPES, "small", Recipe("small", (f"{options} --latent-dim 3",), "", ""))
    assert train_shipped() == 2 and "small-1 is of another recipe" in capsys.readouterr().err


def test_the_card_has_the_figures_of_the_header(path):
    card = (ROOT / "checkpoints" / "README.md").read_text().split(f"\n## {path.stem}\n")[1].split("\n## ")[0]
    about = read_header(path).about
    for name in ("elbo", "log_likelihood"):
        figure = about["figures"]
        assert f"{-figure[name]:.2f} ± {figure[f'{name}_error']:.2f}".replace("-", "−") in card
    assert f"{about['figures']['active_units']} of {read_header(path).config.latent_dim}" in card
    for command in about["made"]["commands"]:
        assert command in re.sub(r" \\\n *", " ", card)


def test_the_selector_tells_them_apart_and_each_says_its_figures(tmp_path):
    backend = Backend(tmp_path, ROOT / "checkpoints", Runs(tmp_path / "runs", torch.device("cpu")))
    offered = backend.choices("0" * 32)
    assert {name for _, name in offered} == RECIPES.keys() and len({label for label, _ in offered}) == len(RECIPES)
    for path in PATHS:
        header = read_header(path)
        figures = header.about["figures"]
        said = labels.figures(header).replace("−", "-")
        assert f"-ELBO {-figures['elbo']:.1f} " in said
        assert f"-log p(x) ≤ {-figures['log_likelihood']:.1f} by K = 5,000 draws" in said
        assert f" {figures['active_units']} of {len(figures['kl_per_dim'])} dimensions used" in said


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


def test_the_prior_leaves_as_many_dimensions_awake_as_published():
    figures = read_header(ROOT / "checkpoints" / "mnist-mlp-50d.safetensors").about["figures"]
    assert figures["active_units"] >= 19


@pytest.mark.parametrize(("images", "bounded"), [(9, False), (10, True)])
def test_the_maximum_of_ppca_is_given_where_there_is_one(capsys, images, bounded):
    path = ROOT / "checkpoints" / "digits-linear-8d.safetensors"  # nine images lie in eight dimensions
    few = ["--samples", "2", "--images", str(images), "--subset", "2", "--split", "train"]
    assert main(["evaluate", str(path), *few, "--device", "cpu", "--json"]) == 0
    assert ("maximum_log_likelihood" in json.loads(capsys.readouterr().out)) == bounded


def test_the_linear_model_is_probabilistic_pca():
    figures = read_header(ROOT / "checkpoints" / "digits-linear-8d.safetensors").about["figures"]
    assert figures["images"] == 1500 and figures["subset_is_exact"]
    assert 0 <= figures["maximum_log_likelihood"] - figures["exact_log_likelihood"] < 0.5
    assert (figures["amortization_gap"], figures["approximation_gap"]) == pytest.approx((0.473, 0.080), abs=0.001)


@pytest.mark.parametrize("name", sorted(RECIPES.keys() - {"digits-linear-8d"}))
def test_the_figures_bound_the_information_by_all_test_images(name):
    figures = read_header(ROOT / "checkpoints" / f"{name}.safetensors").about["figures"]
    assert figures["information_images"] == 10_000
    assert 0 < figures["information_at_least"] <= math.log(10_000) + 1e-9
    assert figures["information_at_least"] <= figures["information_at_most"] <= figures["kl"] + 1e-3
    assert figures["subset_is_exact"] == name.startswith("mnist-mlp-2d")
