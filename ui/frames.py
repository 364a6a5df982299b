"""The pictures of a run's training, served from its folder."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

from vae_core.folder import RunError

from .backend import Backend


def routes(backend: Backend) -> list[BaseRoute]:
    """live/runs/<run>/newest.jpg and live/runs/<run>/frames/<step>.jpg: who knows a run's id may see it."""

    def frame(request: Request) -> FileResponse:
        step = request.path_params.get("step", "newest")
        try:
            path = backend.runs.folder(request.path_params["run"]).frames / f"{step}.jpg"
        except RunError as error:
            raise HTTPException(404, str(error)) from None
        if not path.is_file():
            raise HTTPException(404, "There is no such frame.")
        kept = "no-store" if step == "newest" else "max-age=31536000, immutable"
        return FileResponse(path, headers={"Cache-Control": kept})

    return [Route("/live/runs/{run}/newest.jpg", frame), Route("/live/runs/{run}/frames/{step:int}.jpg", frame)]
