"""A decoder for use in another language: a description of its layers, and its weights as float16.

The file has the format of `packed`; its numbers are each layer's weight, then its bias, in torch's order; and then, if
the description says `remainders`, what float16 has rounded off each of them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..model import VAE, Residual

ACTIVATIONS = {nn.ReLU: "relu", nn.SiLU: "silu"}


def portable_decoder(model: VAE) -> bytes:
    """A model's decoder as a file that a program without torch can run.

    The description has layers, remainders, likelihood, latent_dim, prior_mean, prior_std, and sigma, null unless the
    likelihood is Gaussian. A layer has a kind: linear (in, out), conv or transposed (in, out, kernel, stride, padding),
    relu, silu, shape (the new shape of its input), or residual (layers, whose result is added to their input).

    Raises:
        ValueError: a layer has no description, or float16 cannot hold a weight.
    """
    config = model.config
    about = {name: getattr(config, name) for name in ("likelihood", "latent_dim", "prior_mean", "prior_std")}
    # The browser finds log p(x) of a plane, where a Gaussian's 1/σ² makes 0.02 nats of what float16 rounds off.
    remainders = config.latent_dim == 2 and config.likelihood == "gaussian"
    about |= {"sigma": model.sigma, "remainders": remainders, "layers": list(_described(model.decoder))}
    weights = torch.cat([weight.flatten() for weight in _weights(model.decoder)])
    return packed(about, torch.cat([weights, weights - weights.half()]) if remainders else weights)


def packed(about: dict[str, Any], numbers: Tensor, rest: bytes = b"") -> bytes:
    """Packs a description and numbers into one file for the browser, where `shared/wire.js` reads it.

    The file is the length of the description, four bytes, little-endian; the description, JSON in UTF-8, padded with
    spaces to an even length, where `numbers` is how many there are; the numbers, float16 little-endian; and `rest`.

    Raises:
        ValueError: float16 cannot hold a number.
    """
    halves = numbers.flatten().half()
    if not bool(halves.isfinite().all()):
        raise ValueError("A number is too large for float16.")
    text = json.dumps(about | {"numbers": len(halves)}).encode()
    text += b" " * (len(text) % 2)
    return struct.pack("<I", len(text)) + text + halves.numpy().astype("<f2").tobytes() + rest


def _described(layer: nn.Module) -> Iterator[dict[str, Any]]:
    """Describes a layer, or each layer of a sequence."""
    if isinstance(layer, Residual):
        yield {"kind": "residual", "layers": [one for part in layer for one in _described(part)]}
    elif isinstance(layer, nn.Sequential):
        for part in layer:
            yield from _described(part)
    elif isinstance(layer, nn.Linear):
        yield {"kind": "linear", "in": layer.in_features, "out": layer.out_features}
    elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        yield _convolution(layer)
    elif isinstance(layer, nn.Unflatten):
        yield {"kind": "shape", "shape": list(layer.unflattened_size)}
    elif type(layer) in ACTIVATIONS:
        yield {"kind": ACTIVATIONS[type(layer)]}
    else:
        raise ValueError(f"A layer of the kind {type(layer).__name__} has no description.")


def _convolution(layer: nn.Conv2d | nn.ConvTranspose2d) -> dict[str, Any]:
    transposed = isinstance(layer, nn.ConvTranspose2d)
    plain = layer.groups == 1 and layer.dilation == (1, 1) and (not transposed or layer.output_padding == (0, 0))
    if isinstance(layer.padding, str) or not plain or not _are_square(layer.kernel_size, layer.stride, layer.padding):
        raise ValueError("A convolution with groups, dilation, or other than square has no description.")
    kernel, stride, padding = (sides[0] for sides in (layer.kernel_size, layer.stride, layer.padding))
    if transposed and (kernel % stride or kernel - 2 * padding != stride):
        raise ValueError("A transposed convolution that is not from n to stride · n pixels has no description.")
    return {
        "kind": "transposed" if transposed else "conv",
        "in": layer.in_channels,
        "out": layer.out_channels,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
    }


def _are_square(*sizes: tuple[int, ...]) -> bool:
    return all(height == width for height, width in sizes)


def _weights(decoder: nn.Module) -> Iterator[Tensor]:
    """Each layer's weight and bias, in the order of the description."""
    for layer in decoder.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            yield layer.weight.detach().cpu()
            assert layer.bias is not None  # every layer of a decoder has one
            yield layer.bias.detach().cpu()
