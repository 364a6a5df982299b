"""A small dataset in MNIST's format: its files, and a mirror that serves them."""

import gzip
import hashlib
import http.server
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

TYPES = {torch.uint8: 8, torch.int32: 12, torch.float32: 13}


def idx(array: torch.Tensor) -> bytes:
    """A tensor in the format of MNIST's files."""
    header = struct.pack(f">HBB{array.ndim}I", 0, TYPES[array.dtype], array.ndim, *array.shape)
    return header + array.numpy().astype(array.numpy().dtype.newbyteorder(">")).tobytes()


def grey(count: int, side: int = 28, seed: int = 0) -> torch.Tensor:
    """Images of random grey values: (count, side, side) uint8."""
    return torch.randint(0, 256, (count, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def labels(count: int, kinds: int = 10) -> torch.Tensor:
    """So many labels, each kind in turn: (count,) uint8."""
    return (torch.arange(count) % kinds).to(torch.uint8)


CONTENT = {
    "train-images-idx3-ubyte": idx(grey(30)),
    "train-labels-idx1-ubyte": idx(labels(30)),
    "t10k-images-idx3-ubyte": idx(grey(10, seed=1)),
    "t10k-labels-idx1-ubyte": idx(labels(10)),
}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}


def put(data_dir: Path, content: dict[str, bytes], kind: str = "MNIST") -> Path:
    """Writes files where torchvision has those of a dataset, and returns their folder."""
    folder = data_dir / kind / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


class Mirror(http.server.ThreadingHTTPServer):
    """A mirror on this machine.

    fault: what goes wrong with the test images, or with everything if it is missing or mute. asked: what was asked for.
    release: set where a silent mirror is to go on.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault: str | None = None
        self.asked: list[str] = []
        self.release = threading.Event()

    @property
    def resources(self) -> list[tuple[str, str]]:
        return [(name, hashlib.md5(content).hexdigest()) for name, content in PACKED.items()]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mirror = self.server
        name = self.path.strip("/")
        mirror.asked.append(name)
        if mirror.fault == "missing":
            return self.send_error(404)
        if mirror.fault == "mute":
            mirror.release.wait(60)
            return None
        body = PACKED[name]
        self.send_response(200)
        self.send_header("Content-Length", "?" if mirror.fault == "of no length" else str(len(body)))
        self.end_headers()
        self.wfile.write(self._with_fault(body) if name.startswith("t10k-images") else body)

    def _with_fault(self, body: bytes) -> bytes:
        mirror = self.server
        if mirror.fault == "silent":
            self.wfile.write(body[:100])
            mirror.release.wait(60)
            return b""
        if mirror.fault == "cut off":
            return body[:-100]
        return body[:-1] + bytes([body[-1] ^ 1]) if mirror.fault == "damaged" else body

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Mirror]:
    """A mirror for as long as the block lasts."""
    mirror = Mirror()
    threading.Thread(target=mirror.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield mirror
    finally:
        mirror.release.set()
        mirror.shutdown()
        mirror.server_close()
