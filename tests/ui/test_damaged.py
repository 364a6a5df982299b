"""A damaged run, or a damaged shipped model, is said to be, and everything else of the page goes on."""

import json
import warnings
from types import SimpleNamespace

import gradio as gr
import orjson
import pytest
import torch
from safetensors.torch import save
from starlette.applications import Starlette
from starlette.testclient import TestClient

import ui
from ui.backend import Backend
from ui.files import routes
from ui.models import describe
from ui.tabs import train as train_tab
from ui.tabs.draw import look
from ui.tabs.runs import mine
from ui.web.requests import of
from vae_core import VAE, VAEConfig, save_checkpoint
from vae_core.runs.states import State
from vae_core.storage.checkpoint import FORMAT

from ..conftest import ROOT, seeded
from .conftest import ANNA, DRAWING, FOLLOW, HISTORY, RUN, WINDOW, asked, session, trained, written

DEEP = [b"[" * levels + b"]" * levels for levels in (900, 100_000)]
LONG = "x" * 10**6
MODEL = VAEConfig(hidden_dim=8)


@pytest.fixture
def folder(backend):
    """A run of Anna's with every file that a run may have, beside a good one; the server has seen both."""
    good = backend.path("small")
    backend.runs.add(good, ANNA, "good")
    folder = written(backend, range(20, 201, 20))
    folder.write_name("hers")
    folder.write_status(State.RUNNING)
    folder.write_status(State.PAUSED, "Step 200.")
    save_checkpoint(VAE(MODEL, seeded()), folder.model_file, {"data": "mnist", "step": 200, "test": {"elbo": -99.0}})
    folder.frames.mkdir()
    assert len(seen(backend)["runs"]) == 2
    return folder


def seen(backend):
    """What the page shows of Anna's runs, all of it as JSON in the way that Gradio writes it."""
    answers = {
        "runs": of(backend, mine)({"browser": ANNA})["runs"],
        "choices": backend.choices(ANNA),
        "form": [part for part in train_tab.form(backend, RUN, values=True) if isinstance(part, dict)],
        "follow": asked(backend, "follow", FOLLOW),
        "window": asked(backend, "window", WINDOW),
        "history": asked(backend, "history", HISTORY),
        "batch": asked(backend, "batch", {"run": RUN}),
    }
    text = orjson.dumps(answers, option=orjson.OPT_SERIALIZE_NUMPY)
    assert len(text) < 200_000
    return answers


def assert_harmless(backend):
    """That the page works, says one short sentence where something is wrong, and shows the good run as before."""
    for _ in range(2):  # nothing half-read is remembered
        answers = seen(backend)
        (row,) = (row for row in answers["runs"] if row["name"] == "good")
        assert row["state"] == "finished" and "good" in answers["choices"][1][0] + answers["choices"][-1][0]
        sentences = [answer["error"] for answer in answers.values() if isinstance(answer, dict) and "error" in answer]
        for sentence in [*sentences, *(row["message"] for row in answers["runs"])]:
            assert len(sentence) < 500 and "\n" not in sentence
    return answers


CONFIG = [
    {"owner": [1]}, {"owner": 5}, {"data": ["mnist"]}, {"data": {}}, {"data": LONG}, {"data": "\ud800"}, {"data": None},
    {"train_images": 10**21}, {"train_images": "x"}, {"train_images": -1}, {"train_images": True}, {"why_data": 5},
    {"why_data": LONG}, {"start": [1]}, {"start": LONG}, {"learned": [1]}, {"learned": {"mnist": "x"}},
    {"learned": {"mnist": 10**21}}, {"hold_out": True}, {"device": {}}, {"model": 5}, {"training": [LONG]},
    {"model": {LONG: 1}}, {"training": {"a\nb": 1}}, {"versions": {"torch": float("nan")}},
]  # fmt: skip


@pytest.mark.parametrize("change", CONFIG, ids=lambda change: repr(change)[:40])
def test_a_configuration_with(backend, folder, change):
    path = folder.path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change), encoding="utf-8")
    answers = assert_harmless(backend)
    assert "config.json of the run" in answers["follow"]["error"]
    (row,) = (row for row in answers["runs"] if row["run"] == RUN)
    assert row["state"] == "failed" and "config.json of the run" in row["message"]


FILES = {
    "config.json": [b"\xff", b"[]", *DEEP, b'{"model": ' * 900],
    "status.json": [
        b"[]", b'{"state": [], "message": ""}', b'{"state": "paused", "message": 5}', b'{"state": "paused"}', *DEEP,
        b'{"state": "paused", "message": "\\ud800"}', b'{"state": "paused", "message": "%s"}' % LONG.encode(),
        b'{"state": "paused", "message": %s}' % DEEP[0],
    ],
    "metrics.jsonl": [DEEP[0] + b"\n", DEEP[1] + b"\n", b"\xff\n", b'{"step": 1e999}\n'],
    "changes.json": [
        *DEEP, b"{}", b'[{"step": 1%s, "beta": 2}]' % (b"0" * 21), b'[{"step": 1, "beta": 1e999}]',
        b'[{"step": 1, "beta": true}]', b'[{"step": true, "beta": 1}]', b'[{"step": 1, "beta": [[1]]}]',
    ],
    "name.txt": [LONG.encode(), b"\xff", b"a\x00b", "a\u202eb".encode(), b"", b"..", b"a\nb", b"\xed\xa0\x80"],
    "batch.safetensors": [
        b"", save({}), save({"x": torch.zeros(2)}, {"step": "inf"}),
        *(save({"x": torch.zeros(2, dtype=torch.complex64)}, {"step": step}) for step in ("1", "9" * 30)),
    ],
    "state.safetensors": [
        save({}, {"step": "9" * 22, "seconds": "1.0"}), save({}, {"step": "7", "seconds": "1e21"}),
        save({}, {"step": "7", "seconds": "nan"}), save({}, {"step": "7", "seconds": "inf"}),
        save({}, {"step": "-7", "seconds": "1.0"}), save({}, {"step": "9" * 5000, "seconds": "1.0"}), save({}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [(name, content) for name, contents in FILES.items() for content in contents],
    ids=lambda value: value if isinstance(value, str) else repr(value[:20]),
)
def test_a_file_with(backend, folder, name, content):
    (folder.path / name).write_bytes(content)
    answers = assert_harmless(backend)
    (row,) = (row for row in answers["runs"] if row["run"] == RUN)
    if name in ("config.json", "changes.json"):
        assert row["state"] == "failed" and name in row["message"]
    elif name == "status.json":
        assert (row["state"], row["message"]) == ("interrupted", "The run's status.json is missing or damaged.")
    elif name == "metrics.jsonl":
        assert "metrics.jsonl is damaged" in answers["follow"]["error"]
    elif name == "name.txt":
        assert row["name"] == "" == answers["follow"]["about"]["name"]
    elif name == "batch.safetensors":
        assert "press Step to take one" in answers["batch"]["error"]
    else:
        assert (row["step"], row["seconds"]) == (200, 0.0)  # what its checkpoint says


def checkpoint(about="{}", config='{"latent_dim": 20, "hidden_dim": 8}', weights=None):
    metadata = {"format": FORMAT, "config": config, "about": about if isinstance(about, str) else json.dumps(about)}
    return save(weights or VAE(MODEL, seeded()).state_dict(), metadata)


def changed(change):
    """The weights, each as something else."""
    return {name: change(tensor) for name, tensor in VAE(MODEL, seeded()).state_dict().items()}


HEADERS = [
    {"step": True, "test": {"elbo": True}}, {"step": 10**21}, {"step": 1e21}, {"step": -1}, {"step": 1.5},
    {"step": "7"}, {"seconds": 10**21}, {"seconds": 1e21}, {"seconds": float("nan")}, {"seconds": float("inf")},
    {"seconds": True}, {"seconds": -1}, {"test": {"elbo": 10**21}}, {"test": {"elbo": float("-inf")}}, {"test": [1]},
    {"test": {"elbo": 1e300}}, {"test": {"reconstruction": 1.0}}, {"test": {"elbo": -1.0, "kl": "x"}},
    {"test_step": 10**21}, {"active_units": 10**21}, {"active_units": 21}, {"active_units": 1.5}, {"hold_out": 10**21},
    {"hold_out": True}, {"kl_per_dim": [1.0] * 19}, {"kl_per_dim": [10**21] * 20}, {"kl_per_dim": [True] * 20},
    {"kl_per_dim": [float("nan")] * 20}, {"kl_per_dim": "x" * 20}, {"data": ["mnist"]}, {"data": "\ud800"},
    {"data": LONG}, {"data": 5}, {"start": [1]}, {"start": LONG}, {"learned": {"mnist": 10**21}},
    {"learned": {"mnist": True}}, {"learned": 5}, {"made": 10**400}, {"made": float("nan")}, {"made": 2 * LONG},
    {"figures": 5}, {"figures": {"elbo": 1.0}}, [1], "x", 5, None,
    *('{"made": %s}' % ("[" * levels + "]" * levels) for levels in (40, 900, 100_000)),
]  # fmt: skip
MODELS = {repr(about)[:40]: checkpoint(about) for about in HEADERS}
MODELS |= {
    "a model with a deep configuration": checkpoint(config="[" * 900 + "]" * 900),
    "a model of an unknown setting": checkpoint(config=json.dumps({LONG: 1})),
    "a model of NaN": checkpoint(config='{"latent_dim": 20, "hidden_dim": 8, "sigma": NaN}'),
    "complex weights": checkpoint(weights=changed(lambda tensor: tensor.to(torch.complex64))),
    "whole weights": checkpoint(weights=changed(lambda tensor: tensor.to(torch.int64))),
    "bytes for weights": checkpoint(weights=changed(lambda tensor: tensor.to(torch.uint8))),
    "infinite weights": checkpoint(weights=changed(lambda tensor: tensor / 0)),
    "weights too large for float32": checkpoint(weights=changed(lambda tensor: tensor.double() * 1e300)),
    "a tensor with a long name": checkpoint(weights=changed(lambda tensor: tensor) | {LONG[:9999]: torch.zeros(1)}),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_with(backend, folder, tmp_path, name):
    folder.model_file.write_bytes(MODELS[name])
    answers = assert_harmless(backend)
    for function in (look, describe):
        assert "error" in of(backend, function)(DRAWING | {"model": RUN})
    (row,) = (row for row in answers["runs"] if row["run"] == RUN)
    assert (row["state"], row["elbo"]) == ("paused", None)
    with TestClient(app(backend)) as client:
        address = f"/live/upload?browser={ANNA}&name=another"
        answer = client.post(address, content=MODELS[name]).json()
    assert answer["error"].startswith("The file ") and len(answer["error"]) < 500
    assert len(backend.runs.of(ANNA)) == 2


def app(backend):
    """The routes for files, as an application like Gradio's, which asks for no login."""
    app = Starlette(routes=routes(backend))
    app.auth, app.tokens, app.cookie_id = None, {}, "here"
    return app


@pytest.mark.parametrize("name", ["config.json", "status.json", "metrics.jsonl", "changes.json", "name.txt", "frames",
                                  "model.safetensors", "state.safetensors", "batch.safetensors"])  # fmt: skip
def test_a_link_to_itself_or_a_folder_in_place_of_a_file(backend, folder, name):
    path = folder.path / name
    if path.exists():
        path.rename(folder.path / "away")
    path.symlink_to(path)
    assert_harmless(backend)
    path.unlink()
    path.mkdir()
    assert_harmless(backend)


@pytest.mark.parametrize("name", ["²", "9" * 30, "-1", "0", "007", "x", "1.5"])
def test_a_picture_of_no_step(backend, folder, name):
    (folder.frames / "20.jpg").touch()
    (folder.frames / f"{name}.jpg").touch()
    assert assert_harmless(backend)["follow"]["frames"] == [20]


@pytest.mark.parametrize("file", ["model.safetensors", "state.safetensors", "the data"])
@pytest.mark.parametrize("damage", ["bytes", "a folder", "gone"])
def test_nobody_is_told_where_on_the_server_a_file_lies(backend, folder, mirror, file, damage):
    path = {"the data": backend.data_dir / "MNIST" / "raw" / "train-images-idx3-ubyte"}.get(file, folder.path / file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if damage == "bytes":
        path.write_bytes(b"not a checkpoint")
    elif damage == "a folder":
        path.mkdir()
    said = [seen(backend), backend.data_line(), *backend.faults()]
    said += [of(backend, function)(DRAWING | {"model": RUN}) for function in (look, describe)]
    with TestClient(app(backend)) as client:
        said += [client.get(f"/live/runs/{RUN}/{name}").text for name in ("model.safetensors", "archive.zip")]
    said.append(refusal(lambda: folder.resume(VAE(MODEL, seeded()), torch.device("cpu"))))
    said += [refusal(lambda data=data: backend.loading(data)(lambda message: None)) for data in ("mnist", "auto")]
    assert not [one for one in said if str(backend.data_dir.parent) in str(one)]
    assert damage == "gone" or any("cannot be" in str(one) for one in said)


def refusal(call):
    """The sentence with which a call is refused; empty if it is not."""
    try:
        call()
    except RuntimeError as error:
        return str(error)
    return ""


# Shipped models


@pytest.fixture
def shipped(tmp_path):
    """The folder of two shipped models, the first of which the page opens with."""
    path = tmp_path / "shipped"
    path.mkdir()
    for name in ("digits-linear-8d", "mnist-mlp-2d"):
        (path / f"{name}.safetensors").write_bytes((ROOT / "checkpoints" / f"{name}.safetensors").read_bytes())
    return path


@pytest.mark.parametrize("damage", ["a pointer", repr({"figures": 5}), repr({"figures": {"elbo": 1.0}}), "None"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_damaged_shipped_model_is_named_and_the_other_offered(backend, shipped, damage, when):
    backend = Backend(backend.data_dir, shipped, backend.runs)
    path = shipped / "digits-linear-8d.safetensors"
    if when == "before":
        path.write_bytes(MODELS[damage])
    page = ui.build(backend)
    assert page
    path.write_bytes(MODELS[damage])
    assert [name for _, name in backend.choices("")] == ["mnist-mlp-2d"]
    (fault,) = backend.faults()
    assert fault.startswith("digits-linear-8d.safetensors ") and "\n" not in fault and len(fault) < 300
    assert ("git lfs pull" in fault) == (damage == "a pointer")
    assert fault in ui._heading(backend)
    assert "error" not in of(backend, look)(DRAWING | {"model": "mnist-mlp-2d"})
    assert "digits-linear-8d" in of(backend, look)(DRAWING | {"model": "digits-linear-8d"})["error"]


def test_the_page_is_there_without_any_shipped_model(backend, shipped):
    for path in shipped.iterdir():
        path.write_bytes(b"")
    backend = Backend(backend.data_dir, shipped, backend.runs)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        page = ui.build(backend)
        load, changed = (handler(page, name) for name in ("on_load", "on_run_changed"))
        loaded = load({"browser": ANNA}, SimpleNamespace(query_params={}, cookies={}))
        (choice,) = (part for part in loaded if isinstance(part, gr.Dropdown))
        assert choice.value is None and choice.info == ui.NO_MODEL
        assert backend.choices("") == [] and len(backend.faults()) == 2
        (choice,) = (part for part in page.blocks.values() if getattr(part, "elem_id", "") == "model")
        assert choice.info == ui.NO_MODEL
        run = trained(backend)  # the first model there is comes into use
        event = SimpleNamespace(_data={"run": run, "before": "running", "state": "finished"})
        state, choice, *users = changed(session(ANNA), None, event)[:3]
        assert state["model"] == choice.value == run and users[0]["model"] == run and choice.info is None


def test_a_run_that_is_heard_of_before_the_browser_has_its_session_changes_nothing(backend):
    changed = handler(ui.build(backend), "on_run_changed")
    run = trained(backend)
    event = SimpleNamespace(_data={"run": run, "before": "", "state": "running"})
    parts = changed({}, None, event)
    assert len(parts) == len(changed(session(ANNA), None, event))
    assert all(part == gr.skip() for part in parts)


def handler(page, name):
    """The function of that name that the page calls."""
    return next(fn.fn for fn in page.fns.values() if getattr(fn.fn, "__name__", "") == name)
