"""What the Runs tab's sweep would start and how long that takes, and its start."""

from __future__ import annotations

from typing import Any

from vae_core.data import DataError
from vae_core.runs.folder import RunError
from vae_core.runs.sweep import Sweep

from .backend import Backend
from .labels import data_title
from .presets import IMAGES
from .tabs.form import Asked, as_on_page, configured
from .web.requests import field
from .web.session import Session


def plan(backend: Backend, settings: dict[str, Any], request: Any) -> dict[str, Any]:
    """What a sweep would start.

    Args:
        settings: of the Train tab's form, which do not vary.
        request: {asked, vary, values, seeds}; asked: the number of the question, values: as they were typed.

    Returns:
        asked; runs: how many; values: as they were understood; seconds: of training if they train one after another;
        rest: what does not vary, in words. Or asked and error, one sentence.
    """
    try:
        sweep, asked = _read(backend, settings, request)
        configs = sweep.configs(asked.model, asked.training)
        for config in configs:
            backend.runs.limits.check(*config, asked.images or 0)
        largest = max((model for model, _ in configs), key=lambda model: model.latent_dim)
        each = backend.durations.of(largest, asked.training, asked.images or IMAGES)
    except (ValueError, RunError, DataError) as error:
        return {"asked": _number(request), "error": as_on_page(str(error))}
    epochs = f"{asked.training.epochs} epoch{'' if asked.training.epochs == 1 else 's'}"
    return {
        "asked": _number(request),
        "runs": sweep.runs,
        "values": list(sweep.values),
        "seconds": each * sweep.runs,
        "rest": f"{data_title(asked.data)}, {asked.model.architecture}, {epochs}",
    }


def start(backend: Backend, session: Session, settings: dict[str, Any], request: Any) -> dict[str, Any]:
    """Starts all runs of a sweep, or none; takes what `plan` takes.

    Returns:
        asked; started: the ids of the runs. Or asked and error, one sentence.
    """
    try:
        sweep, asked = _read(backend, settings, request)
        configs = sweep.configs(asked.model, asked.training)
        load = backend.loading(asked.data)
        runs = backend.runs.start_sweep(
            configs, asked.data, load, session["browser"], hold_out=asked.hold_out, images=asked.images
        )
    except (ValueError, RunError, DataError) as error:
        return {"asked": _number(request), "error": as_on_page(str(error))}
    return {"asked": _number(request), "started": runs}


def _read(backend: Backend, settings: dict[str, Any], request: Any) -> tuple[Sweep, Asked]:
    """The sweep that is asked for, and what does not vary."""
    sweep = Sweep.read(*(field(request, name) for name in ("vary", "values", "seeds")))
    return sweep, configured(backend, settings)


def _number(request: Any) -> Any:
    """The number of the question; null if it has none."""
    return request.get("asked") if isinstance(request, dict) else None
