"""A training that is killed, again and again, at any moment, ends where it would have ended anyway."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from vae_core.cli import main
from vae_core.runs.folder import RunFolder

from ..conftest import PLAIN, ROOT
from .test_run import assert_same_end, figures

KILLS, SEED = 10, 40
OPTIONS = ["--data", "digits", "--device", "cpu", "--latent-dim", "3", "--hidden-dim", "16", "--batch-size", "20"]
OPTIONS += ["--precision", "float32", *PLAIN]
ENDLESS = ["--steps", "1000000000", "--record-every", "50"]


def saved(folder):
    """Step and seconds at which the run would go on; zeros where nothing is saved."""
    try:
        with safe_open(folder.path / "state.safetensors", framework="pt") as file:
            return int(file.metadata()["step"]), float(file.metadata()["seconds"])
    except FileNotFoundError:
        return 0, 0.0


def changed(folder):
    """Another value whenever the records are another file, or more."""
    path = folder.path / "metrics.jsonl"
    return (path.stat().st_ino, path.stat().st_size) if path.exists() else None


def killed_after(folder, seconds, *, since_it_trains):
    """Begins the run or goes on with it in a process, and kills that: so long after its start, or its first records."""
    there, before = (folder.path / "config.json").exists(), changed(folder)
    arguments = ["train", "--out", str(folder.path), *(["--resume"] if there else OPTIONS + ENDLESS)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "vae_core", *arguments], cwd=ROOT, env=env, **pipes)
    while since_it_trains and process.poll() is None and changed(folder) == before:
        time.sleep(0.01)
    try:
        _, error = process.communicate(timeout=seconds)
        raise AssertionError(f"it ended by itself: {error}")
    except subprocess.TimeoutExpired:
        process.kill()
        _, error = process.communicate()
    assert process.returncode == -signal.SIGKILL, error


@pytest.fixture
def one_thread():
    """One thread computes, here as in the processes: bits are the same only among the same number of them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_ten_kills_change_nothing(tmp_path, one_thread):
    folder, whole = RunFolder(tmp_path / "killed"), RunFolder(tmp_path / "whole")
    moments, steps, redone = random.Random(SEED), [], []
    for turn in range(KILLS):
        if turn % 2:
            killed_after(folder, moments.uniform(0.3, 3.0), since_it_trains=False)
        else:
            killed_after(folder, moments.uniform(0.0, 5.5), since_it_trains=True)
        records = folder.records()
        steps.append(saved(folder)[0])
        redone.append(records[-1]["seconds"] - saved(folder)[1] if records else 0.0)
        assert not folder.is_taken()
    gained = [later - earlier for earlier, later in pairwise([0, *steps])]
    assert min(gained) >= 0 and sum(steps > 1 for steps in gained) >= 2, steps  # two came later than a second state
    assert max(redone) <= 5 and sum(seconds > 0.1 for seconds in redone) >= 3, redone

    end = ["--steps", str(steps[-1] + 100), "--device", "cpu"]
    assert main(["train", "--resume", "--out", str(folder.path), *end]) == 0
    assert main(["train", "--out", str(whole.path), *OPTIONS, *ENDLESS, *end]) == 0
    assert_same_end(whole, folder)
    one, other = load_file(whole.model_file), load_file(folder.model_file)
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())
    records = folder.records()
    assert [record["step"] for record in records] == [record["step"] for record in whole.records()]
    assert figures(records) == figures(whole.records())
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)
    assert folder.read_status() == whole.read_status()


def test_a_start_that_is_killed_before_it_has_saved_anything_begins_anew(tmp_path):
    folder = RunFolder(tmp_path / "run")
    arguments = [sys.executable, "-m", "vae_core", "train", "--out", str(folder.path), *OPTIONS, *ENDLESS]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (folder.path / "config.json").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.0005)
    process.kill()
    process.wait()
    assert main(["train", "--resume", "--steps", "8", "--out", str(folder.path), "--device", "cpu"]) == 0
    assert [record["step"] for record in folder.records()] == [1, 8]
