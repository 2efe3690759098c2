"""Footnotes of a table: the sentences behind the numbers in the column of warnings, each once, with its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchrig.language import say, say_data
from benchrig.report.sentences import sentence, title
from benchrig.report.table import Row
from benchrig.results.warnings import Warning, grouped, merged

MOST_SENTENCES = 3
"""More warnings than these that differ in their numbers only become one sentence, with ranges."""


MOST_LINES = 50
"""Of a footnote; each is about another text, such as the cause of a failure."""


@dataclass(frozen=True)
class Footnote:
    """A warning's code or a row's status, and a line for each different sentence: the rows it is about, and the sentence."""

    kind: str
    lines: tuple[str, ...]


def footnotes(rows: Sequence[Row]) -> tuple[Footnote, ...]:
    """Return the footnotes of a table; the first is number 1."""
    measured = [row.label for row in rows if row.status == "measured"]
    lines: dict[str, list[str]] = {}
    for kind in dict.fromkeys(kind for row in rows for kind in _kinds(row)):
        lines[kind] = [_line(_named(names, measured), text) for text, names in _texts(kind, rows)]
    return tuple(Footnote(kind, _some(texts)) for kind, texts in lines.items())


def _some(texts: Sequence[str]) -> tuple[str, ...]:
    if len(texts) <= MOST_LINES:
        return tuple(texts)
    return (*texts[:MOST_LINES], say("and {count} more, in report.json", count=f"{len(texts) - MOST_LINES:,}"))


def _line(names: str, text: str) -> str:
    return say("{names}: {text}", names=names, text=text)


def reference(row: Row, footnotes: Sequence[Footnote]) -> str:
    """Return what the column of warnings shows for a row: `invalid 1,4`, `failed 2`, `3`, or nothing."""
    kinds = _kinds(row)
    numbers = [str(number) for number, footnote in enumerate(footnotes, 1) if footnote.kind in kinds]
    word = _status(row) if row.status != "measured" else say("invalid") if row.invalid else ""
    return " ".join(filter(None, [word, ",".join(numbers)]))


def _kinds(row: Row) -> list[str]:
    codes = [title(warning.code) for warning in row.warnings]
    return codes if row.status == "measured" else [*codes, _status(row)]


def _texts(kind: str, rows: Sequence[Row]) -> Iterator[tuple[str, Sequence[str]]]:
    """Return each text under a footnote with the labels of its rows."""
    about = [(row.label, warning) for row in rows for warning in row.warnings if title(warning.code) == kind]
    for group in grouped(warning for _, warning in about):
        yield from _sentences(group, [(label, warning) for label, warning in about if warning.kind == group[0].kind])
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.status != "measured" and _status(row) == kind:
            reasons.setdefault(row.reason, []).append(row.label)
    yield from reasons.items()


def _sentences(group: Sequence[Warning], about: Sequence[tuple[str, Warning]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Return the sentences of warnings that differ in their numbers only: one for all of them where they are many."""
    texts: dict[str, list[str]] = {}
    for label, warning in about:
        texts.setdefault(sentence(warning), []).append(label)
    if len(texts) > MOST_SENTENCES:
        yield sentence(merged(group)), [label for label, _ in about]
    else:
        yield from texts.items()


def _named(names: Sequence[str], measured: Sequence[str]) -> str:
    if len(measured) > MOST_SENTENCES and set(names) == set(measured):
        return say("every row")
    return say(", ").join(names)


def _status(row: Row) -> str:
    return say_data(row.status.replace("_", " "))
