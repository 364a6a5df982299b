"""Measures of a model: held-out figures, log p(x), the gap, and what is known in closed form."""
