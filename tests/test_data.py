"""Datasets, binarization and drawings; downloads from a server of the test's own."""

import dataclasses
import gzip
import hashlib
import http.server
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from vae_core import data, load_dataset
from vae_core.config import BINARIZATIONS
from vae_core.data import DataError, binarize, binarized_for_evaluation, fit_drawing, is_present, load_default

from .conftest import seeded


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


# Downloads


def idx(array: torch.Tensor) -> bytes:
    """A tensor of bytes in the format of MNIST's files."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.to(torch.uint8).numpy().tobytes()


CONTENT = {
    "train-images-idx3-ubyte.gz": gzip.compress(idx(torch.randint(0, 256, (30, 28, 28), generator=seeded()))),
    "train-labels-idx1-ubyte.gz": gzip.compress(idx(torch.arange(30) % 10)),
    "t10k-images-idx3-ubyte.gz": gzip.compress(idx(torch.randint(0, 256, (10, 28, 28), generator=seeded(1)))),
    "t10k-labels-idx1-ubyte.gz": gzip.compress(idx(torch.arange(10))),
}


@pytest.fixture
def mirror(monkeypatch):
    """A mirror of a small MNIST on this machine; its `fault` says what goes wrong."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            body = CONTENT[name]
            server.asked.append(name)
            if server.fault == "missing":
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            faulty = name.startswith("t10k-images")
            if faulty and server.fault == "silent":
                self.wfile.write(body[:100])
                server.release.wait(10)
            elif faulty and server.fault == "cut off":
                self.wfile.write(body[:-100])
            elif faulty and server.fault == "damaged":
                self.wfile.write(body[:-1] + bytes([body[-1] ^ 1]))
            else:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.fault, server.asked, server.release = None, [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    from torchvision.datasets import MNIST

    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in CONTENT.items()]
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_missing_dataset_is_downloaded_with_progress(mirror, tmp_path):
    seen = []
    dataset = load_dataset("mnist", tmp_path / "data", progress=lambda done, total: seen.append((done, total)))
    assert dataset.train.shape == (30, 1, 28, 28) and dataset.test_labels.tolist() == list(range(10))
    assert (len(CONTENT["train-images-idx3-ubyte.gz"]),) * 2 in seen
    assert is_present("mnist", tmp_path / "data")
    mirror.asked.clear()
    again = load_dataset("mnist", tmp_path / "data")
    assert mirror.asked == [] and torch.equal(again.train, dataset.train)


@pytest.mark.parametrize("fault", ["missing", "cut off", "damaged", "silent"])
def test_a_failed_download_is_one_sentence_and_leaves_nothing_half_written(mirror, tmp_path, fault):
    mirror.fault = fault
    with pytest.raises(DataError) as caught:
        load_dataset("mnist", tmp_path, timeout=0.3)
    message = str(caught.value)
    assert message.startswith("MNIST could not be downloaded: ") and "\n" not in message
    whole = {name.removesuffix(".gz"): gzip.decompress(content) for name, content in CONTENT.items()}
    for name in files(tmp_path):
        assert next(tmp_path.rglob(name)).read_bytes() == whole[name]
    assert "t10k-images-idx3-ubyte" not in files(tmp_path) and not is_present("mnist", tmp_path)
    mirror.fault = None
    assert len(load_dataset("mnist", tmp_path).train) == 30


def test_two_who_need_a_dataset_at_once_fetch_it_once(mirror, tmp_path):
    mirror.fault, told = "silent", []  # the first one gets no further than the third file
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(load_dataset, "mnist", tmp_path)
        while "t10k-images-idx3-ubyte.gz" not in mirror.asked:
            time.sleep(0.01)
        second = pool.submit(load_dataset, "mnist", tmp_path, progress=lambda *told_of: told.append(told_of))
        while not told:
            time.sleep(0.01)
        mirror.fault = None
        mirror.release.set()  # the file is cut off then, so that the first one fails
        with pytest.raises(DataError, match="arrived damaged or cut off"):
            first.result(10)
        assert len(second.result(10).train) == 30 and told[0] == (0, 0)
    assert sorted(mirror.asked) == sorted([*CONTENT, "t10k-images-idx3-ubyte.gz"])


def test_a_missing_dataset_without_download_is_refused(tmp_path):
    with pytest.raises(DataError, match="KMNIST is not in"):
        load_dataset("kmnist", tmp_path, download=False)


def test_a_damaged_dataset_is_named(mirror, tmp_path):
    load_dataset("mnist", tmp_path)
    path = next(tmp_path.rglob("train-images-idx3-ubyte"))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"MNIST in .* is damaged"):
        load_dataset("mnist", tmp_path)


def test_a_folder_that_cannot_be_written_is_named(mirror, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"MNIST cannot be stored in .*file"):
        load_dataset("mnist", tmp_path / "file")


def test_the_default_is_mnist_else_digits_and_says_why(mirror, tmp_path):
    dataset, why = load_default(tmp_path, download=False)
    assert dataset.name == "digits" and why == "scikit-learn's digits, because MNIST is not on this server."
    mirror.fault = "missing"
    dataset, why = load_default(tmp_path)
    assert dataset.name == "digits" and "because MNIST could not be had: MNIST could not be downloaded" in why
    mirror.fault = None
    dataset, why = load_default(tmp_path)
    assert dataset.name == "mnist" and why == "MNIST, downloaded just now."
    dataset, why = load_default(tmp_path)
    assert dataset.name == "mnist" and why == "MNIST, found on this server."


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
    other = dataclasses.replace(few, train=few.train[:50], test=few.test[:10])
    assert len(other.train_on(cpu)) == 50 and len(other.held_out_on(cpu, "grey")) == 10
    torch.testing.assert_close(few.mean_image(), few.train.double().mean(0).float() / 255)
