"""The cards on probability: the model, Bayes' theorem, information and KL."""

from __future__ import annotations

from .card import Card, Question

CARDS = (
    Card(
        name="model",
        short="The model",
        claim="A picture becomes a place, and a place a picture.",
        text="",
        rows=("T5", "T11"),
        question=Question(
            "Sample z from the prior and draw x: which part of the machine takes no part?",
            ("the prior", "the decoder", "the encoder"),
            2,
            "The model is the prior and the decoder: they make pictures. The encoder only guesses which z a picture "
            "came from. And x̂ is the mean of p(x|z), not a sample: a sample has noise in every pixel.",
        ),
    ),
)
