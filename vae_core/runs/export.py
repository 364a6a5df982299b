"""Exports for other programs: a run's metrics as CSV and TensorBoard events, its folder as a zip; pictures as a GIF."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image
from tensorboardX import SummaryWriter
from torch import Tensor

from .folder import RunFolder

PLAIN = ("step", "epoch", "images_seen", "seconds", "images_per_second")
TERMS = ("elbo", "reconstruction", "kl")
RECORDED = ("learning_rate", "beta", "samples", "sigma")


def as_csv(records: list[dict[str, Any]]) -> str:
    """One line per record; nats per image, log-probabilities and the ELBO as in the books. Empty if not evaluated."""
    dims = len(records[0]["kl_per_dim"]) if records else 0
    titles = [f"{part}_{term}" for part in ("train", "test") for term in TERMS]
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([*PLAIN, *titles, "active_units", *RECORDED, "precision", *(f"kl_{j}" for j in range(dims))])
    for record in records:
        terms = [record[part] and record[part][term] for part in ("train", "test") for term in TERMS]
        plain, settings = ([record.get(name) for name in names] for names in (PLAIN, RECORDED))
        lines.writerow(
            [*plain, *terms, record["active_units"], *settings, record.get("precision"), *record["kl_per_dim"]]
        )
    return text.getvalue()


def as_tensorboard(records: list[dict[str, Any]], folder: Path) -> None:
    """Writes an event file into a folder: train/elbo, test/kl, kl/3, active_units, beta, …, against the step.

    An event's wall time is the seconds of training at its record, so that TensorBoard's "relative" axis is right.
    """
    with SummaryWriter(str(folder), write_to_disk=True) as writer:
        for record in records:
            values = {
                f"{part}/{term}": record[part][term] for part in ("train", "test") if record[part] for term in TERMS
            }
            values |= {name: record[name] for name in ("active_units", *RECORDED) if record.get(name) is not None}
            values |= {f"kl/{j}": kl for j, kl in enumerate(record["kl_per_dim"])}
            for tag, value in values.items():
                writer.add_scalar(tag, value, record["step"], walltime=record["seconds"])


def as_zip(folder: RunFolder | Path, file: BinaryIO) -> None:
    """Writes the files of a folder into a zip, without the lock, half-written files and a run's owner.

    Anyone who knows the owner can control and delete all of that browser's runs, and a zip gets passed on.
    """
    root = folder.path if isinstance(folder, RunFolder) else folder
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path == root / "config.json":
                archive.writestr(path.name, json.dumps(json.loads(path.read_bytes()) | {"owner": ""}, indent=1))
            elif path.is_file() and path.name != "lock" and not path.name.startswith("."):
                archive.write(path, path.relative_to(root))


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
