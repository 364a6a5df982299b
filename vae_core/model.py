"""The variational autoencoder: its encoders and decoders, and the distributions they stand for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from .config import IMAGE_SHAPE, PIXELS, VAEConfig
from .densities import DiagonalGaussian, Prior
from .likelihood import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood

Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
DARKEST = 1e-3  # initial probability of a pixel that is black in all training images


class VAE(nn.Module):
    """p(x, z) = N(z; μ_p, σ_p² I) p(x|z) with the encoder q(z|x) = N(μ(x), diag σ²(x)) (T5, T16).

    Args:
        config: what to build.
        generator: source of the initial weights; torch's global one if None.
        mean: (1, 28, 28) in [0, 1], the mean of the training images: the output starts there, so that no step is needed
            to learn it, and the encoder's first layer subtracts it. Without it the output starts at ½, or 0 with a
            Gaussian likelihood.

    Source: Kingma & Welling (2014), arXiv:1312.6114.
    """

    def __init__(
        self,
        config: VAEConfig | None = None,
        generator: torch.Generator | None = None,
        *,
        mean: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.config = config or VAEConfig()
        self.encoder, self.decoder = BUILDERS[self.config.architecture](self.config)
        for part in (self.encoder, self.decoder):
            self._initialize(part, generator)
        if mean is not None:
            self._start_at(mean)
        if self.config.likelihood == "gaussian":
            log_sigma = torch.tensor(math.log(self.config.sigma))
            if self.config.sigma_mode == "learned":
                self.log_sigma = nn.Parameter(log_sigma)
            else:
                self.register_buffer("log_sigma", log_sigma)
        self.to(memory_format=torch.channels_last)  # convolutions on a CPU: up to a quarter faster

    def _initialize(self, part: nn.Module, generator: torch.Generator | None) -> None:
        """Draws uniform weights from the given generator, since two threads may build models at the same time.

        A conv gets ±√(6/fan_in) before a ReLU and ±√(3/fan_in) in the last layer, as in He et al. (2015,
        arXiv:1502.01852), and biases of 0: it then reaches in two epochs what otherwise takes five. The others get
        torch's own ±1/√fan_in, from which an mlp learns as quickly.
        """
        layers = _weighted(part)
        for layer in layers:
            bound = of_bias = layer.weight[0].numel() ** -0.5
            if self.config.architecture == "conv":
                bound = math.sqrt((3.0 if layer is layers[-1] else 6.0) / _fan_in(layer))
                of_bias = 0.0
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(_bias(layer), -of_bias, of_bias, generator=generator)

    @torch.no_grad()
    def _start_at(self, mean: Tensor) -> None:
        """Sets the biases at both ends; an output bias that is a single number gets the average of the mean."""
        first = _weighted(self.encoder)[0]
        if isinstance(first, nn.Linear):
            first.bias.sub_(first.weight @ mean.flatten())
        bias = _bias(_weighted(self.decoder)[-1])
        value = mean.flatten() if len(bias) == PIXELS else mean.mean().view(1)
        is_mean = self.config.likelihood == "gaussian"
        bias.copy_(value if is_mean else torch.logit(value, eps=DARKEST))

    @property
    def sigma(self) -> float | None:
        """The current σ of a Gaussian likelihood; None for any other."""
        return float(self.log_sigma.detach().exp()) if self.config.likelihood == "gaussian" else None

    def set_sigma(self, sigma: float) -> None:
        """Sets the σ of a Gaussian likelihood."""
        with torch.no_grad():
            self.log_sigma.fill_(math.log(sigma))

    def current_config(self) -> VAEConfig:
        """The configuration with the current σ if σ is fixed: it may have been changed during the run."""
        if self.config.likelihood != "gaussian" or self.config.sigma_mode != "fixed":
            return self.config
        return replace(self.config, sigma=float(f"{self.sigma:.6g}"))  # float32's digits

    @property
    def likelihood(self) -> Likelihood:
        """p(x|z) for decoded parameters, with the current σ."""
        if self.config.likelihood == "gaussian":
            return Gaussian(self.log_sigma)
        return ContinuousBernoulli() if self.config.likelihood == "continuous_bernoulli" else Bernoulli()

    @property
    def prior(self) -> Prior:
        """p(z) of every latent dimension."""
        return Prior(self.config.prior_mean, self.config.prior_std)

    def posterior(self, x: Tensor) -> DiagonalGaussian:
        """The encoder's q(z|x) for x of (B, 1, 28, 28) in [0, 1]."""
        return DiagonalGaussian(*self.encode(x))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x).

        Args:
            x: (B, 1, 28, 28) in [0, 1].

        Returns:
            mu, logvar: (B, D) each.

        Raises:
            ValueError: x has another shape.
        """
        if x.ndim != 4 or x.shape[1:] != IMAGE_SHAPE:
            raise ValueError(f"x has the shape {tuple(x.shape)}; it must be (B, 1, 28, 28).")
        mu, logvar = self.encoder(x).to(x.dtype).chunk(2, dim=-1)  # under autocast it has a narrower type
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The parameters of p(x|z): logits (Bernoulli, continuous Bernoulli) or mean (Gaussian).

        Args:
            z: (..., D).

        Returns:
            (..., 1, 28, 28).

        Raises:
            ValueError: z's last dimension is not D.
        """
        if z.shape[-1:] != (self.config.latent_dim,):
            raise ValueError(f"z has the shape {tuple(z.shape)}; its last dimension must be {self.config.latent_dim}.")
        flat = z.reshape(-1, self.config.latent_dim)
        return self.decoder(flat).to(z.dtype).reshape(*z.shape[:-1], *IMAGE_SHAPE)

    @torch.no_grad()
    def decoder_width(self) -> int:
        """Size of the largest tensor made while decoding one z, which decides how much memory many z take."""
        layers = [layer for layer in self.decoder.modules() if not list(layer.children())]  # in their order
        x = next(self.parameters()).new_zeros(1, self.config.latent_dim)
        width = 0
        for layer in layers:
            x = layer(x)
            width = max(width, x.numel())
        return width

    def log_px(self, x: Tensor, params: Tensor) -> Tensor:
        """log p(x|z) for decoded parameters, summed over the pixels (T19).

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            params: (..., B, 1, 28, 28), as `decode` returns them.

        Returns:
            (..., B) nats per image.
        """
        return self.likelihood.total(x.flatten(-3), params.flatten(-3))

    def log_px_z(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), summed over the pixels (T19).

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            z: (..., B, D).

        Returns:
            (..., B) nats per image.
        """
        return self.log_px(x, self.decode(z))

    def log_px_pairs(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x_b|z_m) for every image and every point, by one matrix product.

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            z: (M, D).

        Returns:
            (M, B) nats per image.
        """
        return self.likelihood.pairs(x.flatten(1), self.decode(z).flatten(1))

    def x_hat(self, z: Tensor) -> Tensor:
        """E[x|z], the picture to show: (..., D) → (..., 1, 28, 28); in [0, 1] unless the likelihood is Gaussian."""
        return self.likelihood.mean(self.decode(z))

    def sample_prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """z ~ p(z): (count, D) (T11)."""
        weight = next(self.parameters())
        shape = (count, self.config.latent_dim)
        eps = torch.randn(shape, generator=generator, dtype=weight.dtype, device=weight.device)
        return self.config.prior_mean + self.config.prior_std * eps


def _weighted(part: nn.Module) -> list[Weighted]:
    """The layers that have weights, in order."""
    return [layer for layer in part.modules() if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))]


def _bias(layer: Weighted) -> Tensor:
    """A layer's bias; all layers here have one."""
    assert layer.bias is not None
    return layer.bias


def _fan_in(layer: Weighted) -> float:
    """Number of inputs to each output of a layer."""
    if isinstance(layer, nn.ConvTranspose2d):  # only part of the kernel reaches each output
        return layer.weight[:, 0].numel() / math.prod(layer.stride)
    return layer.weight[0].numel()


def _mlp(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    """Hidden layers of equal width on either side; a single one is that of Kingma & Welling (2014), appendix C."""
    d = config.latent_dim
    hidden = [config.hidden_dim] * config.hidden_layers
    return nn.Sequential(nn.Flatten(), *_dense(PIXELS, *hidden, 2 * d)), nn.Sequential(*_dense(d, *hidden, PIXELS))


def _dense(*sizes: int) -> Iterator[nn.Module]:
    """Linear layers from each size to the next, with ReLU between them."""
    for layer, (before, after) in enumerate(pairwise(sizes)):
        if layer:
            yield nn.ReLU(inplace=True)
        yield nn.Linear(before, after)


def _conv(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    """28 → 14 → 7 by strided convolutions and back by their transposes."""
    d = config.latent_dim
    h = config.hidden_dim
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 4, stride=2, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(inplace=True),
        nn.Flatten(), nn.Linear(32 * 7 * 7, h), nn.ReLU(inplace=True), nn.Linear(h, 2 * d),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(d, h), nn.ReLU(inplace=True),
        nn.Linear(h, 32 * 7 * 7), nn.ReLU(inplace=True), nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
    )  # fmt: skip
    return encoder, decoder


def _linear(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    """No hidden layer: with a Gaussian likelihood this is probabilistic PCA (T20a)."""
    d = config.latent_dim
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 2 * d)), nn.Linear(d, PIXELS)


def _residual(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    """Like conv, with residual blocks in between, in the order of He et al. (2016): activation, then weights."""
    d = config.latent_dim
    h = config.hidden_dim
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), _block(16),
        nn.SiLU(inplace=True), nn.Conv2d(16, 32, 4, stride=2, padding=1), _block(32),
        nn.SiLU(inplace=True), nn.Conv2d(32, 32, 4, stride=2, padding=1), _block(32),
        nn.SiLU(inplace=True), nn.Flatten(), nn.Linear(32 * 7 * 7, h), nn.SiLU(inplace=True), nn.Linear(h, 2 * d),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(d, h), nn.SiLU(inplace=True), nn.Linear(h, 32 * 7 * 7), nn.Unflatten(1, (32, 7, 7)), _block(32),
        nn.SiLU(inplace=True), nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1), _block(32),
        nn.SiLU(inplace=True), nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
        nn.SiLU(inplace=True), nn.Conv2d(16, 1, 3, padding=1),
    )  # fmt: skip
    return encoder, decoder


class Residual(nn.Sequential):
    """x + f(x), where f is the layers in sequence."""

    def forward(self, x: Tensor) -> Tensor:
        """The sum, of x's shape."""
        return x + super().forward(x)


def _block(channels: int) -> Residual:
    return Residual(
        nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1),
        nn.SiLU(inplace=True), nn.Conv2d(channels, channels, 3, padding=1),
    )  # fmt: skip


BUILDERS = {"mlp": _mlp, "conv": _conv, "residual": _residual, "linear": _linear}
