"""What one browser holds: ids, never tensors. They live in the browser's own storage and survive a reload."""

from __future__ import annotations

import re
import secrets
from typing import Any, TypedDict

STORAGE_KEY = "vae-browser"


class Session(TypedDict):
    """browser: who this is, a random id that owns runs. model: the id of the model that is looked at."""

    browser: str
    model: str


def restored(stored: Any) -> Session:
    """The session of what the browser's storage holds, which anybody may have changed; a new one where it is none."""
    stored = stored if isinstance(stored, dict) else {}
    browser, model = stored.get("browser"), stored.get("model")
    known = isinstance(browser, str) and re.fullmatch(r"[0-9a-f]{32}", browser)
    return Session(browser=browser if known else secrets.token_hex(16), model=model if isinstance(model, str) else "")
