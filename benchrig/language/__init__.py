"""The languages of reports: a text in English, and its translation where another language is in use.

A text that a report shows is written in English where it is used, and passed to `say`. `LANGUAGE.po` beside this file has
its translation. A text without one stays English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from benchrig.errors import unknown

ENGLISH = "en"

LANGUAGES = (ENGLISH, *sorted(path.stem for path in Path(__file__).parent.glob("*.po")))

_in_use: ContextVar[str] = ContextVar("language", default=ENGLISH)


def check(language: str) -> None:
    """Raise InputError, naming the languages there are, when this is none of them."""
    if language not in LANGUAGES:
        raise unknown("language", language, LANGUAGES)


@contextmanager
def use(language: str) -> Iterator[None]:
    """Use a language for all that is said within. Raises InputError when it is unknown."""
    check(language)
    token = _in_use.set(language)
    try:
        yield
    finally:
        _in_use.reset(token)


def in_use() -> str:
    """Return the language in use."""
    return _in_use.get()


def say(text: str, /, **values: object) -> str:
    """Return a text in the language in use, with its `{values}` filled in; without values, braces are plain text."""
    template = _catalogue(_in_use.get()).get(text) or text
    return template.format(**values) if values else template


def say_count(one: str, many: str, count: int, /, **values: object) -> str:
    """Return `one` where the count is 1, else `many`; `{count}` in it is the count with its thousands apart."""
    return say(one if count == 1 else many, count=f"{count:,}", **values)


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    if language == ENGLISH:
        return {}
    import polib

    entries = polib.pofile(str(Path(__file__).with_name(f"{language}.po")))
    return {entry.msgid: entry.msgstr for entry in entries if entry.msgstr}
