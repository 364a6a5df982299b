"""What a run would be that goes on with another one's weights and the settings of the form, before it is started."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from vae_core.config import VAEConfig
from vae_core.precision import resolve
from vae_core.runs.config import ALL_SETTINGS, RunConfig, beginning_with
from vae_core.runs.folder import NAME_LENGTH, RunError
from vae_core.settings import FaultsError, settings_of
from vae_core.storage.checkpoint import CheckpointError

from ..backend import Backend
from ..labels import data_title, title_of_run
from .form import ASKED, AUTO, LABELS, configured, on_page

ENDING = " continued"
ROOM = len(ENDING) + 6  # characters of a name that are kept free, for a number too


def name_of(backend: Backend, browser: str, run: str) -> str:
    """What a run is called that goes on with that one: by its name, and a number if that is taken."""
    summary = backend.runs.summary(run)
    return backend.runs.free_name(browser, title_of_run(summary)[: NAME_LENGTH - ROOM] + ENDING)


def plan(backend: Backend, browser: str, run: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What would be started.

    Args:
        browser: whose the new run would be.
        run: the old one, of whatever browser.
        settings: of the form, by name.

    Returns:
        at: makes it news. error: why nothing can be started; or faults: the settings that cannot be used, by name; or
        title, of the old run, name, of the new one, step, that its weights are of, differs: {title, old, new} of each
        setting that is another one, and stays: {title, value} of each that the form has otherwise and that cannot be.
    """
    at = {"at": str(time.time_ns())}
    try:
        backend.runs.check_free(browser)
        summary = backend.runs.summary(run)
        asked = configured(backend, settings)
        config = RunConfig(asked.model, asked.training, asked.data, hold_out=asked.hold_out)
        config = beginning_with(config, backend.path(run))
        backend.runs.limits.check(config.model, config.training, asked.images or 0)
        name = name_of(backend, browser, run)
    except FaultsError as error:
        return at | {"faults": on_page(error.faults).faults}
    except (ValueError, RunError, CheckpointError) as error:
        return at | {"error": str(error)}
    model, training = asked.model, asked.training
    precision = resolve(training.precision, backend.runs.devices[0])  # as it is written into a run
    new = asdict(training) | {"precision": precision, "hold_out": config.hold_out}
    old = summary.settings
    differs = [
        {"title": LABELS[name], "old": _shown(name, old[name]), "new": _shown(name, value)}
        for name, value in new.items()
        if name in ASKED and value != old[name] and ALL_SETTINGS[name].matters(old | new)
    ]
    was, chosen = summary.config.data, settings["data"]
    if chosen != was and not (chosen == AUTO and summary.config.why_data):
        differs.insert(0, {"title": LABELS["data"], "old": data_title(was), "new": data_title(chosen)})
    stays = [
        {"title": LABELS[name], "value": _shown(name, old[name])}
        for name in settings_of(VAEConfig)
        if getattr(model, name) != old[name] and ALL_SETTINGS[name].matters(old)
    ]
    return at | {"title": title_of_run(summary), "name": name, "step": summary.step, "differs": differs, "stays": stays}


def _shown(name: str, value: Any) -> str:
    """A setting's value as the page says it."""
    return f"{value:g}" if isinstance(value, float) else ALL_SETTINGS[name].choices.get(value, str(value))
