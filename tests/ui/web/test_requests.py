"""What the browser may send and is wrong: each gets one sentence, and harms nothing."""

import base64
import math

import pytest
import torch
from safetensors.torch import save

from ui.models import decode, describe
from ui.tabs import train as train_tab
from ui.tabs.draw import look
from ui.web.requests import answering, of

from ...runs.conftest import wait_for
from ..conftest import (
    ANNA,
    BERT,
    DRAWING,
    FOLLOW,
    FORM,
    HISTORY,
    ODD,
    RUN,
    STEER,
    WINDOW,
    asked,
    session,
    trained,
    without,
    written,
)


@pytest.mark.parametrize(
    ("function", "request_", "message"),
    [
        (look, None, "no model"),
        (look, [], "no model"),
        (look, DRAWING | {"model": "none"}, "no such model"),
        (look, DRAWING | {"model": "../../etc/passwd"}, "no such model"),
        (look, DRAWING | {"model": 3}, "no such model"),
        (look, DRAWING | {"model": "20260101-000000-0123456789abcdef"}, "not here any more"),
        (look, without(DRAWING, "ink"), "ink must be base64"),
        (look, DRAWING | {"ink": "#"}, "ink must be base64"),
        (look, DRAWING | {"ink": 5}, "ink must be base64"),
        (look, DRAWING | {"ink": base64.b64encode(bytes(100)).decode()}, "ink has 100 bytes; it must have 56×56"),
        (look, DRAWING | {"ink": base64.b64encode(bytes(56 * 56)).decode()}, "The drawing is empty"),
        (look, {"model": "small", "image": "AAAA"}, "image has 3 bytes"),
        (decode, {"model": "small"}, "no z"),
        (decode, {"model": "small", "z": [0, 0, 0]}, "z must be a list of 4 numbers"),
        (decode, {"model": "small", "z": "0000"}, "z must be a list of 4 numbers"),
        (decode, {"model": "small", "z": [0, 0, 0, math.nan]}, "z is nan"),
        (decode, {"model": "small", "z": [0, 0, 0, None]}, "z is empty"),
        (decode, {"model": "small", "z": [0, 0, 0, 1e39]}, "z is 1e+39; it must be a number from -3.40282e+38"),
        (describe, {}, "no model"),
    ],
)
def test_a_bad_request_gets_one_sentence(backend, function, request_, message):
    answer = of(backend, function)(request_)
    assert list(answer) == ["error"] and message in answer["error"] and "\n" not in answer["error"]
    assert "error" not in look(backend, DRAWING)


def test_one_pixel_is_looked_at(backend):
    ink = torch.zeros(56 * 56, dtype=torch.uint8)
    ink[1000] = 255
    answer = of(backend, look)(DRAWING | {"ink": base64.b64encode(ink.numpy().tobytes()).decode()})
    assert math.isfinite(answer["elbo"])


@pytest.mark.parametrize("method", ["follow", "window", "history", "batch", "steer"])
@pytest.mark.parametrize("run", ODD)
def test_what_is_no_id_of_a_run_gets_one_sentence(backend, method, run):
    request = (FOLLOW | WINDOW | HISTORY | STEER) | {"run": run}
    assert answering(getattr(backend.follower, method))(request) == {"error": "That is not a run id."}


@pytest.mark.parametrize(
    ("method", "request_"),
    [("follow", FOLLOW), ("window", WINDOW), ("history", HISTORY), ("batch", {"run": RUN}), ("steer", STEER)],
)
def test_a_request_that_lacks_something_gets_one_sentence(backend, method, request_):
    for name in request_:
        answer = answering(getattr(backend.follower, method))(without(request_, name))
        assert answer == {"error": f"The request has no {name}."}
    for nothing in (None, [], "x", 5, {}):
        assert answering(getattr(backend.follower, method))(nothing)["error"].startswith("The request has no ")


@pytest.mark.parametrize(
    ("method", "request_", "name"),
    [("follow", FOLLOW, name) for name in ("since", "changes", "frames")]
    + [("window", WINDOW, name) for name in ("low", "high")]
    + [("history", HISTORY, "have")],
)
@pytest.mark.parametrize("value", [None, "1", [], {}, True, math.nan, math.inf, -1e300, 1e300, 10**400, -(10**400)])
def test_what_is_no_number_within_bounds_gets_one_sentence(backend, method, request_, name, value):
    answer = answering(getattr(backend.follower, method))(request_ | {name: value})
    assert list(answer) == ["error"] and len(answer["error"]) < 200 and "\n" not in answer["error"]
    assert answer["error"].startswith(f"{name} is ") and "it must be a" in answer["error"]


@pytest.mark.parametrize("name", ["since", "changes", "frames"])
@pytest.mark.parametrize("value", [-1, 1.5, 10**10])
def test_a_count_that_is_none_is_refused(backend, name, value):
    assert asked(backend, "follow", FOLLOW | {name: value})["error"].startswith(f"{name} is {value}; it must be")


@pytest.mark.parametrize("stride", [None, "1", -1, math.nan, 10**400, [], {}])
def test_an_odd_stride_is_another_one(backend, stride):
    run = trained(backend)
    assert backend.follower.history({"run": run, "stride": stride, "have": 1})["from"] == 0


def test_a_run_that_is_not_there_gets_one_sentence(backend):
    wanted = {"error": f"There is no run {RUN}."}
    assert asked(backend, "follow", FOLLOW) == asked(backend, "follow", FOLLOW | {"since": 9}) == wanted
    for how in ("pause", "stop", "play", "step", "reset"):
        assert asked(backend, "steer", STEER | {"how": how}) == wanted
    assert asked(backend, "batch", {"run": RUN}) == {"error": "There is no batch to look at: press Step to take one."}
    assert asked(backend, "window", WINDOW)["columns"]["step"] == []
    assert asked(backend, "history", HISTORY)["kl"] == []


@pytest.mark.parametrize("how", [None, "", "dance", 5, [], {}, "x" * 10_000])
def test_another_way_to_steer_is_refused(backend, how):
    run = trained(backend)
    answer = asked(backend, "steer", STEER | {"run": run, "how": how})
    assert answer["error"].startswith("how is ") and answer["error"].endswith("pause, play, step, stop, reset.")
    assert len(answer["error"]) < 150


@pytest.mark.parametrize("browser", [None, "", BERT, 5, [], {}, ANNA + "\n", ANNA.upper()])
@pytest.mark.parametrize("how", ["pause", "stop", "play", "step", "reset"])
def test_another_browser_does_not_steer(backend, browser, how):
    run = trained(backend)
    answer = asked(backend, "steer", {"browser": browser, "run": run, "how": how})
    named = isinstance(browser, str) and browser
    assert answer == {"error": "That run belongs to another browser." if named else "The request names no browser."}
    assert backend.runs.of(ANNA) == [run] and backend.runs.status(run)["state"] == "finished"


@pytest.mark.parametrize(
    "content", [b"", b"garbage", bytes(100), save({}), save({"x": torch.zeros(2)}, metadata={"step": "x"})]
)
def test_a_damaged_batch_is_none(backend, content):
    (written(backend, [20]).path / "batch.safetensors").write_bytes(content)
    assert "press Step to take one" in asked(backend, "batch", {"run": RUN})["error"]


def test_a_file_that_cannot_be_read_gets_one_sentence(backend):
    folder = written(backend, [20])
    (folder.path / "metrics.jsonl").unlink()
    (folder.path / "metrics.jsonl").mkdir()
    for method, request in (("follow", FOLLOW), ("window", WINDOW), ("history", HISTORY)):
        answer = answering(getattr(backend.follower, method))(request)
        assert answer == {"error": "A file on the server cannot be used: Is a directory."}


@pytest.mark.parametrize("name", ["config.json", "status.json", "metrics.jsonl", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage\n", b"[]\n", None])
def test_a_damaged_run_harms_no_other(backend, name, content):
    started = []
    for _ in range(2):
        started.append(train_tab.start(backend, session(ANNA), FORM | {"epochs": 1}))
        wait_for(lambda: not backend.runs.queue.trainings)
    damaged, good = started
    path = backend.runs.folder(damaged).path / name
    path.write_bytes(content) if content is not None else path.unlink()
    offered = [name for _, name in backend.choices(ANNA)]
    assert good in offered and "small" in offered
    for _ in range(2):
        answer = asked(backend, "follow", FOLLOW | {"run": damaged})
        assert "\n" not in answer.get("error", "")
    if name in ("config.json", "metrics.jsonl") and content:
        assert name in answer["error"]
    assert asked(backend, "follow", FOLLOW | {"run": good})["state"] == "finished"
