"""The schedules of the learning rate and of the KL's weight."""

from __future__ import annotations

import math

from ..config import TrainConfig


def beta_at(config: TrainConfig, step: int) -> float:
    """The weight of the KL at a step, counted from 1: linear over the warm-up, then beta."""
    return config.beta * min(1.0, step / config.warmup_steps) if config.warmup_steps else config.beta


def learning_rate_at(config: TrainConfig, step: int, total: int) -> float:
    """The learning rate at a step of `total`, counted from 1.

    It rises linearly over its own warm-up, which takes at most a tenth of the training, and then stays, or falls as
    half a cosine: r/2 (1 + cos(π t)), with t the fraction of the steps after the warm-up that are done. The last step
    then has a small rate, not 0.

    Source: Loshchilov & Hutter (2017), arXiv:1608.03983, eq. 5, without restarts.
    """
    warmup = min(config.learning_rate_warmup, total // 10)
    if step <= warmup:
        return config.learning_rate * step / warmup
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - 1 - warmup) / max(1, total - warmup)
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))
