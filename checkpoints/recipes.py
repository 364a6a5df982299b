"""How each shipped model is trained: the options of `python -m vae_core train`, a line for each stage."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Recipe:
    """A shipped model.

    stages: options of each training; each begins with the weights that the one before has made.
    about: what it is. weakness: what it is bad at. published: the figure of a paper to lay beside it.
    evaluate: options of its evaluation.
    """

    name: str
    stages: tuple[str, ...]
    about: str
    weakness: str
    published: str = ""
    evaluate: str = "--samples 5000"

    def runs(self, root: Path) -> list[Path]:
        """The folder of each stage."""
        return [root / f"{self.name}-{number}" for number in range(1, len(self.stages) + 1)]

    def command(self, stage: int, root: Path) -> list[str]:
        """What a stage, counted from 0, gives to `python -m vae_core`; without the folder of the data."""
        runs = self.runs(root)
        start = ["--start", str(runs[stage - 1] / "model.safetensors")] if stage else []
        return ["train", *shlex.split(self.stages[stage]), *start, "--out", str(runs[stage])]


COMMON = "--data mnist --seed 0 --batch-size 128 --schedule cosine --learning-rate-warmup 500 --precision bfloat16"
MLP = f"{COMMON} --architecture mlp --average 0.999 --learning-rate 1e-3 --warmup-steps 2500"
TWO = f"{MLP} --latent-dim 2 --hidden-dim 512 --hidden-layers 3 --epochs 150"

FINE = "--data mnist --seed 0 --batch-size 128 --schedule cosine --learning-rate-warmup 0 --average 0.999"
FINE += " --precision bfloat16 --objective importance-weighted"

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "digits-linear-8d",
            (
                "--data digits --architecture linear --latent-dim 8 --likelihood gaussian --sigma 0.3"
                " --sigma-mode learned --precision float32 --average 0 --learning-rate-warmup 0"
                " --batch-size 1500 --steps 6000 --learning-rate 0.02 --schedule cosine --seed 0",
            ),
            "Linear encoder and decoder with a Gaussian likelihood, on the digits that scikit-learn bundles: "
            "probabilistic PCA, of which everything is known in closed form.",
            "Digits are no Gaussian: its samples are clouds.",
            evaluate="--samples 5000 --split train",
        ),
        Recipe(
            "mnist-mlp-2d",
            (TWO,),
            "Two latent dimensions, trained by the ELBO alone: the model that the app opens with. The map shows all of"
            " it, and the exact posterior can be drawn beside q(z|x).",
            "Two numbers cannot tell apart what twenty can: 4 and 9, 3, 5 and 8 run into each other, and a drawing in"
            " an unusual hand becomes a usual one.",
            "none: published figures of two dimensions are of other pixels",
        ),
        Recipe(
            "mnist-mlp-2d-iw",
            (TWO, f"{FINE} --samples 5 --learning-rate 3e-4 --epochs 8"),
            "mnist-mlp-2d, trained further by the importance-weighted bound of five draws: that makes q wider than the"
            " ELBO would have it. log p(x) rises, and the ELBO falls.",
            "The same as those of mnist-mlp-2d; and its q is further from the posterior.",
            "none: published figures of two dimensions are of other pixels",
        ),
        Recipe(
            "mnist-mlp-20d",
            (f"{MLP} --latent-dim 20 --hidden-dim 400 --hidden-layers 2 --epochs 100",),
            "Twenty latent dimensions and two hidden layers on either side.",
            "Samples from the prior are often between two digits.",
            "89.78 by 200 draws, pythae's reproduced VAE on binary MNIST",
        ),
        Recipe(
            "mnist-mlp-50d",
            (
                f"{MLP} --latent-dim 50 --hidden-dim 512 --hidden-layers 2 --epochs 100",
                f"{FINE} --samples 20 --learning-rate 1e-3 --epochs 40",
            ),
            "Fifty latent dimensions, of which the ELBO leaves nineteen awake; trained for log p(x), at last by the"
            " importance-weighted bound of twenty draws.",
            "That bound wants a wide q(z|x): by its −ELBO this model looks worse than that of twenty dimensions, and"
            " its reconstructions of single draws are looser, though its log p(x) is higher.",
            "86.76, 19 active, by the ELBO; 84.78, 25 active, by the importance-weighted bound of 50 draws: Burda et"
            " al. (2015), Table 1, one stochastic layer",
        ),
        Recipe(
            "mnist-conv",
            (
                f"{COMMON} --architecture residual --average 0.9995 --learning-rate 2e-3 --warmup-steps 3750"
                " --latent-dim 32 --hidden-dim 512 --epochs 100",
                f"{FINE} --samples 8 --learning-rate 1e-3 --epochs 20",
            ),
            "Residual convolutions, 28 to 14 to 7 pixels and back, 32 latent dimensions; as mnist-mlp-50d trained for"
            " log p(x) at last, by the importance-weighted bound of eight draws.",
            "Its q(z|x) is wide for the same reason: the second training took −ELBO on the test images from 85.06 to"
            " 87.45. Some samples from the prior are still between two digits.",
            "81.08, residual convolutions with a diagonal posterior: Kingma et al. (2016), Table 1",
            evaluate="--samples 5000 --subset 20",
        ),
        Recipe(
            "mnist-gaussian-20d",
            (f"{MLP} --latent-dim 20 --hidden-dim 400 --likelihood gaussian --sigma-mode learned --epochs 60",),
            "Grey pixels under a Gaussian likelihood whose σ is learned: log p(x) is a density, so that its ELBO is "
            "above 0, and no figure of a Bernoulli model compares with it.",
            "One σ serves borders and strokes. It is small, so that z is told in 61 nats and q(z) is far from the"
            " prior: most draws from the prior are no digits. Its q is so far from the posterior that 5,000 draws of it"
            " do not reach log p(x).",
        ),
    )
}
