"""What the page knows of a model."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from vae_core.data import INK_SIZE, TITLES, fit_drawing, of_each_label

from .backend import Backend, field, pixels


def describe(backend: Backend, request: Any) -> dict[str, Any]:
    """A model's latent dimensions, most informative first, and ten test images to start from.

    Args:
        request: {model}.

    Returns:
        dims: [{index, kl: nats or null}]. prior_mean, prior_std. likelihood, binarization.
        examples: [{label, image}], one of each label. examples_from: the dataset's title.
    """
    loaded = backend.load(field(request, "model"))
    config, about = loaded.model.config, loaded.header.about
    dataset = backend.shown_dataset(about.get("data"))
    size = INK_SIZE.get(about.get("data"), 20)

    def as_trained(image: Tensor) -> Tensor:
        """An image of another dataset in the format of the model's own."""
        return image / 255 if dataset.name == about.get("data") else fit_drawing(image[0], size)

    kl = about.get("kl_per_dim") or [None] * config.latent_dim
    order = sorted(range(config.latent_dim), key=lambda j: -(kl[j] or 0))
    return {
        "dims": [{"index": j, "kl": kl[j]} for j in order],
        "prior_mean": config.prior_mean,
        "prior_std": config.prior_std,
        "likelihood": config.likelihood,
        "binarization": config.binarization,
        "examples": [{"label": label, "image": pixels(as_trained(image))} for label, image in of_each_label(dataset)],
        "examples_from": TITLES[dataset.name],
    }
