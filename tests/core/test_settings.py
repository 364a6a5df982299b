"""A setting is declared once: its check, option, default and name all come from there."""

import dataclasses
from dataclasses import dataclass

import pytest

from vae_core import TrainConfig, VAEConfig
from vae_core.cli import parser
from vae_core.config import SETTINGS, may_change
from vae_core.settings import FaultsError, check_settings, choice, number, settings_of, typed, whole

NOW = dataclasses.asdict(VAEConfig(likelihood="gaussian")) | dataclasses.asdict(TrainConfig())


@dataclass(frozen=True)
class Example:
    """With a setting of each kind."""

    layers: int = whole(3, 1, 9, "Layers of it")
    width: float = number(0.5, 0, 2, "Width w", above=True, short="w")
    colour: str = choice("red", {"red": "deep red", "blue": "blue"}, "Colour")
    most: int | None = whole(None, 1, 9, "Most")

    def __post_init__(self):
        check_settings(self)


def test_what_is_declared_is_checked_and_kept_as_it_should_be():
    example = Example(width=1)
    assert example == Example(3, 1.0, "red", None) and isinstance(example.width, float)
    assert list(settings_of(Example)) == ["layers", "width", "colour", "most"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "layers is 0; it must be a whole number from 1 to 9."),
        ({"layers": None}, "layers is empty; it must be a whole number from 1 to 9."),
        ({"width": 0}, "width is 0; it must be a number above 0, at most 2."),
        ({"colour": "green"}, "colour is 'green'; it must be one of red, blue."),
        ({"most": 10}, "most is 10; it must be a whole number from 1 to 9."),
    ],
)
def test_what_is_wrong_is_one_sentence(wrong, message):
    with pytest.raises(ValueError) as caught:
        Example(**wrong)
    assert str(caught.value) == message


def test_all_that_is_wrong_is_said_at_once_by_field():
    with pytest.raises(FaultsError) as caught:
        Example(layers=0, width=3, colour="red", most="many")
    assert list(caught.value.faults) == ["layers", "width", "most"]
    assert str(caught.value) == " ".join(caught.value.faults.values())
    with pytest.raises(FaultsError) as caught:
        TrainConfig(batch_size=100_000, samples=5, objective="importance-weighted", free_bits=1)
    assert caught.value.faults == {
        "batch_size": "batch_size is 100000; with L = 5 it may be at most 26214.",
        "samples": "samples is 5; with batches of 100000 it may be at most 1.",
        "free_bits": "free_bits is 1; it must be 0 unless the objective is the ELBO.",
    }
    with pytest.raises(FaultsError) as caught:
        TrainConfig(objective="importance-weighted", gradient="detached")
    sentence = "gradient is detached; it must be reparameterized unless the objective is the ELBO."
    assert caught.value.faults == {"gradient": sentence}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5), ("0,5", 0.5), (" ,5 ", 0.5), ("5,", 5), ("−0,25", -0.25), ("+3", 3), ("0,001", 0.001),
        ("1e-3", 0.001), ("1,5E-3", 0.0015), ("1e3", 1000), ("12.0", 12), ("4294967295", 4294967295), ("1.000", 1),
        ("", None), ("  ", None), ("abc", "abc"), ("1.2.3", "1.2.3"), ("1,2,3", "1,2,3"), ("1.234,5", "1.234,5"),
        ("1_000", "1_000"), ("nan", "nan"), ("inf", "inf"), ("0x10", "0x10"), ("٣", "٣"), ("5 000", "5 000"),
    ],
)  # fmt: skip
def test_a_number_is_typed_with_a_point_or_a_comma(text, value):
    found = typed("width", text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("text", "one", "other"), [("1,000", "1000", "1.000"), ("-12,345", "-12345", "-12.345")])
def test_what_can_be_read_as_two_numbers_is_taken_as_neither(text, one, other):
    with pytest.raises(ValueError) as caught:
        typed("width", text)
    assert str(caught.value) == f"width is '{text}', which can mean two numbers: write {one} or {other}."


def test_only_numbers_are_read_from_text():
    settings = settings_of(Example)
    assert settings["width"].read("width", "0,25") == 0.25 and settings["layers"].read("layers", "4") == 4
    assert settings["layers"].read("layers", 7.5) == 7.5 and settings["colour"].read("colour", "1,5") == "1,5"
    with pytest.raises(ValueError, match=r"layers is 2\.5; it must be a whole number"):
        Example(layers=settings["layers"].read("layers", "2,5"))
    with pytest.raises(ValueError, match="layers is inf; it must be a whole number"):
        Example(layers=settings["layers"].read("layers", "1" + "0" * 5000))


def test_a_line_and_a_legend_say_it_alike():
    settings = settings_of(Example)
    assert settings["layers"].shown(4) == "layers of it 4"
    assert settings["width"].shown(1.5) == "w = 1.5"
    assert settings["colour"].shown("red") == "colour deep red"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_of_the_command_line(name):
    value = next(iter(SETTINGS[name].choices), "1")
    option = f"--{name.replace('_', '-')}"
    given = vars(parser().parse_args(["train", "--out", "x", option, value]))
    assert given[name] == SETTINGS[name].kind(value)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_changes_in_mid_run_means_something_then(name):
    setting = SETTINGS[name]
    assert not may_change(name, NOW) or setting.matters(NOW)
    assert not may_change("sigma", NOW | {"sigma_mode": "learned"})
    assert not may_change("sigma", NOW | {"likelihood": "bernoulli"})
