"""Time to a picture that convinces: seconds of training until the held-out −ELBO passes 110, 105 and 100 nats.

    python -m bench.time_to_elbo --data-dir D [--device cpu] [--architecture mlp] [--seeds 3] [--ways WAY ...]

MNIST, dynamic binarization, 20 dimensions; 50,000 images are learned from, and the last 10,000 training images judge.
The ways, in turn in one process: `textbook`, the loop that people write; `pythae`, its trainer on the same network
(skipped where it is not installed); `plain`, this app with batches of 128, a constant rate of 1e-3, float32 and weights
that start as torch starts them; `now`, this app's defaults. Seconds are those of training: what judging takes is not
counted. The best that a way has reached is also said, and after how many epochs.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from bench.train_speed import torchvisions_mnist
from vae_core import VAE, Dataset, TrainConfig, VAEConfig, load_dataset
from vae_core.device import describe_processor, pick_device
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.precision import resolve
from vae_core.training.loop import TrainState, batches

HELD_OUT = 10_000
MARKS = (110.0, 105.0, 100.0)
PLAIN = TrainConfig(
    epochs=60, batch_size=128, learning_rate=1e-3, schedule="constant", learning_rate_warmup=0, average=0.0,
    precision="float32",
)  # fmt: skip
LOOK_EVERY = {"cpu": 0.25, "mps": 0.25, "cuda": 0.01}  # seconds of training, at least
Way = Callable[[Dataset, Path, str, int, torch.device], Iterator[tuple[float, float, VAE]]]


def textbook(dataset: Dataset, data_dir: Path, architecture: str, seed: int, device: torch.device) -> Iterator[Any]:
    """The loop of tutorials: a DataLoader with ToTensor, the loss read after every batch, Adam at 1e-3."""
    torch.manual_seed(seed)
    model = VAE(VAEConfig(architecture=architecture), torch.Generator().manual_seed(seed)).to(device)
    images = torchvisions_mnist(data_dir)
    loader = DataLoader(Subset(images, range(len(dataset.train))), batch_size=128, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    seconds = 0.0
    total = 0.0
    for epoch in range(PLAIN.epochs):
        mark = time.perf_counter()
        for number, (grey, _) in enumerate(loader):
            x = torch.bernoulli(grey.to(device))
            optimizer.zero_grad()
            mu, logvar = model.encode(x)
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
            reconstruction = F.binary_cross_entropy(torch.sigmoid(model.decode(z)), x, reduction="sum")
            kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss = reconstruction + kl
            loss.backward()
            total += loss.item()
            optimizer.step()
            if number % 100 == 99 or number == len(loader) - 1:
                seconds += time.perf_counter() - mark
                yield seconds, epoch + (number + 1) / len(loader), model
                mark = time.perf_counter()


def pythae(dataset: Dataset, data_dir: Path, architecture: str, seed: int, device: torch.device) -> Iterator[Any]:
    """pythae's trainer, with its own settings but for the batch size and the rate, on the same network."""
    from pythae import models
    from pythae.data.datasets import BaseDataset, DatasetOutput
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    ours = VAE(VAEConfig(architecture=architecture), torch.Generator().manual_seed(seed)).to(device)

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.inner = ours.encoder

        def forward(self, x: Tensor) -> ModelOutput:
            mu, logvar = self.inner(x).chunk(2, 1)
            return ModelOutput(embedding=mu, log_covariance=logvar)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.inner = ours.decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=torch.sigmoid(self.inner(z)).view(-1, 1, 28, 28))

    class Dynamic(BaseDataset):
        def __getitem__(self, index: int) -> DatasetOutput:
            return DatasetOutput(data=torch.bernoulli(self.data[index]), labels=self.labels[index])

    config = models.VAEConfig(input_dim=(1, 28, 28), latent_dim=20, reconstruction_loss="bce")
    model = models.VAE(config, encoder=Encoder(), decoder=Decoder())
    images = dataset.train.float() / 255
    with tempfile.TemporaryDirectory() as folder:
        settings = BaseTrainerConfig(
            output_dir=folder, num_epochs=PLAIN.epochs, per_device_train_batch_size=128, learning_rate=1e-3, seed=seed,
            no_cuda=device.type == "cpu",
        )  # fmt: skip
        trainer = BaseTrainer(model, Dynamic(images, dataset.train_labels), training_config=settings)
        trainer.prepare_training()
        seconds = 0.0
        for epoch in range(1, PLAIN.epochs + 1):
            mark = time.perf_counter()
            trainer.train_step(epoch)
            seconds += time.perf_counter() - mark
            yield seconds, float(epoch), ours


def _ours(config: TrainConfig, dataset: Dataset, model: VAE, device: torch.device) -> Iterator[Any]:
    state = TrainState.start(model.to(device))
    looked = 0.0
    per_epoch = config.steps_per_epoch(len(dataset.train))
    total = config.total_steps(len(dataset.train))
    for _ in batches(model, dataset, config, device, state):
        at_end = state.step == total
        if state.seconds - looked >= LOOK_EVERY[device.type] or at_end:
            looked = state.seconds
            yield state.seconds, state.step / per_epoch, state.model(model)


def plain(dataset: Dataset, data_dir: Path, architecture: str, seed: int, device: torch.device) -> Iterator[Any]:
    """This app's training with the textbook's settings."""
    model = VAE(VAEConfig(architecture=architecture), torch.Generator().manual_seed(seed))
    return _ours(replace(PLAIN, seed=seed), dataset, model, device)


def now(dataset: Dataset, data_dir: Path, architecture: str, seed: int, device: torch.device) -> Iterator[Any]:
    """This app's defaults."""
    config = VAEConfig(architecture=architecture)
    model = VAE(config, torch.Generator().manual_seed(seed), mean=dataset.mean_image())
    return _ours(TrainConfig(seed=seed), dataset, model, device)


WAYS: dict[str, Way] = {"textbook": textbook, "pythae": pythae, "plain": plain, "now": now}


def measure(way: Way, dataset: Dataset, data_dir: Path, architecture: str, seed: int, device: torch.device) -> dict:
    """Seconds to each mark (None where it was not passed), and the best −ELBO; ends at the last mark, or with the way.

    The defaults train to their end, since their last epochs matter.
    """
    x = dataset.held_out_on(device, "dynamic")
    found = dict.fromkeys(MARKS)
    best = math.inf
    at = 0.0
    seconds = 0.0
    for seconds, epochs, model in way(dataset, data_dir, architecture, seed, device):
        loss = -evaluate_elbo(model, x).elbo
        if loss < best:
            best = loss
            at = epochs
        for mark in MARKS:
            if loss < mark and found[mark] is None:
                found[mark] = seconds
        if found[MARKS[-1]] is not None and way is not now:
            break
    return {"seconds": found, "best": best, "epochs": at, "whole": seconds}


def _median(values: list[float | None]) -> float:
    return statistics.median(math.inf if value is None else value for value in values)


def main() -> None:
    """Prints the table, and both targets."""
    parser = argparse.ArgumentParser("python -m bench.time_to_elbo")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--architecture", default="mlp")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    dataset = load_dataset("mnist", options.data_dir, download=False).holding_out(HELD_OUT)
    ways = [way for way in options.ways if way != "pythae" or importlib.util.find_spec("pythae")]
    processor = describe_processor(device)
    precision = resolve("auto", device)
    print(f"{processor}, torch {torch.__version__}, {options.architecture}, precision auto: {precision}")
    found: dict[str, list[dict]] = {way: [] for way in ways}
    for seed in range(options.seeds):
        for way in ways:
            row = measure(WAYS[way], dataset, options.data_dir, options.architecture, seed, device)
            found[way].append(row)
            print(f"seed {seed}, {way:9}", json.dumps(row), flush=True)
    medians = {
        way: {mark: _median([row["seconds"][mark] for row in rows]) for mark in MARKS} for way, rows in found.items()
    }
    print("\n| | 110 nats | 105 | 100 | best |\n|---|---|---|---|---|")
    for way, rows in found.items():
        times = " | ".join(f"{medians[way][mark]:.1f} s" for mark in MARKS)
        print(f"| {way} | {times} | {statistics.median(row['best'] for row in rows):.2f} |")
    last = MARKS[-1]
    for other, factor in (("plain", 5), ("textbook", 10)):
        if other in medians and "now" in medians:
            ratio = medians[other][last] / medians["now"][last]
            verdict = "met" if ratio >= factor else "NOT met"
            print(f"target: {last:g} nats in 1/{factor} of {other}'s time: 1/{ratio:.1f}, {verdict}")
    if options.json:
        about = {"machine": processor, "torch": torch.__version__, "date": datetime.date.today().isoformat()}
        options.json.write_text(
            json.dumps(about | {"precision": precision, "ways": found}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
