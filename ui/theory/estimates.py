"""The gradient of the reconstruction for the image in hand: at draws of z, and three estimators of it (T17)."""

from __future__ import annotations

import threading
from typing import Any

import torch

from vae_core.densities import DiagonalGaussian
from vae_core.evaluation.gradients import as_draws_grow, gradient_estimates, slopes
from vae_core.settings import check_int

from ..backend import Backend
from ..web.requests import FLOAT32, field, image_bytes, rounded, vector

MOST_DRAWS = 10_000
MOST_POINTS = 64  # whose slopes are asked at once
PER_DECADE = 8  # counts of draws
PATIENCE = 6.0  # seconds that a request waits for its turn
ESTIMATORS = ("pathwise", "score", "with_baseline")

_turn = threading.BoundedSemaphore(1)


def estimators(backend: Backend, request: Any) -> dict[str, Any]:
    """Three unbiased estimators of ∂E_q[log p(x|z)]/∂(μ, log σ²), from the same draws, as these grow in number.

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees, mu, std: D numbers each, of q; draws: 16
            to 10,000}.

    Returns:
        counts: of draws, about evenly over their logarithm, the last is `draws`. For pathwise, score and with_baseline
        (`vae_core.evaluation.gradients.GradientEstimates`) each: mean, error: by count, 2D numbers, first of μ and then
        of log σ², in nats per unit; error is the standard error. ratio: the variance of a single draw over that of the
        pathwise estimator, summed over the 2D elements.

    Raises:
        ValueError: an estimate is not finite, or others are asking at the moment.
    """
    model = backend.load(field(request, "model")).model
    x = image_bytes("image", field(request, "image"), 28).float()[None, None] / 255
    dims = model.config.latent_dim
    mu = vector("mu", field(request, "mu"), dims)
    std = vector("std", field(request, "std"), dims, least=FLOAT32.tiny)
    draws = check_int("draws", field(request, "draws"), 16, MOST_DRAWS)
    if not _turn.acquire(timeout=PATIENCE):
        raise ValueError("The server is busy with the questions of others: try again in a moment.")
    try:
        q = DiagonalGaussian(mu[None], 2 * std[None].log())
        found = gradient_estimates(model, x, draws, q=q, generator=torch.Generator().manual_seed(0))
    finally:
        _turn.release()
    if not all(bool(getattr(found, name).isfinite().all()) for name in ESTIMATORS):
        raise ValueError("The gradient is not finite there: take a q with larger widths, nearer to the middle.")
    counts = spaced(draws)
    answer: dict[str, Any] = {"counts": counts}
    for name in ESTIMATORS:
        mean, error = as_draws_grow(getattr(found, name)[:, 0], counts)
        answer[name] = {
            "mean": rounded(mean),
            "error": rounded(error),
            "ratio": found.variance_ratio(name),
        }
    return answer


def slopes_at(backend: Backend, request: Any) -> dict[str, Any]:
    """log p(x|z) and its slope along z at some points: the browser asks only where the decoder is too slow in it.

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees, z: at most 64 lists of D numbers}.

    Returns:
        log_px: nats; slope: D numbers each, nats per unit of z.
    """
    model = backend.load(field(request, "model")).model
    x = image_bytes("image", field(request, "image"), 28).float()[None, None] / 255
    points = field(request, "z")
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        raise ValueError(f"z must be a list of 1 to {MOST_POINTS} points.")
    z = torch.stack([vector("z", point, model.config.latent_dim) for point in points])
    log_px, slope = slopes(model, x, z[:, None])
    if not bool(log_px.isfinite().all() and slope.isfinite().all()):
        raise ValueError("The gradient is not finite there: go nearer to the middle.")
    return {"log_px": rounded(log_px[:, 0]), "slope": rounded(slope[:, 0])}


def spaced(draws: int) -> list[int]:
    """Counts from 4 to that many draws, about evenly over their logarithm."""
    steps = torch.arange(0, 100) / PER_DECADE
    counts = {round(float(4 * 10**step)) for step in steps}
    return sorted({count for count in counts if count < draws} | {draws})
