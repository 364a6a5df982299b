"""What a checkpoint, which may be an upload, says of its model besides the configuration: data, training, figures."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from ..config import MOST_IMAGES, MOST_SECONDS, MOST_STEPS
from ..settings import check_choice, check_float, check_int, check_text
from .plain_json import Check, check_each, check_list, check_object, parse_json

MOST_NATS = 1e39  # of a figure, either way; a float32 ends before
MOST_NAME = 100  # characters of a dataset's name
TERMS = ("elbo", "reconstruction", "kl")


def check_about(about: Any, dims: int) -> dict[str, Any]:
    """Checks what pages and lists show of `about`, and returns it; whatever else it holds stays as it is.

    Args:
        about: a JSON value.
        dims: D of the model.

    Raises:
        ValueError: something has the wrong type or length, or is out of bounds; the message names it.
    """
    return check_object("about", about, _checks(dims))


def keep_valid(about: dict[str, Any], dims: int) -> dict[str, Any]:
    """Returns `about` with None in place of each entry that fails its check: an evaluation, say, may be infinite."""
    return {name: value if _is_valid(name, value, dims) else None for name, value in about.items()}


def _is_valid(name: str, value: Any, dims: int) -> bool:
    try:
        check_about(parse_json(json.dumps({name: value})), dims)
        return True
    except ValueError:
        return False


def _checks(dims: int) -> dict[str, Check]:
    """The check of each entry that pages and lists show, for a model of D dimensions."""
    nats = partial(check_float, low=-MOST_NATS, high=MOST_NATS)
    steps = partial(check_int, low=0, high=MOST_STEPS)
    images = partial(check_int, low=0, high=MOST_IMAGES)
    terms: dict[str, Check] = dict.fromkeys(TERMS, nats)
    latent: dict[str, Check] = {
        "kl_per_dim": partial(check_list, check=nats, length=dims),
        "active_units": partial(check_int, low=0, high=dims),
    }
    figures = (
        terms
        | latent
        | {
            "log_likelihood": nats,
            "samples": partial(check_int, low=1, high=MOST_STEPS),
            "split": partial(check_choice, choices=("train", "test")),
        }
    )
    checks: dict[str, Check] = {
        "data": partial(check_text, most=MOST_NAME),
        "hold_out": images,
        "start": check_text,
        "learned": partial(check_each, check=images),
        "step": steps,
        "seconds": partial(check_float, low=0, high=MOST_SECONDS),
        "test": partial(check_object, checks=terms, needed=("elbo",)),
        "test_step": steps,
        "figures": partial(
            check_object, checks=figures, needed=("elbo", "log_likelihood", "samples", "split", *latent)
        ),
    }
    return checks | latent
