"""What macOS and Windows do otherwise than Linux, as far as Linux can show it."""

import multiprocessing
import shutil
import subprocess
import threading
from collections import Counter
from pathlib import PureWindowsPath

import pytest
import torch

from vae_core import VAE, VAEConfig, load_checkpoint, save_checkpoint
from vae_core.cli import main
from vae_core.runs.folder import RunFolder, as_file_name

from .conftest import PLAIN, ROOT, seeded

FOLDERS = ("vae_core", "ui", "checkpoints", "bench", "docs", "tests")
SMALL = ["--data", "digits", "--hidden-dim", "8", "--latent-dim", "3", "--steps", "20", "--device", "cpu", *PLAIN]


def test_no_two_files_differ_in_case_alone_and_every_system_can_have_them():
    paths = [path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    assert len(paths) > 200
    assert [path for path, count in Counter(str(path).casefold() for path in paths).items() if count > 1] == []
    assert [path for path in paths if as_file_name(path.name) != path.name.strip(".")] == []


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_link_in_place_of_an_ignored_folder_is_ignored_too(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    for name in ("data", "runs", "node_modules", ".venv"):
        (tmp_path / name).symlink_to(ROOT, target_is_directory=True)
    command = ["git", "-C", tmp_path, "status", "--short", "--untracked-files=all"]
    status = subprocess.run(command, check=True, capture_output=True, text=True)
    assert status.stdout == "?? .gitignore\n"


@pytest.mark.parametrize(
    "name", ["a", "β = 4: larger?", 'x<y>"z"|*', "CON", "nul.txt", "com1", "a.", ". a ", "日本", "..x"]
)
def test_a_name_becomes_one_that_windows_takes(name):
    found = as_file_name(name)
    assert found and not set(found) & set('<>:"|?*') and found == found.strip(". ")
    assert not PureWindowsPath(found).is_reserved()
    assert as_file_name(found) == found


def test_an_accent_is_the_same_however_it_is_typed():
    assert as_file_name("gro\u0308sser") == as_file_name("gr\u00f6sser") == "gr\u00f6sser"


def test_a_file_is_replaced_while_it_is_read(tmp_path):
    """Each look finds a whole file, and what was read before stays."""
    path, models = tmp_path / "a.safetensors", [VAE(VAEConfig(latent_dim=2, hidden_dim=64), seeded(n)) for n in (0, 1)]
    weights = [next(model.parameters()) for model in models]
    save_checkpoint(models[0], path)
    stop = threading.Event()

    def save():
        while not stop.is_set():
            for model in models:
                save_checkpoint(model, path)

    saver = threading.Thread(target=save)
    saver.start()
    try:
        loaded = [next(load_checkpoint(path).parameters()) for _ in range(100)]
    finally:
        stop.set()
        saver.join(30)
    assert all(any(torch.equal(weight, one) for weight in weights) for one in loaded)


def test_a_run_is_trained_by_a_spawned_process(tmp_path):
    """As every process begins on macOS and Windows: it imports what it needs, and inherits nothing."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=main, args=(["train", *SMALL, "--out", str(tmp_path / "run")],))
    process.start()
    process.join(120)
    folder = RunFolder(tmp_path / "run")
    assert process.exitcode == 0 and folder.read_status()["state"] == "finished" and folder.saved_step() == 20
    with context.Pool(1) as pool:
        model = pool.apply(load_checkpoint, (folder.model_file,))
        records = pool.apply(RunFolder.records, (folder,))
    assert model.config == folder.read_config().model and records == folder.records()
