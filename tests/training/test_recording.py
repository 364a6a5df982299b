"""Recordings of several trainings, with stand-ins for CUDA: who waits for whom, and what a failure leaves."""

import threading

import torch

from vae_core.training.recording import Branches, Recordings

CPU = torch.device("cpu")


def test_a_recording_keeps_the_replays_of_others_out(monkeypatch):
    """torch 2.11 refuses to replay a graph while another thread records: two trainings begin beside two that go on."""
    lock, is_recording, refused = threading.RLock(), threading.Event(), []
    monkeypatch.setattr("vae_core.training.recording.launching", lambda device: lock)

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
                recordings.run(key, lambda: None)

    threads = [threading.Thread(target=train, args=(Recordings(CPU, "float32"), range(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not refused


def test_work_is_done_as_it_comes_then_recorded_then_replayed(monkeypatch):
    done = []

    class Graph:
        def __init__(self, work) -> None:
            self.replay = work

    def captured(self, work) -> Graph:
        done.append("recorded")
        return Graph(work)

    monkeypatch.setattr(Recordings, "_captured", captured)
    monkeypatch.setattr(Recordings, "refusal", "")
    recordings = Recordings(CPU, "float32")
    for _ in range(3):
        for key in "ab":
            recordings.run(key, lambda key=key: done.append(key))
    assert done == ["a", "b", "recorded", "a", "recorded", "b", "a", "b"]
    recordings.close()
    assert not recordings._graphs


def test_without_a_gpu_branches_are_the_same_thread_of_work():
    branches, done = Branches(CPU), []
    with branches.beside(0):
        done.append("beside")
    branches.join(0)
    assert done == ["beside"]
