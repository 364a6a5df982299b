"""The login check for what lies outside Gradio's own routes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request


def check_login(request: Request) -> None:
    """Raises a 401 if the app requires a login and this request has none: Gradio guards only its own routes."""
    app = request.app
    token = request.cookies.get(f"access-token-{app.cookie_id}")
    token = token or request.cookies.get(f"access-token-unsecure-{app.cookie_id}")
    if app.auth is not None and app.tokens.get(token) is None:
        raise HTTPException(401, "Log in first.")
