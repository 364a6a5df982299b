"""How often browsers are told to ask: by a clock of the test's own."""

import heapq

import pytest

from ui.web.pace import FASTEST, GONE, SLOWEST, Pace

LATE = 0.02  # seconds that a question takes to arrive

A_SECOND = 6.0


def watched(pace, watchers, start, end):
    """Watchers who each ask when they are told to: all that they were told, as (moment, ms)."""
    told = []
    due = [(start + 0.01 * watcher, watcher) for watcher in range(watchers)]
    heapq.heapify(due)
    while due[0][0] < end:
        now, watcher = heapq.heappop(due)
        told.append((now, pace.wait(now)))
        heapq.heappush(due, (now + told[-1][1] / 1000 + LATE, watcher))
    return told


def test_one_watcher_asks_four_times_a_second():
    assert {wait for _, wait in watched(Pace(A_SECOND), 1, 0, 60)} == {FASTEST} == {250}


def test_two_watchers_ask_three_times_a_second_each():
    assert {wait for now, wait in watched(Pace(A_SECOND), 2, 0, 60) if now > 1} <= {FASTEST, 333}


@pytest.mark.parametrize("watchers", [8, 30, 60])
def test_many_watchers_together_ask_as_often_as_the_server_takes(watchers):
    told = watched(Pace(A_SECOND), watchers, 0, 120)
    questions = [now for now, _ in told if now > 60]
    assert len(questions) / 60 == pytest.approx(A_SECOND, rel=0.15)
    assert all(wait == pytest.approx(1000 * watchers / A_SECOND, rel=0.2) for now, wait in told if now > 60)


def test_no_watcher_waits_for_longer_than_ten_seconds():
    told = watched(Pace(A_SECOND), 200, 0, 60)
    assert max(wait for _, wait in told) == SLOWEST


def test_the_one_who_stays_is_told_250_again():
    pace = Pace(A_SECOND)
    crowd = watched(pace, 30, 0, 60)
    assert crowd[-1][1] > 3000
    alone = watched(pace, 1, 60, 90)
    settled = 30 / A_SECOND + GONE  # all the others were due, and did not come
    assert {wait for now, wait in alone if now > 60 + settled + crowd[-1][1] / 1000} == {FASTEST}
    assert alone[-1][1] == FASTEST
