"""The recorded trainings that cards play: what each was trained with, its records, and its pictures."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from vae_core.runs.config import RunConfig
from vae_core.runs.folder import RunFolder
from vae_core.runs.records import Records

from .. import labels
from ..web.requests import field


class Lessons:
    """Recorded trainings by name.

    Args:
        root: a folder of recordings, which `checkpoints.lessons` makes; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        found = sorted(root.iterdir()) if root.is_dir() else []
        self._folders = {path.name: RunFolder(path) for path in found if path.is_dir()}
        self._served = lru_cache(maxsize=64)(self._serve)

    def names(self) -> list[str]:
        """Those that there are."""
        return list(self._folders)

    def folder(self, name: Any) -> RunFolder:
        """The recording of that name.

        Raises:
            ValueError: there is none.
        """
        if not isinstance(name, str) or name not in self._folders:
            raise ValueError("There is no such recorded training.")
        return self._folders[name]

    def config(self, name: Any) -> RunConfig:
        """What it was trained with.

        Raises:
            ValueError: there is none of that name.
        """
        return self.folder(name).read_config()

    def lesson(self, request: Any) -> dict[str, Any]:
        """A recorded training, all of it but its pictures.

        Args:
            request: {name}.

        Returns:
            name, title. settings: in words. data, likelihood, latent_dim, beta, total_steps. columns: of its records,
            as `Records.rows` has them: −ELBO, −reconstruction and KL in nats per image. kl: nats, a list of D numbers
            for each of these records. frames: the steps that have a picture.
        """
        return self._served(self.folder(field(request, "name")).path.name)

    def _serve(self, name: str) -> dict[str, Any]:
        folder = self.folder(name)
        config = folder.read_config()
        records = Records(folder.path / "metrics.jsonl").read()
        return {
            "name": name,
            "title": folder.name(),
            "settings": labels.settings_line(config.data, folder.settings()),
            "data": config.data,
            "likelihood": config.model.likelihood,
            "latent_dim": config.model.latent_dim,
            "beta": config.training.beta,
            "total_steps": config.total_steps,
            "columns": records.rows(),
            "kl": [record["kl_per_dim"] for record in folder.each_record()],
            "frames": folder.frame_steps(),
        }


def settings_of(config: RunConfig) -> dict[str, Any]:
    """All settings of a recorded training by name, with `data`: MNIST may be replaced where it cannot be had."""
    data = "auto" if config.data == "mnist" else config.data
    return asdict(config.model) | asdict(config.training) | {"hold_out": config.hold_out, "data": data}
