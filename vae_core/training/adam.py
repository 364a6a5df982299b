"""Adam, by torch's fused kernel and without the Python that torch.optim runs at every step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # torch.optim.Adam's defaults
NEGLIGIBLE = 1e-30  # a moment below it moves no weight: its root is far below EPSILON
TENSORS_A_LAUNCH = 36  # the limit of torch 2.11's fused kernel; later versions take more
CHUNK = 2**16  # elements of a tensor that one thread block processes, one after another


class Adam:
    """Adam's moments and its step; it reads the gradients from the parameters' `grad`.

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
        self._on_cpu = device.type == "cpu"
        self._all = self.part(self._parameters)

    def part(self, parameters: Iterable[nn.Parameter]) -> Part:
        """Some of the parameters, to be updated separately from the others."""
        chosen = {id(parameter) for parameter in parameters}
        places = [n for n, parameter in enumerate(self._parameters) if id(parameter) in chosen]
        mine = [self._parameters[n] for n in places]
        means = [self.means[n] for n in places]
        squares = [self.squares[n] for n in places]
        size = 0 if self._on_cpu else piece_size([parameter.numel() for parameter in mine])
        return Part(mine, means, squares, self._count, size)

    @torch.no_grad()
    def begin_step(self) -> None:
        """Counts a step; its parts are updated after that."""
        self._count += 1

    def step(self, learning_rate: Tensor) -> None:
        """Updates every parameter.

        Args:
            learning_rate: a scalar on the device, so that a captured CUDA graph reads its current value.
        """
        self.begin_step()
        self._all.move(learning_rate)

    @torch.no_grad()
    def drop_negligible(self) -> None:
        """Sets moments too small to move a weight to 0; on a CPU only, where they cost time.

        The moments of a weight that no longer gets a gradient (a pixel that is black in nearly every image, a dead
        unit) shrink by a tenth per step until they are subnormal in float32, and stay there. A CPU takes a hundred
        times as long for subnormals: after two epochs of MNIST, Adam took 4 to 9 times as long.
        """
        if self._on_cpu:
            for moments in (*self.means, *self.squares):
                moments[moments.abs() < NEGLIGIBLE] = 0.0

    def state(self) -> dict[str, Tensor]:
        """The tensors needed to resume exactly, by name."""
        means = {f"mean.{name}": mean for name, mean in zip(self._names, self.means, strict=True)}
        squares = {f"square.{name}": square for name, square in zip(self._names, self.squares, strict=True)}
        return means | squares | {"count": self._count}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restores what `state` returned.

        Raises:
            KeyError: something is missing.
            RuntimeError: a shape does not fit.
        """
        for name, mine in self.state().items():
            if mine.shape != state[name].shape:
                raise RuntimeError(f"adam.{name} has the shape {tuple(state[name].shape)}, not {tuple(mine.shape)}")
            mine.copy_(state[name])


class Part:
    """Parameters that are updated together, in one launch of the fused kernel if possible.

    On a GPU each tensor is cut into pieces of `size`: the kernel gives each thread block 65,536 elements, so an MLP of
    650,000 weights would keep only 16 of an H100's 132 multiprocessors busy, for 83 µs; in 32 pieces it takes 17 µs.
    """

    def __init__(
        self,
        parameters: list[nn.Parameter],
        means: list[Tensor],
        squares: list[Tensor],
        count: Tensor,
        size: int,
    ) -> None:
        self._parameters = parameters
        self._size = size
        self._pieces = [self._cut(tensors) for tensors in (parameters, means, squares)]
        self._counts = [count] * len(self._pieces[0])

    @torch.no_grad()
    def move(self, learning_rate: Tensor) -> None:
        """Updates these parameters, after `Adam.begin_step`."""
        parameters, means, squares = self._pieces
        torch._fused_adam_(
            parameters,
            self._cut([gradient_of(parameter) for parameter in self._parameters]),
            means,
            squares,
            [],
            self._counts,
            lr=learning_rate,
            beta1=BETA1,
            beta2=BETA2,
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def _cut(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Cuts the tensors in memory order, which is the same for parameter, moments and gradient."""
        if not self._size:
            return list(tensors)
        flat = (tensor.detach().as_strided((tensor.numel(),), (1,)) for tensor in tensors)
        return [piece for tensor in flat for piece in tensor.split(self._size)]


def gradient_of(parameter: Tensor) -> Tensor:
    """The gradient of a parameter that has one."""
    assert parameter.grad is not None
    return parameter.grad


def piece_size(sizes: Sequence[int], at_most: int = TENSORS_A_LAUNCH) -> int:
    """The smallest multiple of 2,048 that cuts tensors of these sizes into up to `at_most` pieces; 0: leave them whole.

    A second launch costs 14 µs, as much as the whole step of a small model.
    """
    candidates = range(2048, CHUNK, 2048)
    return next((size for size in candidates if sum(-(-n // size) for n in sizes) <= at_most), 0)
