"""Downloads the files of a dataset, each checked against its MD5 before it gets its name."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from .files import write_atomically
from .idx import find_idx

Progress = Callable[[int, int], None]  # bytes so far, bytes in total (0 if unknown)


class DownloadError(RuntimeError):
    """No mirror delivered a file; one sentence that names the file and the fault."""


def download(
    resources: Iterable[tuple[str, str]], mirrors: Iterable[str], folder: Path, progress: Progress, timeout: float
) -> None:
    """Downloads what is missing in a folder, and unpacks it.

    torchvision's own download has no time limit and leaves a truncated file behind, so only its list of files is used.
    A caller that comes during another's download, here or in another process, waits for those files.

    Args:
        resources: the names of gzipped files, with their MD5 sums.
        mirrors: the addresses that the names are appended to.
        folder: where the files go.
        progress: called for each mirror, after each piece that arrives, and twice a second while another caller
            downloads; if it raises, the download ends with its error.
        timeout: seconds that a mirror may be silent.

    Raises:
        DownloadError: no mirror delivers one of the files. No partial file is left behind.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / ".lock", progress):
        for filename, md5 in resources:
            name = filename.removesuffix(".gz")
            if find_idx(folder, name) is None:
                content = _fetch(mirrors, filename, md5, progress, timeout)
                write_atomically(folder / name, gzip.decompress(content))


def _alone(path: Path, progress: Progress) -> AcquireReturnProxy:
    """Acquires that file's lock, waiting for whoever holds it; progress gets (0, 0) meanwhile."""
    lock = FileLock(path, thread_local=False)
    while True:
        try:
            return lock.acquire(timeout=0.5)
        except Timeout:
            progress(0, 0)


def _fetch(mirrors: Iterable[str], filename: str, md5: str, progress: Progress, timeout: float) -> bytes:
    """Downloads the file from the first mirror that delivers it intact."""
    fault = "no mirror is known"
    for mirror in mirrors:
        progress(0, 0)
        try:
            with urllib.request.urlopen(mirror + filename, timeout=timeout) as response:
                content = _read(response, progress)
        except (http.client.HTTPException, OSError) as error:  # URLError and TimeoutError are OSErrors
            fault = f"{getattr(error, 'reason', error)}"
            continue
        if hashlib.md5(content).hexdigest() == md5:
            return content
        fault = "it arrived damaged or cut off"
    raise DownloadError(f"{filename}: {fault}")


def _read(response: http.client.HTTPResponse, progress: Progress) -> bytes:
    """Reads the response's body, and reports each piece as it arrives."""
    total = response.length or 0
    pieces = []
    done = 0
    while piece := response.read1(1 << 16):
        pieces.append(piece)
        done += len(piece)
        progress(done, total)
    return b"".join(pieces)
