"""What all browsers share: datasets, models by id, and runs. Nothing in it belongs to one visitor.

The methods that take a `request` are called from the browser with whatever it sends, so each checks all of it.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vae_core.bounds import check_float, check_int
from vae_core.checkpoint import CheckpointError, Header, load_checkpoint, read_header
from vae_core.data import (
    DATASETS,
    INK_SIZE,
    TITLES,
    DataError,
    Dataset,
    binarize,
    fit_drawing,
    held_out,
    is_present,
    load_dataset,
    load_default,
)
from vae_core.model import VAE
from vae_core.objective import elbo
from vae_core.runs import RUN_ID, Records, RunError, Runs
from vae_core.train import TrainConfig

PAD = 56  # pixels a side of a posted drawing: twice MNIST's, so that scaling to 20×20 has something to work with
DRAWS = 64  # draws of z for the reconstruction term of a drawing
SAMPLES = 32  # pictures from the prior
RECONSTRUCTIONS = 8
RETRY_AFTER = 600.0  # seconds; so that a server without a network does not wait for it at every training
WITHIN = 10  # prior standard deviations that z may be off the prior's mean


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model as it was read from its file: version changes when the file does."""

    model: VAE
    header: Header
    version: int


class Backend:
    """Datasets, models and runs of one server.

    Args:
        data_dir: where datasets are and are downloaded to.
        checkpoints: the folder of the shipped models.
        runs: the runs of this server.
    """

    def __init__(self, data_dir: Path, checkpoints: Path, runs: Runs) -> None:
        self.data_dir, self.runs = data_dir, runs
        self.shipped = {path.stem: path for path in sorted(checkpoints.glob("*.safetensors"))}
        self._lock = threading.Lock()
        self._network_again = 0.0  # monotonic time from which auto tries to fetch MNIST again
        self._dataset = lru_cache(maxsize=len(DATASETS))(lambda name: load_dataset(name, data_dir, download=False))
        self._loaded = lru_cache(maxsize=64)(_load)
        self._records = lru_cache(maxsize=256)(lambda run: Records(runs.folder(run).path / "metrics.jsonl"))
        self._pictures = lru_cache(maxsize=64)(self._paint)

    # Data

    def dataset(self, name: str) -> Dataset:
        """The dataset, if it is on this server: loaded once, shared by all.

        Raises:
            DataError: it is not here, or damaged.
        """
        with self._lock:
            return self._dataset(name)

    def fetch(self, name: str, report: Callable[[str], None]) -> tuple[Dataset, str]:
        """The dataset of that name, downloaded where it is missing; for auto MNIST, or digits where it cannot be had.

        Args:
            name: a dataset's, or auto.
            report: told how far a download is.

        Returns:
            The dataset, and the sentence that says why that one.
        """

        def progress(done: int, total: int) -> None:
            report(f"Downloading: {done / 1e6:.1f} of {total / 1e6:.1f} MB.")

        report("Loading the data.")
        if name == "auto":
            reachable = time.monotonic() >= self._network_again
            dataset, why = load_default(self.data_dir, download=reachable, progress=progress)
            if reachable and dataset.name == "digits":
                self._network_again = time.monotonic() + RETRY_AFTER
            return self.dataset(dataset.name), f"The data are {why}"
        if not is_present(name, self.data_dir):
            load_dataset(name, self.data_dir, progress=progress)
        return self.dataset(name), ""

    def check_batch(self, name: str, training: TrainConfig) -> None:
        """Checks the batch size against the data, where they are on this server already.

        Raises:
            ValueError: the batch is larger than the training set.
        """
        name = "mnist" if name == "auto" else name
        if is_present(name, self.data_dir):
            training.check_images(len(self.dataset(name).train))

    def data_line(self) -> str:
        """Which data a training takes where none are chosen, and why."""
        if is_present("mnist", self.data_dir):
            return "trains on MNIST, found on this server"
        return "MNIST is not on this server: Train fetches it, and takes the digits of scikit-learn where it cannot"

    def shown_dataset(self, trained_on: str | None) -> Dataset:
        """What to show a model: what it was trained on where that is here, else MNIST, else digits."""
        for name in (trained_on, "mnist"):
            if name in DATASETS and is_present(name, self.data_dir):
                return self.dataset(name)
        return self.dataset("digits")

    # Models

    def load(self, model: Any) -> Loaded:
        """The newest weights of a model: a shipped one's name or a run's id.

        Raises:
            CheckpointError: there is no such model any more, or its file is damaged.
        """
        path = self._path(model)
        try:
            version = path.stat().st_mtime_ns
        except OSError as error:
            raise CheckpointError("That model is not here any more: choose another one above.") from error
        return self._loaded(path, version)

    def choices(self, browser: str) -> list[tuple[str, str]]:
        """The models that a browser may look at, as (label, id): the shipped ones, then its own runs, newest first."""
        shipped = [(f"{name} (shipped)", name) for name in self.shipped]
        runs = []
        for run in reversed(self.runs.of(browser)):
            try:
                runs.append((self._label(run), run))
            except (CheckpointError, RunError):
                continue  # it has no weights yet, or its files are damaged: the others are offered all the same
        return shipped + runs

    def _path(self, model: Any) -> Path:
        if isinstance(model, str) and model in self.shipped:
            return self.shipped[model]
        if isinstance(model, str) and RUN_ID.fullmatch(model):
            return self.runs.folder(model).model_file
        raise CheckpointError("There is no such model: choose another one above.")

    def _label(self, run: str) -> str:
        config, state = self.runs.folder(run).read_config(), self.runs.status(run)["state"]
        about, m = read_header(self._path(run)).about, config.model
        test = f", −ELBO {-about['test']['elbo']:.1f}" if about.get("test") else ""
        when = f"{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}:{run[13:15]}"
        what = f"{TITLES.get(config.data, config.data)} {m.architecture} {m.latent_dim}-D {m.likelihood}"
        return f"my run {when}, {what}{test}, {state}"

    # Asked by the browser

    def follow(self, request: Any) -> dict[str, Any]:
        """What is new of a run since the browser last asked.

        Args:
            request: {run, since: number of records it has, version: of the pictures it has}.

        Returns:
            state, message, data: of the run. progress: of its newest record, or null.
            from, to: the records that columns covers; columns: step and nats per image, test columns with nulls.
            kl_per_dim: the newest. pictures: {version, pixels...} where there are newer ones, else null.
        """
        run, since, version = (_field(request, name) for name in ("run", "since", "version"))
        check_int("since", since, 0, 10**9)
        folder, status = self.runs.folder(run), self.runs.status(run)
        config, records = folder.read_config(), self._records(run).read()
        since = min(since, len(records))
        new, last = records[since:], records[-1] if records else None
        return status | {
            "data": config.why_data,
            "settings": _settings(config),
            "progress": _progress(last, config.total_steps) if last else None,
            "from": since,
            "to": since + len(new),
            "columns": _columns(new),
            "kl_per_dim": [round(kl, 4) for kl in last["kl_per_dim"]] if last else [],
            "pictures": self._newer_pictures(run, version),
        }

    def look(self, request: Any) -> dict[str, Any]:
        """What a model makes of a drawing.

        Args:
            request: {model, ink: base64 of 56×56 bytes} or {model, image: base64 of 28×28 bytes in MNIST's format}.

        Returns:
            seen, reconstruction: base64 of 28×28 bytes. elbo, reconstruction_term, kl: nats. z: the mean of q(z|x).
        """
        loaded = self.load(_field(request, "model"))
        grey = self._grey(request, INK_SIZE.get(loaded.header.about.get("data"), 20))
        model, generator = loaded.model, torch.Generator().manual_seed(0)
        with torch.inference_mode():
            x = binarize(grey, model.config.binarization, generator)[None]
            terms = elbo(model, x, DRAWS, generator=generator)
            mu, _ = model.encode(x)
            x_hat = model.x_hat(mu)
        return {
            "seen": pixels(x),
            "reconstruction": pixels(x_hat),
            "elbo": _finite(terms.elbo),
            "reconstruction_term": _finite(terms.reconstruction),
            "kl": _finite(terms.kl),
            "z": mu[0].tolist(),
        }

    def decode(self, request: Any) -> dict[str, Any]:
        """The picture of a point.

        Args:
            request: {model, z: D numbers within 10 prior standard deviations}.

        Returns:
            image: base64 of 28×28 bytes.
        """
        loaded, z = self.load(_field(request, "model")), _field(request, "z")
        config = loaded.model.config
        if not isinstance(z, list) or len(z) != config.latent_dim:
            raise ValueError(f"z must be a list of {config.latent_dim} numbers.")
        low, high = (config.prior_mean + side * WITHIN * config.prior_std for side in (-1, 1))
        for value in z:
            check_float("z", value, low, high)
        with torch.inference_mode():
            return {"image": pixels(loaded.model.x_hat(torch.tensor(z, dtype=torch.float32)[None]))}

    def describe(self, request: Any) -> dict[str, Any]:
        """A model's latent dimensions, most informative first, and ten test images to start from.

        Args:
            request: {model}.

        Returns:
            dims: [{index, kl: nats or null}]. prior_mean, prior_std. likelihood, binarization.
            examples: [{label, image}], one of each label. examples_from: the dataset's title.
        """
        loaded = self.load(_field(request, "model"))
        config, about = loaded.model.config, loaded.header.about
        dataset = self.shown_dataset(about.get("data"))
        size = INK_SIZE.get(about.get("data"), 20)

        def as_trained(image: Tensor) -> Tensor:
            """An image of another dataset in the format of the model's own."""
            return image / 255 if dataset.name == about.get("data") else fit_drawing(image[0], size)

        kl = about.get("kl_per_dim") or [None] * config.latent_dim
        order = sorted(range(config.latent_dim), key=lambda j: -(kl[j] or 0))
        return {
            "dims": [{"index": j, "kl": kl[j]} for j in order],
            "prior_mean": config.prior_mean,
            "prior_std": config.prior_std,
            "likelihood": config.likelihood,
            "binarization": config.binarization,
            "examples": [
                {"label": label, "image": pixels(as_trained(image))} for label, image in _one_of_each(dataset)
            ],
            "examples_from": TITLES[dataset.name],
        }

    # Pictures

    def _grey(self, request: Any, size: int) -> Tensor:
        """The drawing of a request as (1, 28, 28) in [0, 1], in the format of the model's data."""
        if request.get("image") is not None:
            return _bytes("image", request["image"], 28).float()[None] / 255
        return fit_drawing(_bytes("ink", request.get("ink"), PAD), size)

    def _newer_pictures(self, run: str, version: Any) -> dict[str, Any] | None:
        """The pictures of a run's newest weights, unless the browser has them."""
        try:
            loaded = self.load(run)
        except CheckpointError:
            return None  # no weights yet: the run has not begun
        return None if str(loaded.version) == version else self._pictures(loaded)

    def _paint(self, loaded: Loaded) -> dict[str, Any]:
        """Reconstructions of fixed held-out images, and decoded draws from the prior with fixed noise."""
        model = loaded.model
        dataset = self.shown_dataset(loaded.header.about.get("data"))
        images = torch.stack([image for _, image in _one_of_each(dataset)[:RECONSTRUCTIONS]])
        with torch.inference_mode():
            x = held_out(images, model.config.binarization)
            x_hat = model.x_hat(model.encode(x)[0])
            samples = model.x_hat(model.sample_prior(SAMPLES, torch.Generator().manual_seed(0)))
        # As text: a JavaScript number has too few digits for nanoseconds.
        return {
            "version": str(loaded.version),
            "x": pixels(x),
            "x_hat": pixels(x_hat),
            "samples": pixels(samples),
        }


def answering(method: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A method of the backend as a server function of a component: what is wrong becomes {error: one sentence}."""

    def answer(request):  # noqa: ANN001, ANN202 (Gradio reads annotations of server functions as requests for itself)
        try:
            return method(request)
        except (ValueError, RunError, DataError) as error:
            return {"error": str(error)}

    answer.__name__ = method.__name__
    return answer


def pixels(images: Tensor) -> str:
    """Images in [0, 1], of any shape, as base64 of bytes; values outside are clipped."""
    return base64.b64encode((images.clamp(0, 1) * 255).round().to(torch.uint8).numpy().tobytes()).decode()


def _load(path: Path, version: int) -> Loaded:
    return Loaded(load_checkpoint(path), read_header(path), version)


def _field(request: Any, name: str) -> Any:
    """A field of what the browser sent."""
    if not isinstance(request, dict) or name not in request:
        raise ValueError(f"The request has no {name}.")
    return request[name]


def _bytes(name: str, text: Any, side: int) -> Tensor:
    """(side, side) uint8 of base64 text.

    Raises:
        ValueError: it is no such text, or of another length.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be base64 of {side}×{side} bytes.") from error
    if len(content) != side * side:
        raise ValueError(f"{name} has {len(content)} bytes; it must have {side}×{side}.")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(side, side)


def _one_of_each(dataset: Dataset) -> list[tuple[int, Tensor]]:
    """The first test image of every label, (1, 28, 28) uint8, by label."""
    labels = dataset.test_labels
    return [(int(label), dataset.test[(labels == label).nonzero()[0, 0]]) for label in labels.unique()]


def _finite(value: Tensor) -> float | None:
    """One number for JSON, which has no NaN: null then."""
    number = float(value)
    return number if math.isfinite(number) else None


def _columns(records: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """The curves of the chart: steps and losses in nats per image; nulls where the held-out set was not evaluated."""
    columns: dict[str, list[float | None]] = {"step": [record["step"] for record in records]}
    for part in ("train", "test"):
        for name, sign in (("elbo", -1), ("reconstruction", -1), ("kl", 1)):
            values = [record[part] and round(sign * record[part][name], 3) for record in records]
            columns[f"{part}_{name}"] = values
    return columns


def _progress(last: dict[str, Any], total_steps: int) -> dict[str, Any]:
    """Where a run stands; left: seconds, from the speed so far."""
    left = (total_steps - last["step"]) * last["seconds"] / last["step"]
    return {name: last[name] for name in ("step", "epoch", "seconds", "images_per_second")} | {
        "total_steps": total_steps,
        "left": max(0.0, left),
    }


def _settings(config: Any) -> str:
    """The settings of a run in a line."""
    m, t = config.model, config.training
    return (
        f"{TITLES.get(config.data, config.data)}, {m.architecture}, D = {m.latent_dim}, {m.likelihood} likelihood, "
        f"{m.binarization} pixels, β = {t.beta:g}, learning rate {t.learning_rate:g}, batches of {t.batch_size}"
    )
