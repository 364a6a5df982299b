"""The script for a machine with a GPU runs to its end on one without, in a moment of everything."""

import json
import os
import subprocess
import sys

import pytest

import bench.gpu.__main__ as gpu

from .conftest import ROOT


@pytest.mark.mnist
def test_the_script_for_a_gpu_runs_to_its_end_on_a_cpu(mnist_dir, tmp_path):
    environment = {"OUT": tmp_path, "VAE_DATA_DIR": mnist_dir, "PYTHON": sys.executable}
    environment |= {"DEVICE": "cpu", "SHORT": "--short", "LIMIT": "500"}
    done = subprocess.run(
        ["bash", "bench/gpu.sh"],
        cwd=ROOT,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "exit status" not in done.stdout and "no time left" not in done.stdout, done.stdout
    report = json.loads((tmp_path / "gpu.json").read_text())
    wanted = {"first", "many", "step", "resume", "kill", "speed", "evaluate", "batch", "cycle"}
    assert wanted <= report["parts"].keys()
    assert not [row for rows in report["parts"].values() for row in rows if "error" in row]
    assert max(row["off"] for part in ("resume", "kill") for row in report["parts"][part]) == 0
    assert "| resume: weights off by | 0 | 0.0e+00 | holds |" in done.stdout


def test_a_part_that_fails_is_told_by_the_exit_status_and_in_the_table(few, tmp_path, capsys, monkeypatch):
    def first(_):
        raise RuntimeError("no memory left")

    def resume(_):
        return [{"off": 0.0}]

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["bench.gpu", *map(str, arguments)])
        gpu.main()

    monkeypatch.setattr(gpu, "PARTS", (first, resume))
    monkeypatch.setattr(gpu, "load_dataset", lambda *_, **__: few)
    options = ["--data-dir", "unused", "--device", "cpu", "--json", tmp_path / "gpu.json"]
    with pytest.raises(SystemExit) as failed:
        command("first", "resume", *options)
    assert failed.value.code == 1
    with pytest.raises(SystemExit) as fine:
        command("resume", *options)
    assert fine.value.code == 0
    capsys.readouterr()
    command("table", tmp_path / "gpu.json")
    lines = capsys.readouterr().out.splitlines()
    assert "| first | runs | RuntimeError('no memory left') | **does not hold** |" in lines
    assert "| resume: weights off by | 0 | 0.0e+00 | holds |" in lines  # the parts after it are measured
