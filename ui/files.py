"""Plain requests for files: pictures and downloads from a run's folder, and uploads from the browser."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from vae_core.runs.export import PART, as_csv, as_tensorboard, as_zip
from vae_core.runs.folder import FRAME, RunError, RunFolder

from .backend import Backend
from .ink import PhotoError
from .photo import read_photo
from .vocabulary import LARGEST_CHECKPOINT, LARGEST_PHOTO
from .web.login import check_login

AT_ONCE = 2  # uploads read at the same time: each may take some hundred MB


def routes(backend: Backend) -> list[BaseRoute]:
    """Below live/: runs/<run>/… for anyone who knows a run's id, lessons/…, upload and photo; with --auth,
    only if logged in.
    """
    reading = asyncio.Semaphore(AT_ONCE)

    def found(request: Request) -> RunFolder:
        """The run that a request names."""
        check_login(request)
        try:
            folder = backend.runs.folder(request.path_params["run"])
            folder.read_config()
            return folder
        except RunError as error:
            raise HTTPException(404, str(error)) from None

    def frame(request: Request) -> Response:
        step = request.path_params.get("step", "newest")
        if "step" in request.path_params and not FRAME.fullmatch(f"{step}.jpg"):
            raise HTTPException(404, "There is no such picture.")
        kept = "no-store" if step == "newest" else "max-age=31536000, immutable"
        return _picture(found(request).frames / f"{step}.jpg", {"Cache-Control": kept})

    def lesson_frame(request: Request) -> Response:
        check_login(request)
        try:
            folder = backend.lessons.folder(request.path_params["lesson"])
        except ValueError as error:
            raise HTTPException(404, str(error)) from None
        step = request.path_params["step"]
        if not FRAME.fullmatch(f"{step}.jpg"):
            raise HTTPException(404, "There is no such picture.")
        return _picture(folder.frames / f"{step}.jpg", {"Cache-Control": "no-cache"})

    def download(request: Request) -> Response:
        folder = found(request)
        what = request.path_params["what"]
        make, ending = DOWNLOADS.get(what, (None, ""))
        if make is None:
            raise HTTPException(404, "There is no such download.")
        parts = make(folder)
        try:
            first = next(parts, b"")
        except (OSError, RunError) as error:
            why = getattr(error, "strerror", None) or error
            raise HTTPException(404, f"That cannot be downloaded: {why}") from None
        name = quote(folder.name_of_files() + ending)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return StreamingResponse(chain([first], parts), headers=headers, media_type="application/octet-stream")

    async def upload(request: Request, path: Path) -> dict[str, str]:
        async with reading:
            return await run_in_threadpool(_add, backend, request, path)

    async def photo(request: Request, path: Path) -> dict[str, str]:
        async with reading:
            return await run_in_threadpool(_photo, path)

    return [
        Route("/live/lessons/{lesson}/{step}.jpg", lesson_frame),
        Route("/live/runs/{run}/newest.jpg", frame),
        Route("/live/runs/{run}/frames/{step}.jpg", frame),
        Route("/live/runs/{run}/{what}", download),
        Route("/live/upload", _posted(upload, LARGEST_CHECKPOINT), methods=["POST"]),
        Route("/live/photo", _posted(photo, LARGEST_PHOTO), methods=["POST"]),
    ]


def _posted(
    answer: Callable[[Request, Path], Awaitable[dict[str, str]]], largest: int
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that writes a request's body to a temporary file, and answers with the result.

    Args:
        answer: makes the result from a request and its file.
        largest: most bytes that the body may have.
    """

    async def endpoint(request: Request) -> Response:
        check_login(request)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "The file"  # its name in messages
            with path.open("wb") as file:
                async for part in request.stream():
                    file.write(part)
                    if file.tell() > largest:
                        return JSONResponse({"error": f"The file is over the limit of {largest // 2**20} MB."}, 413)
            return JSONResponse(await answer(request, path))

    return endpoint


def _picture(path: Path, headers: dict[str, str]) -> Response:
    """A frame, which may be missing, with the dimensions of its map; read at once, since another may replace it."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            dims = image.info.get("comment", b"").decode()
    except (OSError, ValueError, Image.DecompressionBombError):  # PIL's own error for what is no picture is an OSError
        raise HTTPException(404, "There is no such picture.") from None
    if not re.fullmatch(r"[0-9]{1,3}( [0-9]{1,3})?", dims):
        raise HTTPException(404, "There is no such picture.")
    return Response(content, media_type="image/jpeg", headers=headers | {"Map-Dimensions": dims})


def _add(backend: Backend, request: Request, path: Path) -> dict[str, str]:
    """Adds the uploaded checkpoint as a run of that browser, or returns what is wrong with it."""
    browser, name = (request.query_params.get(field, "") for field in ("browser", "name"))
    if not re.fullmatch(r"[0-9a-f]{32}", browser):
        return {"error": "The request names no browser."}
    try:
        return {"run": backend.runs.add(path, browser, name.removesuffix(".safetensors"))}
    except (ValueError, RunError) as error:
        return {"error": str(error)}


def _photo(path: Path) -> dict[str, str]:
    """The ink of an uploaded picture for the pad, as base64 of 56×56 bytes, or why there is none."""
    try:
        return {"ink": base64.b64encode(read_photo(path.read_bytes()).numpy().tobytes()).decode()}
    except PhotoError as error:
        return {"error": str(error)}


def _weights(folder: RunFolder) -> Iterator[bytes]:
    with folder.model_file.open("rb") as file:
        yield from iter(partial(file.read, PART), b"")


DOWNLOADS: dict[str, tuple[Callable[[RunFolder], Iterator[bytes]], str]] = {
    "archive.zip": (as_zip, ".zip"),
    "model.safetensors": (_weights, ".safetensors"),
    "metrics.csv": (lambda folder: as_csv(folder.each_record()), ".csv"),
    "tensorboard.zip": (as_tensorboard, "-tensorboard.zip"),
}
