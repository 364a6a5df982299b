"""What the page asks of the server: answers are the core's numbers, visitors are separate, nothing goes unchecked."""

import base64
import json
import math
import random
import shutil
import time

import gradio as gr
import pytest
import torch
from safetensors.torch import save

from ui import train as train_tab
from ui.backend import Backend, answering, of, pixels
from ui.draw import DRAWS, look
from ui.latents import decode
from ui.models import describe
from ui.session import restored
from vae_core import VAE, TrainConfig, VAEConfig, load_dataset, save_checkpoint
from vae_core.batch import Batch
from vae_core.data import DataError, fit_drawing
from vae_core.folder import Change, RunConfig, RunError
from vae_core.objective import elbo
from vae_core.runs import ENDED, Runs

from .conftest import seeded
from .runs.conftest import wait_for

ANNA, BERT = "a" * 32, "b" * 32
FORM = {
    "data": "digits", "architecture": "mlp", "latent_dim": 3, "likelihood": "bernoulli", "epochs": 2, "beta": 1,
    "learning_rate": 0.001, "batch_size": 128, "hidden_dim": 16, "hidden_layers": 1, "binarization": "dynamic",
    "sigma": 0.1,
    "sigma_mode": "fixed", "prior_mean": 0, "prior_std": 1, "samples": 1, "objective": "elbo", "warmup_steps": 0,
    "free_bits": 0, "schedule": "constant", "learning_rate_warmup": 0, "clip_norm": 0, "average": 0, "patience": 0,
    "hold_out": 0, "seed": 0, "precision": "float32",
}  # fmt: skip


@pytest.fixture
def backend(tmp_path):
    """A server with one shipped model, of 4 dimensions and continuous pixels, and no MNIST."""
    (tmp_path / "checkpoints").mkdir()
    config = VAEConfig(latent_dim=4, hidden_dim=8, binarization="grey", prior_mean=0.5)
    about = {"data": "digits", "kl_per_dim": [0.1, 3.0, 0.0, 2.0]}
    save_checkpoint(VAE(config, seeded()), tmp_path / "checkpoints" / "small.safetensors", about)
    runs = Runs(tmp_path / "runs", torch.device("cpu"))
    yield Backend(tmp_path / "data", tmp_path / "checkpoints", runs)
    runs.close()


def session(browser, model="", run=""):
    return {"browser": browser, "model": model, "run": run}


def follow(backend, run, since=0, changes=0, frames=0):
    return backend.follow({"run": run, "since": since, "changes": changes, "frames": frames})


def steer(backend, run, how, browser=ANNA):
    return backend.steer({"browser": browser, "run": run, "how": how})["run"]


def finished(backend, run):
    wait_for(lambda: backend.runs.status(run)["state"] in ENDED)


def image(text):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8).reshape(-1, 28, 28)


INK = torch.zeros(56, 56, dtype=torch.uint8)
INK[10:40, 20:26] = 255
DRAWING = {"model": "small", "ink": base64.b64encode(INK.numpy().tobytes()).decode()}


def test_look_gives_the_elbo_of_what_the_model_sees(backend):
    answer = look(backend, DRAWING)
    model, x = backend.load("small").model, fit_drawing(INK, 28)[None]
    terms = elbo(model, x, DRAWS, generator=seeded())
    assert answer["elbo"] == pytest.approx(terms.elbo.item(), abs=1e-3)
    assert answer["reconstruction_term"] == pytest.approx(terms.reconstruction.item(), abs=1e-3)
    assert answer["kl"] == pytest.approx(terms.kl.item(), abs=1e-4)
    assert answer["elbo"] == pytest.approx(answer["reconstruction_term"] - answer["kl"], abs=1e-3)
    assert torch.equal(image(answer["seen"])[0], (x[0, 0] * 255).round().to(torch.uint8))
    assert answer["z"] == pytest.approx(model.encode(x)[0][0].tolist(), abs=1e-5)
    assert answer["reconstruction"] == decode(backend, {"model": "small", "z": answer["z"]})["image"]


def test_an_image_in_mnists_format_is_seen_as_it_is(backend):
    grey = torch.arange(784).remainder(256).to(torch.uint8).reshape(28, 28)
    answer = look(backend, {"model": "small", "image": base64.b64encode(grey.numpy().tobytes()).decode()})
    assert torch.equal(image(answer["seen"])[0], grey)


def test_describe_sorts_by_kl_and_offers_a_test_image_of_each_label(backend):
    about = describe(backend, {"model": "small"})
    assert [dim["index"] for dim in about["dims"]] == [1, 3, 0, 2]
    assert about["dims"][0]["kl"] == 3.0 and about["prior_mean"] == 0.5
    assert [example["label"] for example in about["examples"]] == list(range(10))
    digits = load_dataset("digits", "unused")
    third = digits.test[(digits.test_labels == 3).nonzero()[0, 0], 0]
    assert torch.equal(image(about["examples"][3]["image"])[0], third)
    assert about["examples_from"] == "digits"


def without(request, name):
    return {key: value for key, value in request.items() if key != name}


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
        (decode, {"model": "small", "z": [0, 0, 0, 10.6]}, "z is 10.6; it must be a number from -9.5 to 10.5"),
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


RUN = "20260101-000000-0123456789abcdef"
FOLLOW = {"run": RUN, "since": 0, "changes": 0, "frames": 0}
WINDOW = {"run": RUN, "low": 0, "high": 10}
HISTORY = {"run": RUN, "stride": 0, "have": 0}
STEER = {"browser": ANNA, "run": RUN, "how": "pause"}
ODD = [None, "", "../x", RUN + "\n", "x" * 300, 7, math.nan, [], [RUN], {}, True]


@pytest.mark.parametrize("method", ["follow", "window", "history", "batch", "steer"])
@pytest.mark.parametrize("run", ODD)
def test_what_is_no_id_of_a_run_gets_one_sentence(backend, method, run):
    request = (FOLLOW | WINDOW | HISTORY | STEER) | {"run": run}
    assert answering(getattr(backend, method))(request) == {"error": "That is not the id of a run."}


@pytest.mark.parametrize(
    ("method", "request_"),
    [("follow", FOLLOW), ("window", WINDOW), ("history", HISTORY), ("batch", {"run": RUN}), ("steer", STEER)],
)
def test_a_request_that_lacks_something_gets_one_sentence(backend, method, request_):
    for name in request_:
        answer = answering(getattr(backend, method))(without(request_, name))
        assert answer == {"error": f"The request has no {name}."}
    for nothing in (None, [], "x", 5, {}):
        assert answering(getattr(backend, method))(nothing)["error"].startswith("The request has no ")


@pytest.mark.parametrize(
    ("method", "request_", "name"),
    [("follow", FOLLOW, name) for name in ("since", "changes", "frames")]
    + [("window", WINDOW, name) for name in ("low", "high")]
    + [("history", HISTORY, "have")],
)
@pytest.mark.parametrize("value", [None, "1", [], {}, True, math.nan, math.inf, -1e300, 1e300, 10**400, -(10**400)])
def test_what_is_no_number_within_bounds_gets_one_sentence(backend, method, request_, name, value):
    answer = answering(getattr(backend, method))(request_ | {name: value})
    assert list(answer) == ["error"] and len(answer["error"]) < 200 and "\n" not in answer["error"]
    assert answer["error"].startswith(f"{name} is ") and "it must be a" in answer["error"]


@pytest.mark.parametrize("name", ["since", "changes", "frames"])
@pytest.mark.parametrize("value", [-1, 1.5, 10**10])
def test_a_count_that_is_none_is_refused(backend, name, value):
    assert answering(backend.follow)(FOLLOW | {name: value})["error"].startswith(f"{name} is {value}; it must be")


@pytest.mark.parametrize("stride", [None, "1", -1, math.nan, 10**400, [], {}])
def test_an_odd_stride_is_another_one(backend, stride):
    run = trained(backend)
    assert backend.history({"run": run, "stride": stride, "have": 1})["from"] == 0


def test_a_run_that_is_not_there_gets_one_sentence(backend):
    wanted = {"error": f"There is no run {RUN} (any more)."}
    assert answering(backend.follow)(FOLLOW) == answering(backend.follow)(FOLLOW | {"since": 9}) == wanted
    for how in ("pause", "stop", "play", "step", "reset"):
        assert answering(backend.steer)(STEER | {"how": how}) == wanted
    assert answering(backend.batch)({"run": RUN}) == {"error": "There is no batch to look at: press Step to take one."}
    assert answering(backend.window)(WINDOW)["columns"]["step"] == []
    assert answering(backend.history)(HISTORY)["kl"] == []


@pytest.mark.parametrize("how", [None, "", "dance", 5, [], {}, "x" * 10_000])
def test_another_way_to_steer_is_refused(backend, how):
    run = trained(backend)
    answer = answering(backend.steer)(STEER | {"run": run, "how": how})
    assert answer["error"].startswith("how is ") and answer["error"].endswith("pause, play, step, stop, reset.")
    assert len(answer["error"]) < 150


@pytest.mark.parametrize("browser", [None, "", BERT, 5, [], {}, ANNA + "\n", ANNA.upper()])
@pytest.mark.parametrize("how", ["pause", "stop", "play", "step", "reset"])
def test_another_browser_does_not_steer(backend, browser, how):
    run = trained(backend)
    answer = answering(backend.steer)({"browser": browser, "run": run, "how": how})
    named = isinstance(browser, str) and browser
    assert answer == {"error": "That run belongs to another browser." if named else "The request names no browser."}
    assert backend.runs.of(ANNA) == [run] and backend.runs.status(run)["state"] == "finished"


def trained(backend, **form):
    """A run of Anna's that has ended."""
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 1} | form)
    finished(backend, run)
    return run


def test_the_line_of_settings_names_what_is_unusual(backend):
    run = trained(backend)
    assert follow(backend, run)["about"]["settings"].endswith("batches of 128, hidden units 16")
    run = trained(backend, likelihood="gaussian", binarization="grey", hidden_dim=400, samples=3, warmup_steps=5)
    backend.runs.folder(run).write_changes([Change(1, {"sigma": 0.2}), Change(2, {"beta": 4.0})])
    line = follow(backend, run)["about"]["settings"]
    assert "β = 4," in line and line.endswith(
        "batches of 128, L = 3, warm-up 5, σ 0.2 fixed, changed 2 times in mid-run"
    )


def test_follow_gives_all_of_a_run_at_first(backend):
    run = trained(backend, epochs=2)
    whole, records, folder = follow(backend, run), backend.runs.folder(run).records(), backend.runs.folder(run)
    assert (whole["state"], whole["message"]) == ("finished", "Step 24 of 24.")
    assert (whole["from"], whole["to"]) == (0, len(records))
    columns = whole["columns"]
    assert columns["step"] == [record["step"] for record in records]
    for part in ("train", "test"):
        for name, sign in (("elbo", -1), ("reconstruction", -1), ("kl", 1)):
            wanted = [record[part] and round(sign * record[part][name], 3) for record in records]
            assert columns[f"{part}_{name}"] == wanted
    assert None in columns["test_elbo"] and columns["train_elbo"][-1] > 0 and columns["train_kl"][-1] > 0
    assert columns["active_units"] == [record["active_units"] for record in records]
    assert whole["kl_per_dim"] == pytest.approx(records[-1]["kl_per_dim"], abs=1e-4)
    assert whole["progress"]["step"] == whole["progress"]["total_steps"] == 24 and whole["progress"]["left"] == 0
    assert whole["frames"] == folder.frame_steps() and whole["frames"][-1] == 24 and whole["changes"] == []
    about = whole["about"]
    assert (about["data"], about["latent_dim"], about["likelihood"], about["total_steps"]) == (
        "digits",
        3,
        "bernoulli",
        24,
    )
    assert (about["steps_per_epoch"], about["train_images"], about["name"]) == (12, 1500, folder.name())
    assert whole["newest"] == str(folder.model_file.stat().st_mtime_ns) and whole["batch"] == ""
    assert whole["wait"] == 3000
    json.loads(json.dumps(whole, allow_nan=False))


def test_follow_gives_only_what_is_new(backend):
    run = trained(backend, epochs=2)
    whole = follow(backend, run)
    count, frames = whole["to"], len(whole["frames"])
    rest = follow(backend, run, count - 1, 0, frames - 1)
    assert (rest["from"], rest["to"], rest["columns"]["step"]) == (count - 1, count, [24])
    assert rest["frames"] == [24] and rest["about"] is None
    none = follow(backend, run, count, 0, frames)
    assert (none["from"], none["to"]) == (count, count) and none["frames"] == none["changes"] == []
    assert all(column == [] for column in none["columns"].values()) and none["newest"] == whole["newest"]


@pytest.mark.parametrize("beyond", [{"since": 10_000}, {"since": 3, "changes": 1}, {"since": 3, "frames": 999}])
def test_whoever_has_more_than_there_is_gets_all_of_it(backend, beyond):
    run = trained(backend, epochs=2)
    whole = without(follow(backend, run), "wait")
    assert without(follow(backend, run, **beyond), "wait") == whole


def lines(steps, dims=20):
    """Records of a model of so many dimensions, with figures of the usual length."""
    rng = random.Random(0)
    for step in steps:
        terms = {name: -rng.uniform(80, 120) for name in ("elbo", "reconstruction", "kl")}
        yield json.dumps({
            "step": step, "epoch": step / 469, "images_seen": 128 * step, "seconds": 0.0213 * step,
            "images_per_second": 6123.4567, "train": terms, "test": None,
            "kl_per_dim": [rng.uniform(0, 5) for _ in range(dims)], "active_units": None, "learning_rate": 1e-3,
            "beta": 1.0, "samples": 1,
        }) + "\n"  # fmt: skip


def written(backend, steps):
    """A run of a model of 20 dimensions that has such records, as another server may have left it."""
    folder = backend.runs.folder(RUN)
    if not folder.path.exists():
        folder.create()
        folder.write_config(
            RunConfig(VAEConfig(), TrainConfig(epochs=100), "mnist", train_images=60_000, owner=ANNA)
        )  # fmt: skip
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.writelines(lines(steps))
    return folder


def test_an_increment_of_twenty_records_is_below_two_kilobytes(backend):
    written(backend, range(20, 30_001, 20))
    first = follow(backend, RUN)
    written(backend, range(30_020, 30_401, 20))
    answer = follow(backend, RUN, first["to"])
    assert len(answer["columns"]["step"]) == 20 == answer["to"] - answer["from"]
    assert len(json.dumps(answer, separators=(",", ":")).encode()) < 2000


def test_increments_put_together_are_the_whole(backend):
    seen, have = {}, 0
    for first in range(20, 2000, 180):
        written(backend, range(first, first + 180, 20))
        answer = follow(backend, RUN, have)
        assert answer["from"] == have
        have = answer["to"]
        for name, column in answer["columns"].items():
            seen.setdefault(name, []).extend(column)
    assert seen == follow(backend, RUN)["columns"] and len(seen["step"]) == have == 99


def test_many_records_are_thinned_and_shown_whole_in_a_window(backend):
    written(backend, range(1, 10_001))
    whole = follow(backend, RUN)
    assert whole["to"] == 10_000 and 500 < len(whole["columns"]["step"]) <= 2000
    columns = backend.window({"run": RUN, "low": 5000, "high": 5100.5})["columns"]
    assert columns["step"] == list(range(5000, 5101)) and columns.keys() == whole["columns"].keys()


def test_a_run_that_went_back_is_given_from_its_beginning(backend):
    folder = written(backend, range(20, 401, 20))
    folder.write_changes([Change(100, {"beta": 2.0}), Change(300, {"beta": 3.0})])
    answer = follow(backend, RUN)
    assert [change["step"] for change in answer["changes"]] == [100, 300]
    (folder.path / "metrics.jsonl").write_text("".join(lines(range(20, 201, 20))))  # it was resumed at step 200
    back = follow(backend, RUN, answer["to"], 2, 0)
    assert (back["from"], back["to"]) == (0, 10) and back["about"] is not None
    assert back["columns"]["step"] == list(range(20, 201, 20))
    assert back["changes"] == [{"step": 100, "beta": 2.0}]  # the other one is to come again


def test_a_change_that_took_the_place_of_another_is_told(backend):
    folder = written(backend, range(20, 401, 20))
    folder.write_changes([Change(300, {"beta": 3.0})])
    have = follow(backend, RUN)
    (folder.path / "metrics.jsonl").write_text("".join(lines(range(20, 201, 20))))
    have = follow(backend, RUN, have["to"], 1)
    folder.write_changes([Change(210, {"samples": 5})])
    written(backend, range(220, 401, 20))
    answer = follow(backend, RUN, have["to"], len(have["changes"]))
    assert answer["from"] == 10 and answer["changes"] == [{"step": 210, "samples": 5}]


def test_changes_are_told_once(backend):
    run = train_tab.start(backend, session(ANNA), FORM, one_batch=True)
    finished(backend, run)
    backend.runs.change(run, ANNA, {"beta": 2.0})
    first = follow(backend, run)
    assert first["changes"] == [{"step": 1, "beta": 2.0}]
    assert follow(backend, run, first["to"], 1, len(first["frames"]))["changes"] == []


def test_the_history_is_kl_per_dimension_from_what_is_known_on(backend):
    folder = written(backend, range(20, 201, 20))
    whole = backend.history({"run": RUN, "stride": 0, "have": 0})
    assert (whole["stride"], whole["from"], whole["steps"]) == (1, 0, list(range(20, 201, 20)))
    for row, record in zip(whole["kl"], folder.records(), strict=True):
        assert row == pytest.approx(record["kl_per_dim"], abs=1e-4) and len(row) == 20
    rest = backend.history({"run": RUN, "stride": 1, "have": 9})
    assert (rest["from"], rest["steps"], rest["kl"]) == (9, [200], whole["kl"][9:])
    written(backend, range(220, 20_001, 20))
    anew = backend.history({"run": RUN, "stride": 1, "have": 10})
    assert (anew["stride"], anew["from"], anew["steps"]) == (2, 0, list(range(20, 20_001, 40)))


def test_a_batch_is_shown_as_it_was_taken(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"beta": 2}, one_batch=True)
    finished(backend, run)
    answer, folder = backend.batch({"run": run}), backend.runs.folder(run)
    (record,), batch = folder.records(), Batch.load(folder.path / "batch.safetensors")
    assert (answer["step"], answer["images"], answer["beta"]) == (1, 128, 2.0)
    assert answer["elbo"] == pytest.approx(record["train"]["elbo"], rel=1e-5)
    assert answer["reconstruction_term"] == pytest.approx(record["train"]["reconstruction"], rel=1e-5)
    assert answer["kl"] == pytest.approx(record["train"]["kl"], rel=1e-4)
    assert answer["loss"] == pytest.approx(2 * answer["kl"] - answer["reconstruction_term"], rel=1e-5)
    assert answer["gradient_norm"] == batch.gradient_norm > 0
    assert torch.equal(image(answer["x"]), (batch.x[:8, 0] * 255).to(torch.uint8)) and image(answer["x_hat"]).shape == (
        8,
        28,
        28,
    )
    for name, wanted in (("mu", batch.mu), ("std", torch.exp(batch.logvar / 2)), ("z", batch.z)):
        torch.testing.assert_close(torch.tensor(answer[name]), wanted[:8], atol=6e-4, rtol=0)
    assert answer["reconstruction_terms"] == pytest.approx(batch.reconstruction[:8].tolist(), abs=6e-4)
    assert answer["kls"] == pytest.approx(batch.kl[:8].tolist(), abs=6e-4)
    assert follow(backend, run)["batch"] != ""


@pytest.mark.parametrize(
    "content", [b"", b"garbage", bytes(100), save({}), save({"x": torch.zeros(2)}, metadata={"step": "x"})]
)
def test_a_damaged_batch_is_none(backend, content):
    (written(backend, [20]).path / "batch.safetensors").write_bytes(content)
    assert "press Step to take one" in answering(backend.batch)({"run": RUN})["error"]


def test_a_run_is_steered_through_its_life(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 100_000})
    wait_for(lambda: follow(backend, run)["to"] > 1)
    assert steer(backend, run, "pause") == run
    wait_for(lambda: follow(backend, run)["state"] == "paused")
    step = backend.runs.folder(run).saved_step()
    assert steer(backend, run, "step") == run
    wait_for(lambda: follow(backend, run)["state"] == "paused" and follow(backend, run)["progress"]["step"] == step + 1)
    assert backend.batch({"run": run})["step"] == step + 1
    assert steer(backend, run, "play") == run
    wait_for(lambda: follow(backend, run)["progress"]["step"] > step + 1)
    assert "going or waiting already" in answering(backend.steer)(STEER | {"run": run, "how": "reset"})["error"]
    steer(backend, run, "stop")
    wait_for(lambda: follow(backend, run)["state"] == "stopped")
    new = steer(backend, run, "reset")
    assert new != run and follow(backend, new)["state"] == "paused" and follow(backend, new)["progress"] is None
    assert backend.runs.of(ANNA) == [run, new] or backend.runs.of(ANNA) == [new, run]
    assert "is stopped already" in answering(backend.steer)(STEER | {"run": run, "how": "pause"})["error"]


def test_a_file_that_cannot_be_read_gets_one_sentence(backend):
    folder = written(backend, [20])
    (folder.path / "metrics.jsonl").unlink()
    (folder.path / "metrics.jsonl").mkdir()
    for method, request in (("follow", FOLLOW), ("window", WINDOW), ("history", HISTORY)):
        answer = answering(getattr(backend, method))(request)
        assert answer == {"error": "A file on the server cannot be used: Is a directory."}


def test_two_visitors_never_see_each_others_models(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    assert [name for _, name in backend.choices(ANNA)] == ["small", run]
    assert [name for _, name in backend.choices(BERT)] == ["small"]
    assert [name for _, name in backend.choices("")] == ["small"]
    label = backend.choices(ANNA)[1][0]
    assert label.startswith("my run") and "digits mlp 3-D bernoulli" in label and label.endswith(", finished")


def test_a_browser_has_one_training_at_a_time(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    with pytest.raises(gr.Error, match="going or waiting already: pause or stop it first"):
        train_tab.start(backend, session(ANNA), FORM)
    assert backend.runs.of(ANNA) == [run]
    other = train_tab.start(backend, session(BERT), FORM)
    steer(backend, run, "stop")
    finished(backend, other)
    wait_for(lambda: not backend.runs._live)
    assert train_tab.start(backend, session(ANNA), FORM) != run


def test_a_drawing_takes_the_format_of_the_models_data(backend):
    answer = look(backend, DRAWING)  # of a model of digits, whose images fill the frame
    rows = (image(answer["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 28
    path = backend.shipped["small"]
    save_checkpoint(backend.load("small").model, path.with_name("mnist.safetensors"), {"data": "mnist"})
    backend.shipped["mnist"] = path.with_name("mnist.safetensors")
    rows = (image(look(backend, DRAWING | {"model": "mnist"})["seen"])[0] > 0).any(1).nonzero()
    assert int(rows[-1] - rows[0]) + 1 == 20
    about = describe(backend, {"model": "mnist"})  # MNIST is not here: digits are brought into its format
    rows = (image(about["examples"][0]["image"])[0] > 0).any(1).nonzero()
    assert about["examples_from"] == "digits" and int(rows[-1] - rows[0]) + 1 <= 20


def test_nobody_stops_anothers_run(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"epochs": 10_000})
    wait_for(lambda: backend.runs.status(run)["state"] == "running")
    assert "belongs to another browser" in answering(backend.steer)(STEER | {"run": run, "browser": BERT})["error"]
    with pytest.raises(gr.Error, match="belongs to another browser"):
        train_tab.change(backend, session(BERT), run, "beta", 3.0)
    assert backend.runs.status(run)["state"] == "running" and backend.runs.folder(run).changes() == []
    steer(backend, run, "stop")
    finished(backend, run)
    assert backend.runs.status(run)["state"] == "stopped"


def test_a_setting_after_its_run_was_deleted_is_the_next_ones(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    backend.runs.delete(run, ANNA)
    train_tab.change(backend, session(ANNA), run, "beta", 3.0)
    train_tab.change(backend, session(ANNA), "", "beta", 3.0)
    assert backend.runs.of(ANNA) == [] and not backend.runs.folder(run).path.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent_dim": 0}, "Latent dimensions D is 0; it must be a whole number from 1 to 512."),
        ({"latent_dim": 10**9}, "Latent dimensions D is 1000000000"),
        ({"latent_dim": None}, "Latent dimensions D is empty"),
        ({"learning_rate": math.nan}, "Learning rate is nan; it must be a number above 0, at most 1."),
        ({"batch_size": 1501}, "Batch size is 1501; the training set has 1500 images"),
        ({"data": "cifar"}, "Data is 'cifar'; it must be one of mnist, fashion-mnist, kmnist, digits."),
        ({"data": None}, "Data is None"),
        ({"beta": -1}, "β, weight of the KL is -1"),
        ({"epochs": 2.5}, "Epochs is 2.5"),
        ({"hold_out": 1500}, "Training images held out is 1500; it must be a whole number from 1 to 1499."),
        ({"hold_out": 1400}, "Batch size is 128; the training set has 100 images"),
        ({"hold_out": -1}, "Training images held out is -1"),
        ({"hidden_layers": 9}, "Hidden layers, mlp is 9"),
        ({"objective": "iwae"}, "Objective is 'iwae'; it must be one of elbo, importance-weighted."),
        (
            {"objective": "importance-weighted", "free_bits": 0.5},
            "Free bits, nats per dimension is 0.5; it must be 0 unless the objective is the ELBO.",
        ),
        ({"schedule": "step"}, "Learning rate over time is 'step'"),
        ({"average": 1}, "Averaged weights is 1"),
        ({"patience": -1}, "Patience, epochs is -1"),
        ({"clip_norm": math.inf}, "Largest gradient norm is inf"),
        ({"precision": "float8"}, "Precision of products is 'float8'; it must be one of float32, bfloat16."),
        ({"architecture": ["mlp"]}, "Architecture is ['mlp']"),
        ({"prior_std": 0}, "Prior standard deviation is 0"),
    ],
)
def test_a_bad_setting_is_named_as_on_the_page_and_starts_nothing(backend, change, message):
    with pytest.raises(gr.Error) as caught:
        train_tab.start(backend, session(ANNA), FORM | change)
    assert caught.value.message.startswith(message) and not caught.value.print_exception
    assert backend.runs.of(ANNA) == []


def test_every_field_of_the_form_reaches_its_configuration(backend):
    change = {
        "data": "digits", "architecture": "conv", "latent_dim": 5, "likelihood": "gaussian", "epochs": 1, "beta": 2,
        "learning_rate": 0.01, "batch_size": 700, "hidden_dim": 7, "hidden_layers": 2, "binarization": "threshold",
        "sigma": 0.3, "sigma_mode": "optimal", "prior_mean": 1, "prior_std": 2, "samples": 3,
        "objective": "importance-weighted", "warmup_steps": 4, "free_bits": 0, "schedule": "cosine",
        "learning_rate_warmup": 2, "clip_norm": 1.5, "average": 0.9, "patience": 7, "hold_out": 100, "seed": 5,
        "precision": "bfloat16",
    }  # fmt: skip
    assert list(change) == list(FORM) and set(FORM) == set(train_tab.LABELS)
    run = train_tab.start(backend, session(ANNA), change)
    finished(backend, run)
    config = backend.runs.folder(run).read_config()
    for name, value in change.items():
        holder = next(part for part in (config.model, config.training, config) if hasattr(part, name))
        assert (config.data if name == "data" else getattr(holder, name)) == value, name
    assert config.train_images == 1400  # of 1,500


def test_a_model_in_training_is_read_anew_when_its_file_changes(backend):
    first = backend.load("small")
    assert backend.load("small") is first
    time.sleep(0.01)
    save_checkpoint(VAE(VAEConfig(latent_dim=2), seeded()), backend.shipped["small"])
    assert backend.load("small").model.config.latent_dim == 2


def test_a_model_that_is_deleted_is_said(backend):
    run = train_tab.start(backend, session(ANNA), FORM)
    finished(backend, run)
    shutil.rmtree(backend.runs.folder(run).path)
    assert "not here any more" in of(backend, describe)({"model": run})["error"]
    assert f"There is no run {run}" in answering(backend.follow)(FOLLOW | {"run": run})["error"]
    assert [name for _, name in backend.choices(ANNA)] == ["small"]


@pytest.mark.parametrize("name", ["config.json", "status.json", "metrics.jsonl", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage\n", b"[]\n", None])
def test_a_damaged_run_harms_no_other(backend, name, content):
    started = []
    for _ in range(2):
        started.append(train_tab.start(backend, session(ANNA), FORM | {"epochs": 1}))
        wait_for(lambda: not backend.runs._live)
    damaged, good = started
    path = backend.runs.folder(damaged).path / name
    path.write_bytes(content) if content is not None else path.unlink()
    offered = [name for _, name in backend.choices(ANNA)]
    assert good in offered and "small" in offered
    for _ in range(2):
        answer = answering(backend.follow)(FOLLOW | {"run": damaged})
        assert "\n" not in answer.get("error", "")
    if name in ("config.json", "metrics.jsonl") and content:
        assert name in answer["error"]
    assert answering(backend.follow)(FOLLOW | {"run": good})["state"] == "finished"


def test_auto_takes_digits_where_mnist_cannot_be_had_and_does_not_ask_again(backend, monkeypatch):
    asked = []

    def refuse(*args):
        asked.append(args)
        raise DataError("MNIST could not be downloaded: no network.")

    monkeypatch.setattr("vae_core.data._download", refuse)
    dataset, why = backend.fetch("auto", lambda message: None)
    assert dataset.name == "digits" and "MNIST could not be downloaded: no network." in why and len(asked) == 1
    dataset, why = backend.fetch("auto", lambda message: None)
    assert dataset.name == "digits" and "because MNIST is not on this server" in why and len(asked) == 1
    with pytest.raises(DataError):
        backend.fetch("mnist", lambda message: None)
    assert len(asked) == 2


def test_auto_trains_and_the_run_says_on_what(backend, monkeypatch):
    monkeypatch.setattr("vae_core.data._download", lambda *args: (_ for _ in ()).throw(DataError("no network.")))
    run = train_tab.start(backend, session(ANNA), FORM | {"data": "auto"})
    finished(backend, run)
    answer = follow(backend, run)
    assert answer["about"]["why_data"].startswith("The data are scikit-learn's digits, because MNIST could not be had")
    assert backend.runs.folder(run).read_config().data == "digits"


def test_pixels_clip(backend):
    assert base64.b64decode(pixels(torch.tensor([-1.0, 0.5, 2.0]))) == bytes([0, 128, 255])


@pytest.mark.parametrize("stored", [None, {}, [], "x", {"browser": 5}, {"browser": "../x", "model": [], "run": 7}])
def test_a_tampered_session_becomes_a_new_one(stored):
    one, two = restored(stored), restored(stored)
    assert len(one["browser"]) == 32 and one["browser"] != two["browser"] and one["model"] == one["run"] == ""
    assert restored({"browser": ANNA, "model": "m", "run": "r"}) == session(ANNA, "m", "r")


def test_a_stopped_run_of_no_browser_is_nobodys(backend):
    with pytest.raises(RunError):
        backend.runs.stop("20260101-000000-0123456789abcdef", ANNA)


def test_training_settings_have_the_cores_defaults():
    assert TrainConfig(**{name: FORM[name] for name in train_tab.OF_TRAINING} | {"epochs": 10}) == TrainConfig()
