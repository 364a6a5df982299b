"""The file of figures, and the table in which they are held against the targets."""

from __future__ import annotations

import datetime
import json
import re
import sys
from pathlib import Path

import torch

from vae_core.device import describe_processor

from .measure import Bench, Row

RESULTS = Path(__file__).parents[1] / "results"


def targets(found: dict[str, list[Row]]) -> list[tuple[str, str, str, bool]]:
    """What is asked of an H100: what, target, figure, whether it holds; of what was measured, and of what failed."""
    lines = [(part, "runs", row["error"], False) for part, rows in found.items() for row in rows if "error" in row]
    found = {part: [row for row in rows if "error" not in row] for part, rows in found.items()}

    def of(part: str, **which: object) -> list[Row]:
        return [row for row in found.get(part, []) if all(row.get(key) == value for key, value in which.items())]

    def line(what: str, target: str, figure: str, holds: bool) -> None:
        lines.append((what, target, figure, bool(holds)))

    for size, most in ((128, 0.06), (1024, 0.012)):
        for row in of("speed", architecture="mlp", batch=size):
            name, seconds = min(((name, row[name]) for name in ("float32", "tf32") if name in row), key=lambda x: x[1])
            line(f"an epoch, mlp, batches of {size}", f"≤ {most} s", f"{seconds:.4f} s ({name})", seconds <= most)
            if size == 128:
                times = row["textbook"] / seconds
                line("the textbook's loop takes", "≥ 50 times as long", f"{times:.0f} times", times >= 50)
    for row in of("many", model="mlp", trainings=16):
        rate = row["steps_a_second"]
        line("16 trainings at once", "≥ 20,000 steps/s", f"{rate:,.0f} steps/s", rate >= 20_000 and not row["failed"])
    for row in found.get("first", [])[:1]:
        line("first visitor's first record", "≤ 0.3 s", f"{row['seconds']:.3f} s", row["seconds"] <= 0.3)
    if rows := of("many"):
        line(
            "trainings that failed beside others",
            "0",
            str(sum(row["failed"] for row in rows)),
            not any(r["failed"] for r in rows),
        )
    for part in ("resume", "kill"):
        if rows := found.get(part, []):
            off = max(row["off"] for row in rows)
            line(f"{part}: weights off by", "0", f"{off:.1e}", off == 0)
    for row in found.get("evaluate", []):
        line(f"log p(x) of {row['model']} off float64 by", "≤ 0.001 nats", f"{row['off']:.1e}", row["off"] <= 1e-3)
    if rows := [row for row in found.get("cycle", []) if "reserved_mb" in row]:
        grown = rows[-1]["reserved_mb"] - rows[1]["reserved_mb"]
        line("memory from the 8th to the 32nd short training", "+ ≤ 100 MB", f"{grown:+.0f} MB", grown <= 100)
    for row in found.get("recipe", []):
        line(
            "mnist-mlp-20d from end to end",
            "exit status 0",
            f"{row['status']}, {row['seconds']:.0f} s",
            not row["status"],
        )
    return lines


def table(files: list[Path]) -> None:
    """Prints what each file holds against the targets, as Markdown."""
    for file in files:
        report = json.loads(file.read_text(encoding="utf-8"))
        print(f"\n{report['device']}, torch {report['torch']}, {report['date']}\n")
        print("| what | target on an H100 | figure | |\n|---|---|---|---|")
        for what, target, figure, holds in targets(report["parts"]):
            print(f"| {what} | {target} | {figure} | {'holds' if holds else '**does not hold**'} |")


def write(file: Path, bench: Bench, part: str, rows: list[Row]) -> None:
    """Puts a part's figures into the file, beside those of the others."""
    report = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    about = {"device": describe_processor(bench.device), "torch": torch.__version__}
    report |= about | {"date": datetime.date.today().isoformat(), "python": sys.version.split()[0]}
    report["parts"] = report.get("parts", {}) | {part: rows}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def file_of(device: torch.device) -> Path:
    """Where the figures of that device belong."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", describe_processor(device)).strip("-")
    return RESULTS / f"gpu-{name}.json"
