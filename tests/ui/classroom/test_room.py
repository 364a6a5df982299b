"""A class: who is in it, what it is asked and shown, and that it goes on after a restart."""

import json

import pytest

from ui.classroom.question import ClassError
from ui.classroom.room import MOST_MEMBERS, Room

ANNA, BERT, CARL = (letter * 32 for letter in "abc")
ASKED = ("Is the ELBO a lower bound?", ["Always.", "Sometimes.", "Never."])


@pytest.fixture
def halted():
    """What the server was told: whether its trainings halt."""
    return []


@pytest.fixture
def frozen():
    """What the server was told: the one browser that may begin trainings, or None."""
    return []


def look(browser, run):
    """A participant who follows no run."""
    return {"state": "", "is_going": False, "is_own": False, "steps": [], "points": []}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "class.json"


@pytest.fixture
def room(file, halted, frozen):
    """An open class of three."""
    room = Room(file, halted.append, frozen.append)
    room.begin()
    for browser in (ANNA, BERT, CARL):
        room.come(browser, {"tab": "train"})
    return room


def again(file):
    """The class as a server finds it that starts again."""
    return Room(file, lambda is_halted: None, lambda only: None)


def test_votes_are_private_until_they_are_shown_and_both_rounds_stand_side_by_side(room):
    room.ask(*ASKED, right=0, card="gap")
    first = room.seen_by(ANNA)["question"]
    assert (first["text"], first["options"]) == ASKED and first["counts"] == [] and first["mine"] == [None]
    assert first["right"] is None and first["card"] == ""  # neither the answer nor where it stands is given away
    for browser, choice in ((ANNA, 1), (BERT, 1), (CARL, 2), (ANNA, 2)):  # Anna thinks again
        room.vote(browser, first["number"], choice)
    assert room.seen_by(ANNA)["question"]["mine"] == [2] and room.seen_by(BERT)["question"]["mine"] == [1]
    assert room.seen_by(ANNA)["question"]["counts"] == []
    room.show()
    assert room.seen_by(ANNA)["question"]["counts"] == [[0, 1, 2]]
    with pytest.raises(ClassError, match="yours came too late"):
        room.vote(BERT, first["number"], 0)
    room.ask_again()
    second = room.seen_by(BERT)["question"]
    assert second["round"] == 2 and not second["is_shown"]
    assert second["counts"] == [[0, 1, 2]] and second["mine"] == [1, None]
    for browser in (ANNA, BERT):
        room.vote(browser, first["number"], 0)
    room.show()
    shown = room.seen_by(CARL)["question"]
    assert shown["counts"] == [[0, 1, 2], [2, 0, 0]] and shown["mine"] == [2, None]
    assert (shown["right"], shown["card"]) == (0, "gap")
    with pytest.raises(ClassError, match="ask another one"):
        room.ask_again()


def test_a_restart_changes_nothing_in_the_middle_of_a_lesson(room, file, halted, frozen):
    room.ask(*ASKED, right=0)
    number = room.seen_by(ANNA)["question"]["number"]
    room.vote(ANNA, number, 2)
    room.call(BERT, "Bert")
    room.follow(CARL, False)
    room.lead("?tab=draw&model=mnist-conv")
    room.pause(True)
    room.freeze(True, CARL)
    other = Room(file, halted.append, frozen.append)
    assert frozen == [CARL, CARL] and halted == [True, True]  # the trainings of the new process halt as well
    for browser in (ANNA, BERT, CARL):
        assert other.seen_by(browser) == room.seen_by(browser)
    assert other.version > room.version  # so that pages take it all again
    other.vote(BERT, number, 1)
    other.show()
    assert other.seen_by(ANNA)["question"]["counts"] == [[0, 1, 1]]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"question": 3}', b"\xff"])
def test_a_damaged_file_is_no_class(file, content):
    file.write_bytes(content)
    room = again(file)
    assert not room.is_open and room.members == {}
    room.begin()
    assert again(file).is_open


def test_names_are_the_lecturers_alone(room):
    room.call(ANNA, "  Anna <b>")
    room.call(BERT, "Anna <b>")
    assert json.dumps(room.seen_by(CARL)).count("Anna") == 0
    assert [it["name"] for it in room.seen_by_lecturer(look)["members"]] == ["Anna <b>", "Anna <b>", ""]
    assert [it["number"] for it in room.seen_by_lecturer(look)["members"]] == [1, 2, 3]  # what tells them apart
    assert not {ANNA, BERT, CARL} & set(json.dumps(room.seen_by_lecturer(look)).split('"'))  # ids steer runs: nobody's


@pytest.mark.parametrize("name", ["x" * 41, "x" * 10_000, "a\nb", "\u202eabc", "\x00", None, 3, ["a"]])
def test_a_name_that_cannot_be_is_refused_and_the_old_one_stays(room, name):
    room.call(ANNA, "Anna")
    with pytest.raises(ClassError):
        room.call(ANNA, name)
    assert room.seen_by(ANNA)["me"]["name"] == "Anna"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("", ["a", "b"]), "The question is empty"),
        (("x" * 501, ["a", "b"]), "at most 500 characters"),
        (("x", ["a"]), "2 to 6 answers"),
        (("x", ["a"] * 7), "2 to 6 answers"),
        (("x", "ab"), "2 to 6 answers"),
        (("x", ["a", " "]), "An answer is empty"),
        (("x", ["a", "a"]), "Two answers are the same"),
        (("x", ["a", 3]), "An answer is 3"),
        (("x", ["a", "b"], 2), "right is 2"),
        ((None, ["a", "b"]), "The question is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_what_is_asked_stays(room, asked, sentence):
    room.ask(*ASKED)
    with pytest.raises(ValueError, match=sentence):
        room.ask(*asked)
    assert room.seen_by(ANNA)["question"]["text"] == ASKED[0]


@pytest.mark.parametrize("choice", [-1, 3, 1.0, "1", None, True])
def test_a_vote_for_no_answer_is_refused(room, choice):
    room.ask(*ASKED)
    with pytest.raises(ValueError, match="The answer is"):
        room.vote(ANNA, 1, choice)
    assert room.seen_by(ANNA)["question"]["mine"] == [None]


def test_a_vote_on_a_question_that_is_over_does_not_count_for_the_next(room):
    room.ask(*ASKED)
    room.ask("Another?", ["Yes.", "No."])
    with pytest.raises(ClassError, match="That question is over"):
        room.vote(ANNA, 1, 0)
    room.take_away()
    with pytest.raises(ClassError, match="That question is over"):
        room.vote(ANNA, 2, 0)
    with pytest.raises(ClassError, match="Nothing is asked"):
        room.show()


@pytest.mark.parametrize("address", ["http://x.example/", "//x.example", "javascript:alert(1)", "", "tab=x", "? "])
def test_nobody_is_led_to_another_place(room, address):
    with pytest.raises(ClassError, match="this page's own addresses"):
        room.lead(address)
    assert room.seen_by(ANNA)["place"] is None


def test_who_is_led_twice_to_the_same_place_goes_twice(room):
    numbers = []
    for _ in range(2):
        room.lead("?tab=theory&card=gap")
        numbers.append(room.seen_by(ANNA)["place"]["number"])
    assert numbers[0] < numbers[1]
    room.release()
    assert room.seen_by(ANNA)["place"] is None


def test_a_pause_halts_the_trainings_and_the_end_of_the_class_lets_them_go_on(room, halted, frozen):
    room.pause(True)
    room.pause(True)  # two lecturers
    room.pause(False)
    room.pause(True)
    room.end()
    assert halted == [True, True, False, True, False] and frozen == [None]
    assert not room.seen_by(ANNA)["is_paused"]
    for say in (lambda: room.vote(ANNA, 1, 0), lambda: room.call(ANNA, "x"), lambda: room.follow(ANNA, True)):
        with pytest.raises(ClassError, match="no class at the moment"):
            say()


def test_the_class_has_bounds(room):
    for browser in ("", "x" * 32, "a" * 31, None, 7, "A" * 32):
        with pytest.raises(ClassError, match="names no browser"):
            room.come(browser, {})
    room.members |= {f"{n:032x}": room.members[ANNA] for n in range(MOST_MEMBERS - 3)}
    with pytest.raises(ClassError, match="The class is full"):
        room.come("f" * 32, {})
    room.come(ANNA, {"tab": "x" * 10_000, "card": ["a"]})
    assert len(room.members[ANNA].tab) <= 60


def test_who_has_gone_is_counted_apart(room, monkeypatch):
    room.members[BERT].seen -= 100
    seen = room.seen_by_lecturer(look)
    assert [it["number"] for it in seen["members"]] == [1, 3] and seen["gone"] == 1


@pytest.mark.parametrize(("is_frozen", "browser", "only"), [(True, ANNA, ANNA), (True, None, ""), (1, ANNA, None)])
def test_only_the_lecturer_may_begin_trainings_until_all_may_again(room, frozen, is_frozen, browser, only):
    room.freeze(is_frozen, browser)
    assert frozen == [only] and room.seen_by(BERT)["is_frozen"] == (only is not None)
    room.freeze(False, browser)
    assert frozen[-1] is None and not room.seen_by(BERT)["is_frozen"]


def test_those_who_are_stuck_come_first(room, monkeypatch):
    states = {ANNA: "running", BERT: "failed", CARL: ""}

    def seen():
        told = room.seen_by_lecturer(lambda browser, run: look(browser, run) | {
            "state": states[browser], "is_going": states[browser] == "running"
        })  # fmt: skip
        return [(it["number"], it["is_stuck"], it["minutes"]) for it in told["members"]]

    assert seen() == [(2, True, 0), (1, False, 0), (3, False, 0)]
    for browser in (ANNA, CARL):
        room.members[browser].moved -= 300
    assert seen() == [(2, True, 0), (3, True, 5), (1, False, 5)]  # Anna's training goes on: she looks at it
    room.come(CARL, {"tab": "draw"})
    assert seen() == [(2, True, 0), (1, False, 5), (3, False, 0)]
    room.come(ANNA, {"tab": "train"})  # where she was
    assert seen()[1] == (1, False, 5)
