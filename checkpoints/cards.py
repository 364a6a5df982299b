"""Writes README.md and pictures/ from the headers of the shipped models: python -m checkpoints.cards --data-dir D."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from vae_core import Dataset, load_checkpoint, load_dataset
from vae_core.data import TITLES, binarized_for_evaluation, of_each_label
from vae_core.runs.film import SIDE, frame
from vae_core.storage.checkpoint import read_header

from .recipes import RECIPES, Recipe

HERE = Path(__file__).parent
HEAD = """# Shipped models

Each file is one safetensors file: weights (float16 where that changes no figure by 0.005), and in its header the
configuration, how it was made, and its figures. All figures are in nats per image, as `python -m vae_core evaluate`
prints them, ± the standard error of the mean over the images. "−log p(x) ≤" is the importance-weighted estimate by K
draws of the encoder's q: on average a bound, the tighter the larger K and the better q. How tight, the first images
tell, by as many draws of a q that was refined for each of them, or by the truth where that is known: of the linear
model in closed form, of two dimensions by quadrature. That also splits the gap of the ELBO. N images bound I(x; z).

`python -m checkpoints.train` trains all of them from nothing, or goes on where it was broken off, and measures them
(since these were trained, the output's biases start at the training images' mean: it finds slightly other weights);
`python -m checkpoints.cards` writes this page. The test images have chosen nothing: what was chosen, was by the last
10,000 training images (`--hold-out 10000`), and then trained again on all 60,000. How many epochs `mnist-conv` has was
chosen by the time that there was, and the kind of its second training by what was best for `mnist-mlp-50d`.
"""


def main() -> int:
    """Writes the page and the pictures of all models that are here."""
    parser = argparse.ArgumentParser("python -m checkpoints.cards", description=__doc__)
    parser.add_argument("--data-dir", default="data")
    options = parser.parse_args()
    here = [recipe for recipe in RECIPES.values() if _is_measured(recipe)]
    (HERE / "pictures").mkdir(exist_ok=True)
    for recipe in here:
        _draw(recipe, load_dataset(read_header(_path(recipe)).about["data"], options.data_dir))
    cards = [_card(recipe, read_header(_path(recipe)).about) for recipe in here]
    (HERE / "README.md").write_text("\n".join([HEAD, _overview(here), *cards]), encoding="utf-8")
    return 0


def _path(recipe: Recipe) -> Path:
    return HERE / f"{recipe.name}.safetensors"


def _is_measured(recipe: Recipe) -> bool:
    """Whether the model is here with its figures, which come after hours."""
    return _path(recipe).exists() and "figures" in read_header(_path(recipe)).about


def _draw(recipe: Recipe, dataset: Dataset) -> None:
    """Forty samples, twenty test images, and their reconstructions from the mean of q(z|x)."""
    model = load_checkpoint(_path(recipe))
    about = read_header(_path(recipe)).about
    images = torch.stack([image for _, image in of_each_label(dataset, 2)])
    picture = frame(model, binarized_for_evaluation(images, model.config.binarization), about["kl_per_dim"])[
        SIDE * 28 :
    ]
    grey = Image.fromarray((picture * 255).round().to(torch.uint8).numpy())
    grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.NEAREST).save(
        HERE / "pictures" / f"{recipe.name}.png", optimize=True
    )


def _overview(recipes: list[Recipe]) -> str:
    """One table of all."""
    rows = ["| file | −ELBO | −log p(x) ≤ | K | active | published beside it |", "|---|---|---|---|---|---|"]
    for recipe in recipes:
        f = read_header(_path(recipe)).about["figures"]
        rows.append(
            f"| [{recipe.name}](#{recipe.name}) | {_minus(f, 'elbo')} | {_minus(f, 'log_likelihood')} "
            f"| {f['samples']:,} | {f['active_units']} of {len(f['kl_per_dim'])} | {recipe.published} |"
        )
    return "\n".join([*rows, ""])


def _card(recipe: Recipe, about: dict[str, Any]) -> str:
    f = about["figures"]
    made = about["made"]
    config = read_header(_path(recipe)).config
    weights = sum(parameter.numel() for parameter in load_checkpoint(_path(recipe)).parameters())
    rows = [
        ("−ELBO", _minus(f, "elbo")),
        ("−reconstruction", f"{-f['reconstruction']:.2f}"),
        ("KL", f"{f['kl']:.2f}"),
        (f"−log p(x) ≤, K = {f['samples']:,}", _minus(f, "log_likelihood")),
    ]
    if "exact_log_likelihood" in f:
        rows.append(("−log p(x), exact", f"{-f['exact_log_likelihood']:.2f}"))
    if "maximum_log_likelihood" in f:
        rows.append(
            (
                f"the least of any linear Gaussian model with D = {config.latent_dim} and one σ",
                f"{-f['maximum_log_likelihood']:.2f}",
            )
        )
    how = "exact" if "exact_log_likelihood" in f else f"at least, K = {f['samples']:,}"
    rows += [
        (f"gap, log p(x) − ELBO, {how}", f"{f['gap']:.2f}"),
        (
            "I(x; z)",
            f"{f['information_at_least']:.2f} to {f['information_at_most']:.2f}, N = {f['information_images']:,}",
        ),
        ("KL(q(z)‖p(z))", f"{f['information_marginal_at_least']:.2f} to {f['information_marginal_at_most']:.2f}"),
        ("active units", f"{f['active_units']} of {config.latent_dim}"),
        *_of_subset(f),
    ]
    if "refined_on" in f:
        rows.append(("refined q and I(x; z) measured on", f["refined_on"]))
    if "sigma" in f:
        rows.append(("σ", f"{f['sigma']:.4f}"))
    images = f"{f['images']:,} {'test' if f['split'] == 'test' else 'training'} images of {TITLES[f['data']]}"
    size = _path(recipe).stat().st_size / 1e6
    return "\n".join(
        [
            f"## {recipe.name}",
            "",
            recipe.about,
            f"{config.likelihood.replace('_', ' ').capitalize()} likelihood, `{f['binarization']}` pixels; "
            f"{weights:,} weights, {size:.2f} MB. {recipe.weakness}",
            "",
            f"![Samples, test images and their reconstructions](pictures/{recipe.name}.png)",
            "",
            f"| {images} | nats per image |",
            "|---|---|",
            *(f"| {name} | {value.replace('-', '−')} |" for name, value in rows),
            "",
            f"Trained in {_time(made['seconds'])}, finished on {made['date']}, on {made['processor']}, "
            f"torch {made['torch']}, and evaluated:",
            "",
            "```",
            *map(_broken, made["commands"]),
            f"python -m vae_core evaluate checkpoints/{recipe.name}.safetensors {f['options']}",
            "```",
            "",
        ]
    )


def _of_subset(f: dict[str, Any]) -> list[tuple[str, str]]:
    """The rows of what only some images were measured by."""
    k = f"K = {f['samples']:,}"
    how, sign = ("exact", ",") if f["subset_is_exact"] else (f"{k} draws of q refined for each image", " ≤,")
    encoders = f"−log p(x) ≤, {f['subset']} images, {k} draws of the encoder's q"
    return [
        (f"−log p(x){sign} {f['subset']} images, {how}", f"{-f['subset_log_likelihood']:.2f}"),
        (encoders, f"{-f['subset_encoder_log_likelihood']:.2f}"),
        (f"gap of the {f['subset']} images", f"{f['subset_gap']:.2f}"),
        ("of it, amortization gap", f"{f['amortization_gap']:.2f}"),
        ("of it, approximation gap", f"{f['approximation_gap']:.2f}"),
    ]


def _minus(figures: dict[str, Any], name: str) -> str:
    return f"{-figures[name]:.2f} ± {figures[f'{name}_error']:.2f}".replace("-", "−")


def _broken(command: str) -> str:
    """A command over several lines, as a shell takes it."""
    parts = textwrap.wrap(command, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return " \\\n".join(parts)


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds > 5400 else f"{seconds / 60:.0f} minutes"


if __name__ == "__main__":
    sys.exit(main())
