"""The configurations of a model and of its training, and every name that can be chosen in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .settings import FaultsError, Settings, always, check_settings, choice, number, settings_of, whole

IMAGE_SHAPE = (1, 28, 28)
PIXELS = math.prod(IMAGE_SHAPE)
MOST_WEIGHTS = 50_000_000  # per model: with Adam's moments and the averages, 1 GB of float32
MOST_DIMS = 512  # latent
MOST_SAMPLES = 1000  # L: draws of z for an image
MOST_DRAWS = 131_072  # of z in a batch: a few GB
MOST_STEPS = 10**12  # of a training
MOST_SECONDS = 1e12  # of a training
MOST_IMAGES = 10_000_000  # of a training set

ARCHITECTURES = {"mlp": "mlp", "conv": "conv", "residual": "residual", "linear": "linear"}
LIKELIHOODS = {"bernoulli": "Bernoulli", "gaussian": "Gaussian", "continuous_bernoulli": "continuous Bernoulli"}
SIGMA_MODES = {"fixed": "fixed", "learned": "learned", "optimal": "optimal"}
BINARIZATIONS = {
    "dynamic": "dynamic (drawn from grey)",
    "threshold": "threshold (grey ≥ ½)",
    "grey": "grey (as they are)",
}
OBJECTIVES = {"elbo": "ELBO", "importance-weighted": "importance-weighted"}
GRADIENTS = {"reparameterized": "reparameterized", "detached": "detached at z"}
SCHEDULES = {"constant": "constant", "cosine": "falling as a cosine"}
PRECISIONS = {"auto": "auto", "float32": "float32", "tf32": "tf32", "bfloat16": "bfloat16"}


def evidence(likelihood: str, binarization: str) -> str:
    """What log ∫ p(z) p(x|z) dz is called: "log p(x)", or "log s(x)" where p(x|z) is no probability of x.

    That is so for grey pixels under a Bernoulli likelihood: the cross-entropy is a score of them.
    """
    return "log s(x)" if (likelihood, binarization) == ("bernoulli", "grey") else "log p(x)"


@dataclass(frozen=True)
class VAEConfig:
    """The configuration of a VAE: everything needed to rebuild it around its weights.

    Args:
        architecture: mlp (hidden layers with ReLU), conv (two strided convolutions), residual (convolutions with
            residual blocks), or linear.
        latent_dim: D, the number of latent dimensions.
        hidden_dim: units per hidden layer, for every architecture but linear.
        hidden_layers: hidden layers of an mlp on either side.
        likelihood: p(x|z) of a pixel.
        binarization: what x is: a new draw of Bernoulli(grey) every time (dynamic), grey ≥ 0.5 (threshold), or the
            grey value itself (grey). Default: dynamic with a Bernoulli likelihood, else grey.
        prior_mean, prior_std: μ_p and σ_p of the prior N(μ_p, σ_p²) of every latent dimension.
        sigma: σ of the Gaussian likelihood, or its initial value; the other likelihoods ignore it.
        sigma_mode: fixed, learned (one more parameter), or optimal (set to its closed-form optimum for every batch).

    Raises:
        FaultsError: values are out of bounds; the sentences name the field, the value and the bounds.
    """

    architecture: str = choice(
        "mlp", ARCHITECTURES, "Architecture", group="main",
        help="What kind of networks encoder and decoder are: mlp (fully connected), conv (convolutions), residual "
        "(deeper convolutions with shortcuts) or linear (a single matrix each).",
    )  # fmt: skip
    latent_dim: int = whole(
        20, 1, MOST_DIMS, "Dimensions D", short="D", group="main",
        help="How many numbers the model describes an image with: the length of its latent variable z.",
    )  # fmt: skip
    hidden_dim: int = whole(
        400, 1, 8192, "Hidden units", step=10, group="model",
        matters=lambda settings: settings["architecture"] != "linear",
        help="How many units a hidden layer has: more of them can represent more, and take longer to train.",
    )  # fmt: skip
    hidden_layers: int = whole(
        1, 1, 8, "Hidden layers", short="hidden layers", group="model",
        matters=lambda settings: settings["architecture"] == "mlp",
        help="How many hidden layers an mlp has in its encoder, and as many again in its decoder.",
    )  # fmt: skip
    likelihood: str = choice(
        "bernoulli", LIKELIHOODS, "Likelihood p(x|z)", short="likelihood", group="main",
        help="The distribution p(x|z) of an image given its z: it decides which reconstructions count as good.",
    )  # fmt: skip
    binarization: str = choice(
        None, BINARIZATIONS, "Pixels x", short="pixels", group="model",
        help="What a pixel x is: 0 or 1, drawn each time with its grey value as the chance (dynamic), 1 from a "
        "grey value of one half up (threshold), or the grey value itself (grey).",
    )  # fmt: skip
    sigma: float = number(
        0.1, 0, 100, "σ of a Gaussian likelihood", above=True, short="σ", group="model",
        matters=lambda settings: settings["likelihood"] == "gaussian" and settings["sigma_mode"] != "optimal",
        changes=lambda settings: settings["likelihood"] == "gaussian" and settings["sigma_mode"] == "fixed",
        help="The standard deviation of a pixel around the decoder's mean under a Gaussian likelihood: the smaller, "
        "the more an error costs; where σ is learned, it starts here.",
    )  # fmt: skip
    sigma_mode: str = choice(
        "fixed", SIGMA_MODES, "σ is", short="σ is", group="model",
        matters=lambda settings: settings["likelihood"] == "gaussian",
        help="Whether σ of a Gaussian likelihood stays as it is (fixed), is trained like a weight (learned), or is "
        "set to the best value for each batch (optimal).",
    )  # fmt: skip
    prior_mean: float = number(
        0.0, -100, 100, "Prior mean", group="model",
        help="The mean of the prior p(z), the same for every latent dimension.",
    )  # fmt: skip
    prior_std: float = number(
        1.0, 0, 100, "Prior standard deviation", above=True, group="model",
        help="The standard deviation of the prior p(z), the same for every latent dimension.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_settings(self)
        if self.binarization is None:
            object.__setattr__(self, "binarization", "dynamic" if self.likelihood == "bernoulli" else "grey")
        if self.architecture == "mlp" and self._weights() > MOST_WEIGHTS:
            sentence = (
                f"hidden_dim is {self.hidden_dim}; with {self.hidden_layers} such layers on either side an mlp has"
                f" {self._weights():,} weights, and it may have {MOST_WEIGHTS:,}."
            )
            raise FaultsError({"hidden_dim": sentence})

    def _weights(self) -> int:
        """Number of weights of an mlp, without biases; other architectures stay below the limit with any settings."""
        between = 2 * (self.hidden_layers - 1) * self.hidden_dim
        return self.hidden_dim * (2 * PIXELS + 3 * self.latent_dim + between)

    @property
    def fits_sigma(self) -> bool:
        """Whether training sets σ to its optimum for every batch."""
        return self.likelihood == "gaussian" and self.sigma_mode == "optimal"


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    The defaults reach 100 nats on MNIST in a fifth of the time that a constant learning rate of 1e-3 with batches of
    128 takes (`bench.time_to_elbo`): steps start large and shrink as the cosine falls; meanwhile weights are averaged.

    Args:
        epochs: passes over the training images.
        steps: number of batches; if given, it replaces epochs.
        batch_size: images per step.
        learning_rate: Adam's; `usual_learning_rate` gives the one for deep models.
        beta: weight of the KL in the loss; reported ELBOs always use 1.
        warmup_steps: steps over which the KL's weight rises linearly from 0 to beta.
        free_bits: nats of KL per latent dimension, averaged over the batch, that the loss does not count.
        samples: L, draws of z per image.
        objective: what training maximizes: the ELBO, or the importance-weighted bound of L draws (T12).
        gradient: whether the reconstruction's gradient passes through z = μ + σ ⊙ ε to the encoder (reparameterized,
            T17) or, with the ELBO only, stops at z (detached), so that the encoder learns from the KL alone.
        schedule: whether the learning rate stays constant or falls to 0 as half a cosine over the training.
        learning_rate_warmup: steps over which the rate first rises linearly from 0; at most a tenth of the training.
        clip_norm: largest norm of the gradient; 0: no clipping.
        average: d in θ̄ ← d θ̄ + (1 − d) θ, per step; θ̄ is then the model that is evaluated and saved. 0: no average.
        patience: training ends after this many epochs in a row without a better held-out ELBO. 0: never.
        seed: for the initial weights, the order of the images, their binarization and the draws.
        record_every: steps between two records.
        precision: of products and convolutions: float32, tf32 (GPUs only), bfloat16, or auto, the fastest that trains
            equally well on this device. Weights, sums and evaluations are in float32.

    Raises:
        FaultsError: values are out of bounds; the sentences name the field, the value and the bounds.
    """

    epochs: int = whole(
        12, 1, 100_000, "Epochs", group="main",
        help="How often the training goes through all of its images.",
    )  # fmt: skip
    steps: int | None = whole(
        None, 1, 1_000_000_000, "Steps", group=None,
        help="How many batches the training takes, in place of a number of epochs.",
    )  # fmt: skip
    batch_size: int = whole(
        256, 1, 100_000, "Batch size", step=16, short="batch", group="main",
        hint="Images a step. 256 reaches a good model soonest.",
        help="How many images a step looks at: it averages their gradients and updates the weights once.",
    )  # fmt: skip
    learning_rate: float = number(
        1e-2, 0, 1, "Learning rate", above=True, group="main", hint="Falls to 0 by the end (cosine).", changes=always,
        help="How far a step moves the weights: too small is slow, too large makes the loss jump or diverge.",
    )  # fmt: skip
    beta: float = number(
        1.0, 0, 1000, "β", short="β", group="main", changes=always,
        help="How much the KL counts in the loss: with 1 the loss is −ELBO, with more q(z|x) is pressed closer to the "
        "prior.",
    )  # fmt: skip
    samples: int = whole(
        1, 1, MOST_SAMPLES, "L, draws per image", short="L", argument="L", changes=always,
        help="How many draws of z a step takes for each image: more of them make the gradient less noisy, and an "
        "importance-weighted bound tighter.",
    )  # fmt: skip
    objective: str = choice(
        "elbo", OBJECTIVES, "Objective", hint="Charts and figures show the ELBO with either.",
        help="What the training makes as large as it can: the ELBO, or the tighter importance-weighted bound of L "
        "draws.",
    )  # fmt: skip
    gradient: str = choice(
        "reparameterized", GRADIENTS, "Gradient through z", short="gradient",
        hint="Detached: only to see why z is reparameterized.",
        help="Whether the gradient of the reconstruction passes through z = μ + σ ⊙ ε to the encoder "
        "(reparameterized), or stops at z (detached): then the encoder learns from the KL alone.",
    )  # fmt: skip
    warmup_steps: int = whole(
        0, 0, 1_000_000_000, "Warm-up steps of β", step=100, short="warm-up",
        changes=always,
        help="Over how many steps the weight of the KL rises from 0 to β, so that the decoder learns to use z before "
        "the KL counts in full.",
    )  # fmt: skip
    free_bits: float = number(
        0.0, 0, 1000, "Free bits", short="free bits", changes=always,
        help="How many nats of KL a latent dimension may have before they count in the loss: it keeps dimensions from "
        "falling unused.",
    )  # fmt: skip
    schedule: str = choice(
        "cosine", SCHEDULES, "Learning-rate schedule", short="rate schedule",
        hint="The cosine: large steps first, small ones at last.",
        help="How the learning rate goes on: it stays constant, or falls to 0 as half a cosine over the training.",
    )  # fmt: skip
    learning_rate_warmup: int = whole(
        100, 0, 1_000_000_000, "Learning-rate warm-up", step=10, short="learning rate warm-up", argument="STEPS",
        hint="A tenth of the training at most.",
        help="Over how many steps the learning rate first rises from 0, while Adam does not know the gradients' sizes "
        "yet.",
    )  # fmt: skip
    clip_norm: float = number(
        0.0, 0, 1e9, "Clip gradient at", step=1, short="gradient ≤",
        hint="0: unbounded.",
        help="The largest length that a gradient may have: a longer one is scaled down to it, so that one odd batch "
        "cannot throw the weights off.",
    )  # fmt: skip
    average: float = number(
        0.99, 0, 0.999999, "Weight averaging (decay)", step=0.001, argument="DECAY",
        hint="Their decay; 0: none. They are what is evaluated.",
        help="The decay of a moving average of the weights, which is steadier than the weights themselves and is what "
        "is evaluated and saved.",
    )  # fmt: skip
    patience: int = whole(
        0, 0, 100_000, "Stop early after epochs", short="patience", argument="EPOCHS",
        hint="Without a better held-out ELBO; 0: no end.",
        help="After how many epochs in a row without a better held-out ELBO the training ends.",
    )  # fmt: skip
    seed: int = whole(
        0, 0, 2**32 - 1, "Seed",
        help="The number that all randomness of a run follows from: initial weights, order of the images, draws of "
        "pixels and of z.",
    )  # fmt: skip
    record_every: int = whole(
        20, 1, 1_000_000, "Steps between two records", argument="STEPS", group=None,
        help="How many steps lie between two records, which are the points of the curves.",
    )  # fmt: skip
    precision: str = choice(
        "auto", PRECISIONS, "Number format", short="products in",
        hint="auto: the quickest that learns as well here (GPU: tf32, AMX: bfloat16). Held-out figures: float32.",
        help="The number format of the training's products and convolutions: shorter ones are faster where the "
        "hardware has them.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_settings(self)
        faults: dict[str, str] = {}
        if self.batch_size * self.samples > MOST_DRAWS:
            most = {"batch_size": MOST_DRAWS // self.samples, "samples": MOST_DRAWS // self.batch_size}
            faults["batch_size"] = (
                f"batch_size is {self.batch_size}; with L = {self.samples} it may be at most {most['batch_size']}."
            )
            faults["samples"] = (
                f"samples is {self.samples}; with batches of {self.batch_size} it may be at most {most['samples']}."
            )
        if self.free_bits and self.objective != "elbo":
            faults["free_bits"] = f"free_bits is {self.free_bits:g}; it must be 0 unless the objective is the ELBO."
        if self.gradient != "reparameterized" and self.objective != "elbo":
            faults["gradient"] = (
                f"gradient is {self.gradient}; it must be reparameterized unless the objective is the ELBO."
            )
        if faults:
            raise FaultsError(faults)

    def check_images(self, images: int, processes: int = 1) -> None:
        """Checks what depends on the number of training images.

        Raises:
            FaultsError: a batch is larger than the training set, or has fewer images than there are processes.
        """
        if self.batch_size < processes:
            sentence = (
                f"batch_size is {self.batch_size}; {processes} processes share each batch, so take at least that."
            )
            raise FaultsError({"batch_size": sentence})
        if self.batch_size > images:
            sentence = f"batch_size is {self.batch_size}; the training set has {images} images, so take at most that."
            raise FaultsError({"batch_size": sentence})

    def total_steps(self, images: int) -> int:
        """Number of batches in the whole training, with this many training images."""
        return self.steps if self.steps is not None else self.epochs * self.steps_per_epoch(images)

    def steps_per_epoch(self, images: int) -> int:
        """Number of batches in one pass over this many images; the last one may be smaller."""
        return math.ceil(images / self.batch_size)


SETTINGS = settings_of(VAEConfig) | settings_of(TrainConfig)  # all settings, by name
CHANGEABLE = tuple(name for name, setting in settings_of(TrainConfig).items() if setting.changes)  # during a run


def may_change(name: str, settings: Settings) -> bool:
    """Whether a setting may change during a run with these settings."""
    changes = SETTINGS[name].changes if name in SETTINGS else None
    return changes is not None and changes(settings)


def usual_learning_rate(model: VAEConfig) -> float:
    """The learning rate for a model if the user chooses none.

    `TrainConfig`'s default suits networks with one or two layers on either side. Deeper ones get a quarter of it: with
    all of it, an mlp with three hidden layers ended 5 nats worse after six epochs of MNIST, and the residual network
    fell back to the mean image.
    """
    is_deep = model.architecture == "residual" or (model.architecture == "mlp" and model.hidden_layers > 1)
    return TrainConfig.learning_rate / 4 if is_deep else TrainConfig.learning_rate
