"""One-line descriptions of models and runs, for the choice of models and the table of runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vae_core.config import LIKELIHOODS, OBJECTIVES, TrainConfig, VAEConfig
from vae_core.data import TITLES
from vae_core.runs.config import ALL_SETTINGS
from vae_core.runs.summary import Summary
from vae_core.storage.checkpoint import Header

# What the line of settings always says in its own words, and what it never says.
SAID = ("architecture", "latent_dim", "likelihood", "binarization", "beta", "learning_rate", "batch_size")
UNSAID = ("epochs", "steps", "record_every", "sigma", "sigma_mode")


def shipped(header: Header) -> str:
    """A shipped model's kind."""
    return f"{kind(header)} · ready-made"


def figures(header: Header) -> str:
    """What a model was measured to be worth; for a run's, its last evaluation; empty if there was none."""
    found = header.about.get("figures")
    if not found:
        test = header.about.get("test")
        return f"−ELBO {-test['elbo']:.1f}".replace("-", "−") if test else ""
    bound = f"−log p(x) ≤ {-found['log_likelihood']:.1f} by K = {found['samples']:,} draws"
    used = f"{found['active_units']} of {len(found['kl_per_dim'])} dimensions used"
    of = " · training images" if found["split"] == "train" else ""
    return f"−ELBO {-found['elbo']:.1f} · {bound} · {used}{of}".replace("-", "−")


def own(run: str, name: str, header: Header, state: str) -> str:
    """A browser's own run: its name if it has one, when it began (from its id), its kind, and its progress."""
    about = header.about
    test = f", −ELBO {-about['test']['elbo']:.1f}".replace("-", "−") if about.get("test") else ""
    when = f"{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}:{run[13:15]}"
    of = f" of {about['hold_out']:,} training images held out" if test and about.get("hold_out") else ""
    return f"{name or 'my run'} {when}, {kind(header)}{test}{of}, {state}"


def kind(header: Header) -> str:
    """A model's data and latent dimensions, and what is unusual about it."""
    data = str(header.about.get("data") or "unknown")
    return title(data, header.config, header.about.get("training", {}).get("objective"))


def title(data: str, model: VAEConfig, objective: Any = "elbo") -> str:
    """What a model or a run without a name is called: its data, its dimensions, and what is unusual about it."""
    dims = f"{model.latent_dim} dimension{'' if model.latent_dim == 1 else 's'}"
    unusual = [model.architecture] if model.architecture != VAEConfig.architecture else []
    unusual += [LIKELIHOODS[model.likelihood]] if model.likelihood != VAEConfig.likelihood else []
    unusual += [OBJECTIVES[objective]] if objective in OBJECTIVES and objective != TrainConfig.objective else []
    return " · ".join([data_title(data), dims, *unusual])


def title_of_run(summary: Summary) -> str:
    """A run's name, or its kind where it has none."""
    config = summary.config
    return summary.name or title(config.data, config.model, config.training.objective)


def data_title(data: str) -> str:
    """A dataset's title; of a run that does not know it yet, what it may become."""
    return TITLES.get(data, "MNIST or digits" if data == "auto" else data)


def meaningful(settings: dict[str, Any]) -> dict[str, Any]:
    """A run's settings, without those that have no effect with its architecture or likelihood."""
    return {name: value for name, value in settings.items() if ALL_SETTINGS[name].matters(settings)}


def settings_line(data: str, settings: dict[str, Any], changes: int = 0) -> str:
    """A run's settings in a line, as they are after its changes: the main ones, and those that are unusual."""
    usual = asdict(VAEConfig()) | asdict(TrainConfig()) | {"hold_out": 0, "start": ""}
    line = (
        "{data}, {architecture}, D = {latent_dim}, {likelihood} likelihood, {binarization} pixels, β = {beta:g}, "
        "learning rate {learning_rate:g}, batches of {batch_size}"
    ).format(**settings | {"data": data_title(data), "likelihood": LIKELIHOODS[settings["likelihood"]]})
    differing = [
        name for name, value in meaningful(settings).items() if name not in (*SAID, *UNSAID) and value != usual[name]
    ]
    unusual = [ALL_SETTINGS[name].shown(settings[name]) for name in ALL_SETTINGS if name in differing]
    if settings["likelihood"] == "gaussian":
        sigma = {"fixed": "σ {sigma:g}", "learned": "σ learned from {sigma:g}", "optimal": "σ optimal"}
        unusual.append(sigma[settings["sigma_mode"]].format(**settings))
    return ", ".join([line, *unusual, *([changed(changes)] if changes else [])])


def changed(changes: int) -> str:
    """How often a run's settings were changed while it trained; empty if never."""
    return f"changed {changes} time{'s' if changes > 1 else ''} during the run" if changes else ""
