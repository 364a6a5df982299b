"""Files of tensors: as the library writes them, whatever the file system can do; and a word for every other file."""

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from vae_core.storage.tensors import read_metadata, read_tensors

from ..conftest import seeded

TENSORS = {
    "a": torch.randn(3, 4, generator=seeded()),
    "b": torch.arange(5, dtype=torch.float64),
    "c": torch.tensor(1.5, dtype=torch.float16),
    "d": torch.empty(0, 7, dtype=torch.bfloat16),
    "e": torch.arange(9, dtype=torch.uint8),
}


def packed(header, rest=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize("metadata", [None, {}, {"step": "3", "ä": "😀\n"}])
def test_a_file_is_read_as_the_library_writes_it(tmp_path, metadata):
    (tmp_path / "a").write_bytes(save(TENSORS, metadata))
    assert read_metadata(tmp_path / "a") == (metadata or {})
    found, tensors = read_tensors(tmp_path / "a")
    assert found == (metadata or {}) and tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype and torch.equal(tensors[name], tensor)


ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
WHOLE = save({"a": torch.zeros(5)}, {"step": "3"})
DAMAGED = {
    "empty": b"",
    "short": b"\x01",
    "cut short": WHOLE[:-1],
    "too long": WHOLE + b"x",
    "another kind": b"PK\x03\x04" + bytes(100),
    "no JSON": packed(b"{"),
    "a list": packed([]),
    "deep": packed(b"[" * 100_000 + b"]" * 100_000),
    "a header longer than the file": struct.pack("<Q", 2**60) + b"{}",
    "no dtype": packed({"a": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "no place": packed({"a": {"shape": [1], "dtype": "F32"}}, bytes(4)),
    "metadata that are no texts": packed({"__metadata__": {"step": 3}, "a": ENTRY}, bytes(4)),
    "metadata that are none": packed({"__metadata__": [], "a": ENTRY}, bytes(4)),
    "a shape of another size": packed({"a": ENTRY | {"shape": [2]}}, bytes(4)),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_said_to_be(tmp_path, kind):
    (tmp_path / "a").write_bytes(DAMAGED[kind])
    with pytest.raises(ValueError, match="it is damaged, or of another kind"):
        read_tensors(tmp_path / "a")
    if kind != "a shape of another size":  # which nobody sees without the tensors
        with pytest.raises(ValueError, match="it is damaged, or of another kind"):
            read_metadata(tmp_path / "a")


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.bool, torch.float8_e4m3fn])
def test_numbers_of_a_foreign_type_are_refused(tmp_path, dtype):
    (tmp_path / "a").write_bytes(save({"a": torch.zeros(4).to(dtype)}))
    for read in (read_tensors, read_metadata):
        with pytest.raises(ValueError, match="it holds numbers of the type"):
            read(tmp_path / "a")


def test_the_pointer_of_git_lfs_is_named(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 2600000\n"
    (tmp_path / "a").write_text(pointer, encoding="utf-8")
    for read in (read_tensors, read_metadata):
        with pytest.raises(ValueError, match="git lfs pull"):
            read(tmp_path / "a")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_a_file_that_was_read_is_neither_mapped_nor_open(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(save({"a": torch.arange(100_000.0)}))
    _, tensors = read_tensors(path)
    assert str(path) not in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert str(path) not in [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    path.write_bytes(b"")  # in place: a look at tensors that were mapped would end this process
    assert torch.equal(tensors["a"], torch.arange(100_000.0))
