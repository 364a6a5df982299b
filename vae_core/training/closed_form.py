"""The gradient of an MLP's ELBO in closed form: as autograd computes it, without bookkeeping and in fewer passes.

The objective is w Σ_b log p(x_b|z_b) + Σ_b Σ_j v_j KL_bj, with weights w and v_j. With l the logits and x̂ = sigmoid(l)
its gradient begins as
  ∂/∂l = w (x − x̂)
  ∂/∂μ = ∂/∂z + v (μ − μ_p) / σ_p²
  ∂/∂log σ² = ½ (∂/∂z · σ ε + v (σ²/σ_p² − 1))
(T7, T17, T19), and goes back through linear layers and ReLU by the chain rule. With L draws log p is their mean.
Where the gradient is detached at z, 0 stands in place of ∂/∂z on the way to μ and log σ².

For the importance-weighted bound w Σ_b log (1/L) Σ_l exp(log w_bl), let s_bl be its weights, normalized to sum to 1.
Since log w_bl = log p(x_b|z_bl) + β (log p(z_bl) + ½ ε² + log σ + …),
  ∂/∂l_bl = w s_bl (x_b − x̂_bl)
  ∂/∂z_bl = the gradient through the decoder − w β s_bl (z_bl − μ_p) / σ_p²
  ∂/∂μ = Σ_l ∂/∂z_l,   ∂/∂log σ² = ½ (Σ_l ∂/∂z_l · σ ε_l + w β)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..densities import DiagonalGaussian, sum_bernoulli_log_prob_and_mean
from ..model import VAE
from ..objective import ELBO
from .adam import gradient_of
from .loss_weights import LossWeights

LARGE = 2**16  # weights per layer from which a narrower type saves more than its conversions cost


def has_closed_form(model: VAE) -> bool:
    """Whether this module knows the model's gradient: linear layers with ReLU between them, Bernoulli likelihood."""
    layers = [layer for layer in model.modules() if not list(layer.children())]
    known = all(isinstance(layer, (nn.Flatten, nn.Linear, nn.ReLU)) for layer in layers)
    return known and model.config.likelihood == "bernoulli"


class ClosedForm:
    """The ELBO of a batch with its gradient, which goes into the parameters' `grad`, the same tensors at every step.

    Args:
        model: one that `has_closed_form`.
        precision: of the large products. Those of μ and log σ², and all sums, use the weights' own.
        objective: a name of `config.OBJECTIVES`.
        gradient: a name of `config.GRADIENTS`; detached with the ELBO only.
    """

    def __init__(
        self,
        model: VAE,
        precision: torch.dtype = torch.float32,
        objective: str = "elbo",
        gradient: str = "reparameterized",
    ) -> None:
        self._prior = model.prior
        self._is_detached = gradient == "detached"
        self._is_importance_weighted = objective == "importance-weighted"
        *_, last = (layer for layer in model.encoder.modules() if isinstance(layer, nn.Linear))

        def product(layer: nn.Linear) -> _Product:
            is_wide = precision == torch.float32 or layer.weight.numel() < LARGE or layer is last
            return _Product(layer) if is_wide else _NarrowProduct(layer, precision)

        self._encoder, self._decoder = _Chain(model.encoder, product), _Chain(model.decoder, product)

    @torch.inference_mode()
    def differentiate(self, x: Tensor, eps: Tensor, weights: LossWeights) -> ELBO:
        """Returns the terms of `objective.elbo`, and sets the gradient of the objective with these weights.

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            eps: (L, B, D).
            weights: of reconstruction and KL.
        """
        draws = len(eps)
        flat = x.flatten(1)
        mean, std = self._prior
        mu, logvar = self._encoder.forward(flat).chunk(2, dim=1)
        sigma = torch.exp(0.5 * logvar)
        noise = sigma * (eps if draws > 1 else eps[0])
        z = mu + noise  # (L, B, D), or (B, D) for a single draw: a dimension less saves a tenth of a millisecond
        logits = self._decoder.forward(z.flatten(0, -2)).view(*z.shape[:-1], -1)
        log_px, x_hat = sum_bernoulli_log_prob_and_mean(flat, logits)
        q = DiagonalGaussian(mu, logvar)
        terms = ELBO(log_px.view(draws, -1), q.kl(self._prior), q, z.view(eps.shape), None)

        share = self._share(terms, weights)
        to_logits = torch.sub(flat, x_hat, out=x_hat).flatten(0, -2).mul_(share)
        through = self._decoder.backward(to_logits, to_input=not self._is_detached)
        to_z = torch.zeros_like(z) if self._is_detached else through.view_as(z)
        if self._is_importance_weighted:
            to_z = to_z.view(eps.shape) - weights.beta * share.view(draws, -1, 1) * (terms.z - mean) / std**2
            to_logvar = (to_z * noise).sum(0) + weights.beta * weights.reconstruction
            to_mu = to_z.sum(0)
        else:
            to_noise = to_z * noise
            if draws > 1:
                to_z, to_noise = to_z.sum(0), to_noise.sum(0)
            to_kl = weights.of_kl(lambda: terms.kl_per_dim.mean(0))
            to_mu = torch.addcmul(to_z, to_kl, (mu - mean) / std**2)
            to_logvar = torch.addcmul(to_noise, to_kl, (sigma / std).square() - 1.0)
        self._encoder.backward(torch.cat([to_mu, to_logvar.mul_(0.5)], dim=1), to_input=False)
        return terms

    def _share(self, terms: ELBO, weights: LossWeights) -> Tensor:
        """The weight of each log p(x_b|z_bl) in the objective: one number, or (L·B, 1)."""
        if self._is_importance_weighted:
            share = terms.log_weights(self._prior, weights.beta).softmax(0)
            return (weights.reconstruction * share).view(-1, 1)
        return weights.reconstruction / len(terms.z) if len(terms.z) > 1 else weights.reconstruction


class _Chain:
    """Linear layers with ReLU between them."""

    def __init__(self, part: nn.Module, product: Callable[[nn.Linear], _Product]) -> None:
        self._products = [product(layer) for layer in part.modules() if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor) -> Tensor:
        """(N, in) → (N, out)."""
        for product in self._products[:-1]:
            x = product.forward(x).relu_()
        return self._products[-1].forward(x)

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor:
        """Takes the gradient with respect to the output, and returns that with respect to the input if `to_input`."""
        for product in reversed(self._products[1:]):
            gradient = torch.ops.aten.threshold_backward(product.backward(gradient), product.x, 0)  # ReLU's
        return self._products[0].backward(gradient, to_input=to_input)


class _Product:
    """A linear layer; it keeps what backward needs."""

    def __init__(self, layer: nn.Linear) -> None:
        self.x = torch.empty(0)  # the input
        self._weight = layer.weight.detach()
        self._bias = layer.bias.detach()
        for parameter in (layer.weight, layer.bias):
            if parameter.grad is None:  # otherwise another gradient computation uses the same tensors
                parameter.grad = torch.zeros_like(parameter)
        self._to_weight = gradient_of(layer.weight).detach()
        self._to_bias = gradient_of(layer.bias).detach().unsqueeze(0)
        self._transposed = self._weight.t()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in) → (N, out)."""
        self.x = x
        return torch.addmm(self._bias, x, self._transposed)

    def backward(self, gradient: Tensor, *, to_input: bool = True) -> Tensor:
        """Sets the gradients of weight and bias; (N, out) → (N, in) if `to_input`."""
        torch.sum(gradient, 0, keepdim=True, out=self._to_bias)
        torch.mm(gradient.t(), self.x, out=self._to_weight)
        return torch.mm(gradient, self._weight) if to_input else gradient


class _NarrowProduct(_Product):
    """A linear layer whose products use a narrower type; sums do not."""

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__(layer)
        self._dtype = dtype
        self._narrow_x = self._narrow_weight = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        self._narrow_x = x.to(self._dtype)
        self._narrow_weight = self._weight.to(self._dtype)
        return torch.mm(self._narrow_x, self._narrow_weight.t()).to(x.dtype).add_(self._bias)

    def backward(self, gradient: Tensor, *, to_input: bool = True) -> Tensor:
        torch.sum(gradient, 0, keepdim=True, out=self._to_bias)
        narrow = gradient.to(self._dtype)
        self._to_weight.copy_(torch.mm(narrow.t(), self._narrow_x))
        return torch.mm(narrow, self._narrow_weight).to(gradient.dtype) if to_input else gradient
