"""What Gradio's login lacks: the check outside Gradio's own routes, and words where a browser keeps no login."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

# HTML that the login page shows. Gradio's login page runs no script of ours, so that an image has to start it.
NOTICE = """<img alt="" src="data:," onerror="import('./live/page/login.js').then((it) => it.notice(this))">"""


def check_login(request: Request) -> None:
    """Raises a 401 if the app requires a login and this request has none: Gradio guards only its own routes."""
    app = request.app
    token = request.cookies.get(f"access-token-{app.cookie_id}")
    token = token or request.cookies.get(f"access-token-unsecure-{app.cookie_id}")
    if app.auth is not None and app.tokens.get(token) is None:
        raise HTTPException(401, "Log in first.")
