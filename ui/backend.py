"""What all browsers share: datasets, models by id, and runs. Nothing in it belongs to one visitor.

The methods that take a `request` are called from the browser with whatever it sends, so each checks all of it.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vae_core.bounds import check_choice, check_float, check_int
from vae_core.checkpoint import CheckpointError, read_header
from vae_core.config import CHANGEABLE, TrainConfig
from vae_core.data import (
    DATASETS,
    DataError,
    Dataset,
    is_present,
    load_dataset,
    load_default,
)
from vae_core.runs.folder import RunError
from vae_core.runs.queue import ENDED
from vae_core.runs.records import Records
from vae_core.runs.server import RUN_ID, Runs
from vae_core.training.one_batch import OneBatch

from . import labels
from .loaded import Loaded, LoadedModels
from .pace import Pace

FIRST = "mnist-mlp-20d"  # the shipped model that the page opens with
SHOWN = 8  # images of a single batch
RETRY_AFTER = 600.0  # seconds; so that a server without a network does not wait for it at every training
RESTING = 3000  # ms between two questions about a run that has ended: another window may set it going again


class Backend:
    """Datasets, models and runs of one server.

    Args:
        data_dir: where datasets are and are downloaded to.
        checkpoints: the folder of the shipped models.
        runs: the runs of this server.
    """

    def __init__(self, data_dir: Path, checkpoints: Path, runs: Runs) -> None:
        self.data_dir, self.runs = data_dir, runs
        paths = sorted(checkpoints.glob("*.safetensors"), key=lambda path: (path.stem != FIRST, path.stem))
        self.shipped = {path.stem: path for path in paths}
        self._lock = threading.Lock()
        self._network_again = 0.0  # monotonic time from which auto tries to fetch MNIST again
        self._dataset = lru_cache(maxsize=len(DATASETS))(lambda name: load_dataset(name, data_dir, download=False))
        self._models = LoadedModels()
        self._records = lru_cache(maxsize=64)(lambda run: Records(runs.folder(run).path / "metrics.jsonl"))
        self._totals: dict[str, int] = {}
        self._pace = Pace()

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
            report(f"Downloading: {done / 1e6:.1f} of {total / 1e6:.1f} MB." if total else "Downloading.")

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

    def check_batch(self, name: str, training: TrainConfig, hold_out: int = 0) -> None:
        """Checks the batch size against the data, where they are on this server already.

        Raises:
            ValueError: the batch is larger than what is left of the training set, or nothing is.
        """
        name = "mnist" if name == "auto" else name
        if is_present(name, self.data_dir):
            training.check_images(len(self.dataset(name).holding_out(hold_out).train))

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
        return self._models.load(self.path(model))

    def choices(self, browser: str) -> list[tuple[str, str]]:
        """The models that a browser may look at, as (label, id): the shipped ones, then its own runs, newest first."""
        shipped = [(labels.shipped(name, read_header(path).about), name) for name, path in self.shipped.items()]
        runs = []
        for run in reversed(self.runs.of(browser)):
            try:
                name, state = self.runs.folder(run).name(), self.runs.status(run)["state"]
                runs.append((labels.own(run, name, read_header(self.path(run)), state), run))
            except (CheckpointError, RunError):
                continue  # it has no weights yet, or its files are damaged: the others are offered all the same
        return shipped + runs

    def path(self, model: Any) -> Path:
        """The file of a model: a shipped one's name or a run's id.

        Raises:
            CheckpointError: it is neither.
        """
        if isinstance(model, str) and model in self.shipped:
            return self.shipped[model]
        if isinstance(model, str) and RUN_ID.fullmatch(model):
            return self.runs.folder(model).model_file
        raise CheckpointError("There is no such model: choose another one above.")

    # Asked by the browser

    def follow(self, request: Any) -> dict[str, Any]:
        """What is new of a run since the browser last asked.

        Args:
            request: {run, since, mark, changes, frames}: how many records, changes and frames it has; mark: of the
                answer that gave it the last of these records, which may be others by now.

        Returns:
            state, message. about: what the run is, at first and after a change. progress: of its newest record.
            from, to: the records that columns covers, thinned where they are many; from is 0 where it is all of them.
            mark: of the last one.
            kl_per_dim: the newest. changes: [{step, setting: value}]. frames: [step]. newest, batch: versions of the
            newest weights and of the last single batch, empty before there are any. wait: ms until the next question.
        """
        run, since, mark = (field(request, name) for name in ("run", "since", "mark"))
        changes, frames = (field(request, name) for name in ("changes", "frames"))
        for name, count in (("since", since), ("changes", changes), ("frames", frames)):
            check_int(name, count, 0, 10**9)
        status, folder = self.runs.status(run), self.runs.folder(run)
        records, steps = self._records(run).read(), folder.frame_steps()
        count, last = len(records), records.last  # another question may read on meanwhile
        changed = [change for change in folder.changes() if last and change.step <= last["step"]]  # not those to come
        if not 0 < since <= count or mark != records.mark(since) or changes > len(changed) or frames > len(steps):
            since = changes = frames = 0  # the first question, or the run went back: all of it
        return status | {
            "about": None if since and changes == len(changed) else self._about(run),
            "progress": _progress(last, self._total_steps(run)),
            "from": since,
            "to": count,
            "mark": records.mark(count),
            "columns": records.rows(since, count),
            "kl_per_dim": [round(kl, 4) for kl in last["kl_per_dim"]] if last else [],
            "changes": [{"step": change.step} | change.settings for change in changed[changes:]],
            "frames": steps[frames:],
            "newest": _version(folder.model_file),
            "batch": _version(folder.path / "batch.safetensors"),
            "wait": RESTING if status["state"] in ENDED else self._pace.wait(),
        }

    def window(self, request: Any) -> dict[str, Any]:
        """The records of some steps at full resolution, or as near to it as a chart can show.

        Args:
            request: {run, low, high}: steps.

        Returns:
            columns: as of `follow`.
        """
        run, low, high = (field(request, name) for name in ("run", "low", "high"))
        for name, value in (("low", low), ("high", high)):
            check_float(name, value, -1e12, 1e12)
        self.runs.folder(run)
        return {"columns": self._records(run).read().between(low, high)}

    def history(self, request: Any) -> dict[str, Any]:
        """KL per latent dimension over the training: every stride-th record, at most 512 of them.

        Args:
            request: {run, stride, have}: what the browser has, 0 and 0 at first.

        Returns:
            stride; from: the first row that is given; steps; kl: nats, a list of D numbers a row.
        """
        run, stride, have = (field(request, name) for name in ("run", "stride", "have"))
        check_int("have", have, 0, 10**6)
        self.runs.folder(run)
        stride, first, steps, kl = self._records(run).read().kept_history(stride, have)
        return {"stride": stride, "from": first, "steps": steps, "kl": kl}

    def batch(self, request: Any) -> dict[str, Any]:
        """The last batch that a run took by itself: its first images, and what became of them.

        Args:
            request: {run}.

        Returns:
            step, images (of the whole batch), objective, beta, free_bits, counted_kl, loss, gradient_norm (before
            clip_norm makes it smaller), elbo, reconstruction_term, kl: means over the batch, nats per image. Of the
            first eight images: x, x_hat: base64 of 28×28 bytes each; mu, std, z: lists of D numbers;
            log_px_z, of that z; kls.
        """
        batch = OneBatch.load(self.runs.folder(field(request, "run")).path / "batch.safetensors")
        some, reconstruction, kl = slice(0, SHOWN), batch.reconstruction, batch.kl
        return {
            "step": batch.step,
            "images": len(batch.x),
            "beta": batch.beta,
            "loss": batch.loss,
            "gradient_norm": batch.gradient_norm,
            "objective": batch.objective,
            "clip_norm": batch.clip_norm,
            "free_bits": batch.free_bits,
            "counted_kl": batch.counted_kl,
            "elbo": finite((reconstruction - kl).mean()),
            "reconstruction_term": finite(reconstruction.mean()),
            "kl": finite(kl.mean()),
            "x": pixels(batch.x[some]),
            "x_hat": pixels(batch.x_hat[some]),
            "mu": _rounded(batch.mu[some]),
            "std": _rounded(torch.exp(0.5 * batch.logvar[some])),
            "z": _rounded(batch.z[some]),
            "log_px_z": _rounded(batch.log_px_z[some]),
            "kls": _rounded(kl[some]),
        }

    def steer(self, request: Any) -> dict[str, Any]:
        """Pauses, resumes, steps, stops or begins anew.

        Args:
            request: {browser, run, how: pause | play | step | stop | reset}.

        Returns:
            run: the one to follow now; another one after reset.
        """
        browser, run, how = browser_of(request), field(request, "run"), field(request, "how")
        if how == "pause":
            self.runs.pause(run, browser)
        elif how == "stop":
            self.runs.stop(run, browser)
        elif how in ("play", "step"):
            data = self.runs.folder(run).read_config().data
            load = partial(self.fetch, data)
            self.runs.play(run, browser, load, one_batch=how == "step")
        elif how == "reset":
            run = self.runs.begin_anew(run, browser)
        else:
            check_choice("how", how, ("pause", "play", "step", "stop", "reset"))
        return {"run": run}

    # Pictures

    def _about(self, run: str) -> dict[str, Any]:
        """What a run is, for the page."""
        folder = self.runs.folder(run)
        config = folder.read_config()
        return {
            "name": folder.name(),
            "data": config.data,
            "why_data": config.why_data,
            "settings": labels.settings_line(config.data, folder.settings(), len(folder.changes())),
            "started": {name: getattr(config.training, name) for name in CHANGEABLE} | {"sigma": config.model.sigma},
            "likelihood": config.model.likelihood,
            "binarization": config.model.binarization,
            "latent_dim": config.model.latent_dim,
            "steps_per_epoch": config.training.steps_per_epoch(config.train_images) if config.train_images else 0,
            "total_steps": config.total_steps,
            "train_images": config.train_images,
        }

    def _total_steps(self, run: str) -> int:
        """Steps of a run, which stay once they are known."""
        if not self._totals.get(run):
            self._totals[run] = self.runs.folder(run).read_config().total_steps
        return self._totals[run]


def answering(method: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A method of the backend as a server function of a component: what is wrong becomes {error: one sentence}."""

    def answer(request):  # noqa: ANN001, ANN202 (Gradio reads annotations of server functions as requests for itself)
        try:
            return method(request)
        except (ValueError, RunError, DataError) as error:
            return {"error": str(error)}
        except OSError as error:
            return {"error": f"A file on the server cannot be used: {error.strerror or error}."}

    answer.__name__ = method.__name__
    return answer


def of(backend: Backend, function: Callable[[Backend, Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A function of a tab's file, of the backend and a request, as a server function of a component."""

    def bound(request: Any) -> dict[str, Any]:
        return function(backend, request)

    bound.__name__ = function.__name__
    return answering(bound)


def pixels(images: Tensor) -> str:
    """Images in [0, 1], of any shape, as base64 of bytes; values outside are clipped."""
    return base64.b64encode((images.clamp(0, 1) * 255).round().to(torch.uint8).numpy().tobytes()).decode()


def browser_of(request: Any) -> str:
    """The browser that a request comes from; runs of the command line have none, and nobody's page steers those."""
    browser = field(request, "browser")
    if not isinstance(browser, str) or not browser:
        raise ValueError("The request names no browser.")
    return browser


def field(request: Any, name: str) -> Any:
    """A field of what the browser sent."""
    if not isinstance(request, dict) or name not in request:
        raise ValueError(f"The request has no {name}.")
    return request[name]


def image_bytes(name: str, text: Any, side: int) -> Tensor:
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


def finite(value: Tensor) -> float | None:
    """One number for JSON, which has no NaN: null then."""
    number = float(value)
    return number if math.isfinite(number) else None


def _rounded(values: Tensor) -> list[Any]:
    """Numbers for JSON, with the digits that a page shows."""
    return [_rounded(value) if value.ndim else round(float(value), 3) for value in values]


def _version(path: Path) -> str:
    """Changes whenever the file does; empty where there is none. Text: JavaScript's numbers have too few digits."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return ""


def _progress(last: dict[str, Any] | None, total_steps: int) -> dict[str, Any] | None:
    """Where a run stands, null before its first record; left: seconds, from the speed so far."""
    if last is None:
        return None
    left = (total_steps - last["step"]) * last["seconds"] / last["step"]
    return {name: last[name] for name in ("step", "epoch", "seconds", "images_per_second", "learning_rate")} | {
        "sigma": last.get("sigma"),
        "total_steps": total_steps,
        "left": max(0.0, left),
    }
