"""A setting, declared once: its default, its bounds, and what people call it.

The check, the command-line option, the field of the form, the line that describes a run and the legend of a chart are
all made from that declaration.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]

NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
GROUPED = re.compile(r"([+-]?[1-9]\d{0,2}),(\d{3})", re.ASCII)  # a thousand and more to some, a fraction to others


class FaultsError(ValueError):
    """Values that cannot be used.

    Args:
        faults: by the name of each, a sentence that says what is wrong with it. The message has all of them.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = dict(faults)


@contextlib.contextmanager
def gathered(faults: dict[str, str]) -> Iterator[None]:
    """Adds what is found wrong within the block to the faults, and goes on after it."""
    try:
        yield
    except FaultsError as error:
        faults |= error.faults


def check_int(name: str, value: Any, low: int, high: int) -> int:
    """Returns the value; raises FaultsError unless it is a whole number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise FaultsError({name: f"{name} is {_shown(value)}; it must be a whole number from {low} to {high}."})
    return value


def check_float(name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """Returns the value as a float; raises FaultsError unless it is in [low, high], or (low, high] with above=True."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high or (above and value == low):
        wanted = f"a number above {low:g}, at most {high:g}" if above else f"a number from {low:g} to {high:g}"
        raise FaultsError({name: f"{name} is {_shown(value)}; it must be {wanted}."})
    return float(value)


def check_text(name: str, value: Any, most: int = 1000) -> str:
    """Returns the value; raises FaultsError unless it is a text of at most that many characters."""
    if not isinstance(value, str) or len(value) > most:
        raise FaultsError({name: f"{name} is {_shown(value)}; it must be a text of at most {most:,} characters."})
    return value


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Returns the value; raises FaultsError unless it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise FaultsError({name: f"{name} is {_shown(value)}; it must be one of {', '.join(choices)}."})
    return value


def _shown(value: Any) -> str:
    """The value as a message shows it: at most 40 characters, so that no request can flood the page."""
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def typed(name: str, text: str) -> int | float | str | None:
    """The number that somebody typed, with a decimal point or a comma; None if nothing was.

    Text that is not a number comes back as it is: the check that follows says what is wanted.

    Raises:
        FaultsError: it can be read as two numbers; the message names the field and both.
    """
    text = text.strip().replace("−", "-")
    if both := GROUPED.fullmatch(text):
        whole, rest = both.groups()
        raise FaultsError(
            {name: f"{name} is {text!r}, which can mean two numbers: write {whole}{rest} or {whole}.{rest}."}
        )
    if not NUMBER.fullmatch(text):
        return text or None
    with contextlib.suppress(ValueError):
        return int(text)  # exact, unless it has thousands of digits
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number


def always(_: Settings) -> bool:
    """Beside any other settings."""
    return True


@dataclass(frozen=True)
class Setting:
    """Everything about a setting except its value.

    title: its name in the form. kind: int, float or str. check: returns the value to keep, or raises FaultsError.
    short: its name in a line or a legend. hint: a sentence below its field. group: its part of the form; None if it is
    not in the form. choices: the values, each with its title. argument: the command line's name for its value. help:
    one sentence that says what it is, for the command line and the glossary. matters: whether it has any effect with
    the given settings. changes: whether it may change during a run with those settings. low, high: the bounds of a
    number. step: how far an arrow key moves it; None for one of any magnitude, which moves by a tenth of its leading
    digit's unit.
    """

    title: str
    kind: type
    check: Callable[[str, Any], Any]
    short: str = ""
    hint: str = ""
    group: str | None = "training"
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    argument: str | None = None
    help: str = ""
    matters: Callable[[Settings], bool] = always
    changes: Callable[[Settings], bool] | None = None
    low: float | None = None
    high: float | None = None
    step: float | None = None

    def read(self, name: str, value: Any) -> Any:
        """A value of the form, where a number comes as it was typed.

        Raises:
            FaultsError: it can be read as two numbers.
        """
        return typed(name, value) if self.kind is not str and isinstance(value, str) else value

    def shown(self, value: Any) -> str:
        """The setting with a value, for a line or a legend: β = 2, batch 128."""
        text = f"{value:g}" if isinstance(value, float) else self.choices.get(value, str(value))
        return f"{self.short} = {text}" if len(self.short) == 1 else f"{self.short} {text}"


def whole(default: int | None, low: int, high: int, title: str, *, step: int = 1, **words: Any) -> Any:
    """A dataclass field for a whole number in [low, high], or None if that is its default."""

    def check(name: str, value: Any) -> Any:
        if value is not None or default is not None:
            check_int(name, value, low, high)
        return value

    return _field(default, title, int, check, words | {"low": low, "high": high, "step": step})


def number(
    default: float, low: float, high: float, title: str, *, above: bool = False, step: float = 0.1, **words: Any
) -> Any:
    """A dataclass field for a number in [low, high], or (low, high] with above=True; kept as a float.

    A tensor made from an int would hold integers. With above=True it may be of any magnitude, and has no step.
    """

    def check(name: str, value: Any) -> float:
        return check_float(name, value, low, high, above=above)

    return _field(default, title, float, check, words | {"low": low, "high": high, "step": None if above else step})


def choice(default: str | None, choices: Mapping[str, str], title: str, **words: Any) -> Any:
    """A dataclass field for one of several names, or None if that is its default."""

    def check(name: str, value: Any) -> Any:
        if value is not None or default is not None:
            check_choice(name, value, choices)
        return value

    return _field(default, title, str, check, words | {"choices": choices})


def text(title: str, **words: Any) -> Any:
    """A dataclass field for a text, empty by default and not in the form."""
    return _field("", title, str, check_text, {"group": None} | words)


def _field(default: Any, title: str, kind: type, check: Callable[[str, Any], Any], words: dict[str, Any]) -> Any:
    words = {"short": title.lower()} | words
    return dataclasses.field(default=default, metadata={"setting": Setting(title, kind, check, **words)})


def settings_of(config: Any) -> dict[str, Setting]:
    """The settings that a dataclass (or an instance of one) declares, by name."""
    fields = {field.name: field.metadata.get("setting") for field in dataclasses.fields(config)}
    return {name: setting for name, setting in fields.items() if setting}


def check_settings(config: Any) -> None:
    """Checks all settings of a frozen dataclass, and stores what each check returns.

    Raises:
        FaultsError: values are out of bounds; its sentences name the field, the value and the bounds.
    """
    faults: dict[str, str] = {}
    for name, setting in settings_of(config).items():
        with gathered(faults):
            object.__setattr__(config, name, setting.check(name, getattr(config, name)))
    if faults:
        raise FaultsError(faults)
