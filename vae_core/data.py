"""Datasets as uint8 tensors, what x is (binarization), and drawings converted to MNIST's format."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import BINARIZATIONS, IMAGE_SHAPE
from .download import DownloadError, Progress, download
from .idx import check_array, find_idx, read_idx
from .settings import check_choice, check_int

DATASETS = ("mnist", "fashion-mnist", "kmnist", "digits")
INK_SIZE = {"mnist": 20, "fashion-mnist": 28, "kmnist": 28, "digits": 28}  # pixels filled by an image's longer side
FAINTEST = 0.04  # of the whole range of grey: nobody sees what differs less from the paper, so it is not ink
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST", "digits": "digits"}
MOST_LABELS = 62  # those of EMNIST by class: digits, capital and small letters


class DataError(RuntimeError):
    """A dataset is missing and cannot be downloaded, or its files hold something else; one sentence for the user."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of 28×28 grey values with their labels, split into training and test.

    train, test: (N, 1, 28, 28) uint8; train_labels, test_labels: (N,) int64, from 0 to 61.

    Raises:
        ValueError: one of them has another type, shape or length, or a label is out of bounds.
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    _kept: dict[tuple[str, ...], Tensor] = field(default_factory=dict, init=False, repr=False)
    _keeping: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            images, labels = getattr(self, split), getattr(self, f"{split}_labels")
            check_array(split, *_type_and_shape(images), "uint8", IMAGE_SHAPE)
            check_array(f"{split}_labels", *_type_and_shape(labels), "int64", ())
            _check_labels(f"{split}_labels", labels, split, images)

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
        data_dir: where torchvision's folders are (MNIST/raw, ...); `find_idx` says which names their files may have.
        download: whether a missing dataset may be downloaded.
        progress: called during a download with bytes so far and bytes in total; if it raises, the download ends.
        timeout: seconds that the network may be silent.

    Raises:
        ValueError: the name is unknown.
        DataError: the dataset is missing and cannot be downloaded, or one of its files holds something else than it
            should. No partial file is left behind.
    """
    check_choice("data", name, DATASETS)
    if name == "digits":
        return _load_digits()
    title = TITLES[name]
    if not is_present(name, data_dir):
        if not download:
            raise DataError(f"{title} is not in the data folder.")
        download_dataset(name, data_dir, progress, timeout)
    files = _files(name, data_dir)
    try:
        return Dataset(name, *_read_split(files, "train"), *_read_split(files, "t10k"))
    except ValueError as error:
        raise DataError(f"{title} cannot be used: {error}.") from error
    except OSError as error:
        file = Path(error.filename or "").name
        raise DataError(f"{title} cannot be read: {file}: {error.strerror or error}.") from error


def download_dataset(name: str, data_dir: str | Path, progress: Progress | None = None, timeout: float = 20.0) -> None:
    """Downloads those of a dataset's files that are missing; the arguments are those of `load_dataset`.

    Raises:
        DataError: they cannot be had, or cannot be stored.
    """
    kind = _torchvision_class(name)
    try:
        download(kind.resources, kind.mirrors, _raw(name, data_dir), progress or (lambda done, total: None), timeout)
    except DownloadError as error:
        raise DataError(f"{TITLES[name]} could not be downloaded: {error}.") from error
    except OSError as error:
        raise DataError(f"{TITLES[name]} cannot be stored in the data folder: {error.strerror or error}.") from error


def is_present(name: str, data_dir: str | Path) -> bool:
    """Whether the dataset's files are there, so that no network is needed."""
    check_choice("data", name, DATASETS)
    return name == "digits" or len(_files(name, data_dir)) == len(_torchvision_class(name).resources)


def stamp(name: str, data_dir: str | Path) -> tuple[tuple[Path, int, int], ...]:
    """What changes whenever the dataset's files do."""
    check_choice("data", name, DATASETS)
    files = _files(name, data_dir) if name != "digits" else {}
    return tuple((path, found.st_mtime_ns, found.st_size) for path in files.values() for found in [path.stat()])


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


def spread(count: int, most: int) -> Tensor:
    """The indices of at most that many of `count` images, evenly over all: a dataset may be sorted by label."""
    chosen = min(count, most)
    return torch.arange(chosen) * count // chosen


def converted(images: Tensor, data: str, wanted: str | None) -> Tensor:
    """Images of one dataset in the format of another, as `fit_drawing` brings them there.

    Args:
        images: (N, 1, 28, 28) uint8.
        data: the dataset that they are of.
        wanted: the dataset whose format is wanted; MNIST's if it is None or unknown here.

    Returns:
        (N, 1, 28, 28) float in [0, 1]; an empty image stays empty.
    """
    if data == wanted:
        return images / 255
    size = ink_size(wanted)
    return torch.stack([fit_drawing(image[0], size) if image.any() else image / 255 for image in images])


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
        ValueError: there is no ink to be seen, or ink is not a picture of 1 to 4096 pixels a side.

    Source: LeCun et al. (1998), section III.A, for how MNIST was made.
    """
    if ink.ndim != 2 or not all(1 <= side <= 4096 for side in ink.shape):
        raise ValueError(f"The drawing is {tuple(ink.shape)}; it must be a picture of 1 to 4096 pixels a side.")
    grey = ink.float() / 255 if ink.dtype == torch.uint8 else ink.float()
    if not bool(((grey >= 0) & (grey <= 1)).all()):
        raise ValueError("The drawing has values outside [0, 1].")
    grey = _seen(grey)
    rows, columns = (grey > 0).any(1).nonzero().flatten(), (grey > 0).any(0).nonzero().flatten()
    if len(rows) == 0:
        raise ValueError("The drawing is empty: draw something first.")
    digit = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size / max(digit.shape)
    sides = [max(1, round(side * scale)) for side in digit.shape]
    digit = F.interpolate(digit[None, None], size=sides, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    return _centred_by_mass(digit)


def _seen(grey: Tensor) -> Tensor:
    """(H, W) in [0, 1] without what nobody can see, such as an eraser's traces; a stroke keeps its soft edge."""
    near = F.max_pool2d((grey >= FAINTEST).float()[None], 3, stride=1, padding=1)[0]
    return grey * near


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


def _torchvision_class(name: str) -> _Kind:
    """torchvision's class, which knows the files, their MD5 sums and mirrors."""
    from torchvision import datasets

    return {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST}[name]


def _raw(name: str, data_dir: str | Path) -> Path:
    """The folder of a dataset's files, in torchvision's layout."""
    return Path(data_dir) / _torchvision_class(name).__name__ / "raw"


def _files(name: str, data_dir: str | Path) -> dict[str, Path]:
    """Those of the dataset's four files that are there, by their names in torchvision's layout."""
    folder = _raw(name, data_dir)
    names = [filename.removesuffix(".gz") for filename, _ in _torchvision_class(name).resources]
    return {each: path for each in names if (path := find_idx(folder, each))}


def _read_split(files: dict[str, Path], split: str) -> tuple[Tensor, Tensor]:
    """The images and labels of a split, as `Dataset` has them.

    Raises:
        ValueError: a file holds something else, or the two do not go together.
        OSError: a file cannot be read.
    """
    images_file, labels_file = files[f"{split}-images-idx3-ubyte"], files[f"{split}-labels-idx1-ubyte"]
    images = read_idx(images_file, IMAGE_SHAPE[1:])
    labels = read_idx(labels_file, ())
    _check_labels(labels_file.name, labels, images_file.name, images)
    return images.unsqueeze(1), labels.long()


def _type_and_shape(tensor: Tensor) -> tuple[str, tuple[int, ...]]:
    return str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)


def _check_labels(name: str, labels: Tensor, of_images: str, images: Tensor) -> None:
    """Raises ValueError unless there is a label from 0 to 61 for each image; the sentence has the names of both."""
    if len(labels) != len(images):
        raise ValueError(f"{name} holds {len(labels):,} labels; {len(images):,} are wanted, as {of_images} has images")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MOST_LABELS:
        found = low if low < 0 else high
        raise ValueError(f"{name} holds the label {found}; labels from 0 to {MOST_LABELS - 1} are wanted")
