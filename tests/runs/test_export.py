"""A run for other programs, read back by them."""

import csv
import io
import json
import os
import shutil
import socket
import zipfile
from dataclasses import asdict, replace
from random import Random

import pytest
import torch
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint
from vae_core.runs.config import RunConfig
from vae_core.runs.export import PART, as_csv, as_tensorboard, as_zip
from vae_core.runs.folder import RunFolder
from vae_core.runs.records import Records
from vae_core.runs.run import train_into
from vae_core.training import loop

from ..conftest import seeded

MODEL = VAEConfig(latent_dim=3, hidden_dim=16)


@pytest.fixture
def folder(tmp_path, few, monkeypatch):
    """A run that has finished, with figures of its watched images at the end of its second epoch."""
    monkeypatch.setattr(loop, "WATCH_EVERY", 400)
    folder, config = RunFolder(tmp_path / "run"), TrainConfig(epochs=2, batch_size=50, record_every=3)
    folder.create()
    folder.write_config(RunConfig(MODEL, config, "digits", train_images=200))
    list(train_into(folder, VAE(MODEL, seeded()), few, config, torch.device("cpu")))
    return folder


def flat(record):
    """A record's numbers by the names that a table has for them; None where not evaluated."""
    row = {name: value for name, value in record.items() if name not in ("train", "test", "watched", "kl_per_dim")}
    row |= {f"watched_{name}": (record["watched"] or {}).get(name) for name in ("elbo", "log_px", "exact")}
    for part in ("train", "test"):
        row |= {f"{part}_{term}": (record[part] or {}).get(term) for term in ("elbo", "reconstruction", "kl")}
    return row | {f"kl_{j}": kl for j, kl in enumerate(record["kl_per_dim"])}


def table(records):
    return list(csv.DictReader(io.StringIO(b"".join(as_csv(records)).decode(), newline="")))


def archive(parts):
    """A zip from its parts."""
    return zipfile.ZipFile(io.BytesIO(b"".join(parts)))


def long(folder, count):
    """The run with many records, like its last one."""
    *_, last = folder.each_record()
    random = Random(0)
    lines = (
        json.dumps(last | {"step": step, "kl_per_dim": [random.random() for _ in range(3)]}) + "\n"
        for step in range(1, count + 1)
    )
    with (folder.path / "metrics.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(lines)
    return folder


def test_csv_holds_every_number_of_every_record(folder):
    rows = table(folder.records())
    numbers = [{name: number(text) if text else None for name, text in row.items()} for row in rows]
    assert numbers == [flat(record) for record in folder.records()]
    assert all(row["precision"] == "float32" for row in rows)


def number(text):
    return text if text == "float32" else float(text)


def test_records_from_before_there_was_a_sigma_are_exported(folder):
    lines = [json.dumps({k: v for k, v in record.items() if k != "sigma"}) + "\n" for record in folder.records()]
    (folder.path / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    assert [row["sigma"] for row in table(folder.each_record())] == [""] * len(lines)
    assert not any(tag == "sigma" for tag, _ in events(as_tensorboard(folder)))


def test_no_records_are_a_line_of_titles(folder):
    assert b"".join(as_csv([])).count(b"\n") == 1
    (folder.path / "metrics.jsonl").unlink()
    assert events(as_tensorboard(folder)) == {}


def events(parts):
    """The scalars of the only file of a zip of events: {(tag, step): (value, wall time)}."""
    with archive(parts) as zipped:
        (name,) = zipped.namelist()
        content = zipped.read(name)
    found, at = {}, 0
    while at < len(content):  # length, its checksum, the event, its checksum
        length = int.from_bytes(content[at : at + 8], "little")
        framed = content[at : at + 16 + length]
        assert int.from_bytes(framed[8:12], "little") == masked_crc32c(framed[:8])
        assert int.from_bytes(framed[-4:], "little") == masked_crc32c(framed[12:-4])
        event = Event.FromString(framed[12:-4])
        assert (event.file_version == "brain.Event:2") == (at == 0)
        at += len(framed)
        for value in event.summary.value:
            found[value.tag, event.step] = (value.simple_value, event.wall_time)
    return found


def test_tensorboard_events_hold_the_records(folder):
    found = events(as_tensorboard(folder))
    for record in folder.records():
        step = record["step"]
        assert found["train/elbo", step] == pytest.approx((record["train"]["elbo"], record["seconds"]))
        assert found["kl/2", step][0] == pytest.approx(record["kl_per_dim"][2])
        assert (("test/kl", step) in found) == (record["test"] is not None)
        assert found["beta", step][0] == record["beta"]
    assert {step for _, step in found} == {record["step"] for record in folder.records()}


def test_a_zip_does_not_hold_the_owner(folder, tmp_path):
    folder.write_config(replace(folder.read_config(), owner="a" * 32))
    with archive(as_zip(folder)) as zipped:
        assert not any(b"a" * 32 in zipped.read(name) for name in zipped.namelist())
        zipped.extract("run/config.json", tmp_path / "again")
    again = RunFolder(tmp_path / "again" / "run")
    assert again.read_config() == replace(folder.read_config(), owner="")
    assert again.versions() == folder.versions()


def test_a_zip_holds_the_run_and_loads_again(folder, tmp_path):
    folder.acquire()
    (folder.path / ".half-written").touch()
    with archive(as_zip(folder)) as zipped:
        zipped.extractall(tmp_path / "again")
        names = set(zipped.namelist())
    folder.release()
    assert "run/frames/newest.jpg" in names and not names & {"run/lock", "run/.half-written"}
    again = RunFolder(tmp_path / "again" / "run")
    assert asdict(again.read_config()) == asdict(folder.read_config()) and again.records() == folder.records()
    weights = load_checkpoint(folder.model_file).state_dict()
    assert all(
        torch.equal(weights[name], value) for name, value in load_checkpoint(again.model_file).state_dict().items()
    )


def test_a_file_from_before_there_were_zips_is_in_it(folder):
    os.utime(folder.model_file, (0, 0))  # as some file systems of containers have it
    with archive(as_zip(folder)) as zipped:
        assert zipped.read("run/model.safetensors") == folder.model_file.read_bytes()


@pytest.mark.parametrize("make", [as_zip, as_tensorboard])
def test_two_runs_do_not_meet_where_they_are_unpacked_and_name_no_machine(folder, tmp_path, make):
    other = RunFolder(tmp_path / "other")
    shutil.copytree(folder.path, other.path)
    other.write_name("β = 4: larger")
    found = []
    for run in (folder, other):
        with archive(make(run)) as zipped:
            zipped.extractall(tmp_path / "both")
            found.append(set(zipped.namelist()))
            assert not any(socket.gethostname() in name for name in zipped.namelist())
            assert make is as_zip or socket.gethostname().encode() not in b"".join(map(zipped.read, zipped.namelist()))
    assert not found[0] & found[1]
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == ["run", "β = 4- larger"]


@pytest.mark.parametrize("make", [as_zip, as_tensorboard, lambda folder: as_csv(folder.each_record())])
def test_a_long_run_is_sent_as_it_is_read(folder, make, monkeypatch):
    long(folder, 3000)
    whole = b"".join(make(folder))
    read = []
    each = Records.each
    monkeypatch.setattr(Records, "each", lambda path: (read.append(1) or record for record in each(path)))
    parts = make(folder)
    first = next(parts)
    assert 0 < len(first) < 4 * PART and len(read) < 1000
    sizes = [len(part) for part in parts]
    assert len(first) + sum(sizes) == len(whole) and max(sizes) < 4 * PART and len(sizes) > 3
