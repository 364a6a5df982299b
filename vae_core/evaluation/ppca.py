"""The linear model with a Gaussian likelihood is probabilistic PCA, where everything has a closed form (T20a).

z ~ N(μ_p, σ_p² I), x|z ~ N(Wz + b, σ² I), so x ~ N(Wμ_p + b, σ_p² WWᵀ + σ² I).
Of some of the pixels (`inpaint.visible`) it is the same with their rows of W and b alone.
Source: Tipping & Bishop (1999), "Probabilistic principal component analysis". Everything is computed in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, kl_divergence

from ..config import PIXELS, VAEConfig
from ..densities import DiagonalGaussian
from ..model import VAE
from .evaluate import Proposal, wide


@dataclass(frozen=True)
class MaximumLikelihood:
    """The maximum-likelihood probabilistic PCA of some images, up to a rotation of z.

    weight: (784, D), W. bias: (784,). sigma: σ. log_likelihood: nats per image, averaged over these images.
    """

    weight: Tensor
    bias: Tensor
    sigma: float
    log_likelihood: float


def is_ppca(config: VAEConfig) -> bool:
    """Whether a model is probabilistic PCA: linear, with a Gaussian likelihood."""
    return config.architecture == "linear" and config.likelihood == "gaussian"


def log_likelihood(model: VAE, x: Tensor) -> Tensor:
    """log p(x) in closed form: (B, 1, 28, 28) → (B,) nats, float64.

    Raises:
        ValueError: the model is not linear, or its likelihood not Gaussian.
    """
    w, residual, sigma, prior_std = _parts(model, x)
    pixels, d = w.shape
    inner = sigma**2 / prior_std**2 * torch.eye(d, dtype=w.dtype, device=w.device) + w.T @ w  # (D, D)
    projected = residual @ w  # (B, D)
    explained = (projected * torch.linalg.solve(inner, projected.T).T).sum(1)
    log_det = (pixels - d) * 2 * math.log(sigma) + torch.logdet(prior_std**2 * inner)
    return -0.5 * ((residual.square().sum(1) - explained) / sigma**2 + log_det + pixels * math.log(2 * math.pi))


def posterior(model: VAE, x: Tensor) -> Proposal:
    """p(z|x), a Gaussian with the same covariance for every image: mean (B, D), scale (B, D, D), in x's type.

    Raises:
        ValueError: as `log_likelihood`.
    """
    exact = _posterior(model, x)
    return Proposal(exact.mean.to(x), exact.scale.to(x))


def kl_to_posterior(model: VAE, x: Tensor, q: DiagonalGaussian) -> Tensor:
    """KL(q‖p(z|x)), the gap of a q's ELBO, for q of (B, D) each: (B,) nats, float64 (T14).

    Raises:
        ValueError: as `log_likelihood`.
    """
    exact = _posterior(model, x)
    mine = MultivariateNormal(wide(q.mu), scale_tril=torch.diag_embed(wide(q.std)))
    return kl_divergence(mine, MultivariateNormal(exact.mean, scale_tril=exact.scale))


def best_gaussian(model: VAE, x: Tensor) -> DiagonalGaussian:
    """The diagonal q of the largest ELBO: the posterior's mean and conditional variances, (B, D) in x's type (T15).

    Raises:
        ValueError: as `log_likelihood`.
    """
    exact = _posterior(model, x)
    precision = torch.cholesky_inverse(exact.scale[:1])[0].diagonal()  # the same for every image
    return DiagonalGaussian(exact.mean.to(x), -precision.log().expand_as(exact.mean).to(x))


def maximum_likelihood(images: Tensor, latent_dim: int) -> MaximumLikelihood:
    """The maximum of the likelihood, for a standard normal prior, from the eigenvalues of the images' covariance.

    Args:
        images: (N, 1, 28, 28) in [0, 1].
        latent_dim: D.
    """
    x = wide(images.flatten(1))
    bias = x.mean(0)
    eigenvalues, vectors = torch.linalg.eigh((x - bias).T @ (x - bias) / len(x))
    kept, rest = eigenvalues[-latent_dim:], eigenvalues[:-latent_dim].clamp(min=0)
    variance = float(rest.mean())
    weight = vectors[:, -latent_dim:] * (kept - variance).clamp(min=0).sqrt()
    log_det = float(kept.log().sum()) + len(rest) * math.log(variance)
    log_likelihood = -0.5 * (log_det + PIXELS + PIXELS * math.log(2 * math.pi))
    return MaximumLikelihood(weight, bias, math.sqrt(variance), log_likelihood)


def _posterior(model: VAE, x: Tensor) -> Proposal:
    """`posterior` in float64."""
    w, residual, sigma, prior_std = _parts(model, x)
    identity = torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
    covariance = torch.linalg.inv(w.T @ w / sigma**2 + identity / prior_std**2)
    mean = model.config.prior_mean + residual @ w @ covariance / sigma**2
    scale = torch.linalg.cholesky(covariance).expand(len(x), -1, -1)
    return Proposal(mean, scale)


def _parts(model: VAE, x: Tensor) -> tuple[Tensor, Tensor, float, float]:
    """W (P, D), x − E[x] (B, P), σ and σ_p, of the P pixels that the model scores."""
    config = model.config
    if not is_ppca(config):
        raise ValueError(
            f"The model is {config.architecture} with a {config.likelihood} likelihood; PPCA is linear Gaussian."
        )
    decoder = model.decoder
    assert isinstance(decoder, nn.Linear)
    scored = model.likelihood.scored
    w = scored(wide(decoder.weight.detach()).T).T
    b = scored(wide(decoder.bias.detach()))
    mean = b + config.prior_mean * w.sum(1)
    return w, scored(wide(x.flatten(1))) - mean, math.exp(float(model.log_sigma.detach())), config.prior_std
