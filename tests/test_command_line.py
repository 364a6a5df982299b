"""python -m vae_core, as a process where it must be one."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch

from vae_core import VAE, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.cli import main
from vae_core.data import binarized_for_evaluation
from vae_core.evaluation.evaluate import evaluate_elbo
from vae_core.runs.changes import Change
from vae_core.runs.folder import RunFolder
from vae_core.runs.server import Runs
from vae_core.storage.checkpoint import read_header

from .conftest import PLAIN, ROOT
from .mnist import CONTENT, idx, labels, put

SMALL = ["--data", "digits", "--latent-dim", "3", "--hidden-dim", "16", "--device", "cpu"]
SMALL += ["--batch-size", "128", *PLAIN]


def figures(folder):
    """Its records without times."""
    return [{k: v for k, v in record.items() if "second" not in k} for record in RunFolder(folder).records()]


def command(*arguments, **kwargs):
    """A process of the command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "vae_core", *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


def test_grey_pixels_under_a_bernoulli_likelihood_have_no_log_p_of_x(tmp_path, capsys):
    path = tmp_path / "grey.safetensors"
    save_checkpoint(VAE(VAEConfig(latent_dim=3, hidden_dim=4, binarization="grey")), path, {"data": "digits"})
    assert main(["evaluate", str(path), "--samples", "2", "--subset", "2", "--images", "5", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "log p(x)" not in said and "log s(x) ≥" in said and "cross-entropy is not a probability" in said


def test_what_is_known_exactly_is_said_to_be_and_what_bounds_it(tmp_path, capsys):
    path = tmp_path / "linear.safetensors"
    config = VAEConfig(architecture="linear", latent_dim=2, likelihood="gaussian", sigma=0.3)
    save_checkpoint(VAE(config), path, {"data": "digits"})
    options = ["--samples", "2", "--subset", "5", "--device", "cpu"]
    assert main(["evaluate", str(path), *options, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["gap"] == pytest.approx(report["exact_log_likelihood"] - report["elbo"])
    assert report["subset_is_exact"]
    assert main(["evaluate", str(path), *options]) == 0
    said = capsys.readouterr().out
    assert "log p(x), exact" in said and "of any linear Gaussian model with D = 2 and one σ" in said


def test_train_and_evaluate(tmp_path, capsys):
    assert main(["train", *SMALL, "--epochs", "2", "--out", str(tmp_path / "a")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("step 12  epoch 1.00  held-out −ELBO ")
    assert lines[-1] == f"finished: Step 24 of 24. The run is in {tmp_path / 'a'}."

    assert main(["evaluate", str(tmp_path / "a"), "--samples", "2", "--subset", "2", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "at most log N = 5.694" in said  # of 297 images
    assert "log p(x) ≥" in said and "on average, by K = 2 draws of the encoder's q" in said
    bounds = [line for line in said.splitlines() if "by K = 2 draws of" in line]
    assert len(bounds) == 4 and all(" ≥ " in line for line in bounds)
    assert "by K = 2 draws of the prior: far from tight" in said and "at least, as that is a bound" in said
    assert main(["evaluate", str(tmp_path / "a"), "--samples", "5", "--subset", "20", "--json", "--device", "cpu"]) == 0
    report = json.loads(capsys.readouterr().out)
    wanted = {
        "elbo", "reconstruction", "kl", "log_likelihood", "gap", "kl_per_dim", "active_units", "images", "samples",
        "binarization", "images_per_second", "amortization_gap", "approximation_gap", "information_at_least",
        "information_at_most", "information_marginal_at_least", "information_marginal_at_most",
        "prior_log_likelihood", "gradient_variance_ratio",
    }  # fmt: skip
    assert wanted <= report.keys()
    assert (report["images"], report["samples"], report["binarization"]) == (297, 5, "dynamic")
    assert report["gap"] == pytest.approx(report["log_likelihood"] - report["elbo"])
    last = RunFolder(tmp_path / "a").records()[-1]["test"]
    assert report["elbo"] == pytest.approx(last["elbo"], abs=0.5)
    assert report["log_likelihood"] > report["elbo"]
    assert report["subset_gap"] == pytest.approx(report["amortization_gap"] + report["approximation_gap"], abs=1e-3)
    for least, most in (("at_least", "marginal_at_most"), ("at_most", "marginal_at_least")):
        assert report[f"information_{least}"] + report[f"information_{most}"] == pytest.approx(report["kl"], abs=1e-3)
    assert report["gradient_variance_ratio"] > 10

    assert (
        main(
            ["evaluate", str(tmp_path / "a" / "model.safetensors"), "--images", "20", "--samples", "2", "--subset", "5"]
        )
        == 0
    )
    text = capsys.readouterr().out
    assert "on 20 test images of digits" in text and "log p(x)" in text and "K = 2" in text


def test_evaluate_with_another_binarization(tmp_path, capsys):
    main(["train", *SMALL, "--steps", "3", "--out", str(tmp_path / "a")])
    capsys.readouterr()
    elbos = {}
    for how in ("dynamic", "grey", "threshold"):
        assert (
            main(["evaluate", str(tmp_path / "a"), "--samples", "1", "--subset", "2", "--json", "--binarization", how])
            == 0
        )
        report = json.loads(capsys.readouterr().out)
        assert report["binarization"] == how
        elbos[how] = report["elbo"]
    assert len(set(elbos.values())) == 3


def test_twice_the_same_command_gives_the_same_figures(tmp_path):
    for name in ("a", "b"):
        process = command("train", *SMALL, "--epochs", 3, "--seed", 0, "--out", tmp_path / name)
        assert process.wait(120) == 0, process.stderr.read()
        process.communicate()
    assert figures(tmp_path / "a") == figures(tmp_path / "b") and len(figures(tmp_path / "a")) > 3


def test_held_out_training_images_take_the_place_of_the_test_images(tmp_path, digits):
    folder = RunFolder(tmp_path / "a")
    assert main(["train", *SMALL, "--epochs", "1", "--hold-out", "300", "--out", str(folder.path)]) == 0
    config, record = folder.read_config(), folder.records()[-1]
    assert (config.hold_out, config.train_images, record["images_seen"]) == (300, 1200, 1200)
    x = binarized_for_evaluation(digits.train[-300:], "dynamic")
    assert record["test"]["elbo"] == evaluate_elbo(load_checkpoint(folder.model_file), x).elbo
    assert read_header(folder.model_file).about["hold_out"] == 300
    assert main(["train", "--resume", "--epochs", "2", "--out", str(folder.path)]) == 0
    assert folder.records()[-1]["images_seen"] == 2400


def test_a_run_starts_from_the_weights_of_a_checkpoint(tmp_path, capsys):
    first, second = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "b")
    main(["train", *SMALL, "--epochs", "3", "--prior-std", "2", "--out", str(first.path)])
    start = ["--data", "digits", "--device", "cpu", "--start", str(first.model_file)]
    more = ["--samples", "3", "--objective", "importance-weighted", "--record-every", "1"]
    assert main(["train", *start, *more, "--epochs", "1", "--seed", "9", "--out", str(second.path)]) == 0
    assert second.read_config().model == first.read_config().model
    last, after = first.records()[-1], second.records()
    assert after[0]["step"] == 1 and after[0]["train"]["elbo"] > last["train"]["elbo"] - 15
    assert second.start_file.read_bytes() == first.model_file.read_bytes()
    assert second.read_config().start == second.settings()["start"] == "a, step 36" and second.changes() == []
    assert read_header(second.model_file).about["start"] == "a, step 36"
    capsys.readouterr()
    assert main(["train", *start, "--hold-out", "300", "--out", str(tmp_path / "c")]) == 2
    sentence = "hold_out is 300, but the model to begin with has learned from all but 0 of the training images"
    assert sentence in capsys.readouterr().err and not (tmp_path / "c").exists()
    assert main(["train", *start, "--latent-dim", "5", "--out", str(tmp_path / "c")]) == 2
    assert "latent_dim is that of the model in" in capsys.readouterr().err and not (tmp_path / "c").exists()
    assert main(["train", *start[:-1], "none", "--out", str(tmp_path / "c")]) == 2
    assert "none is not there" in capsys.readouterr().err and not (tmp_path / "c").exists()


@pytest.mark.parametrize("task", ["train", "evaluate"])
def test_a_dataset_that_cannot_be_used_is_one_line(tmp_path, capsys, task):
    put(tmp_path, CONTENT | {"train-labels-idx1-ubyte": idx(labels(27))})
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=8)), tmp_path / "model.safetensors")
    more = {"train": ["--out", str(tmp_path / "a")], "evaluate": [str(tmp_path / "model.safetensors")]}[task]
    assert main([task, "--data", "mnist", "--data-dir", str(tmp_path), "--device", "cpu", *more]) == 2
    assert capsys.readouterr().err == (
        "error: MNIST cannot be used: train-labels-idx1-ubyte holds 27 labels; 30 are wanted, as "
        f"train-images-idx3-ubyte has images. The data folder is {tmp_path}; --data-dir names another one.\n"
    )
    assert not (tmp_path / "a").exists()


@pytest.mark.mnist
def test_mnist_twice_gives_the_same_figures_and_evaluate_agrees(tmp_path, mnist_dir, capsys):
    for name in ("a", "b"):
        options = ["--data", "mnist", "--data-dir", str(mnist_dir), "--epochs", "1", "--seed", "0", "--device", "cpu"]
        assert main(["train", *options, "--out", str(tmp_path / name)]) == 0
    assert figures(tmp_path / "a") == figures(tmp_path / "b")
    capsys.readouterr()
    options = ["--data", "mnist", "--data-dir", str(mnist_dir), "--samples", "1", "--subset", "2", "--json"]
    assert main(["evaluate", str(tmp_path / "a"), *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["images"] == 10_000
    assert report["elbo"] == pytest.approx(figures(tmp_path / "a")[-1]["test"]["elbo"], abs=0.5)


def test_ctrl_c_ends_with_the_run_complete_and_resume_goes_on(tmp_path):
    folder = RunFolder(tmp_path / "a")
    process = command("train", *SMALL, "--epochs", 100_000, "--out", folder.path)
    end = time.monotonic() + 60
    while len(folder.records()) < 5 and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in err and "stopped: Step" in out
    step = folder.records()[-1]["step"]
    assert folder.read_status() == {"state": "stopped", "message": f"Step {step:,} of 1,200,000."}

    assert main(["train", "--resume", "--steps", str(step + 7), "--out", str(folder.path), "--device", "cpu"]) == 0
    steps = [record["step"] for record in folder.records()]
    assert steps[-1] == step + 7 and steps == sorted(set(steps))


def test_settings_that_are_given_with_resume_hold_from_there_on(tmp_path):
    folder = RunFolder(tmp_path / "a")
    main(["train", *SMALL, "--steps", "3", "--record-every", "1", "--out", str(folder.path)])
    more = ["--steps", "5", "--learning-rate", "0.01", "--samples", "2", "--out", str(folder.path), "--device", "cpu"]
    assert main(["train", "--resume", *more]) == 0
    assert [record["learning_rate"] for record in folder.records()] == [1e-3] * 3 + [0.01] * 2
    assert [record["samples"] for record in folder.records()] == [1, 1, 1, 2, 2]
    assert folder.changes() == [Change(3, {"learning_rate": 0.01, "samples": 2})]
    assert folder.read_config().training.learning_rate == 1e-3 and folder.settings()["learning_rate"] == 0.01


def test_epochs_take_the_place_of_steps(tmp_path):
    folder = RunFolder(tmp_path / "a")
    main(["train", *SMALL, "--steps", "3", "--out", str(folder.path)])
    assert main(["train", "--resume", "--epochs", "2", "--out", str(folder.path), "--device", "cpu"]) == 0
    assert folder.saved_step() == 24


def test_patience_that_comes_with_resume_counts_from_there_on(tmp_path):
    folder = RunFolder(tmp_path / "a")
    main(["train", *SMALL, "--epochs", "40", "--learning-rate", "0.005", "--out", str(folder.path)])
    before = max(record["test"]["elbo"] for record in folder.records() if record["test"])
    worse = ["--epochs", "500", "--patience", "2", "--learning-rate", "0.2", "--out", str(folder.path)]
    assert main(["train", "--resume", *worse, "--device", "cpu"]) == 0
    evaluated = [record for record in folder.records() if record["test"] and record["step"] > 480]
    best = max(evaluated, key=lambda record: record["test"]["elbo"])
    assert best["test"]["elbo"] < before  # which was not kept, so that it is no measure
    assert best is evaluated[-3] and read_header(folder.model_file).about["step"] == best["step"]


def test_an_uploaded_model_is_not_trained_over(tmp_path, capsys):
    main(["train", *SMALL, "--steps", "3", "--hold-out", "300", "--out", str(tmp_path / "a")])
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    folder = runs.folder(runs.add(tmp_path / "a" / "model.safetensors", "me", "mine"))
    runs.close()
    before = folder.model_file.read_bytes()
    assert folder.settings()["hold_out"] == 300
    assert main(["train", "--resume", "--steps", "9", "--out", str(folder.path)]) == 2
    assert "is an uploaded model" in capsys.readouterr().err and folder.model_file.read_bytes() == before


def test_ctrl_c_ends_an_evaluation_with_a_word(tmp_path, capsys, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    main(["train", *SMALL, "--steps", "3", "--out", str(tmp_path / "a")])
    monkeypatch.setattr("vae_core.cli.measure", interrupted)
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "a")]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_run_that_another_process_trains_is_refused(tmp_path, capsys):
    folder = RunFolder(tmp_path / "a")
    main(["train", *SMALL, "--steps", "3", "--out", str(folder.path)])
    before = (folder.path / "metrics.jsonl").read_bytes()
    folder.acquire()
    try:
        assert main(["train", "--resume", "--steps", "9", "--out", str(folder.path)]) == 2
    finally:
        folder.release()
    assert "error: Another process is training this run.\n" in capsys.readouterr().err
    assert (folder.path / "metrics.jsonl").read_bytes() == before and folder.saved_step() == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "cifar", "--out", "RUN"], "data is 'cifar'; it must be one of"),
        (["train", "--out", "RUN"], "--data is missing"),
        (["train", "--data", "digits", "--latent-dim", "0", "--out", "RUN"], "latent_dim is 0"),
        (["train", "--data", "digits", "--latent-dim", "1000000000", "--out", "RUN"], "latent_dim is 1000000000"),
        (["train", "--data", "digits", "--learning-rate", "nan", "--out", "RUN"], "learning_rate is 'nan'"),
        (["train", "--data", "digits", "--batch-size", "5000", "--out", "RUN"], "has 1500 images"),
        (
            ["train", "--data", "digits", "--architecture", "conv", "--hidden-layers", "2", "--out", "RUN"],
            "only an mlp",
        ),
        (["train", "--data", "digits", "--hold-out", "1500", "--out", "RUN"], "hold_out is 1500"),
        (
            ["train", "--data", "digits", "--architecture", "linear", "--hidden-dim", "9", "--out", "RUN"],
            "hidden_dim is 9, but a linear",
        ),
        (
            ["train", "--data", "digits", "--sigma", "0.5", "--out", "RUN"],
            "sigma is 0.5, but only a Gaussian likelihood has one",
        ),
        (
            ["train", "--data", "digits", "--sigma-mode", "learned", "--out", "RUN"],
            "sigma_mode is learned, but only a Gaussian",
        ),
        (["train", "--data", "digits", "--hold-out", "-1", "--out", "RUN"], "hold_out is -1"),
        (["train", "--data", "digits", "--out", "FILE/run"], "cannot be made"),
        (["train", "--data", "digits", "--out", "."], "is not empty"),
        (["train", "--data", "digits", "--device", "tpu", "--out", "RUN"], "device is 'tpu'"),
        (["train", "--data", "mnist", "--data-dir", "FILE", "--out", "RUN"], "cannot be stored in the data folder: "),
        (["train", "--resume", "--out", "RUN"], "There is no run RUN"),
        (["evaluate", "none.safetensors"], "none.safetensors is not there"),
        (["evaluate", "FILE"], "cannot be read as a checkpoint"),
        (["evaluate", "../none.safetensors"], "error: ../none.safetensors is not there"),
        (["evaluate", "digits/none.safetensors"], "error: digits/none.safetensors is not there"),
        (["evaluate", "GOOD", "--samples", "0"], "samples is 0"),
        (["evaluate", "GOOD", "--images", "298"], "images is 298; it must be a whole number from 1 to 297"),
        (["evaluate", "GOOD", "--data", "cifar"], "data is 'cifar'"),
        (["evaluate", "GOOD", "--seed", "99999999999999999999"], "seed is 99999999999999999999"),
        (["evaluate", "GOOD", "--keep", "nowhere/kept"], "error: nowhere/kept: No such file or directory"),
        (["train", "--resume", "--start", "GOOD", "--out", "GOOD"], "take one of them"),
        (["train", "--data", "digits", "--start", "FILE", "--out", "RUN"], "cannot be read as a checkpoint"),
    ],
)
def test_bad_input_is_one_line_and_a_status(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("no checkpoint")
    main(["train", *SMALL, "--steps", "1", "--out", "GOOD"])
    capsys.readouterr()
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "RUN").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--beta", "1,000", "--out", "RUN"], "beta is '1,000', which can mean two numbers: write 1000 or 1."),
        (["train", "--beta", "half", "--data", "digits", "--out", "RUN"], "beta is 'half'; it must be a number from 0"),
        (["train", "--steps", "", "--data", "digits", "--out", "RUN"], "steps is ''; it must be a whole number"),
        (["train", "--hold-out", "0,5", "--data", "digits", "--out", "RUN"], "hold_out is 0.5; it must be a whole"),
        (["evaluate", "GOOD", "--samples", "2,5"], "samples is 2.5; it must be a whole number"),
        (["train", "--out"], "argument --out: expected one argument"),
    ],
)
def test_a_number_that_is_none_is_one_line(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    save_checkpoint(VAE(VAEConfig(latent_dim=2, hidden_dim=8)), tmp_path / "GOOD", {"data": "digits"})
    try:
        status = main(arguments)
    except SystemExit as exit:
        status = exit.code
    err = capsys.readouterr().err
    assert status == 2 and err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "RUN").exists()


def test_numbers_are_typed_on_the_command_line_as_on_the_page(tmp_path):
    numbers = [
        "--beta",
        "0,5",
        "--learning-rate",
        "1,5e-3",
        "--prior-mean=−0,25",
        "--batch-size",
        "128",
        "--hold-out",
        "9",
    ]
    out = tmp_path / "a"
    assert main(["train", "--data", "digits", "--hidden-dim", "8", "--steps", "1", "--out", str(out), *numbers]) == 0
    config = RunFolder(out).read_config()
    training = config.training
    assert (training.beta, training.learning_rate, training.batch_size) == (0.5, 0.0015, 128)
    assert (config.model.prior_mean, config.hold_out) == (-0.25, 9)
    assert type(training.batch_size) is int and type(training.beta) is float


def test_a_resumed_run_keeps_its_model(tmp_path, capsys):
    main(["train", *SMALL, "--steps", "1", "--out", str(tmp_path / "a")])
    assert main(["train", "--resume", "--latent-dim", "5", "--out", str(tmp_path / "a")]) == 2
    assert "latent_dim is 5, but the run" in capsys.readouterr().err
    for option, value in (("--hold-out", "10"), ("--objective", "importance-weighted"), ("--average", "0.5")):
        assert main(["train", "--resume", option, value, "--out", str(tmp_path / "a")]) == 2
        assert f"{option[2:].replace('-', '_')} is " in capsys.readouterr().err
