"""The settings of the Train form: how fields hold and name them, and which of them a link may set or hide."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vae_core.config import TrainConfig, VAEConfig
from vae_core.data import DATASETS, TITLES
from vae_core.runs.config import ALL_SETTINGS
from vae_core.settings import FaultsError, check_choice, gathered, settings_of

from ..backend import Backend
from ..glossary import field_id, fold_id

AUTO = "auto"
DATA_CHOICES = [("MNIST (digits when offline)", AUTO), *((TITLES[name], name) for name in DATASETS)]
# The settings in the form: first those that everybody sees, then those in its two closed parts.
GROUPS = ("main", "model", "training")
ASKED = {name: setting for group in GROUPS for name, setting in ALL_SETTINGS.items() if setting.group == group}
DEFAULTS = asdict(VAEConfig()) | asdict(TrainConfig()) | {"hold_out": 0}
LABELS = {"data": "Data"} | {name: setting.title for name, setting in ASKED.items()}

# What a link may hide of the form: by name its settings. Groups, presets and both folded parts are hidden as a whole.
PARTS = {"presets": [], **{name: [name] for name in LABELS}} | {
    group: [name for name, setting in ASKED.items() if setting.group == group] for group in GROUPS
}
PARTS["main"] = ["data", *PARTS["main"]]
PARTS["details"] = [*PARTS["model"], *PARTS["training"]]
PART_TITLES = {"presets": "Set-ups to start from", "model": "Model details", "training": "Training details"}


@dataclass(frozen=True)
class Asked:
    """What the form asks for. images: in the training set, None if the data are not on this server yet."""

    model: VAEConfig
    training: TrainConfig
    data: str
    hold_out: int
    images: int | None


def configured(backend: Backend, settings: dict[str, Any]) -> Asked:
    """The form's values as configurations.

    Raises:
        FaultsError: settings cannot be used, alone or together; it has all of them, named as the core does.
        DataError: the dataset's files hold something else.
    """
    faults: dict[str, str] = {}
    model = VAEConfig()
    training = TrainConfig()
    images = None
    found: dict[str, Any] = {}
    for name in ASKED:
        with gathered(faults):
            found[name] = ASKED[name].read(name, settings[name])
    with gathered(faults):
        model = VAEConfig(**_asked(VAEConfig, found))
    with gathered(faults):
        training = TrainConfig(**_asked(TrainConfig, found))
    with gathered(faults):
        ASKED["hold_out"].check("hold_out", found.get("hold_out", 0))
    data = settings["data"]
    if data not in (AUTO, *DATASETS):
        faults["data"] = f"data is {data!r}; it must be one of {', '.join(DATASETS)}."
    if not {"data", "batch_size", "hold_out"} & faults.keys():
        with gathered(faults):
            batch = TrainConfig(batch_size=found["batch_size"])
            images = backend.check_batch(data, batch, found["hold_out"])
    if faults:
        raise FaultsError(faults)
    return Asked(model, training, data, found["hold_out"], images)


def on_page(faults: dict[str, str]) -> FaultsError:
    """The faults with their fields named as in the form, and in its order."""
    return FaultsError({name: as_on_page(faults[name]) for name in LABELS if name in faults})


def _asked(kind: type, settings: dict[str, Any]) -> dict[str, Any]:
    """The form's settings that belong to this kind of configuration."""
    return {name: settings[name] for name in settings_of(kind) if name in settings}


def linked(query: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The settings in a link by name, as their fields hold them, and a sentence about what cannot be used of it."""
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name in LABELS:
        if name not in query:
            continue
        with gathered(faults):
            if name == "data":
                found[name] = check_choice(name, query[name], [value for _, value in DATA_CHOICES])
            else:
                found[name] = in_field(name, ASKED[name].check(name, ASKED[name].read(name, query[name])))
    unknown = [part for part in query.get("hide", "").split(",") if part and part not in PARTS]
    if unknown:
        faults["hide"] = f"hide names {unknown[0][:40]!r}, which is not part of the form."
    sentences = " ".join(as_on_page(sentence) for sentence in faults.values())
    return found, f"The link has a setting that cannot be used. {sentences}" if faults else ""


def shareable() -> dict[str, dict[str, Any]]:
    """What train/setup.js needs to make a link.

    Returns:
        fields: by name, what each field of the form holds by default, and the values that its choices stand for, by
        title. parts: by name, the settings and the ids of what a link may hide, and a title if that is offered.
    """
    choices = {name: {title: value for value, title in setting.choices.items()} for name, setting in ASKED.items()}
    fields = {name: {"default": in_field(name, DEFAULTS[name]), "choices": choices[name]} for name in ASKED}
    fields = {"data": {"default": AUTO, "choices": dict(DATA_CHOICES)}} | fields
    titles = PART_TITLES | {name: LABELS[name] for name in [*PARTS["main"], "seed"]}
    folds = {part: [fold_id(group) for group in GROUPS[1:] if part in (group, "details")] for part in PARTS}
    whole = {"presets": ["presets"]} | {part: ids for part, ids in folds.items() if ids}
    ids = {part: whole.get(part, [field_id(name) for name in names]) for part, names in PARTS.items()}
    parts = {
        part: {"title": titles.get(part, ""), "settings": settings, "ids": ids[part]}
        for part, settings in PARTS.items()
    }
    return {"fields": fields, "parts": parts}


def in_field(name: str, value: Any) -> Any:
    """A setting's value as its field holds it: a number as text."""
    return str(value).removesuffix(".0") if name in ASKED and not ASKED[name].choices else value


def as_on_page(sentence: str) -> str:
    """A message of the core, with its field named as in the form."""
    field, rest = sentence.split(" ", 1)
    return f"{LABELS.get(field, field)} {rest}"
