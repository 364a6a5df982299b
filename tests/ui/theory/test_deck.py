"""What the cards say: few words, questions that can be answered, and lines of the source that are there."""

import re
from pathlib import Path

import pytest

from ui.glossary import glossary
from ui.theory.card import WORDS, Question, source
from ui.theory.deck import GROUPS, ORDER, SHORT_WAY, deck
from vae_core.densities import gaussian_kl

from ...conftest import ROOT

LIVE = ROOT / "ui" / "live" / "theory"
TERM = re.compile(r"\\term\{(\w+)\}")


def test_each_card_is_one_of_the_deck_and_has_a_picture():
    declared = [(group, card.name) for group, cards in GROUPS.items() for card in cards]
    assert len(declared) == len(deck()) and {name for _, name in declared} <= set(ORDER)
    assert set(SHORT_WAY) <= set(ORDER)
    for group, name in declared:
        assert (LIVE / group / f"{name}.js").is_file()


@pytest.mark.parametrize("card", deck().values(), ids=lambda card: card.name)
def test_a_card_says_little_and_claims_something(card):
    plain = re.sub(r"\$[^$]*\$", "", card.text)
    assert len(re.findall(r"[\w’-]{2,}", plain)) <= WORDS
    assert card.claim.endswith((".", "?")) and card.rows
    assert all(re.fullmatch(r"T\d+", row) for row in card.rows)


@pytest.mark.parametrize("card", deck().values(), ids=lambda card: card.name)
def test_the_terms_of_a_card_have_their_source_and_its_lines_a_number(card):
    named = set(TERM.findall(card.formula + "".join(line.formula for line in card.lines)))
    assert set(card.code) <= named or card.name == "motion"  # whose stages have lines of the source, too
    for line in card.lines:
        assert re.fullmatch(r"\(\d+\)|§\d+|\(\d+\)[–, ]+\(\d+\)|", line.number), line.number
    for found in card.served()["code"].values():
        text = (ROOT / found["file"]).read_text(encoding="utf-8").splitlines()[found["line"] - 1]
        assert text.strip() == found["text"]


def test_a_part_of_no_line_or_of_several_is_refused():
    with pytest.raises(ValueError, match="gaussian_kl has 0 lines"):
        source(gaussian_kl, "not there")
    with pytest.raises(ValueError, match="lines with 'mu'"):
        source(gaussian_kl, "mu")
    assert Path(source(gaussian_kl, "torch.addcmul")["file"]) == Path("vae_core/densities.py")


@pytest.mark.parametrize(("choices", "right"), [(("one",), 0), (("a", "b"), 2), (("a", "b", "c", "d", "e"), 0)])
def test_a_question_that_cannot_be_answered_is_refused(choices, right):
    with pytest.raises(ValueError, match="two to four choices"):
        Question("Which?", choices, right, "Because.", "Now drag.")


def test_what_a_card_leads_to_is_a_tab_of_the_page():
    tabs = {term.tab for term in glossary().values()} | {"train", "elbo", "draw", "latents", "runs"}
    assert {card.lead.tab for card in deck().values() if card.lead} <= tabs
