"""Set-ups to start from."""

from types import SimpleNamespace

import torch

from ui.presets import PRESETS, Durations, seconds_of
from vae_core.config import TrainConfig, VAEConfig


def test_each_is_a_set_up_of_its_own_that_the_core_takes():
    configs = [preset.configs() for preset in PRESETS]
    assert len({str(each) for each in configs}) == len({preset.title for preset in PRESETS}) == len(PRESETS) == 6
    for preset, (model, training) in zip(PRESETS, configs, strict=True):
        of_both = vars(model) | vars(training)
        assert all(of_both[name] == value for name, value in preset.settings.items())
        assert preset.settings.keys() <= vars(VAEConfig()).keys() | vars(TrainConfig()).keys()


def test_a_duration_is_that_of_all_steps(monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("ui.presets.time", SimpleNamespace(perf_counter=lambda: next(clock)))  # a step takes a second
    first = next(preset for preset in PRESETS if preset.title == "First look")
    assert seconds_of(first, torch.device("cpu")) == 3 * 235


def test_durations_come_one_after_another_and_end_when_asked(monkeypatch):
    measured = []

    def of(preset, device):
        measured.append(preset.title)
        if len(measured) == 2:
            durations.close()
        return 1.5

    monkeypatch.setattr("ui.presets.seconds_of", of)
    durations = Durations(torch.device("cpu"))
    assert [each["seconds"] for each in durations.offered()] == [None] * 6
    monkeypatch.setattr(durations._thread, "is_alive", lambda: False)  # it would wait for itself here
    durations.begin()
    durations._thread.join(20)
    assert [each["seconds"] for each in durations.offered()] == [1.5, 1.5, None, None, None, None]
    assert measured == ["First look", "2-D map"]
