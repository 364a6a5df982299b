"""JSON out of files that anybody may have changed: only what every other reader takes too (I-JSON, RFC 7493)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 2**20
DEEPEST = 32  # levels of lists and objects, and of what they hold
LARGEST = 2**53  # whole numbers up to here are exact as doubles, which are all that a browser has
Check = Callable[[str, Any], Any]  # of a name and a value; returns the value to keep, or raises ValueError

SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(path: Path) -> Any:
    """`parse_json` of a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: as `parse_json`.
    """
    with path.open("rb") as file:
        return parse_json(file.read(MOST_BYTES + 1))


def parse_json(content: bytes | str) -> Any:
    """The value of a JSON text; it can be shown, written and sent again.

    Args:
        content: the text, or its bytes in UTF-8.

    Raises:
        ValueError: it is not JSON, is too large or nested too deeply, or holds a number or a text that not every reader
            takes, such as NaN, the whole number 10²¹, or half of a surrogate pair.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes.")
    try:
        value = json.loads(content.decode() if isinstance(content, bytes) else content)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels.") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {DEEPEST} levels.")


def brief(text: object) -> str:
    """A text, such as that of an error, as one line of at most 200 characters: parts of it may come from the file."""
    line = " ".join(str(text).split())
    return line if len(line) <= 200 else line[:197] + "..."


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that every reader takes: a float, or a whole number up to 2⁵³."""
    return (type(value) is float and math.isfinite(value)) or (type(value) is int and abs(value) <= LARGEST)


def check_object(name: str, value: Any, checks: Mapping[str, Check], needed: Collection[str] = ()) -> dict[str, Any]:
    """Returns an object with its known fields checked; raises ValueError if it is none, or lacks a needed one."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object.")
    for field in needed:
        if value.get(field) is None:
            raise ValueError(f"{name} has no {field}.")
    return value | {field: checks[field](field, value[field]) for field in checks if value.get(field) is not None}


def check_each(name: str, value: Any, check: Check) -> dict[str, Any]:
    """Returns an object whose fields all pass a check, whatever their names; raises ValueError if it is none."""
    return check_object(name, value, dict.fromkeys(value, check) if isinstance(value, dict) else {})


def check_list(name: str, value: Any, check: Check, length: int) -> list[Any]:
    """Returns a list of that length whose members all pass a check; raises ValueError if it is none."""
    if not isinstance(value, list) or len(value) != length:
        raise ValueError(f"{name} must be a list of {length}.")
    return [check(name, one) for one in value]


def _parts(value: Any) -> list[Any]:
    """What a list or an object holds, names included; nothing for any other value, which is checked.

    Raises:
        ValueError: not every reader takes the value.
    """
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, str) and SURROGATE.search(value):
        raise ValueError("it holds half of a surrogate pair, which is no text.")
    if type(value) in (int, float) and not is_number(value):
        raise ValueError("it holds a number that is not finite, or larger than 2⁵³ as a whole number.")
    return []
