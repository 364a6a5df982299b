"""How events of the page are wired."""

# At once, without Gradio's queue and its spinner, and not a part of the app's public interface.
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
