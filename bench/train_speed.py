"""Training on MNIST: the textbook's loop, ours, and the matrix products alone; seconds of an epoch and what it reaches.

    python -m bench.train_speed --data-dir D [--device cpu] [--rounds 5] [--json FILE]

All in one process, in turn, medians and ratios, for batches of 128 and 1,024, MLP and conv. The textbook loop is the
one that people use: a DataLoader with ToTensor, the loss read after every batch, plain Adam. Grey pixels in both,
since that is what the textbook loop trains on; no test pass in either. The floor is what a step multiplies, at its own
shapes, and nothing else: no bias, no activation, no loss, no optimizer. Then: −ELBO on the test images after ten
epochs, three seeds each way; the memory that a training takes; on CUDA the share of the chip.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms
from torchvision.datasets.utils import extract_archive

from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset
from vae_core.device import describe_device, pick_device
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.model import Weighted
from vae_core.precision import TF32_SINCE
from vae_core.training.loop import TrainState, batches
from vae_core.training.step import is_recorded

CASES = [("mlp", 128), ("mlp", 1024), ("conv", 128), ("conv", 1024)]
SEEDS = 3  # of the comparison by −ELBO
EPOCHS = 10  # of each training in it
AS_TEXTBOOK = TrainConfig(
    epochs=EPOCHS, batch_size=128, learning_rate=1e-3, schedule="constant", learning_rate_warmup=0, average=0.0
)

MEMORY = """
import resource, sys, vae_core
from pathlib import Path
from vae_core import VAE, TrainConfig, VAEConfig, load_dataset, train
dataset = load_dataset("mnist", sys.argv[1], download=False)
def status(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024
Path("/proc/self/clear_refs").write_text("5")  # the peak so far, which loading the data made, is forgotten
before = status("VmRSS")
for metrics in train(VAE(VAEConfig(architecture=sys.argv[2])), dataset, TrainConfig(epochs=2)):
    pass
print(status("VmHWM") - before)
"""


def textbook(model: VAE, loader: DataLoader, optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    """One epoch as tutorials write it; gives the mean loss."""
    model.train()
    assert isinstance(loader.dataset, Sized)
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


class Ours:
    """Our own training, an epoch at a call, with the seconds that it counts: all but the evaluations."""

    def __init__(self, model: VAE, dataset: Dataset, config: TrainConfig, device: torch.device) -> None:
        self._state = TrainState.start(model)
        self._steps = config.steps_per_epoch(len(dataset.train))
        self._training = batches(model, dataset, config, device, self._state)

    def seconds_of_an_epoch(self) -> float:
        """Of training: the evaluation at its end is not counted."""
        before = self._state.seconds
        end = self._state.step + self._steps
        while self._state.step < end:
            next(self._training)
        return self._state.seconds - before


def precisions_of(device: torch.device) -> list[str]:
    """The precisions that a device has."""
    has_tf32 = device.type == "cuda" and torch.cuda.get_device_capability(device) >= TF32_SINCE
    return ["float32", "tf32", "bfloat16"] if has_tf32 else ["float32", "bfloat16"]


def floor(model: VAE, batch: int, images: int, device: torch.device) -> Callable[[], None]:
    """The products of a step, forward and backward, for every layer at the shapes that it meets."""
    shapes = _shapes(model, batch, device)
    works = [_products(layer, shape, first=layer is shapes[0][0]) for layer, shape in shapes]

    def epoch() -> None:
        for _ in range(math.ceil(images / batch)):
            for work in works:
                work()

    return epoch


def _shapes(model: VAE, batch: int, device: torch.device) -> list[tuple[Weighted, torch.Size]]:
    """The layers that multiply, in order, and the shapes of their inputs."""
    met: list[tuple[Weighted, torch.Size]] = []
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


def _products(layer: Weighted, shape: torch.Size, *, first: bool) -> Callable[[], object]:
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


def new_model(architecture: str, device: torch.device, seed: int = 0) -> VAE:
    config = VAEConfig(architecture=architecture, binarization="grey")
    return VAE(config, torch.Generator().manual_seed(seed)).to(device)


def textbook_epoch(data_dir: Path, model: VAE, batch: int, images: int, device: torch.device) -> Callable[[], float]:
    """The textbook's loop, one epoch over the first images at each call."""
    loader = DataLoader(Subset(torchvisions_mnist(data_dir), range(images)), batch_size=batch, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch() -> float:
        with torch.backends.cudnn.flags(enabled=True, deterministic=False, allow_tf32=True):  # torch's own defaults
            return textbook(model, loader, optimizer, device)

    return epoch


def torchvisions_mnist(data_dir: Path) -> datasets.MNIST:
    """MNIST's training images as torchvision reads them: it wants unpacked files, and gets them for a moment."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(data_dir / "MNIST", Path(root) / "MNIST")
        for packed in Path(root).rglob("*.gz"):
            extract_archive(packed)
        return datasets.MNIST(root, train=True, download=False, transform=transforms.ToTensor())


def measure(
    architecture: str, batch: int, data_dir: Path, dataset: Dataset, device: torch.device, rounds: int
) -> dict[str, Any]:
    """Median seconds of an epoch of each way, and the ratios, each within its round."""
    book = textbook_epoch(data_dir, new_model(architecture, device), batch, len(dataset.train), device)
    products = floor(new_model(architecture, device), batch, len(dataset.train), device)
    ways = {"textbook": lambda: timed(book, device), "floor": lambda: timed(products, device)}
    for precision in precisions_of(device):
        config = TrainConfig(epochs=100_000, batch_size=batch, precision=precision)
        ways[precision] = Ours(new_model(architecture, device), dataset, config, device).seconds_of_an_epoch
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    to_warm_up = 2 if is_recorded(device) else 1  # an epoch's last steps are captured in the second one
    for round_ in range(to_warm_up + rounds):
        for name, work in ways.items():
            took = work()
            if round_ >= to_warm_up:
                seconds[name].append(took)
    pairs = [*(("textbook", precision) for precision in precisions_of(device)), ("float32", "floor")]
    ratios = {
        f"{a}/{b}": statistics.median(one / other for one, other in zip(seconds[a], seconds[b], strict=True))
        for a, b in pairs
    }
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return {"architecture": architecture, "batch": batch} | medians | ratios | {"rounds": seconds}


def reached(data_dir: Path, dataset: Dataset, device: torch.device) -> dict[str, list[float]]:
    """−ELBO on the test images after ten epochs in batches of 128, of each seed, each way."""
    x = dataset.test.to(device).float() / 255
    found: dict[str, list[float]] = {name: [] for name in ("textbook", *precisions_of(device))}
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = new_model("mlp", device, seed)
        epoch = textbook_epoch(data_dir, model, 128, len(dataset.train), device)
        for _ in range(EPOCHS):
            epoch()
        found["textbook"].append(-evaluate_elbo(model, x).elbo)
        for precision in precisions_of(device):
            model = new_model("mlp", device, seed)
            ours = Ours(model, dataset, replace(AS_TEXTBOOK, seed=seed, precision=precision), device)
            for _ in range(EPOCHS):
                ours.seconds_of_an_epoch()
            found[precision].append(-evaluate_elbo(model, x).elbo)
    return found


def memory(data_dir: Path) -> dict[str, float]:
    """Megabytes at the peak of a training on a CPU, beyond what torch and the data take, in a process of its own."""
    found = {}
    for architecture in ("mlp", "conv"):
        command = [sys.executable, "-c", MEMORY, str(data_dir), architecture]
        found[architecture] = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return found


def chip(dataset: Dataset, device: torch.device) -> list[dict[str, Any]]:
    """On CUDA: what share of the floating point operations of a large product a training achieves."""
    peak = _operations_a_second_of_a_large_product(device)
    found = []
    for architecture, batch in CASES:
        config = TrainConfig(epochs=100_000, batch_size=batch, precision="float32")
        ours = Ours(new_model(architecture, device), dataset, config, device)
        ours.seconds_of_an_epoch()
        seconds = ours.seconds_of_an_epoch() / math.ceil(len(dataset.train) / batch)
        share = _operations(new_model(architecture, device), batch, device) / seconds / peak
        found.append({"architecture": architecture, "batch": batch, "share": share})
    return found


def _operations(model: VAE, batch: int, device: torch.device) -> float:
    """Multiplications and additions of a step's products: forward once, backward twice, the first layer's once."""
    total = 0.0
    for index, (layer, shape) in enumerate(_shapes(model, batch, device)):
        positions = 1 if isinstance(layer, nn.Linear) else math.prod(shape[2:])
        if isinstance(layer, nn.Conv2d):
            positions //= math.prod(layer.stride)
        once = 2.0 * batch * positions * layer.weight.numel()
        total += once * (3 if index else 2)
    return total


def _operations_a_second_of_a_large_product(device: torch.device, side: int = 8192) -> float:
    a = torch.randn(side, side, device=device)
    a @ a
    return 2.0 * side**3 / min(timed(lambda: a @ a, device) for _ in range(5))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser("python -m bench.train_speed")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only-speed", action="store_true", help="leave −ELBO and memory out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    dataset = load_dataset("mnist", options.data_dir, download=False)
    machine = f"{_processor()}, {describe_device(device)}, torch {torch.__version__}"
    report: dict[str, Any] = {"machine": machine, "date": datetime.date.today().isoformat(), "speed": []}
    print(f"{machine}: seconds of an epoch of MNIST, medians of {options.rounds} rounds")
    columns = ["textbook", *precisions_of(device), "floor"]
    columns += [f"textbook/{precision}" for precision in precisions_of(device)] + ["float32/floor"]
    print(" " * 11 + "".join(f"{column:>19}" for column in columns))
    for architecture, batch in CASES:
        row = measure(architecture, batch, options.data_dir, dataset, device, options.rounds)
        report["speed"].append(row)
        print(f"{architecture:5}{batch:6}" + "".join(f"{row[column]:19.3f}" for column in columns), flush=True)
    if not options.only_speed:
        report["reached"] = reached(options.data_dir, dataset, device)
        for name, values in report["reached"].items():
            print(f"−ELBO after {EPOCHS} epochs, {name}: {', '.join(f'{value:.2f}' for value in values)}", flush=True)
        if device.type == "cpu":
            report["memory"] = memory(options.data_dir)
            for name, megabytes in report["memory"].items():
                print(f"peak memory of a training beyond torch and the data, {name}: {megabytes:.0f} MB")
    if device.type == "cuda":
        report["chip"] = chip(dataset, device)
        for row in report["chip"]:
            print(f"{row['architecture']}, {row['batch']}: {row['share']:.2%} of what a large product achieves")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _processor() -> str:
    """The processor in words."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
