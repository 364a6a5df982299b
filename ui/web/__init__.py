"""The browser on the other end: its requests checked, its identity, how often it may ask, and Gradio's events."""
