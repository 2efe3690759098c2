"""The languages of reports: a text in English, and its translation where another language is in use.

A text that a report shows is written in English where it is used, and passed to `say`. `LANGUAGE.po` beside this file has
its translation. A text without one stays English. What is made before the language is known, such as the reason of a
verdict, is a `Text`, which `later` makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """Return a text in the language in use, with its `{values}` filled in; without values, braces are plain text.

    The text is a literal: `report/catalogue.py` finds it, and the tests ask for its translation.
    """
    if (language := _in_use.get()) != ENGLISH:
        text = _catalogue(language).get(text) or text
    return text.format(**values) if values else text


def say_count(one: str, many: str, count: int, /, **values: object) -> str:
    """Return `one` where the count is 1, else `many`; `{count}` in it is the count with its thousands apart."""
    return say(one if count == 1 else many, count=f"{count:,}", **values)


def say_data(text: str, /, **values: object) -> str:
    """Return what `say` returns of a text that is data, such as a heading; `report/catalogue.py` names where it stands."""
    return say(text, **values)


class Text(str):
    """A text that is made before the language is known: English, and in a format string in the language in use.

    Its values are filled in anew then, so that a `Text` and a `Later` among them are in that language too.
    """

    template: str
    values: Mapping[str, object]
    translations: Mapping[str, str]
    """By language, of a text that is not in our catalogue."""

    def __new__(
        cls, template: str, values: Mapping[str, object] | None = None, translations: Mapping[str, str] | None = None
    ) -> Text:
        """Make a text of its English and, by language, its translations; without them, the catalogue has them."""
        text = super().__new__(cls, _in_english(template, values) if values else template)
        text.template, text.values, text.translations = template, values or {}, translations or {}
        return text

    def __format__(self, spec: str) -> str:
        language = _in_use.get()
        if language == ENGLISH:
            return format(str(self), spec)
        template = self.translations.get(language) or self.template
        return format(say(template, **self.values), spec)

    def __deepcopy__(self, _: object) -> Text:
        return self


def _in_english(template: str, values: Mapping[str, object]) -> str:
    if _in_use.get() == ENGLISH:
        return template.format(**values)
    with use(ENGLISH):
        return template.format(**values)


class Later:
    """A value of a `Text` that is made in the language in use whenever that text is shown."""

    def __init__(self, make: Callable[[], str]) -> None:
        self.make = make

    def __format__(self, spec: str) -> str:
        return self.make()


def later(text: str, /, **values: object) -> Text:
    """Return a text, a literal as for `say`, that is put into the language in use when it is shown."""
    return Text(text, values)


def later_count(one: str, many: str, count: int, /, **values: object) -> Text:
    """Return what `later` returns of `one` where the count is 1, else of `many`; `{count}` is as in `say_count`."""
    return Text(one if count == 1 else many, {"count": f"{count:,}", **values})


def joined(texts: Sequence[str], separator: str) -> Text:
    """Return texts as one, each of them and the separator between them in the language in use when it is shown."""
    return Text("{joined}", {"joined": Later(lambda: told(separator).join(map(told, texts)))})


def punctuated(text: str) -> str:
    """Return a text with the punctuation of the language in use: Chinese marks have no blank behind them."""
    if _in_use.get() == ENGLISH:
        return text
    whole = re.sub(r"(?<=[。；：，、]) +", "", text)
    return whole.replace("; ", "；").replace(": ", "：")


def told(text: str) -> str:
    """Return a text in the language in use, where it is a `Text`; any other as it is."""
    return f"{text}"


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    import polib

    entries = polib.pofile(str(Path(__file__).with_name(f"{language}.po")))
    return {entry.msgid: entry.msgstr for entry in entries if entry.msgstr}
