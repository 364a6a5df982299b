"""Held-out measures of a model: the ELBO and its parts, the importance-weighted log-likelihood, active units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .bounds import check_int
from .model import PIXELS, VAE
from .objective import elbo, gaussian_kl, gaussian_log_prob, reparameterize

ACTIVE_THRESHOLD = 0.01  # Burda et al. (2015), appendix C
MEMORY_BUDGET = 256 * 2**20  # bytes that the decoded images of one chunk may take


@dataclass(frozen=True)
class HeldOut:
    """The measures of a set of images: averages in nats per image.

    elbo_error: standard error of the mean ELBO over the images.
    kl_per_dim: nats per latent dimension. active_units: dimensions whose posterior mean varies by more than 0.01.
    """

    elbo: float
    reconstruction: float
    kl: float
    elbo_error: float
    kl_per_dim: list[float]
    active_units: int


@torch.inference_mode()
def evaluate_elbo(model: VAE, x: Tensor, *, seed: int = 0, batch_size: int = 1000) -> HeldOut:
    """The ELBO of images by one draw of z each (T6, T18), KL per dimension (T8) and active units.

    Args:
        model: the VAE.
        x: (N, 1, 28, 28) in [0, 1], binarized as the model wants it, on the model's device.
        seed: of the draws; the same seed gives the same figures.
        batch_size: images at once.

    Raises:
        ValueError: there are no images.
    """
    if len(x) == 0:
        raise ValueError("There are no images to evaluate.")
    generator = torch.Generator(x.device).manual_seed(seed)
    terms = [elbo(model, batch, generator=generator) for batch in x.split(batch_size)]
    means = torch.cat([model.encode(batch)[0] for batch in x.split(batch_size)])
    reconstruction = torch.cat([t.reconstruction for t in terms]).cpu().double()
    kl_per_dim = torch.cat([t.kl_per_dim for t in terms]).cpu().double()
    elbos = reconstruction - kl_per_dim.sum(1)
    return HeldOut(
        elbo=float(elbos.mean()),
        reconstruction=float(reconstruction.mean()),
        kl=float(kl_per_dim.sum(1).mean()),
        elbo_error=standard_error(elbos),
        kl_per_dim=kl_per_dim.mean(0).tolist(),
        active_units=int((means.float().var(0, correction=0) > ACTIVE_THRESHOLD).sum()),
    )


@torch.inference_mode()
def log_likelihood(
    model: VAE,
    x: Tensor,
    samples: int = 50,
    generator: torch.Generator | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """The importance-weighted estimate log p̂_K(x) = log (1/K) Σ_k p(x, z_k)/q(z_k|x), z_k ~ q(z|x) (T12, T13).

    A lower bound of log p(x) on average, that rises with K; K = 1 averages to the ELBO.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1], binarized as the model wants it.
        samples: K ≥ 1 draws an image, decoded in chunks so that memory does not grow with K.
        generator: source of the draws.
        progress: told of the number of decoded images after every chunk.

    Returns:
        (B,) nats.

    Raises:
        ValueError: samples is no whole number ≥ 1, or there are no images.

    Source: Burda et al. (2015), eq. 8.
    """
    check_int("samples", samples, 1, 1_000_000_000)
    if len(x) == 0:
        raise ValueError("There are no images to evaluate.")
    at_once = max(1, MEMORY_BUDGET // (PIXELS * 4 * 4))  # images decoded at once, with three more arrays of their size
    return torch.cat(
        [_log_likelihood(model, part, samples, generator, at_once, progress) for part in x.split(min(at_once, 100))]
    )


def _log_likelihood(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator | None,
    at_once: int,
    progress: Callable[[int], None] | None,
) -> Tensor:
    """`log_likelihood` of so few images that one draw of each fits in a chunk: (B,)."""
    mu, logvar = model.encode(x)
    prior_logvar = 2 * math.log(model.config.prior_std)
    log_weights = []
    for start in range(0, samples, chunk := max(1, at_once // len(x))):
        draws = min(chunk, samples - start)
        eps = torch.randn((draws, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
        z = reparameterize(mu, logvar, eps)  # (k, B, D)
        log_pz = gaussian_log_prob(z, torch.full_like(z, model.config.prior_mean), prior_logvar).sum(-1)
        log_qz_x = gaussian_log_prob(z, mu, logvar).sum(-1)
        log_weights.append(model.log_px_z(x, z) + log_pz - log_qz_x)
        if progress:
            progress(draws * len(x))
    return torch.cat(log_weights).logsumexp(0) - math.log(samples)


@torch.inference_mode()
def kl_per_dim(model: VAE, x: Tensor) -> Tensor:
    """KL(q(z_j|x)‖p(z_j)) of each image and dimension (T8): (B, D) nats."""
    mu, logvar = model.encode(x)
    return gaussian_kl(mu, logvar, model.config.prior_mean, model.config.prior_std)


def standard_error(values: Tensor) -> float:
    """Standard error of the mean of (N,) values; 0 for a single one."""
    return float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0
