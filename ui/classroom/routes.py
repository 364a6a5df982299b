"""What pages ask of the class and say to it, by plain requests: the lecturer's with a cookie, all others without."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import segno
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from vae_core.runs.folder import RunError
from vae_core.settings import check_text

from ..web.login import check_login
from .key import COOKIE, Key
from .question import ClassError, KeyNeededError
from .room import Look, Room

LARGEST = 16_384  # bytes of what a page says
SOON = 700  # ms between two questions of a page in a class
OF_ALL = 80  # questions a second of all pages together
IDLE = 5000  # ms where there is no class
ONLY = "Only the lecturer can do that."
A_YEAR = 365 * 24 * 3600

Answer = dict[str, Any]
ACTS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "pause": (Room.pause, ("is_paused",)),
    "freeze": (Room.freeze, ("is_frozen", "browser")),
    "lead": (Room.lead, ("address",)),
    "release": (Room.release, ()),
    "ask": (Room.ask, ("text", "options", "right", "card")),
    "show": (Room.show, ()),
    "again": (Room.ask_again, ()),
    "take_away": (Room.take_away, ()),
    "open": (Room.begin, ()),
    "close": (Room.end, ()),
}
WORDS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "name": (Room.call, ("name",)),
    "follow": (Room.follow, ("follows",)),
    "vote": (Room.vote, ("number", "choice")),
}


def routes(room: Room, key: Key, look: Look, steer: Callable[[Any], Answer]) -> list[BaseRoute]:
    """Below live/class/: enter, news, say, act, steer and qr.svg.

    Args:
        room: the class.
        key: the lecturer's.
        look: what the lecturer sees of the run that a participant's page follows.
        steer: pauses, stops or resumes any run, which {run, how} names.
    """

    def enter(request: Request) -> Response:
        """The lecturer's link: makes this browser the lecturer's, and opens the Class tab without the key."""
        check_login(request)
        if not key.is_right(request.query_params.get("key", "")):
            raise HTTPException(403, "That is not the lecturer's key: the server printed the link when it started.")
        room.begin()
        kept = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        answer = RedirectResponse("../../?tab=class", 303, kept)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, key.cookie, A_YEAR, httponly=True, samesite="strict", secure=secure)
        return answer

    def news(request: Request, said: Answer) -> Answer:
        """What is new for a page that has a version of it."""
        browser = said.get("browser")
        is_lecturer = key.is_lecturers(request.cookies)
        wait = max(SOON, round(1000 * len(room.members) / OF_ALL)) if room.is_open else IDLE
        if room.is_open and not is_lecturer:
            room.come(browser, said)
        version = room.version  # before what is told: a change in between is told next time
        told: Answer = {"version": version, "wait": wait}
        if said.get("version") != version:
            told |= room.seen_by(str(browser)) | {"is_lecturer": is_lecturer}
        if is_lecturer and said.get("tab") == "class":
            told["class"] = room.seen_by_lecturer(look)
        return told

    def say(request: Request, said: Answer) -> Answer:
        """What a participant says."""
        return _done(WORDS, room, said, str(said.get("browser")))

    def act(request: Request, said: Answer) -> Answer:
        """What the lecturer does."""
        if not key.is_lecturers(request.cookies):
            raise KeyNeededError(ONLY)
        return _done(ACTS, room, said)

    def order(request: Request, said: Answer) -> Answer:
        """Has a run do what the lecturer wants, whoever owns it."""
        if not key.is_lecturers(request.cookies):
            raise KeyNeededError(ONLY)
        return steer(said)

    def qr(request: Request) -> Response:
        """The picture of the link by which others join."""
        check_login(request)
        link = check_text("link", request.query_params.get("link", ""), 500)
        if not link.startswith(("http://", "https://")):
            raise HTTPException(400, "That is no link.")
        picture = io.BytesIO()
        segno.make(link, error="m").save(picture, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True)
        return Response(picture.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    return [
        Route("/live/class/enter", enter),
        Route("/live/class/news", _heard(news), methods=["POST"]),
        Route("/live/class/say", _heard(say), methods=["POST"]),
        Route("/live/class/act", _heard(act), methods=["POST"]),
        Route("/live/class/steer", _heard(order), methods=["POST"]),
        Route("/live/class/qr.svg", qr),
    ]


def _done(known: dict[str, tuple[Callable[..., None], tuple[str, ...]]], room: Room, said: Answer, *who: str) -> Answer:
    """Does what was said, by one of these names."""
    what, names = known.get(str(said.get("what")), (None, ()))
    if what is None:
        raise ClassError("The class does not know that.")
    what(room, *who, *(said.get(name) for name in names))
    return {"version": room.version}


def _heard(answer: Callable[[Request, Answer], Answer]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a small JSON object; what is refused becomes {error: one sentence}."""

    async def endpoint(request: Request) -> Response:
        check_login(request)
        content = b""
        async for part in request.stream():
            content += part
            if len(content) > LARGEST:
                return JSONResponse({"error": "That is too long."}, 413)
        try:
            said = json.loads(content)
            if not isinstance(said, dict):
                raise ClassError("That is not what a page says.")
            return JSONResponse(await run_in_threadpool(answer, request, said), headers={"Cache-Control": "no-store"})
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            return JSONResponse({"error": "That is not what a page says."}, 400)
        except KeyNeededError as error:
            return JSONResponse({"error": str(error)}, 403)
        except (ValueError, RunError) as error:  # what a person has asked for cannot be
            return JSONResponse({"error": str(error)})
        except OSError as error:
            return JSONResponse({"error": f"The class cannot be kept: {error.strerror or error}."}, 507)

    return endpoint
