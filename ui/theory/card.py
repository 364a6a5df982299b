"""What a card is made of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import vae_core

ROOT = Path(vae_core.__file__).parent.parent
WORDS = 60  # at most, in a card's text


@dataclass(frozen=True)
class Question:
    """Asked before the visitor acts.

    right: the place of the right choice; because: why, and why not otherwise; act: what to do once a choice is made.
    """

    text: str
    choices: tuple[str, ...]
    right: int
    because: str
    act: str

    def __post_init__(self) -> None:
        if not 2 <= len(self.choices) <= 4 or not 0 <= self.right < len(self.choices):
            raise ValueError(f"{self.text}: a question has two to four choices, and one of them is right")


@dataclass(frozen=True)
class Line:
    """A line of the derivation. number: of its equation, such as "(17)" or "§4"; value: the name of what it comes to.

    The card's picture gives the values by their names; a line whose value does not change has none.
    """

    number: str
    formula: str
    says: str = ""
    value: str = ""


@dataclass(frozen=True)
class Lead:
    """Where the card can be tried: a tab, and the id of an element there."""

    tab: str
    place: str = ""


@dataclass(frozen=True)
class Way:
    """One of several recorded trainings that a card plays, with a question of its own.

    lesson: its name in checkpoints/lessons.py; title: on its button; against: the lesson that it is compared with.
    """

    lesson: str
    title: str
    against: str
    question: Question


@dataclass(frozen=True)
class Card:
    r"""One idea. In its formulas \term{kl}{…} has the colour of that term, and is the value of that name.

    name: in the address. short: on the buttons that lead to it. claim: its title. text: at most WORDS words. rows: of
    theory.md. code: by term, the function that computes it and a part of the one line in it that does. needs: "plane"
    where the model must have two dimensions, "" if any will do. example: a worked one, in plain text with formulas
    between dollar signs. ways: the trainings among which its picture lets the visitor choose.
    """

    name: str
    short: str
    claim: str
    text: str
    rows: tuple[str, ...]
    formula: str = ""
    question: Question | None = None
    lead: Lead | None = None
    code: dict[str, tuple[Callable, str]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    example: str = ""
    needs: str = ""
    ways: tuple[Way, ...] = ()

    def served(self) -> dict[str, Any]:
        """The card as the page gets it."""
        return asdict(self) | {"code": {term: source(*where) for term, where in self.code.items()}}


def source(function: Callable, part: str) -> dict[str, Any]:
    """The one line of a function, method or property that holds a text: {file, line, text}.

    Raises:
        ValueError: there is none, or more than one.
    """
    if isinstance(function, property):
        function = function.fget or function.__get__
    lines, first = inspect.getsourcelines(function)
    found = [n for n, line in enumerate(lines) if part in line]
    if len(found) != 1:
        raise ValueError(f"{function.__qualname__} has {len(found)} lines with {part!r}")
    file = Path(str(inspect.getsourcefile(inspect.unwrap(function)))).relative_to(ROOT)
    return {"file": file.as_posix(), "line": first + found[0], "text": lines[found[0]].strip()}
