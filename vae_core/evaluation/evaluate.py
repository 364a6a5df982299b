"""Held-out measures of a model: the ELBO with its parts, and estimates of log p(x)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..config import IMAGE_SHAPE
from ..densities import DiagonalGaussian, gaussian_log_prob
from ..model import VAE
from ..objective import ELBO, elbo
from ..precision import arithmetic
from ..settings import check_int

ACTIVE_THRESHOLD = 0.01  # Burda et al. (2015), appendix C
MEMORY_BUDGET = 16 * 2**20  # bytes of a chunk's largest tensor on a CPU: few enough for a cache, enough to be fast
ON_A_GPU = 16  # times as much
IMAGES_AT_ONCE = 100  # in log_likelihood; fixed, so that the draws do not depend on the budget
DRAWS_AT_A_CALL = 64  # of noise on a GPU, where a call takes as long as for a single draw


@dataclass(frozen=True)
class HeldOut:
    """Measures over a set of images: averages in nats per image.

    elbo_error: standard error of the mean ELBO over the images.
    kl_per_dim: nats per latent dimension. active_units: dimensions where q's mean has a variance above 0.01.
    """

    elbo: float
    reconstruction: float
    kl: float
    elbo_error: float
    kl_per_dim: list[float]
    active_units: int


class Proposal(NamedTuple):
    """A Gaussian for each image from which z is drawn: N(mean, scale scaleᵀ).

    mean: (B, D). scale: standard deviations (B, D), or lower triangular (B, D, D).
    """

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, q: DiagonalGaussian) -> Proposal:
        """The proposal with a diagonal q."""
        return cls(q.mu, q.std)

    @classmethod
    def posterior(cls, model: VAE, x: Tensor) -> Proposal:
        """The encoder's q(z|x) for x of (B, 1, 28, 28)."""
        return cls.of(model.posterior(x))

    @classmethod
    def prior(cls, model: VAE, x: Tensor) -> Proposal:
        """p(z), the same for every image."""
        mean = torch.full((len(x), model.config.latent_dim), model.config.prior_mean, dtype=x.dtype, device=x.device)
        return cls(mean, torch.full_like(mean, model.config.prior_std))

    def draw(self, eps: Tensor) -> Tensor:
        """Turns noise into z: (..., B, D) → (..., B, D)."""
        if self.scale.ndim == self.mean.ndim:
            return self.mean + self.scale * eps
        return self.mean + torch.einsum("bij,...bj->...bi", self.scale, eps)

    def log_prob(self, eps: Tensor) -> Tensor:
        """Log-density of the z made from this noise: (..., B, D) → (..., B) nats."""
        diagonal = self.scale if self.scale.ndim == self.mean.ndim else self.scale.diagonal(dim1=-2, dim2=-1)
        return gaussian_log_prob(eps, torch.zeros_like(eps), 0.0).sum(-1) - diagonal.log().sum(-1)


def log_weights(model: VAE, x: Tensor, proposal: Proposal, eps: Tensor) -> Tensor:
    """log p(x, z)/q(z) at the z that the proposal draws from this noise (T13).

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1].
        proposal: q, a Gaussian for each image.
        eps: (K, B, D).

    Returns:
        (K, B) nats. Their mean over K estimates the ELBO, and the log of the mean weight estimates log p(x).
    """
    z = proposal.draw(eps)
    return model.log_px_z(x, z) + model.prior.log_prob(z) - proposal.log_prob(eps)


@torch.inference_mode()
def evaluate_elbo(model: VAE, x: Tensor, *, seed: int = 0, batch_size: int | None = None) -> HeldOut:
    """The ELBO of images from one draw of z each (T6, T18), KL per dimension (T8) and active units.

    Args:
        model: the VAE.
        x: (N, 1, 28, 28) in [0, 1], binarized as the model needs it, on the model's device.
        seed: of the draws; the same seed gives the same figures.
        batch_size: images at once; if None, 1,000 on a CPU, and on a GPU as many as a chunk may hold.

    Raises:
        ValueError: there are no images, or they have another shape or values outside [0, 1].
    """
    check_images(x)
    generator = torch.Generator(x.device).manual_seed(seed)
    if batch_size is None:
        batch_size = 1000 if x.device.type == "cpu" else max(1000, draws_at_once(model, x[:1]))
    with arithmetic("float32", x.device):
        terms = [_without_params(elbo(model, batch, generator=generator)) for batch in x.split(batch_size)]
    means = torch.cat([t.q.mu for t in terms])
    reconstruction, kl_per_dim = (
        wide(torch.cat(parts)) for parts in zip(*((t.reconstruction, t.kl_per_dim) for t in terms), strict=True)
    )
    kl = kl_per_dim.sum(1)
    elbos = reconstruction - kl
    active = (means.float().var(0, correction=0) > ACTIVE_THRESHOLD).sum()
    means_of_all = [elbos.mean(), reconstruction.mean(), kl.mean(), standard_error(elbos), active.to(elbos)]
    figures = torch.cat([torch.stack(means_of_all), kl_per_dim.mean(0)]).tolist()  # waits once
    held_elbo, held_reconstruction, held_kl, error, units, *held_kl_per_dim = figures
    return HeldOut(held_elbo, held_reconstruction, held_kl, error, held_kl_per_dim, int(units))


def _without_params(terms: ELBO) -> ELBO:
    """The terms without the decoded draws, which take as much memory as the images."""
    return terms._replace(params=None)


@torch.no_grad()
def log_likelihood(
    model: VAE,
    x: Tensor,
    samples: int = 50,
    generator: torch.Generator | None = None,
    *,
    proposal: Callable[[VAE, Tensor], Proposal] = Proposal.posterior,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """The importance-weighted estimate log p̂_K(x) = log (1/K) Σ_k p(x, z_k)/q(z_k|x), z_k ~ q(z|x) (T12, T13).

    On average it is a lower bound of log p(x) that rises with K; K = 1 averages to the ELBO. With `Proposal.prior` it
    is simple Monte Carlo, log (1/K) Σ_k p(x|z_k) with z_k ~ p(z), which needs far more draws.

    Args:
        model: the VAE; its encoder runs once per image.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model needs it.
        samples: K ≥ 1 draws per image, decoded in chunks so that memory does not grow with K.
        generator: source of the draws; the same one gives the same estimate, whatever the chunks.
        proposal: returns q for some images.
        progress: called after every chunk with the number of images decoded.

    Returns:
        (B,) nats.

    Raises:
        ValueError: samples is not a whole number ≥ 1, or there are no images, or they have another shape or values
            outside [0, 1].

    Source: Burda et al. (2015), eq. 8.
    """
    check_int("samples", samples, 1, 1_000_000_000)
    check_images(x)
    parts = x.split(IMAGES_AT_ONCE)
    return torch.cat(
        [_log_likelihood(model, part, samples, generator, proposal(model, part), progress) for part in parts]
    )


@torch.no_grad()
def watch(model: VAE, x: Tensor, samples: int = 50, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The ELBO and log p̂_K(x) of each image, both from the same K draws of q(z|x) (T13, T14).

    They are the mean of the log weights and the log of the mean weight, so by Jensen's inequality their difference, an
    estimate of the gap from below, is never negative.

    Args:
        model: the VAE; its encoder runs once per image.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model needs it.
        samples: K ≥ 1 draws per image.
        seed: of the draws; with the same seed log p̂_K(x) is exactly what `log_likelihood` gives.

    Returns:
        (B,) nats each.
    """
    generator = torch.Generator(x.device).manual_seed(seed)
    found = []
    for part in x.split(IMAGES_AT_ONCE):
        total = _nothing(part)
        mean = torch.zeros_like(total)
        for weights in _log_weights(model, part, samples, generator, Proposal.posterior(model, part)):
            total = torch.logaddexp(total, weights.logsumexp(0))
            mean += weights.sum(0) / samples
        found.append(torch.stack([mean, total - math.log(samples)]).to(x.dtype))
    elbos, log_px = torch.cat(found, 1)
    return elbos, log_px


def _log_likelihood(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator | None,
    proposal: Proposal,
    progress: Callable[[int], None] | None,
) -> Tensor:
    """`log_likelihood` of few enough images that one draw of each fits in a chunk: (B,)."""
    total = _nothing(x)
    for weights in _log_weights(model, x, samples, generator, proposal):
        total = torch.logaddexp(total, weights.logsumexp(0))
        if progress:
            progress(weights.numel())
    return (total - math.log(samples)).to(x.dtype)


def _nothing(x: Tensor) -> Tensor:
    """log 0 for each image, where weights are to be added: (B,). Over many chunks float32 would lose precision."""
    precise = torch.float32 if x.device.type == "mps" else torch.float64
    return torch.full((len(x),), -math.inf, dtype=precise, device=x.device)


def _log_weights(
    model: VAE, x: Tensor, samples: int, generator: torch.Generator | None, proposal: Proposal
) -> Iterator[Tensor]:
    """Yields `log_weights` of K draws in chunks, (some draws, B) each."""
    chunk = draws_at_once(model, x)
    # A fixed number of draws per call, so that a generator gives the same noise whatever the size of the chunk.
    at_a_call = 1 if x.device.type == "cpu" else DRAWS_AT_A_CALL
    chunk = max(chunk // at_a_call, 1) * at_a_call
    for start in range(0, samples, chunk):
        draws = min(chunk, samples - start)
        shape = (at_a_call, *proposal.mean.shape)
        calls = -(-draws // at_a_call)
        noise = [torch.randn(shape, generator=generator, dtype=x.dtype, device=x.device) for _ in range(calls)]
        eps = torch.cat(noise)[:draws]
        with arithmetic("float32", x.device):
            weights = log_weights(model, x, proposal, eps)
        yield weights


def draws_at_once(model: VAE, x: Tensor) -> int:
    """Number of z per image decoded in one chunk."""
    budget = MEMORY_BUDGET * (1 if x.device.type == "cpu" else ON_A_GPU)
    return max(1, budget // (len(x) * model.decoder_width() * x.element_size()))


def check_images(x: Tensor) -> None:
    """Checks that x is (B, 1, 28, 28) with B ≥ 1 and values in [0, 1].

    Raises:
        ValueError: it is not; the message says what x is.
    """
    if x.ndim != 4 or x.shape[1:] != IMAGE_SHAPE or len(x) == 0:
        raise ValueError(f"images have the shape {tuple(x.shape)}; it must be (B, 1, 28, 28) with B at least 1.")
    low, high = torch.stack(torch.aminmax(x)).tolist()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"images have values from {low:g} to {high:g}; all must be numbers in [0, 1].")


def standard_error(values: Tensor) -> Tensor:
    """Standard error of the mean of (N,) values, a scalar; 0 for a single one."""
    return values.std() / math.sqrt(len(values)) if len(values) > 1 else values.new_zeros(())


def wide(values: Tensor) -> Tensor:
    """The values in float64, on their device; MPS has no float64, so its values move to the CPU."""
    return values.cpu().double() if values.device.type == "mps" else values.double()
