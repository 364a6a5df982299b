"""How events of the page are wired: none shows Gradio's spinner, none is a part of a public interface."""

from __future__ import annotations

from typing import Any

# At once, round Gradio's queue; what it raises stays unseen, so its handler must not fail on what a user may do.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Through the queue, with no limit of its own: only there a gr.Error reaches the page, as a toast.
OUTSPOKEN: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
