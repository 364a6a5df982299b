"""Several runs at once: what a sweep may be, all or none of it, and others' turns in the queue."""

import shutil

import pytest

from vae_core import TrainConfig, VAEConfig
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.sweep import MOST_RUNS, MOST_SEEDS, VARIED, Sweep

from .conftest import LONG, going, is_in, paused, reached
from .test_run import MODEL

SHORT = TrainConfig(steps=2, batch_size=50)


@pytest.mark.parametrize(
    ("vary", "typed", "values"),
    [
        ("beta", "0.5 1 2 4", (0.5, 1, 2, 4)),
        ("beta", "0.5, 1, 2", (0.5, 1, 2)),
        ("beta", " 0,5; 1 ;2 ", (0.5, 1, 2)),
        ("beta", "0.5,1,2", (0.5, 1, 2)),
        ("beta", "1,2,4", (1, 2, 4)),
        ("beta", "0,5", (0.5,)),
        ("latent_dim", "2,10", (2, 10)),
        ("latent_dim", "2 , 5,10,", (2, 5, 10)),
    ],
)
def test_values_are_read_as_people_type_them(vary, typed, values):
    assert Sweep.read(vary, typed, 1).values == values


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("latent_dim", "2 0", 1), "latent_dim is 0; it must be a whole number from 1 to 512."),
        (("latent_dim", "2.5", 1), "latent_dim is 2.5; it must be a whole number from 1 to 512."),
        (("beta", "1 -1", 1), "beta is -1; it must be a number from 0 to 1000."),
        (("beta", "1 x", 1), "beta is 'x'; it must be a number"),
        (("beta", "1 2 1.0", 1), "beta is 1 twice; a sweep takes each value once."),
        (("beta", " ", 1), "beta has no value; a sweep needs at least one."),
        (("beta", "1,234", 1), "can mean two numbers: write 1234 or 1.234"),
        (("beta", "1 " * 101, 1), "must be a text of at most 200 characters"),
        (("beta", ["1"], 1), "beta is .* must be a text"),
        (("beta", None, 1), "beta is empty; it must be a text"),
        (("seed", "1 2", 1), "vary is 'seed'; it must be one of beta, latent_dim."),
        (("beta", "1", 0), "seeds is 0; it must be a whole number from 1 to 5."),
        (("beta", "1", MOST_SEEDS + 1), "seeds is 6"),
        (("beta", "1", "3"), "seeds is '3'"),
        (("beta", "1 2 3 4 5", 5), "That makes 25 runs; the queue takes at most 20 of a browser."),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(asked, message):
    with pytest.raises(ValueError, match=message):
        Sweep.read(*asked)


def test_the_values_that_are_offered_can_be_taken():
    for vary, values in VARIED.items():
        assert Sweep.read(vary, values, MOST_SEEDS).runs <= MOST_RUNS


def test_each_run_has_one_value_and_one_seed_and_all_else_of_the_base():
    model, training = VAEConfig(latent_dim=7, hidden_dim=16), TrainConfig(beta=3.0, seed=40, epochs=2)
    found = Sweep("beta", (0.5, 2), 2).configs(model, training)
    assert [(of_it.beta, of_it.seed) for _, of_it in found] == [(0.5, 40), (2, 40), (0.5, 41), (2, 41)]
    assert all(of_it.epochs == 2 for _, of_it in found) and {of_model for of_model, _ in found} == {model}
    found = Sweep("latent_dim", (2, 9), 1).configs(model, training)
    assert [(of_model.latent_dim, of_model.hidden_dim) for of_model, _ in found] == [(2, 16), (9, 16)]
    assert [of_it for _, of_it in found] == [training, training]


def test_a_value_that_does_not_go_with_the_rest_is_refused():
    wide = VAEConfig(hidden_dim=8192, hidden_layers=1, latent_dim=2)
    with pytest.raises(ValueError, match="seed is 4294967296"):
        Sweep("beta", (1,), 2).configs(wide, TrainConfig(seed=2**32 - 1))


def configs(values=(0.5, 1, 2), training=SHORT):
    return Sweep("beta", values, 1).configs(MODEL, training)


def test_all_of_a_sweep_is_trained(runs, load):
    started = runs.start_sweep(configs(), "digits", load, "me")
    assert len(started) == 3 and sorted(started) == runs.of("me")
    for run, beta in zip(started, (0.5, 1, 2), strict=True):
        reached(runs, run, "finished")
        assert runs.folder(run).settings()["beta"] == beta


def test_a_sweep_waits_for_no_run_of_its_browser_but_is_refused_beside_one(runs, load):
    run = going(runs, load)
    with pytest.raises(RunError, match="going or waiting already"):
        runs.start_sweep(configs(), "digits", load, "me")
    assert runs.of("me") == [run]
    runs.stop(run, "me")
    reached(runs, run, "stopped")
    first, second, third = runs.start_sweep(configs(training=LONG), "digits", load, "me")
    reached(runs, first, "running")
    with pytest.raises(RunError, match="going or waiting already"):
        runs.start(MODEL, SHORT, "digits", load, "me")
    assert is_in(runs, second, "waiting") and is_in(runs, third, "waiting")


@pytest.mark.parametrize("fault", ["folder", "status"])
def test_none_of_a_sweep_begins_if_one_of_it_cannot(runs, load, monkeypatch, fault):
    kept = paused(runs, load)
    made, written = [], []
    create, write = RunFolder.create, RunFolder.write_status

    def no_third(folder):
        made.append(folder)
        if len(made) == 3 and fault == "folder":
            raise RunError("The run folder cannot be made.")
        create(folder)

    def no_second(folder, state, message=""):
        written.append(folder)
        if len(written) == 2 and fault == "status":
            raise OSError(28, "No space left on device")
        write(folder, state, message)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "create", no_third)
        patch.setattr(RunFolder, "write_status", no_second)
        with pytest.raises(RunError, match=r"cannot be made|No space left|disk"):
            runs.start_sweep(configs(), "digits", load, "me")
    assert runs.of("me") == [kept] and [path.name for path in runs.root.iterdir()] == [kept]
    runs.play(kept, "me", load)  # the browser is free
    reached(runs, kept, "running")


@pytest.mark.parametrize("count", [0, MOST_RUNS + 1])
def test_the_server_takes_no_more_than_a_sweep_may_have(runs, load, count):
    with pytest.raises(ValueError, match=f"the number of runs is {count}; it must be a whole number from 1 to 20"):
        runs.start_sweep([(MODEL, SHORT)] * count, "digits", load, "me")
    assert runs.of("me") == []


def test_nobody_waits_for_the_whole_sweep_of_another(in_line, runs, load):
    first, second, third = runs.start_sweep(configs(training=LONG), "digits", load, "anna")
    reached(runs, first, "running")
    other = runs.start(MODEL, LONG, "digits", load, "bert")
    line = [runs.status(run)["message"] for run in (other, second, third)]
    assert line == ["You are next", "1 before you", "2 before you"]
    runs.stop(first, "anna")
    reached(runs, other, "running")
    assert is_in(runs, second, "waiting") and is_in(runs, third, "waiting")
    runs.stop(third, "anna")
    runs.stop(other, "bert")
    reached(runs, second, "running")


def test_a_run_of_a_sweep_whose_folder_goes_leaves_the_others(runs, load):
    first, second, third = runs.start_sweep(configs(training=LONG), "digits", load, "me")
    reached(runs, first, "running")
    shutil.rmtree(runs.folder(second).path)
    runs.stop(first, "me")
    reached(runs, third, "running")
    assert {run: runs.status(run)["state"] for run in runs.of("me")} == {first: "stopped", third: "running"}
