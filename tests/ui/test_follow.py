"""What the page is told of a run: the core's numbers, whole at first and then only what is new."""

import json
import threading

import pytest
import torch
from torch.distributions import Normal

from ui.follow import BEGINNING
from ui.tabs import train as train_tab
from vae_core import TrainConfig, VAEConfig
from vae_core.runs.changes import Change
from vae_core.training.one_batch import OneBatch

from ..runs.conftest import wait_for
from .conftest import ANNA, FORM, RUN, finished, follow, image, lines, session, trained, without, written


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
    assert about["is_averaged"]
    assert not follow(backend, trained(backend, average=0.0))["about"]["is_averaged"]
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


def test_an_increment_of_twenty_records_takes_little_more_than_two_kilobytes(backend):
    written(backend, range(20, 30_001, 20))
    first = follow(backend, RUN)
    written(backend, range(30_020, 30_401, 20))
    answer = follow(backend, RUN, first["to"])
    assert len(answer["columns"]["step"]) == 20 == answer["to"] - answer["from"]
    assert len(json.dumps(answer, separators=(",", ":")).encode()) < 2200


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
    columns = backend.follower.window({"run": RUN, "low": 5000, "high": 5100.5})["columns"]
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


def test_a_run_that_went_back_and_is_as_far_again_is_given_from_its_beginning(backend):
    folder = written(backend, range(20, 401, 20))
    first = follow(backend, RUN)
    assert first["mark"] and follow(backend, RUN, first["to"], mark=first["mark"])["from"] == first["to"] == 20
    rewritten = [line.replace('"seconds": ', '"seconds": 1') for line in lines(range(20, 601, 20))]
    (folder.path / "metrics.jsonl").unlink()
    (folder.path / "metrics.jsonl").write_text("".join(rewritten))
    back = follow(backend, RUN, first["to"], mark=first["mark"])
    assert (back["from"], back["to"]) == (0, 30) and back["columns"] == follow(backend, RUN)["columns"]
    assert follow(backend, RUN, back["to"], mark=back["mark"])["from"] == 30


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
    whole = backend.follower.history({"run": RUN, "stride": 0, "have": 0})
    assert (whole["stride"], whole["from"], whole["steps"]) == (1, 0, list(range(20, 201, 20)))
    for row, record in zip(whole["kl"], folder.records(), strict=True):
        assert row == pytest.approx(record["kl_per_dim"], abs=1e-4) and len(row) == 20
    rest = backend.follower.history({"run": RUN, "stride": 1, "have": 9})
    assert (rest["from"], rest["steps"], rest["kl"]) == (9, [200], whole["kl"][9:])
    written(backend, range(220, 20_001, 20))
    again = backend.follower.history({"run": RUN, "stride": 1, "have": 10})
    assert (again["stride"], again["from"], again["steps"]) == (2, 0, list(range(20, 20_001, 40)))


def test_a_batch_is_shown_as_it_was_taken(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"beta": 2}, one_batch=True)
    finished(backend, run)
    answer, folder = backend.follower.batch({"run": run}), backend.runs.folder(run)
    (record,), batch = folder.records(), OneBatch.load(folder.path / "batch.safetensors")
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
    for name, wanted in (("mu", batch.mu), ("std", torch.exp(batch.logvar / 2))):
        torch.testing.assert_close(torch.tensor(answer[name]), wanted[:8], atol=6e-4, rtol=0)
    torch.testing.assert_close(torch.tensor(answer["draws"]), batch.z[None, :8], atol=6e-4, rtol=0)
    torch.testing.assert_close(torch.tensor(answer["terms"]), batch.log_px_z[None, :8], atol=6e-4, rtol=0)
    eps = (batch.z - batch.mu) / torch.exp(batch.logvar / 2)
    torch.testing.assert_close(torch.tensor(answer["eps"]), eps[None, :8], atol=6e-4, rtol=0)
    assert [float(batch.kl_per_dim[j]) for j in answer["dims"]] == sorted(batch.kl_per_dim.tolist(), reverse=True)
    assert answer["reconstructions"] == pytest.approx(batch.reconstruction[:8].tolist(), abs=6e-4)
    assert answer["kls"] == pytest.approx(batch.kl[:8].tolist(), abs=6e-4)
    assert follow(backend, run)["batch"] != ""


@pytest.mark.parametrize(("samples", "shown"), [(3, 3), (40, 32)])
def test_a_batch_has_each_of_its_draws_and_their_mean(backend, samples, shown):
    run = train_tab.start(backend, session(ANNA), FORM | {"samples": samples}, one_batch=True)
    finished(backend, run)
    answer = backend.follower.batch({"run": run})
    draws, terms = torch.tensor(answer["draws"]), torch.tensor(answer["terms"])
    assert answer["samples"] == samples and draws.shape == (shown, 8, 3) and terms.shape == (shown, 8)
    assert len(draws.unique(dim=0)) == shown and image(answer["x_hat"]).shape == (shown * 8, 28, 28)
    if shown == samples:
        torch.testing.assert_close(terms.mean(0), torch.tensor(answer["reconstructions"]), atol=1e-3, rtol=0)


def test_the_loss_of_a_batch_counts_free_bits(backend):
    run = train_tab.start(backend, session(ANNA), FORM | {"free_bits": 2.0}, one_batch=True)
    finished(backend, run)
    answer = backend.follower.batch({"run": run})
    assert answer["free_bits"] == 2.0 and answer["counted_kl"] >= 2.0 * 3 > answer["kl"]
    assert answer["loss"] == pytest.approx(answer["counted_kl"] - answer["reconstruction_term"], rel=1e-5)


def test_a_batch_says_whether_its_gradient_has_reached_the_encoder(backend):
    norms = {}
    for gradient in ("reparameterized", "detached"):
        run = train_tab.start(backend, session(ANNA), FORM | {"gradient": gradient}, one_batch=True)
        finished(backend, run)
        answer = backend.follower.batch({"run": run})
        assert answer["gradient"] == gradient
        norms[gradient] = answer["gradient_norm"], answer["loss"]
    assert norms["detached"][0] < norms["reparameterized"][0] and norms["detached"][1] == norms["reparameterized"][1]


def test_the_loss_of_a_batch_is_that_of_its_objective(backend):
    change = {"objective": "importance-weighted", "beta": 0.5, "clip_norm": 3}
    run = train_tab.start(backend, session(ANNA), FORM | change, one_batch=True)
    finished(backend, run)
    answer, batch = (
        backend.follower.batch({"run": run}),
        OneBatch.load(backend.runs.folder(run).path / "batch.safetensors"),
    )
    q, prior = Normal(batch.mu, torch.exp(batch.logvar / 2)), Normal(0.0, 1.0)
    ratio = (prior.log_prob(batch.z) - q.log_prob(batch.z)).sum(1)  # of a single draw
    assert answer["loss"] == pytest.approx(-float((batch.reconstruction + 0.5 * ratio).mean()), rel=1e-5)
    assert (answer["objective"], answer["clip_norm"]) == ("importance-weighted", 3.0) and answer["gradient_norm"] > 3


def test_whoever_waits_for_the_first_point_asks_soon_however_many_watch(backend, few):
    may_load = threading.Event()

    def load(report):
        may_load.wait(20)
        return few, ""

    run = backend.runs.start(VAEConfig(latent_dim=2, hidden_dim=16), TrainConfig(batch_size=50), "digits", load, ANNA)
    assert [follow(backend, run)["wait"] for _ in range(100)] == [BEGINNING] * 100
    may_load.set()
    wait_for(lambda: len(backend.runs.folder(run).records()) > 0)
    assert follow(backend, run)["wait"] != BEGINNING
    backend.runs.stop(run, ANNA)
