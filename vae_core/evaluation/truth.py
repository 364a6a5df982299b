"""What is known exactly: of probabilistic PCA in closed form, of two latent dimensions by quadrature (T14, T20)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from . import ppca
from .posterior import grid_evidence, grid_truth

REACHES = (5.0, 8.0, 13.0)  # prior standard deviations to either side of its mean, one after the other


class ExactTerms(NamedTuple):
    """log p(x) and the ELBO of a q for each image: (B,) nats each, in x's type; NaN where they are not known."""

    log_px: Tensor
    elbo: Tensor


def exact_terms(model: VAE, x: Tensor, q: DiagonalGaussian) -> ExactTerms | None:
    """log p(x), and log p(x) − KL(q‖p(z|x)) for a q of each image; None if nothing is known of this kind of model.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1].
        q: (B, D) each.
    """
    if ppca.is_ppca(model.config):
        log_px = ppca.log_likelihood(model, x)
        gap = ppca.kl_to_posterior(model, x, q)
    elif model.config.latent_dim == 2:
        log_px, gap = _on_a_plane(model, x, q)
    else:
        return None
    return ExactTerms(log_px.to(x), (log_px - gap).to(x))


def exact_evidence(model: VAE, x: Tensor) -> Tensor | None:
    """log p(x) of many images, exact to 1e-3 nats: (B,), NaN where unsure; None if it is not known of this model.

    Args:
        model: the VAE.
        x: (B, 1, 28, 28) in [0, 1].
    """
    if ppca.is_ppca(model.config):
        return ppca.log_likelihood(model, x).to(x)
    if model.config.latent_dim != 2:
        return None
    log_px = x.new_full((len(x),), torch.nan)
    for reach in REACHES:
        if len(left := log_px.isnan().nonzero()[:, 0]):
            log_px[left] = grid_evidence(model, x[left], reach=reach)
    return log_px


def _on_a_plane(model: VAE, x: Tensor, q: DiagonalGaussian) -> tuple[Tensor, Tensor]:
    """log p(x) and the gap of a q of each image, by quadrature: (B,) nats each; NaN where no grid holds the posterior.

    A posterior that reaches the edge of a grid, or is too sharp for its cells, is integrated on a wider one again.
    """
    log_px = x.new_full((len(x),), torch.nan)
    gap = log_px.clone()
    left = torch.arange(len(x), device=x.device)
    for reach in REACHES:
        found = grid_truth(model, x[left], DiagonalGaussian(q.mu[left], q.logvar[left]), reach=reach)
        log_px[left[found.holds]] = found.log_px[found.holds].to(x)
        gap[left[found.holds]] = found.kl_q_posterior[found.holds].to(x)
        left = left[~found.holds]
        if not len(left):
            break
    return log_px, gap
