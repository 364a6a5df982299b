"""Every file is UTF-8, and everything can be printed, whatever the system's own encoding."""

import ast
import io
import os
import subprocess
import sys

import pytest

from vae_core.files import print_in_any_locale

from .conftest import PLAIN, ROOT

PARTS = ("vae_core", "ui", "checkpoints", "bench", "docs")
CODE = sorted([ROOT / "app.py", *(path for part in PARTS for path in (ROOT / part).rglob("*.py"))])
OTHERS = ("Image", "archive", "urllib.request")  # whose open opens no text
NAME = "β = 4, größer, 日本"


def opens_text(call: ast.Call) -> bool:
    """Whether a call may open a file as text."""
    if isinstance(call.func, ast.Attribute):
        name = "" if ast.unparse(call.func.value) in OTHERS else call.func.attr
    else:
        name = getattr(call.func, "id", "")
    is_binary = any(isinstance(part, ast.Constant) and "b" in str(part.value) for part in call.args)
    return name in ("read_text", "write_text") or (name == "open" and not is_binary)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_is_opened_with_its_encoding(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    missing = [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call in calls
        if opens_text(call) and "encoding" not in [keyword.arg for keyword in call.keywords]
    ]
    assert not missing


PROGRAM = """
import sys
from pathlib import Path
from vae_core.cli import main
from vae_core.runs.folder import RunFolder
run, name = Path(sys.argv[1]), sys.argv[2].encode("ascii", "surrogateescape").decode()
assert "utf" not in open(sys.argv[1] + ".txt", "w").encoding.lower()
assert main(["train", "--out", str(run), *sys.argv[3:]]) == 0
RunFolder(run).write_name(name)
print(RunFolder(run).name())
"""


def test_a_run_is_written_and_read_where_the_locale_is_not_utf_8(tmp_path):
    options = ["--data", "digits", "--hidden-dim", "8", "--epochs", "1", "--device", "cpu", *PLAIN]
    env = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "run ü"), NAME, *options]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    assert "held-out −ELBO" in done.stdout and done.stdout.splitlines()[-1] == NAME
    assert (tmp_path / "run ü" / "name.txt").read_bytes() == NAME.encode()


class Terminal(io.BytesIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("file", "shown"), [(io.BytesIO, "−ELBO ä".encode()), (Terminal, b"?ELBO \xe4")])
def test_what_a_terminal_cannot_show_is_a_question_mark(monkeypatch, file, shown):
    out = io.TextIOWrapper(file(), encoding="latin-1")
    monkeypatch.setattr("sys.stdout", out)
    print_in_any_locale()
    print("−ELBO ä", end="", flush=True)
    monkeypatch.undo()
    assert out.buffer.getvalue() == shown
