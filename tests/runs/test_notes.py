"""A note about a run: in its folder, and in what is downloaded of it."""

import io
import zipfile

import pytest

from vae_core.runs.export import as_zip
from vae_core.runs.folder import NOTE_LENGTH, RunError

from .conftest import content, paused


def test_a_note_is_kept_in_the_folder_and_in_the_list(runs, load):
    run = paused(runs, load)
    assert runs.summary(run).note == runs.folder(run).note() == ""
    runs.annotate(run, "me", "  <b>β</b> is too large:\r\n\tall 4s are 9s \n")
    assert runs.folder(run).note() == runs.summary(run).note == "<b>β</b> is too large:\n\tall 4s are 9s"
    runs.annotate(run, "me", "x" * NOTE_LENGTH)
    assert runs.summary(run).note == "x" * NOTE_LENGTH
    runs.annotate(run, "me", " ")
    assert runs.folder(run).note() == runs.summary(run).note == ""


def test_the_zip_has_the_note(runs, load):
    run = paused(runs, load)
    runs.annotate(run, "me", "see the 4s")
    with zipfile.ZipFile(io.BytesIO(b"".join(as_zip(runs.folder(run))))) as archive:
        assert archive.read(f"{run}/note.txt").decode() == "see the 4s"


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("x" * (NOTE_LENGTH + 1), "That note has 1,001 characters; a note has at most 1,000."),
        ("a\x00b", "must not hold control characters"),
        ("a\u202eb", "must not hold control characters"),
        ("a\ud800b", "must not hold control characters"),
        (None, "A note must be a text."),
        (7, "A note must be a text."),
        (["a"], "A note must be a text."),
    ],
)
def test_what_is_no_note_is_refused_and_the_one_before_stays(runs, load, note, message):
    run = paused(runs, load)
    runs.annotate(run, "me", "before")
    before = content(runs.folder(run))
    with pytest.raises(RunError, match=message):
        runs.annotate(run, "me", note)
    assert content(runs.folder(run)) == before


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"x" * (NOTE_LENGTH + 5), b"a\x00b"])
def test_a_note_that_nobody_could_have_written_is_none(runs, load, damage):
    run = paused(runs, load)
    (runs.folder(run).path / "note.txt").write_bytes(damage)
    assert runs.summary(run).note == ""
