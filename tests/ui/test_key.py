"""A visitor's key: words that stand for a browser's id, and nothing else that somebody types."""

import secrets

import pytest

from ui.tabs.key import browser_from, key_words, read_key

from .conftest import ANNA, trained

NEW = "0" * 32


def test_the_words_stand_for_the_id_and_are_those_of_the_standard(backend):
    # A vector of BIP 39: 128 bits of zero.
    assert key_words(backend, {"browser": NEW}) == {"words": " ".join(["abandon"] * 11 + ["about"])}
    for browser in (secrets.token_hex(16) for _ in range(20)):
        words = key_words(backend, {"browser": browser})["words"]
        assert len(words.split()) == 12
        for typed in (words, f"  {words.upper()}\n", words.replace(" ", "\n  "), browser, browser.upper()):
            assert browser_from(typed) == browser


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "A key is twelve words; that is 0."),
        ("abandon " * 11, "that is 11"),
        ("abandon " * 11 + "abuot", "'abuot' is not a word of a key"),
        ("abandon " * 12, "One of the words, or their order, is not right"),
        ("about " + "abandon " * 11, "One of the words, or their order, is not right"),
        ("x" * 32, "twelve words; that is 1"),
        ("a" * 500, "A key is twelve words."),
        (None, "A key is twelve words."),
        (["a"], "A key is twelve words."),
    ],
)
def test_what_is_no_key_is_refused_in_a_sentence(backend, typed, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_key(backend, {"browser": NEW, "key": typed})


def test_a_key_says_how_many_runs_it_brings(backend):
    trained(backend)
    words = key_words(backend, {"browser": ANNA})["words"]
    assert read_key(backend, {"browser": NEW, "key": words}) == {"browser": ANNA, "runs": 1, "own": 0}
    assert read_key(backend, {"browser": ANNA, "key": words})["own"] == 1
    with pytest.raises(ValueError, match="No runs on this server belong to that key"):
        read_key(backend, {"browser": ANNA, "key": key_words(backend, {"browser": NEW})["words"]})


@pytest.mark.parametrize("browser", ["", "x", "a" * 31, 7, None])
def test_only_a_browser_has_a_key(backend, browser):
    with pytest.raises(ValueError, match="names no browser"):
        key_words(backend, {"browser": browser})
