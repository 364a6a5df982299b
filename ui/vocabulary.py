"""Names, limits and sizes that the server and the browser share: each written once and served as JavaScript."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from vae_core.config import IMAGE_SHAPE
from vae_core.data import FAINTEST
from vae_core.runs.config import ALL_SETTINGS
from vae_core.runs.film import SIDE
from vae_core.runs.folder import NOTE_LENGTH
from vae_core.runs.states import State
from vae_core.runs.sweep import MOST_SEEDS, VARIED

IMAGE_SIDE = IMAGE_SHAPE[-1]
PAD_SIDE = 56  # pixels per side of a posted drawing: twice MNIST's, so that scaling to 20×20 has something to work with
LARGEST_PHOTO = 20 * 2**20  # bytes
PHOTO_TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]  # JPEG first: Safari makes it of HEIC
LARGEST_CHECKPOINT = 256 * 2**20  # bytes: more than the largest model that the form allows
DECODED_AT_ONCE = 64  # most points in one request to the server
ASLEEP = 0.01  # nats: a latent dimension whose KL is below it carries nothing

# Of the Okabe–Ito set: colour-blind people can tell them apart. Charts take the page's own, which differ in the dark.
COLOURS = {"elbo": "#4b5563", "reconstruction": "#0072b2", "kl": "#b0578d"}
WATCHED_COLOURS = {"gap": "#d55e00", "evidence": "#00795a"}
# Of compared runs: none is near a term's, on white or in the dark.
RUN_COLOURS = ["#5b45e8", "#8a8f00", "#e0104f", "#3f9a1f", "#b81fd6", "#94694a", "#9b86e8", "#b5402f"]
TITLES = {"elbo": "−ELBO", "reconstruction": "−reconstruction", "kl": "KL"}


def vocabulary() -> dict[str, Any]:
    """What the browser gets, by the name under which its modules import it; vocabulary.d.ts has the types."""
    return {
        "STATES": {
            state: {
                "title": "Training" if state is State.RUNNING else state.capitalize(),
                "going": state.is_going,
                "resumable": state.is_resumable,
                "keeps_form": state.keeps_the_form,
                "offers": state.offers,
            }
            for state in State
        },
        "SETTINGS": {
            name: {
                "title": setting.title,
                "short": setting.short,
                "choices": dict(setting.choices),
                "low": setting.low,
                "high": setting.high,
                "step": setting.step,
            }
            for name, setting in ALL_SETTINGS.items()
        },
        "QUANTITIES": {name: {"title": TITLES[name], "colour": COLOURS[name]} for name in TITLES},
        "RUN_COLOURS": RUN_COLOURS,
        "VARIED": VARIED,
        "MOST_SEEDS": MOST_SEEDS,
        "NOTE_LENGTH": NOTE_LENGTH,
        "IMAGE_SIDE": IMAGE_SIDE,
        "PAD_SIDE": PAD_SIDE,
        "FAINTEST": FAINTEST,
        "FRAME_SIDE": SIDE,
        "LARGEST_PHOTO": LARGEST_PHOTO,
        "PHOTO_TYPES": PHOTO_TYPES,
        "LARGEST_CHECKPOINT": LARGEST_CHECKPOINT,
        "DECODED_AT_ONCE": DECODED_AT_ONCE,
        "ASLEEP": ASLEEP,
    }


def route() -> Route:
    """The vocabulary as a JavaScript module."""
    return module("/live/shared/vocabulary.js", vocabulary())


def module(path: str, constants: dict[str, Any]) -> Route:
    """A JavaScript module of constants, which a browser asks for each time."""
    text = "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in constants.items())

    async def answer(_: Any) -> Response:
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return Route(path, answer)
