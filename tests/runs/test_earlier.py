"""Runs that an earlier version of the program wrote, paused in the middle, go on as they would have gone on then."""

import json
import shutil
from pathlib import Path

import pytest

from vae_core.cli import FIXED, main
from vae_core.config import SETTINGS, TrainConfig

RUNS = Path(__file__).parent / "written_earlier"  # by 9d0b50f, of scikit-learn's digits; settings changed after step 5


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_a_run_of_an_earlier_version_goes_on(tmp_path, name, capsys):
    folder = tmp_path / name
    shutil.copytree(RUNS / name, folder)
    main(["train", "--resume", "--out", str(folder)])
    *_, last = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    expected = json.loads((folder / "expected.json").read_text())  # what it came to without a pause
    assert (last["step"], last["active_units"]) == (expected["step"], expected["active_units"])
    assert last["beta"] == 0.5 and last["learning_rate"] < 0.004
    for kind in ("train", "test"):  # to what another processor's order of summation allows
        assert last[kind] == pytest.approx(expected[kind], rel=1e-3)
    assert last["kl_per_dim"] == pytest.approx(expected["kl_per_dim"], rel=1e-2)
    assert json.loads((folder / "status.json").read_text())["state"] == "finished"


@pytest.mark.parametrize("name", FIXED)
def test_a_setting_that_cannot_change_is_refused_when_a_run_goes_on(tmp_path, name, capsys):
    folder = tmp_path / "mlp"
    shutil.copytree(RUNS / "mlp", folder)
    now = json.loads((folder / "config.json").read_text())["training"].get(name, getattr(TrainConfig, name))
    names = [value for value in SETTINGS[name].choices if value not in (now, "auto")]
    other = names[0] if names else SETTINGS[name].kind(0.5 if name == "average" else now + 1)
    option = f"--{name.replace('_', '-')}"
    assert main(["train", "--resume", "--out", str(folder), option, str(other)]) == 2
    read = SETTINGS[name].read(name, str(other))  # 1.0 is read as 1
    assert f"{name} is {read!r}, but the run in {folder} has {now!r}; that cannot change." in capsys.readouterr().err
