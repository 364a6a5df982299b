"""All measures of a trained model, as one dictionary and as text."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import evidence
from ..model import VAE
from . import ppca
from .estimates import kept_log_likelihood
from .evaluate import Proposal, evaluate_elbo, log_likelihood, standard_error
from .gap import gaps
from .gradients import gradient_estimates
from .information import information

INFORMATION_IMAGES = 10_000  # the work grows with the square of this


def measure(
    model: VAE,
    x: Tensor,
    samples: int,
    seed: int,
    subset: int,
    progress: Callable[[int], None] | None = None,
    keep: Path | None = None,
) -> dict[str, Any]:
    """The figures of `python -m vae_core evaluate`, in nats per image.

    Args:
        model: the VAE.
        x: (N, 1, 28, 28) in [0, 1], binarized as the model needs it, on the model's device.
        samples: K of the estimates of log p(x).
        seed: of all draws.
        subset: how many images, from the first on, the costly measures use.
        progress: called after every chunk with the number of images decoded for log p̂(x).
        keep: a file for the estimates of log p(x), from which an interrupted measurement resumes.
    """
    start = time.perf_counter()
    generator = _generator(x, seed)
    kept = 0
    held = evaluate_elbo(model, x, seed=seed)
    if keep:
        log_px, kept = kept_log_likelihood(model, x, samples, generator, keep, progress)
    else:
        log_px = log_likelihood(model, x, samples, generator, progress=progress).cpu()
    seconds = time.perf_counter() - start
    log_px = log_px.double()
    mean = float(log_px.mean())
    return (
        asdict(held)
        | {"log_likelihood": mean, "log_likelihood_error": float(standard_error(log_px)), "gap": mean - held.elbo}
        | {"images_per_second": (len(x) * (samples + 1) - kept * samples) / seconds}
        | _information(model, x[:INFORMATION_IMAGES], seed)
        | _of_subset(model, x[:subset], samples, seed)
        | {"subset_encoder_log_likelihood": float(log_px[:subset].mean())}
        | (_of_ppca(model, x, held.elbo) if ppca.is_ppca(model.config) else {})
        | ({"sigma": model.sigma} if model.config.likelihood == "gaussian" else {})
    )


def _information(model: VAE, x: Tensor, seed: int) -> dict[str, Any]:
    if len(x) < 2:
        return {}
    found = information(model, x, generator=_generator(x, seed))
    return {"information_images": len(x)} | {f"information_{name}": value for name, value in found._asdict().items()}


def _of_subset(model: VAE, x: Tensor, samples: int, seed: int) -> dict[str, Any]:
    """The measures that cost too much for all images."""
    generator = _generator(x, seed)
    split = gaps(model, x, samples, generator=generator)
    prior = log_likelihood(model, x, samples, generator, proposal=Proposal.prior)
    return {
        "subset": len(x),
        "subset_is_exact": bool(split.exact.all()),
        "amortization_gap": float(split.amortization.mean()),
        "approximation_gap": float(split.approximation.mean()),
        "subset_gap": float(split.total.mean()),
        "subset_log_likelihood": float(split.log_px.mean()),
        "prior_log_likelihood": float(prior.mean()),
        "gradient_variance_ratio": gradient_estimates(model, x, generator=generator).variance_ratio(),
    }


def _of_ppca(model: VAE, x: Tensor, elbo: float) -> dict[str, Any]:
    """log p(x) of all images in closed form, and the largest that such a model can have."""
    exact = float(ppca.log_likelihood(model, x).mean())
    report = {"exact_log_likelihood": exact, "gap": exact - elbo}
    dims = model.config.latent_dim
    if len(x) > dims + 1:  # else D directions hold all images, and it is unbounded
        report["maximum_log_likelihood"] = ppca.maximum_likelihood(x, dims).log_likelihood
    return report


def _generator(x: Tensor, seed: int) -> torch.Generator:
    return torch.Generator(x.device).manual_seed(seed)


def as_text(report: dict[str, Any]) -> str:
    """The report for people, one line per figure; what an average over draws only bounds, is called a bound."""
    r = report
    log_px = evidence(r["likelihood"], r["binarization"])
    exact = "exact_log_likelihood" in r
    lines = [
        f"{r['checkpoint']} on {r['images']} {r['split']} images of {r['data']}, "
        f"{r['likelihood']} likelihood, binarization {r['binarization']} (nats per image)",
        f"ELBO                   {r['elbo']:10.3f} ± {r['elbo_error']:.3f}",
        f"  reconstruction       {r['reconstruction']:10.3f}",
        f"  KL                   {r['kl']:10.3f}",
        f"{log_px} ≥             {r['log_likelihood']:10.3f} ± {r['log_likelihood_error']:.3f}   on average, "
        f"by K = {r['samples']} draws of the encoder's q",
        *([f"{log_px}, exact        {r['exact_log_likelihood']:10.3f}"] if exact else []),
        f"gap                    {r['gap']:10.3f}   {'exact' if exact else 'at least, as that is a bound'}",
        f"active units           {r['active_units']:6d} of {len(r['kl_per_dim'])}",
        f"KL per dimension       {', '.join(f'{kl:.2f}' for kl in r['kl_per_dim'])}",
        *_information_lines(r),
        *_subset_lines(r, log_px),
    ]
    if "maximum_log_likelihood" in r:
        lines.append(
            f"{log_px}, at most      {r['maximum_log_likelihood']:10.3f}   "
            f"of any linear Gaussian model with D = {len(r['kl_per_dim'])} and one σ"
        )
    if "sigma" in r:
        lines.append(f"σ                      {r['sigma']:10.4f}")
    if log_px != "log p(x)":
        lines.append(f"{log_px}: the same integral for grey pixels, whose cross-entropy is not a probability")
    return "\n".join([*lines, f"{r['images_per_second']:,.0f} decoded images per second on {r['device']}"])


def _information_lines(r: dict[str, Any]) -> list[str]:
    if "information_images" not in r:
        return []
    most = math.log(r["information_images"])
    return [
        f"Of {r['information_images']} images",
        f"  I(x; z)              {r['information_at_least']:10.3f} to {r['information_at_most']:.3f}   "
        f"InfoNCE, at most log N = {most:.3f}, to the mean KL or leave-one-out",
        f"  KL(q(z)‖p(z))        {r['information_marginal_at_least']:10.3f} to "
        f"{r['information_marginal_at_most']:.3f}   what is left of the mean KL",
    ]


def _subset_lines(r: dict[str, Any], log_px: str) -> list[str]:
    how = f"by K = {r['samples']} draws of"
    best = f"{r['subset_log_likelihood']:10.3f}"
    return [
        f"Of {r['subset']} images",
        f"  {log_px}, exact      {best}"
        if r["subset_is_exact"]
        else f"  {log_px} ≥           {best}   {how} refined q",
        f"  {log_px} ≥           {r['subset_encoder_log_likelihood']:10.3f}   {how} the encoder's q",
        f"  {log_px} ≥           {r['prior_log_likelihood']:10.3f}   {how} the prior: far from tight",
        f"  gap                  {r['subset_gap']:10.3f}   {'exact' if r['subset_is_exact'] else 'estimated'}",
        f"    amortization       {r['amortization_gap']:10.3f}",
        f"    approximation      {r['approximation_gap']:10.3f}",
        f"  gradient variance    {r['gradient_variance_ratio']:10.1f}   score function / reparameterization",
    ]
