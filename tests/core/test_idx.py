"""Files in the IDX format: read as they were written, and refused in a sentence."""

import gzip
import re
import struct

import pytest
import torch

from vae_core.idx import find_idx, read_idx

from ..mnist import grey, idx, labels

IMAGES = idx(grey(30))
NAME = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    "path",
    [
        "raw/train-images-idx3-ubyte",
        "raw/train-images-idx3-ubyte.gz",
        "raw/train-images.idx3-ubyte",
        "raw/train-images.idx3-ubyte.gz",
        "raw/train-images-idx3-ubyte/train-images.idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "train-images.idx3-ubyte",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_found_and_read_as_people_have_it(tmp_path, path, pack):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(pack(IMAGES))
    found = find_idx(tmp_path / "raw", NAME)
    assert found == tmp_path / path
    assert torch.equal(read_idx(found, (28, 28)), grey(30))
    assert find_idx(tmp_path / "raw", "t10k-images-idx3-ubyte") is None


def test_labels_are_read(tmp_path):
    (tmp_path / "labels").write_bytes(idx(labels(70, kinds=62)))
    assert torch.equal(read_idx(tmp_path / "labels", ()), labels(70, kinds=62))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (idx(grey(30).float()), "holds float32 of 30×28×28; uint8 of N×28×28 is wanted"),
        (idx(grey(30).int()), "holds int32 of 30×28×28; uint8 of N×28×28 is wanted"),
        (idx(grey(30, side=32)), "holds uint8 of 30×32×32; uint8 of N×28×28 is wanted"),
        (idx(labels(30)), "holds uint8 of 30; uint8 of N×28×28 is wanted"),
        (idx(grey(0)), "holds uint8 of 0×28×28; uint8 of N×28×28 is wanted"),
        (idx(torch.tensor(7, dtype=torch.uint8)), "holds uint8 of one number; uint8 of N×28×28 is wanted"),
        (
            b"<!DOCTYPE html>\n<title>404</title>",
            r"begins with '<!DOCTYPE html>\n'; a file in the IDX format",
        ),
        (b"version https://git-lfs", "begins with 'version https://'; a file in the IDX format is wanted"),
        (b"\x89PNG\r\n", r"begins with '\x89PNG\r\n'; a file in the IDX format is wanted"),
        (struct.pack(">HBB", 0, 10, 3) + IMAGES[4:], "begins with"),  # a type that nobody has
        (b"", "is empty; a file in the IDX format is wanted"),
        (IMAGES[:10], "has 10 bytes; its header alone has 16"),
        (IMAGES[:1000], "has 1,000 bytes; 23,536 are wanted for 30×28×28"),
        (IMAGES + b"more", "has 23,540 bytes; 23,536 are wanted for 30×28×28"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 28, 28), "has 16 bytes; 3,367,254,359,296 are wanted"),
        (gzip.compress(IMAGES)[:5000], "cannot be unpacked: it is cut off or damaged"),
        (gzip.compress(IMAGES)[:-4] + b"none", "cannot be unpacked: it is cut off or damaged"),
        (b"\x1f\x8b and no more than that", "cannot be unpacked: it is cut off or damaged"),
        (gzip.compress(b"<html>"), "begins with '<html>'"),
    ],
)
def test_what_is_no_such_file_is_refused_in_a_sentence(tmp_path, content, sentence):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ValueError, match="^" + re.escape(f"{NAME} {sentence}")) as caught:
        read_idx(tmp_path / NAME, (28, 28))
    assert "\n" not in str(caught.value)
