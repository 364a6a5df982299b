"""Checks of single values: each raises a ValueError of one sentence that names the field, the value and the bounds."""

from collections.abc import Collection
from typing import Any


def check_int(name: str, value: Any, low: int, high: int) -> None:
    """Raises ValueError unless value is a whole number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {_shown(value)}; it must be a whole number from {low} to {high}.")


def check_float(name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """The value as a float; raises ValueError unless it is in [low, high], or in (low, high] with above=True."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high or (above and value == low):
        wanted = f"a number above {low:g}, at most {high:g}" if above else f"a number from {low:g} to {high:g}"
        raise ValueError(f"{name} is {_shown(value)}; it must be {wanted}.")
    return float(value)


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Raises ValueError unless value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {_shown(value)}; it must be one of {', '.join(choices)}.")


def _shown(value: Any) -> str:
    """The value as a message shows it: never longer than 40 characters, so that no request can flood the page."""
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
