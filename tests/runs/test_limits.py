"""The limits of a server: of a training, and of what is kept."""

import dataclasses

import pytest

from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.runs.allowance.limits import UNLIMITED, Limits, bytes_of, parameters_of
from vae_core.runs.changes import Change
from vae_core.runs.folder import RunError
from vae_core.runs.run import train_into
from vae_core.settings import FaultsError

from ..conftest import plain, seeded
from .conftest import LONG, NEW, SHORT, WEIGHTS, content, finished, limited, reached, wait_for
from .test_run import MODEL

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
    runs = server(max_steps=40, max_parameters=WEIGHTS)
    WAYS[way](runs, run, load)
    assert len(runs.of("me")) == {"start": 2, "first batch": 2, "sweep": 3, "reset": 2}.get(way, 1)
    assert runs.folder(run).changes() == ([Change(1, {"beta": 2.0})] if way == "change" else [])
    wait_for(lambda: runs.folder(run).saved_step() == {"play": 40, "step": 2}.get(way, 1))


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
