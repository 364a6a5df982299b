"""Which runs are deleted to make room for a new one, and what is said if none can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..folder import RunError
from .limits import GB, Limits

KEPT_BACK = "pinned, paused, in training or less than ten minutes old"
REST = 600.0  # seconds without a change after which a run may be deleted to make room


@dataclass(frozen=True)
class Kept:
    """A run that is kept. owner: the browser that started it, empty if none did. size: bytes."""

    run: str
    owner: str
    size: int


def making_room(
    limits: Limits, kept: Sequence[Kept], owner: str, sizes: Sequence[int], may_go: Callable[[str], bool]
) -> list[str]:
    """The runs to delete before new ones are made: no more than have to be, the oldest first.

    A visitor's own runs make room within the visitor's limits, and those of all visitors within the limit of all. Runs
    that no browser started count for the limit of all, and stay.

    Args:
        limits: of what is kept.
        kept: all runs, oldest first.
        owner: the browser that starts the new ones, empty if none does.
        sizes: about how many bytes each of the new ones will take.
        may_go: whether a run may be deleted.

    Raises:
        RunError: no run may be deleted any more, and there is still no room.
    """
    new = sum(sizes)
    mine = [it for it in kept if it.owner == owner] if owner else []
    count = len(mine) + len(sizes)
    taken = sum(it.size for it in mine) + new
    of_all = sum(it.size for it in kept) + new
    if owner and len(sizes) > limits.most_runs:
        raise RunError(f"That makes {_runs(len(sizes))}, and this server keeps at most {limits.max_runs} of a visitor.")
    for most in [limits.most_bytes] * bool(owner) + [limits.most_bytes_of_all]:
        if new > most:
            raise RunError(f"That takes about {_gb(new)}, and this server keeps {_gb(most)}: take a smaller model.")
    gone: list[Kept] = []
    left: Iterator[Kept] = iter(mine)
    while owner and (count > limits.most_runs or taken > limits.most_bytes):
        oldest = next((it for it in left if may_go(it.run)), None)
        if oldest is None:
            raise _full_for_visitor(limits, count, taken)
        gone.append(oldest)
        count -= 1
        taken -= oldest.size
    of_all -= sum(it.size for it in gone)
    left = (it for it in kept if it.owner and it not in gone)
    while of_all > limits.most_bytes_of_all:
        oldest = next((it for it in left if may_go(it.run)), None)
        if oldest is None:
            over = _gb(of_all - limits.most_bytes_of_all)
            raise RunError(
                f"The runs on this server fill the {_gb(limits.most_bytes_of_all)} that it keeps, and they are"
                f" {KEPT_BACK}: delete runs of yours of {over}, or ask whoever runs the server to."
            )
        gone.append(oldest)
        of_all -= oldest.size
    return [it.run for it in gone]


def _full_for_visitor(limits: Limits, count: int, taken: int) -> RunError:
    """The error for a visitor whose runs leave no room.

    Args:
        count, taken: how many runs there would be, and their bytes.
    """
    if count > limits.most_runs:
        return RunError(
            f"This server keeps {_runs(limits.max_runs)} of a visitor, and yours are {KEPT_BACK}: delete"
            f" {_runs(count - limits.max_runs)} of yours, or unpin as many."
        )
    return RunError(
        f"This server keeps {_gb(limits.most_bytes)} of a visitor, and your runs are {KEPT_BACK}: delete runs of yours"
        f" of {_gb(taken - limits.most_bytes)}, or unpin as many."
    )


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def _gb(size: float) -> str:
    """Bytes as GB, or as MB below a tenth of one; rounded up, so that so much is enough."""
    unit, name = (GB / 10, "GB") if size >= GB / 10 else (GB / 1000, "MB")
    tenths = -int(-size // unit)
    return f"{tenths / 10:g} {name}" if name == "GB" else f"{tenths} MB"
