"""What is known exactly: of probabilistic PCA in closed form, of two latent dimensions by quadrature (T14, T20)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..densities import DiagonalGaussian
from ..model import VAE
from . import ppca
from .posterior import grid_truth


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
        found = grid_truth(model, x, q)
        log_px = found.log_px.masked_fill(~found.holds, torch.nan)
        gap = found.kl_q_posterior
    else:
        return None
    return ExactTerms(log_px.to(x), (log_px - gap).to(x))
