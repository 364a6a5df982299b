"""Small browser components: each is a JavaScript module below this folder, mounted in a gr.HTML.

A module exports mount({element, props, server, watch, trigger}). It builds its own elements, asks the server through
`server.<function>(request)`, and learns of a new `props.value` from Python through watch("value", ...).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .. import glossary, vocabulary
from ..theory import deck
from ..web.session import STORAGE_KEY

HERE = Path(__file__).parent
STYLES = (
    "shared/live", "machine/machine", "step/step", "theory/theory", "draw/draw", "latents/latents", "runs/runs",
    "words/words", "classroom/classroom",
)  # fmt: skip
CARDS = sorted((HERE / "theory").glob("*/*.css"))  # each group of cards has its own
CSS = [HERE / f"{name}.css" for name in STYLES] + CARDS

LESSONS = HERE.parents[1] / "checkpoints" / "lessons"  # recorded trainings that cards of the Theory tab play
ICON = HERE.parent / "favicon.svg"

HEAD = ("storage", "part")  # scripts of page/ that stand in the page's head: they run before Gradio builds the page


def component(
    module: str,
    value: Any,
    *,
    functions: Iterable[Callable] = (),
    events: Iterable[str] = (),
    elem_id: str | None = None,
) -> gr.HTML:
    """A component whose behaviour is live/<module>.js.

    Args:
        module: the JavaScript module below this folder, such as draw/pad.
        value: its `props.value`; small JSON.
        functions: server functions that it may call.
        events: names that it may trigger; each becomes a listener of the component.
        elem_id: its id on the page.
    """
    listened = ", ".join(f'"{event}"' for event in events)  # Gradio looks for their names in the script
    on_load = f'showPart("{module}", {{ element, props, server, watch, trigger }}); // {listened}'
    return gr.HTML(
        value,
        html_template=f'<div class="live live-{Path(module).name}"></div>',
        js_on_load=on_load,
        apply_default_css=False,
        server_functions=list(functions),
        elem_id=elem_id,
    )


def head() -> str:
    """The icon and the scripts in the page's head."""
    scripts = [(HERE / "page" / f"{name}.js").read_text(encoding="utf-8") for name in HEAD]
    return icon() + "".join(f'<script data-session="{STORAGE_KEY}">{script}</script>' for script in scripts)


def icon() -> str:
    """The page's icon as an element that holds it: behind a proxy's prefix a browser would ask for /favicon.ico."""
    return f'<link rel="icon" href="data:image/svg+xml;base64,{base64.b64encode(ICON.read_bytes()).decode()}">'


def routes() -> list[BaseRoute]:
    """What the browser loads: these modules, and plotly from the installed package."""
    library = Path(plotly.__file__).parent / "package_data"
    return [
        vocabulary.route(),
        glossary.route(),
        deck.route(),
        _files("/live/library", library, ".js"),
        _files("/live/lessons", LESSONS, ".safetensors"),
        _files("/live", HERE, ".js"),
    ]


def _files(below: str, folder: Path, suffix: str) -> Route:
    """A folder's files of one kind. A Mount would not find them below a prefix that a proxy has taken off the path."""
    files = _Fresh(folder, suffix)

    async def answer(request: Request) -> Response:
        return await files.get_response(request.path_params["path"], request.scope)

    return Route(f"{below}/{{path:path}}", answer)


class _Fresh(StaticFiles):
    """Files of one kind that the browser asks for every time, and gets only if they have changed."""

    def __init__(self, directory: Path, suffix: str) -> None:
        super().__init__(directory=directory)
        self._suffix = suffix

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not path.endswith(self._suffix):
            raise HTTPException(404)
        return await super().get_response(path, scope)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
