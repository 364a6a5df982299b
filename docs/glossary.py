"""Writes glossary.md from the page's glossary: python -m docs.glossary."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from ui.glossary import glossary

FILE = Path(__file__).parent / "glossary.md"
HEAD = """# Glossary

The words that the page explains where they stand, and every setting of a training. This file is written by
`python -m docs.glossary` from `ui/terms.py` and the settings' own declarations; change those.
"""


def text() -> str:
    """The glossary as Markdown, in alphabetical order of the titles."""
    terms = sorted(glossary().values(), key=lambda term: term.title.casefold())
    parts = [HEAD]
    for term in terms:
        sentence = textwrap.fill(term.sentence.replace("*", "\\*"), 120)
        parts.append(f"## {term.title}\n\n{sentence}\n")
        if term.also:
            parts.append(f"Also called {', '.join(term.also)}.\n")
        if term.formula:
            parts.append(f"```math\n{without_colours(term.formula)}\n```\n")
    return "\n".join(parts)


def without_colours(formula: str) -> str:
    r"""A formula in which \term{kl}{…} is only {…}."""
    return re.sub(r"\\term\{\w+\}", "", formula)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
