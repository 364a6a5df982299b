"""JSON of files is what every reader takes, and all else is refused in one short line."""

import json

import pytest

from vae_core.settings import check_int, check_text
from vae_core.storage.plain_json import brief, check_each, check_list, check_object, parse_json, read_json

GOOD = [None, True, 0, -(2**53), 2**53, -1.5, 1e300, "β 😀 \n", [], {}, [[1], {"a": [None]}], {"ä": {"b": 1e-5}}]


@pytest.mark.parametrize("value", GOOD, ids=repr)
def test_a_value_is_read_as_it_was_written(tmp_path, value):
    for is_ascii in (True, False):
        text = json.dumps(value, ensure_ascii=is_ascii)
        assert parse_json(text) == parse_json(text.encode()) == value
        (tmp_path / "a.json").write_bytes(text.encode())
        assert read_json(tmp_path / "a.json") == value


def nested(levels):
    return "[" * levels + "]" * levels


BAD = {
    "": "Expecting value",
    "{": "Expecting property name",
    "NaN": "not finite",
    "[Infinity]": "not finite",
    '{"a": [-1e999]}': "not finite",
    str(10**21): "larger than 2⁵³",
    str(-(2**53) - 1): "larger than 2⁵³",
    "1" * 5000: "4300 digits",
    r'"\ud800"': "surrogate",
    r'{"\udfff": 1}': "surrogate",
    nested(33): "nested deeper",
    nested(1000): "nested deeper",
    nested(400_000): "nested deeper",
    '{"a":' * 900 + "1" + "}" * 900: "nested deeper",
    " " * (2**20 + 1): "larger than 1,048,576 bytes",
}


@pytest.mark.parametrize(("text", "fault"), BAD.items(), ids=lambda text: text[:12])
def test_what_not_every_reader_takes_is_refused(tmp_path, text, fault):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    for read in (lambda: parse_json(text), lambda: read_json(tmp_path / "a.json")):
        with pytest.raises(ValueError, match=fault):
            read()


@pytest.mark.parametrize("content", [b"\xff", b'"\xe9"', '"é"'.encode("utf-16"), '"é"'.encode("latin-1")])
def test_another_encoding_is_refused(content):
    with pytest.raises(ValueError, match="codec"):
        parse_json(content)


def test_the_deepest_that_is_taken():
    assert parse_json(nested(32)) and json.dumps(parse_json(nested(32))) == nested(32)


def test_objects_are_checked_field_by_field():
    checks = {"a": lambda name, value: check_int(name, value, 0, 9), "b": check_text}
    assert check_object("it", {"a": 3, "c": [1]}, checks, ["a"]) == {"a": 3, "c": [1]}
    assert check_object("it", {"a": None}, checks) == {"a": None}
    for value, fault in (([], "it is not an object"), ({"b": ""}, "it has no a"), ({"a": True}, "a is True")):
        with pytest.raises(ValueError, match=fault):
            check_object("it", value, checks, ["a"])
    assert check_each("it", {"x": "1", "y": "2"}, check_text) == {"x": "1", "y": "2"}
    for value in ([], {"x": 1}):
        with pytest.raises(ValueError, match=r"it is not an object|x is 1"):
            check_each("it", value, check_text)
    assert check_list("it", ["1"], check_text, 1) == ["1"]
    for value in ("1", ["1", "2"], [1]):
        with pytest.raises(ValueError, match=r"it must be a list of 1|it is 1"):
            check_list("it", value, check_text, 1)


def test_a_line_is_brief():
    assert brief(ValueError("a\nb  c")) == "a b c" and len(brief("x" * 10**6)) == 200
