"""The catalogues of translations: each has every text that reports say, with the same values, and nothing else."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from benchrig import language
from benchrig.report import catalogue
from benchrig.report.catalogue import fields

TRANSLATED = [name for name in language.LANGUAGES if name != language.ENGLISH]


@cache
def _said() -> frozenset[str]:
    return frozenset(catalogue.texts())


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_is_translated(name: str) -> None:
    assert [(entry.msgid, entry.occurrences) for entry in catalogue.missing(name)] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_values_of_its_text(name: str) -> None:
    differing = [
        entry.msgid
        for entry in catalogue.catalogue(name)
        if sorted(fields(entry.msgid)) != sorted(fields(entry.msgstr)) and entry.msgid in _said()
    ]
    assert differing == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_no_translation_is_of_a_text_that_nothing_says(name: str) -> None:
    assert [entry.msgid for entry in catalogue.catalogue(name) if entry.msgid not in _said()] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_no_text_is_translated_twice(name: str) -> None:
    counts = Counter(entry.msgid for entry in catalogue.catalogue(name))
    assert [text for text, count in counts.items() if count > 1] == []


def test_texts_are_found_in_code_and_in_templates(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "one.py").write_text(
        'say("a")\nlanguage.later("b {c}", c=1)\nsay_count("d", "e", 2)\nsay_data(f)\n'
    )
    (tmp_path / "report" / "two.html.j2").write_text(
        '<p title="{{ say("g") }}">{% call s(say("h", i=1)) %}x{% endcall %}</p>'
    )
    assert [text for _, text in catalogue.of_code(tmp_path)] == ["a", "b {c}", "d", "e"]
    assert {text for _, text in catalogue.of_templates(tmp_path)} == {"g", "h"}


@pytest.mark.parametrize("code", ["say(text)", 'say(f"{a}")', 'say_count("one", many, 2)', "say()"])
def test_a_text_that_is_no_literal_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "one.py").write_text(f"\n{code}\n")
    assert [place for place, text in catalogue.of_code(tmp_path) if text is None] == ["one.py:2"]


def test_nothing_is_said_but_literals() -> None:
    assert catalogue.unknown() == []
