"""The glossary: every word that the page explains where it stands, read by the page and by docs/glossary.md."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import gradio
from starlette.routing import Route

from vae_core.runs.config import ALL_SETTINGS
from vae_core.settings import Setting

from .terms import FORMULAS, WORDS, Term
from .vocabulary import module

# Gradio brings KaTeX for its own Markdown, and serves it under names that differ from version to version.
ASSETS = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"


def glossary() -> dict[str, Term]:
    """All terms, by the name that data-term gives on the page; a setting is one under its own name."""
    return WORDS | {name: _term(name, setting) for name, setting in ALL_SETTINGS.items()}


def field_id(name: str) -> str:
    """The id of a setting's field in the form, or of the choice of data."""
    is_number = name in ALL_SETTINGS and not ALL_SETTINGS[name].choices
    return f"{'number' if is_number else 'choice'}-{name}"


def fold_id(group: str) -> str:
    """The id of a folded part of the form."""
    return f"fold-{group}"


def _term(name: str, setting: Setting) -> Term:
    """A setting as a term: its title and its sentence stand in its declaration."""
    term = Term(setting.title, setting.help, FORMULAS.get(name, ""))
    if not setting.group:
        return term
    fold = "" if setting.group == "main" else fold_id(setting.group)
    return Term(term.title, term.sentence, term.formula, "train", field_id(name), fold)


def katex() -> dict[str, str]:
    """The addresses of KaTeX's script and style, relative to the page; empty where this Gradio brings none.

    The page then shows formulas as LaTeX.
    """
    found = {kind: sorted(ASSETS.glob(f"katex-*.{kind}")) for kind in ("js", "css")}
    return {kind: f"assets/{files[0].name}" if files else "" for kind, files in found.items()}


def route() -> Route:
    """The glossary as a JavaScript module; glossary.d.ts has the types."""
    terms = {name: asdict(term) for name, term in glossary().items()}
    return module("/live/words/glossary.js", {"TERMS": terms, "KATEX": katex()})
