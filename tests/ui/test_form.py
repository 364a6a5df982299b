"""The form's settings reach the run, and a bad one is named as on the page."""

import math

import gradio as gr
import pytest

from ui.tabs import train as train_tab
from ui.tabs.form import LABELS
from vae_core import TrainConfig
from vae_core.runs.changes import Change
from vae_core.runs.states import State
from vae_core.settings import FaultsError, settings_of

from .conftest import ANNA, FORM, finished, follow, session, trained


def test_the_line_of_settings_names_what_is_unusual(backend):
    run = trained(backend)
    assert follow(backend, run)["about"]["settings"].endswith("batches of 128, hidden units 16, products in float32")
    run = trained(backend, architecture="conv", hidden_layers=4, seed=20261121, hidden_dim=16)
    assert follow(backend, run)["about"]["settings"].endswith(
        "batches of 128, hidden units 16, seed 20261121, products in float32"
    )
    run = trained(backend, likelihood="gaussian", binarization="grey", hidden_dim=400, samples=3, warmup_steps=5)
    backend.runs.folder(run).write_changes([Change(1, {"sigma": 0.2}), Change(2, {"beta": 4.0})])
    line = follow(backend, run)["about"]["settings"]
    assert "β = 4," in line and line.endswith(
        "batches of 128, L = 3, warm-up 5, products in float32, σ 0.2, changed 2 times during the run"
    )


def test_a_setting_after_its_run_was_deleted_is_the_next_ones(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    backend.runs.delete(run, ANNA)
    train_tab.change(backend, session(ANNA), run, "beta", 3.0)
    train_tab.change(backend, session(ANNA), "", "beta", 3.0)
    assert backend.runs.of(ANNA) == [] and not backend.runs.folder(run).path.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent_dim": 0}, "Dimensions D is 0; it must be a whole number from 1 to 512."),
        ({"latent_dim": 10**9}, "Dimensions D is 1000000000"),
        ({"latent_dim": None}, "Dimensions D is empty"),
        ({"learning_rate": math.nan}, "Learning rate is nan; it must be a number above 0, at most 1."),
        ({"batch_size": 1501}, "Batch size is 1501; the training set has 1500 images"),
        ({"data": "cifar"}, "Data is 'cifar'; it must be one of mnist, fashion-mnist, kmnist, digits."),
        ({"data": None}, "Data is None"),
        ({"beta": -1}, "β is -1"),
        ({"epochs": 2.5}, "Epochs is 2.5"),
        ({"hold_out": 1500}, "Validation images is 1500; it must be a whole number from 0 to 1499."),
        ({"hold_out": 1400}, "Batch size is 128; the training set has 100 images"),
        ({"hold_out": -1}, "Validation images is -1"),
        ({"hidden_layers": 9}, "Hidden layers is 9"),
        (
            {"hidden_layers": 8, "hidden_dim": 8192},
            "Hidden units is 8192; with 8 such layers on either side an mlp has 952,442,880 weights, and it may have",
        ),
        ({"objective": "iwae"}, "Objective is 'iwae'; it must be one of elbo, importance-weighted."),
        (
            {"objective": "importance-weighted", "free_bits": 0.5},
            "Free bits is 0.5; it must be 0 unless the objective is the ELBO.",
        ),
        ({"gradient": "score"}, "Gradient through z is 'score'; it must be one of reparameterized, detached."),
        (
            {"objective": "importance-weighted", "gradient": "detached"},
            "Gradient through z is detached; it must be reparameterized unless the objective is the ELBO.",
        ),
        ({"schedule": "step"}, "Learning-rate schedule is 'step'"),
        ({"average": 1}, "Weight averaging (decay) is 1"),
        ({"patience": -1}, "Stop early after epochs is -1"),
        ({"clip_norm": math.inf}, "Clip gradient at is inf"),
        (
            {"precision": "float8"},
            "Number format is 'float8'; it must be one of auto, float32, tf32, bfloat16.",
        ),
        ({"architecture": ["mlp"]}, "Architecture is ['mlp']"),
        ({"beta": "1,000"}, "β is '1,000', which can mean two numbers: write 1000 or 1.000."),
        ({"beta": "half"}, "β is 'half'; it must be a number from 0 to 1000."),
        ({"epochs": "2,5"}, "Epochs is 2.5; it must be a whole number"),
        ({"epochs": ""}, "Epochs is empty; it must be a whole number"),
        ({"prior_std": 0}, "Prior standard deviation is 0"),
    ],
)
def test_a_bad_setting_is_named_as_on_the_page_and_starts_nothing(backend, change, message):
    with pytest.raises(FaultsError) as caught:
        train_tab.start(backend, session(ANNA), FORM | change)
    assert str(caught.value).startswith(message)
    assert backend.runs.of(ANNA) == []


def test_all_bad_settings_are_named_at_once_each_at_its_field_in_the_order_of_the_form(backend):
    bad = {
        "beta": -1, "latent_dim": 0, "batch_size": 1501, "hidden_dim": "many", "prior_mean": "1,000", "data": "cifar",
        "hold_out": -1, "samples": 0, "epochs": "",
    }  # fmt: skip
    with pytest.raises(FaultsError) as caught:
        train_tab.start(backend, session(ANNA), FORM | bad)
    faults = caught.value.faults
    assert list(faults) == [
        "data", "latent_dim", "epochs", "beta", "hidden_dim", "prior_mean", "samples", "hold_out",
    ]  # fmt: skip
    assert faults["prior_mean"] == "Prior mean is '1,000', which can mean two numbers: write 1000 or 1.000."
    assert faults["beta"] == "β is -1; it must be a number from 0 to 1000."
    with pytest.raises(FaultsError) as caught:
        train_tab.start(backend, session(ANNA), FORM | {"beta": -1, "batch_size": 1501})
    assert list(caught.value.faults) == ["batch_size", "beta"]  # what the data say is not kept for the next try
    assert backend.runs.of(ANNA) == []


def test_every_field_of_the_form_reaches_its_configuration(backend):
    change = {
        "data": "digits", "architecture": "conv", "latent_dim": 5, "likelihood": "gaussian", "epochs": 1, "beta": 2,
        "learning_rate": 0.01, "batch_size": 700, "hidden_dim": 7, "hidden_layers": 2, "binarization": "threshold",
        "sigma": 0.3, "sigma_mode": "optimal", "prior_mean": 1, "prior_std": 2, "samples": 3,
        "objective": "importance-weighted", "gradient": "reparameterized", "warmup_steps": 4, "free_bits": 0,
        "schedule": "cosine",
        "learning_rate_warmup": 2, "clip_norm": 1.5, "average": 0.9, "patience": 7, "hold_out": 100, "seed": 5,
        "precision": "bfloat16",
    }  # fmt: skip
    assert list(change) == list(FORM) and set(FORM) == set(LABELS)
    run = train_tab.start(backend, session(ANNA), change)
    finished(backend, run)
    config = backend.runs.folder(run).read_config()
    for name, value in change.items():
        holder = next(part for part in (config.model, config.training, config) if hasattr(part, name))
        assert (config.data if name == "data" else getattr(holder, name)) == value, name
    assert config.train_images == 1400  # of 1,500


def test_numbers_come_as_they_were_typed(backend):
    typed = {"beta": "0,5", "learning_rate": "1e-3", "batch_size": "128", "prior_mean": "−0,25", "epochs": "2"}
    run = train_tab.start(backend, session(ANNA), FORM | typed)
    finished(backend, run)
    config = backend.runs.folder(run).read_config()
    assert (config.training.beta, config.training.learning_rate, config.model.prior_mean) == (0.5, 0.001, -0.25)
    assert (config.training.batch_size, config.training.epochs) == (128, 2)
    fields = dict(zip(LABELS, train_tab.form(backend, run, values=True)[3:], strict=True))
    shown = {name: fields[name]["value"] for name in typed}
    assert shown == {
        "beta": "0.5", "learning_rate": "0.001", "batch_size": "128", "prior_mean": "-0.25", "epochs": "2",
    }  # fmt: skip
    assert fields["data"]["value"] == "digits" and fields["likelihood"]["value"] == "bernoulli"


def test_what_a_link_has_that_cannot_be_used_is_said_until_a_run_takes_the_form(backend, monkeypatch):
    said = train_tab.form_of_link(backend, "", {"beta": "lots"})[2]
    assert said.visible and "β is 'lots'" in said.value
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": "1"})
    finished(backend, run)
    for other in ("", run):  # a recording is followed, or a run that has ended
        assert train_tab.form(backend, other, values=True)[2] == gr.skip()
    monkeypatch.setattr(backend.runs, "status", lambda run: {"state": State.RUNNING})
    assert not train_tab.form(backend, run, values=True)[2].visible


def test_training_settings_have_the_cores_defaults():
    asked = {name: FORM[name] for name in settings_of(TrainConfig) if name in FORM}
    assert TrainConfig(**asked | {"epochs": 12, "batch_size": 256}) == TrainConfig()


def test_the_learning_rate_follows_the_depth_of_the_model_that_is_chosen():
    rates = [train_tab._usual_rate(*depth) for depth in (("mlp", "1"), ("mlp", 3), ("residual", "1"), ("conv", 2))]
    assert rates == [0.01, 0.0025, 0.0025, 0.01]
    for layers in (None, 2.5, 99, "", "two", "1,000"):  # half typed: the rate stays
        assert isinstance(train_tab._usual_rate("mlp", layers), dict)
