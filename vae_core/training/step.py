"""One step of training: a batch in, Adam's step out. It is the same on every device, and never waits for one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..config import PIXELS
from ..densities import optimal_sigma
from ..model import VAE
from ..objective import ELBO, drawn, elbo_of_decoded
from .adam import Adam
from .closed_form import ClosedForm, has_closed_form
from .few_kernels import FewKernels, knows
from .loss_weights import LossWeights
from .processes import ALONE, Processes
from .random import Batch
from .recording import Recordings


class Pace(NamedTuple):
    """The learning rate and loss settings of one step."""

    learning_rate: float
    beta: float
    free_bits: float


class Step:
    """Takes a step for each batch: forward, loss, backward and Adam.

    On CUDA the steps of a call are replayed as one CUDA graph; values that change over time are tensors that it reads.

    Args:
        model: on the device.
        adam: of the model's parameters.
        precision: float32, tf32 or bfloat16, for products and convolutions.
        objective: a name of `config.OBJECTIVES`: what the step maximizes.
        clip_norm: largest norm of the gradient, over all parameters; 0: no clipping.
        processes: those that share each batch.
        block: that of `random.Batches`: how many places there are for batches; 0 counts as 1.
        gradient: a name of `config.GRADIENTS`: how the reconstruction's gradient leaves z.
    """

    def __init__(
        self,
        model: VAE,
        adam: Adam,
        precision: str = "float32",
        objective: str = "elbo",
        clip_norm: float = 0.0,
        processes: Processes = ALONE,
        block: int = 0,
        gradient: str = "reparameterized",
    ) -> None:
        self._model = model
        self._adam = adam
        self._processes = processes
        self._precision = precision
        self._device = next(model.parameters()).device
        self._is_importance_weighted = objective == "importance-weighted"
        self._clip_norm = clip_norm
        narrow = torch.bfloat16 if precision == "bfloat16" else torch.float32
        is_alone = processes.count == 1
        records = is_alone and is_recorded(self._device)
        is_short = records and knows(model, precision, objective, clip_norm, gradient)
        self._few_kernels = FewKernels(model, adam) if is_short else None
        by_hand = is_alone and has_closed_form(model)
        self._closed_form = ClosedForm(model, narrow, objective, gradient) if by_hand else None
        self._size = size = _Size()

        def mean_square(squares: Tensor) -> Tensor:
            """(L, B, 1, 28, 28) → a scalar, the mean over all elements of all processes."""
            return processes.total(squares.sum()) / (len(squares) * size.images * PIXELS)

        # mean_square is not a method: a cycle would keep recordings
        self._terms = processes.parallel(_Terms(model, mean_square, gradient))
        block = max(block, 1)
        self._measured = torch.zeros(block, 1 + model.config.latent_dim, device=self._device)
        self._settings = torch.zeros(block, 5, device=self._device)
        self._set: list[list[float]] = [[]] * block
        self._places = [_Place(*rows) for rows in zip(self._settings, self._measured, strict=True)]
        self._recordings = Recordings(self._device, precision) if records else None

    def take(self, batches: Sequence[Batch], paces: Sequence[Pace]) -> Tensor:
        """Takes a step for each batch.

        Args:
            batches: at successive places; each is the whole batch of all processes.
            paces: the pace of each step.

        Returns:
            (steps, 1 + D) nats, summed over each batch: the reconstruction, and the KL of each dimension.
        """
        first = batches[0].place
        last = batches[-1].place + 1
        self._prepare(first, last, [batch.x.shape[0] for batch in batches], paces)
        if self._recordings:
            ends = [(x.data_ptr(), eps.data_ptr(), eps.shape) for x, eps, _ in (batches[0], batches[-1])]
            key = first, last, *ends, paces[0].free_bits > 0
            self._recordings.run(key, lambda: self._compute(batches))
        else:
            self._compute(batches)
        return self._processes.total(self._measured[first:last]).clone()

    def close(self) -> None:
        """Frees the memory that recordings hold."""
        if self._recordings:
            self._recordings.close()

    def _prepare(self, first: int, last: int, images: Sequence[int], paces: Sequence[Pace]) -> None:
        """Writes the settings of the steps at these places where the steps read them, with at most one copy."""
        count = self._processes.count
        rows = [
            [pace.learning_rate, *LossWeights.values(size / count, pace.beta, pace.free_bits)]
            for size, pace in zip(images, paces, strict=True)
        ]
        if rows != self._set[first:last]:
            self._set[first:last] = rows
            self._settings[first:last].copy_(torch.tensor(rows), non_blocking=True)
        for place, pace in zip(self._places[first:last], paces, strict=True):
            place.weights.has_free_bits = pace.free_bits > 0

    def _compute(self, batches: Sequence[Batch]) -> None:
        """Computes all steps, one after another."""
        for batch in batches:
            self._compute_one(batch, self._places[batch.place])

    def _compute_one(self, batch: Batch, place: _Place) -> None:
        """Computes the step of a whole batch of all processes; its settings and results are at its place."""
        self._size.images = batch.x.shape[0]
        if self._processes.count > 1:
            batch = batch.share(self._processes.rank, self._processes.count)
        weights = place.weights
        learning_rate = place.learning_rate
        if self._few_kernels is not None and len(batch.eps) == 1:
            self._few_kernels.take(batch.x, batch.eps, weights, learning_rate, place.measured)
            return
        if self._closed_form is not None:
            terms = self._closed_form.differentiate(batch.x, batch.eps, weights)
            reconstruction = terms.reconstruction
            kl_per_dim = terms.kl_per_dim
        else:
            reconstruction, kl_per_dim = self._by_autograd(batch, weights)
        if self._clip_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._clip_norm)
        self._adam.step(learning_rate)
        torch.sum(torch.cat([reconstruction.unsqueeze(1), kl_per_dim], dim=1), 0, out=place.measured)

    def _by_autograd(self, batch: Batch, weights: LossWeights) -> tuple[Tensor, Tensor]:
        with self._mixed():
            beta = weights.beta if self._is_importance_weighted else None
            reconstruction, kl_per_dim, bound = self._terms(batch.x, batch.eps, beta)
        for parameter in self._model.parameters():
            parameter.grad = None
        of_image = weights.reconstruction.expand_as(reconstruction)
        # On CUDA backward would run in a thread that all runs share, so that recordings would share cuBLAS's memory.
        with torch.autograd.set_multithreading_enabled(self._processes.count > 1):
            if self._is_importance_weighted:
                bound.backward(of_image)
            else:
                of_kl = weights.of_kl(lambda: self._mean_kl(kl_per_dim.detach()))
                torch.autograd.backward((reconstruction, kl_per_dim), (of_image, of_kl.expand_as(kl_per_dim)))
        return reconstruction.detach(), kl_per_dim.detach()

    def _mixed(self) -> contextlib.AbstractContextManager[object]:
        """Products and convolutions in bfloat16, if chosen; weights are used once, so their casts are not cached."""
        if self._precision != "bfloat16":
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16, cache_enabled=False)

    def _mean_kl(self, kl_per_dim: Tensor) -> Tensor:
        """(B, D) → (D,), the mean over the images of all processes."""
        return self._processes.total(kl_per_dim.sum(0)) / self._size.images


def is_recorded(device: torch.device) -> bool:
    """Whether steps are recorded: on devices where launching a kernel takes as long as running it."""
    return device.type == "cuda"


class _Size:
    """The number of images in the whole batch of all processes."""

    images = 0


class _Place:
    """What the steps at one place of a block read and write: always the same memory, so that they can be captured."""

    def __init__(self, settings: Tensor, measured: Tensor) -> None:
        self.learning_rate = settings[0]
        self.weights = LossWeights(settings[1:])
        self.measured = measured


class _Terms(nn.Module):
    """The terms of a batch's ELBO as a module, which can be distributed over processes."""

    def __init__(self, model: VAE, mean_square: Callable[[Tensor], Tensor], gradient: str) -> None:
        super().__init__()
        self.model = model
        self._average = mean_square
        self._gradient = gradient

    def forward(self, x: Tensor, eps: Tensor, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Reconstruction (B,), KL (B, D) and, if β is given, the importance-weighted bound (B,)."""
        terms = fitted_elbo(self.model, x, eps, self._gradient, self._average)
        bound = None if beta is None else terms.importance_weighted(self.model.prior, beta)
        return terms.reconstruction, terms.kl_per_dim, bound


def fitted_elbo(
    model: VAE,
    x: Tensor,
    eps: Tensor,
    gradient: str = "reparameterized",
    average: Callable[[Tensor], Tensor] = torch.mean,
) -> ELBO:
    """The ELBO's terms of a batch, after σ was set to its optimum for that batch if the model fits it.

    Args:
        model: its σ may be set.
        x: (B, 1, 28, 28) in [0, 1].
        eps: (L, B, D), the draws' noise.
        gradient: as `objective.drawn` has it.
        average: over all elements, including those of other processes.
    """
    q = model.posterior(x)
    z = drawn(q, eps, gradient)
    params = model.decode(z)
    if model.config.fits_sigma:  # no gradient flows through σ
        model.log_sigma.copy_(optimal_sigma(x, params.detach(), average).log())
    return elbo_of_decoded(model, x, q, z, params)
