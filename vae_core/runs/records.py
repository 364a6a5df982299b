"""The records of a training run, read as they are written, and thinned to what a chart can show."""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..config import MOST_DIMS, MOST_SECONDS, MOST_STEPS
from ..storage.about import TERMS
from ..storage.plain_json import is_number

LOSSES = tuple(f"{part}_{name}" for part in ("train", "test") for name in TERMS)
NUMBERS = ("epoch", "images_seen", "seconds", "images_per_second", "learning_rate", "beta", "samples")
WATCHED = ("elbo", "log_px", "exact")
COLUMNS = ("step", "seconds", *LOSSES, "active_units", *(f"watched_{name}" for name in WATCHED))
ROWS = 2000  # for a chart; about what its width can show
HISTORY = 512  # most rows of KL per dimension that are kept


class Records:
    """The records of one metrics.jsonl, as columns of 96 bytes per record; each read continues where the last ended.

    Losses are −ELBO, −reconstruction and KL, in nats per image; NaN if the held-out set was not evaluated. Those of
    the watched images are −ELBO and −log p(x), estimated and exact; NaN where they were not looked at.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        """Starts over, because the file was replaced."""
        self._offset = 0
        self._last_line = b""
        self._count = 0
        self._table = np.empty((256, len(COLUMNS)))
        self.last: dict[str, Any] | None = None
        self.stride = 1
        self.history_steps: list[int] = []
        self.history: list[list[float]] = []

    def __len__(self) -> int:
        return self._count

    def read(self) -> Records:
        """Reads what is new; a last line that is still being written is left for later.

        Raises:
            ValueError: a complete line is not a record.
        """
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    file.seek(self._offset - len(self._last_line))
                    if file.read(len(self._last_line)) != self._last_line:
                        self._forget()
                        file.seek(0)
                    whole, newline, _ = file.read().rpartition(b"\n")
            except FileNotFoundError:
                self._forget()
                return self
            lines = whole.splitlines()
            dims = len(self.last["kl_per_dim"]) if self.last else None
            for record in list(_parsed_each(lines, dims)):  # all or none
                self._append(record)
            if lines:
                self._offset = self._offset + len(whole) + len(newline)
                self._last_line = lines[-1] + newline
        return self

    @staticmethod
    def each(path: Path) -> Iterator[dict[str, Any]]:
        """Yields the records of a file as they were written, one by one; an incomplete last line is left out.

        Raises:
            ValueError: another line is not a record.
        """
        try:
            with path.open("rb") as file:
                yield from _parsed_each(itertools.takewhile(lambda line: line.endswith(b"\n"), file))
        except FileNotFoundError:
            return

    def mark(self, count: int) -> str:
        """Tells record number `count` from any earlier one with that number; empty if there is none.

        A run that goes back to its last state writes later records again, with different times.
        """
        with self._lock:
            return " ".join(map(repr, self._table[count - 1, :2].tolist())) if 0 < count <= self._count else ""

    def rows(self, first: int = 0, last: int | None = None, most: int = ROWS) -> dict[str, list[float | None]]:
        """The columns of records [first, last), thinned to about `most` rows that keep the extremes of every column."""
        with self._lock:
            table = self._table[first : self._count if last is None else min(last, self._count)]
        table = table[thinned(table[:, 2:], most)]  # new records only come after these, or in another table
        digits = {"step": 0, "seconds": 3, "active_units": 0}
        return {name: _listed(table[:, i], digits.get(name, 3)) for i, name in enumerate(COLUMNS)}

    def between(self, low: float, high: float) -> dict[str, list[float | None]]:
        """The columns of the records with steps in [low, high], thinned as in `rows`."""
        with self._lock:
            steps = self._table[: self._count, 0]
        return self.rows(int(np.searchsorted(steps, low)), int(np.searchsorted(steps, high, "right")))

    def kept_history(self, stride: int, have: int) -> tuple[int, int, list[int], list[list[float]]]:
        """KL per dimension of every stride-th record: stride, the first row returned, steps, nats.

        Args:
            stride, have: stride and number of the rows known already; if the stride has changed, all are returned.
        """
        with self._lock:
            first = have if stride == self.stride and have <= len(self.history) else 0
            return self.stride, first, self.history_steps[first:], self.history[first:]

    def _append(self, record: dict[str, Any]) -> None:
        if self._count == len(self._table):
            self._table = np.concatenate([self._table, np.empty_like(self._table)])
        self._table[self._count] = _row(record)
        if self._count % self.stride == 0:
            self.history_steps.append(record["step"])
            self.history.append([round(kl, 4) for kl in record["kl_per_dim"]])
            if len(self.history) > HISTORY:
                self.stride *= 2
                self.history_steps, self.history = self.history_steps[::2], self.history[::2]
        self._count += 1
        self.last = record


def _parsed_each(lines: Iterable[bytes], dims: int | None = None) -> Iterator[dict[str, Any]]:
    """Parses lines of metrics.jsonl, all of the same number of latent dimensions.

    Raises:
        ValueError: a line is not a record.
    """
    for line in lines:
        try:
            record = json.loads(line)
            dims = len(record["kl_per_dim"]) if dims is None else dims
            usable = _is_record(record, dims)
        except (ValueError, LookupError, TypeError, RecursionError):
            usable = False
        if not usable:
            raise ValueError("The run's metrics.jsonl is damaged: one of its lines is not a record.")
        yield record


def _is_record(record: dict[str, Any], dims: int) -> bool:
    """Whether a record's numbers are finite and within bounds.

    Those of an evaluation may be infinite or NaN: it takes images that the training has not seen.
    """
    test = record["test"]
    units = record["active_units"]
    sigma = record.get("sigma")  # runs of the first version have none
    numbers = [record[name] for name in NUMBERS] + [record["train"][term] for term in TERMS] + record["kl_per_dim"]
    numbers += [] if sigma is None else [sigma]
    watched = record.get("watched")  # earlier runs have none
    evaluated = ([test[term] for term in TERMS] if test else []) + ([] if units is None else [units])
    evaluated += [watched[name] for name in WATCHED if name != "exact" or watched[name] is not None] if watched else []
    return (
        type(record["step"]) is int
        and 0 < record["step"] <= MOST_STEPS
        and all(map(is_number, numbers))
        and 0 <= record["seconds"] <= MOST_SECONDS
        and all(type(figure) is float or is_number(figure) for figure in evaluated)
        and 0 < len(record["kl_per_dim"]) == dims <= MOST_DIMS
    )


def _row(record: dict[str, Any]) -> list[float]:
    """The columns of one record."""
    losses = [
        (1 if name == "kl" else -1) * record[part][name] if part == "train" or record[part] else math.nan
        for part in ("train", "test")
        for name in TERMS
    ]
    units = record["active_units"]
    watched = record.get("watched") or {}
    watched_losses = [math.nan if watched.get(name) is None else -watched[name] for name in WATCHED]
    return [record["step"], record["seconds"], *losses, math.nan if units is None else units, *watched_losses]


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Indices of about `most` rows of (N, C): the first, the last and, per bucket, every column's extremes."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    values = values[:, ~np.isnan(values).all(0)]  # a column without values takes no room of the others
    kept = [0, count - 1]
    buckets = np.array_split(np.arange(count), max(1, (most - 2) // max(1, 2 * values.shape[1])))
    for bucket in buckets:
        part = values[bucket]
        for column in part.T:
            present = np.flatnonzero(~np.isnan(column))
            if len(present):
                kept += [bucket[present[column[present].argmin()]], bucket[present[column[present].argmax()]]]
    return np.unique(kept)


def _listed(column: np.ndarray, digits: int) -> list[float | None]:
    """Numbers for JSON, with null for NaN, which JSON does not have."""
    return [None if value != value else round(value, digits or None) for value in column.tolist()]
