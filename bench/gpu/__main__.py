"""What only a GPU can show, measured and checked; figures go into one JSON file, and targets are held against them.

    python -m bench.gpu PART ... --data-dir D --json FILE [--device cuda] [--short]
    python -m bench.gpu table [FILE ...]

Parts, each tried even where one before it has failed:
first (time to the first record), many (trainings at once), step (a step taken apart), resume (exactness), kill (a run
killed with -9 and resumed), speed (an epoch, beside the textbook's loop), evaluate (speed and arithmetic of log p(x)),
batch (the largest batches, and memory that runs out beside a running training), cycle (memory over many starts),
recipe (one of checkpoints/ from end to end). `bench/gpu.sh` runs all of them. `table` prints what FILEs hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

from vae_core import Dataset, load_dataset
from vae_core.device import pick_device
from vae_core.training.recording import Recordings

from .exactness import evaluate, kill, recipe, resume
from .measure import Bench
from .report import RESULTS, file_of, table, write
from .steps import batch, speed, step
from .trainings import cycle, first, many

SHORT = 3000  # images of a run that only shows that this file works


PARTS = (first, many, step, resume, kill, speed, evaluate, batch, cycle, recipe)


def main() -> None:
    """Measures the parts that are named, one after another."""
    if sys.argv[1:2] == ["table"]:
        table([Path(name) for name in sys.argv[2:]] or sorted(RESULTS.glob("gpu-*.json")))
        return
    names = [part.__name__ for part in PARTS]
    parser = argparse.ArgumentParser("python -m bench.gpu")
    parser.add_argument("part", nargs="+", choices=names)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, help="default: bench/results/gpu-<device name>.json")
    parser.add_argument("--rounds", type=int, default=2, help="of speed")
    parser.add_argument("--short", action="store_true", help="a moment of each, to see that this file itself works")
    options = parser.parse_args()
    device = pick_device(options.device)
    dataset = load_dataset("mnist", options.data_dir, download=False)
    if options.short:
        few = dataset.train[:SHORT], dataset.train_labels[:SHORT], dataset.test[:SHORT], dataset.test_labels[:SHORT]
        dataset = Dataset(dataset.name, *few)
    bench = Bench(dataset, options, device)
    file = options.json or file_of(device)
    has_failed = False
    for name in options.part:
        start = time.perf_counter()
        try:
            rows = PARTS[names.index(name)](bench)
        except Exception as error:
            traceback.print_exc()
            rows = [{"error": repr(error)[:300]}]
            has_failed = True
        for row in rows:
            print(name, json.dumps(row, ensure_ascii=False), flush=True)
        print(
            f"{name} took {time.perf_counter() - start:.0f} s; recordings: {Recordings.refusal or 'fine'}", flush=True
        )
        write(file, bench, name, rows)
    sys.exit(has_failed)


if __name__ == "__main__":
    main()
