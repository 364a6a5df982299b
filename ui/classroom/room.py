"""The class of a server: who is there, what all are shown and asked, and whether they are paused."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vae_core.files import write_atomically
from vae_core.runs.states import State
from vae_core.settings import check_text

from .question import ClassError, Question

MOST_MEMBERS = 1000
MOST_NAME = 40  # characters
MOST_ADDRESS = 4000
STUCK = 240.0  # seconds at the same place, without a training, after which somebody counts as stuck
HERE = 15.0  # seconds since a page's last word after which its visitor counts as gone
BROWSER = re.compile(r"[0-9a-f]{32}")
Look = Callable[[str, str], dict[str, Any]]  # (browser, run) to {state, is_going, is_own, steps, points}
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
ADDRESS = re.compile(r"\?[\x21-\x7e]*")  # a query and a fragment of this page, never another place


@dataclass
class Member:
    """Somebody who has the page open.

    number: in the order of coming. name: what they call themselves, for the lecturer alone; empty for most. follows:
    goes where the lecturer leads. tab, card, run: where they are. seen: when their page last said so, moved: since when
    they are there, by `time.monotonic`.
    """

    number: int
    name: str = ""
    follows: bool = True
    tab: str = ""
    card: str = ""
    run: str = ""
    seen: float = 0.0
    moved: float = 0.0


class Room:
    """The class of a server. It is kept in a file, so that it goes on where it was after a restart.

    version: grows with every change that participants should see.

    Args:
        file: where it is kept.
        halt: has all trainings stop between two batches, or go on.
        freeze: lets only one browser begin trainings, or all again.
    """

    def __init__(self, file: Path, halt: Callable[[bool], None], freeze: Callable[[str | None], None]) -> None:
        self._file = file
        self._halt = halt
        self._freeze = freeze
        self._lock = threading.RLock()
        self.version = 1
        self.is_open = False
        self.is_paused = False
        self.only: str | None = None  # the one browser that may begin trainings; None: all may
        self.place: dict[str, Any] | None = None  # {number, address} where all are led
        self.question: Question | None = None
        self.members: dict[str, Member] = {}
        self._count = 0  # of questions and places so far
        self._read()
        if self.is_paused:
            halt(True)
        if self.only is not None:
            freeze(self.only)

    # For everybody

    def come(self, browser: Any, where: dict[str, Any]) -> Member:
        """Notes that a participant's page is open and where; whoever comes for the first time becomes a member.

        Raises:
            ClassError: the page names no browser, or the class is full.
        """
        if not isinstance(browser, str) or not BROWSER.fullmatch(browser):
            raise ClassError("The request names no browser.")
        with self._lock:
            member = self.members.get(browser)
            if member is None:
                if len(self.members) >= MOST_MEMBERS:
                    raise ClassError(f"The class is full: it has room for {MOST_MEMBERS:,}.")
                member = self.members[browser] = Member(len(self.members) + 1)
                self._write()
            member.seen = time.monotonic()
            now_at = {name: str(where.get(name, ""))[:60] for name in ("tab", "card", "run")}
            if any(getattr(member, name) != value for name, value in now_at.items()):
                member.moved = member.seen
            for name, value in now_at.items():
                setattr(member, name, value)
            return member

    def seen_by(self, browser: str) -> dict[str, Any]:
        """What a participant's page needs: nothing of others but their number, and the votes once they are shown."""
        with self._lock:
            member = self.members.get(browser)
            return {
                "is_open": self.is_open,
                "is_paused": self.is_paused,
                "is_frozen": self.only is not None,
                "place": self.place,
                "question": self.question.seen_by(browser) if self.question else None,
                "me": {"number": member.number, "name": member.name, "follows": member.follows} if member else None,
            }

    def call(self, browser: str, name: Any) -> None:
        """Gives a participant the name that the lecturer sees; an empty one takes it away.

        Raises:
            ClassError: it is too long, or holds what cannot be printed.
        """
        if not isinstance(name, str) or len(name.strip()) > MOST_NAME:
            raise ClassError(f"A name has at most {MOST_NAME} letters.")
        if UNPRINTABLE.search(name):
            raise ClassError("A name is made of letters that can be printed.")
        with self._changing():
            self._member(browser).name = name.strip()

    def follow(self, browser: str, follows: Any) -> None:
        """Lets a participant's page go where the lecturer leads, or no longer."""
        with self._changing():
            self._member(browser).follows = follows is True

    def vote(self, browser: str, number: Any, choice: Any) -> None:
        """Takes a participant's vote.

        Raises:
            ClassError: nothing is asked, or no vote is taken any more.
        """
        with self._changing():
            self._member(browser)
            if self.question is None:
                raise ClassError("That question is over.")
            self.question.vote(browser, number, choice)

    def _member(self, browser: str) -> Member:
        """
        Raises:
            ClassError: no class is open, or this is nobody of it.
        """
        if not self.is_open or browser not in self.members:
            raise ClassError("There is no class at the moment.")
        return self.members[browser]

    # For the lecturer

    def begin(self) -> None:
        """Opens the class, or goes on with the one that is open."""
        if not self.is_open:
            with self._changing():
                self.is_open = True

    def end(self) -> None:
        """Ends the class: nobody is led, asked or paused any longer."""
        with self._changing():
            self.is_open = self.is_paused = False
            self.place = self.question = self.only = None
            self._halt(False)
            self._freeze(None)

    def pause(self, is_paused: Any) -> None:
        """Halts all trainings between two batches and dims the pages, or lets all go on where they were."""
        with self._changing():
            self.is_paused = is_paused is True
            self._halt(self.is_paused)

    def freeze(self, is_frozen: Any, browser: Any) -> None:
        """Lets nobody but the lecturer's browser begin trainings, or all again; those that go on are not touched."""
        with self._changing():
            self.only = (browser if isinstance(browser, str) else "") if is_frozen is True else None
            self._freeze(self.only)

    def lead(self, address: Any) -> None:
        """Leads all who follow to an address of this page.

        Raises:
            ClassError: it is no address of this page.
        """
        check_text("The address", address, MOST_ADDRESS)
        if not ADDRESS.fullmatch(address):
            raise ClassError("All can be led to this page's own addresses only.")
        with self._changing():
            self._count += 1
            self.place = {"number": self._count, "address": address}

    def release(self) -> None:
        """Leads nobody any longer."""
        with self._changing():
            self.place = None

    def ask(self, text: Any, options: Any, right: Any = None, card: Any = None) -> None:
        """Asks all a question, in place of the one before.

        Raises:
            ClassError, FaultsError: the question cannot be asked like that.
        """
        with self._changing():
            question = Question(self._count + 1, text, options, right, card or "")
            self._count += 1
            self.question = question

    def show(self) -> None:
        """Shows the votes to all.

        Raises:
            ClassError: nothing is asked.
        """
        with self._changing():
            self._asked().show()

    def ask_again(self) -> None:
        """Has all vote a second time.

        Raises:
            ClassError: nothing is asked, or it cannot be asked again.
        """
        with self._changing():
            self._asked().ask_again()

    def take_away(self) -> None:
        """Takes the question away from all pages."""
        with self._changing():
            self.question = None

    def _asked(self) -> Question:
        """
        Raises:
            ClassError: nothing is asked.
        """
        if self.question is None:
            raise ClassError("Nothing is asked at the moment.")
        return self.question

    def seen_by_lecturer(self, look: Look) -> dict[str, Any]:
        """Who is there and where, and how many have voted; with names, which nobody else sees.

        Those who are stuck come first: their training has failed, or they have been at the same place for `STUCK`
        seconds and no training of theirs goes on.

        Args:
            look: what is shown of the run that a participant's page follows.
        """
        now = time.monotonic()
        with self._lock:
            votes = self.question.votes[self.question.round - 1] if self.question else {}
            here = {browser: it for browser, it in self.members.items() if now - it.seen < HERE}
            members = [
                {name: getattr(it, name) for name in ("number", "name", "follows", "tab", "card", "run")}
                | {"has_voted": browser in votes}
                | _with_stuck(look(browser, it.run), now - it.moved)
                for browser, it in here.items()
            ]
            return {
                "members": sorted(members, key=lambda it: (not it["is_stuck"], it["number"])),
                "gone": len(self.members) - len(here),
                "voted": len(votes),
                "counts": self.question.counts() if self.question else [],
            }

    # Keeping

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the lock, and writes the room down if nothing was refused."""
        with self._lock:
            yield
            self.version += 1
            self._write()

    def _write(self) -> None:
        kept = {
            "version": self.version,
            "is_open": self.is_open,
            "is_paused": self.is_paused,
            "only": self.only,
            "place": self.place,
            "question": asdict(self.question) if self.question else None,
            "count": self._count,
            "members": {
                browser: {name: getattr(it, name) for name in ("number", "name", "follows")}
                for browser, it in self.members.items()
            },
        }
        write_atomically(self._file, json.dumps(kept).encode())

    def _read(self) -> None:
        """Takes up the class where it was; a file that is damaged counts as none."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            question = Question(**kept["question"]) if kept["question"] else None
            members = {str(browser): Member(**it) for browser, it in kept["members"].items()}
            version, count = int(kept["version"]), int(kept["count"])
            is_open, is_paused, place = bool(kept["is_open"]), bool(kept["is_paused"]), kept["place"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self.version, self._count, self.members = version + 1, count, members
        self.is_open, self.is_paused, self.place, self.question = is_open, is_paused, place, question
        self.only = kept.get("only")


def _with_stuck(shown: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What is shown of a run, and whether its participant is stuck, who has been at the same place for so long."""
    is_stuck = shown["state"] == State.FAILED or (seconds >= STUCK and not shown["is_going"])
    return shown | {"is_stuck": is_stuck, "minutes": int(seconds // 60)}
