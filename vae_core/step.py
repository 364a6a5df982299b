"""One step of training: a batch in, Adam's step out. The same on every device, and nothing in it waits for one."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .adam import Adam
from .closed_form import ClosedForm, has_closed_form
from .data import binarize
from .distributed import ALONE, Processes
from .draws import Draw
from .model import PIXELS, VAE
from .objective import Weights, elbo

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}  # of products and convolutions
MOST_RECORDINGS = 4  # that are kept, of different numbers of draws
WARM_UP = 3  # steps before a CUDA graph is recorded, in which the libraries set themselves up


class Step:
    """Takes batches of a training set, each by gather, binarization, forward, loss, backward and Adam.

    On CUDA all of that is recorded as a CUDA graph and replayed, so that a step is one launch and not two hundred;
    learning rate and weights are tensors that the recording reads. The last batch of an epoch, being smaller, is not.

    Args:
        model: on the device.
        images: (N, 1, 28, 28) uint8 on the device.
        adam: of the model's parameters.
        precision: a name of `PRECISIONS`.
        objective: a name of `objective.OBJECTIVES`: what the step makes larger.
        clip_norm: the gradient's largest norm, over all parameters; 0 leaves it as it is.
        processes: those that share each batch.
    """

    def __init__(
        self,
        model: VAE,
        images: Tensor,
        adam: Adam,
        precision: str = "float32",
        objective: str = "elbo",
        clip_norm: float = 0.0,
        processes: Processes = ALONE,
    ) -> None:
        self._model, self._images, self._adam, self._processes = model, images, adam, processes
        self._precision, device = PRECISIONS[precision], images.device
        self._weights = Weights(device)
        self._is_importance_weighted, self._clip_norm = objective == "importance-weighted", clip_norm
        by_hand = processes.count == 1 and has_closed_form(model)
        self._closed_form = ClosedForm(model, self._precision, objective) if by_hand else None
        self._batch = batch = _Batch()

        def mean_square(squares: Tensor) -> Tensor:
            """(L, B, 1, 28, 28) → one number, the mean over all of that of all processes."""
            return processes.total(squares.sum()) / (len(squares) * batch.size * PIXELS)

        self._terms = processes.parallel(_Terms(model, mean_square))  # no method of mine: a cycle would keep the graphs
        self._recordings: dict[object, _Recording] = {}
        self._records, self._steps = device.type == "cuda" and processes.count == 1, 0

    def take(self, draw: Draw, learning_rate: float, beta: float, free_bits: float) -> Tensor:
        """One step.

        Args:
            draw: what it draws, for all processes.
            learning_rate, beta, free_bits: what it is taken with.

        Returns:
            (1 + D,) nats, summed over the batch: the reconstruction, and the KL of each dimension.
        """
        self._batch.size = len(draw.rows)
        self._adam.set_learning_rate(learning_rate)
        self._weights.set(self._batch.size / self._processes.count, beta, free_bits)
        if self._processes.count > 1:
            mine = draw.share(self._processes.rank, self._processes.count)
            return self._processes.total(self._compute(mine))
        self._steps += 1
        if self._records and self._steps > WARM_UP:
            return self._replay(draw)
        return self._compute(draw)

    def _compute(self, draw: Draw) -> Tensor:
        """The step, with the weights and the learning rate that have been set."""
        x = binarize(self._images.index_select(0, draw.rows), self._model.config.binarization, uniform=draw.uniform)
        if self._closed_form is not None:
            terms = self._closed_form.differentiate(x, draw.eps, self._weights)
            reconstruction, kl_per_dim = terms.reconstruction, terms.kl_per_dim
        else:
            reconstruction, kl_per_dim = self._by_autograd(x, draw.eps)
        if self._clip_norm:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._clip_norm)
        self._adam.step()
        return torch.cat([reconstruction.unsqueeze(1), kl_per_dim], dim=1).sum(0)

    def _by_autograd(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        with self._mixed(x.device.type):
            beta = self._weights.beta if self._is_importance_weighted else None
            reconstruction, kl_per_dim, bound = self._terms(x, eps, beta)
        for parameter in self._model.parameters():
            parameter.grad = None
        of_image = self._weights.reconstruction.expand_as(reconstruction)
        # On CUDA backward runs in a thread that all trainings share, and with it cuBLAS's memory, which recordings keep.
        with torch.autograd.set_multithreading_enabled(self._processes.count > 1):
            if self._is_importance_weighted:
                bound.backward(of_image)
            else:
                of_kl = self._weights.of_kl(lambda: self._mean_kl(kl_per_dim.detach()))
                torch.autograd.backward((reconstruction, kl_per_dim), (of_image, of_kl.expand_as(kl_per_dim)))
        return reconstruction.detach(), kl_per_dim.detach()

    def _mixed(self, device: str) -> contextlib.AbstractContextManager[object]:
        """Products and convolutions in the narrower type, if one was chosen; weights are used once, so none is kept."""
        if self._precision == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(device, self._precision, cache_enabled=False)

    def _mean_kl(self, kl_per_dim: Tensor) -> Tensor:
        """(B, D) → (D,), the mean over the images of all processes."""
        return self._processes.total(kl_per_dim.sum(0)) / self._batch.size

    def _replay(self, draw: Draw) -> Tensor:
        """The step as a CUDA graph, recorded first where there is none of its shape."""
        shape = (draw.eps.shape, self._weights.has_free_bits)
        if shape not in self._recordings:
            if len(draw.rows) < max((rows for (_, rows, _), _ in self._recordings), default=0):
                return self._compute(draw)  # the last batch of an epoch is not worth a recording
            if len(self._recordings) == MOST_RECORDINGS:
                self._recordings.clear()  # L was changed again and again, and each holds memory of its own
            try:
                self._recordings[shape] = _Recording(self._compute, draw)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                logging.getLogger(__name__).warning("steps are taken one launch at a time: %s", error)
                self._records = False
                return self._compute(draw)
        return self._recordings[shape].replay(draw)


class _Batch:
    """The batch that is taken, of all processes."""

    size = 0


class _Terms(nn.Module):
    """The terms of a batch's ELBO as a module, which is what is spread over processes."""

    def __init__(self, model: VAE, mean_square: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self._fit_sigma = mean_square if model.config.fits_sigma else None

    def forward(self, x: Tensor, eps: Tensor, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Reconstruction (B,), KL (B, D) and, where β is given, the importance-weighted bound (B,)."""
        terms, config = elbo(self.model, x, eps=eps, fit_sigma=self._fit_sigma), self.model.config
        if beta is None:
            return terms.reconstruction, terms.kl_per_dim, None
        bound = terms.importance_weighted(config.prior_mean, config.prior_std, beta)
        return terms.reconstruction, terms.kl_per_dim, bound


class _Recording:
    """A step as a CUDA graph: recorded, not taken, when it is made; each replay takes it, with another draw."""

    _alone = threading.Lock()  # one recording at a time in a process, and no replay meanwhile: torch 2.11 refuses it
    _of_thread = threading.local()

    def __init__(self, compute: Callable[[Draw], Tensor], draw: Draw) -> None:
        self._draw = Draw(*(None if part is None else part.clone() for part in draw))
        self._graph = torch.cuda.CUDAGraph()
        own, stream = torch.cuda.current_stream(), self._stream()
        try:
            with self._alone, torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
                self._measured = compute(self._draw)
        finally:
            torch.cuda.set_stream(own)  # a recording that fails leaves its own one behind

    @classmethod
    def _stream(cls) -> torch.cuda.Stream:
        """One for each thread: cuBLAS keeps its memory by stream, and what two trainings recorded must not share it."""
        if not hasattr(cls._of_thread, "stream"):
            cls._of_thread.stream = torch.cuda.Stream(priority=-1)  # no training's own: those are of another kind
        return cls._of_thread.stream

    def replay(self, draw: Draw) -> Tensor:
        """What `Step.take` gives."""
        for mine, new in zip(self._draw, draw, strict=True):
            if mine is not None:
                mine.copy_(new)
        with self._alone:
            self._graph.replay()
        return self._measured.clone()
