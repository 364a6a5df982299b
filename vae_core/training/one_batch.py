"""A close look at one training batch: what goes in, what comes out, and what it costs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ..config import GRADIENTS, IMAGE_SHAPE, MOST_SAMPLES, MOST_STEPS, OBJECTIVES, TrainConfig
from ..data import Dataset
from ..files import write_atomically
from ..model import VAE
from ..objective import Objective
from ..precision import arithmetic
from ..settings import check_choice, check_int
from ..storage.checkpoint import CheckpointError
from ..storage.tensors import read_tensors
from .random import Batch, Batches, block_of
from .schedule import beta_at
from .step import fitted_elbo

LOOKED_AT = 8  # images of a batch of which all is kept
MOST_DRAWS = 32  # of z, for each of them


@dataclass(frozen=True)
class OneBatch:
    """The batch of one step, as the loss sees it.

    step: counted from 1. x: (B, 1, 28, 28) as the model gets it. mu, logvar: (B, D) of q(z|x). z: (B, D), the first
    draw, and log_px_z: (B,) its log p(x|z). reconstruction: (B,) the mean of that over all L draws. draws: (K, S, D),
    the first K draws of the first S images, at most MOST_DRAWS and LOOKED_AT; x_hat: (K, S, 1, 28, 28), E[x|z] of
    these, and log_px_draws: (K, S). samples: L. kl: (B,), and kl_per_dim: (D,) the batch's mean. All in nats per image.
    beta: the KL's weight at that step. loss: one number, nats per image. gradient_norm: of the loss, over all
    parameters. objective: a name of `config.OBJECTIVES`. free_bits: λ, and counted_kl: the KL that the loss then
    counts, nats per image. clip_norm: the norm to which the gradient is then clipped; 0: no clipping.
    gradient: a name of `config.GRADIENTS`: whether the reconstruction's gradient has reached the encoder.
    """

    step: int
    x: Tensor
    mu: Tensor
    logvar: Tensor
    z: Tensor
    log_px_z: Tensor
    reconstruction: Tensor
    draws: Tensor
    x_hat: Tensor
    log_px_draws: Tensor
    kl: Tensor
    kl_per_dim: Tensor
    samples: int
    beta: float
    loss: float
    gradient_norm: float
    objective: str
    free_bits: float
    counted_kl: float
    clip_norm: float
    gradient: str = "reparameterized"  # of files that do not say

    def save(self, path: Path) -> None:
        """Writes it to a file, atomically."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {name: part.contiguous().cpu() for name, part in parts.items() if isinstance(part, Tensor)}
        numbers = {name: str(part) for name, part in parts.items() if not isinstance(part, Tensor)}
        write_atomically(path, save(tensors, metadata=numbers))

    @classmethod
    def load(cls, path: Path) -> OneBatch:
        """Reads what `save` has written.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        try:
            metadata, tensors = read_tensors(path)
            _check_shapes(tensors)
            objective, step, samples = (
                metadata.pop("objective"),
                int(metadata.pop("step")),
                int(metadata.pop("samples")),
            )
            gradient = metadata.pop("gradient", "reparameterized")
            check_choice("objective", objective, OBJECTIVES)
            check_choice("gradient", gradient, GRADIENTS)
            check_int("step", step, 1, MOST_STEPS)
            check_int("samples", samples, len(tensors["draws"]), MOST_SAMPLES)
            parts: dict[str, Any] = {**tensors, **{name: float(value) for name, value in metadata.items()}}
            return cls(step=step, objective=objective, samples=samples, gradient=gradient, **parts)
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError("There is no batch to look at: press Step to take one.") from error


def _check_shapes(tensors: dict[str, Tensor]) -> None:
    """Raises ValueError if they are not floats in the shapes that the tensors of a batch have."""
    count, dims = tensors["mu"].shape
    shapes: dict[str, tuple[int, ...]] = {"x": (count, *IMAGE_SHAPE), "kl_per_dim": (dims,)}
    shapes |= dict.fromkeys(("mu", "logvar", "z"), (count, dims))
    shapes |= dict.fromkeys(("log_px_z", "reconstruction", "kl"), (count,))
    drawn, looked_at = len(tensors["draws"]), min(count, LOOKED_AT)
    check_int("draws", drawn, 1, MOST_DRAWS)
    shapes |= {"draws": (drawn, looked_at, dims), "log_px_draws": (drawn, looked_at)}
    shapes["x_hat"] = (drawn, looked_at, *IMAGE_SHAPE)
    if {name: tuple(tensor.shape) for name, tensor in tensors.items() if tensor.is_floating_point()} != shapes:
        raise ValueError("its tensors have other shapes.")


def next_batch(model: VAE, dataset: Dataset, config: TrainConfig, step: int, device: torch.device) -> OneBatch:
    """The batch that training takes after `step` steps, with the draws that it will make; changes nothing.

    Args:
        model: with its weights after those steps, on the device.
        dataset: what it is trained on.
        config: the training's settings at that step.
        step: how many steps it has taken.
        device: where it trains: the draws depend on it.
    """
    images = dataset.train_on(device)
    model = copy.deepcopy(model).to(device)
    batch = Batches(images, model.config, config.seed, block_of(device, config.batch_size)).take(config, step)
    with arithmetic("float32", device):
        return _looked_at(model, batch, config, step)


def _looked_at(model: VAE, batch: Batch, config: TrainConfig, step: int) -> OneBatch:
    """`next_batch` for this batch; changes the model's gradients."""
    x = batch.x
    terms = fitted_elbo(model, x, batch.eps, config.gradient)
    objective = Objective(config.objective, beta_at(config, step + 1), config.free_bits)
    loss = objective.loss(terms, model.prior)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    draws = terms.z[:MOST_DRAWS, :LOOKED_AT].detach().clone()  # a file keeps no tensor within another
    with torch.inference_mode():
        return OneBatch(
            step=step + 1,
            x=x,
            mu=terms.q.mu.detach(),
            logvar=terms.q.logvar.detach(),
            z=terms.z[0].detach(),
            log_px_z=terms.log_px[0].detach(),
            reconstruction=terms.reconstruction.detach(),
            draws=draws,
            x_hat=model.x_hat(draws),
            log_px_draws=terms.log_px[:MOST_DRAWS, :LOOKED_AT].detach().clone(),
            samples=config.samples,
            kl=terms.kl.detach(),
            kl_per_dim=terms.kl_per_dim.detach().mean(0),
            beta=objective.beta,
            loss=float(loss),
            objective=objective.name,
            free_bits=objective.free_bits,
            counted_kl=float(objective.counted_kl(terms)),
            clip_norm=config.clip_norm,
            gradient=config.gradient,
            gradient_norm=float(torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))),
        )
