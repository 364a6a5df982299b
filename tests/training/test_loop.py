"""Training: it learns, it is deterministic, it resumes exactly, and it refuses what it must."""

import dataclasses
import itertools
import json
import math
from itertools import islice, pairwise

import pytest
import torch

from vae_core import VAE, Dataset, TrainConfig, VAEConfig, train
from vae_core.config import usual_learning_rate
from vae_core.data import binarized_for_evaluation
from vae_core.densities import optimal_sigma
from vae_core.evaluation.evaluate import log_likelihood
from vae_core.training import loop
from vae_core.training.divergence import DivergedError
from vae_core.training.loop import Metrics, Terms, TrainState, batches, least_interval
from vae_core.training.processes import Processes

from ..conftest import plain, seeded, taken_batches

SMALL = VAEConfig(latent_dim=4, hidden_dim=32)


def figures(metrics):
    """A record without its times."""
    return {k: v for k, v in dataclasses.asdict(metrics).items() if k not in ("seconds", "images_per_second")}


class Turn:
    """Stands in for the lock of those who launch on a GPU, and knows whether it is held."""

    is_held = False

    def __enter__(self):
        self.is_held = True

    def __exit__(self, *_):
        self.is_held = False


def test_all_of_a_step_is_done_in_ones_turn_and_no_waiting_for_the_device(few, monkeypatch):
    turn = Turn()
    held = {}

    def watch(name):
        real = getattr(loop, name)

        def watched(*args, **settings):
            held.setdefault(name, set()).add(turn.is_held)
            return real(*args, **settings)

        monkeypatch.setattr(loop, name, watched)

    monkeypatch.setattr(loop, "launching", lambda _: turn)
    for name in ("_pace", "_check", "evaluate_elbo", "_metrics"):
        watch(name)
    list(train(VAE(SMALL, seeded()), few, plain(steps=6, batch_size=50)))
    assert held == {"_pace": {True}, "_check": {False}, "evaluate_elbo": {False}, "_metrics": {False}}


def test_a_training_on_a_gpu_begins_by_computing_exactly(few, monkeypatch):
    class CalledError(Exception):
        pass

    def compute_exactly() -> None:
        raise CalledError

    monkeypatch.setattr(loop, "compute_exactly", compute_exactly)
    assert next(train(VAE(SMALL, seeded()), few, plain(batch_size=50))).step == 1
    with pytest.raises(CalledError):
        next(train(VAE(SMALL, seeded()), few, plain(batch_size=50), "cuda"))


def test_training_lowers_the_held_out_loss(digits):
    model = VAE(VAEConfig(latent_dim=8, hidden_dim=128), seeded())
    records = list(train(model, digits, plain(epochs=15, batch_size=64)))
    held_out = [record.test.elbo for record in records if record.test]
    assert len(held_out) == 15
    assert -held_out[-1] < 0.75 * -held_out[0]


@pytest.mark.parametrize("sigma", [1e-16, 5.6e-18, 1e-19])
def test_what_training_tells_is_finite_or_it_ends(few, sigma):
    """With the second the figures of each step are finite, and their sum is not."""
    model = VAE(VAEConfig(latent_dim=2, hidden_dim=8, likelihood="gaussian", sigma=sigma), seeded())
    told = []
    try:
        for metrics in train(model, few, plain(steps=8, batch_size=50)):
            told += [*dataclasses.astuple(metrics.train), *metrics.kl_per_dim]
    except DivergedError:
        assert sigma < 1e-16
    assert all(map(math.isfinite, told))


def test_records_come_when_they_should(few):
    config = plain(epochs=3, batch_size=30, record_every=3)  # 7 steps an epoch, the last of 20 images
    records = list(train(VAE(SMALL, seeded()), few, config))
    assert [record.step for record in records] == [1, 3, 6, 7, 9, 12, 14, 15, 18, 21]
    assert [record.step for record in records if record.test] == [7, 14, 21]
    assert [record.images_seen for record in records][:4] == [30, 90, 180, 200]
    assert records[-1].epoch == 3 and records[-1].images_seen == 600
    seconds = [record.seconds for record in records]
    assert seconds == sorted(seconds) and seconds[0] > 0
    for record in records:
        for terms in (record.train, record.test):
            if terms:
                assert terms.elbo == pytest.approx(terms.reconstruction - terms.kl, abs=1e-4)
        assert sum(record.kl_per_dim) == pytest.approx(record.train.kl, abs=1e-4)


def test_steps_count_instead_of_epochs(few):
    records = list(train(VAE(SMALL, seeded()), few, plain(steps=9, batch_size=50, record_every=100)))
    assert [record.step for record in records] == [1, 4, 8, 9]
    assert records[-1].test is not None


def test_an_epoch_uses_every_image_once(few, monkeypatch):
    marked = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    marked.view(200, -1)[torch.arange(200), torch.arange(200)] = 255  # image n has pixel n alone
    dataset = Dataset("marked", marked, few.train_labels, few.test, few.test_labels)
    seen = taken_batches(monkeypatch)
    list(train(VAE(SMALL, seeded()), dataset, plain(epochs=2, batch_size=20)))
    numbers = [x.flatten(1).argmax(1) for x, _ in seen]
    first, second = torch.cat(numbers[:10]), torch.cat(numbers[10:])
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(200))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("architecture", ["mlp", "conv", "residual", "linear"])
def test_the_same_seed_gives_the_same_figures(few, architecture):
    config = VAEConfig(architecture=architecture, latent_dim=4, hidden_dim=32)
    runs = [list(train(VAE(config, seeded()), few, plain(epochs=2, batch_size=32))) for _ in range(2)]
    assert list(map(figures, runs[0])) == list(map(figures, runs[1]))
    other = list(train(VAE(config, seeded()), few, plain(epochs=2, batch_size=32, seed=1)))
    assert figures(other[-1]) != figures(runs[0][-1])


def test_training_leaves_the_global_random_state_alone(few):
    model, before = VAE(SMALL, seeded()), torch.random.get_rng_state()
    list(train(model, few, plain(steps=3, batch_size=32)))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_training_that_went_on_ends_like_one_that_was_never_left(few):
    config = plain(epochs=4, batch_size=32, record_every=3)
    whole = VAE(SMALL, seeded())
    expected = list(train(whole, few, config))
    model = VAE(SMALL, seeded())
    state = TrainState.start(model)
    first = list(islice(train(model, few, config, state=state), 7))
    rest = list(train(model, few, config, state=state))
    assert list(map(figures, first + rest)) == list(map(figures, expected))
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


def test_beta_weighs_the_kl(few):
    last = {}
    for beta in (0.1, 10.0):
        *_, record = train(VAE(SMALL, seeded()), few, plain(epochs=12, batch_size=32, beta=beta))
        last[beta] = record
        assert record.beta == beta
        assert record.train.elbo == pytest.approx(record.train.reconstruction - record.train.kl, abs=1e-4)
    assert last[10.0].train.kl < 0.3 * last[0.1].train.kl


def test_free_bits_are_not_pressed_out(few):
    config = plain(epochs=40, batch_size=50, beta=50.0)
    *_, pressed = train(VAE(SMALL, seeded()), few, config)
    *_, free = train(VAE(SMALL, seeded()), few, dataclasses.replace(config, free_bits=0.8))
    assert max(pressed.kl_per_dim) < 0.3 and pressed.sigma is None
    assert min(free.kl_per_dim) > 0.45 and max(free.kl_per_dim) < 1.2


@pytest.mark.parametrize("mode", ["fixed", "learned", "optimal"])
def test_sigma(few, mode):
    model = VAE(VAEConfig(latent_dim=4, hidden_dim=32, likelihood="gaussian", sigma=0.5, sigma_mode=mode), seeded())
    *_, record = train(model, few, plain(epochs=150, batch_size=50, learning_rate=3e-3))
    sigma = model.log_sigma.exp().item()
    assert record.sigma == pytest.approx(sigma)
    x = few.train.float() / 255
    best = optimal_sigma(x, model.x_hat(model.encode(x)[0])).item()
    if mode == "fixed":
        assert sigma == pytest.approx(0.5)
    else:
        assert sigma == pytest.approx(best, rel=0.15) and sigma < 0.4
        assert record.train.elbo > 0  # a density: better than 784 log-densities of 0


def test_more_draws_are_taken(few, monkeypatch):
    seen = taken_batches(monkeypatch)
    record = next(train(VAE(SMALL, seeded()), few, plain(batch_size=32, samples=5)))
    assert seen[0][1].z.shape == (5, 32, 4) and record.samples == 5


def test_without_a_better_held_out_elbo_the_training_ends(few):
    config = plain(epochs=60, batch_size=50, learning_rate=0.02, patience=3)
    records = [record for record in train(VAE(SMALL, seeded()), few, config) if record.test]
    elbos = [record.test.elbo for record in records]
    best = elbos.index(max(elbos))
    assert 3 < len(elbos) < 60 and len(elbos) == best + 1 + 3
    waits = [n - max(range(n + 1), key=lambda k: (elbos[k], -k)) for n in range(len(elbos))]  # epochs since the best
    assert max(waits[:-1]) < 3 == waits[-1]
    without = dataclasses.replace(config, patience=0, epochs=len(elbos) + 2)
    more = [record.test.elbo for record in train(VAE(SMALL, seeded()), few, without) if record.test]
    assert more[: len(elbos)] == elbos and len(more) == len(elbos) + 2


def test_the_importance_weighted_bound_is_what_rises(few):
    reached = {}
    for objective in ("elbo", "importance-weighted"):
        model = VAE(SMALL, seeded())
        config = plain(epochs=60, batch_size=50, learning_rate=3e-3, samples=10, objective=objective)
        *_, record = train(model, few, config)
        reached[objective] = float(
            log_likelihood(model, binarized_for_evaluation(few.train, "dynamic"), 10, seeded(1)).mean()
        )
        assert record.train.elbo == pytest.approx(record.train.reconstruction - record.train.kl, abs=1e-4)
    assert reached["importance-weighted"] > reached["elbo"] + 0.3


def test_free_bits_are_refused_where_the_objective_has_no_kl():
    with pytest.raises(ValueError, match=r"^free_bits is 0.1; it must be 0 unless the objective is the ELBO\.$"):
        plain(free_bits=0.1, objective="importance-weighted")


def test_a_batch_larger_than_the_data_is_refused(few):
    with pytest.raises(ValueError, match="batch_size is 201; the training set has 200 images"):
        next(train(VAE(SMALL), few, plain(batch_size=201)))


def test_a_loss_that_is_not_finite_stops_the_training_at_its_step(few):
    model = VAE(VAEConfig(latent_dim=4, hidden_dim=32), seeded())
    records, config = [], plain(epochs=3, batch_size=50, record_every=2)
    with pytest.raises(DivergedError, match="became infinite or NaN at step 3;") as caught:
        for record in train(model, few, config):
            records.append(record)
            if record.step == 2:
                with torch.no_grad():
                    model.decoder[0].weight[0, 0] = float("nan")
    assert caught.value.step == 3 and records[-1].step == 2


def test_the_step_is_named_at_which_the_loss_was_not_finite_any_more_not_the_one_that_was_looked_at(few):
    model, config = VAE(SMALL, seeded()), plain(epochs=3, batch_size=50, record_every=100)
    taken = batches(model, few, config, state=TrainState.start(model))
    with pytest.raises(DivergedError) as caught:
        for step, _ in enumerate(taken, start=1):
            if step == 6:
                with torch.no_grad():
                    model.decoder[0].weight[0, 0] = float("nan")
    assert caught.value.step == 7  # the end of the second epoch, at step 8, has seen it


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("steps", 0),
        ("batch_size", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("beta", -1.0),
        ("warmup_steps", -1),
        ("free_bits", -0.1),
        ("samples", 0),
        ("seed", -1),
        ("record_every", 0),
        ("precision", "float16"),
        ("objective", "iwae"),
        ("gradient", "score"),
        ("schedule", "step"),
        ("learning_rate_warmup", -1),
        ("clip_norm", -1.0),
        ("average", 1.0),
        ("patience", -1),
    ],
)
def test_configuration_names_field_value_and_bounds(field, value):
    with pytest.raises(ValueError, match=f"^{field} is .*; it must be ") as caught:
        TrainConfig(**{field: value})
    assert (repr(value) if value is not None else "empty") in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_on_a_gpu_reaches_what_the_cpu_reaches(digits):
    config = plain(epochs=5, batch_size=64)
    last = {}
    for device in ("cpu", "cuda"):
        *_, last[device] = train(VAE(SMALL, seeded()), digits, config, device)
    assert last["cuda"].test.elbo == pytest.approx(last["cpu"].test.elbo, rel=0.03)


@pytest.mark.parametrize("patience", [0, 2])
def test_the_other_processes_are_told_when_no_batch_is_to_come(few, patience):
    told = []

    class First(Processes):
        def end(self):
            told.append("end")

    config = plain(epochs=30, batch_size=100, learning_rate=0.05, patience=patience)
    state = TrainState.start(model := VAE(SMALL, seeded()))
    for _ in batches(model, few, config, state=state, processes=First()):
        pass
    assert (state.step < 60) == bool(patience)
    assert told == (["end"] if patience else [])  # where all steps are done, they know


def test_on_a_gpu_records_come_at_most_twenty_times_a_second_and_ten_minutes_of_them_are_small():
    gpu, moments, now = torch.device("cuda"), [], 0.0
    while now < 600:
        now += least_interval(now, gpu)
        moments.append(now)
    assert sum(moment <= 1 for moment in moments) <= 40
    terms = Terms(-103.47123456789012, -77.12345678901234, 26.34567890123456)
    kl = [1.317284] * 20
    record = Metrics(2**20, 1999.123456789, 10**8, 599.123456789, 1e6, terms, terms, kl, 20, 0.01, 1.0, 1, None, "tf32")
    ends_of_epochs = 600 / 0.06
    assert (len(moments) + ends_of_epochs) * len(json.dumps(dataclasses.asdict(record))) < 10e6
    assert least_interval(10.0, torch.device("cpu")) == 0.0


def test_a_gpus_training_records_by_time_and_at_the_end_of_every_epoch(few, monkeypatch):
    """20 batches an epoch, in blocks of 16 steps; each stride takes a hundredth of a second by the clock."""
    module, ticks = loop, itertools.count()
    monkeypatch.setattr(module, "block_of", lambda device, batch_size: 16)
    monkeypatch.setattr(module, "least_interval", lambda seconds, device: 0.05)
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(ticks) / 200)
    records = list(train(VAE(SMALL, seeded()), few, plain(epochs=9, batch_size=10, record_every=1)))
    steps = [record.step for record in records]
    assert steps[0] == 1 and set(range(20, 181, 20)) <= set(steps) and len(steps) < 9 * 3
    assert [record.step for record in records if record.test] == list(range(20, 181, 20))
    gaps = [later.seconds - earlier.seconds for earlier, later in pairwise(records) if later.step % 20]
    assert all(gap >= 0.05 for gap in gaps)


def test_a_record_that_is_wanted_comes_after_the_next_step(few, monkeypatch):
    monkeypatch.setattr(loop, "block_of", lambda device, batch_size: 16)
    state = TrainState.start(model := VAE(SMALL, seeded()))
    training = batches(model, few, plain(epochs=9, batch_size=10, record_every=1000), state=state)
    next(training)
    assert next(training) is None and state.step == 16
    state.wants_record = True
    assert next(training).step == state.step == 17 and not state.wants_record
    assert next(training).step == 20  # the end of the epoch


def test_deep_models_learn_at_a_smaller_rate():
    rate = TrainConfig().learning_rate
    for config in (VAEConfig(), VAEConfig(architecture="conv"), VAEConfig(architecture="linear", hidden_layers=3)):
        assert usual_learning_rate(config) == rate
    for config in (VAEConfig(hidden_layers=2), VAEConfig(architecture="residual")):
        assert usual_learning_rate(config) == rate / 4
