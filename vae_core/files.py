"""Files that are written whole or not at all, and text that is printed whatever the system's encoding."""

from __future__ import annotations

import io
import os
import sys
import uuid
from pathlib import Path


def write_atomically(path: str | Path, content: bytes) -> None:
    """Writes a file under a temporary name, syncs it to disk and renames it, so there is never half a file.

    Raises:
        OSError: the file cannot be written; an existing one is left unchanged.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        partial.unlink(missing_ok=True)


def print_in_any_locale() -> None:
    """Makes everything printable: in UTF-8 to files and other programs, and on a terminal ? for what it cannot show.

    The system's encoding may lack −, σ and p̂, and a print of them would end the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
