"""How the page's events are wired: none shows Gradio's spinner, and none is part of a public API."""

from __future__ import annotations

from typing import Any

# Runs at once, bypassing Gradio's queue; its errors stay unseen, so no user action may make the handler fail.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Runs through the queue, without a limit of its own: only there does a gr.Error reach the page, as a toast.
OUTSPOKEN: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
