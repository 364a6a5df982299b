"""Models and runs in a line each: what the choice of models and the table of runs call them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vae_core.checkpoint import Header
from vae_core.config import TrainConfig, VAEConfig
from vae_core.data import TITLES

LIKELIHOODS = {"bernoulli": "Bernoulli", "gaussian": "Gaussian", "continuous_bernoulli": "continuous Bernoulli"}
UNUSUAL = {
    "hidden_dim": "hidden units", "hidden_layers": "hidden layers", "samples": "L =", "objective": "objective",
    "warmup_steps": "warm-up", "free_bits": "free bits", "schedule": "rate schedule",
    "learning_rate_warmup": "its warm-up", "clip_norm": "gradient ≤", "average": "weights averaged by",
    "patience": "patience", "hold_out": "held out", "prior_mean": "prior mean", "prior_std": "prior standard deviation",
    "seed": "seed", "precision": "products in", "start": "began with",
}  # fmt: skip


def shipped(name: str, about: dict[str, Any]) -> str:
    """A shipped model's name with its figures, where it has been measured; −log p̂(x) is too large on average."""
    figures = about.get("figures")
    if not figures:
        return f"{name} (shipped)"
    found = f"−ELBO {-figures['elbo']:.1f}, −log p(x) ≤ {-figures['log_likelihood']:.1f}".replace("-", "−")
    of = ", training images" if figures["split"] == "train" else ""
    return f"{name} (shipped): {found}, {figures['active_units']} of {len(figures['kl_per_dim'])} active{of}"


def own(run: str, name: str, header: Header, state: str) -> str:
    """A browser's own run, by its id: its name if it has one, when it began, what it is, and how far it is."""
    about = header.about
    test = f", −ELBO {-about['test']['elbo']:.1f}".replace("-", "−") if about.get("test") else ""
    when = f"{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}:{run[13:15]}"
    of = f" of {about['hold_out']:,} training images held out" if test and about.get("hold_out") else ""
    return f"{name or 'my run'} {when}, {kind(header)}{test}{of}, {state}"


def kind(header: Header) -> str:
    """Data, architecture, latent dimensions and likelihood of a model."""
    data, m = str(header.about.get("data") or "unknown"), header.config
    return f"{TITLES.get(data, data)} {m.architecture} {m.latent_dim}-D {LIKELIHOODS[m.likelihood]}"


def meaningful(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run without those that mean nothing for its architecture or likelihood."""
    without = {"linear": ("hidden_dim", "hidden_layers"), "mlp": ()}.get(settings["architecture"], ("hidden_layers",))
    if settings["likelihood"] != "gaussian":
        without += ("sigma", "sigma_mode")
    elif settings["sigma_mode"] == "optimal":
        without += ("sigma",)
    return {name: value for name, value in settings.items() if name not in without}


def settings_line(data: str, settings: dict[str, Any], changes: int = 0) -> str:
    """The settings of a run in a line, as they are after so many changes: those that matter, and what is unusual."""
    usual = asdict(VAEConfig()) | asdict(TrainConfig()) | {"hold_out": 0, "start": ""}
    line = (
        "{data}, {architecture}, D = {latent_dim}, {likelihood} likelihood, {binarization} pixels, β = {beta:g}, "
        "learning rate {learning_rate:g}, batches of {batch_size}"
    ).format(
        **settings | {"data": TITLES.get(data, "MNIST or digits"), "likelihood": LIKELIHOODS[settings["likelihood"]]}
    )
    settings = meaningful(settings)
    differing = {name: settings[name] for name in UNUSUAL if name in settings and settings[name] != usual[name]}
    unusual = [
        f"{UNUSUAL[name]} {f'{value:g}' if isinstance(value, float) else value}" for name, value in differing.items()
    ]
    if settings["likelihood"] == "gaussian":
        sigma = {"fixed": "σ {sigma:g}", "learned": "σ learned from {sigma:g}", "optimal": "σ optimal"}
        unusual.append(sigma[settings["sigma_mode"]].format(**settings))
    changed = [f"changed {changes} time{'s' if changes > 1 else ''} in mid-run"] if changes else []
    return ", ".join([line, *unusual, *changed])
