"""The configuration that a run is started with, and what a checkpoint to begin with adds to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ..config import MOST_IMAGES, SETTINGS, TrainConfig, VAEConfig
from ..settings import FaultsError, check_int, check_settings, check_text, settings_of, text, whole
from ..storage.about import MOST_NAME
from ..storage.checkpoint import read_header
from ..storage.plain_json import check_each


@dataclass(frozen=True)
class RunConfig:
    """What a run was started with."""

    model: VAEConfig
    training: TrainConfig
    data: str  # a dataset's name, or auto until it is known which one is available
    device: str = "cpu"
    why_data: str = ""  # a sentence that says why this dataset
    train_images: int = 0  # 0 until the data are loaded
    owner: str = ""  # the browser that started it, if one did
    hold_out: int = whole(
        0, 0, MOST_IMAGES, "Validation images", step=100, short="held out",
        hint="The last ones take the place of the test images.",
        help="How many images at the end of the training set judge the training, in place of the test images.",
    )  # fmt: skip
    start: str = text("Began with", help="The run or file whose weights the training began with, and their step.")
    learned: dict[str, int] = field(default_factory=dict)  # images held out of each dataset those weights learned from

    def __post_init__(self) -> None:
        check_settings(self)
        check_text("data", self.data, MOST_NAME)
        check_text("why_data", self.why_data, 10_000)  # it may hold a path, and the system's own words
        for name in ("device", "owner"):
            check_text(name, getattr(self, name))
        check_int("train_images", self.train_images, 0, MOST_IMAGES)
        check_each("learned", self.learned, partial(check_int, low=0, high=MOST_IMAGES))

    @property
    def has_learned(self) -> dict[str, int]:
        """Images held out of each dataset that the run's weights, or those it began with, have learned from."""
        return self.learned | {self.data: min(self.hold_out, self.learned.get(self.data, self.hold_out))}

    @property
    def total_steps(self) -> int:
        """Steps of the whole training; 0 until the data are loaded."""
        return self.training.total_steps(self.train_images) if self.train_images else 0


ALL_SETTINGS = SETTINGS | settings_of(RunConfig)  # all settings of a run, by name


def beginning_with(config: RunConfig, checkpoint: Path) -> RunConfig:
    """The configuration of a run that begins with a checkpoint's weights, including its model and origin.

    Raises:
        CheckpointError: it is not a checkpoint of this app.
        FaultsError: the checkpoint was trained on images that the run would hold out.
    """
    header = read_header(checkpoint)
    about = header.about
    step = header.about.get("step")
    learned = about.get("learned") or ({about["data"]: about.get("hold_out") or 0} if about.get("data") else {})
    for data, held in learned.items():
        if config.hold_out > held and config.data in (data, "auto"):
            sentence = (
                f"hold_out is {config.hold_out}, but the model to begin with has learned from all but {held} of the"
                " training images: take at most that many."
            )
            raise FaultsError({"hold_out": sentence})
    name = checkpoint.parent.name if checkpoint.name == "model.safetensors" else checkpoint.stem
    origin = f"{name}, step {step:,}" if step else name
    return replace(config, model=header.config, start=config.start or origin, learned=learned)
