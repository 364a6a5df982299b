"""Runs: trainings that are folders, the queue in which they wait, and what is read of them."""
