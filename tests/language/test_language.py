"""What is said in a language: at once, or later by a text that was made before the language was known."""

from __future__ import annotations

import copy
import json
import time

import pytest

from benchrig.errors import InputError
from benchrig.language import LANGUAGES, Later, Text, joined, later, later_count, say, say_count, told, use


def test_english_is_as_written() -> None:
    assert say("mean latency") == "mean latency"
    assert say("{a} of {b} {{}}", a=1, b="{c}") == "1 of {c} {}"
    assert say("without values, {braces} stay") == "without values, {braces} stay"


def test_chinese_is_the_catalogues_and_what_it_lacks_stays_english() -> None:
    with use("zh"):
        assert say("mean latency") == "平均延迟"
        assert say_count("{count} repeat", "{count} repeats", 1200) == "1,200 次重复"
        assert say("no catalogue has this {x}", x=1) == "no catalogue has this 1"
    assert say("mean latency") == "mean latency"


def test_an_unknown_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="zh"), use("zz"):
        pass
    assert "zh" in LANGUAGES


def test_a_text_is_english_until_it_is_shown_in_another_language() -> None:
    text = later("{text} ({detail})", text=later("yes"), detail=later_count("{count} timeout", "{count} timeouts", 2))
    assert text == "yes (2 timeouts)"
    assert json.dumps([text]) == '["yes (2 timeouts)"]'
    with use("zh"):
        assert told(text) == "是（2 次超时）"
        assert f"{text}" == "是（2 次超时）"
        assert text == "yes (2 timeouts)"
    assert told(text) == "yes (2 timeouts)"


def test_a_text_made_in_another_language_is_english_too() -> None:
    with use("zh"):
        text = later("{text} ({detail})", text=later("no"), detail=Later(lambda: say("not known")))
    assert text == "no (not known)"
    with use("zh"):
        assert told(text) == "否（未知）"


def test_texts_are_joined_in_the_language_in_use() -> None:
    text = joined([later("yes"), "Go"], later(", "))
    assert text == "yes, Go"
    with use("zh"):
        assert told(text) == "是、Go"


def test_a_text_may_have_translations_of_its_own() -> None:
    text = Text("Go is {fast}.", translations={"zh": "Go {很快}。"})
    assert text == "Go is {fast}."
    with use("zh"):
        assert told(text) == "Go {很快}。"


def test_a_text_is_copied_as_it_is() -> None:
    text = later("yes")
    assert copy.deepcopy([text])[0] is text


def test_english_costs_next_to_nothing() -> None:
    begun = time.perf_counter()
    for number in range(50_000):
        say("{low} to {high}", low=number, high=1)
    assert time.perf_counter() - begun < 1.0
