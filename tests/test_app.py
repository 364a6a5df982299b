"""app.py's options: what is wrong with them is one line and a status, before anything is served."""

import socket
import subprocess
import sys

import pytest

import app

from .conftest import ROOT


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def options(tmp_path, *more):
    return ["--data-dir", str(tmp_path / "d"), "--runs-dir", str(tmp_path / "r"), "--port", "17871", *more]


def test_a_taken_port_is_one_line(tmp_path, taken):
    done = subprocess.run(
        [sys.executable, "app.py", *options(tmp_path, "--port", str(taken))],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        done.stderr
        == f"error: port {taken} on 127.0.0.1 cannot be used: Address already in use; choose another one with --port.\n"
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--data-dir", "FILE/data"], "--data-dir FILE/data cannot be written"),
        (["--runs-dir", "FILE/runs"], "--runs-dir FILE/runs cannot be written"),
        (["--device", "tpu"], "device is 'tpu'"),
        (["--auth", "nocolon"], "--auth must be USER:PASSWORD"),
        (["--max-trainings", "-1"], "max_trainings is -1"),
        (["--port", "99999"], "port is 99999; it must be"),
        (["--host", "no.such.host.invalid"], "on no.such.host.invalid cannot be used"),
    ],
)
def test_bad_options_are_one_line(tmp_path, capsys, monkeypatch, more, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("")
    assert app.main(options(tmp_path, *more)) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err


@pytest.mark.parametrize(("trainings", "threads"), [("1", 6), ("2", 3), ("4", 1), ("50", 1)])
def test_trainings_side_by_side_share_the_threads(tmp_path, monkeypatch, trainings, threads):
    class BuiltError(Exception):
        pass

    def build(backend):
        raise BuiltError

    set_to = []
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    monkeypatch.setattr("torch.set_num_threads", set_to.append)
    monkeypatch.setattr("ui.build", build)
    with pytest.raises(BuiltError):
        app.main(options(tmp_path, "--device", "cpu", "--max-trainings", trainings))
    assert set_to == [threads]


def test_auth_is_a_pair():
    assert app._auth("anna:se:cret") == ("anna", "se:cret") and app._auth(None) is None
