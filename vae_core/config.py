"""What a model is and how it is trained: the two configurations, and every name that can be chosen in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .bounds import check_choice, check_float, check_int

IMAGE_SHAPE = (1, 28, 28)
PIXELS = math.prod(IMAGE_SHAPE)
MOST_WEIGHTS = 50_000_000  # of a model: with Adam's moments and the averages, 1 GB of float32

ARCHITECTURES = ("mlp", "conv", "residual", "linear")
LIKELIHOODS = ("bernoulli", "gaussian", "continuous_bernoulli")
SIGMA_MODES = ("fixed", "learned", "optimal")
BINARIZATIONS = ("dynamic", "threshold", "grey")
OBJECTIVES = ("elbo", "importance-weighted")
SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
CHANGEABLE = ("learning_rate", "beta", "warmup_steps", "free_bits", "samples")  # in mid-run


@dataclass(frozen=True)
class VAEConfig:
    """What a VAE is: everything that must be known to rebuild it around its weights.

    Args:
        architecture: mlp (hidden layers with ReLU), conv (two strided convolutions), residual (convolutions with
            residual blocks), or linear.
        latent_dim: D, the number of latent dimensions.
        hidden_dim: units of each hidden layer of all but linear.
        hidden_layers: how many an mlp has on either side.
        likelihood: p(x|z) of a pixel.
        binarization: what x is: each grey value drawn anew as Bernoulli(grey) (dynamic), grey ≥ 0.5 (threshold), or
            the grey value itself (grey). Default: dynamic with a Bernoulli likelihood, else grey.
        prior_mean, prior_std: μ_p and σ_p of the prior N(μ_p, σ_p²) of every latent dimension.
        sigma: σ of the Gaussian likelihood, or where it starts; unused by the others.
        sigma_mode: fixed, learned (one parameter more), or optimal (set to its closed-form optimum for every batch).

    Raises:
        ValueError: a value is out of its bounds; the message names field, value and bounds.
    """

    architecture: str = "mlp"
    latent_dim: int = 20
    hidden_dim: int = 400
    hidden_layers: int = 1
    likelihood: str = "bernoulli"
    binarization: str | None = None
    prior_mean: float = 0.0
    prior_std: float = 1.0
    sigma: float = 0.1
    sigma_mode: str = "fixed"

    def __post_init__(self) -> None:
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_int("latent_dim", self.latent_dim, 1, 512)
        check_int("hidden_dim", self.hidden_dim, 1, 8192)
        check_int("hidden_layers", self.hidden_layers, 1, 8)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        if self.binarization is None:
            object.__setattr__(self, "binarization", "dynamic" if self.likelihood == "bernoulli" else "grey")
        check_choice("binarization", self.binarization, BINARIZATIONS)
        if self.architecture == "mlp" and self._weights() > MOST_WEIGHTS:
            raise ValueError(
                f"hidden_dim is {self.hidden_dim}; with {self.hidden_layers} such layers on either side an mlp has"
                f" {self._weights():,} weights, and it may have {MOST_WEIGHTS:,}."
            )
        # A whole number becomes a float: a tensor made of it would be one of whole numbers.
        object.__setattr__(self, "prior_mean", check_float("prior_mean", self.prior_mean, -100, 100))
        object.__setattr__(self, "prior_std", check_float("prior_std", self.prior_std, 0, 100, above=True))
        object.__setattr__(self, "sigma", check_float("sigma", self.sigma, 0, 100, above=True))
        check_choice("sigma_mode", self.sigma_mode, SIGMA_MODES)

    def _weights(self) -> int:
        """Of an mlp, biases not counted; the other architectures stay below the limit with any settings."""
        between = 2 * (self.hidden_layers - 1) * self.hidden_dim
        return self.hidden_dim * (2 * PIXELS + 3 * self.latent_dim + between)

    @property
    def fits_sigma(self) -> bool:
        """Whether every batch of a training sets σ to its optimum."""
        return self.likelihood == "gaussian" and self.sigma_mode == "optimal"


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    The defaults reach 100 nats on MNIST in a fifth of the time that constant steps of 1e-3 in batches of 128 take
    (`bench.time_to_elbo`): large steps, which end small as the cosine falls, and averaged weights in between.

    Args:
        epochs: passes over the training images.
        steps: number of batches instead of epochs, where given.
        batch_size: images a step.
        learning_rate: Adam's; `usual_learning_rate` has one for deep models.
        beta: weight of the KL in the loss; reported ELBOs always have 1.
        warmup_steps: steps over which that weight rises linearly from 0 to beta.
        free_bits: nats of KL per latent dimension, averaged over the batch, that the loss does not count.
        samples: L, draws of z per image.
        objective: what is made larger: the ELBO, or the importance-weighted bound of L draws (T12).
        schedule: whether the learning rate stays constant or falls to 0 as half a cosine over the training.
        learning_rate_warmup: steps over which it rises linearly from 0 first; at most a tenth of the training.
        clip_norm: the gradient's largest norm; 0 leaves it as it is.
        average: d of θ̄ ← d θ̄ + (1 − d) θ, a step; θ̄ is then the model that is evaluated and saved. 0: none.
        patience: epochs in a row without a better held-out ELBO that end the training. 0: never.
        seed: of the initial weights, the order of the images, their binarization and the draws.
        record_every: steps between two records.
        precision: of products and convolutions: float32, tf32 (a GPU's), bfloat16, or auto, the quickest of them that
            trains as well here. Weights, sums and evaluations are in float32.

    Raises:
        ValueError: a value is out of its bounds; the message names field, value and bounds.
    """

    epochs: int = 12
    steps: int | None = None
    batch_size: int = 256
    learning_rate: float = 1e-2
    beta: float = 1.0
    warmup_steps: int = 0
    free_bits: float = 0.0
    samples: int = 1
    objective: str = "elbo"
    schedule: str = "cosine"
    learning_rate_warmup: int = 100
    clip_norm: float = 0.0
    average: float = 0.99
    patience: int = 0
    seed: int = 0
    record_every: int = 20
    precision: str = "auto"

    def __post_init__(self) -> None:
        check_int("epochs", self.epochs, 1, 100_000)
        if self.steps is not None:
            check_int("steps", self.steps, 1, 1_000_000_000)
        check_int("batch_size", self.batch_size, 1, 100_000)
        object.__setattr__(self, "learning_rate", check_float("learning_rate", self.learning_rate, 0, 1, above=True))
        object.__setattr__(self, "beta", check_float("beta", self.beta, 0, 1000))
        check_int("warmup_steps", self.warmup_steps, 0, 1_000_000_000)
        object.__setattr__(self, "free_bits", check_float("free_bits", self.free_bits, 0, 1000))
        check_int("samples", self.samples, 1, 1000)
        check_int("batch_size × samples", self.batch_size * self.samples, 1, 131_072)  # a few GB
        check_choice("objective", self.objective, OBJECTIVES)
        if self.free_bits and self.objective != "elbo":
            raise ValueError(f"free_bits is {self.free_bits:g}; it must be 0 unless the objective is the ELBO.")
        check_choice("schedule", self.schedule, SCHEDULES)
        check_int("learning_rate_warmup", self.learning_rate_warmup, 0, 1_000_000_000)
        object.__setattr__(self, "clip_norm", check_float("clip_norm", self.clip_norm, 0, 1e9))
        object.__setattr__(self, "average", check_float("average", self.average, 0, 0.999999))
        check_int("patience", self.patience, 0, 100_000)
        check_int("seed", self.seed, 0, 2**32 - 1)
        check_int("record_every", self.record_every, 1, 1_000_000)
        check_choice("precision", self.precision, PRECISIONS)

    def check_images(self, images: int, processes: int = 1) -> None:
        """Checks what depends on the number of training images.

        Raises:
            ValueError: a batch is larger than the training set, or too small for so many processes.
        """
        if self.batch_size < processes:
            raise ValueError(
                f"batch_size is {self.batch_size}; {processes} processes share each batch, so take at least that."
            )
        if self.batch_size > images:
            raise ValueError(
                f"batch_size is {self.batch_size}; the training set has {images} images, so take at most that."
            )

    def total_steps(self, images: int) -> int:
        """Number of batches of the whole training on that many images."""
        return self.steps if self.steps is not None else self.epochs * self.steps_per_epoch(images)

    def steps_per_epoch(self, images: int) -> int:
        """Number of batches of a pass over that many images; the last one may be smaller."""
        return math.ceil(images / self.batch_size)


def usual_learning_rate(model: VAEConfig) -> float:
    """The learning rate that a model is trained with if nobody says.

    That of `TrainConfig` is for networks of a layer or two on either side. Deeper ones take a quarter of it: with all
    of it an mlp of three hidden layers ended 5 nats worse after six epochs of MNIST, and the residual one fell back to
    the mean image.
    """
    is_deep = model.architecture == "residual" or (model.architecture == "mlp" and model.hidden_layers > 1)
    return TrainConfig.learning_rate / 4 if is_deep else TrainConfig.learning_rate
