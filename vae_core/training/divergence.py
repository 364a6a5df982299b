"""How a training diverges, and what is at fault, as far as that is known."""

from __future__ import annotations

from torch import Tensor

from ..model import VAE

SMALL = 1e-3  # of σ and of the prior's standard deviation: below it squares of what is divided by them overflow soon


class DivergedError(RuntimeError):
    """The loss or the weights became infinite or NaN. step: the first step at which they did."""

    def __init__(self, step: int, what: str, cause: str) -> None:
        super().__init__(f"{what} became infinite or NaN at step {step}; {cause}.")
        self.step = step


def diverged(model: VAE, step: int, terms: Tensor | None) -> DivergedError:
    """The error of a step, with the likeliest cause.

    Args:
        model: that diverged.
        step: from 1 on.
        terms: (1 + D,) nats, the step's reconstruction and KL of each dimension; None if only the weights are at fault.
    """
    by_pixels = terms is None or not bool(terms[0].isfinite())
    by_kl = terms is None or not bool(terms[1:].isfinite().all())
    what = {(True, False): "The reconstruction", (False, True): "The KL"}.get((by_pixels, by_kl), "The loss")
    return DivergedError(step, "A weight" if terms is None else what, _cause(model, step, by_pixels, by_kl))


def _cause(model: VAE, step: int, by_pixels: bool, by_kl: bool) -> str:
    config = model.config
    sigma = model.sigma
    if by_pixels and sigma is not None and not sigma >= SMALL:
        return f"σ is {sigma:.2g}, and grey values are 0.004 apart: choose a larger σ"
    if by_kl and config.prior_std < SMALL:
        return f"the prior's standard deviation is {config.prior_std:.2g}: choose a larger one"
    if step == 1:  # before any update
        return "the weights that it starts from are at fault: start from others"
    return "try a smaller learning rate"
