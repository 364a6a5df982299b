"""What the page asks of the server: answers are the core's numbers, visitors are separate, nothing goes unchecked."""

import base64
import math
import shutil
import time

import gradio as gr
import pytest
import torch

from ui import train as train_tab
from ui.backend import DRAWS, Backend, answering, pixels
from ui.session import restored
from vae_core import VAE, TrainConfig, VAEConfig, load_dataset, save_checkpoint
from vae_core.checkpoint import read_header
from vae_core.data import DataError, fit_drawing
from vae_core.objective import elbo
from vae_core.runs import ENDED, RunError, Runs

from .conftest import ROOT, seeded
from .test_runs import wait_for

ANNA, BERT = "a" * 32, "b" * 32
FORM = {
    "data": "digits", "architecture": "mlp", "latent_dim": 3, "likelihood": "bernoulli", "epochs": 2, "beta": 1,
    "learning_rate": 0.001, "batch_size": 128, "hidden_dim": 16, "binarization": "dynamic", "sigma": 0.1,
    "sigma_mode": "fixed", "prior_mean": 0, "prior_std": 1, "samples": 1, "warmup_steps": 0, "free_bits": 0, "seed": 0,
}  # fmt: skip


@pytest.fixture
def backend(tmp_path):
    """A server with one shipped model, of 4 dimensions and continuous pixels, and no MNIST."""
    (tmp_path / "checkpoints").mkdir()
    config = VAEConfig(latent_dim=4, hidden_dim=8, binarization="grey", prior_mean=0.5)
    about = {"data": "digits", "kl_per_dim": [0.1, 3.0, 0.0, 2.0]}
    save_checkpoint(VAE(config, seeded()), tmp_path / "checkpoints" / "small.safetensors", about)
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    yield Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    runs.close()


def session(browser, model=""):
    return {"browser": browser, "model": model}


def finished(backend, run):
    wait_for(lambda: backend.runs.status(run)["state"] in ENDED)


def image(text):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8).reshape(-1, 28, 28)


INK = torch.zeros(56, 56, dtype=torch.uint8)
INK[10:40, 20:26] = 255
DRAWING = {"model": "small", "ink": base64.b64encode(INK.numpy().tobytes()).decode()}


def test_look_gives_the_elbo_of_what_the_model_sees(backend):
    answer = backend.look(DRAWING)
    model, x = backend.load("small").model, fit_drawing(INK, 28)[None]
    terms = elbo(model, x, DRAWS, generator=seeded())
    assert answer["elbo"] == pytest.approx(terms.elbo.item(), abs=1e-3)
    assert answer["reconstruction_term"] == pytest.approx(terms.reconstruction.item(), abs=1e-3)
    assert answer["kl"] == pytest.approx(terms.kl.item(), abs=1e-4)
    assert answer["elbo"] == pytest.approx(answer["reconstruction_term"] - answer["kl"], abs=1e-3)
    assert torch.equal(image(answer["seen"])[0], (x[0, 0] * 255).round().to(torch.uint8))
    assert answer["z"] == pytest.approx(model.encode(x)[0][0].tolist(), abs=1e-5)
    assert answer["reconstruction"] == backend.decode({"model": "small", "z": answer["z"]})["image"]


def test_an_image_in_mnists_format_is_seen_as_it_is(backend):
    grey = torch.arange(784).remainder(256).to(torch.uint8).reshape(28, 28)
    answer = backend.look({"model": "small", "image": base64.b64encode(grey.numpy().tobytes()).decode()})
    assert torch.equal(image(answer["seen"])[0], grey)


def test_describe_sorts_by_kl_and_offers_a_test_image_of_each_label(backend):
    about = backend.describe({"model": "small"})
    assert [dim["index"] for dim in about["dims"]] == [1, 3, 0, 2]
    assert about["dims"][0]["kl"] == 3.0 and about["prior_mean"] == 0.5
    assert [example["label"] for example in about["examples"]] == list(range(10))
    digits = load_dataset("digits", "unused")
    third = digits.test[(digits.test_labels == 3).nonzero()[0, 0], 0]
    assert torch.equal(image(about["examples"][3]["image"])[0], third)
    assert about["examples_from"] == "digits"


def without(request, name):
    return {key: value for key, value in request.items() if key != name}


@pytest.mark.parametrize(
    ("method", "request_", "message"),
    [
        ("look", None, "no model"),
        ("look", [], "no model"),
        ("look", DRAWING | {"model": "none"}, "no such model"),
        ("look", DRAWING | {"model": "../../etc/passwd"}, "no such model"),
        ("look", DRAWING | {"model": 3}, "no such model"),
        ("look", DRAWING | {"model": "20260101-000000-0123456789abcdef"}, "not here any more"),
        ("look", without(DRAWING, "ink"), "ink must be base64"),
        ("look", DRAWING | {"ink": "#"}, "ink must be base64"),
        ("look", DRAWING | {"ink": 5}, "ink must be base64"),
        ("look", DRAWING | {"ink": base64.b64encode(bytes(100)).decode()}, "ink has 100 bytes; it must have 56×56"),
        ("look", DRAWING | {"ink": base64.b64encode(bytes(56 * 56)).decode()}, "The drawing is empty"),
        ("look", {"model": "small", "image": "AAAA"}, "image has 3 bytes"),
        ("decode", {"model": "small"}, "no z"),
        ("decode", {"model": "small", "z": [0, 0, 0]}, "z must be a list of 4 numbers"),
        ("decode", {"model": "small", "z": "0000"}, "z must be a list of 4 numbers"),
        ("decode", {"model": "small", "z": [0, 0, 0, math.nan]}, "z is nan"),
        ("decode", {"model": "small", "z": [0, 0, 0, None]}, "z is empty"),
        ("decode", {"model": "small", "z": [0, 0, 0, 10.6]}, "z is 10.6; it must be a number from -9.5 to 10.5"),
        ("follow", {"run": "../x", "since": 0, "version": ""}, "not the id of a run"),
        ("follow", {"run": "20260101-000000-0123456789abcdef", "since": 0, "version": ""}, "holds no run"),
        ("follow", {"run": "20260101-000000-0123456789abcdef", "since": -1, "version": ""}, "since is -1"),
        ("describe", {}, "no model"),
    ],
)
def test_a_bad_request_gets_one_sentence(backend, method, request_, message):
    answer = answering(getattr(backend, method))(request_)
    assert list(answer) == ["error"] and message in answer["error"] and "\n" not in answer["error"]
    assert "error" not in backend.look(DRAWING)


def test_one_pixel_is_looked_at(backend):
    ink = torch.zeros(56 * 56, dtype=torch.uint8)
    ink[1000] = 255
    answer = answering(backend.look)(DRAWING | {"ink": base64.b64encode(ink.numpy().tobytes()).decode()})
    assert math.isfinite(answer["elbo"])


def test_follow_gives_what_is_new_and_only_that(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    whole = backend.follow({"run": run, "since": 0, "version": ""})
    records = backend.runs.folder(run).records()
    assert (whole["state"], whole["from"], whole["to"]) == ("finished", 0, len(records))
    assert whole["columns"]["step"] == [record["step"] for record in records]
    assert whole["columns"]["train_elbo"] == pytest.approx([-record["train"]["elbo"] for record in records], abs=1e-3)
    held = [record["test"] and -record["test"]["elbo"] for record in records]
    assert whole["columns"]["test_elbo"] == [value and round(value, 3) for value in held] and None in held
    assert whole["progress"]["step"] == whole["progress"]["total_steps"] == 24 and whole["progress"]["left"] == 0
    assert image(whole["pictures"]["x"]).shape == (8, 28, 28)

    rest = backend.follow({"run": run, "since": len(records) - 1, "version": whole["pictures"]["version"]})
    assert rest["columns"]["step"] == [24] and rest["from"] == len(records) - 1
    assert rest["pictures"] is None
    beyond = backend.follow({"run": run, "since": 10_000, "version": ""})
    assert beyond["from"] == beyond["to"] == len(records)


def test_two_visitors_never_see_each_others_models(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    assert [name for _, name in backend.choices(ANNA)] == ["small", run]
    assert [name for _, name in backend.choices(BERT)] == ["small"]
    assert [name for _, name in backend.choices("")] == ["small"]
    label = backend.choices(ANNA)[1][0]
    assert label.startswith("my run") and "digits mlp 3-D bernoulli" in label and label.endswith(", finished")


def test_a_browser_has_one_training_at_a_time(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    with pytest.raises(gr.Error, match="going or waiting already: stop it first"):
        train_tab.start(backend, session(ANNA), FORM)
    assert backend.runs.of(ANNA) == [run]
    other = train_tab.start(backend, session(BERT), FORM)
    train_tab.stop(backend, session(ANNA), {"run": run})
    finished(backend, other)
    wait_for(lambda: not backend.runs._live)
    assert train_tab.start(backend, session(ANNA), FORM) != run


def test_a_drawing_takes_the_format_of_the_models_data(backend):
    answer = backend.look(DRAWING)  # of a model of digits, whose images fill the frame
    rows = (image(answer["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 28
    path = backend.shipped["small"]
    save_checkpoint(backend.load("small").model, path.with_name("mnist.safetensors"), {"data": "mnist"})
    backend.shipped["mnist"] = path.with_name("mnist.safetensors")
    rows = (image(backend.look(DRAWING | {"model": "mnist"})["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 20
    about = backend.describe({"model": "mnist"})  # MNIST is not here: digits are brought into its format
    rows = (image(about["examples"][0]["image"])[0] > 0).any(1).nonzero()
    assert about["examples_from"] == "digits" and int(rows[-1] - rows[0]) + 1 <= 20


def test_nobody_stops_anothers_run(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    wait_for(lambda: backend.runs.status(run)["state"] == "running")
    with pytest.raises(gr.Error, match="belongs to another browser"):
        train_tab.stop(backend, session(BERT), {"run": run})
    assert backend.runs.status(run)["state"] == "running"
    train_tab.stop(backend, session(ANNA), {"run": run})
    finished(backend, run)
    assert backend.runs.status(run)["state"] == "stopped"
    for nothing in ({"run": ""}, {}, None):
        with pytest.raises(gr.Error):
            train_tab.stop(backend, session(ANNA), nothing)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent_dim": 0}, "Latent dimensions D is 0; it must be a whole number from 1 to 512."),
        ({"latent_dim": 10**9}, "Latent dimensions D is 1000000000"),
        ({"latent_dim": None}, "Latent dimensions D is empty"),
        ({"learning_rate": math.nan}, "Learning rate is nan; it must be a number above 0, at most 1."),
        ({"batch_size": 1501}, "Batch size is 1501; the training set has 1500 images"),
        ({"data": "cifar"}, "Data is 'cifar'; it must be one of mnist, fashion-mnist, kmnist, digits."),
        ({"data": None}, "Data is None"),
        ({"beta": -1}, "β, weight of the KL is -1"),
        ({"epochs": 2.5}, "Epochs is 2.5"),
        ({"architecture": ["mlp"]}, "Architecture is ['mlp']"),
        ({"prior_std": 0}, "Prior standard deviation is 0"),
    ],
)
def test_a_bad_setting_is_named_as_on_the_page_and_starts_nothing(backend, change, message):
    with pytest.raises(gr.Error) as caught:
        train_tab.start(backend, session(ANNA), FORM | change)
    assert caught.value.message.startswith(message) and not caught.value.print_exception
    assert backend.runs.of(ANNA) == []


def test_every_field_of_the_form_reaches_its_configuration(backend):
    change = {
        "data": "digits", "architecture": "conv", "latent_dim": 5, "likelihood": "gaussian", "epochs": 1, "beta": 2,
        "learning_rate": 0.01, "batch_size": 750, "hidden_dim": 7, "binarization": "threshold", "sigma": 0.3,
        "sigma_mode": "optimal", "prior_mean": 1, "prior_std": 2, "samples": 3, "warmup_steps": 4, "free_bits": 0.5,
        "seed": 5,
    }  # fmt: skip
    assert list(change) == list(FORM) and set(FORM) == set(train_tab.LABELS)
    run = train_tab.start(backend, session(ANNA), change)
    finished(backend, run)
    config = backend.runs.folder(run).read_config()
    for name, value in change.items():
        holder = config.model if hasattr(config.model, name) else config.training
        assert (config.data if name == "data" else getattr(holder, name)) == value, name


def test_a_model_in_training_is_read_anew_when_its_file_changes(backend):
    first = backend.load("small")
    assert backend.load("small") is first
    time.sleep(0.01)
    save_checkpoint(VAE(VAEConfig(latent_dim=2), seeded()), backend.shipped["small"])
    assert backend.load("small").model.config.latent_dim == 2


def test_a_model_that_is_deleted_is_said(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    shutil.rmtree(backend.runs.folder(run).path)
    assert "not here any more" in answering(backend.describe)({"model": run})["error"]
    assert "holds no run" in answering(backend.follow)({"run": run, "since": 0, "version": ""})["error"]
    assert [name for _, name in backend.choices(ANNA)] == ["small"]


@pytest.mark.parametrize("name", ["config.json", "status.json", "metrics.jsonl", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage\n", b"[]\n", None])
def test_a_damaged_run_harms_no_other(backend, name, content):
    started = []
    for _ in range(2):
        started.append(train_tab.start(backend, session(ANNA), FORM | {"epochs": 1}))
        wait_for(lambda: not backend.runs._live)
    damaged, good = started
    path = backend.runs.folder(damaged).path / name
    path.write_bytes(content) if content is not None else path.unlink()
    offered = [name for _, name in backend.choices(ANNA)]
    assert good in offered and "small" in offered
    answer = answering(backend.follow)({"run": damaged, "since": 0, "version": ""})
    assert "\n" not in answer.get("error", "")
    assert answering(backend.follow)({"run": good, "since": 0, "version": ""})["state"] == "finished"


def test_auto_takes_digits_where_mnist_cannot_be_had_and_does_not_ask_again(backend, monkeypatch):
    asked = []

    def refuse(*args):
        asked.append(args)
        raise DataError("MNIST could not be downloaded: no network.")

    monkeypatch.setattr("vae_core.data._download", refuse)
    dataset, why = backend.fetch("auto", lambda message: None)
    assert dataset.name == "digits" and "MNIST could not be downloaded: no network." in why and len(asked) == 1
    dataset, why = backend.fetch("auto", lambda message: None)
    assert dataset.name == "digits" and "because MNIST is not on this server" in why and len(asked) == 1
    with pytest.raises(DataError):
        backend.fetch("mnist", lambda message: None)
    assert len(asked) == 2


def test_auto_trains_and_the_run_says_on_what(backend, monkeypatch):
    monkeypatch.setattr("vae_core.data._download", lambda *args: (_ for _ in ()).throw(DataError("no network.")))
    run = train_tab.start(backend, session(ANNA), FORM | {"data": "auto"})
    finished(backend, run)
    answer = backend.follow({"run": run, "since": 0, "version": ""})
    assert answer["data"].startswith("The data are scikit-learn's digits, because MNIST could not be had")
    assert backend.runs.folder(run).read_config().data == "digits"


def test_pixels_clip(backend):
    assert base64.b64decode(pixels(torch.tensor([-1.0, 0.5, 2.0]))) == bytes([0, 128, 255])


@pytest.mark.parametrize("stored", [None, {}, [], "x", {"browser": 5}, {"browser": "../x", "model": []}])
def test_a_tampered_session_becomes_a_new_one(stored):
    one, two = restored(stored), restored(stored)
    assert len(one["browser"]) == 32 and one["browser"] != two["browser"] and one["model"] == ""
    assert restored({"browser": ANNA, "model": "m"}) == session(ANNA, "m")


def test_a_stopped_run_of_no_browser_is_nobodys(backend):
    with pytest.raises(RunError):
        backend.runs.stop("20260101-000000-0123456789abcdef", ANNA)


def test_the_shipped_models_load_and_say_what_they_are():
    shipped = sorted((ROOT / "checkpoints").glob("*.safetensors"))
    assert shipped
    for path in shipped:
        about = read_header(path).about
        assert (
            about["data"] and about["test"]["elbo"] and len(about["kl_per_dim"]) == read_header(path).config.latent_dim
        )


@pytest.mark.mnist
def test_the_shipped_model_is_as_good_as_its_card_says(mnist_dir):
    from vae_core import load_checkpoint
    from vae_core.data import held_out
    from vae_core.evaluate import evaluate_elbo

    model = load_checkpoint(ROOT / "checkpoints" / "mnist-mlp-20d.safetensors")
    test = load_dataset("mnist", mnist_dir, download=False).test
    card = read_header(ROOT / "checkpoints" / "mnist-mlp-20d.safetensors").about["test"]
    dynamic = evaluate_elbo(model, held_out(test, "dynamic"))
    assert dynamic.elbo == pytest.approx(card["elbo"], abs=0.05) and -dynamic.elbo <= 100
    assert -evaluate_elbo(model, held_out(test, "grey")).elbo <= 105


def test_training_settings_have_the_cores_defaults():
    assert TrainConfig(**{name: FORM[name] for name in train_tab.OF_TRAINING} | {"epochs": 10}) == TrainConfig()
