"""The film of a training: each tile is where it is said to be, and ten hours make no more frames than fit a disk."""

import numpy as np
import pytest
import torch
from PIL import Image

import vae_core.runs.film
import vae_core.runs.run
from vae_core import VAE, Dataset, TrainConfig, VAEConfig
from vae_core.runs.film import Film, frame, map_dims, map_points

from ..conftest import seeded
from .test_run import began, go_on


def tile(picture, row, column):
    return picture[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]


def quantile(model, i, count):
    prior = torch.distributions.Normal(model.config.prior_mean, model.config.prior_std)
    return float(prior.icdf(torch.tensor((i + 0.5) / count)))


def assert_tiles(picture, model, x, dims, atol):
    """That every tile of a picture is what the description of a frame says."""

    def assert_tile(row, column, wanted):
        found = tile(picture, row, column)
        assert float((found - wanted.reshape(28, 28).clamp(0, 1)).abs().mean()) <= atol, (row, column)

    with torch.inference_mode():
        for row in range(20):
            for column in range(20):
                z = torch.full((1, model.config.latent_dim), model.config.prior_mean)
                if len(dims) == 1:
                    z[0, 0] = quantile(model, 20 * row + column, 400)
                else:
                    z[0, dims[0]], z[0, dims[1]] = quantile(model, column, 20), quantile(model, 19 - row, 20)
                assert_tile(row, column, model.x_hat(z))
        samples = model.x_hat(model.sample_prior(40, seeded(0)))
        for i in range(40):
            assert_tile(20 + i // 20, i % 20, samples[i])
        for i in range(20):
            assert_tile(22, i, x[i])
            assert_tile(23, i, model.x_hat(model.encode(x[i : i + 1])[0]))


@pytest.mark.parametrize(
    ("config", "kl", "dims"),
    [
        (VAEConfig(latent_dim=2, hidden_dim=8), [0.1, 0.2], [0, 1]),
        (VAEConfig(latent_dim=5, hidden_dim=8, prior_mean=0.5, prior_std=2.0), [0.1, 3.0, 0.0, 0.2, 9.0], [1, 4]),
        (VAEConfig(latent_dim=1, hidden_dim=8), [2.0], [0]),
        (VAEConfig(latent_dim=3, hidden_dim=8, likelihood="gaussian"), [1.0, 1.0, 1.0], [0, 1]),
    ],
)
def test_every_tile_of_a_frame_is_where_it_is_said_to_be(few, config, kl, dims):
    model, x = VAE(config, seeded()).eval(), few.test[:20].float() / 255
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3  # so that the tiles differ
    picture = frame(model, x, kl)
    assert picture.shape == (24 * 28, 20 * 28) and float(picture.min()) >= 0 and float(picture.max()) <= 1
    assert map_dims(kl) == dims
    assert_tiles(picture, model, x, dims, atol=1e-5)
    assert float((tile(picture, 0, 0) - tile(picture, 19, 19)).abs().max()) > 1e-3


def test_the_map_runs_from_left_to_right_and_from_bottom_to_top():
    model = VAE(VAEConfig(latent_dim=4))
    points = map_points(model, [0.0, 5.0, 1.0, 7.0]).reshape(20, 20, 4)
    assert (points[:, 1:, 1] > points[:, :-1, 1]).all() and (points[1:, :, 3] < points[:-1, :, 3]).all()
    assert (points[..., [0, 2]] == 0).all()


def test_a_written_frame_is_the_picture_within_what_jpeg_loses(tmp_path, plane):
    model, x = plane[0], plane[1][:20]
    Film(tmp_path / "frames", x).take(model, 7, 1.0, [3.0, 2.0])
    for name in ("7.jpg", "newest.jpg"):
        with Image.open(tmp_path / "frames" / name) as image:
            assert image.format == "JPEG" and image.mode == "L" and image.size == (560, 672)
            picture = torch.from_numpy(np.asarray(image).copy()).float() / 255
        assert_tiles(picture, model, x, [0, 1], atol=0.04)


def test_a_written_frame_names_the_dimensions_of_its_map(tmp_path, few):
    film = Film(tmp_path, few.test[:20].float() / 255)
    film.take(VAE(VAEConfig(latent_dim=3, hidden_dim=8)), 7, 1.0, [3.0, 2.0, 4.0])
    film.take(VAE(VAEConfig(latent_dim=1, hidden_dim=8)), 8, 2.0, [3.0])
    for name, dims in (("7.jpg", b"0 2"), ("8.jpg", b"0"), ("newest.jpg", b"0")):
        with Image.open(tmp_path / name) as image:
            assert image.info["comment"] == dims


@pytest.mark.parametrize(("kinds", "shown"), [(10, 10), (26, 20), (62, 20)])
def test_the_held_out_images_are_of_as_many_labels_as_fit(kinds, shown):
    labels = torch.arange(10 * kinds) % kinds
    images = labels.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)  # as grey as its label
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, binarization="grey"))
    made = vae_core.runs.run.film_images(Dataset("mnist", images, labels, images, labels), model, torch.device("cpu"))
    assert made.shape == (20, 1, 28, 28) and len(made.mean((1, 2, 3)).unique()) == shown


def test_the_random_state_stays_as_it_was(few):
    model, before = VAE(VAEConfig(latent_dim=2, hidden_dim=8)), torch.random.get_rng_state()
    pictures = [frame(model, few.test[:20].float() / 255, [1.0, 1.0]) for _ in range(2)]
    assert torch.equal(*pictures) and torch.equal(before, torch.random.get_rng_state())


def test_a_run_keeps_its_first_and_last_frame_in_the_order_of_its_steps(tmp_path, few, monkeypatch):
    monkeypatch.setattr(vae_core.runs.run, "SAVE_MODEL_EVERY", 0.0)
    monkeypatch.setattr(vae_core.runs.film, "FIRST", 0.0)
    monkeypatch.setattr(vae_core.runs.film, "GROWTH", 0.0)
    folder = began(tmp_path / "run", TrainConfig(epochs=2, batch_size=50, record_every=3))
    _, records = go_on(folder, few)
    assert folder.frame_steps() == [record.step for record in records] == [1, 3, 4, 6, 8]
    newest = (folder.frames / "newest.jpg").read_bytes()
    assert newest == (folder.frames / "8.jpg").read_bytes() != (folder.frames / "1.jpg").read_bytes()


@pytest.mark.parametrize("left_at", [None, 3600])
def test_ten_hours_make_some_hundred_frames(tmp_path, monkeypatch, left_at):
    written = []
    monkeypatch.setattr(vae_core.runs.film, "frame", lambda *args: torch.zeros(8, 8))
    monkeypatch.setattr(vae_core.runs.film, "write_atomically", lambda path, content: written.append(path.name))
    film, kept = Film(tmp_path, None), []
    for seconds in range(1, 36_001):
        if seconds == left_at:
            film = Film(tmp_path, None, seconds)  # resumed: it goes on filming as it did
        written.clear()
        film.take(None, 10 * seconds, float(seconds), [])
        assert written[0] == "newest.jpg"
        kept += [seconds] if written[1:] == [f"{10 * seconds}.jpg"] else []
    assert kept[0] == 1 and 200 < len(kept) < 500
    gaps = np.diff(kept)
    assert (gaps <= 1 + 0.045 * np.array(kept[1:])).all() and gaps[:30].max() <= 1
    assert sum(second <= 3600 for second in kept) < 350


def test_the_last_frame_is_kept_even_if_none_is_due(tmp_path, monkeypatch):
    monkeypatch.setattr(vae_core.runs.film, "frame", lambda *args: torch.zeros(8, 8))
    film = Film(tmp_path, None)
    film.take(None, 1, 0.1, [])
    film.take(None, 2, 0.2, [])
    film.take(None, 3, 0.2, [], keep=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.jpg", "3.jpg", "newest.jpg"]
