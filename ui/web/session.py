"""The state of one browser: ids, never tensors. They are kept in the browser's own storage and survive a reload."""

from __future__ import annotations

import re
import secrets
from typing import Any, TypedDict

STORAGE_KEY = "vae-browser"


class Session(TypedDict):
    """browser: this browser's random id, which owns runs. model, run: ids of the chosen model and the followed run."""

    browser: str
    model: str
    run: str


def restored(stored: Any) -> Session:
    """The session from the browser's storage, which anybody may have changed; a new one if that is not a session."""
    stored = stored if isinstance(stored, dict) else {}
    browser, model, run = (stored.get(name) for name in ("browser", "model", "run"))
    known = isinstance(browser, str) and re.fullmatch(r"[0-9a-f]{32}", browser)
    return Session(
        browser=browser if known else secrets.token_hex(16),
        model=model if isinstance(model, str) else "",
        run=run if isinstance(run, str) else "",
    )
