"""The Draw tab: a drawing, what the model makes of it, its ELBO, and the gap to log p(x)."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from vae_core.data import (
    TITLES,
    Dataset,
    binarize,
    binarized_for_evaluation,
    converted,
    fit_drawing,
    ink_size,
    spread,
)
from vae_core.densities import DiagonalGaussian
from vae_core.evaluation import ppca
from vae_core.evaluation.evaluate import Proposal, log_likelihood, standard_error
from vae_core.evaluation.gap import ascend
from vae_core.evaluation.inpaint import completions, visible, visible_posterior
from vae_core.evaluation.noise import DRAWS
from vae_core.evaluation.picture import posterior_picture
from vae_core.evaluation.posterior import grid_truth
from vae_core.evaluation.terms import worth
from vae_core.model import VAE
from vae_core.objective import ELBO, elbo
from vae_core.settings import check_int

from .. import live
from ..backend import Backend
from ..loaded import Loaded, made_once
from ..models import decode, describe
from ..vocabulary import PAD_SIDE
from ..web.requests import FLOAT32, field, finite, image_bytes, of, pixels, vector

SHOWN = 8  # draws that are decoded to be shown
MOST_SAMPLES = 1000  # K of log p̂(x)
EXACTLY = "exact, in closed form: the model is probabilistic PCA"
CROWD = 2000  # test images whose ELBOs a drawing is compared with
WAYPOINTS = 40  # most points on the path of a refinement
MOST_STEPS = 1000
MOST_SECONDS = 6.0  # of a refinement
AT_ONCE = 2  # slow answers computed at the same time
PATIENCE = 3.0  # seconds that a request waits for its turn

_slow = threading.BoundedSemaphore(AT_ONCE)
_counting = threading.BoundedSemaphore(1)  # visitors who need the same crowd wait for one computation of it


def look(backend: Backend, request: Any) -> dict[str, Any]:
    """What a model makes of a drawing: of its visible pixels alone, where some are hidden (`_given`).

    Args:
        request: {model, ink: base64 of 56×56 bytes} or {model, image: base64 of 28×28 bytes in MNIST's format}; and
            hidden, as `_hidden` has it; and draws: K of log p̂(x), from 1 to 1000, 64 if missing.

    Returns:
        grey, seen, reconstruction: base64 of 28×28 bytes: in MNIST's format, as x, and decoded from the mean of q.
        drawn: 8 decoded draws of q. spread: standard deviation of 64 decoded draws, its largest as white; most: that.
        z, std: q's mean and standard deviation. kl_per_dim: nats. elbo, reconstruction_term, kl: nats, from 64 draws;
        scatter: the standard error that ELBO and reconstruction term would have if the draws were independent; as they
        are matched (`common_noise`), the error is smaller. log_px: nats, log p̂(x) from `draws` draws of q, or log p(x)
        if exact; how: where it is from, in words. version: changes with the weights.
    """
    loaded = backend.load(field(request, "model"))
    samples = request.get("draws", DRAWS)
    check_int("draws", samples, 1, MOST_SAMPLES)
    grey = _grey(request, ink_size(loaded.header.about.get("data")))
    model = _given(loaded.model, request)
    with torch.inference_mode():
        x = binarize(grey, model.config.binarization, seeded())[None]
        q = model.posterior(x)
        if not bool((q.mu.isfinite() & q.logvar.exp().isfinite()).all()):
            raise ValueError("This model's q(z|x) of the drawing is not finite: choose another model above.")
        terms = worth(model, x, q)
        exact = ppca.is_ppca(model.config)
        log_px = ppca.log_likelihood(model, x) if exact else log_likelihood(model, x, samples, seeded())
        return {
            "grey": pixels(grey),
            "seen": pixels(x),
            **_decoded(model, terms),
            **_summary(terms),
            "z": q.mu[0].tolist(),
            "std": q.std[0].tolist(),
            "kl_per_dim": terms.kl_per_dim[0].tolist(),
            "log_px": finite(log_px),
            "exact": exact,
            "how": EXACTLY if exact else f"estimated from below by {samples} draws of q(z|x)",
            "version": str(loaded.version),
        }


def judge(backend: Backend, request: Any) -> dict[str, Any]:
    """The ELBO's terms for a q that the user drags, from the same draws as in `look`.

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees, mu, std: D numbers each}; and hidden, as
            `_hidden` has it.

    Returns:
        elbo, reconstruction_term, kl, scatter, kl_per_dim, reconstruction, drawn, spread, most: as in `look`.
    """
    model = _given(backend.load(field(request, "model")).model, request)
    x = _seen(request)
    q = _q_of(request, model)
    with torch.inference_mode():
        terms = worth(model, x, q)
        return _summary(terms) | {"kl_per_dim": terms.kl_per_dim[0].tolist()} | _decoded(model, terms)


def refine(backend: Backend, request: Any) -> dict[str, Any]:
    """The path from the encoder's q to the best diagonal Gaussian q* for one image, θ fixed (T15).

    It is optimized with separate draws and evaluated with those of `look`; it ends where that ELBO is best.

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees}; and hidden, as `_hidden` has it.

    Returns:
        path: at most 40 of [{step, mu, std, elbo, reconstruction_term, kl, scatter}], the encoder's q first.
        ended: whether there was nothing left to gain; if not, the path was cut short.
        log_px: nats, log p̂(x) from 1000 draws of q*.

    Raises:
        ValueError: too many others are refining at the moment.
    """
    model = _given(backend.load(field(request, "model")).model, request)
    x = _seen(request)
    with _turn():
        end = time.monotonic() + MOST_SECONDS
        way = []
        ended = False
        for q, bound in ascend(model, x, max_steps=MOST_STEPS):
            way.append(q)
            if time.monotonic() > end or not bool(bound.isfinite()):
                break
        else:
            ended = len(way) < MOST_STEPS
    with torch.inference_mode():
        path = [{"step": step} | _waypoint(model, x, way[step]) for step in _spaced(len(way))]
        best = max(range(len(path)), key=lambda i: -math.inf if path[i]["elbo"] is None else path[i]["elbo"])
        proposal = Proposal.of(way[path[best]["step"]])
        log_px = log_likelihood(model, x, MOST_SAMPLES, seeded(), proposal=lambda *_: proposal)
    return {"path": path[: best + 1], "ended": ended, "log_px": finite(log_px)}


def complete(backend: Backend, request: Any) -> dict[str, Any]:
    """An image whose hidden part is what the model expects given the visible part; see `vae_core.evaluation.inpaint`.

    Args:
        request: {model, image: base64 of 28×28 bytes in MNIST's format, hidden: as `_hidden` has it}.

    Returns:
        completed: base64 of 28×28 bytes: the image with E[x_hidden|x_visible] in its hidden pixels, from 64 draws of
        the diagonal Gaussian nearest to p(z|x_visible). drawn: the same for four single draws.
    """
    model = backend.load(field(request, "model")).model
    grey = image_bytes("image", field(request, "image"), 28).float()[None, None] / 255
    hidden = _hidden(request)
    if not bool(hidden.any()):
        raise ValueError("Nothing is hidden: paint over a part of the image first.")
    with _turn():
        x = binarize(grey, model.config.binarization, seeded())
        q = visible_posterior(model, x, hidden)
    with torch.inference_mode():
        eps = torch.randn((DRAWS, *q.mu.shape), generator=seeded())
        each = completions(model, grey, hidden, q.sample(eps))[:, 0]
        return {"completed": pixels(each.mean(0)), "drawn": pixels(each[:4])}


def crowd(backend: Backend, request: Any) -> dict[str, Any]:
    """The ELBOs of up to 2000 test images, evenly over all, under this model, with which a drawing is compared.

    Args:
        request: {model}.

    Returns:
        elbos: nats, from 64 draws each, ascending. data: the dataset's title. version: of the weights, as `look`'s.
    """
    loaded = backend.load(field(request, "model"))
    dataset = backend.shown_dataset(loaded.header.about.get("data"))
    with _turn(_counting):
        elbos = crowd_elbos(loaded, dataset)
    return {"elbos": elbos, "data": TITLES[dataset.name], "version": str(loaded.version)}


@made_once
def crowd_elbos(loaded: Loaded, dataset: Dataset) -> list[float]:
    """The ELBOs of test images, from as many draws as a drawing's: nats, ascending; finite ones only."""
    images = dataset.test[spread(len(dataset.test), CROWD)]
    images = converted(images, dataset.name, loaded.header.about.get("data"))
    x = binarized_for_evaluation(images, loaded.model.config.binarization)
    generator = seeded()
    with torch.inference_mode():
        elbos = torch.cat([elbo(loaded.model, part, DRAWS, generator=generator).elbo for part in x.split(50)])
    return [round(value, 2) for value in elbos[elbos.isfinite()].sort().values.tolist()]


def truth(backend: Backend, request: Any) -> dict[str, Any]:
    """log p(x) by quadrature and a picture of the exact posterior, for a model with two latent dimensions (T20b).

    The browser asks only where it cannot find them itself (live/exact/): it takes seconds here.

    Args:
        request: {model, image: base64 of the 28×28 bytes that the model sees}; and hidden, as `_hidden` has it.

    Returns:
        log_px: nats, or null if the grid does not suffice. uncertainty: nats, how far it may be off.
        density: base64 of cells × cells bytes, p(z|x) with its largest value as 255, z_0 to the right and z_1 upwards.
        cells: per side. center: the middle of that picture in z; half: half its side. mean, std: two each, of p(z|x).
    """
    model = _given(backend.load(field(request, "model")).model, request)
    x = _seen(request)
    with _turn():
        found = grid_truth(model, x)
        picture = posterior_picture(model, x)
    return {
        "log_px": finite(found.log_px) if bool(found.holds) else None,
        "uncertainty": finite(found.error),
        "density": pixels(picture.density.T.flip(0)),
        "cells": len(picture.density),
        "center": picture.center.tolist(),
        "half": picture.half,
        "mean": picture.mean.tolist(),
        "std": picture.std.tolist(),
    }


def seeded(seed: int = 0) -> torch.Generator:
    """The source of what is drawn for a picture: the same question has the same answer."""
    return torch.Generator().manual_seed(seed)


def looking(backend: Backend) -> list[Callable]:
    """The server functions of a machine with a drawing on it."""
    return [of(backend, function) for function in (look, judge, refine, truth, describe, decode)]


def build(backend: Backend) -> gr.HTML:
    """Lays out the tab and returns its component, whose value {model} says which model looks, once that is known."""
    functions = [*looking(backend), of(backend, complete), of(backend, crowd)]
    return live.component("draw/pad", {"model": None}, functions=functions, elem_id="draw")


@contextmanager
def _turn(gate: threading.Semaphore | None = None) -> Iterator[None]:
    """Holds one of the few places for slow answers.

    Args:
        gate: limits how many of a kind are computed at once; two of any kind if None.

    Raises:
        ValueError: no place became free in time.
    """
    gate = gate or _slow
    if not gate.acquire(timeout=PATIENCE):
        raise ValueError("The server is busy with the questions of others: try again in a moment.")
    try:
        yield
    finally:
        gate.release()


def _grey(request: Any, size: int) -> Tensor:
    """The drawing in a request as (1, 28, 28) in [0, 1], in the format of the model's data."""
    if request.get("image") is not None:
        return image_bytes("image", request["image"], 28).float()[None] / 255
    return fit_drawing(image_bytes("ink", request.get("ink"), PAD_SIDE), size)


def _seen(request: Any) -> Tensor:
    """The image in a request as x, unchanged: (1, 1, 28, 28) in [0, 1]."""
    return image_bytes("image", field(request, "image"), 28).float()[None, None] / 255


def _hidden(request: Any) -> Tensor:
    """The pixels of the image that a request hides: (28, 28) bool, from base64 of 28×28 bytes, 0 where one is visible.

    Raises:
        ValueError: it hides all of them.
    """
    if request.get("hidden") is None:
        return torch.zeros(28, 28, dtype=torch.bool)
    hidden = image_bytes("hidden", request["hidden"], 28) > 0
    if bool(hidden.all()):
        raise ValueError("All pixels are hidden: leave at least one of them visible.")
    return hidden


def _given(model: VAE, request: Any) -> VAE:
    """The model of the pixels that a request leaves visible: every number is of those alone (T19)."""
    return visible(model, _hidden(request))


def _q_of(request: Any, model: VAE) -> DiagonalGaussian:
    """The q in a request.

    Raises:
        ValueError: mu or std is not D numbers, or a std is not above 0.
    """
    dims = model.config.latent_dim
    mu = vector("mu", field(request, "mu"), dims)
    std = vector("std", field(request, "std"), dims, least=FLOAT32.tiny)
    return DiagonalGaussian(mu[None], 2 * std[None].log())


def _decoded(model: VAE, terms: ELBO) -> dict[str, Any]:
    """The pictures of a q for the page, made from its mean and its decoded draws."""
    assert terms.params is not None  # `worth` keeps them
    each = model.likelihood.mean(terms.params)[:, 0]
    spread = each.std(0)
    return {
        "reconstruction": pixels(model.x_hat(terms.q.mu)),
        "drawn": pixels(each[:SHOWN]),
        "spread": pixels(spread / spread.max().clamp(min=1e-12)),
        "most": finite(spread.max()),
    }


def _summary(terms: ELBO) -> dict[str, Any]:
    """The ELBO's terms of one image, for the page."""
    error = float(standard_error(terms.log_px[:, 0]))
    return {
        "elbo": finite(terms.elbo),
        "reconstruction_term": finite(terms.reconstruction),
        "kl": finite(terms.kl),
        "scatter": error if math.isfinite(error) else None,
    }


def _waypoint(model: VAE, x: Tensor, q: DiagonalGaussian) -> dict[str, Any]:
    """A q on the path of a refinement, with its ELBO's terms."""
    return _summary(worth(model, x, q)) | {"mu": q.mu[0].tolist(), "std": q.std[0].tolist()}


def _spaced(count: int) -> list[int]:
    """At most 40 of the numbers from 0 to count − 1, including the first and last, denser at the beginning."""
    last = count - 1
    return sorted({round(last * (i / (WAYPOINTS - 1)) ** 2) for i in range(WAYPOINTS)})
