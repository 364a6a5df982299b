"""A run for other programs, read back by them."""

import csv
import io
import zipfile
from dataclasses import asdict, replace

import pytest
import torch
from tensorboardX.event_file_writer import EventsWriter  # noqa: F401 (what wrote the file that is read below)
from tensorboardX.proto.event_pb2 import Event

from vae_core import VAE, TrainConfig, VAEConfig, load_checkpoint
from vae_core.runs.config import RunConfig
from vae_core.runs.export import as_csv, as_tensorboard, as_zip
from vae_core.runs.folder import RunFolder
from vae_core.runs.run import train_into

from ..conftest import seeded

MODEL = VAEConfig(latent_dim=3, hidden_dim=16)


@pytest.fixture
def folder(tmp_path, few):
    """A run that has finished."""
    folder, config = RunFolder(tmp_path / "run"), TrainConfig(epochs=2, batch_size=50, record_every=3)
    folder.create()
    folder.write_config(RunConfig(MODEL, config, "digits", train_images=200))
    list(train_into(folder, VAE(MODEL, seeded()), few, config, torch.device("cpu")))
    return folder


def flat(record):
    """A record's numbers by the names that a table has for them; None where not evaluated."""
    row = {name: value for name, value in record.items() if name not in ("train", "test", "kl_per_dim")}
    for part in ("train", "test"):
        row |= {f"{part}_{term}": (record[part] or {}).get(term) for term in ("elbo", "reconstruction", "kl")}
    return row | {f"kl_{j}": kl for j, kl in enumerate(record["kl_per_dim"])}


def test_csv_holds_every_number_of_every_record(folder):
    rows = list(csv.DictReader(io.StringIO(as_csv(folder.records()))))
    numbers = [{name: number(text) if text else None for name, text in row.items()} for row in rows]
    assert numbers == [flat(record) for record in folder.records()]
    assert all(row["precision"] == "float32" for row in rows)


def number(text):
    return text if text == "float32" else float(text)


def test_records_from_before_there_was_a_sigma_are_exported(folder, tmp_path):
    records = folder.records()
    for record in records:
        del record["sigma"]
    assert [row["sigma"] for row in csv.DictReader(io.StringIO(as_csv(records)))] == [""] * len(records)
    as_tensorboard(records, tmp_path / "events")


def test_no_records_are_a_line_of_titles():
    assert as_csv([]).count("\n") == 1


def events(folder):
    """The scalars of the event files of a folder: {(tag, step): (value, wall time)}."""
    found = {}
    for path in folder.iterdir():
        content, at = path.read_bytes(), 0
        while at < len(content):  # length, its checksum, the event, its checksum
            length = int.from_bytes(content[at : at + 8], "little")
            event = Event.FromString(content[at + 12 : at + 12 + length])
            at += 16 + length
            for value in event.summary.value:
                found[value.tag, event.step] = (value.simple_value, event.wall_time)
    return found


def test_a_zip_does_not_hold_the_owner(folder, tmp_path):
    folder.write_config(replace(folder.read_config(), owner="a" * 32))
    with (tmp_path / "run.zip").open("wb") as file:
        as_zip(folder, file)
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert not any(b"a" * 32 in archive.read(name) for name in archive.namelist())
        archive.extract("config.json", tmp_path)
    assert RunFolder(tmp_path).read_config() == replace(folder.read_config(), owner="")
    assert RunFolder(tmp_path).versions() == folder.versions()


def test_tensorboard_events_hold_the_records(folder, tmp_path):
    as_tensorboard(folder.records(), tmp_path / "events")
    found = events(tmp_path / "events")
    for record in folder.records():
        step = record["step"]
        assert found["train/elbo", step] == pytest.approx((record["train"]["elbo"], record["seconds"]))
        assert found["kl/2", step][0] == pytest.approx(record["kl_per_dim"][2])
        assert (("test/kl", step) in found) == (record["test"] is not None)
        assert found["beta", step][0] == record["beta"]


def test_a_zip_holds_the_run_and_loads_again(folder, tmp_path):
    folder.acquire()
    with (tmp_path / "run.zip").open("wb") as file:
        as_zip(folder, file)
    folder.release()
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "again")
        assert "lock" not in archive.namelist() and "frames/newest.jpg" in archive.namelist()
    again = RunFolder(tmp_path / "again")
    assert asdict(again.read_config()) == asdict(folder.read_config()) and again.records() == folder.records()
    weights = load_checkpoint(folder.model_file).state_dict()
    assert all(
        torch.equal(weights[name], value) for name, value in load_checkpoint(again.model_file).state_dict().items()
    )
