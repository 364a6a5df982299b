"""Which runs of a server are deleted to make room for new ones, and which stay."""

import pytest

from vae_core import VAE, save_checkpoint
from vae_core.runs.allowance.room import Kept, making_room
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.server import Runs

from ..conftest import seeded
from .conftest import NEW, NOBODY, SHORT, content, finished, going, is_in, limited, old, paused, reached, rest
from .test_run import MODEL


def test_a_run_is_pinned_by_its_owner_and_nobody_else(runs, load):
    run = paused(runs, load)
    assert not runs.folder(run).is_pinned and not runs.summary(run).is_pinned
    runs.pin(run, "me", True)
    assert runs.folder(run).is_pinned and runs.summary(run).is_pinned
    before = content(runs.folder(run))
    for owner in ("bert", "", None):
        with pytest.raises(RunError, match="belongs to another browser"):
            runs.pin(run, owner, False)
    with pytest.raises(RunError, match=f"There is no run {NOBODY}"):
        runs.pin(NOBODY, "me", True)
    runs.pin(run, "me", True)
    assert content(runs.folder(run)) == before
    runs.pin(run, "me", False)
    runs.pin(run, "me", False)
    assert not runs.folder(run).is_pinned and not runs.summary(run).is_pinned


def upload(runs, tmp_path):
    save_checkpoint(VAE(MODEL, seeded()), tmp_path / "up.safetensors")
    return runs.add(tmp_path / "up.safetensors", "me", "up")


COMING = {
    "start": lambda runs, load, path: [runs.start(MODEL, SHORT, "digits", load, "me")],
    "sweep": lambda runs, load, path: runs.start_sweep([(MODEL, SHORT)] * 2, "digits", load, "me"),
    "upload": lambda runs, load, path: [upload(runs, path)],
    "reset": lambda runs, load, path: [runs.start_over(runs.of("me")[0], "me")],
}


@pytest.mark.parametrize("way", COMING)
def test_the_oldest_runs_of_a_visitor_make_room_for_new_ones(server, load, tmp_path, way):
    runs = server(max_runs=3)
    mine, other = [old(runs, number) for number in (1, 3, 4)], old(runs, 2, "bert")
    new = COMING[way](runs, load, tmp_path)
    gone = [mine[1]] if way == "reset" else mine[: len(new)]  # a run that another one is made of stays
    assert runs.of("me") == [run for run in mine if run not in gone] + sorted(new)
    assert runs.of("bert") == [other] and not any(runs.folder(run).path.exists() for run in gone)


def test_a_run_that_a_new_one_begins_with_stays(server, load):
    runs = server(max_runs=2)
    first, second = finished(runs, load), finished(runs, load)
    for run in (first, second):
        rest(runs.folder(run))
    first, second = runs.of("me")
    third = finished(runs, load, weights=runs.folder(first).model_file)
    assert set(runs.of("me")) == {first, third}  # of one second: in no order


KEPT = {
    "pinned": lambda runs: runs.folder(old(runs, 1)).write_pinned(True),
    "paused": lambda runs: old(runs, 1, state="paused"),
    "young": lambda runs: old(runs, 1, age=590),
}
ADVICE = (
    "This server keeps 1 run of a visitor, and yours are pinned, paused, in training or less than ten minutes old:"
    " delete 1 run of yours, or unpin as many."
)


@pytest.mark.parametrize("why", KEPT)
@pytest.mark.parametrize("way", COMING)
def test_what_stays_makes_no_room_and_the_new_run_is_refused(server, load, tmp_path, why, way):
    runs = server(max_runs=1 if way != "sweep" else 2)
    if way == "sweep":
        old(runs, 2)  # which could go, but that is not enough
    KEPT[why](runs)
    if why == "pinned":
        for run in runs.of("me"):
            rest(runs.folder(run))
    before = {run: content(runs.folder(run)) for run in runs.of("me")}
    with pytest.raises(RunError) as caught:
        COMING[way](runs, load, tmp_path)
    assert str(caught.value) == (ADVICE if way != "sweep" else ADVICE.replace("1 run of a", "2 runs of a"))
    assert {run: content(runs.folder(run)) for run in runs.of("me")} == before


def test_a_run_that_trains_makes_no_room_however_long_nothing_was_written(server, load, monkeypatch):
    monkeypatch.setattr("vae_core.runs.server.REST", 0)
    runs = server(max_runs=1)
    run = going(runs, load, "anna")
    assert not runs._may_go(run)
    runs.stop(run, "anna")
    reached(runs, run, "stopped")
    runs.queue.going(run)  # waits until its thread has let go of it
    assert runs._may_go(run)


def test_a_run_that_waits_makes_no_room(in_line, server, load, monkeypatch):
    monkeypatch.setattr("vae_core.runs.server.REST", 0)
    runs = server(max_runs=1)
    runs.queue._dispatch = lambda: None  # nothing comes into memory
    run = runs.start(MODEL, SHORT, "digits", load, "anna")
    assert is_in(runs, run, "waiting") and not runs._may_go(run)
    runs.stop(run, "anna")
    assert runs._may_go(run)


@pytest.mark.parametrize(("age", "goes"), [(590, False), (610, True)])
@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "running"])  # the last one was killed
def test_a_run_may_go_ten_minutes_after_its_last_change(server, age, goes, state):
    runs = server(max_runs=1)
    run = old(runs, 1, state=state, age=age)
    assert runs._may_go(run) == goes
    runs.annotate(run, "me", "not yet")
    assert not runs._may_go(run)


def test_a_run_that_another_process_trains_does_not_go(server):
    runs = server(max_runs=1)
    run = old(runs, 1, state="running")
    folder = RunFolder(runs.folder(run).path)
    assert runs._may_go(run)
    folder.acquire()
    assert not runs._may_go(run)
    folder.release()


def test_what_is_pinned_is_passed_over(server, load):
    runs = server(max_runs=2)
    first, second = old(runs, 1), old(runs, 2)
    runs.pin(first, "me", True)
    third = finished(runs, load)
    assert runs.of("me") == [first, third] and second not in runs.of("me")


def test_the_bytes_of_a_visitor_are_measured_with_what_the_new_run_takes(server, load):
    size = 1_000_000
    runs = server()
    first, second = old(runs, 1, size=size), old(runs, 2, size=size)
    taken = sum(runs.folder(run).size() for run in (first, second))
    exactly = server(max_gb=(taken + NEW) / 1e9)
    third = finished(exactly, load)
    assert exactly.of("me") == [first, second, third]
    exactly.delete(third, "me")
    less = server(max_gb=(taken + NEW - 1) / 1e9)
    assert less.of("me") == [first, second]
    third = finished(less, load)
    assert less.of("me") == [second, third]


def test_the_oldest_runs_of_all_make_room_within_the_limit_of_all(server, load):
    runs = server()
    made = [old(runs, number, owner) for number, owner in enumerate(["", "anna", "bert", "me"])]
    size = sum(runs.folder(run).size() for run in made)
    runs = server(max_total_gb=(size + NEW - 100_001) / 1e9)
    new = finished(runs, load)
    assert runs.all() == [made[0], *made[2:], new]  # the first one belongs to no browser


def test_sizes_at_rest_are_counted_once(server, load, monkeypatch):
    runs, counted = server(max_runs=100), []
    size = RunFolder.size
    monkeypatch.setattr(RunFolder, "size", lambda folder: counted.append(folder.path.name) or size(folder))
    made = [old(runs, number) for number in range(20)]
    assert [it.size for it in runs.kept()] == [size(runs.folder(run)) for run in made] and counted == made
    runs.kept()
    assert counted == made
    runs.folder(made[3]).write_note("longer now")
    assert runs.kept()[3] == Kept(made[3], "me", size(runs.folder(made[3]))) and counted == [*made, made[3]]
    runs.delete(made[0], "me")
    assert [it.run for it in runs.kept()] == made[1:] and set(runs._sizes) == set(made[1:])


def test_a_damaged_run_takes_room_and_stays(server, load):
    runs = server()
    run = old(runs, 1, "anna")
    (runs.folder(run).path / "config.json").write_text("{")
    assert runs.kept() == [Kept(run, "", runs.folder(run).size())]


def test_without_limits_nothing_is_measured(runs, load, monkeypatch):
    measured = []
    monkeypatch.setattr(Runs, "kept", lambda runs: measured.append(runs) or [])
    assert runs.folder(finished(runs, load)).saved_step() == 4 and measured == []


# Which runs make room


def room(kept, sizes=(10,), may_go=lambda run: True, owner="me", **limits):
    """What making_room says of runs a, b, c, … of these owners and sizes; limits are in bytes."""
    limits = {name: value / 1e9 if "gb" in name else value for name, value in limits.items()}
    each = [Kept("abcdef"[n], *(kind(it) for kind, it in zip((str, int), text.split(":"), strict=True)))
            for n, text in enumerate(kept.split())]  # fmt: skip
    return "".join(making_room(limited(**limits), each, owner, sizes, may_go))


@pytest.mark.parametrize(
    ("kept", "how", "gone"),
    [
        ("me:10 me:10", {"max_runs": 3}, ""),
        ("me:10 me:10", {"max_runs": 2}, "a"),
        ("me:10 me:10", {"max_runs": 2, "sizes": (10, 10)}, "ab"),
        ("me:10 anna:10 me:10", {"max_runs": 1}, "ac"),
        ("me:10 me:10 me:10", {"max_gb": 40}, ""),
        ("me:10 me:10 me:10", {"max_gb": 39}, "a"),
        ("me:10 me:1 me:10", {"max_gb": 21, "may_go": lambda run: run != "a"}, "bc"),
        ("anna:90 me:10 me:10", {"max_gb": 29}, "b"),
        ("anna:10 me:10 bert:10", {"max_total_gb": 39}, "a"),
        (":90 anna:10 me:10 bert:10", {"max_total_gb": 120}, "b"),
        ("anna:10 me:10 bert:10", {"max_runs": 1, "max_total_gb": 30}, "b"),
        ("anna:10 me:10 bert:10", {"max_runs": 1, "max_total_gb": 29}, "ba"),
        ("me:10 me:10", {"max_runs": 1, "max_gb": 1000, "owner": ""}, ""),
    ],
)
def test_no_more_runs_go_than_have_to(kept, how, gone):
    assert room(kept, **how) == gone


@pytest.mark.parametrize(
    ("kept", "how", "sentence"),
    [
        ("", {"max_runs": 1, "sizes": (1, 1)}, "That makes 2 runs, and this server keeps at most 1 of a visitor."),
        (
            "", {"max_gb": 3e9, "sizes": (3_000_000_001,)},
            "That takes about 3.1 GB, and this server keeps 3 GB: take a smaller model.",
        ),
        (
            "", {"max_total_gb": 20e6, "sizes": (15_000_000, 5_500_000)},
            "That takes about 21 MB, and this server keeps 20 MB: take a smaller model.",
        ),
        (
            "me:1 me:1", {"max_runs": 2, "sizes": (1, 1), "may_go": lambda run: run == "a"},
            "This server keeps 2 runs of a visitor, and yours are pinned, paused, in training or less than ten minutes"
            " old: delete 1 run of yours, or unpin as many.",
        ),
        (
            "me:900000000 me:900000000", {"max_gb": 2e9, "sizes": (350_000_000,), "may_go": lambda run: False},
            "This server keeps 2 GB of a visitor, and your runs are pinned, paused, in training or less than ten"
            " minutes old: delete runs of yours of 0.2 GB, or unpin as many.",
        ),
        (
            "anna:900000000 me:900000000", {"max_total_gb": 2e9, "sizes": (250_000_000,), "may_go": lambda run: False},
            "The runs on this server fill the 2 GB that it keeps, and they are pinned, paused, in training or"
            " less than ten minutes old: delete runs of yours of 50 MB, or ask whoever runs the server to.",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_delete(kept, how, sentence):
    with pytest.raises(RunError) as caught:
        room(kept, **how)
    assert str(caught.value) == sentence
