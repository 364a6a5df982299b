"""The exponential moving average of a model's weights, a better model than the weights of the last step."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ..model import VAE

EVERY = 16  # most steps between two updates: as good as an update after every step, at a sixteenth of the cost
WARM_UP = 10  # steps: the decay after t steps is at most (1 + t) / (WARM_UP + t), so that the beginning is forgotten


class Average:
    """θ̄ ← d θ̄ + (1 − d) θ per step, applied every n steps as θ̄ ← dⁿ θ̄ + (1 − dⁿ) θ; `model` has the weights θ̄.

    Args:
        model: on the device where it trains; the average starts from its weights.

    Source: Polyak & Juditsky (1992); the decay's own warm-up is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, model: VAE) -> None:
        self.model = copy.deepcopy(model).eval()
        self._mine = [parameter.detach() for parameter in self.model.parameters()]
        self._theirs = [parameter.detach() for parameter in model.parameters()]
        self._buffers = list(zip(self.model.buffers(), model.buffers(), strict=True))

    @torch.no_grad()
    def update(self, decay: float, step: int, per_epoch: int) -> None:
        """Averages in the weights after `step` steps, counted from 1; a σ that is not a parameter is copied.

        It does so every `EVERY` steps of an epoch and at its end, in time for the evaluation; during the first `EVERY`
        steps of the training it copies the weights.

        Args:
            decay: d, in [0, 1).
            step: steps taken.
            per_epoch: steps of an epoch.
        """
        of_epoch = (step - 1) % per_epoch + 1
        if step <= EVERY:
            torch._foreach_copy_(self._mine, self._theirs)
        elif of_epoch % EVERY == 0 or of_epoch == per_epoch:
            since = (of_epoch - 1) % EVERY + 1
            share = 1.0 - min(decay, (1 + step) / (WARM_UP + step)) ** since
            torch._foreach_lerp_(self._mine, self._theirs, share)
        for mine, theirs in self._buffers:
            mine.copy_(theirs)

    def state(self) -> dict[str, Tensor]:
        """The tensors needed to resume exactly, by name."""
        return self.model.state_dict()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restores what `state` returned.

        Raises:
            RuntimeError: something is missing, or a shape does not fit.
        """
        self.model.load_state_dict(state)
