"""Adam, by torch's fused kernel and without the Python that torch.optim runs at every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # torch.optim.Adam's defaults
NEGLIGIBLE = 1e-30  # a moment below it moves no weight: its root is far below EPSILON


class Adam:
    """Adam's moments, and the step that they make; gradients are those in the parameters' `grad`.

    Args:
        model: on the device where it trains.

    Source: Kingma & Ba (2015), arXiv:1412.6980, algorithm 1.
    """

    def __init__(self, model: nn.Module) -> None:
        named = dict(model.named_parameters())
        self._parameters = list(named.values())
        self._names = list(named)
        self.means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        device = self._parameters[0].device
        self._count = torch.zeros((), device=device)  # steps taken
        self._counts = [self._count] * len(self._parameters)
        self._learning_rate = torch.zeros((), device=device)
        self._set = 0.0
        self._on_cpu = device.type == "cpu"

    def set_learning_rate(self, value: float) -> None:
        """The learning rate of the steps to come, also of those that a CUDA graph replays."""
        if value != self._set:
            self._set = value
            self._learning_rate.fill_(value)

    @torch.no_grad()
    def step(self) -> None:
        """Moves every parameter."""
        self._count += 1
        torch._fused_adam_(
            self._parameters,
            [parameter.grad for parameter in self._parameters],
            self.means,
            self.squares,
            [],
            self._counts,
            lr=self._learning_rate,
            beta1=BETA1,
            beta2=BETA2,
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    @torch.no_grad()
    def drop_negligible(self) -> None:
        """Sets moments to 0 that have become too small to move a weight; on a CPU only, where they cost time.

        The moments of a weight that gets no gradient any more (a pixel that is black in nearly every image, a dead
        unit) shrink by a tenth a step until float32 holds them as subnormal numbers, and there they stay. A CPU takes
        a hundred times as long for those: after two epochs of MNIST, Adam was seen to take 4 to 9 times as long.
        """
        if self._on_cpu:
            for moments in (*self.means, *self.squares):
                moments[moments.abs() < NEGLIGIBLE] = 0.0

    def state(self) -> dict[str, Tensor]:
        """What must be kept to go on exactly, by name."""
        means = {f"mean.{name}": mean for name, mean in zip(self._names, self.means, strict=True)}
        squares = {f"square.{name}": square for name, square in zip(self._names, self.squares, strict=True)}
        return means | squares | {"count": self._count}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Takes back what `state` gave.

        Raises:
            KeyError: something is missing.
            RuntimeError: a shape does not fit.
        """
        for name, mine in self.state().items():
            if mine.shape != state[name].shape:
                raise RuntimeError(f"adam.{name} has the shape {tuple(state[name].shape)}, not {tuple(mine.shape)}")
            mine.copy_(state[name])
