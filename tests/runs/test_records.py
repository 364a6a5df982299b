"""The records of a training: read on, told apart from damage, and thinned without losing an extreme."""

import json
import math
import threading

import numpy as np
import pytest

from vae_core.runs.records import COLUMNS, HISTORY, ROWS, Records, thinned

LOSSES = [name for name in COLUMNS if name.startswith(("train", "test"))]


def record(step, dims=2, *, held_out=True, **changes):
    """A record as a training writes it, its figures all different."""
    terms = {"elbo": -100.0 - step, "reconstruction": -80.0 - step, "kl": 20.0 + step}
    return {
        "step": step, "epoch": step / 10, "images_seen": 50 * step, "seconds": 0.5 * step, "images_per_second": 1e3,
        "train": terms, "test": {name: value - 1 for name, value in terms.items()} if held_out else None,
        "kl_per_dim": [step + j / 8 for j in range(dims)], "active_units": 7 if held_out else None,
        "learning_rate": 1e-3, "beta": 1.0, "samples": 1,
    } | changes  # fmt: skip


def write(path, steps, **kwargs):
    path.write_text("".join(json.dumps(record(step, **kwargs)) + "\n" for step in steps))
    return path


def steps_of(records):
    return records.read().rows()["step"]


def test_the_columns_are_the_files_records(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [record(1, held_out=False), record(20), record(40, held_out=False)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = Records(path).read().rows()
    assert list(columns) == list(COLUMNS)
    assert columns["step"] == [1, 20, 40] and columns["seconds"] == [0.5, 10.0, 20.0]
    for part in ("train", "test"):
        for name, sign in (("elbo", -1), ("reconstruction", -1), ("kl", 1)):
            wanted = [sign * line[part][name] if line[part] else None for line in lines]
            assert columns[f"{part}_{name}"] == wanted, (part, name)
    assert columns["train_elbo"][0] == 101.0 and columns["train_kl"][0] == 21.0
    assert columns["active_units"] == [None, 7, None]
    assert all(isinstance(value, int) for value in columns["step"])
    assert Records(path).read().last == lines[-1]


def test_records_are_read_on_from_where_the_last_look_ended(tmp_path):
    path = tmp_path / "metrics.jsonl"
    records = Records(path)
    assert steps_of(records) == []
    second = json.dumps(record(2)) + "\n"
    path.write_text(json.dumps(record(1)) + "\n" + second[:40])
    assert steps_of(records) == [1]
    assert [line["step"] for line in Records.each(path)] == [1]
    with path.open("a") as file:
        file.write(second[40:])
    assert steps_of(records) == [1, 2] and len(records) == 2
    assert records.rows(1)["step"] == [2] and records.rows(0, 1)["step"] == [1]
    assert records.rows(1, 99)["step"] == [2] and records.rows(5)["step"] == []


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path, records = write(tmp_path / "metrics.jsonl", [1, 2, 3]), Records(tmp_path / "metrics.jsonl")
    assert steps_of(records) == [1, 2, 3]
    write(tmp_path / "other", [1, 2, 5, 6]).replace(path)  # longer than before, and yet another file
    assert steps_of(records) == [1, 2, 5, 6] and records.history_steps == [1, 2, 5, 6]
    assert records.last["step"] == 6


def test_a_file_that_has_become_shorter_is_read_anew(tmp_path):
    path, records = write(tmp_path / "metrics.jsonl", [1, 2, 3]), Records(tmp_path / "metrics.jsonl")
    assert steps_of(records) == [1, 2, 3]
    write(path, [1, 2])
    assert steps_of(records) == [1, 2]
    path.unlink()
    assert steps_of(records) == [] and records.last is None and len(records) == 0


def test_what_is_watched_is_read_and_records_without_it_are_as_before(tmp_path):
    watched = [
        None,
        {"elbo": -101.5, "log_px": -98.25, "exact": None},
        {"elbo": -99.0, "log_px": -97.0, "exact": -96.5},
    ]
    lines = [record(1), *(record(step, watched=it) for step, it in zip((2, 3, 4), watched, strict=True))]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = Records(path).read().rows()
    assert columns["watched_elbo"] == [None, None, 101.5, 99.0]
    assert columns["watched_log_px"] == [None, None, 98.25, 97.0]
    assert columns["watched_exact"] == [None, None, None, 96.5]


DAMAGE = ["garbage", "[1, 2]", '{"step": 3}', "null", "7", "\x00\x01", "{"]
DAMAGE += [
    json.dumps(record(3) | change)
    for change in (
        {"step": "3"},
        {"step": 0},
        {"seconds": None},
        {"train": {}},
        {"train": None},
        {"train": {"elbo": 1.0}},
        {"test": [1]},
        {"kl_per_dim": 5},
        {"kl_per_dim": ["x"]},
        {"active_units": "x"},
        {"epoch": []},
        {"step": True},
        {"step": 10**21},
        {"step": 3.0},
        {"step": 10**400},
        {"seconds": 1e21},
        {"seconds": -1},
        {"seconds": 10**21},
        {"seconds": math.nan},
        {"epoch": math.inf},
        {"epoch": 10**400},
        {"beta": True},
        {"watched": [1]},
        {"watched": {"elbo": 1.0, "exact": None}},
        {"watched": {"elbo": 1.0, "log_px": None, "exact": None}},
        {"watched": {"elbo": 1.0, "log_px": 1.0, "exact": "x"}},
        {"images_per_second": None},
        {"learning_rate": "x"},
        {"learning_rate": math.nan},
        {"sigma": [1]},
        {"samples": None},
        {"images_seen": {}},
        {"train": {"elbo": math.nan, "reconstruction": 1.0, "kl": 1.0}},
        {"train": {"elbo": 10**21, "reconstruction": 1.0, "kl": 1.0}},
        {"kl_per_dim": [1.0]},
        {"kl_per_dim": []},
        {"kl_per_dim": [1.0, math.inf]},
        {"kl_per_dim": [1.0, 10**400]},
        {"kl_per_dim": [1.0, True]},
        {"active_units": 10**21},
        {"test": {"elbo": 10**21, "reconstruction": 1.0, "kl": 1.0}},
        {"test": True},
    )
]
DAMAGE += [json.dumps(record(3, dims=3)), json.dumps({k: v for k, v in record(3).items() if k != "learning_rate"})]
DAMAGE += ["[" * 100_000 + "]" * 100_000, '{"step":' * 100_000, '{"a":' * 900 + "1" + "}" * 900]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_said_every_time_and_takes_no_memory(tmp_path, damage):
    path = write(tmp_path / "metrics.jsonl", [1, 2])
    with path.open("a") as file:
        file.write(damage + "\n")
    records = Records(path)
    for _ in range(3):
        with pytest.raises(ValueError, match=r"metrics\.jsonl is damaged"):
            records.read()
        assert len(records) == 0
    with pytest.raises(ValueError, match=r"metrics\.jsonl is damaged"):
        list(Records.each(path))
    write(path, [1, 2])  # mended by hand
    assert steps_of(records) == [1, 2]


def test_a_file_of_too_many_dimensions_is_damaged(tmp_path):
    assert len(Records(write(tmp_path / "metrics.jsonl", [1, 2], dims=512)).read()) == 2
    with pytest.raises(ValueError, match=r"metrics\.jsonl is damaged"):
        Records(write(tmp_path / "metrics.jsonl", [1, 2], dims=513)).read()


def test_the_number_of_dimensions_is_that_of_the_records_before(tmp_path):
    records = Records(write(tmp_path / "metrics.jsonl", [1, 2])).read()
    with records.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record(3, dims=3)) + "\n")
    with pytest.raises(ValueError, match=r"metrics\.jsonl is damaged"):
        records.read()
    assert steps_of(Records(write(tmp_path / "metrics.jsonl", [1, 2], dims=3))) == [1, 2]


def filled(count):
    """Records of that many, with spikes that a thinning must not lose, and as few held-out figures as usual."""
    records, rng = Records(None), np.random.default_rng(0)
    for start in range(0, count, 1000):
        for step in range(start + 1, start + 1001):
            is_evaluated = step % 100 == 0
            watched = {"elbo": -3.0 * step, "log_px": -2.0 * step, "exact": -1.0 * step} if is_evaluated else None
            records._append(record(step, held_out=is_evaluated, watched=watched))
    table = records._table[:count]
    spikes = rng.choice(count, 40, replace=False)
    table[spikes, 2 + np.arange(40) % 3] = rng.normal(0, 1e4, 40)  # of the training's three
    return records, table


def test_a_hundred_thousand_records_are_thinned_without_losing_an_extreme():
    records, table = filled(100_000)
    assert len(records) == 100_000
    columns = records.rows()
    assert len(columns["step"]) <= ROWS
    assert all(len(column) == len(columns["step"]) for column in columns.values())
    assert columns["step"][0] == 1 and columns["step"][-1] == 100_000
    assert columns["step"] == sorted(set(columns["step"]))
    for i, name in enumerate(COLUMNS):
        kept = [value for value in columns[name] if value is not None]
        assert min(kept) == pytest.approx(np.nanmin(table[:, i]), abs=1e-3), name
        assert max(kept) == pytest.approx(np.nanmax(table[:, i]), abs=1e-3), name
    for step, value in zip(columns["step"], columns["train_kl"], strict=True):  # each row is that of its own step
        assert value == pytest.approx(table[step - 1, COLUMNS.index("train_kl")], abs=1e-3)
    gaps = np.diff(columns["step"])
    assert gaps.max() < 2 * 100_000 * 2 * len(COLUMNS) / ROWS  # nowhere a hole


def test_a_hundred_thousand_records_take_little_memory():
    records, table = filled(100_000)
    assert table.itemsize * len(COLUMNS) <= 96
    assert records._table.nbytes <= 2 * 96 * 100_000
    assert len(records.history) <= HISTORY and len(records.history_steps) == len(records.history)


@pytest.mark.parametrize(("count", "most"), [(10, 10), (11, 10), (100, 14), (5000, 2000), (12345, 140)])
def test_thinning_keeps_first_last_and_every_columns_extremes(count, most):
    values = np.random.default_rng(count).normal(size=(count, 7))
    values[np.random.default_rng(1).random(values.shape) < 0.5] = np.nan
    values[:, 3], values[1:, 5] = np.nan, np.nan
    kept = thinned(values, most)
    assert kept[0] == 0 and kept[-1] == count - 1 and (np.diff(kept) > 0).all()
    assert len(kept) <= max(most, 16)
    if count <= most:
        assert len(kept) == count
    for column in values.T:
        if not np.isnan(column).all():
            assert {np.nanargmin(column), np.nanargmax(column)} <= set(kept.tolist())


def test_between_gives_the_steps_that_it_is_asked_for(tmp_path):
    records = Records(write(tmp_path / "metrics.jsonl", range(10, 200, 10))).read()
    assert records.between(30, 60)["step"] == [30, 40, 50, 60]
    assert records.between(30.5, 59.9)["step"] == [40, 50]
    assert records.between(-1e12, 1e12)["step"] == list(range(10, 200, 10))
    assert records.between(60, 30)["step"] == records.between(1000, 2000)["step"] == []


def test_between_gives_few_records_whole_and_many_thinned():
    records, table = filled(10_000)
    assert records.between(4001, 5000)["step"] == list(range(4001, 5001))
    wide = records.between(2, 9999)
    assert len(wide["step"]) <= ROWS and wide["step"][0] == 2 and wide["step"][-1] == 9999
    assert max(wide["train_elbo"]) == pytest.approx(table[1:9999, 2].max(), abs=1e-3)


def test_the_history_keeps_every_stride_th_record():
    records = Records(None)
    for count in range(1, 5 * HISTORY):
        records._append(record(10 * count, dims=3))
        assert len(records.history) <= HISTORY
        assert records.history_steps == list(range(10, 10 * count + 1, 10 * records.stride))
    assert records.stride == 8 and len(records.history) > HISTORY / 2
    for step, kl in zip(records.history_steps, records.history, strict=True):
        assert kl == pytest.approx(record(step, dims=3)["kl_per_dim"], abs=1e-4)


def test_the_history_is_given_from_what_is_known_and_anew_when_the_stride_has_changed():
    records = Records(None)
    for step in range(1, 11):
        records._append(record(step))
    assert records.kept_history(1, 4)[:3] == (1, 4, [5, 6, 7, 8, 9, 10])
    assert records.kept_history(0, 0)[1] == records.kept_history(2, 4)[1] == records.kept_history(1, 11)[1] == 0
    assert records.kept_history(1, 10) == (1, 10, [], [])
    for step in range(11, HISTORY + 2):
        records._append(record(step))
    stride, first, steps, kl = records.kept_history(1, HISTORY)
    assert (stride, first) == (2, 0) and steps == list(range(1, HISTORY + 2, 2)) and len(kl) == len(steps)


def test_many_readers_of_one_file_that_grows_see_every_record_once(tmp_path):
    path, records, seen = tmp_path / "metrics.jsonl", Records(tmp_path / "metrics.jsonl"), [[] for _ in range(4)]

    def follow(mine):
        while len(mine) < 2000:
            count = len(records.read())
            mine += records.rows(len(mine), count)["step"]

    readers = [threading.Thread(target=follow, args=(mine,), daemon=True) for mine in seen]
    path.touch()
    for reader in readers:
        reader.start()
    with path.open("a") as file:
        for step in range(1, 2001):
            file.write(json.dumps(record(step)) + "\n")
            if step % 7 == 0:
                file.flush()
    for reader in readers:
        reader.join(30)
    assert all(mine == list(range(1, 2001)) for mine in seen)


def test_what_is_not_finite_stays_what_it_is(tmp_path):
    path = tmp_path / "metrics.jsonl"
    bad = record(1) | {"test": {"elbo": -math.inf, "reconstruction": -math.inf, "kl": math.nan}}
    path.write_text(json.dumps(bad) + "\n")
    columns = Records(path).read().rows()
    assert columns["test_elbo"] == [math.inf] and columns["test_kl"] == [None]
