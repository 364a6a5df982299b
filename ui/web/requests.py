"""Checks what the browser sends, and puts the answers into JSON.

A function that takes a `request` is called by the browser with anything it likes, so it checks all of it.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from vae_core.data import DataError
from vae_core.runs.folder import RunError
from vae_core.settings import check_float

Serves = TypeVar("Serves")
FLOAT32 = torch.finfo(torch.float32)


def answering(method: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A backend method as a server function of a component: an error becomes {error: one sentence}."""

    def answer(request):  # noqa: ANN001, ANN202 (Gradio reads annotations of server functions as requests for itself)
        try:
            return method(request)
        except (ValueError, RunError, DataError) as error:
            return {"error": str(error)}
        except OSError as error:
            return {"error": f"A file on the server cannot be used: {error.strerror or error}."}

    answer.__name__ = method.__name__
    return answer


def of(backend: Serves, function: Callable[[Serves, Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A tab's function of (backend, request) as a server function of a component."""

    def bound(request: Any) -> dict[str, Any]:
        return function(backend, request)

    bound.__name__ = function.__name__
    return answering(bound)


def pixels(images: Tensor) -> str:
    """Images in [0, 1], of any shape, as base64 of bytes; values outside are clipped, and NaN is 0."""
    return base64.b64encode((images.nan_to_num().clamp(0, 1) * 255).round().to(torch.uint8).numpy().tobytes()).decode()


def browser_of(request: Any) -> str:
    """The browser that a request comes from; runs from the command line have none, so no page can control them."""
    browser = field(request, "browser")
    if not isinstance(browser, str) or not browser:
        raise ValueError("The request names no browser.")
    return browser


def field(request: Any, name: str) -> Any:
    """A field of what the browser sent."""
    if not isinstance(request, dict) or name not in request:
        raise ValueError(f"The request has no {name}.")
    return request[name]


def image_bytes(name: str, text: Any, side: int) -> Tensor:
    """Decodes base64 text into (side, side) uint8.

    Raises:
        ValueError: it is not base64 text, or has another length.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be base64 of {side}×{side} bytes.") from error
    if len(content) != side * side:
        raise ValueError(f"{name} has {len(content)} bytes; it must have {side}×{side}.")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(side, side)


def vector(name: str, values: Any, dims: int, least: float = FLOAT32.min) -> Tensor:
    """A point of latent space, or a number of each dimension, as (D,) float32. A model may have it anywhere.

    Raises:
        ValueError: it is not a list of D numbers, or one of them is below `least` or beyond float32.
    """
    if not isinstance(values, list) or len(values) != dims:
        raise ValueError(f"{name} must be a list of {dims} numbers.")
    return torch.tensor([check_float(name, value, least, FLOAT32.max) for value in values], dtype=torch.float32)


def finite(value: Tensor) -> float | None:
    """One number for JSON; null if it is not finite, since JSON has no NaN."""
    number = float(value)
    return number if math.isfinite(number) else None


def rounded(values: Tensor) -> list[Any]:
    """Numbers for JSON, with as many digits as the page shows."""
    return [rounded(value) if value.ndim else round(float(value), 3) for value in values]
