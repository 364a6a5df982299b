"""Files of named tensors (safetensors): read whole, and then no longer open.

They are never mapped into memory. Not every file system can do that; a mapped file cannot be replaced on every system;
and if somebody shortened one in place, the next look at its tensors would end the process.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from .plain_json import MOST_BYTES, parse_json

DTYPES = ("U8", "F16", "BF16", "F32", "F64")  # those that this app writes
POINTER = b"version "  # how the text begins that git-lfs leaves in place of a file


def read_tensors(path: str | Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata of a file, and its tensors on the CPU.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or of another kind; the message says what it is.
    """
    with open(path, "rb") as file:
        metadata = metadata_of(file, _size(file))
        file.seek(0)
        try:
            return metadata, load(file.read())
        except SafetensorError as error:
            raise ValueError("it is damaged, or of another kind") from error


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a file, without its tensors.

    Raises:
        OSError: the file cannot be read.
        ValueError: as `read_tensors`.
    """
    with open(path, "rb") as file:
        return metadata_of(file, _size(file))


def metadata_of(file: BinaryIO, size: int) -> dict[str, str]:
    """The metadata of a file of so many bytes that is read from its beginning.

    The format: the header's length as eight bytes, little-endian; the header, JSON; the tensors. The header has, by
    name, each tensor's dtype, its shape, and where in the rest of the file it begins and ends.

    Raises:
        OSError, ValueError: as `read_tensors`.
    """
    first = file.read(8)
    if first == POINTER:
        raise ValueError("it is the pointer that git-lfs leaves in place of a file; `git lfs pull` fetches the file")
    length = int.from_bytes(first, "little")
    if MOST_BYTES < length < size:
        raise ValueError(f"its header is larger than {MOST_BYTES:,} bytes")
    try:
        header: dict[str, Any] = parse_json(file.read(min(length, size)))
        metadata: dict[str, str] = header.pop("__metadata__", {})
        end = 8 + length + max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        foreign = [tensor["dtype"] for tensor in header.values() if tensor["dtype"] not in DTYPES]
        whole = end == size and all(isinstance(text, str) for text in metadata.values())
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise ValueError("it is damaged, or of another kind") from error
    if not whole:
        raise ValueError("it is damaged, or of another kind")
    if foreign:
        raise ValueError(f"it holds numbers of the type {foreign[0]}, and may hold those of {', '.join(DTYPES)}")
    return metadata


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
