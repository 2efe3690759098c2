"""The file of claims: `configs/claims/NAME.yml` has what the article of the published set NAME concludes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchrig import reading, yamlfile
from benchrig.mistakes import Mistakes
from benchrig.report import published
from benchrig.report.claims import parser
from benchrig.report.claims.functions import names_of
from benchrig.report.claims.language import Expression, Names
from benchrig.report.claims.parser import ExpressionError
from benchrig.report.translations import Translations, Translator


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
    translations: Translations = field(default_factory=dict)
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
    reader.translator.check(reader.mistakes)
    reader.mistakes.raise_all()
    return claims


class _Reader:
    """Reads the claims of a file, and collects the mistakes."""

    def __init__(self, document: yamlfile.Document, names: Names, translations: Translations) -> None:
        self.document = document
        self.names = names
        self.translator = Translator(document, translations)
        self.mistakes = Mistakes()

    def claim(self, name: str, written: ClaimFile) -> Claim:
        where = ("claims", name)
        if bool(written.expression) == bool(written.not_testable):
            wrong = "a claim has either an 'expression' or a reason in 'not_testable'"
            self.mistakes.add(self.document.where(where), wrong)
        causes = [
            Cause(when, self.translator.text(cause.says))
            for index, cause in enumerate(written.causes)
            if (when := self.expression((*where, "causes", index, "when"), cause.when))
        ]
        expression = self.expression((*where, "expression"), written.expression) if written.expression else None
        says, place, untestable = map(self.translator.text, (written.says, written.place, written.not_testable))
        return Claim(name, says, place, expression, untestable, tuple(causes))

    def expression(self, where: tuple[str | int, ...], text: str) -> Expression | None:
        try:
            return parser.parse(text, self.names)
        except ExpressionError as error:
            self.mistakes.add(self.document.where(where), str(error))
            return None
