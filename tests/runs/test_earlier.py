"""Runs that an earlier version of the program wrote, paused in the middle, go on as they would have gone on then."""

import json
import shutil
from pathlib import Path

import pytest

from vae_core.cli import main

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
