"""One model trained by two processes, as torchrun starts them, is the model that one process trains."""

import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from vae_core.cli import main
from vae_core.runs.folder import RunFolder

from ..conftest import PLAIN, ROOT

COMMON = ["--data", "digits", "--latent-dim", "4", "--hidden-dim", "32", "--record-every", "3", "--device", "cpu"]
COMMON += ["--precision", "float32", *PLAIN]
CASES = {  # 1,500 images: the last batch of 1,499 is one image, of which the second process has none
    "free bits": ["--batch-size", "1499", "--epochs", "5", "--samples", "2", "--free-bits", "0.3", "--beta", "2"],
    "optimal sigma": [
        "--architecture",
        "conv",
        "--likelihood",
        "gaussian",
        "--sigma-mode",
        "optimal",
        "--batch-size",
        "101",
        "--epochs",
        "2",
    ],
    "importance-weighted": [
        *("--objective", "importance-weighted", "--samples", "3", "--warmup-steps", "20", "--batch-size", "100"),
        *("--epochs", "2", "--clip-norm", "3", "--average", "0.9", "--schedule", "cosine", "--hold-out", "300"),
    ],
}


def torchrun(*options: object) -> subprocess.Popen:
    """Two processes of `python -m vae_core`."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "vae_core"]
    return subprocess.Popen(
        [sys.executable, *launcher, *map(str, options)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> tuple[str, str]:
    try:
        return process.communicate(timeout=120)
    finally:
        process.kill()


@pytest.mark.parametrize("case", CASES)
def test_the_same_batches_give_the_same_losses_and_weights(tmp_path, case):
    folders = {count: RunFolder(tmp_path / count) for count in ("one", "two")}
    process = torchrun("train", *COMMON, *CASES[case], "--out", folders["two"].path)
    _, err = finish(process)
    assert process.returncode == 0, err
    assert main(["train", *COMMON, *CASES[case], "--out", str(folders["one"].path)]) == 0
    one, two = folders["one"].records(), folders["two"].records()
    assert [record["step"] for record in one] == [record["step"] for record in two]
    for mine, other in zip(one, two, strict=True):
        for part in ("elbo", "reconstruction", "kl"):
            assert other["train"][part] == pytest.approx(mine["train"][part], rel=1e-4, abs=1e-4)
        assert other["kl_per_dim"] == pytest.approx(mine["kl_per_dim"], rel=1e-3, abs=1e-5)
        assert other["images_seen"] == mine["images_seen"] and (other["test"] is None) == (mine["test"] is None)
    weights = [load_file(folder.model_file) for folder in folders.values()]
    for name, weight in weights[0].items():
        apart = (weight - weights[1][name]).abs()
        # Adam makes steps of full size, 1e-3, of gradients that are nothing but rounding: a few weights may part.
        assert float(apart.mean()) < 5e-5 and float(apart.max()) < 1e-2, name
    assert folders["two"].read_status()["state"] == "finished"


def test_both_end_when_patience_runs_out(tmp_path):
    folder = RunFolder(tmp_path / "two")
    options = ["--batch-size", "500", "--epochs", "500", "--learning-rate", "0.05", "--patience", "2"]
    process = torchrun("train", *COMMON, *options, "--out", folder.path)
    _, err = finish(process)
    assert process.returncode == 0, err
    elbos = [record["test"]["elbo"] for record in folder.records() if record["test"]]
    assert len(elbos) < 500 and max(elbos) == elbos[-3] and folder.read_status()["state"] == "finished"
    process = torchrun("train", "--resume", "--out", folder.path, "--device", "cpu")  # it is over, for both
    _, err = finish(process)
    assert process.returncode == 0, err


def test_ctrl_c_stops_both_in_order_and_both_go_on(tmp_path):
    folder = RunFolder(tmp_path / "two")
    options = ["--batch-size", "50", "--epochs", "100000", "--learning-rate", "0.01"]
    process = torchrun("train", *COMMON, *options, "--out", folder.path)
    end = time.monotonic() + 60
    while len(folder.records()) < 5 and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = finish(process)
    assert folder.read_status()["state"] == "stopped", err
    step = folder.records()[-1]["step"]
    process = torchrun("train", "--resume", "--steps", step + 70, "--out", folder.path, "--device", "cpu")
    _, err = finish(process)
    assert process.returncode == 0, err
    records = folder.records()
    steps = [record["step"] for record in records]
    assert steps[-1] == step + 70 and steps == sorted(set(steps))
    assert records[-1]["train"]["elbo"] > records[0]["train"]["elbo"] + 15  # it went on from what it had learned


def test_a_batch_smaller_than_the_number_of_processes_is_refused(tmp_path):
    process = torchrun("train", *COMMON, "--batch-size", "1", "--steps", "3", "--out", tmp_path / "run")
    _, err = finish(process)
    assert process.returncode != 0
    assert "error: batch_size is 1; 2 processes share each batch, so take at least that." in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("processes", "printed"), [("", "work\nPython's way out\n"), ("2", "work\n")])
def test_one_of_several_processes_exits_at_once_with_its_status_and_all_it_printed(processes, printed):
    program = "import atexit; atexit.register(print, \"Python's way out\"); print('work')\n"
    program += "from vae_core.training.processes import end_program; end_program(3)"
    environment = {name: value for name, value in os.environ.items() if name != "WORLD_SIZE"}
    environment |= {"WORLD_SIZE": processes} if processes else {}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, printed)
