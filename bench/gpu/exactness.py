"""What must not depend on chance or on the device: resumed bits, a killed run, log p(x), a recipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from vae_core import VAE, TrainConfig, load_checkpoint
from vae_core.evaluation.evaluate import Proposal, evaluate_elbo, log_likelihood, log_weights
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import train_into
from vae_core.storage.checkpoint import read_header

from .measure import MODELS, Bench, Row, last_step, training

SHIPPED = Path(__file__).parents[2] / "checkpoints"


def resume(bench: Bench) -> list[Row]:
    """Whether two trainings of one seed end with the same bits, and one that was broken off and resumed does."""
    total, at = (60, 20) if bench.short else (700, 333)
    cases = [("mlp", "float32"), ("mlp", "tf32"), ("mlp", "bfloat16"), ("conv", "tf32"), ("conv", "float32")]
    cases += [("optimal sigma", "float32"), ("residual", "tf32")]
    rows = []
    for name, precision in cases[: 2 if bench.short else None]:
        config = training(name, steps=total, batch_size=128, precision=precision, average=0.99)
        whole, again, parted = (_trained(bench, name, config, stop) for stop in (None, None, at))
        for way, other in (("again", again), ("resumed", parted)):
            off = max(float((whole[key] - other[key]).abs().max()) for key in whole)
            rows.append({"model": name, "precision": precision, "way": way, "off": off})
    return rows


def _trained(bench: Bench, name: str, config: TrainConfig, stop: int | None) -> dict[str, torch.Tensor]:
    """The weights at a training's end; it is broken off at `stop` and resumed from its folder."""
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder(Path(root) / "run")
        folder.create()
        images = len(bench.dataset.train)
        folder.write_config(RunConfig(MODELS[name], config, bench.dataset.name, str(bench.device), train_images=images))
        for end in (stop, None) if stop else (None,):
            model = VAE(MODELS[name], torch.Generator().manual_seed(0))
            state = folder.resume(model, bench.device)
            for metrics in train_into(folder, model, bench.dataset, config, bench.device, state):
                if end and metrics.step >= end:
                    break
            folder.save_state(model, state)
        return {key: value.cpu() for key, value in model.state_dict().items()}


def kill(bench: Bench) -> list[Row]:
    """A run that is killed with -9 and resumed, beside one that is not."""
    steps = 400 if bench.short else 40_000
    with tempfile.TemporaryDirectory() as root:
        whole = Path(root) / "whole"
        killed = Path(root) / "killed"
        command = [sys.executable, "-m", "vae_core", "train", "--data-dir", str(bench.data_dir)]
        command += ["--device", bench.device.type]
        new = ["--data", "mnist", "--average", "0.99", "--batch-size", "128", "--steps", str(steps)]
        start = time.perf_counter()
        subprocess.run([*command, *new, "--out", str(whole)], check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - start
        with subprocess.Popen([*command, *new, "--out", str(killed)], stdout=subprocess.DEVNULL) as running:
            end = time.monotonic() + 60
            while last_step(RunFolder(killed)) < steps / 4 and time.monotonic() < end:
                time.sleep(0.01)
            os.kill(running.pid, signal.SIGKILL)
        at = RunFolder(killed).saved_step()
        subprocess.run([*command, "--resume", "--out", str(killed)], check=True, stdout=subprocess.DEVNULL)
        one, other = (load_file(path / "model.safetensors") for path in (whole, killed))
        off = max(float((one[key] - other[key]).abs().max()) for key in one)
        test = RunFolder(whole).records()[-1]["test"]
    return [{"steps": steps, "resumed_at": at, "off": off, "seconds": took, "elbo": test and test["elbo"]}]


def evaluate(bench: Bench) -> list[Row]:
    """Speed and memory of log p̂(x), its arithmetic against float64, and the figures of shipped models."""
    return [_evaluate(bench, name) for name in ("mnist-mlp-20d", "mnist-conv")]


def _evaluate(bench: Bench, name: str) -> Row:
    path = SHIPPED / f"{name}.safetensors"
    device = bench.device
    figures = read_header(path).about["figures"]
    model = load_checkpoint(path, device)
    x = bench.dataset.held_out_on(device, model.config.binarization)
    images, draws = (200, 50) if bench.short else (1000, 200) if "conv" in name else (10_000, 5000)
    log_likelihood(model, x[:100], 100, torch.Generator(device).manual_seed(1))
    bench.let_go()
    found: list[float] = []

    def estimate() -> None:
        values = log_likelihood(model, x[:images], draws, torch.Generator(device).manual_seed(0))
        found.append(float(values.double().mean()))

    took = bench.seconds(estimate)
    row = {"model": name, "images": images, "draws": draws, "decoded_a_second": images * draws / took}
    row |= {"log_likelihood": found[0], "shipped_log_likelihood": figures["log_likelihood"]}
    row |= {"elbo": evaluate_elbo(model, x).elbo, "shipped_elbo": figures["elbo"]} | bench.memory()
    some = x[:50]
    with torch.inference_mode():
        eps = torch.randn((8, 50, model.config.latent_dim), generator=torch.Generator().manual_seed(0))
        wide = load_checkpoint(path).double()
        true = log_weights(wide, some.cpu().double(), Proposal.posterior(wide, some.cpu().double()), eps.double())
        for tf32 in (True, False):
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
            mine = log_weights(model, some, Proposal.posterior(model, some), eps.to(device)).cpu().double()
            row["off_with_tf32" if tf32 else "off"] = float((mine - true).abs().max())
    return row


def recipe(bench: Bench) -> list[Row]:
    """One of the shipped models, trained, evaluated and saved as `checkpoints.train` does it."""
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "checkpoints.train", "mnist-mlp-20d", "--data-dir", str(bench.data_dir)]
        command += ["--runs-dir", root, "--device", bench.device.type]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        took = time.perf_counter() - start
    lines = (done.stdout + done.stderr).splitlines()
    return [{"name": "mnist-mlp-20d", "seconds": took, "status": done.returncode, "last": lines[-3:]}]
