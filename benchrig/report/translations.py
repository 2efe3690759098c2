"""Texts of a YAML file with their translations in the same file, for reports in other languages."""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.agent.text import short
from benchrig.errors import unknown
from benchrig.language import LANGUAGES, Text
from benchrig.mistakes import Mistakes
from benchrig.yamlfile import Document

Translations = Mapping[str, Mapping[str, str]]
"""By language, such as `zh`: texts of the file, each with its translation."""

KEY = "translations"


class Translator:
    """Gives the texts of a file their translations, and knows which translations are of no text."""

    def __init__(self, document: Document, translations: Translations) -> None:
        self._document = document
        self._translations = translations
        self._said: set[str] = set()

    def text(self, written: str) -> Text:
        """Return a text of the file with its translations."""
        self._said.add(written)
        found = {name: texts[written] for name, texts in self._translations.items() if written in texts}
        return Text(written, translations=found)

    def check(self, mistakes: Mistakes) -> None:
        """Add a mistake for each language that there is not, and for each translation of a text that the file has not."""
        for name, texts in self._translations.items():
            if name not in LANGUAGES:
                mistakes.add(self._document.where((KEY, name)), str(unknown("language", name, LANGUAGES)))
            for text in texts:
                if text not in self._said:
                    mistakes.add(self._document.where((KEY, name, text)), f"nothing here says '{short(text, 100)}'")
