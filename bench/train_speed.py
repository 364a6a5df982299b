"""Seconds of an epoch of training on MNIST: the textbook's loop, ours, and the matrix products alone.

    python -m bench.train_speed --data-dir D [--device cpu] [--rounds 5] [--json FILE]

All three in one process, in turn, medians and ratios, for batches of 128 and 1,024, MLP and conv. The textbook loop
is the one that people use: a DataLoader with ToTensor, the loss read after every batch, plain Adam. Grey pixels in
both, since that is what the textbook loop trains on. The floor is what a step multiplies, at its own shapes, and
nothing else: no bias, no activation, no loss, no optimizer.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset
from vae_core.device import describe_device, pick_device
from vae_core.train import batches

CASES = [("mlp", 128), ("mlp", 1024), ("conv", 128), ("conv", 1024)]


def textbook(model: VAE, loader: DataLoader, optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    """One epoch as tutorials write it; gives the mean loss."""
    model.train()
    total = 0.0
    for x, _ in loader:
        x = x.to(device)
        optimizer.zero_grad()
        mu, logvar = model.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        logits = model.decode(z)
        reconstruction = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = reconstruction + kl
        loss.backward()
        total += loss.item()
        optimizer.step()
    return total / len(loader.dataset)


def ours(model: VAE, dataset: Dataset, batch: int, device: torch.device) -> Callable[[], None]:
    """Our own training, an epoch at a call; evaluation counts, as it is a part of it."""
    steps = math.ceil(len(dataset.train) / batch)
    training = batches(model, dataset, TrainConfig(epochs=10_000, batch_size=batch), device)

    def epoch() -> None:
        for _ in range(steps):
            next(training)

    return epoch


def floor(model: VAE, batch: int, images: int, device: torch.device) -> Callable[[], None]:
    """The products of a step, forward and backward, for every layer at the shapes that it meets."""
    shapes = _shapes(model, batch, device)
    works = [_products(layer, shape, first=layer is shapes[0][0]) for layer, shape in shapes]

    def epoch() -> None:
        for _ in range(math.ceil(images / batch)):
            for work in works:
                work()

    return epoch


def _shapes(model: VAE, batch: int, device: torch.device) -> list[tuple[nn.Module, torch.Size]]:
    """The layers that multiply, in order, and the shapes of their inputs."""
    met: list[tuple[nn.Module, torch.Size]] = []
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: met.append((layer, inputs[0].shape)))
        for layer in model.modules()
        if isinstance(layer, kinds)
    ]
    with torch.no_grad():
        model.decode(model.encode(torch.zeros(batch, 1, 28, 28, device=device))[0])
    for hook in hooks:
        hook.remove()
    return met


def _products(layer: nn.Module, shape: torch.Size, *, first: bool) -> Callable[[], None]:
    """The layer's product, and those of its gradients; the first layer's input needs none."""
    weight = layer.weight.detach()
    x = torch.randn(shape, device=weight.device)
    if isinstance(layer, nn.Linear):
        dy = torch.randn(shape[0], len(weight), device=weight.device)
        return lambda: (x @ weight.T, dy.T @ x, None if first else dy @ weight)
    transposed = isinstance(layer, nn.ConvTranspose2d)
    with torch.no_grad():
        dy = torch.randn_like(layer(x))
    options = (layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups)

    def work() -> None:
        torch.ops.aten.convolution(x, weight, None, *options)
        torch.ops.aten.convolution_backward(dy, x, weight, None, *options, (not first, True, False))

    return work


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds, the device's own work included."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure(
    architecture: str, batch: int, data_dir: Path, dataset: Dataset, device: torch.device, rounds: int
) -> dict[str, float]:
    """Median seconds of an epoch of each way."""

    def model() -> VAE:
        return VAE(VAEConfig(architecture=architecture, binarization="grey"), torch.Generator().manual_seed(0)).to(
            device
        )

    images = datasets.MNIST(data_dir, train=True, download=False, transform=transforms.ToTensor())
    loader = DataLoader(images, batch_size=batch, shuffle=True)
    book = model()
    optimizer = torch.optim.Adam(book.parameters(), lr=1e-3)
    ways = {
        "textbook": lambda: textbook(book, loader, optimizer, device),
        "ours": ours(model(), dataset, batch, device),
        "floor": floor(model(), batch, len(dataset.train), device),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):  # the first round warms up
        for name, work in ways.items():
            took = timed(work, device)
            if round_:
                seconds[name].append(took)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser("python -m bench.train_speed")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device, dataset = pick_device(options.device), load_dataset("mnist", options.data_dir, download=False)
    machine = f"{describe_device(device)}, torch {torch.__version__}"
    print(f"{machine}: seconds of an epoch of MNIST\n{'':14}textbook    ours   floor   textbook/ours   ours/floor")
    results = []
    for architecture, batch in CASES:
        found = measure(architecture, batch, options.data_dir, dataset, device, options.rounds)
        book, our, least = found["textbook"], found["ours"], found["floor"]
        print(f"{architecture:5} {batch:5} {book:10.3f} {our:7.3f} {least:7.3f} {book / our:12.2f} {our / least:14.2f}")
        results.append({"architecture": architecture, "batch": batch} | found)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1))


if __name__ == "__main__":
    main()
