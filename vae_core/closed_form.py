"""The gradient of an MLP's ELBO in closed form: what autograd finds, without its bookkeeping and in fewer passes.

The objective is w Σ_b log p(x_b|z_b) + Σ_b Σ_j v_j KL_bj, with weights w and v_j. With l the logits and x̂ = sigmoid(l)
its gradient begins as
  ∂/∂l = w (x − x̂)
  ∂/∂μ = ∂/∂z + v (μ − μ_p) / σ_p²
  ∂/∂log σ² = ½ (∂/∂z · σ ε + v (σ²/σ_p² − 1))
(T7, T17, T19), and goes back through linear layers and ReLU by the chain rule. With L draws log p is their mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .model import VAE
from .objective import ELBO, Weights, gaussian_kl, sum_bernoulli_log_prob_and_mean


def has_closed_form(model: VAE) -> bool:
    """Whether this module knows the model's gradient: linear layers with ReLU between them, and a Bernoulli."""
    layers = [layer for layer in model.modules() if not list(layer.children())]
    known = all(isinstance(layer, (nn.Flatten, nn.Linear, nn.ReLU)) for layer in layers)
    return known and model.config.likelihood == "bernoulli"


class ClosedForm:
    """The ELBO of a batch with its gradient; that goes into the parameters' `grad`, the same tensors at every step."""

    def __init__(self, model: VAE) -> None:
        self._config = model.config
        self._encoder, self._decoder = _Chain(model.encoder), _Chain(model.decoder)

    @torch.inference_mode()
    def differentiate(self, x: Tensor, eps: Tensor, weights: Weights) -> ELBO:
        """The terms of `objective.elbo`, and the gradient of `weights`' objective.

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            eps: (L, B, D).
            weights: of reconstruction and KL.
        """
        config, flat = self._config, x.flatten(1)
        mu, logvar = self._encoder.forward(flat).chunk(2, dim=1)
        std = torch.exp(0.5 * logvar)
        noise = std * eps
        z = mu + noise
        logits = self._decoder.forward(z.flatten(0, 1)).view(len(eps), *flat.shape)
        log_px, mean = sum_bernoulli_log_prob_and_mean(flat, logits)
        kl_per_dim = gaussian_kl(mu, logvar, config.prior_mean, config.prior_std)

        to_logits = mean.sub_(flat).mul_(-weights.reconstruction / len(eps))
        to_z = self._decoder.backward(to_logits.flatten(0, 1), to_input=True).view_as(z)
        to_kl = weights.of_kl(kl_per_dim)
        to_mu = to_z.sum(0) + to_kl * (mu - config.prior_mean) / config.prior_std**2
        to_logvar = 0.5 * ((to_z * noise).sum(0) + to_kl * (std.square() / config.prior_std**2 - 1))
        self._encoder.backward(torch.cat([to_mu, to_logvar], dim=1), to_input=False)
        return ELBO(log_px.mean(0), kl_per_dim, mu, logvar, z)


class _Chain:
    """Linear layers with ReLU between them: forward keeps what backward needs."""

    def __init__(self, part: nn.Module) -> None:
        self._layers = [layer for layer in part.modules() if isinstance(layer, nn.Linear)]
        self._inputs: list[Tensor] = []
        for layer in self._layers:
            layer.weight.grad, layer.bias.grad = torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in) → (N, out)."""
        self._inputs = [x]
        for layer in self._layers[:-1]:
            self._inputs.append(torch.addmm(layer.bias, self._inputs[-1], layer.weight.t()).relu_())
        return torch.addmm(self._layers[-1].bias, self._inputs[-1], self._layers[-1].weight.t())

    def backward(self, gradient: Tensor, *, to_input: bool) -> Tensor:
        """From the gradient with respect to the output to that with respect to the input, where that is wanted."""
        for index in reversed(range(len(self._layers))):
            layer, x = self._layers[index], self._inputs[index]
            torch.mm(gradient.t(), x, out=layer.weight.grad)
            torch.sum(gradient, 0, out=layer.bias.grad)
            if index or to_input:
                gradient = torch.mm(gradient, layer.weight)
            if index:
                gradient = torch.ops.aten.threshold_backward(gradient, x, 0)
        return gradient
