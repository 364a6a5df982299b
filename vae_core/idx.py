"""Files in the IDX format, as MNIST's are: found under the names that people have them by, read and checked."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}


def find_idx(folder: Path, name: str) -> Path | None:
    """The file of that name, such as train-images-idx3-ubyte, as people have it; None if it is missing.

    It may be gzipped and end in .gz, and have a dot before idx, as on Kaggle. It may also lie in a folder of its own
    name, as Kaggle's archive has it, or in the folder above: in MNIST rather than MNIST/raw.
    """
    names = [spelled + ending for spelled in (name, name.replace("-idx", ".idx")) for ending in ("", ".gz")]
    paths = [place / each for place in (folder, folder / name, folder.parent) for each in names]
    return next((path for path in paths if path.is_file()), None)


def read_idx(path: Path, item: tuple[int, ...]) -> Tensor:
    """Reads a file of bytes, gzipped or not, whatever its name says.

    Args:
        path: the file.
        item: the shape of each of its items: (28, 28) for images, () for labels.

    Returns:
        (N, *item) uint8, N ≥ 1.

    Raises:
        ValueError: it holds something else, or is cut off; the sentence names it, what it holds and what is wanted.
        OSError: it cannot be read.
    """
    content = _unpacked(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        begins = f"begins with {str(bytes(content[:16]))[1:]}" if content else "is empty"
        raise ValueError(f"{path.name} {begins}; a file in the IDX format is wanted")
    dims = content[3]
    start = 4 + 4 * dims
    if len(content) < start:
        raise ValueError(f"{path.name} has {len(content)} bytes; its header alone has {start}")
    shape = struct.unpack_from(f">{dims}I", content, 4)
    check_array(path.name, TYPES[content[2]], shape, "uint8", item)
    size = start + math.prod(shape)
    if len(content) != size:
        raise ValueError(f"{path.name} has {len(content):,} bytes; {size:,} are wanted for {_sides(shape)}")
    return torch.frombuffer(content, dtype=torch.uint8, offset=start).reshape(shape)


def check_array(name: str, kind: str, shape: tuple[int, ...], wanted: str, item: tuple[int, ...]) -> None:
    """Raises ValueError unless an array has the wanted type and holds at least one item of that shape."""
    if kind != wanted or len(shape) != 1 + len(item) or shape[0] == 0 or shape[1:] != item:
        sides = _sides(("N", *item))
        raise ValueError(f"{name} holds {kind} of {_sides(shape) or 'one number'}; {wanted} of {sides} is wanted")


def _sides(shape: tuple[int | str, ...]) -> str:
    return "×".join(map(str, shape))


def _unpacked(path: Path) -> bytearray:
    """The file's content, which torch wants to be writable."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path.name} cannot be unpacked: it is cut off or damaged") from error
    return bytearray(content)
