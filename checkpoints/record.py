"""Makes a small recording of a run, which the page shows until a visitor trains: python -m checkpoints.record RUN.

It is a run folder without weights: config, status, some of its records and some of its pictures, all evenly over the
logarithm of the steps, so that the beginning, where most happens, has most of them.
"""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from vae_core.files import write_atomically
from vae_core.runs.folder import RunFolder
from vae_core.runs.server import RECORDED
from vae_core.runs.states import State

HERE = Path(__file__).parent / "recorded"
ID = "20000101-000000-0000000000000001"  # as runs are called; of no visitor's time
RECORDS = 400
FRAMES = 26
QUALITY = 70  # of the pictures' JPEG


def record(
    run: RunFolder,
    into: RunFolder,
    *,
    name: str = "recorded",
    records: int = RECORDS,
    frames: int = FRAMES,
    height: int | None = None,
) -> None:
    """Copies what the page shows of a finished run into an empty folder.

    Args:
        name: what the recording is called.
        records, frames: how many of each at most; every record with held-out figures is kept beside them.
        height: pixels at the bottom of a frame that are kept; None: all of it.
    """
    into.create()
    config = run.read_config()
    into.write_config(replace(config, owner=RECORDED, device="cpu"))
    into.write_name(name)
    whole = run.records()
    kept = [whole[i] for i in _spaced(len(whole), records)]
    kept += [record for record in whole if record["test"] and record not in kept]
    lines = "".join(json.dumps(record) + "\n" for record in sorted(kept, key=lambda record: record["step"]))
    write_atomically(into.path / "metrics.jsonl", lines.encode())
    into.frames.mkdir()
    steps = run.frame_steps()
    for i in _spaced(len(steps), frames):
        with Image.open(run.frames / f"{steps[i]}.jpg") as frame:
            file = io.BytesIO()
            shown = frame.crop((0, frame.height - (height or frame.height), frame.width, frame.height))
            shown.save(file, "JPEG", quality=QUALITY, comment=frame.info.get("comment", b""))
        write_atomically(into.frames / f"{steps[i]}.jpg", file.getvalue())
    write_atomically(into.frames / "newest.jpg", file.getvalue())
    into.write_status(State.RUNNING)
    into.write_status(State.FINISHED, run.read_status()["message"])


def _spaced(count: int, most: int) -> list[int]:
    """At most so many places of a list, the first and the last among them, evenly over their logarithm."""
    return sorted({round(float(place)) - 1 for place in np.geomspace(1, count, most)})


def main() -> None:
    """Records the run that is named."""
    parser = argparse.ArgumentParser("python -m checkpoints.record", description="Make a small recording of a run.")
    parser.add_argument("run", type=Path)
    into = RunFolder(HERE / ID)
    record(RunFolder(parser.parse_args().run), into)
    size = sum(file.stat().st_size for file in into.path.rglob("*") if file.is_file())
    print(f"{into.path}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
