"""What goes wrong is one sentence, and nobody else's harm."""

import dataclasses
import shutil
import threading
from types import SimpleNamespace

import pytest
import torch

from vae_core import TrainConfig, VAEConfig
from vae_core.data import DataError
from vae_core.runs.folder import RunError, RunFolder
from vae_core.runs.server import ELSEWHERE, Runs
from vae_core.training.step import Step

from ..conftest import plain
from .conftest import LONG, STEERING, going, is_in, paused, reached, wait_for
from .test_run import CPU, MODEL


def test_a_diverged_run_says_where_and_goes_on_with_a_smaller_learning_rate(runs, load):
    config = plain(epochs=30, batch_size=50, learning_rate=1.0, record_every=1)
    run = runs.start(VAEConfig(latent_dim=3, likelihood="gaussian"), config, "digits", load, "me")
    wait_for(lambda: runs.status(run)["state"].has_ended, 60)
    last = runs.folder(run).records()[-1]["step"]
    assert is_in(runs, run, "failed")
    assert f"became infinite or NaN at step {last + 1}; try a smaller learning rate." in runs.status(run)["message"]
    runs.change(run, "me", {"learning_rate": 1e-4})
    runs.play(run, "me", load)
    wait_for(lambda: runs.status(run)["state"].has_ended, 60)
    assert is_in(runs, run, "finished") and runs.folder(run).records()[-1]["learning_rate"] == 1e-4


def test_a_run_for_which_memory_runs_out_says_so_is_kept_and_the_other_one_goes_on(tmp_path, load, monkeypatch):
    runs = Runs(tmp_path / "runs", CPU, max_trainings=2)
    other, run = going(runs, load, "other"), going(runs, load)
    compute, there_is_none = Step._compute, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90 GiB")

    def full(step, *batch):
        if threading.current_thread().name == victim:
            raise there_is_none
        return compute(step, *batch)

    victim = f"training_{[live.folder.path.name for live in runs.queue.trainings.values()].index(run)}"
    monkeypatch.setattr(Step, "_compute", full)
    reached(runs, run, "failed")
    assert "not enough memory" in runs.status(run)["message"] and "smaller batch" in runs.status(run)["message"]
    step = runs.folder(other).records()[-1]["step"]
    wait_for(lambda: runs.folder(other).records()[-1]["step"] > step + 100)
    monkeypatch.undo()
    runs.play(run, "me", load)
    before = runs.folder(run).saved_step()
    wait_for(lambda: runs.folder(run).records()[-1]["step"] > before + 20)
    runs.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("MNIST could not be downloaded: no network."), "MNIST could not be downloaded: no network."),
        (RuntimeError("CUDA out of memory.\nat line 1\nat line 2"), "CUDA out of memory."),
        (KeyError("x"), "The training failed: KeyError('x')"),
    ],
)
def test_what_goes_wrong_in_loading_is_said_and_the_next_one_goes(runs, load, error, message):
    def fail(report):
        raise error

    run = runs.start(MODEL, LONG, "mnist", fail, "me")
    reached(runs, run, "failed")
    assert runs.status(run) == {"state": "failed", "message": message}
    runs.play(run, "me", load)
    wait_for(lambda: runs.folder(run).records())
    assert is_in(runs, run, "running")


def test_the_progress_of_a_download_is_told(runs, few):
    go_on = threading.Event()

    def load(report):
        report("Downloading: 3.1 of 9.9 MB.")
        assert go_on.wait(10)
        return few, ""

    run = runs.start(MODEL, TrainConfig(steps=1, batch_size=50), "mnist", load)
    wait_for(lambda: runs.status(run) == {"state": "loading", "message": "Downloading: 3.1 of 9.9 MB."})
    go_on.set()
    reached(runs, run, "finished")


def test_data_of_another_size_are_refused(runs, load, few):
    run = paused(runs, load)
    fewer = dataclasses.replace(few, train=few.train[:150], train_labels=few.train_labels[:150])
    runs.play(run, "me", lambda report: (fewer, ""))
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run was trained on 200 images, and now there are 150."


def full_disk(monkeypatch, folder, *names):
    """From now on, the next write of those files of a folder fails as on a full disk, by the system's own word."""
    monkeypatch.setattr("vae_core.files.uuid.uuid4", lambda: SimpleNamespace(hex="partial"))
    for name in names:
        path = folder.path / name
        (path.parent / f".{path.name}.partial").symlink_to("/dev/full")


def no_writing(monkeypatch, folder, *names):
    """From now on, no write of those files of a folder succeeds."""
    monkeypatch.setattr("vae_core.files.uuid.uuid4", lambda: SimpleNamespace(hex="partial"))
    for name in names:
        (folder.path / f".{name}.partial").mkdir()


def quiet(runs, load, owner="me"):
    """A run that writes nothing until it is told: it is about to get its data."""
    there, go = threading.Event(), threading.Event()

    def wait(report):
        there.set()
        assert go.wait(20)
        return load(report)

    run = runs.start(MODEL, LONG, "digits", wait, owner)
    assert there.wait(20)
    return run, go


@pytest.mark.parametrize("name", ["model.safetensors", "state.safetensors", "frames/newest.jpg"])
def test_a_full_disk_is_said_and_the_other_run_goes_on(tmp_path, load, monkeypatch, name):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other = going(runs, load, "other")
    run, go = quiet(runs, load)
    folder = runs.folder(run)
    folder.frames.mkdir()
    full_disk(monkeypatch, folder, name)
    go.set()
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run's folder cannot be written: No space left on device."
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    wait_for(lambda: not folder.is_taken())
    runs.play(run, "me", load)  # there is space again
    wait_for(lambda: len(folder.records()) > 2)
    runs.close()
    assert is_in(runs, run, "paused") and is_in(runs, other, "paused")


def test_a_disk_that_is_full_for_the_records_is_said_and_the_other_run_goes_on(tmp_path, load, monkeypatch):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other = going(runs, load, "other")
    run, go = quiet(runs, load)
    folder = runs.folder(run)
    monkeypatch.setattr(RunFolder, "records", lambda self: [])  # reading that device would never end
    resume = RunFolder.resume

    def resume_and_link(self, *args):
        state = resume(self, *args)
        (self.path / "metrics.jsonl").unlink()
        (self.path / "metrics.jsonl").symlink_to("/dev/full")
        return state

    monkeypatch.setattr(RunFolder, "resume", resume_and_link)
    go.set()
    reached(runs, run, "failed")
    assert runs.status(run)["message"] == "The run's folder cannot be written: No space left on device."
    assert folder.read_status()["state"] == "failed"
    monkeypatch.undo()
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    runs.close()


def test_a_failure_that_cannot_be_written_is_known_all_the_same(runs, load, monkeypatch):
    run, go = quiet(runs, load)
    no_writing(monkeypatch, runs.folder(run), "status.json")
    go.set()
    reached(runs, run, "failed")
    assert runs.folder(run).read_status()["state"] == "loading"
    assert runs.status(run)["message"].startswith("The run's folder cannot be written: ")
    wait_for(lambda: not runs.folder(run).is_taken())
    with pytest.raises(RunError, match="folder cannot be written"):
        runs.play(run, "me", load)
    assert not runs.folder(run).is_taken()
    monkeypatch.undo()
    runs.play(run, "me", load)
    reached(runs, run, "running")


def test_leaving_the_line_with_a_full_disk_leaves_it(in_line, runs, load, monkeypatch):
    first = going(runs, load, "anna")
    run = runs.start(MODEL, LONG, "digits", load, "bert")
    full_disk(monkeypatch, runs.folder(run), "status.json")
    with pytest.raises(RunError, match="No space left on device"):
        runs.pause(run, "bert")
    assert not runs.folder(run).is_taken() and is_in(runs, run, "interrupted")
    runs.play(run, "bert", load)
    assert is_in(runs, run, "waiting") and is_in(runs, first, "running")


@pytest.mark.parametrize(
    ("how", "name"),
    [("stop", "status.json"), ("change", "changes.json"), ("rename", "name.txt"), ("play", "status.json")],
)
def test_steering_with_a_full_disk_is_refused_in_a_sentence(runs, load, monkeypatch, how, name):
    run = paused(runs, load)
    full_disk(monkeypatch, runs.folder(run), name)
    with pytest.raises(RunError, match=r"The run's folder cannot be written: No space left on device\."):
        STEERING[how](runs, run, "me", load)
    assert is_in(runs, run, "paused") and not runs.folder(run).is_taken()
    assert runs.folder(run).changes() == [] and runs.folder(run).name() == ""


def test_a_run_that_failed_and_goes_on_elsewhere_is_not_said_to_have_failed(runs, load):
    def broken(report):
        raise DataError("There are none.")

    run = paused(runs, load)
    runs.play(run, "me", broken)
    reached(runs, run, "failed")
    wait_for(lambda: run not in runs.queue.trainings)
    folder = runs.folder(run)
    folder.acquire()  # as another process that resumes it
    folder.write_status("running")
    assert runs.status(run) == {"state": "running", "message": ELSEWHERE}
    with pytest.raises(RunError, match="by another process"):
        runs.change(run, "me", {"beta": 1.0})
    folder.release()  # as one that is killed
    assert is_in(runs, run, "interrupted")


def test_a_folder_that_is_deleted_under_its_training_is_said(tmp_path, load, caplog):
    runs = Runs(tmp_path, CPU, max_trainings=2)
    other, run = going(runs, load, "other"), going(runs, load)
    shutil.rmtree(runs.folder(run).path.rename(tmp_path / "grave"))  # at once: its training is writing into it
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}
    wait_for(lambda: not runs.queue.trainings.keys() & {run})
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}
    assert runs.of("me") == [] and not runs.folder(run).path.exists()
    count = len(runs.folder(other).records())
    wait_for(lambda: len(runs.folder(other).records()) > count)
    assert is_in(runs, other, "running")
    again = going(runs, load)
    runs.close()
    assert is_in(runs, again, "paused") and is_in(runs, other, "paused") and not caplog.records


def test_a_folder_that_is_deleted_while_it_waits_is_said(in_line, runs, load):
    first = going(runs, load, "anna")
    run = runs.start(MODEL, LONG, "digits", load, "bert")
    shutil.rmtree(runs.folder(run).path)
    runs.stop(first, "anna")
    wait_for(lambda: not runs.queue.trainings)
    assert runs.status(run) == {"state": "failed", "message": "The run's folder is gone."}


def test_closing_goes_through_though_a_waiting_runs_folder_is_gone(in_line, tmp_path, load):
    runs = Runs(tmp_path, CPU)
    first = going(runs, load, "anna")
    gone, last = (runs.start(MODEL, LONG, "digits", load, owner) for owner in ("bert", "carl"))
    shutil.rmtree(runs.folder(gone).path)
    runs.close()
    assert is_in(runs, first, "paused") and is_in(runs, last, "paused")
    assert runs.status(last)["message"] == "The server was shut down while this run waited."


def test_a_folder_that_cannot_be_made_is_said(tmp_path, load):
    (tmp_path / "file").write_text("")
    runs = Runs(tmp_path / "file" / "runs", CPU)
    with pytest.raises(RunError, match=r"The run folder \S+ cannot be made: "):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == []
    runs.close()


def test_a_folder_that_cannot_be_written_leaves_nothing(runs, load, monkeypatch):
    def full(self):
        raise RunError("The run's folder cannot be written: No space left on device.")

    monkeypatch.setattr(RunFolder, "acquire", full)
    with pytest.raises(RunError, match="No space left"):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == [] and not list(runs.root.iterdir())


def test_a_start_while_the_server_is_shut_down_is_refused(runs, load):
    run = paused(runs, load)
    runs.close()
    with pytest.raises(RunError, match="being shut down"):
        runs.play(run, "me", load)
    with pytest.raises(RunError, match="being shut down"):
        runs.start(MODEL, LONG, "digits", load, "me")
    assert runs.of("me") == [run] and not runs.folder(run).is_taken()
