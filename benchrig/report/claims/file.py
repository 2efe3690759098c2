"""The file of claims: `configs/claims/NAME.yml` has what the article of the published set NAME concludes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchrig import language, reading, yamlfile
from benchrig.agent.text import short
from benchrig.errors import unknown
from benchrig.language import Text
from benchrig.mistakes import Mistakes
from benchrig.report import published
from benchrig.report.claims import parser
from benchrig.report.claims.functions import names_of
from benchrig.report.claims.language import Expression, Names
from benchrig.report.claims.parser import ExpressionError


@dataclass(frozen=True)
class Cause:
    """A cause behind a claim, which reports name where the results show it."""

    when: Expression
    says: str


@dataclass(frozen=True)
class Claim:
    """One conclusion of a document. It has either an expression, or the reason why it cannot be tested."""

    name: str
    says: str
    """The conclusion in our own words."""
    place: str
    """Its place in the article."""
    expression: Expression | None
    not_testable: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class CauseFile:
    when: str
    says: str


@dataclass(frozen=True)
class ClaimFile:
    says: str
    place: str
    expression: str = ""
    not_testable: str = ""
    causes: tuple[CauseFile, ...] = ()


@dataclass(frozen=True)
class ClaimsFile:
    """What `configs/claims/NAME.yml` holds."""

    claims: Mapping[str, ClaimFile]
    other_rows: tuple[str, ...] = ()
    """Rows of our suites that the article does not have, and that expressions may name."""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By language, such as `zh`: the texts of the claims and their causes, each with its translation."""


def read(name: str, root: Path) -> tuple[Claim, ...] | None:
    """Read `configs/claims/NAME.yml`, the claims of the published set NAME; None when there is no such file.

    Raises InputError with `file:line` for each mistake, and the column of one in an expression.
    """
    path = root / "configs" / "claims" / f"{name}.yml"
    if not reading.is_there(path):
        return None
    document = yamlfile.read(path)
    file = document.build(ClaimsFile)
    names = names_of(published.read(name, root).rows, file.other_rows)
    reader = _Reader(document, names, file.translations)
    claims = tuple(reader.claim(claim, written) for claim, written in file.claims.items())
    reader.check_translations()
    reader.mistakes.raise_all()
    return claims


class _Reader:
    """Reads the claims of a file, and collects the mistakes."""

    def __init__(self, document: yamlfile.Document, names: Names, translations: Mapping[str, Mapping[str, str]]) -> None:
        self.document = document
        self.names = names
        self.translations = translations
        self.mistakes = Mistakes()
        self.said: set[str] = set()

    def text(self, written: str) -> Text:
        """Return a text of the file with its translations."""
        self.said.add(written)
        others = {name: texts[written] for name, texts in self.translations.items() if written in texts}
        return Text(written, translations=others)

    def check_translations(self) -> None:
        """Note a language that there is not, and a translation of a text that no claim has."""
        for name, texts in self.translations.items():
            if name not in language.LANGUAGES:
                wrong = unknown("language", name, language.LANGUAGES)
                self.mistakes.add(self.document.where(("translations", name)), str(wrong))
            for text in texts:
                if text not in self.said:
                    wrong_text = f"no claim says '{short(text)}'"
                    self.mistakes.add(self.document.where(("translations", name, text)), wrong_text)

    def claim(self, name: str, written: ClaimFile) -> Claim:
        where = ("claims", name)
        if bool(written.expression) == bool(written.not_testable):
            wrong = "a claim has either an 'expression' or a reason in 'not_testable'"
            self.mistakes.add(self.document.where(where), wrong)
        causes = [
            Cause(when, self.text(cause.says))
            for index, cause in enumerate(written.causes)
            if (when := self.expression((*where, "causes", index, "when"), cause.when))
        ]
        expression = self.expression((*where, "expression"), written.expression) if written.expression else None
        says, place, untestable = map(self.text, (written.says, written.place, written.not_testable))
        return Claim(name, says, place, expression, untestable, tuple(causes))

    def expression(self, where: tuple[str | int, ...], text: str) -> Expression | None:
        try:
            return parser.parse(text, self.names)
        except ExpressionError as error:
            self.mistakes.add(self.document.where(where), str(error))
            return None
