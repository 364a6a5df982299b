"""Runs: each is a folder; the queue in which they wait, and what is read from them."""
