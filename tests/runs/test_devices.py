"""Several devices of a server, with stand-ins for GPUs: where trainings go, and what one that fails takes along."""

import pytest
import torch

import vae_core.runs.queue
from vae_core.runs.folder import RunError
from vae_core.runs.run import train_into
from vae_core.runs.server import Runs
from vae_core.training.random import BLOCK
from vae_core.training.recording import Recordings

from .conftest import LONG, is_in, reached, wait_for
from .test_run import CPU, MODEL

FIRST, SECOND = torch.device("cuda", 0), torch.device("cuda", 1)


@pytest.fixture
def broken():
    """The devices that have failed: trainings on them end with what CUDA says."""
    return set()


@pytest.fixture
def server(tmp_path, monkeypatch, broken):
    """Makes the runs of a server whose GPUs are names: all computes on the CPU."""
    made = []

    def training(folder, model, dataset, config, device, state, steering, turn):
        for metrics in train_into(folder, model, dataset, config, CPU, state, steering, turn=turn):
            if device in broken:
                raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
            yield metrics

    def make(most):
        runs = Runs(tmp_path / "runs", [FIRST, SECOND], most)
        made.append(runs)
        return runs

    monkeypatch.setattr(vae_core.runs.queue, "train_into", training)
    monkeypatch.setattr(vae_core.runs.queue, "own_stream", lambda device: torch.inference_mode(False))
    monkeypatch.setattr(vae_core.runs.queue, "resolve", lambda precision, device: "float32")
    monkeypatch.setattr(vae_core.runs.queue, "describe_device", lambda device: f"GPU {device.index}")
    monkeypatch.setattr(vae_core.runs.queue.torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr("vae_core.runs.folder.describe_processor", lambda device: "a stand-in")
    resume = vae_core.runs.folder.RunFolder.resume
    monkeypatch.setattr(vae_core.runs.folder.RunFolder, "resume", lambda self, model, device: resume(self, model, CPU))
    yield make
    for runs in made:
        runs.close()


def begin(runs, load, *owners):
    started = [runs.start(MODEL, LONG, "digits", load, owner) for owner in owners]
    for run in started:
        wait_for(lambda run=run: len(runs.folder(run).records()) > 1 or is_in(runs, run, "waiting"))
    return started


def device_of(runs, run):
    return runs.folder(run).read_config().device


def test_a_training_goes_to_the_device_with_the_fewest(in_line, server, load):
    runs = server(2)
    first, second, third, fourth, fifth = begin(runs, load, *"abcde")
    assert [device_of(runs, run) for run in (first, second, third, fourth)] == ["cuda:0", "cuda:1"] * 2
    assert runs.status(fifth)["state"] == "waiting" and runs.status(fifth)["message"].startswith("You are next")
    runs.stop(second, "b")
    reached(runs, fifth, "running")
    wait_for(lambda: device_of(runs, fifth) == "cuda:1")


def test_each_device_takes_as_many_as_it_may(in_line, server, load):
    runs = server([1, 3])
    started = begin(runs, load, *"abcde")
    assert sorted(device_of(runs, run) for run in started[:4]) == ["cuda:0", "cuda:1", "cuda:1", "cuda:1"]
    assert is_in(runs, started[4], "waiting")


def test_a_gpu_that_fails_loses_its_own_runs_which_go_on_elsewhere(server, load, broken, monkeypatch):
    runs = server(2)
    first, second, third = begin(runs, load, *"abc")
    broken.add(FIRST)
    reached(runs, first, "failed")
    reached(runs, third, "failed")
    message = runs.status(first)["message"]
    assert message.startswith(
        "GPU 0 has failed (CUDA error: an illegal memory access was encountered); until the server"
    )
    assert is_in(runs, second, "running")
    steps = runs.folder(second).records()[-1]["step"]
    wait_for(lambda: runs.folder(second).records()[-1]["step"] > steps)
    before = runs.folder(first).saved_step()
    runs.play(first, "a", load)
    wait_for(lambda: runs.folder(first).records()[-1]["step"] > before + 20)
    assert device_of(runs, first) == "cuda:1"
    monkeypatch.setattr("vae_core.runs.server.describe_devices", lambda devices: f"{len(devices)} GPU")
    assert runs.computing_on() == "1 GPU; 1 of 2 devices failed, until the server is started again"
    monkeypatch.setattr(Recordings, "refusal", "operation not permitted")
    assert runs.computing_on().endswith("; steps are taken one kernel at a time: operation not permitted")


def test_where_no_gpu_is_left_those_who_wait_and_those_who_come_are_told(in_line, server, load, broken):
    runs = server(1)
    *going, waiting = begin(runs, load, *"abc")
    assert is_in(runs, waiting, "waiting")
    broken |= {FIRST, SECOND}
    for run in (*going, waiting):
        reached(runs, run, "failed")
    assert "until the server is started again" in runs.status(waiting)["message"]
    with pytest.raises(RunError, match="until the server is started again"):
        runs.start(MODEL, LONG, "digits", load, "d")
    assert runs.of("d") == [] and not runs.folder(waiting).is_taken()


def test_mps_trains_one_at_a_time_and_its_single_batches_too():
    mps = torch.device("mps")
    with pytest.raises(ValueError, match="max_trainings is 2; it must be a whole number from 1 to 1"):
        vae_core.runs.workers.Worker(mps, 2)
    worker = vae_core.runs.workers.Worker(mps, 1)
    assert worker.single_batches is worker.threads
    worker.threads.shutdown()


def test_a_gpu_that_cannot_be_warmed_up_says_so_and_is_tried_all_the_same(monkeypatch, caplog):
    def cannot(device):
        raise RuntimeError("CUDA driver version is insufficient\nand more")

    monkeypatch.setattr(vae_core.runs.workers, "warm_up", cannot)
    worker = vae_core.runs.workers.Worker(CPU, 1)
    worker.warm_up().result(10)
    assert "cpu could not be warmed up: CUDA driver version is insufficient" in caplog.text and not worker.failure
    worker.threads.shutdown()
    worker.single_batches.shutdown()


@pytest.mark.parametrize("device", [CPU, torch.device("mps")])
def test_only_a_gpu_is_warmed_up(device, monkeypatch):
    trained = []
    monkeypatch.setattr("vae_core.training.warm_up.train", lambda *args: trained.append(args) or [])
    vae_core.training.warm_up.warm_up(device)
    assert trained == []


def test_a_gpu_is_warmed_up_by_steps_of_an_mlp_and_of_a_conv(monkeypatch):
    trained = []
    monkeypatch.setattr(
        "vae_core.training.warm_up.train", lambda model, data, config, device: trained.append((model, config)) or []
    )
    vae_core.training.warm_up.warm_up(torch.device("cuda"))
    assert [model.config.architecture for model, _ in trained] == ["mlp", "conv"]
    assert all(config.steps == 4 * BLOCK for _, config in trained)  # one alone, then met, recorded, replayed
