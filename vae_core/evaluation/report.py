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

from ..model import VAE
from . import ppca
from .estimates import kept_log_likelihood
from .evaluate import Proposal, evaluate_elbo, log_likelihood, standard_error
from .gap import gaps
from .gradients import gradient_estimates
from .information import information
from .posterior import grid_truth

INFORMATION_IMAGES = 2000  # the work grows with the square of this


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
        | {"log_likelihood": mean, "log_likelihood_error": standard_error(log_px), "gap": mean - held.elbo}
        | {"images_per_second": (len(x) * (samples + 1) - kept * samples) / seconds}
        | _information(model, x[:INFORMATION_IMAGES], seed)
        | _of_subset(model, x[:subset], samples, seed)
        | {"subset_encoder_log_likelihood": float(log_px[:subset].mean())}
        | _exact(model, x, subset)
    )


def _information(model: VAE, x: Tensor, seed: int) -> dict[str, Any]:
    found = information(model, x, generator=_generator(x, seed))
    return {"information_images": len(x)} | found._asdict()


def _of_subset(model: VAE, x: Tensor, samples: int, seed: int) -> dict[str, Any]:
    """The measures that cost too much for all images."""
    generator = _generator(x, seed)
    split = gaps(model, x, samples, generator=generator)
    prior = log_likelihood(model, x, samples, generator, proposal=Proposal.prior)
    return {
        "subset": len(x),
        "amortization_gap": float(split.amortization.mean()),
        "approximation_gap": float(split.approximation.mean()),
        "subset_gap": float(split.total.mean()),
        "subset_log_likelihood": float(split.log_px.mean()),
        "prior_log_likelihood": float(prior.mean()),
        "gradient_variance_ratio": gradient_estimates(model, x, generator=generator).variance_ratio(),
    }


def _exact(model: VAE, x: Tensor, subset: int) -> dict[str, Any]:
    """log p(x) where the truth is known, for all images or the subset, and σ."""
    config = model.config
    report = {}
    if config.likelihood == "gaussian":
        report["sigma"] = model.sigma
        if config.architecture == "linear":
            report |= {"exact_images": len(x), "exact_log_likelihood": float(ppca.log_likelihood(model, x).mean())}
            if len(x) > config.latent_dim + 1:  # else D directions hold all images, and it is unbounded
                report["maximum_log_likelihood"] = ppca.maximum_likelihood(x, config.latent_dim).log_likelihood
            return report
    if config.latent_dim == 2:
        some = x[:subset]
        truth = grid_truth(model, some)
        if bool(truth.holds.all()):  # else the truth is not known
            report |= {"exact_images": len(some), "exact_log_likelihood": float(truth.log_px.mean())}
    return report


def _generator(x: Tensor, seed: int) -> torch.Generator:
    return torch.Generator(x.device).manual_seed(seed)


def as_text(report: dict[str, Any]) -> str:
    """The report for people, one line per figure."""
    r = report
    most = math.log(report["information_images"])
    lines = [
        f"{r['checkpoint']} on {r['images']} {r['split']} images of {r['data']}, "
        f"{r['likelihood']} likelihood, binarization {r['binarization']} (nats per image)",
        f"ELBO                   {r['elbo']:10.3f} ± {r['elbo_error']:.3f}",
        f"  reconstruction       {r['reconstruction']:10.3f}",
        f"  KL                   {r['kl']:10.3f}",
        f"log p(x), K = {r['samples']:<8} {r['log_likelihood']:10.3f} ± {r['log_likelihood_error']:.3f}",
        f"gap                    {r['gap']:10.3f}",
        f"active units           {r['active_units']:6d} of {len(r['kl_per_dim'])}",
        f"KL per dimension       {', '.join(f'{kl:.2f}' for kl in r['kl_per_dim'])}",
        f"Of {r['information_images']} images",
        f"  I(x; z)              {r['mutual_information']:10.3f}   at most log N = {most:.3f}",
        f"  KL(q(z)‖p(z))        {r['marginal_kl']:10.3f}",
        f"Of {r['subset']} images",
        f"  log p(x)             {r['subset_log_likelihood']:10.3f}   from the refined q, K = {r['samples']}",
        f"  log p(x)             {r['subset_encoder_log_likelihood']:10.3f}   from the encoder's q, K = {r['samples']}",
        f"  log p(x)             {r['prior_log_likelihood']:10.3f}   from the prior, K = {r['samples']}",
        f"  gap                  {r['subset_gap']:10.3f}",
        f"    amortization       {r['amortization_gap']:10.3f}",
        f"    approximation      {r['approximation_gap']:10.3f}",
        f"  gradient variance    {r['gradient_variance_ratio']:10.1f}   score function / reparameterization",
    ]
    if "exact_log_likelihood" in r:
        lines += [f"Of {r['exact_images']} images", f"  log p(x), exact      {r['exact_log_likelihood']:10.3f}"]
    if "maximum_log_likelihood" in r:
        lines.append(f"  log p(x), at most    {r['maximum_log_likelihood']:10.3f}   of any linear Gaussian model")
    if "sigma" in r:
        lines.append(f"σ                      {r['sigma']:10.4f}")
    return "\n".join([*lines, f"{r['images_per_second']:,.0f} decoded images per second on {r['device']}"])
