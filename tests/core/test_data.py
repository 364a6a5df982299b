"""Datasets, binarization and drawings."""

import re

import pytest
import torch
from torch.testing import assert_close

from vae_core import Dataset, data, load_dataset
from vae_core.config import BINARIZATIONS
from vae_core.data import (
    DataError,
    binarize,
    binarized_for_evaluation,
    converted,
    fit_drawing,
    is_present,
    spread,
    stamp,
)

from ..conftest import seeded
from ..mnist import CONTENT, PACKED, grey, idx, labels, put


def test_digits_are_complete_and_always_split_the_same(digits):
    assert digits.train.shape == (1500, 1, 28, 28) and digits.test.shape == (297, 1, 28, 28)
    assert digits.train.dtype == digits.test.dtype == torch.uint8
    assert digits.train.max() == 255 and digits.train.min() == 0
    again = load_dataset("digits", "unused")
    assert torch.equal(again.train, digits.train) and torch.equal(again.test_labels, digits.test_labels)
    assert sorted(digits.test_labels.unique().tolist()) == list(range(10))
    flat = {tuple(image.flatten().tolist()) for image in digits.train}
    shared = sum(tuple(image.flatten().tolist()) in flat for image in digits.test)
    assert shared == 0


@pytest.mark.mnist
def test_mnist_is_the_original(mnist_dir):
    mnist = load_dataset("mnist", mnist_dir, download=False)
    assert mnist.train.shape == (60000, 1, 28, 28) and mnist.test.shape == (10000, 1, 28, 28)
    assert mnist.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert_close(mnist.train.double().mean() / 255, torch.tensor(0.1307, dtype=torch.float64), atol=5e-5, rtol=0)


@pytest.mark.parametrize("name", ["cifar", "", None, 3, ["mnist"]])
def test_an_unknown_dataset_is_named(name):
    with pytest.raises(ValueError, match=r"data is .*; it must be one of mnist, fashion-mnist, kmnist, digits"):
        load_dataset(name, "unused")


def test_dynamic_binarization_draws_each_pixel_with_its_grey_value():
    grey = torch.arange(256, dtype=torch.uint8)
    draws = torch.stack([binarize(grey, "dynamic", g) for g in [seeded(7)] for _ in range(20_000)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    assert_close(draws.mean(0), grey.float() / 255, atol=0.02, rtol=0)
    assert draws[:, 0].sum() == 0 and draws[:, 255].mean() == 1


def test_threshold_and_grey():
    grey = torch.tensor([0, 127, 128, 255], dtype=torch.uint8)
    assert binarize(grey, "threshold").tolist() == [0, 0, 1, 1]
    assert_close(binarize(grey, "grey"), torch.tensor([0, 127 / 255, 128 / 255, 1]))
    with pytest.raises(ValueError, match="binarization is 'other'"):
        binarize(grey, "other")


def test_a_fitted_drawing_is_20_pixels_large_and_centred_by_mass():
    ink = torch.zeros(280, 280)
    ink[20:200, 150:190] = 1  # a bar, off the centre
    ink[180:200, 100:190] = 1  # with a foot: an L's mirror
    image = fit_drawing(ink)
    assert image.shape == (1, 28, 28) and float(image.min()) >= 0 and float(image.max()) <= 1
    rows, columns = (image[0] > 0.1).any(1).nonzero(), (image[0] > 0.1).any(0).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 20
    assert int(columns[-1] - columns[0]) + 1 == 10
    at = torch.arange(28)
    centre = [float((image[0].sum(axis) * at).sum() / image.sum()) for axis in (1, 0)]
    assert all(abs(c - 14) <= 0.5 for c in centre)


@pytest.mark.mnist
def test_fitting_leaves_mnist_where_it_is(mnist_dir):
    images = load_dataset("mnist", mnist_dir, download=False).test[:300].float() / 255
    # MNIST went through this very treatment, so doing it again changes nothing (but where a centre is a tie).
    same = [torch.allclose(fit_drawing(image[0]), image, atol=1e-5) for image in images]
    assert sum(same) >= 297


def test_one_pixel_is_a_drawing():
    ink = torch.zeros(56, 56)
    ink[3, 50] = 1
    image = fit_drawing(ink)
    assert float(image.sum()) > 0
    assert bool(image.isfinite().all())


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        (torch.zeros(56, 56), "empty"),
        (torch.full((56, 56), 2.0), r"outside \[0, 1\]"),
        (torch.full((56, 56), float("nan")), r"outside \[0, 1\]"),
        (torch.zeros(0, 56), "pixels a side"),
        (torch.zeros(3, 56, 56), "pixels a side"),
    ],
)
def test_what_is_no_drawing_is_refused(ink, message):
    with pytest.raises(ValueError, match=message):
        fit_drawing(ink)


def test_what_nobody_can_see_is_no_ink():
    drawing = torch.zeros(56, 56, dtype=torch.uint8)
    drawing[10:40, 20:30] = 255
    alone = fit_drawing(drawing)
    drawing[50:54, 4:8] = 6  # what an eraser may leave
    assert torch.equal(fit_drawing(drawing), alone)
    drawing[10:40, 20:30] = 0
    with pytest.raises(ValueError, match="The drawing is empty"):
        fit_drawing(drawing)


# Files


KAGGLE = {name.replace("-idx", ".idx"): content for name, content in CONTENT.items()}


@pytest.mark.parametrize("kind", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("content", [CONTENT, PACKED, KAGGLE], ids=["plain", "gz", "kaggle"])
def test_a_dataset_is_taken_as_people_bring_it_without_a_network(tmp_path, kind, content):
    name = {"MNIST": "mnist", "FashionMNIST": "fashion-mnist", "KMNIST": "kmnist"}[kind]
    put(tmp_path, content, kind)
    dataset = load_dataset(name, tmp_path, download=False)
    assert torch.equal(dataset.train[:, 0], grey(30)) and torch.equal(dataset.test[:, 0], grey(10, seed=1))
    assert dataset.train_labels.tolist() == labels(30).tolist() and dataset.test_labels.tolist() == list(range(10))
    assert is_present(name, tmp_path) and sum(is_present(each, tmp_path) for each in data.DATASETS) == 2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train-images-idx3-ubyte", idx(grey(30).float()), "holds float32 of 30×28×28; uint8 of N×28×28 is wanted."),
        ("t10k-images-idx3-ubyte", idx(grey(10, side=32)), "holds uint8 of 10×32×32; uint8 of N×28×28 is wanted."),
        ("t10k-labels-idx1-ubyte", idx(labels(10).int()), "holds int32 of 10; uint8 of N is wanted."),
        ("train-labels-idx1-ubyte", b"<html>", "begins with '<html>'; a file in the IDX format is wanted."),
        ("t10k-images-idx3-ubyte", idx(grey(10))[:-1], "has 7,855 bytes; 7,856 are wanted for 10×28×28."),
        (
            "train-labels-idx1-ubyte",
            idx(labels(27)),
            "holds 27 labels; 30 are wanted, as train-images-idx3-ubyte has images.",
        ),
        ("t10k-labels-idx1-ubyte", idx(labels(10) + 55), "holds the label 64; labels from 0 to 61 are wanted."),
    ],
)
def test_a_file_that_holds_something_else_is_named(tmp_path, name, content, sentence):
    put(tmp_path, CONTENT | {name: content})
    with pytest.raises(DataError, match="^" + re.escape(f"MNIST cannot be used: {name} {sentence}") + "$"):
        load_dataset("mnist", tmp_path, download=False)


def test_a_damaged_file_is_named_as_it_is_called(tmp_path):
    put(tmp_path, PACKED | {"t10k-images-idx3-ubyte.gz": PACKED["t10k-images-idx3-ubyte.gz"][:-9]})
    with pytest.raises(DataError, match=r"^MNIST cannot be used: t10k-images-idx3-ubyte\.gz cannot be unpacked"):
        load_dataset("mnist", tmp_path, download=False)


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    put(tmp_path, CONTENT)
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"^MNIST cannot be read: train-images-idx3-ubyte: Permission denied\.$"):
        load_dataset("mnist", tmp_path, download=False)


def test_as_many_labels_as_emnist_has_are_taken(tmp_path):
    images, of_each = grey(124), labels(124, kinds=62)
    put(tmp_path, CONTENT | {"train-images-idx3-ubyte": idx(images), "train-labels-idx1-ubyte": idx(of_each)})
    assert load_dataset("mnist", tmp_path).train_labels.unique().tolist() == list(range(62))


def test_what_torchvision_once_kept_beside_the_files_is_not_taken(tmp_path):
    put(tmp_path, CONTENT)
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.rand(5, 3), torch.zeros(5)), tmp_path / "MNIST" / "processed" / name)
    assert len(load_dataset("mnist", tmp_path).train) == 30


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"train": torch.rand(200, 1, 28, 28)}, "train holds float32 of 200×1×28×28; uint8 of N×1×28×28 is wanted"),
        ({"test": grey(50)}, "test holds uint8 of 50×28×28; uint8 of N×1×28×28 is wanted"),
        ({"test": grey(0)[:, None]}, "test holds uint8 of 0×1×28×28"),
        ({"test_labels": torch.zeros(49).long()}, "test_labels holds 49 labels; 50 are wanted, as test has images"),
        ({"test_labels": labels(50)}, "test_labels holds uint8 of 50; int64 of N is wanted"),
        ({"train_labels": torch.full((200,), -1)}, "train_labels holds the label -1; labels from 0 to 61 are wanted"),
    ],
)
def test_a_dataset_made_in_python_is_checked_too(few, change, sentence):
    parts = {name: getattr(few, name) for name in ("train", "train_labels", "test", "test_labels")}
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Dataset("mine", **parts | change)


def test_a_missing_dataset_without_download_is_refused(tmp_path):
    with pytest.raises(DataError, match="KMNIST is not in"):
        load_dataset("kmnist", tmp_path, download=False)


def test_the_stamp_changes_with_the_files(tmp_path):
    assert stamp("digits", tmp_path) == stamp("mnist", tmp_path) == ()
    folder = put(tmp_path, CONTENT)
    before = stamp("mnist", tmp_path)
    assert stamp("mnist", tmp_path) == before and len(before) == 4
    (folder / "t10k-labels-idx1-ubyte").write_bytes(b"other")
    assert stamp("mnist", tmp_path) != before
    with pytest.raises(ValueError, match="data is 'cifar'"):
        stamp("cifar", tmp_path)


def test_images_are_chosen_evenly_over_all():
    assert spread(5, 10).tolist() == [0, 1, 2, 3, 4] and spread(10, 5).tolist() == [0, 2, 4, 6, 8]
    chosen = spread(20_800, 10_000)  # the test images of EMNIST's letters, 800 each, one letter after another
    assert len(chosen) == 10_000 and (chosen // 800).bincount().tolist() == pytest.approx([10_000 / 26] * 26, abs=1)


def test_images_take_the_format_of_another_dataset():
    images = torch.cat([grey(3)[:, None], torch.zeros(1, 1, 28, 28, dtype=torch.uint8)])
    assert torch.equal(converted(images, "kmnist", "kmnist"), images / 255)
    for wanted in ("mnist", None, "unknown"):
        made = converted(images, "kmnist", wanted)
        assert made.shape == images.shape and torch.equal(made[1], fit_drawing(images[1, 0], 20)) and not made[3].any()


def test_data_module_names_what_torchvision_has():
    for name in ("mnist", "fashion-mnist", "kmnist"):
        kind = data._torchvision_class(name)
        assert len(kind.resources) == 4 and kind.mirrors


@pytest.mark.parametrize("how", BINARIZATIONS)
def test_held_out_images_are_binarized_by_one_fixed_draw(how):
    images = torch.randint(0, 256, (2300, 1, 28, 28), dtype=torch.uint8, generator=seeded(3))
    x = binarized_for_evaluation(images, how)
    assert x.dtype == torch.float32 and torch.equal(x, binarize(images, how, seeded(0)))
    assert torch.equal(x, binarized_for_evaluation(images, how))


def test_who_asks_for_images_on_a_device_gets_the_same_tensor(few):
    cpu = torch.device("cpu")
    assert few.train_on(cpu) is few.train_on(cpu) and torch.equal(few.train_on(cpu), few.train)
    for how in ("dynamic", "grey"):
        assert few.held_out_on(cpu, how) is few.held_out_on(cpu, how)
        assert torch.equal(few.held_out_on(cpu, how), binarized_for_evaluation(few.test, how))
    other = Dataset("other", few.train[:50], few.train_labels[:50], few.test[:10], few.test_labels[:10])
    assert len(other.train_on(cpu)) == 50 and len(other.held_out_on(cpu, "grey")) == 10
    torch.testing.assert_close(few.mean_image(), few.train.double().mean(0).float() / 255)
