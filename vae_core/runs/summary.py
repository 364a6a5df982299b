"""The entry for a run in a list of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..storage.checkpoint import CheckpointError, read_header
from .config import RunConfig
from .folder import RunFolder
from .states import State, Status


@dataclass(frozen=True)
class Summary:
    """A run's entry in a list. settings: after its changes. elbo: held-out, nats per image, at test_step."""

    run: str
    name: str
    note: str
    is_pinned: bool
    state: State
    message: str
    config: RunConfig
    settings: dict[str, Any]
    changes: int  # made during the run
    step: int
    total_steps: int
    seconds: float
    elbo: float | None
    test_step: int | None
    active_units: int | None
    size: int  # bytes

    @property
    def created(self) -> str:
        """YYYY-MM-DD HH:MM:SS, the server's time."""
        date, clock = self.run.split("-")[:2]
        return f"{date[:4]}-{date[4:6]}-{date[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"


def summarize(run: str, folder: RunFolder, status: Status) -> Summary:
    """The list entry of the run in a folder.

    Args:
        run: its id.
        folder: of the run.
        status: from `Runs.status`.

    Raises:
        RunError: there is no such run, or its folder is damaged.
    """
    config = folder.read_config()
    about, damage = _about(folder)
    test = about.get("test")
    saved_step, saved_seconds = folder.saved()
    return Summary(
        run=run,
        name=folder.name(),
        note=folder.note(),
        is_pinned=folder.is_pinned,
        state=status["state"],
        message=f"{status['message']} {damage}".strip(),
        config=config,
        settings=folder.settings(),
        changes=len(folder.changes()),
        step=max(about.get("step") or 0, saved_step),  # with patience, the model is the best one, from an earlier step
        total_steps=config.total_steps,
        seconds=max(about.get("seconds") or 0.0, saved_seconds),
        elbo=test["elbo"] if test else None,
        test_step=about.get("test_step"),
        active_units=about.get("active_units"),
        size=folder.size(),
    )


def _about(folder: RunFolder) -> tuple[dict[str, Any], str]:
    """What the run's checkpoint says of it, and a sentence if that cannot be read; neither before the first record."""
    if not folder.model_file.exists():
        return {}, ""
    try:
        return read_header(folder.model_file).about, ""
    except CheckpointError as error:
        return {}, str(error)
