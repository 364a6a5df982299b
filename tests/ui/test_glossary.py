"""The glossary has every word that the page explains and every setting, and docs/glossary.md says the same."""

import re

import pytest

from docs.glossary import FILE, text
from ui.glossary import ASSETS, field_id, glossary, katex
from ui.tabs.form import LABELS
from vae_core.runs.config import ALL_SETTINGS

from ..conftest import ROOT

SOURCES = [path for kind in ("py", "js") for path in sorted((ROOT / "ui").rglob(f"*.{kind}"))]
NAMES = re.compile(r"""\bword\(\s*"(\w+)"|data-term=['"](\w+)['"]>|dataset\.term = "(\w+)\"""")
TERMS = glossary()


def test_every_setting_is_a_term_and_its_sentence_stands_in_its_declaration():
    for name, setting in ALL_SETTINGS.items():
        assert setting.help and (TERMS[name].title, TERMS[name].sentence) == (setting.title, setting.help)


def test_every_field_of_the_form_is_a_term_that_leads_to_it():
    for name in LABELS:
        assert (TERMS[name].tab, TERMS[name].place) == ("train", field_id(name))


def test_every_word_in_the_sources_is_a_term():
    used = {name for path in SOURCES for found in NAMES.findall(path.read_text()) for name in found if name}
    assert {"kl", "elbo", "nat", "prior", "score", "used"} <= used  # so that the pattern finds all three forms
    assert used <= set(TERMS)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_explained_in_one_sentence(name):
    term = TERMS[name]
    assert term.title and term.sentence.endswith(".")
    assert ". " not in term.sentence
    assert len(term.sentence.split()) <= 36
    assert bool(term.tab) == bool(term.place)


def test_gradio_brings_the_katex_that_typesets_formulas():
    found = katex()
    assert set(found) == {"js", "css"}
    for address in found.values():
        assert (ASSETS / address.removeprefix("assets/")).is_file()
    assert "as default}" in (ASSETS / found["js"].removeprefix("assets/")).read_text(encoding="utf-8")[-40:]


def test_the_page_shows_latex_where_gradio_brings_no_katex(monkeypatch, tmp_path):
    monkeypatch.setattr("ui.glossary.ASSETS", tmp_path)
    assert katex() == {"js": "", "css": ""}


def test_the_documentation_is_made_of_it():
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m docs.glossary"
