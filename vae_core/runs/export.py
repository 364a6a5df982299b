"""Exports for other programs, made part by part as they are sent: CSV, TensorBoard events, a run as a zip; GIFs."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import struct
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c
from torch import Tensor

from ..storage.about import TERMS
from ..storage.plain_json import read_json
from .folder import RunFolder
from .records import WATCHED

PLAIN = ("step", "epoch", "images_seen", "seconds", "images_per_second")
RECORDED = ("learning_rate", "beta", "samples", "sigma")
PART = 2**16  # bytes that are read, or written, at a time


def as_csv(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One line per record; nats per image, log-probabilities and the ELBO as in the books. Empty if not evaluated."""
    made = _Made()
    lines = csv.writer(codecs.getwriter("utf-8")(made))
    titles = [f"{part}_{term}" for part in ("train", "test") for term in TERMS]
    titles = [*PLAIN, *titles, "active_units", *RECORDED, "precision", *(f"watched_{name}" for name in WATCHED)]
    first, records = _begun(records)
    lines.writerow([*titles, *(f"kl_{j}" for j in range(len(first["kl_per_dim"]) if first else 0))])
    for record in records:
        terms = [record[part] and record[part][term] for part in ("train", "test") for term in TERMS]
        plain, settings = ([record.get(name) for name in names] for names in (PLAIN, RECORDED))
        watched = [(record.get("watched") or {}).get(name) for name in WATCHED]
        precision = record.get("precision")
        lines.writerow([*plain, *terms, record["active_units"], *settings, precision, *watched, *record["kl_per_dim"]])
        if len(made) >= PART:
            yield made.take()
    yield made.take()


def _begun(records: Iterable[dict[str, Any]]) -> tuple[dict[str, Any] | None, Iterator[dict[str, Any]]]:
    """The first record, if there is one, and all of them: what is wrong at the beginning is said before any byte."""
    rest = iter(records)
    first = next(rest, None)
    return first, itertools.chain([first] if first else [], rest)


def as_tensorboard(run: RunFolder) -> Iterator[bytes]:
    """A zip with a run's records as events, in a folder with the run's name: TensorBoard shows a folder as a run."""
    name = f"{run.name_of_files()}/events.out.tfevents.{run.path.name}"
    return _zipped([(zipfile.ZipInfo(name), events(run.each_record()))])


def events(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A TensorBoard event file: train/elbo, test/kl, kl/3, active_units, beta, …, against the step.

    An event's wall time is the seconds of training at its record, so that TensorBoard's "relative" axis is right.
    """
    _, records = _begun(records)
    yield _framed(Event(wall_time=0.0, file_version="brain.Event:2"))
    for record in records:
        values = {f"{part}/{term}": record[part][term] for part in ("train", "test") if record[part] for term in TERMS}
        values |= {name: record[name] for name in ("active_units", *RECORDED) if record.get(name) is not None}
        watched = record.get("watched") or {}
        values |= {f"watched/{name}": watched[name] for name in WATCHED if watched.get(name) is not None}
        values |= {f"kl/{j}": kl for j, kl in enumerate(record["kl_per_dim"])}
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        yield _framed(Event(wall_time=record["seconds"], step=record["step"], summary=summary))


def _framed(event: Event) -> bytes:
    """An event as such a file holds it: its length and the event, each followed by its checksum."""
    content = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    return b"".join(part + struct.pack("<I", masked_crc32c(part)) for part in (length, content))


def as_zip(run: RunFolder) -> Iterator[bytes]:
    """The files of a run in a folder with its name, without the lock, half-written files and the run's owner.

    Anyone who knows the owner can control and delete all of that browser's runs, and a zip gets passed on.
    """
    return _zipped(_files(run))


def _files(run: RunFolder) -> Iterator[tuple[zipfile.ZipInfo, Iterable[bytes]]]:
    """The files of a run, each open until the next one is asked for."""
    for path in sorted(run.path.rglob("*")):
        if path.name == "lock" or path.name.startswith(".") or not path.is_file():
            continue
        name = f"{run.name_of_files()}/{path.relative_to(run.path).as_posix()}"
        info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
        if path == run.path / "config.json":
            yield info, [json.dumps(read_json(path) | {"owner": ""}, indent=1).encode()]
        else:
            with path.open("rb") as file:
                yield info, iter(partial(file.read, PART), b"")


def _zipped(files: Iterable[tuple[zipfile.ZipInfo, Iterable[bytes]]]) -> Iterator[bytes]:
    """A zip of these files."""
    made = _Made()
    with zipfile.ZipFile(made, "w") as archive:
        for info, content in files:
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as file:
                for part in content:
                    file.write(part)
                    if taken := made.take():
                        yield taken
    yield made.take()


class _Made(io.RawIOBase):
    """A file whose content is taken away as it is written."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: Any) -> int:
        self._content += content
        return len(content)

    def __len__(self) -> int:
        return len(self._content)

    def take(self) -> bytes:
        """What was written since the last call."""
        taken = bytes(self._content)
        self._content.clear()
        return taken


def as_gif(pictures: Tensor, milliseconds: int, scale: int = 8) -> bytes:
    """The pictures one after the other, in an endless loop.

    Args:
        pictures: (N, 28, 28) uint8.
        milliseconds: how long each is shown; a GIF counts in hundredths of a second.
        scale: pixels per side that each pixel becomes.
    """
    frames = [
        Image.fromarray(picture.numpy()).resize((28 * scale,) * 2, Image.Resampling.NEAREST) for picture in pictures
    ]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return content.getvalue()
