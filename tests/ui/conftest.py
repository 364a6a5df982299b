"""A server for the tests of what the page asks, and its visitors Anna and Bert."""

import base64
import json
import math
import random

import pytest
import torch

from ui.backend import Backend
from ui.tabs import train as train_tab
from ui.web.requests import answering
from vae_core import VAE, TrainConfig, VAEConfig, save_checkpoint
from vae_core.runs.config import RunConfig
from vae_core.runs.server import Runs

from ..conftest import seeded
from ..runs.conftest import wait_for

ANNA, BERT = "a" * 32, "b" * 32
FORM = {
    "data": "digits", "architecture": "mlp", "latent_dim": 3, "likelihood": "bernoulli", "epochs": 2, "beta": 1,
    "learning_rate": 0.01, "batch_size": 128, "hidden_dim": 16, "hidden_layers": 1, "binarization": "dynamic",
    "sigma": 0.1,
    "sigma_mode": "fixed", "prior_mean": 0, "prior_std": 1, "samples": 1, "objective": "elbo",
    "gradient": "reparameterized", "warmup_steps": 0,
    "free_bits": 0, "schedule": "cosine", "learning_rate_warmup": 100, "clip_norm": 0, "average": 0.99, "patience": 0,
    "hold_out": 0, "seed": 0, "precision": "auto",
}  # fmt: skip


@pytest.fixture
def backend(tmp_path):
    """A server with one shipped model, of 4 dimensions and continuous pixels, and no MNIST."""
    (tmp_path / "checkpoints").mkdir()
    config = VAEConfig(latent_dim=4, hidden_dim=8, binarization="grey", prior_mean=0.5)
    about = {"data": "digits", "kl_per_dim": [0.1, 3.0, 0.0, 2.0]}
    save_checkpoint(VAE(config, seeded()), tmp_path / "checkpoints" / "small.safetensors", about)
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    yield Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    runs.close()


def session(browser, model="", run=""):
    return {"browser": browser, "model": model, "run": run}


def asked(backend, name, request):
    """What a question of a browser about a run is answered, as the page hears it."""
    return answering(getattr(backend.follower, name))(request)


def follow(backend, run, since=0, changes=0, frames=0, mark=None):
    """What `follow` answers; by default to somebody whose last record is the one that is there now."""
    mark = backend.follower._records(run).read().mark(since) if mark is None else mark
    return backend.follower.follow({"run": run, "since": since, "mark": mark, "changes": changes, "frames": frames})


def steer(backend, run, how, browser=ANNA):
    return backend.follower.steer({"browser": browser, "run": run, "how": how})["run"]


def finished(backend, run):
    wait_for(lambda: backend.runs.status(run)["state"].has_ended)


def image(text):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8).reshape(-1, 28, 28)


INK = torch.zeros(56, 56, dtype=torch.uint8)
INK[10:40, 20:26] = 255
DRAWING = {"model": "small", "ink": base64.b64encode(INK.numpy().tobytes()).decode()}


def without(request, name):
    return {key: value for key, value in request.items() if key != name}


RUN = "20260101-000000-0123456789abcdef"
FOLLOW = {"run": RUN, "since": 0, "mark": "", "changes": 0, "frames": 0}
WINDOW = {"run": RUN, "low": 0, "high": 10}
HISTORY = {"run": RUN, "stride": 0, "have": 0}
STEER = {"browser": ANNA, "run": RUN, "how": "pause"}
ODD = [None, "", "../x", RUN + "\n", "x" * 300, 7, math.nan, [], [RUN], {}, True]


def trained(backend, **form):
    """A run of Anna's that has ended."""
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 1} | form)
    finished(backend, run)
    return run


def lines(steps, dims=20):
    """Records of a model of so many dimensions, with figures of the usual length."""
    rng = random.Random(0)
    for step in steps:
        terms = {name: -rng.uniform(80, 120) for name in ("elbo", "reconstruction", "kl")}
        yield json.dumps({
            "step": step, "epoch": step / 469, "images_seen": 128 * step, "seconds": 0.0213 * step,
            "images_per_second": 6123.4567, "train": terms, "test": None,
            "kl_per_dim": [rng.uniform(0, 5) for _ in range(dims)], "active_units": None, "learning_rate": 1e-3,
            "beta": 1.0, "samples": 1,
        }) + "\n"  # fmt: skip


def written(backend, steps):
    """A run of a model of 20 dimensions that has such records, as another server may have left it."""
    folder = backend.runs.folder(RUN)
    if not folder.path.exists():
        folder.create()
        folder.write_config(
            RunConfig(VAEConfig(), TrainConfig(epochs=100), "mnist", train_images=60_000, owner=ANNA)
        )  # fmt: skip
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.writelines(lines(steps))
    return folder
