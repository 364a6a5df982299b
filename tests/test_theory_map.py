"""docs/theory.md leads from every equation to a card, a function and a test that exist."""

import ast
import re

import pytest

from ui.theory.deck import deck

from .conftest import ROOT

TEXT = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")
EQUATIONS = {f"({n})" for n in range(1, 45)}
SECTIONS = {f"§{n}" for n in range(1, 11)}
ROWS = {f"T{n}" for n in range(1, 21)}


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    lines = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def named(text: str) -> set[str]:
    """The equations, sections and rows that a cell names: (1)–(5) are five."""
    found = set()
    for kind, first, last in re.findall(r"(\(|§|T)(\d+)[a-z]?\)?(?:[–-][(§T]?(\d+)\)?)?", text):
        end = ")" if kind == "(" else ""
        found |= {f"{kind}{n}{end}" for n in range(int(first), int(last or first) + 1)}
    return found


def names_of(path) -> set[str]:
    """What a Python file defines: functions, classes and methods, the latter also as Class.method."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = [it.name for it in node.body if isinstance(it, ast.FunctionDef)]
            found |= {f".{name}" for name in members} | {f"{node.name}.{name}" for name in members}
    return found


def functions(cell: str) -> list[tuple[str, str]]:
    """The pairs of file and name in a cell: a file, and then names that it defines, each between backticks."""
    pairs, file = [], ""
    for code in CODE.findall(cell):
        if "/" in code or re.search(r"\.(py|js)$", code):
            file = code
        else:
            pairs.append((file, code))
    return pairs


DERIVATION = table("The derivation, line by line")


@pytest.mark.parametrize("row", DERIVATION, ids=lambda row: row[0])
def test_each_row_names_a_card_a_function_and_a_test_that_exist(row):
    source, card, where, test = row
    assert card in deck()
    assert set(deck()[card].rows) >= {name for name in named(source) if name.startswith("T")}
    pairs = functions(where)
    assert pairs
    for file, name in pairs:
        path = ROOT / file if file.startswith("ui/") else ROOT / "vae_core" / file
        assert name in names_of(path), f"{file} has no {name}"
    for code in CODE.findall(test):
        file, _, name = code.partition("::")
        assert (ROOT / "tests" / file).is_file(), file
        assert not name or name in names_of(ROOT / "tests" / file), code


def test_every_equation_section_and_row_is_on_a_card():
    covered = set().union(*(named(source) for source, *_ in DERIVATION))
    assert covered >= EQUATIONS | SECTIONS | ROWS


def test_every_card_has_its_rows_in_the_table():
    listed = {}
    for source, card, *_ in DERIVATION:
        listed.setdefault(card, set()).update(name for name in named(source) if name.startswith("T"))
    assert listed == {name: set(card.rows) for name, card in deck().items()}


def test_the_lines_of_a_card_are_of_its_equations():
    listed = {}
    for source, card, *_ in DERIVATION:
        listed.setdefault(card, set()).update(named(source))
    for name, card in deck().items():
        for line in card.lines:
            assert named(line.number) <= listed[name], f"{name}: {line.number}"
