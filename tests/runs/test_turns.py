"""Trainings in turns: who is next, for how long, and that no turn changes a result."""

import contextlib
import itertools
import math
import threading

import pytest

from vae_core.runs import turns
from vae_core.runs.server import Runs
from vae_core.runs.turns import Turns

from ..conftest import plain
from .conftest import LONG, going, is_in, reached, wait_for
from .test_run import CPU, MODEL, assert_same_end, began, figures, go_on

STEP = 0.01  # seconds of a batch, by the clock of a test


class Clock:
    """Seconds that pass only while somebody trains."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Trainings:
    """Trainings that take batches in threads, by a clock that moves only once all others wait for their turn.

    log: the turns in their order, as [number of the training, batches].
    """

    def __init__(self):
        self.clock = Clock()
        self.shared = Turns(1, self.clock)
        self.log = []
        self.places = []
        self.threads = []

    def come(self, end):
        """One more takes batches until the clock says so."""
        self.places.append(self.shared.join())
        self.threads.append(threading.Thread(target=self._take, args=(len(self.places) - 1, end)))

    def _take(self, number, end):
        turn = self.places[number]
        while turn.hold() and self.clock.now < end:
            wait_for(lambda: all(it is turn or it.is_waiting for it in self.shared._members))
            if not self.log or self.log[-1][0] != number:
                self.log.append([number, 0])
            self.log[-1][1] += 1
            self.clock.now += STEP
        turn.leave()

    def go(self):
        """Lets those that have come begin, and waits until all are through."""
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads) and len(self.shared) == 0

    def had(self):
        """The seconds that each has had."""
        return [sum(count for number, count in self.log if number == mine) * STEP for mine in range(len(self.places))]


def trained(count, seconds):
    """So many trainings that have shared a device for so long."""
    trainings = Trainings()
    for _ in range(count):
        trainings.come(seconds)
    trainings.go()
    return trainings


def test_one_alone_keeps_its_turn():
    assert trained(1, 30.0).log == [[0, 3000]]


def test_few_have_long_turns_one_after_the_other():
    trainings = trained(3, 30.0)
    first, later = trainings.log[:2], trainings.log[2:-1]
    assert [count * STEP for _, count in first] == pytest.approx([turns.SHORTEST] * 2, abs=1.5 * STEP)  # others are new
    assert [count * STEP for _, count in later] == pytest.approx([turns.LONGEST] * len(later), abs=1.5 * STEP)
    assert max(trainings.had()) - min(trainings.had()) <= turns.LONGEST + STEP


def test_forty_are_alike_within_a_fifth_after_a_minute():
    trainings = trained(40, 60.0)
    first = trainings.log[:40]
    assert sorted(number for number, _ in first) == list(range(40))  # everybody moves before anybody moves again
    assert sum(count for _, count in first) * STEP <= turns.ROUND + 40 * 1.5 * STEP
    assert min(trainings.had()) >= 0.8 * max(trainings.had())


def ordered(places):
    """In which order these have their turns, at the hundredth second."""
    return sorted(places, key=lambda turn: turn.order(100.0))


def test_who_comes_late_is_next_and_has_no_more_than_its_share():
    shared = Turns(1)
    others = [shared.join() for _ in range(3)]
    for turn, had in zip(others, (7.0, 8.0, 6.0), strict=True):
        turn.had, turn.is_new = had, False
    late = shared.join()
    assert late.had == 6.0 - turns.CREDIT  # the others do not wait until it has had as much as they
    assert ordered([*others, late]) == [late, others[2], others[0], others[1]]
    late.is_new = False
    assert ordered([*others, late]) == [late, others[2], others[0], others[1]]
    others[1].waits_since = 100.0 - turns.PATIENCE
    assert ordered([*others, late]) == [others[1], late, others[2], others[0]]
    assert shared.join().had == 4.0 - turns.CREDIT and Turns(1).join().had == 0.0


def test_nobody_trains_while_all_are_halted():
    clock = Clock()
    shared = Turns(2, clock)
    places = [shared.join() for _ in range(3)]
    ticks, is_over = itertools.count(), threading.Event()
    seen = [0]

    def take(turn):
        while not is_over.is_set():
            turn.hold()
            seen[0] = next(ticks)
        turn.leave()

    threads = [threading.Thread(target=take, args=(turn,)) for turn in places]
    for thread in threads:
        thread.start()
    wait_for(lambda: seen[0] > 100)
    shared.halt(True)
    wait_for(lambda: all(turn.is_waiting for turn in places))
    at = seen[0]
    for turn in places:  # one who is to end takes its last batch all the same
        assert turn.began is None
    places[0].hurry()
    wait_for(lambda: seen[0] > at)
    is_over.set()
    shared.halt(False)
    for thread in threads:
        thread.join(20)
    assert len(shared) == 0


@pytest.fixture
def short(monkeypatch):
    """Turns of a few batches; who is put away comes back after as little."""
    for name, seconds in (("ROUND", 0.02), ("SHORTEST", 0.005), ("LONGEST", 0.01), ("AHEAD", 0.01)):
        monkeypatch.setattr(turns, name, seconds)


@pytest.fixture
def brisk(monkeypatch):
    """Turns of a tenth of a second."""
    monkeypatch.setattr(turns, "SHORTEST", 0.1)
    monkeypatch.setattr(turns, "LONGEST", 0.1)


def undisturbed(tmp_path, few, config):
    """The folder of a training that had the machine for itself, and its records."""
    folder = began(tmp_path / "alone", config)
    _, records = go_on(folder, few)
    return folder, records


@pytest.mark.parametrize("in_memory", [8, 2, 1])
def test_turns_leave_every_result_bit_for_bit_as_it_is(tmp_path, few, load, short, in_memory):
    config = plain(epochs=30, batch_size=50, record_every=3)
    alone, records = undisturbed(tmp_path, few, config)
    with contextlib.closing(Runs(tmp_path / "runs", CPU, 1, in_memory)) as runs:
        started = [runs.start(MODEL, config, "digits", load, f"{n}") for n in range(5)]
        for run in started:
            reached(runs, run, "finished")
            wait_for(lambda run=run: run not in runs.queue.trainings)
    for run in started:
        assert_same_end(runs.folder(run), alone)
        assert figures(runs.folder(run).records()) == figures(records)


def test_whoever_presses_train_sees_it_move_while_others_train(brisk, runs, load):
    first = going(runs, load, "a")
    others = [going(runs, load, owner) for owner in "bcd"]  # each has records within the time of a wait
    for run in (first, *others):
        assert runs.status(run) == {"state": "running", "message": "4 trainings share this server, in turns."}
        wait_for(lambda run=run: runs.queue.left(run) is not None)
    alone = runs.queue.trainings[first].left
    assert 2 * alone < runs.queue.left(first) < 5 * alone
    step = runs.folder(first).records()[-1]["step"]
    wait_for(lambda: runs.folder(first).records()[-1]["step"] > step)
    for run, owner in zip(others, "bcd", strict=True):
        runs.stop(run, owner)
        reached(runs, run, "stopped")
    wait_for(lambda: runs.status(first)["message"] == "")


def test_one_that_waits_for_its_turn_pauses_at_once_and_changes_with_its_next_batch(brisk, runs, load, monkeypatch):
    first, second = going(runs, load, "a"), going(runs, load, "b")
    monkeypatch.setattr(turns, "LONGEST", math.inf)  # one of them has its turn for good now
    monkeypatch.setattr(turns, "ROUND", math.inf)
    turn = {run: runs.queue.trainings[run].turn for run in (first, second)}
    waiting = next(run for run in (first, second) if turn[run].is_waiting)
    owner = "a" if waiting == first else "b"
    runs.change(waiting, owner, {"beta": 3.0})
    runs.pause(waiting, owner)
    reached(runs, waiting, "paused")
    assert runs.folder(waiting).records()[-1]["beta"] == 3.0


def test_one_that_is_put_away_pauses_and_stops_complete(tmp_path, load, short):
    with contextlib.closing(Runs(tmp_path, CPU, 1, in_memory=1)) as runs:
        started = {owner: runs.start(MODEL, LONG, "digits", load, owner) for owner in "abcd"}
        for run in started.values():
            wait_for(lambda run=run: len(runs.folder(run).records()) > 5)
        for owner, run in started.items():
            assert is_in(runs, run, "running")
            (runs.pause if owner in "ab" else runs.stop)(run, owner)
            reached(runs, run, "paused" if owner in "ab" else "stopped")
            assert runs.folder(run).records()[-1]["step"] == runs.folder(run).saved_step()
        wait_for(lambda: not runs.queue.trainings)


def test_closing_pauses_those_in_memory_and_those_that_are_put_away(tmp_path, load, short):
    with contextlib.closing(Runs(tmp_path, CPU, 1, in_memory=2)) as runs:
        started = [runs.start(MODEL, LONG, "digits", load, owner) for owner in "abcde"]
        for run in started:
            wait_for(lambda run=run: len(runs.folder(run).records()) > 5)
    assert {runs.status(run)["state"] for run in started} == {"paused"}
    assert all(runs.folder(run).records()[-1]["step"] == runs.folder(run).saved_step() for run in started)


def test_a_sweep_of_one_has_one_turn_and_others_have_theirs(brisk, runs, load):
    mine = runs.start_sweep([(MODEL, LONG)] * 3, "digits", load, "anna")
    other = going(runs, load, "bert")
    reached(runs, mine[0], "running")
    assert [runs.status(run)["message"] for run in mine[1:]] == ["You are next", "1 before you"]
    runs.stop(mine[0], "anna")
    reached(runs, mine[1], "running")
    assert is_in(runs, other, "running") and is_in(runs, mine[2], "waiting")
