"""app.py's options: what is wrong with them is one line and a status, before anything is served."""

import os
import socket
import subprocess
import sys
import urllib.request
from typing import NamedTuple

import gradio as gr
import pytest

import app
from vae_core.data import DataError, load_dataset
from vae_core.runs.allowance.limits import UNLIMITED, Limits

from .conftest import ROOT
from .servers import serving


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


class Proxy(NamedTuple):
    """A proxy's address, and what it was asked for."""

    address: str
    asked: list[str]


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that refuses everything; the environment names none."""
    asked = []

    def refuse(request):
        asked.append(request.path)
        request.send_error(502)

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):  # the app may set them
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(urllib.request, "_opener", None)  # the one that urlopen keeps, with the proxies of its time
    with serving(refuse) as address:
        yield Proxy(address, asked)


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Runs the app in this process until it serves, and gives the status of its page and its address."""

    def serve(*more):
        found = []

        def look(page):
            answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page.local_url, timeout=10)
            found.extend([answer.status, page.local_url])
            page.close()

        monkeypatch.setattr(gr.Blocks, "block_thread", look)
        monkeypatch.setattr("signal.signal", lambda *_: None)
        monkeypatch.setattr("torch.set_num_threads", lambda _: None)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        assert app.main(options(tmp_path, "--device", "cpu", "--port", str(port), *more)) == 0
        return *found, port

    return serve


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
        (["--max-steps", "-1"], "max_steps is -1; it must be a whole number from 0 to"),
        (["--max-gb", "nan"], "max_gb is nan; it must be a number from 0 to"),
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


@pytest.mark.parametrize(
    ("more", "limits"),
    [
        ([], Limits()),
        (["--max-steps", "5", "--max-minutes", "0.5", "--max-parameters", "7"], Limits(5, 0.5, 7)),
        (
            ["--max-runs", "3", "--max-gb", "0.25", "--max-total-gb", "9"],
            Limits(max_runs=3, max_gb=0.25, max_total_gb=9),
        ),
        ([part for name in vars(UNLIMITED) for part in (f"--{name.replace('_', '-')}", "0")], UNLIMITED),
    ],
)
def test_the_options_are_the_limits_of_the_runs(tmp_path, monkeypatch, more, limits):
    class BuiltError(Exception):
        pass

    def build(backend):
        seen.extend([backend.runs.limits, backend.runs.queue.limits])
        raise BuiltError

    seen = []
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    monkeypatch.setattr("ui.build", build)
    with pytest.raises(BuiltError):
        app.main(options(tmp_path, "--device", "cpu", *more))
    assert seen == [limits, limits]


def test_the_help_names_each_limit_with_its_default(capsys):
    with pytest.raises(SystemExit):
        app.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for about in (
        "--max-steps N most steps of a training; default: 200,000",
        "--max-minutes N most minutes of a training's own time; default: 60",
        "--max-parameters N most parameters of a model; default: 20,000,000",
        "--max-runs N most runs that are kept of a visitor; default: 50",
        "--max-gb N most GB that are kept of a visitor's runs; default: 2",
        "--max-total-gb N most GB that are kept of all runs; default: 20",
    ):
        assert about in said


def test_auth_is_a_pair():
    assert app._auth("anna:se:cret") == ("anna", "se:cret") and app._auth(None) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_proxy_is_for_downloads_and_not_for_the_server_itself(serve, proxy, monkeypatch, tmp_path, host):
    for name in ("HTTP_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.address)
    assert serve("--host", host)[0] == 200
    assert proxy.asked == []
    with pytest.raises(DataError, match="MNIST could not be downloaded"):
        load_dataset("mnist", tmp_path)
    assert proxy.asked


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9/"])
def test_a_socks_proxy_does_not_keep_the_server_from_starting(serve, proxy, monkeypatch, address):
    monkeypatch.setenv("ALL_PROXY", address)
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    assert serve()[0] == 200
    assert proxy.asked == []


@pytest.mark.parametrize("before", ["", "campus.example", "*"])
def test_what_went_round_the_proxy_before_still_does(proxy, monkeypatch, before):
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    monkeypatch.setenv("NO_PROXY", before)
    app._go_round_proxies("192.0.2.7")
    for address in ("localhost:1", "127.0.0.1:1", "192.0.2.7:1", *([before] if before else [])):
        assert urllib.request.proxy_bypass(address if before != "*" else "any.example")
    assert before == "*" or not urllib.request.proxy_bypass("mirror.example")


def test_without_a_proxy_the_environment_stays_as_it_is(proxy):
    before = dict(os.environ)
    app._go_round_proxies("::1")
    assert dict(os.environ) == before


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_the_app_listens_on_ipv6(serve, proxy, monkeypatch, host):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("needs IPv6")
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    status, url, port = serve("--host", host)
    assert status == 200 and url == f"http://[{host.strip('[]')}]:{port}/"
    assert proxy.asked == []


def test_whatever_keeps_the_server_from_starting_is_one_line(tmp_path, capsys, monkeypatch):
    def launch(page, **_):
        raise Exception("Couldn't start the app\nbecause of this.")

    monkeypatch.setattr(gr.Blocks, "launch", launch)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert app.main(options(tmp_path, "--device", "cpu")) == 2
    err = capsys.readouterr().err
    assert err == "error: the server could not start: Couldn't start the app because of this.\n"


def test_a_port_that_only_gradio_finds_taken_is_one_line(tmp_path, taken):
    done = subprocess.run(
        [sys.executable, "app.py", *options(tmp_path, "--host", "127.0.0.2", "--port", str(taken), "--device", "cpu")],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: the server could not start: ") and done.stderr.count("\n") == 1
