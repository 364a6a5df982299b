"""Decoded images per second of log_likelihood, against a plain loop of one draw at a time and the bare matrix products.

    python -m bench.evaluate [--checkpoint FILE] [--device cpu]

All three in one run, interleaved, medians; and the peak memory at K = 50 and K = 5,000, each in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from vae_core import VAE, load_checkpoint
from vae_core.densities import bernoulli_log_prob
from vae_core.device import describe_device, pick_device
from vae_core.evaluation import evaluate
from vae_core.evaluation.evaluate import Proposal, log_likelihood

CHECKPOINT = Path(__file__).parent.parent / "checkpoints" / "mnist-mlp-20d.safetensors"


def plain_loop(model: VAE, x: Tensor, samples: int) -> Tensor:
    """log p̂_K(x) as a first draft has it: one draw of all images at a time."""
    proposal = Proposal.posterior(model, x)
    weights = []
    for _ in range(samples):
        eps = torch.randn_like(proposal.mean)
        z = proposal.draw(eps)
        log_px_z = bernoulli_log_prob(x, model.decode(z)).flatten(1).sum(1)
        weights.append(log_px_z + model.prior.log_prob(z) - proposal.log_prob(eps))
    return torch.stack(weights).logsumexp(0) - math.log(samples)


def matrix_products(model: VAE, x: Tensor, samples: int) -> None:
    """The decoder's matrix products alone, in the batches in which log_likelihood decodes."""
    weights = [layer.weight.T for layer in model.decoder.children() if isinstance(layer, nn.Linear)]
    some = x[: evaluate.IMAGES_AT_ONCE]
    z = torch.randn(evaluate.draws_at_once(model, some) * len(some), model.config.latent_dim, device=x.device)
    for _ in range(round(len(x) * samples / len(z))):
        h = z
        for weight in weights:
            h = h @ weight


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def speed(model: VAE, x: Tensor, samples: int, rounds: int) -> dict[str, float]:
    """Decoded images per second of each way: medians over interleaved rounds."""
    ways: dict[str, Callable[[], object]] = {
        "log_likelihood": lambda: log_likelihood(model, x, samples),
        "plain loop": lambda: plain_loop(model, x, samples),
        "matrix products": lambda: matrix_products(model, x, samples),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        for _ in range(rounds + 1):  # the first round warms up
            for name, work in ways.items():
                seconds[name].append(timed(work, x.device))
    return {name: len(x) * samples / statistics.median(times[1:]) for name, times in seconds.items()}


def peak_memory(checkpoint: Path, samples: int) -> float:
    """Peak resident memory in MB of a process that estimates log p(x) of 100 images."""
    program = f"from bench.evaluate import report_peak; report_peak({str(checkpoint)!r}, {samples})"
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def report_peak(checkpoint: str, samples: int) -> None:
    """What the process of `peak_memory` does; `getrusage` would count what its parent held when it was started."""
    log_likelihood(load_checkpoint(checkpoint), torch.rand(100, 1, 28, 28).round(), samples)
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser("python -m bench.evaluate")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    device = pick_device(options.device)
    model = load_checkpoint(options.checkpoint, device)
    x = torch.rand(options.images, 1, 28, 28, generator=torch.Generator().manual_seed(0)).round().to(device)
    print(f"{describe_device(device)}, torch {torch.__version__}, {options.checkpoint.name}, K = {options.samples}")
    rates = speed(model, x, options.samples, options.rounds)
    for name, rate in rates.items():
        print(f"{name:16} {rate:12,.0f} decoded images/s")
    share, gain = (rates["log_likelihood"] / rates[name] for name in ("matrix products", "plain loop"))
    print(f"log_likelihood reaches {share:.0%} of the matrix products, and {gain:.2f} times the plain loop")
    print("peak memory: " + ", ".join(f"{peak_memory(options.checkpoint, k):.0f} MB at K = {k}" for k in (50, 5000)))


if __name__ == "__main__":
    main()
