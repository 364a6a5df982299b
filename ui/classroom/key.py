"""The lecturer's key: a secret in a link that is opened once; from then on the browser holds a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from vae_core.files import write_atomically

COOKIE = "vae-lecturer"
SHORTEST = 8  # characters of a key that somebody chooses


class Key:
    """The secret of one server.

    Args:
        text: the key; at least `SHORTEST` characters.

    Raises:
        ValueError: it is too short.
    """

    def __init__(self, text: str) -> None:
        if len(text) < SHORTEST:
            raise ValueError(f"--lecturer-key has {len(text)} characters; it must have at least {SHORTEST}.")
        self.text = text
        self.cookie = hmac.new(text.encode(), b"lecturer", hashlib.sha256).hexdigest()

    @classmethod
    def kept_in(cls, file: Path) -> Key:
        """The key that a file holds, so that a server that starts again has the same; a new one if there is none.

        Raises:
            OSError: the file cannot be written.
        """
        try:
            return cls(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError):
            key = cls(secrets.token_urlsafe(16))
            write_atomically(file, key.text.encode())
            file.chmod(0o600)
            return key

    def is_right(self, text: str) -> bool:
        """Whether that is the key; takes as long for any text."""
        return hmac.compare_digest(text.encode(), self.text.encode())

    def is_lecturers(self, cookies: Mapping[str, str]) -> bool:
        """Whether these are the cookies of a browser that has opened the lecturer's link."""
        return hmac.compare_digest(cookies.get(COOKIE, "").encode(), self.cookie.encode())
