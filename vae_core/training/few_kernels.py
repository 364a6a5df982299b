"""A step of an MLP's ELBO in as few CUDA kernels as torch's own functions allow, in parallel where possible.

The step is that of `closed_form` for one draw of z and p(z) = N(0, I), and then Adam's. A small step on a GPU takes as
long as its chain of kernels that wait for one another, 2 to 5 µs each. So ReLU is fused into the product before it, 1/B
is the scale factor of the product for a weight's gradient, the gradients of all biases are one mean over a buffer that
holds the gradients of all layers' outputs, and work that nothing waits for (weights' gradients, the reported sums,
Adam's step of the decoder) runs on other streams.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import VAE
from .adam import Adam, gradient_of
from .closed_form import has_closed_form
from .loss_weights import LossWeights
from .recording import Branches

PARTS = 8  # into which the long sums of a small product are split, so that it uses more than a few multiprocessors
LONG = 256  # terms from which splitting pays off
FEW_ROWS = 256  # rows up to which it pays off
SUMS, GRADIENTS = 0, 1  # the branches


def knows(model: VAE, precision: str, objective: str, clip_norm: float, gradient: str = "reparameterized") -> bool:
    """Whether this module can take the model's steps, with one draw of z."""
    is_standard = (model.config.prior_mean, model.config.prior_std) == (0.0, 1.0)
    is_usual = objective == "elbo" and gradient == "reparameterized" and not clip_norm
    return has_closed_form(model) and is_standard and precision != "bfloat16" and is_usual


class FewKernels:
    """Steps of a model; gradients go into the parameters' `grad`.

    Args:
        model: one that this module `knows`.
        adam: of its parameters.
    """

    def __init__(self, model: VAE, adam: Adam) -> None:
        self._adam = adam
        self._branches = Branches(next(model.parameters()).device)
        self._encoder, self._decoder = _Half(model.encoder, adam), _Half(model.decoder, adam)

    @torch.inference_mode()
    def take(self, x: Tensor, eps: Tensor, weights: LossWeights, learning_rate: Tensor, measured: Tensor) -> None:
        """Takes one step.

        Args:
            x: (B, 1, 28, 28) in [0, 1].
            eps: (1, B, D).
            weights: of reconstruction and KL.
            learning_rate: a scalar on the device.
            measured: (1 + D,), set to the reconstruction and the KL of each dimension: nats, summed over the batch.
        """
        images = len(x)
        x = x.flatten(1)
        eps = eps[0]
        branches = self._branches
        with branches.beside(SUMS):
            self._adam.begin_step()
        mu, logvar = self._encoder.forward(x).chunk(2, 1)
        sigma = torch.exp(0.5 * logvar)
        with branches.beside(SUMS):
            excess = torch.expm1(logvar).mul_(0.5)
            noise = sigma * eps
            torch.sum(torch.addcmul(excess, mu, mu, value=0.5).sub_(logvar, alpha=0.5), 0, out=measured[1:])
            beta = weights.beta
            if weights.has_free_bits:
                beta = weights.of_kl(lambda: measured[1:] / images) * images
            kl_to_logvar = excess * beta
        z = torch.addcmul(mu, sigma, eps)
        logits = self._decoder.forward(z)
        branches.join(SUMS)
        with branches.beside(SUMS):
            log_px = torch.addcmul(F.softplus(logits, threshold=50.0), x, logits, value=-1)  # its negative
            torch.sum(log_px, (0, 1), out=measured[0]).neg_()

        torch.sub(logits.sigmoid(), x, out=self._decoder.to_output(images))
        to_z = self._decoder.backward(branches)
        with branches.beside(SUMS):
            self._decoder.sum_biases()
            branches.join(GRADIENTS)
            self._decoder.move(learning_rate)

        to_mu, to_logvar = self._encoder.to_output(images).chunk(2, 1)
        torch.addcmul(to_z, beta, mu, out=to_mu)
        torch.addcmul(kl_to_logvar, to_z, noise, value=0.5, out=to_logvar)
        self._encoder.backward(branches, is_first=True)
        branches.join(SUMS)
        branches.join(GRADIENTS)
        self._encoder.move(learning_rate)


class _Half:
    """The linear layers of the encoder or the decoder, with ReLU between them, and what their backward pass needs."""

    def __init__(self, part: nn.Module, adam: Adam) -> None:
        self._layers = [layer for layer in part.modules() if isinstance(layer, nn.Linear)]
        self._widths = [layer.out_features for layer in self._layers]
        self._to_biases = self._layers[0].weight.new_zeros(sum(self._widths)).detach()
        for layer, to_bias in zip(self._layers, self._to_biases.split(self._widths), strict=True):
            layer.weight.grad = torch.zeros_like(layer.weight)
            layer.bias.grad = to_bias
        self.move = adam.part(part.parameters()).move
        self._inputs: list[Tensor] = []
        self._to_outputs: dict[int, Tensor] = {}  # by B: B times the gradients with respect to all layers' outputs

    def forward(self, x: Tensor) -> Tensor:
        """(B, in) → (B, out)."""
        self._inputs = []
        for layer in self._layers:
            self._inputs.append(x)
            x = _product(layer, x, is_last=layer is self._layers[-1])
        return x

    def to_output(self, images: int) -> Tensor:
        """(B, out), the buffer for B times the gradient with respect to the output."""
        return self._to_output_of_each(images)[-1]

    def backward(self, branches: Branches, *, is_first: bool = False) -> Tensor:
        """Computes the weights' gradients from `to_output`, on the branch for gradients.

        Returns:
            (B, in), the gradient with respect to the input; with `is_first`, where that is not needed, with respect to
            the first output.
        """
        images = len(self._inputs[0])
        to_outputs = self._to_output_of_each(images)
        for number in reversed(range(len(self._layers))):
            layer = self._layers[number]
            x = self._inputs[number]
            gradient = to_outputs[number]
            if is_first and number == 0:
                with branches.beside(SUMS):
                    self.sum_biases()
                _to_weight(layer, x, gradient)
                return gradient
            with branches.beside(GRADIENTS):
                _to_weight(layer, x, gradient)
            to_input = torch.mm(gradient, layer.weight)
            if number:
                torch.ops.aten.threshold_backward.grad_input(
                    to_input, x, 0, grad_input=to_outputs[number - 1]
                )  # ReLU's
        return to_input

    def sum_biases(self) -> None:
        """Computes the gradients of all biases."""
        torch.mean(self._to_outputs[len(self._inputs[0])], 0, out=self._to_biases)

    def _to_output_of_each(self, images: int) -> tuple[Tensor, ...]:
        if images not in self._to_outputs:
            self._to_outputs[images] = self._to_biases.new_zeros(images, len(self._to_biases))
        return self._to_outputs[images].split(self._widths, 1)


def _product(layer: nn.Linear, x: Tensor, *, is_last: bool) -> Tensor:
    """(B, in) → (B, out), with ReLU except in the last layer."""
    weight = layer.weight
    terms = layer.in_features
    if len(x) <= FEW_ROWS and terms >= LONG and terms % PARTS == 0 and layer.out_features < terms:
        shape = PARTS, terms // PARTS
        parts = torch.bmm(x.unflatten(1, shape).transpose(0, 1), weight.unflatten(1, shape).permute(1, 2, 0))
        y = parts.sum(0).add_(layer.bias)
        return y if is_last else y.relu_()
    if is_last:
        return torch.addmm(layer.bias, x, weight.t())
    return torch._addmm_activation(layer.bias, x, weight.t())


def _to_weight(layer: nn.Linear, x: Tensor, gradient: Tensor) -> None:
    """Sets the weight's gradient, from B times the gradient with respect to the output."""
    to_weight = gradient_of(layer.weight)
    torch.addmm(to_weight, gradient.t(), x, beta=0, alpha=1 / len(x), out=to_weight)
