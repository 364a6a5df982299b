"""The data of a server: which dataset is taken and why, damaged ones, and downloads that all who wait share."""

import threading
import time

import gradio as gr
import numpy as np
import pytest
import torch

from ui.backend import Backend
from ui.models import describe, means
from ui.tabs import train as train_tab
from ui.tabs.draw import crowd, crowd_elbos, look
from ui.tabs.latents import neighbours
from ui.web.requests import of
from vae_core import Dataset, TrainConfig, save_checkpoint
from vae_core.data import DataError, fit_drawing
from vae_core.evaluation.latent import embed
from vae_core.runs.server import Runs

from ..mnist import CONTENT, PACKED, grey, idx, labels, put
from ..runs.conftest import wait_for
from .conftest import ANNA, DRAWING, FORM, finished, follow, session, steer

FLOATS = CONTENT | {"t10k-images-idx3-ubyte": idx(grey(10).float())}
DAMAGED = "MNIST cannot be used: t10k-images-idx3-ubyte holds float32 of 10×28×28; uint8 of N×28×28 is wanted"


@pytest.fixture
def mnists(backend):
    """A shipped model of MNIST beside that of digits."""
    path = backend.shipped["small"].with_name("mnist.safetensors")
    save_checkpoint(backend.load("small").model, path, {"data": "mnist"})
    backend.shipped["mnist"] = path
    return "mnist"


def silent(message):
    """Whom nobody tells anything."""


# Which data


def test_auto_is_mnist_else_digits_and_says_why(backend, mirror):
    mirror.fault = "missing"
    assert "MNIST is not on this server" in backend.data_line()
    dataset, why = backend.loading("auto")(silent)
    assert dataset.name == "digits" and why.startswith("The data are scikit-learn's digits, because MNIST could not be")
    assert why.endswith("MNIST could not be downloaded: train-images-idx3-ubyte.gz: Not Found.")
    mirror.fault = None
    asked = len(mirror.asked)
    assert backend.loading("auto")(silent) == (dataset, why) and len(mirror.asked) == asked  # not again so soon
    mnist, why = backend.loading("mnist")(silent)  # but whoever wants MNIST itself has it tried
    assert mnist.name == "mnist" and why == ""
    assert backend.loading("auto")(silent) == (mnist, "The data are MNIST, found on this server.")


def test_auto_downloads_mnist_and_says_so(backend, mirror):
    dataset, why = backend.loading("auto")(silent)
    assert dataset.name == "mnist" and why == "The data are MNIST, downloaded just now."
    assert backend.data_line() == "trains on MNIST, found on this server"


def test_auto_trains_and_the_run_says_on_what(backend, mirror):
    mirror.fault = "missing"
    run = train_tab.start(backend, session(ANNA), FORM | {"data": "auto"})
    finished(backend, run)
    answer = follow(backend, run)
    assert answer["about"]["why_data"].startswith("The data are scikit-learn's digits, because MNIST could not be had")
    assert backend.runs.folder(run).read_config().data == "digits"


@pytest.mark.parametrize("content", [PACKED, {name.replace("-idx", ".idx"): it for name, it in CONTENT.items()}])
def test_mnist_as_people_bring_it_is_said_in_the_header(backend, content):
    put(backend.data_dir, content)
    assert backend.data_line() == "trains on MNIST, found on this server"
    assert backend.loading("auto")(silent)[1] == "The data are MNIST, found on this server."


# Damaged data


def test_models_go_on_with_other_data_and_the_header_names_the_file(backend, mnists):
    put(backend.data_dir, FLOATS)
    assert backend.data_line() == f"trains on the digits of scikit-learn: {DAMAGED}"
    about = of(backend, describe)({"model": mnists})
    assert about["examples_from"] == "digits" and len(about["examples"]) == 10
    assert look(backend, DRAWING | {"model": mnists})["elbo"] < 0
    assert crowd(backend, {"model": mnists})["data"] == "digits"


def test_who_wants_damaged_data_is_told_at_once_and_auto_takes_digits(backend):
    put(backend.data_dir, FLOATS)
    with pytest.raises(gr.Error, match="MNIST cannot be used: t10k-images") as caught:
        train_tab.start(backend, session(ANNA), FORM | {"data": "mnist"})
    assert caught.value.message == f"{DAMAGED}." and backend.runs.of(ANNA) == []
    run = train_tab.start(backend, session(ANNA), FORM | {"data": "auto"})
    finished(backend, run)
    assert follow(backend, run)["about"]["why_data"].endswith(f"because MNIST could not be had: {DAMAGED}.")
    with pytest.raises(ValueError, match="batch_size is 1501"):
        backend.check_batch("auto", TrainConfig(batch_size=1501))


def test_damaged_data_are_read_once_and_again_when_they_change(backend, mnists, monkeypatch):
    read = []
    monkeypatch.setattr("ui.backend.load_dataset", _counted(read))
    put(backend.data_dir, FLOATS)
    for _ in range(3):
        with pytest.raises(DataError, match="holds float32"):
            backend.dataset("mnist")
        assert backend.shown_dataset("mnist").name == "digits"
    assert sorted(read) == ["digits", "mnist"]
    put(backend.data_dir, CONTENT)
    dataset = backend.dataset("mnist")
    assert len(dataset.test) == 10 and backend.dataset("mnist") is dataset and read.count("mnist") == 2
    assert describe(backend, {"model": mnists})["examples_from"] == "MNIST"


def _counted(read):
    from vae_core import load_dataset

    return lambda name, *args, **kwargs: read.append(name) or load_dataset(name, *args, **kwargs)


# Many labels


@pytest.fixture
def letters(backend, monkeypatch):
    """Test images of 62 labels, one label after another, of which the map and the crowd show a fifth.

    Those of the first half are black, the others noise.
    """
    monkeypatch.setattr("ui.models.MOST_MEANS", 124)
    monkeypatch.setattr("ui.tabs.draw.CROWD", 124)
    images = grey(620)
    images[:310] = 0
    test = {"t10k-images-idx3-ubyte": idx(images), "t10k-labels-idx1-ubyte": idx(labels(620, kinds=62).sort().values)}
    put(backend.data_dir, CONTENT | test)


def test_62_labels_have_examples_means_and_neighbours_though_sorted(backend, mnists, letters):
    about = describe(backend, {"model": mnists})
    assert [example["label"] for example in about["examples"]] == list(range(62))
    content = means(backend.load(mnists), backend.dataset("mnist"))
    assert list(content[-124:]) == sorted([*range(62)] * 2)
    found = neighbours(backend, {"model": mnists, "images": about["examples"][-1]["image"]})
    assert found["data"] == "mnist" and len(found["labels"]) == 1


def test_the_crowd_is_of_all_labels_though_sorted(backend, mnists, letters):
    mnist = backend.dataset("mnist")
    fifth = Dataset("mnist", mnist.train, mnist.train_labels, mnist.test[::5], mnist.test_labels[::5])
    assert crowd(backend, {"model": mnists})["elbos"] == crowd_elbos(backend.load(mnists), fifth)


def test_the_means_are_of_images_in_the_models_format(backend, mnists, digits):
    loaded = backend.load(mnists)  # MNIST is not here: digits are brought into its format
    content = means(loaded, backend.shown_dataset("mnist"))
    numbers = np.frombuffer(content[: -len(digits.test)], dtype="<f2")[-4 * len(digits.test) :].reshape(-1, 4)
    wanted = embed(loaded.model, torch.stack([fit_drawing(image[0], 20) for image in digits.test]))
    torch.testing.assert_close(torch.from_numpy(numbers.astype("f4")), wanted, rtol=1e-3, atol=1e-3)


def test_an_empty_test_image_stops_no_model_of_other_data(backend):
    empty = torch.zeros(10, 28, 28, dtype=torch.uint8)
    put(backend.data_dir, CONTENT | {"t10k-images-idx3-ubyte": idx(empty)})
    path = backend.shipped["small"].with_name("kmnist.safetensors")
    save_checkpoint(backend.load("small").model, path, {"data": "kmnist"})
    backend.shipped["kmnist"] = path
    assert describe(backend, {"model": "kmnist"})["examples_from"] == "MNIST"
    assert len(crowd(backend, {"model": "kmnist"})["elbos"]) == 10


# A silent mirror


@pytest.fixture
def crowded(tmp_path, mirror):
    """A server on which four train at once, with a mirror that says nothing."""
    mirror.fault = "mute"
    (tmp_path / "checkpoints").mkdir()
    runs = Runs(tmp_path / "runs", torch.device("cpu"), 4)
    yield Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    runs.close()


def loads(backend, run):
    """Whether it waits for its download."""
    return backend.runs.status(run) == {"state": "loading", "message": "Downloading."}


def downloads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("download")]


@pytest.mark.parametrize("data", ["fashion-mnist", "auto"])
def test_stop_frees_the_form_at_once_though_the_mirror_is_silent(crowded, mirror, data):
    run = train_tab.start(crowded, session(ANNA), FORM | {"data": data})
    wait_for(lambda: mirror.asked and loads(crowded, run))
    begun = time.monotonic()
    steer(crowded, run, "stop")
    finished(crowded, run)
    other = train_tab.start(crowded, session(ANNA), FORM)
    assert time.monotonic() - begun < 3
    assert crowded.runs.status(run) == {"state": "stopped", "message": "Stopped while the data were loaded."}
    finished(crowded, other)
    steer(crowded, run, "play")  # it joins the download that still waits for the mirror
    wait_for(lambda: loads(crowded, run))
    assert len(mirror.asked) == len(downloads()) == 1


def test_one_attempt_is_for_all_who_asked_before_it_failed(crowded, mirror):
    classroom = [f"{n:032}" for n in range(8)]  # four load, and four wait for them
    runs = [train_tab.start(crowded, session(each), FORM | {"data": "fashion-mnist"}) for each in classroom]
    wait_for(lambda: all(loads(crowded, run) for run in runs[:4]))
    mirror.fault = "missing"
    mirror.release.set()  # which ends the answer that the first one waits for
    for run in runs:
        finished(crowded, run)
        status = crowded.runs.status(run)
        assert status["state"] == "failed" and status["message"].startswith("Fashion-MNIST could not be downloaded: ")
    assert len(mirror.asked) == 1
    mirror.fault = None
    steer(crowded, runs[0], "play", classroom[0])  # who asks now has it tried again
    wait_for(lambda: "batch_size is 128" in crowded.runs.status(runs[0])["message"])
    assert len(mirror.asked) == 5


def test_a_download_that_nobody_waits_for_any_longer_ends(crowded, mirror, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.FashionMNIST.mirrors", [mirror.address] * 2)
    run = train_tab.start(crowded, session(ANNA), FORM | {"data": "fashion-mnist"})
    wait_for(lambda: mirror.asked and loads(crowded, run))
    steer(crowded, run, "pause")
    finished(crowded, run)
    mirror.fault = None
    mirror.release.set()
    wait_for(lambda: not downloads())
    assert len(mirror.asked) == 1 and not list(crowded.data_dir.rglob("*idx*"))


def test_a_server_is_shut_down_at_once_though_the_mirror_is_silent(crowded, mirror):
    run = train_tab.start(crowded, session(ANNA), FORM | {"data": "fashion-mnist"})
    wait_for(lambda: mirror.asked and loads(crowded, run))
    begun = time.monotonic()
    crowded.runs.close()
    assert time.monotonic() - begun < 3 and crowded.runs.folder(run).read_status()["state"] == "paused"
