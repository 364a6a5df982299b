"""The limits of a server: of a training, and of what is kept."""

import contextlib
import dataclasses
import os
import time

import pytest

from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.runs.allowance.limits import UNLIMITED, Limits, bytes_of, parameters_of
from vae_core.runs.allowance.room import Kept, making_room
from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.run import train_into
from vae_core.runs.server import Runs
from vae_core.settings import FaultsError

from ..conftest import plain, seeded
from .conftest import LONG, NOBODY, content, going, is_in, paused, reached
from .test_run import CPU, MODEL

SHORT = plain(epochs=1, batch_size=50)  # 4 steps
WEIGHTS = 784 * 16 + 16 + 16 * 6 + 6 + 3 * 16 + 16 + 16 * 784 + 784  # of MODEL: encoder and decoder, layer by layer
NEW = 20 * WEIGHTS  # bytes that a run of it counts as
HOUR = 3600


def limited(**limits):
    """Those limits, and no others."""
    return dataclasses.replace(UNLIMITED, **limits)


@pytest.fixture
def server(tmp_path):
    """Makes the runs of a server with certain limits, all of the same folder."""
    with contextlib.ExitStack() as made:
        yield lambda **limits: made.enter_context(contextlib.closing(Runs(tmp_path, CPU, limits=limited(**limits))))


def old(runs, number, owner="me", state="finished", size=100_000, age=HOUR):
    """A run that a browser left long ago; the one with the least number is the oldest. size: bytes of its weights."""
    run = f"20260101-{number:06}-0123456789abcdef"
    folder = runs.folder(run)
    folder.create()
    folder.write_config(RunConfig(MODEL, SHORT, "digits", train_images=200, owner=owner))
    folder.write_status(state, "Then.")
    folder.model_file.write_bytes(b"x" * size)
    rest(folder, age)
    return run


def rest(folder, age=HOUR):
    """Makes a folder's files as old as that, in seconds."""
    for path in folder.path.iterdir():
        os.utime(path, (time.time() - age,) * 2)


def finished(runs, load, **kwargs):
    """A new run that has ended."""
    run = runs.start(MODEL, SHORT, "digits", load, "me", **kwargs)
    reached(runs, run, "finished")
    return run


# The numbers


def test_the_defaults_suit_a_class_of_forty():
    of_class = {"max_steps": 200_000, "max_minutes": 60, "max_parameters": 20_000_000, "max_runs": 50, "max_gb": 2}
    assert dataclasses.asdict(Limits()) == of_class | {"max_total_gb": 20}


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("max_steps", -1, "a whole number from 0 to 1000000000000"),
        ("max_steps", 2.5, "a whole number from 0 to 1000000000000"),
        ("max_minutes", -0.5, "a number from 0 to 1e+06"),
        ("max_minutes", float("nan"), "a number from 0 to 1e+06"),
        ("max_parameters", True, "a whole number from 0 to 1000000000000"),
        ("max_runs", 10**7, "a whole number from 0 to 1000000"),
        ("max_gb", "2", "a number from 0 to 1e+06"),
        ("max_total_gb", float("inf"), "a number from 0 to 1e+06"),
    ],
)
def test_a_limit_that_cannot_be_is_named_with_its_value_and_bounds(name, value, bounds):
    with pytest.raises(FaultsError) as caught:
        Limits(**{name: value})
    assert caught.value.faults == {name: f"{name} is {value!r}; it must be {bounds}."}


def test_nothing_means_no_limit():
    none = (UNLIMITED.most_seconds, UNLIMITED.most_runs, UNLIMITED.most_bytes, UNLIMITED.most_bytes_of_all)
    assert none == (float("inf"),) * 4 and not UNLIMITED.bounds_what_is_kept
    UNLIMITED.check(VAEConfig(architecture="conv", hidden_dim=8192), plain(steps=10**9))
    most = Limits(max_minutes=1.5, max_gb=1.1, max_total_gb=1e-12)
    assert (most.most_seconds, most.most_bytes, most.most_bytes_of_all) == (90, 1_100_000_000, 1)


@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual", "linear"])
def test_parameters_are_counted_as_the_model_has_them(architecture):
    for config in (
        VAEConfig(architecture=architecture, latent_dim=3, hidden_dim=16, hidden_layers=2),
        VAEConfig(architecture=architecture, likelihood="gaussian", sigma_mode="learned"),
    ):
        assert parameters_of(config) == sum(parameter.numel() for parameter in VAE(config).parameters())
    assert parameters_of(MODEL) == WEIGHTS and bytes_of(MODEL) == NEW


# Of a training

OVER = {
    "max_steps": (
        {"max_steps": 39},
        {"epochs": "epochs is 10; that makes 40 steps, and this server takes at most 39: take at most 9."},
    ),
    "max_parameters": (
        {"max_parameters": WEIGHTS - 1},
        {
            "hidden_dim": f"hidden_dim is 16; that makes a model of {WEIGHTS:,} parameters, and this server takes at"
            f" most {WEIGHTS - 1:,}."
        },
    ),
}
TEN = plain(epochs=10, batch_size=50)
WAYS = {
    "start": lambda runs, run, load: runs.start(MODEL, TEN, "digits", load, "me", images=200),
    "first batch": lambda runs, run, load: runs.start(MODEL, TEN, "digits", load, "me", images=200, one_batch=True),
    "sweep": lambda runs, run, load: runs.start_sweep(
        [(dataclasses.replace(MODEL, hidden_dim=8), SHORT), (MODEL, TEN)], "digits", load, "me", images=200
    ),
    "play": lambda runs, run, load: runs.play(run, "me", load),
    "step": lambda runs, run, load: runs.play(run, "me", load, one_batch=True),
    "reset": lambda runs, run, load: runs.start_over(run, "me"),
    "change": lambda runs, run, load: runs.change(run, "me", {"beta": 2.0}),
}


@pytest.mark.parametrize("limit", OVER)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_past_a_limit_of_a_training(server, load, way, limit):
    limits, faults = OVER[limit]
    free = server()
    run = free.start(MODEL, TEN, "digits", load, "me", one_batch=True)
    reached(free, run, "paused")
    runs = server(**limits)
    before = content(runs.folder(run))
    with pytest.raises(FaultsError) as caught:
        WAYS[way](runs, run, load)
    assert caught.value.faults == faults
    assert content(runs.folder(run)) == before and runs.of("me") == [run]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_just_within_its_limits_is_taken(server, load, way):
    free = server()
    run = free.start(MODEL, TEN, "digits", load, "me", one_batch=True)
    reached(free, run, "paused")
    WAYS[way](server(max_steps=40, max_parameters=WEIGHTS), run, load)


def test_both_faults_of_a_training_are_said_at_once(server, load):
    with pytest.raises(FaultsError) as caught:
        server(max_steps=39, max_parameters=1).start(MODEL, TEN, "digits", load, "me", images=200)
    assert list(caught.value.faults) == ["hidden_dim", "epochs"]


@pytest.mark.parametrize(
    ("training", "images", "sentence"),
    [
        (plain(steps=101), 0, "steps is 101; a training on this server has at most 100."),
        (
            plain(epochs=101), 0,
            "epochs is 101; that makes at least 101 steps, and this server takes at most 100: take at most 100.",
        ),
        (
            plain(epochs=2, batch_size=1), 200,
            "epochs is 2; that makes 400 steps, and this server takes at most 100: take larger batches.",
        ),
    ],
)  # fmt: skip
def test_a_long_training_is_told_what_it_may_take(training, images, sentence):
    with pytest.raises(FaultsError) as caught:
        limited(max_steps=100).check(MODEL, training, images)
    assert str(caught.value) == sentence


def test_a_linear_model_is_told_of_its_dimensions():
    config = VAEConfig(architecture="linear", latent_dim=20)
    with pytest.raises(FaultsError) as caught:
        limited(max_parameters=1000).check(config, TEN)
    assert list(caught.value.faults) == ["latent_dim"]


def test_the_model_that_a_run_begins_with_counts_and_not_the_one_of_the_form(server, load, tmp_path):
    save_checkpoint(VAE(MODEL, seeded()), tmp_path / "start.safetensors", {"data": "digits"})
    small = dataclasses.replace(MODEL, hidden_dim=1)
    runs = server(max_parameters=WEIGHTS - 1)
    with pytest.raises(FaultsError, match="hidden_dim is 16"):
        runs.start(small, TEN, "digits", load, "me", weights=tmp_path / "start.safetensors")
    assert runs.of("me") == []


def test_steps_are_counted_once_more_when_the_images_are_known(server, load):
    runs = server(max_steps=39)
    run = runs.start(MODEL, TEN, "digits", load, "me")  # nobody knows of 200 images yet
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == OVER["max_steps"][1]["epochs"]
    assert runs.folder(run).saved_step() == 0


@pytest.fixture
def half_a_minute(monkeypatch):
    """Each step takes half a minute of a training's own time."""

    def count(state, seconds):
        state.seconds += 15  # for the step, and again for the check after it
        state.sums.seconds += 15

    monkeypatch.setattr("vae_core.training.loop._count_seconds", count)


def test_a_training_ends_when_its_time_is_over_and_goes_on_only_under_a_higher_limit(server, load, half_a_minute):
    runs = server(max_minutes=2)
    run = runs.start(MODEL, TEN, "digits", load, "me")
    reached(runs, run, "stopped")
    assert runs.status(run)["message"] == "Step 5 of 40. The limit of 2 minutes was reached."  # the last one is saved
    folder = runs.folder(run)
    assert folder.saved() == (5, 150.0) and folder.records()[-1]["step"] == 5 and folder.model_file.exists()
    before = content(folder)
    for one_batch in (False, True):
        with pytest.raises(RunError) as caught:
            runs.play(run, "me", load, one_batch=one_batch)
        assert str(caught.value) == "This run has trained for 2 minutes, which is the limit of this server."
    assert content(folder) == before
    more = server(max_minutes=4)
    more.play(run, "me", load)
    reached(more, run, "stopped")
    assert more.status(run)["message"] == "Step 9 of 40. The limit of 4 minutes was reached."
    free = server()
    free.play(run, "me", load)
    reached(free, run, "finished")
    assert free.status(run)["message"] == "Step 40 of 40."


def test_a_training_that_ends_with_its_last_step_has_not_reached_its_limit(server, load, half_a_minute):
    runs = server(max_minutes=2)
    run = finished(runs, load)
    assert runs.status(run)["message"] == "Step 4 of 4." and runs.folder(run).saved() == (4, 120.0)


def test_nobody_is_told_to_wait_longer_than_a_training_may_take(server, load, half_a_minute, monkeypatch):
    runs, said = server(max_minutes=10), {}

    def training(*args, **kwargs):
        for metrics in train_into(*args, **kwargs):
            yield metrics
            said[metrics.seconds] = next(iter(runs.queue.trainings.values())).left

    monkeypatch.setattr("vae_core.runs.queue.train_into", training)
    reached(runs, runs.start(MODEL, LONG, "digits", load, "me"), "stopped")
    assert said[30] == 570 and all(left == max(0, 600 - seconds) for seconds, left in said.items())


# Of what is kept


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
    assert runs.of("me") == [first, third]


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
    monkeypatch.setattr(Runs, "kept", lambda runs: pytest.fail("measured"))
    finished(runs, load)


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
