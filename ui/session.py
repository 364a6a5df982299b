"""What one browser holds: ids, never tensors. They live in the browser's own storage and survive a reload."""

from __future__ import annotations

import re
import secrets
from typing import Any, TypedDict

STORAGE_KEY = "vae-browser"


class Session(TypedDict):
    """browser: who this is, a random id that owns runs. model, run: ids of what is looked at and what is followed."""

    browser: str
    model: str
    run: str


def restored(stored: Any) -> Session:
    """The session of what the browser's storage holds, which anybody may have changed; a new one where it is none."""
    stored = stored if isinstance(stored, dict) else {}
    browser, model, run = (stored.get(name) for name in ("browser", "model", "run"))
    known = isinstance(browser, str) and re.fullmatch(r"[0-9a-f]{32}", browser)
    return Session(
        browser=browser if known else secrets.token_hex(16),
        model=model if isinstance(model, str) else "",
        run=run if isinstance(run, str) else "",
    )
