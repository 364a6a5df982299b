"""A visitor's key: their browser's id, as words to write down or in a link, brings their runs to another browser."""

from __future__ import annotations

import re
from typing import Any

from mnemonic import Mnemonic

from ..backend import Backend
from ..web.requests import browser_of, field

MOST = 400  # characters of what somebody types as a key
BROWSER = re.compile(r"[0-9a-f]{32}")
WORDS = Mnemonic("english")  # BIP 39: twelve words for 128 bits, of which a few check the others


def key_words(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser} → {words}: its key in twelve words."""
    browser = browser_of(request)
    if not BROWSER.fullmatch(browser):
        raise ValueError("The request names no browser.")
    return {"words": WORDS.to_mnemonic(bytes.fromhex(browser))}


def read_key(backend: Backend, request: Any) -> dict[str, Any]:
    """{browser, key} → {browser, runs, own}: whose key that is, how many runs it has, and how many this browser has.

    Args:
        request: key is the twelve words, or what stands in the link.
    """
    text = field(request, "key")
    if not isinstance(text, str) or len(text) > MOST:
        raise ValueError("A key is twelve words.")
    found = browser_from(text)
    runs = len(backend.runs.of(found))
    if not runs:
        raise ValueError("No runs on this server belong to that key: they may stand on another one, or be deleted.")
    return {"browser": found, "runs": runs, "own": len(backend.runs.of(browser_of(request)))}


def browser_from(text: str) -> str:
    """The browser's id that a key stands for.

    Raises:
        ValueError: it is no key.
    """
    words = text.strip().lower().split()
    if len(words) == 1 and BROWSER.fullmatch(words[0]):
        return words[0]
    if len(words) != 12:
        raise ValueError(f"A key is twelve words; that is {len(words)}.")
    unknown = next((word for word in words if word not in WORDS.wordlist), None)
    if unknown is not None:
        raise ValueError(f"{unknown[:40]!r} is not a word of a key.")
    if not WORDS.check(" ".join(words)):
        raise ValueError("One of the words, or their order, is not right.")
    return bytes(WORDS.to_entropy(words)).hex()
