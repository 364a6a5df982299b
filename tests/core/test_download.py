"""Downloads from a server of the test's own."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from vae_core import load_dataset
from vae_core.data import DataError, is_present

from ..mnist import CONTENT, PACKED


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_missing_dataset_is_downloaded_with_progress(mirror, tmp_path):
    seen = []
    dataset = load_dataset("mnist", tmp_path / "data", progress=lambda done, total: seen.append((done, total)))
    assert dataset.train.shape == (30, 1, 28, 28) and dataset.test_labels.tolist() == list(range(10))
    assert (len(PACKED["train-images-idx3-ubyte.gz"]),) * 2 in seen
    assert is_present("mnist", tmp_path / "data") and files(tmp_path) == sorted(CONTENT)
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
    for name in files(tmp_path):
        assert next(tmp_path.rglob(name)).read_bytes() == CONTENT[name]
    assert "t10k-images-idx3-ubyte" not in files(tmp_path) and not is_present("mnist", tmp_path)
    mirror.fault = None
    assert len(load_dataset("mnist", tmp_path).train) == 30


def test_a_mirror_that_does_not_say_how_much_comes_is_taken(mirror, tmp_path):
    mirror.fault, seen = "of no length", []
    dataset = load_dataset("mnist", tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert len(dataset.train) == 30 and {total for _, total in seen} == {0}


def test_progress_comes_with_every_piece_and_ends_the_download_by_raising(mirror, tmp_path):
    class LeftError(Exception):
        pass

    def progress(done, total):
        if "t10k-images-idx3-ubyte.gz" in mirror.asked and done:
            raise LeftError

    mirror.fault = "silent"  # after 100 bytes of the third file
    with pytest.raises(LeftError):
        load_dataset("mnist", tmp_path, progress=progress)
    mirror.fault = None
    assert len(load_dataset("mnist", tmp_path).train) == 30  # the folder is not locked any more


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
    assert sorted(mirror.asked) == sorted([*PACKED, "t10k-images-idx3-ubyte.gz"])


def test_what_is_there_in_any_form_is_not_downloaded_again(mirror, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(PACKED["train-images-idx3-ubyte.gz"])
    (raw / "train-labels.idx1-ubyte").write_bytes(CONTENT["train-labels-idx1-ubyte"])
    assert len(load_dataset("mnist", tmp_path).train) == 30
    assert mirror.asked == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]


def test_a_folder_that_cannot_be_written_is_said_to_be(mirror, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"^MNIST cannot be stored in the data folder: Not a directory\.$"):
        load_dataset("mnist", tmp_path / "file")
