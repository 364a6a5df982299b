"""Records a small training for the card that plays it in slow motion: python -m checkpoints.motion --data-dir D.

The training follows from its settings alone; it is the one that the Train tab starts with them. The file holds figures
of every step and, of about forty steps, the tensors of one image of the batch, from its pixels to the gradient:

    step        (K,)            the chosen steps, counted from 1; the first ones and the last among them
    x           (K, S, 98) u8   the first S images of the batch as the model sees them, a bit a pixel; the first one is
                                the followed image
    images      (K,)            how many the batch has
    means       (K, M, D)       μ of the first M images of the batch
    mu, logvar  (K, D)          q(z|x) of the followed image
    eps, z      (K, D)          the followed image's noise, and its z = μ + σ ⊙ ε
    logits      (K, 784) f16    what the decoder makes of z
    log_px_z, kl (K,)           the followed image's terms, nats
    gradient    (K, 2, 2, D)    of −log p(x|z) and of the KL, with respect to μ and to σ, by autograd; nats a unit
    moved       (K, 4)          ‖Δθ‖ / ‖θ‖ of each layer, weights and biases
    after       (K, 2, D)       μ and log σ² of the followed image by the new weights
    loss_after  (K,)            the loss of the same batch and noise by the new weights, nats per image
    test        (T, 784) u8     held-out images, and made (K, T, 784) u8 the mean of p(x|z) at the mean of their q
    loss, reconstruction, kl_of_batch, gradient_norm, learning_rate   (N,) of every step's batch
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset
from vae_core.data import binarized_for_evaluation, of_each_label
from vae_core.densities import DiagonalGaussian
from vae_core.files import write_atomically
from vae_core.objective import Objective, elbo, elbo_of
from vae_core.training.loop import TrainState, batches
from vae_core.training.one_batch import next_batch
from vae_core.training.random import Batch, Batches
from vae_core.training.schedule import learning_rate_at

PATH = Path(__file__).parent / "lessons" / "motion.safetensors"
DATA = "mnist"
SETTINGS: dict[str, int] = {"latent_dim": 2, "batch_size": 128, "epochs": 1}  # those that are not the default
CHOSEN = 52  # steps evenly over their logarithm, of which the first ones fall together
SHOWN = 16  # images of a batch
MEANS = 96  # of q, of as many of its images; the last batch has no more
LABELS = (0, 1, 2, 3, 4, 7)  # of the held-out images
CPU = torch.device("cpu")


@dataclass
class Recording:
    """What is recorded. steps: by name, a tensor for each chosen step; curves: by name, a number for each step."""

    steps: dict[str, list[Tensor]] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **tensors: Tensor) -> None:
        """Adds what belongs to one chosen step."""
        for name, tensor in tensors.items():
            self.steps.setdefault(name, []).append(tensor.detach().clone())

    def extend(self, **figures: float) -> None:
        """Adds what belongs to one step."""
        for name, value in figures.items():
            self.curves.setdefault(name, []).append(value)

    def tensors(self) -> dict[str, Tensor]:
        """All of it, as the file has it."""
        curves = {name: torch.tensor(values) for name, values in self.curves.items()}
        return {name: torch.stack(parts) for name, parts in self.steps.items()} | curves


def configs() -> tuple[VAEConfig, TrainConfig]:
    """The settings of the training; float32, so that it is the same on every processor but for rounding."""
    training: dict[str, Any] = {name: value for name, value in SETTINGS.items() if name != "latent_dim"}
    return VAEConfig(latent_dim=SETTINGS["latent_dim"]), TrainConfig(**training, precision="float32")


def chosen(total: int) -> list[int]:
    """The steps of `total` of which all is kept."""
    return sorted({round(float(step)) for step in np.geomspace(1, total, min(CHOSEN, total))})


def record(dataset: Dataset, most: int | None = None) -> dict[str, Tensor]:
    """Trains, and gives what the file holds; only of the first `most` steps if that is given."""
    model_config, config = configs()
    model = VAE(model_config, torch.Generator().manual_seed(config.seed), mean=dataset.mean_image())
    state = TrainState.start(model)
    total = config.total_steps(len(dataset.train))
    drawn = Batches(dataset.train, model_config, config.seed)
    test = _held_out(dataset, model_config)
    kept = Recording()
    taken = batches(model, dataset, config, CPU, state)
    for step in range(most or total):
        batch = next_batch(model, dataset, config, step, CPU)
        reconstruction, kl = float(batch.reconstruction.mean()), float(batch.kl.mean())
        kept.extend(loss=batch.loss, reconstruction=reconstruction, kl_of_batch=kl, gradient_norm=batch.gradient_norm)
        kept.extend(learning_rate=learning_rate_at(config, step + 1, total))
        if step + 1 in chosen(total):
            given = drawn.take(config, step)
            kept.add(step=torch.tensor(step + 1.0), **_forward(model, given), gradient=_gradient(model, given))
            before = [_flat(layer) for layer in _layers(model)]
            next(taken)
            kept.add(**_moved(model, given, before), made=_bytes(model.x_hat(model.posterior(test).mu)))
        else:
            next(taken)
    taken.close()
    return kept.tensors() | {"test": _bytes(test)}


@torch.no_grad()
def _forward(model: VAE, batch: Batch) -> dict[str, Tensor]:
    """The tensors from the batch to the loss: those of the followed image, and a few of the whole batch."""
    terms = elbo(model, batch.x, eps=batch.eps)
    assert terms.params is not None
    return {
        "x": torch.from_numpy(np.packbits(batch.x[:SHOWN].flatten(1).bool().numpy(), axis=1)),
        "images": torch.tensor(float(len(batch.x))),
        "means": terms.q.mu[:MEANS],
        "mu": terms.q.mu[0],
        "logvar": terms.q.logvar[0],
        "eps": batch.eps[0, 0],
        "z": terms.z[0, 0],
        "logits": terms.params[0, 0].flatten().half(),
        "log_px_z": terms.reconstruction[0],
        "kl": terms.kl[0],
    }


def _gradient(model: VAE, batch: Batch) -> Tensor:
    """The gradient of the followed image's −log p(x|z) and KL with respect to μ and σ, by autograd: (2, 2, D)."""
    with torch.no_grad():
        q = model.posterior(batch.x[:1])
    mu = q.mu.clone().requires_grad_()
    std = q.std.clone().requires_grad_()
    terms = elbo_of(model, batch.x[:1], DiagonalGaussian(mu, 2 * std.log()), batch.eps[:, :1])
    of_terms = (-terms.reconstruction.sum(), terms.kl.sum())
    return torch.stack([torch.cat(torch.autograd.grad(term, (mu, std), retain_graph=True)) for term in of_terms])


@torch.no_grad()
def _moved(model: VAE, batch: Batch, before: list[Tensor]) -> dict[str, Tensor]:
    """What a step has changed, by the weights that each layer had before."""
    terms = elbo(model, batch.x, eps=batch.eps)
    layers = zip(_layers(model), before, strict=True)
    return {
        "moved": torch.stack([(_flat(layer) - old).norm() / old.norm() for layer, old in layers]),
        "after": torch.stack([terms.q.mu[0], terms.q.logvar[0]]),
        "loss_after": Objective().loss(terms, model.prior),
    }


def _layers(model: VAE) -> Iterator[nn.Linear]:
    """The linear layers, from x to z and on to x̂."""
    return (layer for layer in model.modules() if isinstance(layer, nn.Linear))


def _flat(layer: nn.Linear) -> Tensor:
    """A layer's weights and biases, in one row."""
    return torch.cat([parameter.detach().flatten() for parameter in layer.parameters()])


def _held_out(dataset: Dataset, config: VAEConfig) -> Tensor:
    """A test image of each label that is shown, as the model sees them: (T, 1, 28, 28)."""
    images = torch.stack([image for label, image in of_each_label(dataset) if label in LABELS])
    return binarized_for_evaluation(images, config.binarization)


@torch.no_grad()
def _bytes(images: Tensor) -> Tensor:
    """(T, 1, 28, 28) in [0, 1] → (T, 784) grey bytes."""
    return (images.flatten(1) * 255).round().to(torch.uint8)


def described() -> dict[str, str]:
    """What the file says of itself: the settings, and the layers whose weights move."""
    layers = [{"in": layer.in_features, "out": layer.out_features} for layer in _layers(VAE(configs()[0]))]
    settings: dict[str, Any] = {"data": DATA, **SETTINGS}
    return {"settings": json.dumps(settings), "layers": json.dumps(layers)}


def main() -> int:
    """Writes the recording."""
    parser = argparse.ArgumentParser("python -m checkpoints.motion", description="Record the training in slow motion.")
    parser.add_argument("--data-dir", default="data")
    tensors = record(load_dataset(DATA, parser.parse_args().data_dir))
    PATH.parent.mkdir(exist_ok=True)
    write_atomically(PATH, save({name: tensor.contiguous() for name, tensor in tensors.items()}, described()))
    size = PATH.stat().st_size / 1e6
    print(f"{len(tensors['step'])} of {len(tensors['loss'])} steps, last loss {tensors['loss'][-1]:.2f}, {size:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
