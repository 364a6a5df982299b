"""The rows of the Runs tab."""

import pytest

from ui.labels import kind, title
from ui.tabs.runs import annotate, mine
from ui.web.requests import of
from vae_core import TrainConfig, VAEConfig
from vae_core.runs.changes import Change
from vae_core.storage.checkpoint import read_header

from .conftest import ANNA, BERT, trained


@pytest.mark.parametrize(
    ("model", "training", "called"),
    [
        ({}, {}, "MNIST · 20 dimensions"),
        ({"latent_dim": 1}, {}, "MNIST · 1 dimension"),
        ({"architecture": "conv"}, {}, "MNIST · 20 dimensions · conv"),
        ({"likelihood": "gaussian"}, {}, "MNIST · 20 dimensions · Gaussian"),
        ({}, {"objective": "importance-weighted"}, "MNIST · 20 dimensions · importance-weighted"),
    ],
)
def test_a_run_without_a_name_is_called_by_what_it_is(model, training, called):
    assert title("mnist", VAEConfig(**model), TrainConfig(**training).objective) == called


def test_a_run_is_called_as_its_model_is(backend):
    run = trained(backend, architecture="linear", likelihood="gaussian", latent_dim=2)
    (row,) = mine(backend, {"browser": ANNA})["runs"]
    assert row["title"] == kind(read_header(backend.path(run))) == "digits · 2 dimensions · linear · Gaussian"


def test_a_row_has_the_note_and_how_often_settings_were_changed(backend):
    run = trained(backend)
    assert [mine(backend, {"browser": ANNA})["runs"][0][name] for name in ("note", "changed")] == ["", ""]
    backend.runs.folder(run).write_changes([Change(1, {"beta": 2.0}), Change(2, {"beta": 4.0})])
    assert of(backend, annotate)({"browser": ANNA, "run": run, "note": "<i>odd</i>"}) == {}
    (row,) = mine(backend, {"browser": ANNA})["runs"]
    assert (row["note"], row["changed"]) == ("<i>odd</i>", "changed 2 times during the run")
    assert row["changed"] in row["line"]
    refused = of(backend, annotate)({"browser": BERT, "run": run, "note": "mine"})
    assert refused == {"error": "That run belongs to another browser."}
    refused = of(backend, annotate)({"browser": ANNA, "run": run, "note": "x" * 1001})
    assert refused == {"error": "That note has 1,001 characters; a note has at most 1,000."}
