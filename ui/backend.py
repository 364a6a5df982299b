"""What all browsers share: datasets, models by id, and runs. Nothing here belongs to a single visitor."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from vae_core.config import TrainConfig
from vae_core.data import DATASETS, DataError, Dataset, download_dataset, is_present, load_dataset, stamp
from vae_core.download import Progress
from vae_core.runs.folder import RunError
from vae_core.runs.server import Runs
from vae_core.runs.shelf import RUN_ID
from vae_core.runs.workers import Load
from vae_core.storage.checkpoint import CheckpointError, Header, read_header

from . import labels
from .classroom.key import Key
from .classroom.room import Room
from .downloads import Downloads
from .follow import Follower
from .loaded import Loaded, LoadedModels
from .presets import Durations
from .theory.lessons import Lessons

FIRST = "mnist-mlp-2d"  # the shipped model that the page opens with
RETRY_AFTER = 600.0  # seconds; so that a server without a network does not wait for it at every run


class Backend:
    """Datasets, models and runs of one server.

    Args:
        data_dir: where datasets are, and where they are downloaded to.
        checkpoints: the folder of the shipped models.
        runs: the runs of this server.
        lecturer_key: of the class; None: one that nobody knows.
    """

    def __init__(self, data_dir: Path, checkpoints: Path, runs: Runs, lecturer_key: Key | None = None) -> None:
        self.data_dir = data_dir
        self.runs = runs
        paths = sorted(checkpoints.glob("*.safetensors"), key=lambda path: (path.stem != FIRST, path.stem))
        self.shipped = {path.stem: path for path in paths}
        self._lock = threading.Lock()
        self._read = lru_cache(maxsize=len(DATASETS))(self._read_dataset)
        self._downloads = Downloads(lambda name, progress: download_dataset(name, data_dir, progress))
        self._models = LoadedModels()
        self.follower = Follower(runs, self.loading, self.model_of)
        self.durations = Durations(runs.devices[0])
        self.lessons = Lessons(checkpoints / "lessons")
        self.room = Room(runs.root / "class.json", runs.queue.halt, runs.freeze)
        self.lecturer_key = lecturer_key or Key(secrets.token_urlsafe())

    # Data

    def dataset(self, name: str) -> Dataset:
        """The dataset, if it is on this server: read once, and again if its files change; shared by all.

        Raises:
            DataError: the dataset is missing, or its files hold something else.
        """
        with self._lock:
            found = self._read(name, stamp(name, self.data_dir))
        if isinstance(found, DataError):
            raise DataError(str(found))
        return found

    def _read_dataset(self, name: str, _: Any) -> Dataset | DataError:
        """The dataset, or why it cannot be used, so that neither is found out at every question."""
        try:
            return load_dataset(name, self.data_dir, download=False)
        except DataError as error:
            return error

    def loading(self, name: str) -> Load:
        """How a run that is asked for now loads its data; a download that fails after this moment is not tried again.

        Args:
            name: a dataset's, or auto: MNIST, or digits if MNIST is unavailable.

        Returns:
            load(report), which calls report with the progress of a download, and returns the dataset and a sentence
            that says why it was chosen.
        """
        return partial(self._fetch, name, time.monotonic())

    def _fetch(self, name: str, asked: float, report: Callable[[str], None]) -> tuple[Dataset, str]:
        def progress(done: int, total: int) -> None:
            report(f"Downloading: {done / 1e6:.1f} of {total / 1e6:.1f} MB." if total else "Downloading.")

        report("Loading the data.")
        if name == "auto":
            return self._default(progress)
        if not is_present(name, self.data_dir):
            self._downloads.wait(name, asked, progress)
        return self.dataset(name), ""

    def _default(self, progress: Progress) -> tuple[Dataset, str]:
        """MNIST if it is present or can be downloaded, else digits; and a sentence that says which and why."""
        had = "found on this server"
        try:
            if not is_present("mnist", self.data_dir):
                self._downloads.wait("mnist", time.monotonic() - RETRY_AFTER, progress)
                had = "downloaded just now"
            return self.dataset("mnist"), f"The data are MNIST, {had}."
        except DataError as error:
            why = f"The data are scikit-learn's digits, because MNIST could not be had: {error}"
            return self.dataset("digits"), why

    def check_batch(self, name: str, training: TrainConfig, hold_out: int = 0) -> int | None:
        """Checks the batch size against the data, if they are already on this server.

        Returns:
            the number of training images; None if the data are not there.

        Raises:
            ValueError: the batch is larger than what is left of the training set, or nothing is left.
            DataError: the dataset's files hold something else.
        """
        if not is_present("mnist" if name == "auto" else name, self.data_dir):
            return None
        dataset, _ = self.loading(name)(lambda message: None)
        images = len(dataset.holding_out(hold_out).train)
        training.check_images(images)
        return images

    def data_line(self) -> str:
        """Which data a run uses if none are chosen, and why."""
        if not is_present("mnist", self.data_dir):
            return "MNIST is not on this server: Train fetches it, and takes the digits of scikit-learn where it cannot"
        try:
            self.dataset("mnist")
        except DataError as error:
            return f"trains on the digits of scikit-learn: {str(error).removesuffix('.')}"
        return "trains on MNIST, found on this server"

    def shown_dataset(self, trained_on: str | None) -> Dataset:
        """The dataset to show a model: the one it was trained on if that can be used, else MNIST, else digits."""
        for name in (trained_on, "mnist"):
            if name in DATASETS and is_present(name, self.data_dir):
                with contextlib.suppress(DataError):  # the header, and a run that is to train on it, say what is wrong
                    return self.dataset(name)
        return self.dataset("digits")

    # Models

    def load(self, model: Any) -> Loaded:
        """The newest weights of a model: a shipped one's name or a run's id.

        Raises:
            CheckpointError: the model no longer exists, or its file is damaged.
        """
        return self._models.load(self.path(model))

    def model_of(self, run: str) -> str:
        """The id of the model that a run makes: its own; of a recording, which has no weights, a shipped one like it.

        That one has the recording's configuration and data; if several have, one with its objective comes first. Empty
        if there is none.

        Raises:
            RunError: there is no such run.
        """
        if run not in self.runs.recordings:
            return run
        config = self.runs.folder(run).read_config()
        alike = {
            name: header.about.get("training", {}).get("objective") != config.training.objective
            for name, header in self._shipped_headers()[0].items()
            if header.config == config.model and header.about.get("data") == config.data
        }
        return min(alike, key=lambda name: alike[name], default="")

    def choices(self, browser: str) -> list[tuple[str, str]]:
        """The models that a browser may look at, as (label, id): the shipped ones, then its own runs, newest first."""
        headers, _ = self._shipped_headers()
        shipped = [(labels.shipped(header), name) for name, header in headers.items()]
        runs = []
        for run in reversed(self.runs.of(browser)):
            try:
                name = self.runs.folder(run).name()
                state = self.runs.status(run)["state"]
                runs.append((labels.own(run, name, read_header(self.path(run)), state), run))
            except (CheckpointError, RunError):
                continue  # it has no weights yet, or its files are damaged: offer the others all the same
        return shipped + runs

    def faults(self) -> list[str]:
        """A sentence for each shipped model that is not offered because its file is damaged."""
        return self._shipped_headers()[1]

    def _shipped_headers(self) -> tuple[dict[str, Header], list[str]]:
        """The headers of the shipped models by name, and a sentence for each that cannot be read."""
        headers, faults = {}, []
        for name, path in self.shipped.items():
            try:
                headers[name] = read_header(path)
            except CheckpointError as error:
                faults.append(str(error))
        return headers, faults

    def path(self, model: Any) -> Path:
        """The file of a model: a shipped one's name or a run's id.

        Raises:
            CheckpointError: `model` is neither.
        """
        if isinstance(model, str) and model in self.shipped:
            return self.shipped[model]
        if isinstance(model, str) and RUN_ID.fullmatch(model):
            return self.runs.folder(model).model_file
        raise CheckpointError("There is no such model: choose another one above.")
