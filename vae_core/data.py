"""Datasets as uint8 tensors, what x is (binarization), and drawings converted to MNIST's format."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from filelock import AcquireReturnProxy, FileLock, Timeout
from torch import Tensor

from .config import BINARIZATIONS, IMAGE_SHAPE
from .files import write_atomically
from .settings import check_choice, check_int

DATASETS = ("mnist", "fashion-mnist", "kmnist", "digits")
INK_SIZE = {"mnist": 20, "fashion-mnist": 28, "kmnist": 28, "digits": 28}  # pixels filled by an image's longer side
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST", "digits": "digits"}

Progress = Callable[[int, int], None]  # bytes so far, bytes in total (0 if unknown)


class DataError(RuntimeError):
    """A dataset is missing and cannot be downloaded, or is truncated or damaged; one sentence for the user."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of 28×28 grey values with their labels, split into training and test.

    train, test: (N, 1, 28, 28) uint8; train_labels, test_labels: (N,) int64.
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    _kept: dict[tuple[str, ...], Tensor] = field(default_factory=dict, init=False, repr=False)
    _keeping: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def mean_image(self) -> Tensor:
        """The mean of the training images: (1, 28, 28) in [0, 1]."""
        return self._keep(("mean",), lambda: self.train.float().mean(0) / 255)

    def train_on(self, device: torch.device) -> Tensor:
        """The training images on a device; every caller gets the same tensor."""
        return self._keep(("train", str(device)), lambda: self.train.to(device))

    def held_out_on(self, device: torch.device, binarization: str) -> Tensor:
        """The test images as `binarized_for_evaluation` returns them; every caller gets the same tensor."""
        return self._keep(
            (binarization, str(device)), lambda: binarized_for_evaluation(self.test, binarization, device)
        )

    def _keep(self, key: tuple[str, ...], make: Callable[[], Tensor]) -> Tensor:
        with self._keeping:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]

    def holding_out(self, count: int) -> Dataset:
        """The dataset with its last `count` training images in place of the test images; unchanged if `count` is 0.

        Choices based on held-out figures are then not based on the test images.

        Raises:
            ValueError: there are no more training images than that.
        """
        if not count:
            return self
        check_int("hold_out", count, 0, len(self.train) - 1)
        parts = self.train[:-count], self.train_labels[:-count], self.train[-count:], self.train_labels[-count:]
        return Dataset(self.name, *parts)


def load_dataset(
    name: str, data_dir: str | Path, *, download: bool = True, progress: Progress | None = None, timeout: float = 20.0
) -> Dataset:
    """Loads a dataset from data_dir, and downloads it there first if it is missing.

    Args:
        name: mnist, fashion-mnist, kmnist (as torchvision has them) or digits (bundled with scikit-learn; needs no
            network and no data_dir).
        data_dir: where torchvision's folders are (MNIST/raw, ...).
        download: whether a missing dataset may be downloaded.
        progress: called after each chunk of a download with bytes so far and bytes in total.
        timeout: seconds that the network may be silent.

    Raises:
        ValueError: the name is unknown.
        DataError: the dataset is missing and cannot be downloaded, or is damaged. No partial file is left behind.
    """
    check_choice("data", name, DATASETS)
    if name == "digits":
        return _load_digits()
    kind = _torchvision_class(name)
    if not is_present(name, data_dir):
        if not download:
            raise DataError(f"{TITLES[name]} is not in {data_dir}.")
        _download(kind, TITLES[name], Path(data_dir), progress, timeout)
    try:
        train, test = kind(data_dir, train=True), kind(data_dir, train=False)
    except (ValueError, RuntimeError, AssertionError, OSError) as error:
        raise DataError(
            f"{TITLES[name]} in {data_dir} is damaged ({error}); delete its folder and load it again."
        ) from error
    return Dataset(name, train.data.unsqueeze(1), train.targets.long(), test.data.unsqueeze(1), test.targets.long())


def is_present(name: str, data_dir: str | Path) -> bool:
    """Whether the dataset can be loaded without a network."""
    check_choice("data", name, DATASETS)
    if name == "digits":
        return True
    kind = _torchvision_class(name)
    raw = Path(data_dir) / kind.__name__ / "raw"
    return all((raw / filename.removesuffix(".gz")).is_file() for filename, _ in kind.resources)


def load_default(
    data_dir: str | Path, *, download: bool = True, progress: Progress | None = None
) -> tuple[Dataset, str]:
    """MNIST if it is present or can be downloaded, else digits; and a sentence that says which and why."""
    if is_present("mnist", data_dir):
        return load_dataset("mnist", data_dir), "MNIST, found on this server."
    if not download:
        return _load_digits(), "scikit-learn's digits, because MNIST is not on this server."
    try:
        return load_dataset("mnist", data_dir, progress=progress), "MNIST, downloaded just now."
    except DataError as error:
        return _load_digits(), f"scikit-learn's digits, because MNIST could not be had: {error}"


def binarize(
    images: Tensor, how: str, generator: torch.Generator | None = None, *, uniform: Tensor | None = None
) -> Tensor:
    """Turns grey values into the model's x.

    Args:
        images: (...) uint8, 0 to 255, or floats in [0, 1].
        how: dynamic (each pixel drawn as Bernoulli(grey)), threshold (grey ≥ 0.5) or grey (as it is).
        generator: source of the draws, on the images' device.
        uniform: (...) in (0, 1), the draws themselves; made here if None.

    Returns:
        (...) float in [0, 1]; float32 from uint8, else of the same type.

    Raises:
        ValueError: how is not one of the three.

    Source: Burda et al. (2015), section 5.1, for dynamic.
    """
    check_choice("binarization", how, BINARIZATIONS)
    grey = images.float().div_(255) if images.dtype == torch.uint8 else images
    if how == "dynamic":
        if uniform is None:
            uniform = torch.rand(grey.shape, generator=generator, dtype=grey.dtype, device=grey.device)
        return (uniform < grey).to(grey.dtype)
    return (grey >= 0.5).to(grey.dtype) if how == "threshold" else grey


def binarized_for_evaluation(images: Tensor, how: str, device: torch.device | str = "cpu") -> Tensor:
    """The images as x for evaluation, (N, 1, 28, 28) float: with dynamic, one fixed draw, the same everywhere."""
    generator = torch.Generator().manual_seed(0)
    x = torch.empty(images.shape, dtype=torch.float32 if images.dtype == torch.uint8 else images.dtype)
    for part, of_x in zip(images.cpu().split(1000), x.split(1000), strict=True):  # a third of the memory of one draw
        of_x.copy_(binarize(part, how, generator))
    return x.to(device)


def of_each_label(dataset: Dataset, count: int = 1) -> list[tuple[int, Tensor]]:
    """The first `count` test images of every label as (label, (1, 28, 28) uint8), sorted by label."""
    return [
        (int(label), image)
        for label in dataset.test_labels.unique()
        for image in dataset.test[dataset.test_labels == label][:count]
    ]


def ink_size(name: str | None) -> int:
    """Pixels of a digit's longer side in that dataset; MNIST's if the name is None or unknown here."""
    return INK_SIZE.get(name or "mnist", INK_SIZE["mnist"])


def fit_drawing(ink: Tensor, size: int = 20) -> Tensor:
    """A drawing in MNIST's format: cropped to its ink, scaled into 20×20, its centre of mass at the centre of 28×28.

    Args:
        ink: (H, W) uint8, 0 paper and 255 ink, or floats in [0, 1].
        size: pixels of the longer side; `ink_size` gives it for each dataset.

    Returns:
        (1, 28, 28) float32 in [0, 1].

    Raises:
        ValueError: there is no ink, or ink is not a picture of 1 to 4096 pixels a side.

    Source: LeCun et al. (1998), section III.A, for how MNIST was made.
    """
    if ink.ndim != 2 or not all(1 <= side <= 4096 for side in ink.shape):
        raise ValueError(f"The drawing is {tuple(ink.shape)}; it must be a picture of 1 to 4096 pixels a side.")
    grey = ink.float() / 255 if ink.dtype == torch.uint8 else ink.float()
    if not bool(((grey >= 0) & (grey <= 1)).all()):
        raise ValueError("The drawing has values outside [0, 1].")
    rows, columns = (grey > 0).any(1).nonzero().flatten(), (grey > 0).any(0).nonzero().flatten()
    if len(rows) == 0:
        raise ValueError("The drawing is empty: draw something first.")
    digit = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size / max(digit.shape)
    sides = [max(1, round(side * scale)) for side in digit.shape]
    digit = F.interpolate(digit[None, None], size=sides, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    return _centred_by_mass(digit)


def _centred_by_mass(digit: Tensor) -> Tensor:
    """Puts (h, w) on an empty (1, 28, 28), with its centre of mass at pixel 14 of either axis.

    Whole pixels only: in all of MNIST the centre lies between 13.5 and 14.5, counted from 0.
    """
    h, w = digit.shape
    mass = digit.sum()
    top = round(14 - float((digit.sum(1) * torch.arange(h)).sum() / mass))
    left = round(14 - float((digit.sum(0) * torch.arange(w)).sum() / mass))
    top, left = min(max(top, 0), 28 - h), min(max(left, 0), 28 - w)
    image = torch.zeros(IMAGE_SHAPE)
    image[0, top : top + h, left : left + w] = digit
    return image


def _load_digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits, bicubic from 8×8 to 28×28: 1,500 for training, 297 for testing."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float()[:, None] / 16
    large = F.interpolate(small, size=IMAGE_SHAPE[1:], mode="bicubic").clamp(0, 1)
    images = (large * 255).round().to(torch.uint8)
    labels = torch.from_numpy(bunch.target).long()
    split = train_test_split(range(len(images)), test_size=297, random_state=0, stratify=labels)
    train, test = (torch.tensor(sorted(part)) for part in split)
    return Dataset("digits", images[train], labels[train], images[test], labels[test])


class _Kind(Protocol):
    """The part of torchvision's classes used here; they come without types."""

    __name__: str
    resources: list[tuple[str, str]]  # file names and their MD5 sums
    mirrors: list[str]

    def __call__(self, root: str | Path, *, train: bool) -> Any: ...


def _torchvision_class(name: str) -> _Kind:
    """torchvision's class, which knows the files, their MD5 sums and mirrors, and how to read them."""
    from torchvision import datasets

    return {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST}[name]


def _download(kind: _Kind, title: str, data_dir: Path, progress: Progress | None, timeout: float) -> None:
    """Downloads the four files of a dataset, each checked against its MD5 before it gets its name.

    torchvision's own download has no time limit and leaves a truncated file behind, so only its list of files is used.
    A caller that comes during another's download, here or in another process, waits for those files.
    """
    raw = data_dir / kind.__name__ / "raw"
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with _alone(raw / ".lock", progress):
            for filename, md5 in kind.resources:
                target = raw / filename.removesuffix(".gz")
                if not target.is_file():
                    content = _fetch(kind.mirrors, filename, md5, title, progress, timeout)
                    write_atomically(target, gzip.decompress(content))
    except OSError as error:
        raise DataError(f"{title} cannot be stored in {data_dir}: {error.strerror or error}.") from error


def _alone(path: Path, progress: Progress | None) -> AcquireReturnProxy:
    """Acquires that file's lock, waiting for whoever holds it; progress gets (0, 0) meanwhile."""
    lock = FileLock(path, thread_local=False)
    while True:
        try:
            return lock.acquire(timeout=0.5)
        except Timeout:
            if progress:
                progress(0, 0)


def _fetch(mirrors: list[str], filename: str, md5: str, title: str, progress: Progress | None, timeout: float) -> bytes:
    """Downloads the file from the first mirror that delivers it intact."""
    fault = "no mirror is known"
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + filename, timeout=timeout) as response:
                content = _read(response, progress)
        except (http.client.HTTPException, OSError) as error:  # URLError and TimeoutError are OSErrors
            fault = f"{getattr(error, 'reason', error)}"
            continue
        if hashlib.md5(content).hexdigest() == md5:
            return content
        fault = "it arrived damaged or cut off"
    raise DataError(f"{title} could not be downloaded: {filename}: {fault}.")


def _read(response: http.client.HTTPResponse, progress: Progress | None) -> bytes:
    """Reads the response's body, and reports each chunk."""
    total = int(response.headers.get("Content-Length") or 0)
    chunks = []
    done = 0
    while chunk := response.read(1 << 16):
        chunks.append(chunk)
        done += len(chunk)
        if progress:
            progress(done, total)
    return b"".join(chunks)
