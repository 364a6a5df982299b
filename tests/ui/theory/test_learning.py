"""What the cards on learning claim, held against the recordings that they play."""

from statistics import fmean

import pytest

from checkpoints.lessons import HERE, LESSONS
from ui.theory.learning import CARDS
from ui.vocabulary import ASLEEP
from vae_core.runs.folder import RunFolder

BREAK = next(card for card in CARDS if card.name == "break")


def of(name):
    """The records of a lesson, as −reconstruction, KL and the KL of each dimension in nats per training image."""
    return [
        (-record["train"]["reconstruction"], record["train"]["kl"], record["kl_per_dim"])
        for record in RunFolder(HERE / name).records()
    ]


PLAIN, PLAIN_KL, PLAIN_DIMS = of("plain")[-1]


SAID = {
    "β = 0": {"beta": 0.0},
    "β = 10": {"beta": 10.0},
    "σ = 0.01": {"sigma": 0.01, "sigma_mode": "fixed"},
    "z detached": {"gradient": "detached"},
    "one dimension": {"latent_dim": 1},
    "no hidden layers": {"architecture": "linear"},
    "prior at 10": {"prior_mean": 10.0},
}  # what is different of a training by what the button says


def test_each_way_is_a_recording_that_differs_from_the_usual_one_in_what_its_title_says():
    assert len(BREAK.ways) == len(SAID)
    for way in BREAK.ways:
        own, usual = (LESSONS[name].config() for name in (way.lesson, way.against))
        of_own, of_usual = (vars(config.model) | vars(config.training) for config in (own, usual))
        assert {name: of_own[name] for name in of_own if of_own[name] != of_usual[name]} == SAID[way.title]
        assert own.data == usual.data
    assert LESSONS["mean"].settings == {"beta": 784.0} and LESSONS["plain"].settings == {}


def test_with_the_mean_the_kl_vanishes_and_the_loss_is_lower_all_the_same():
    reconstruction, kl, dims = of("mean")[-1]
    assert kl < 0.01 and max(dims) < ASLEEP and reconstruction == pytest.approx(206, abs=3)
    assert reconstruction - 90 > PLAIN + PLAIN_KL
    assert reconstruction / 784 + kl < PLAIN / 784 + PLAIN_KL
    assert 784 * 18 == 14_112 and round(PLAIN_KL) == 18  # as the example says


def test_without_a_price_the_copies_are_better_and_the_kl_is_ten_times_as_large():
    reconstruction, kl, _ = of("beta-0")[-1]
    assert reconstruction < PLAIN - 5 and kl > 8 * PLAIN_KL


def test_at_a_high_price_some_dimensions_fall_asleep_and_others_do_not():
    reconstruction, kl, dims = of("beta-10")[-1]
    awake = sum(it >= ASLEEP for it in dims)
    assert 1 <= awake <= 8 and reconstruction > PLAIN + 40 and kl < PLAIN_KL / 4


def test_a_tiny_sigma_costs_far_more_and_makes_the_kl_larger():
    (reconstruction, kl, _), (usual, usual_kl, _) = of("tiny-sigma")[-1], of("gaussian")[-1]
    assert reconstruction > 10_000 > usual and kl > 1.5 * usual_kl


def test_a_detached_z_leaves_only_the_prior_and_the_loss_falls_all_the_same():
    (first, first_kl, _), (last, last_kl, dims) = of("detached")[0], of("detached")[-1]
    assert max(dims) < ASLEEP and last + last_kl < first + first_kl - 1
    assert last == pytest.approx(of("mean")[-1][0], abs=0.5)  # the same blur


def test_one_dimension_carries_more_than_any_of_ten():
    reconstruction, kl, dims = of("one-dimension")[-1]
    assert len(dims) == 1 and dims[0] > max(PLAIN_DIMS) and kl < PLAIN_KL and reconstruction > PLAIN + 50


def test_without_hidden_layers_all_dimensions_are_used_and_many_nats_are_lost():
    reconstruction, _, dims = of("linear")[-1]
    assert min(dims) > ASLEEP and reconstruction > PLAIN + 20


def test_the_codes_move_to_a_far_prior():
    first, last = of("far-prior")[0], of("far-prior")[-1]
    assert fmean(first[2]) == pytest.approx(50, abs=1.5)  # (10 − 0)² / 2
    assert last[1] == pytest.approx(PLAIN_KL, abs=2) and last[0] + last[1] - PLAIN - PLAIN_KL == pytest.approx(
        10, abs=2.5
    )


@pytest.mark.parametrize("way", BREAK.ways, ids=lambda way: way.lesson)
def test_a_way_asks_in_few_words(way):
    assert way.question.text.endswith("?") and len(way.question.because.split()) <= 50
