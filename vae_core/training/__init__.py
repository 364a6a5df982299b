"""Training: the loop, a single step, its random numbers and its saved state."""
