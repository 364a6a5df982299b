"""Recordings of several trainings, with stand-ins for CUDA: who waits for whom, and what a failure leaves."""

import threading

import pytest
import torch

from vae_core.recording import Branches, Recordings, Turns

CPU = torch.device("cpu")


def test_many_share_a_turn_and_one_has_it_alone():
    turns, log, inside = Turns(), [], threading.Barrier(3)
    go, is_in = threading.Event(), threading.Event()

    def share() -> None:
        with turns.shared():
            inside.wait(10)  # all three are in at once
            go.wait(10)
            log.append("shared")

    def take() -> None:
        with turns.alone():
            log.append("alone")
            is_in.set()

    sharing = [threading.Thread(target=share) for _ in range(2)]
    for thread in sharing:
        thread.start()
    inside.wait(10)
    alone = threading.Thread(target=take)
    alone.start()
    assert not is_in.wait(0.05)
    go.set()
    for thread in (*sharing, alone):
        thread.join(10)
    assert log == ["shared", "shared", "alone"]


def test_who_comes_while_one_has_it_alone_waits_and_an_error_gives_it_back():
    turns, log = Turns(), []

    def share() -> None:
        with turns.shared():
            log.append("shared")

    with pytest.raises(ValueError, match="in there"), turns.alone():
        waiting = threading.Thread(target=share)
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive() and not log
        raise ValueError("in there")
    waiting.join(10)
    assert log == ["shared"]
    with turns.alone():
        log.append("alone")
    assert log == ["shared", "alone"]


def test_a_recording_keeps_the_replays_of_others_out(monkeypatch):
    """torch 2.11 refuses to replay a graph while another thread records: two trainings begin beside two that go on."""
    is_recording, refused, threads = threading.Event(), [], []

    class Graph:
        def replay(self) -> None:
            if is_recording.is_set():
                refused.append("Offset increment outside graph capture encountered unexpectedly.")

    def captured(self, work) -> Graph:
        is_recording.set()
        threading.Event().wait(0.005)
        is_recording.clear()
        return Graph()

    monkeypatch.setattr(Recordings, "_captured", captured)
    monkeypatch.setattr(Recordings, "refusal", "")

    def train(recordings: Recordings, keys: range) -> None:
        for key in keys:
            for _ in range(20):
                recordings.run([(key, lambda: None)])

    threads = [threading.Thread(target=train, args=(Recordings(CPU, "float32"), range(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not refused


def test_all_of_a_stride_are_replayed_in_order_once_they_are_recorded(monkeypatch):
    done = []

    class Graph:
        def __init__(self, work) -> None:
            self.replay = work

    monkeypatch.setattr(Recordings, "_captured", lambda self, work: Graph(work))
    monkeypatch.setattr(Recordings, "refusal", "")
    recordings = Recordings(CPU, "float32")
    works = [(number, lambda number=number: done.append(number)) for number in range(3)]
    for _ in range(4):
        recordings.run(works)
    assert done == [0, 1, 2] * 4
    assert len(recordings._graphs) == 3
    recordings.close()
    assert not recordings._graphs


def test_without_a_gpu_branches_are_the_same_thread_of_work():
    branches, done = Branches(CPU), []
    with branches.beside(0):
        done.append("beside")
    branches.join(0)
    assert done == ["beside"]
