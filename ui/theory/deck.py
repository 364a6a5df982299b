"""The deck: the cards in their order, served to the page as a JavaScript module."""

from __future__ import annotations

from starlette.routing import Route

from ..vocabulary import module
from . import bound, gaussian, gradient, kl, learning, motion, probability, promises
from .card import Card

# By the folder of live/theory/ that has their pictures.
GROUPS = {
    "probability": probability.CARDS,
    "kl": kl.CARDS,
    "bound": bound.CARDS,
    "gaussian": gaussian.CARDS,
    "gradient": gradient.CARDS,
    "motion": motion.CARDS,
    "learning": learning.CARDS,
    "promises": promises.CARDS,
}
ORDER = (
    "model", "bayes", "information", "kl", "asymmetry", "nonnegative", "integral", "jensen", "gap", "gaussian",
    "reparameterization", "draws", "motion", "mean", "likelihoods", "amortization", "promises", "break",
)  # fmt: skip
SHORT_WAY = ("model", "bayes", "gap", "reparameterization", "motion", "mean")
PLANE_MODEL = "mnist-mlp-2d"  # offered where a card needs two dimensions


def deck() -> dict[str, Card]:
    """All cards by name, in their order."""
    cards = {card.name: card for group in GROUPS.values() for card in group}
    return {name: cards[name] for name in ORDER if name in cards}


def route() -> Route:
    """The deck as a JavaScript module; cards.d.ts has the types."""
    folder = {card.name: group for group, cards in GROUPS.items() for card in cards}
    cards = [card.served() | {"module": f"{folder[name]}/{name}"} for name, card in deck().items()]
    short = [name for name in SHORT_WAY if name in deck()]
    return module("/live/theory/cards.js", {"CARDS": cards, "SHORT_WAY": short, "PLANE_MODEL": PLANE_MODEL})
