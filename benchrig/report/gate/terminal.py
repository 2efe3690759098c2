"""A gate on a terminal: its judgement, then each condition with its reason, the failed ones first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from benchrig.report.gate import words
from benchrig.report.gate.model import Gate, Judged, Judgement
from benchrig.report.plain import text_width

_LABEL = 2 + max(map(len, words.WORDS.values()))
"""Columns before the text of a condition."""


def render(gate: Gate, width: int | None = None) -> str:
    """Return a gate as text for a terminal of `width` columns."""
    room = text_width(width)
    first = f"gate: {words.WORDS[gate.judgement]} ({words.counts(gate)})"
    head = [*_wrapped("", first, room), *_wrapped("", words.about(gate), room)]
    notes = [line for note in gate.notes for line in _wrapped("note: ", note, room)]
    shown = [one for judgement in Judgement if judgement is not Judgement.SKIPPED for one in gate.those(judgement)]
    conditions = [line for one in shown for line in _lines(one.judgement, words.condition(one, gate), one, gate, room)]
    return "\n".join([*head, *notes, "", *conditions, *_skipped(gate, room)])


def _skipped(gate: Gate, room: int) -> Iterator[str]:
    """Yield what was skipped, all of one reason together: an article may have many rows that the run has not."""
    by_reason: dict[str, list[Judged]] = {}
    for judged in gate.those(Judgement.SKIPPED):
        by_reason.setdefault(words.reason(judged, gate), []).append(judged)
    for several in by_reason.values():
        yield from _lines(Judgement.SKIPPED, ", ".join(one.condition for one in several), several[0], gate, room)


def _lines(judgement: Judgement, condition: str, judged: Judged, gate: Gate, room: int) -> Iterator[str]:
    yield from _wrapped(f"{words.WORDS[judgement]:<{_LABEL}}", condition, room)
    yield from _wrapped(" " * _LABEL, words.reason(judged, gate), room)


def _wrapped(start: str, text: str, room: int) -> list[str]:
    # A number and its sign stay on one line.
    lines = textwrap.wrap(
        text.replace(" %", "\N{NO-BREAK SPACE}%"),
        room,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
