"""The script for a machine with a GPU runs to its end on one without, in a moment of everything."""

import json
import os
import subprocess
import sys

import pytest

from .conftest import ROOT


@pytest.mark.mnist
def test_the_script_for_a_gpu_runs_to_its_end_on_a_cpu(mnist_dir, tmp_path):
    environment = {"OUT": tmp_path, "VAE_DATA_DIR": mnist_dir, "PYTHON": sys.executable}
    environment |= {"DEVICE": "cpu", "SHORT": "--short", "LIMIT": "300"}
    done = subprocess.run(
        ["bash", "bench/gpu.sh"],
        cwd=ROOT,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "exit status" not in done.stdout and "no time left" not in done.stdout, done.stdout
    report = json.loads((tmp_path / "gpu.json").read_text())
    wanted = {"first", "many", "step", "resume", "kill", "speed", "evaluate", "batch", "cycle"}
    assert wanted <= report["parts"].keys()
    assert not [row for rows in report["parts"].values() for row in rows if "error" in row]
    assert max(row["off"] for part in ("resume", "kill") for row in report["parts"][part]) == 0
    assert "| resume: weights off by | 0 | 0.0e+00 | holds |" in done.stdout
