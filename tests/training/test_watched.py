"""The images that are watched while a model trains: the right figures, at the right times, and nothing disturbed."""

import itertools
import math

import pytest
import torch

from vae_core import VAE, VAEConfig, train
from vae_core.data import spread
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import log_likelihood, watch
from vae_core.evaluation.posterior import grid_evidence, grid_truth
from vae_core.evaluation.truth import exact_evidence
from vae_core.training import loop
from vae_core.training.loop import TrainState

from ..conftest import plain, seeded

SMALL = VAEConfig(latent_dim=4, hidden_dim=32)
PLANE = VAEConfig(latent_dim=2, hidden_dim=32)
LINEAR = VAEConfig(architecture="linear", latent_dim=3, likelihood="gaussian")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """The images are looked at every 400 training images: every second epoch of `few`."""
    monkeypatch.setattr(loop, "WATCH_EVERY", 400)
    monkeypatch.setattr(loop, "PLANE_AFTER", 800)


def trained(config, few, epochs=5):
    """The model, and what was watched by the end of each epoch."""
    model = VAE(config, seeded())
    records = list(train(model, few, plain(epochs=epochs, batch_size=50)))
    return model, {record.epoch: record.watched for record in records if record.epoch.is_integer()}


def images(model, few):
    held_out = few.held_out_on("cpu", model.config.binarization)
    return held_out[spread(len(held_out), 100)]


def test_both_bounds_come_from_the_same_draws_and_log_px_is_that_of_the_evaluation(few):
    model, watched = trained(SMALL, few)
    x = images(model, few)
    elbo, log_px = watch(model, x)
    assert torch.equal(log_px, log_likelihood(model, x, 50, seeded()))
    assert watched[5.0].log_px == pytest.approx(log_px.mean().item(), abs=1e-4)
    assert watched[5.0].elbo == pytest.approx(elbo.mean().item(), abs=1e-4)
    assert (log_px >= elbo).all() and watched[5.0].exact is None
    many = watch(model, x, samples=2000)[0]
    assert elbo.mean().item() == pytest.approx(many.mean().item(), abs=0.3)  # another number of draws, the same mean


def test_it_does_not_matter_in_how_many_chunks_the_draws_are_decoded(few, monkeypatch):
    model = VAE(SMALL, seeded())
    x = images(model, few)
    whole = watch(model, x)
    monkeypatch.setattr("vae_core.evaluation.evaluate.MEMORY_BUDGET", 100 * 784 * 4 * 7)
    for one, other in zip(whole, watch(model, x), strict=True):
        torch.testing.assert_close(one, other)


def test_the_images_are_looked_at_no_more_often_than_they_may_and_at_the_end(few):
    _, watched = trained(SMALL, few, epochs=5)
    assert [epoch for epoch, it in watched.items() if it] == [2.0, 4.0, 5.0]
    _, watched = trained(SMALL, few, epochs=1)
    assert watched == {1.0: None}  # it would take longer than the training


def test_with_patience_the_last_epoch_is_the_end(few, monkeypatch):
    monkeypatch.setattr(TrainState, "judge", lambda state, _: setattr(state, "epochs_since_best", 3))
    config = plain(epochs=9, batch_size=50, patience=3)
    monkeypatch.setattr(loop, "WATCH_EVERY", 150)
    assert list(train(VAE(LINEAR, seeded()), few, config))[-1].watched.exact is not None


def test_the_linear_model_ends_with_its_exact_log_px(few):
    model, watched = trained(LINEAR, few)
    exact = ppca.log_likelihood(model, images(model, few)).mean().item()
    assert watched[5.0].exact == pytest.approx(exact, rel=1e-6)
    assert watched[5.0].elbo <= watched[5.0].log_px <= watched[5.0].exact
    assert watched[4.0].exact is None


def test_two_dimensions_end_with_log_px_by_quadrature(few):
    model, watched = trained(PLANE, few)
    x = images(model, few)[:8]
    truth = grid_truth(model, x, reach=8)
    assert truth.holds.all()
    torch.testing.assert_close(exact_evidence(model, x), truth.log_px, atol=1e-2, rtol=0)
    assert watched[5.0].elbo < watched[5.0].log_px < watched[5.0].exact < watched[5.0].log_px + 1
    _, watched = trained(PLANE, few, epochs=3)
    assert watched[3.0].exact is None  # quadrature would take longer than the training


def test_what_reaches_the_edge_of_the_grid_or_is_too_narrow_is_not_known(few, monkeypatch):
    model = VAE(PLANE, seeded())
    x = images(model, few)[:3]
    assert grid_evidence(model, x, reach=13).isfinite().all()
    with torch.no_grad():  # the prior's edge cuts a posterior off that does not end there
        monkeypatch.setattr("vae_core.evaluation.posterior.REACH_OF_Q", 0.0)
        assert grid_evidence(model, x, reach=0.5).isnan().all()
    monkeypatch.undo()
    monkeypatch.setattr("vae_core.evaluation.posterior.DEEPEST", 1)
    assert grid_evidence(model, x, reach=13).isnan().all()


def test_a_training_ends_bit_for_bit_alike_whether_it_is_watched_or_not(few, monkeypatch):
    model, _ = trained(SMALL, few)
    monkeypatch.setattr(loop, "_is_watch_due", lambda *_: False)
    other, watched = trained(SMALL, few)
    assert set(watched.values()) == {None}
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


def test_a_training_that_goes_on_watches_what_one_does_that_was_never_left(few):
    _, whole = trained(SMALL, few)
    model = VAE(SMALL, seeded())
    state, config = TrainState.start(model), plain(epochs=5, batch_size=50)
    first = list(itertools.takewhile(lambda record: record.epoch < 2.5, train(model, few, config, state=state)))
    rest = list(train(model, few, config, state=state))
    found = {record.epoch: record.watched for record in first + rest if record.watched}
    assert found == {epoch: it for epoch, it in whole.items() if it}


def test_figures_that_are_not_finite_are_left_out(few, monkeypatch):
    nothing = torch.full((100,), math.nan)
    monkeypatch.setattr(loop, "watch", lambda *_: (nothing, nothing))
    _, watched = trained(SMALL, few)
    assert set(watched.values()) == {None}
