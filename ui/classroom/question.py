"""A question to the class: asked, voted on in private, shown, and voted on once more after a discussion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vae_core.settings import check_int, check_text

MOST_TEXT = 500  # characters of a question
MOST_OPTION = 200
OPTIONS = 2, 6  # fewest and most answers to choose from
ROUNDS = 2


class ClassError(ValueError):
    """Something that cannot be done in a class; one sentence for whoever asked for it."""


class KeyNeededError(ClassError):
    """Only the lecturer can do that."""


@dataclass
class Question:
    """A question and its votes.

    number: which one of the class it is. right: the place of the right answer, None where there is none. card: the
    theory card that settles it, empty if it was typed. round: 1 or, after the discussion, 2. is_shown: the bars of this
    round are open to all, and no vote is taken any more. votes: for each round, by browser the place of its answer.
    """

    number: int
    text: str
    options: list[str]
    right: int | None = None
    card: str = ""
    round: int = 1
    is_shown: bool = False
    votes: list[dict[str, int]] = field(default_factory=lambda: [{} for _ in range(ROUNDS)])

    def __post_init__(self) -> None:
        if not check_text("The question", self.text, MOST_TEXT).strip():
            raise ClassError("The question is empty: type it first.")
        least, most = OPTIONS
        if not isinstance(self.options, list) or not least <= len(self.options) <= most:
            raise ClassError(f"A question has {least} to {most} answers to choose from.")
        for option in self.options:
            if not check_text("An answer", option, MOST_OPTION).strip():
                raise ClassError("An answer is empty: fill it in, or take it away.")
        if len(set(self.options)) < len(self.options):
            raise ClassError("Two answers are the same.")
        if self.right is not None:
            check_int("right", self.right, 0, len(self.options) - 1)
        check_text("card", self.card, 40)

    def vote(self, browser: str, number: Any, choice: Any) -> None:
        """Takes a vote in place of the one before.

        Args:
            number: of the question that the page shows.

        Raises:
            ClassError: another question is asked by now, or the answers are shown.
        """
        if number != self.number:
            raise ClassError("That question is over.")
        if self.is_shown:
            raise ClassError("The votes are shown already: yours came too late to count.")
        check_int("The answer", choice, 0, len(self.options) - 1)
        self.votes[self.round - 1][browser] = choice

    def show(self) -> None:
        """Opens the bars of this round."""
        self.is_shown = True

    def ask_again(self) -> None:
        """Begins the second round, with the bars closed again.

        Raises:
            ClassError: the first round is not shown yet, or this is the second one.
        """
        if not self.is_shown:
            raise ClassError("Show the votes before you ask again.")
        if self.round == ROUNDS:
            raise ClassError(f"A question is asked {ROUNDS} times; ask another one.")
        self.round += 1
        self.is_shown = False

    def counts(self) -> list[list[int]]:
        """How many chose each answer, in each round up to this one."""
        return [
            [list(votes.values()).count(choice) for choice in range(len(self.options))]
            for votes in self.votes[: self.round]
        ]

    def seen_by(self, browser: str) -> dict[str, Any]:
        """What a participant sees of it: no vote but its own before the bars are shown, and never who chose what."""
        shown = self.round if self.is_shown else self.round - 1
        return {
            "number": self.number,
            "text": self.text,
            "options": self.options,
            "card": self.card if self.is_shown else "",
            "right": self.right if self.is_shown and self.round == ROUNDS else None,
            "round": self.round,
            "is_shown": self.is_shown,
            "mine": [votes.get(browser) for votes in self.votes[: self.round]],
            "counts": self.counts()[:shown],
        }
