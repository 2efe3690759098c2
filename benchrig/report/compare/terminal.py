"""A comparison on a terminal: a block for each metric, as benchstat prints them, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchrig.console import Span
from benchrig.report import describe
from benchrig.report.compare import texts
from benchrig.report.compare.texts import Block
from benchrig.report.compare.values import Change, Comparison, MetricMean, Pairing
from benchrig.report.plain import Page, fitting, hidden, text_width, wrapped
from benchrig.report.verdict import Answer

_STYLES = {Answer.BETTER: "good", Answer.WORSE: "bad"}
_REPEATS, _P = 4, 5
"""Columns that a narrow terminal does without, by their place."""


@dataclass(frozen=True)
class _Line:
    """A line of a block: its cells, and the style of its verdict."""

    cells: tuple[str, ...]
    style: str = ""


def render(comparison: Comparison, width: int | None = None) -> Page:
    """Return a comparison as a text, in `width` columns if it fits."""
    text, spans = "", []
    for pairing in comparison.pairings:
        part = _pairing(pairing, comparison, width)
        begin = len(text) + 2 if text else 0
        text = f"{text}\n\n{part.text}" if text else part.text
        spans += [Span(begin + one.start, begin + one.end, one.style) for one in part.spans]
    return Page(text, tuple(spans))


def _pairing(pairing: Pairing, comparison: Comparison, width: int | None) -> Page:
    room = text_width(width)
    sides = ("A", pairing.side)
    head = [f"{side}  {describe.heading_lines(of)[0]}" for side, of in zip(sides, (pairing.a, pairing.b), strict=True)]
    differing = [f"    {one.line(sides)}" for one in pairing.conditions]
    if differing:
        differing.insert(0, "these conditions differ, and may explain a difference in the figures")
    before = [head, list(texts.notes(pairing)), differing]
    shown, dropped, styles = _blocks(pairing, width)
    after = [
        list(texts.not_judged(pairing)),
        list(texts.closing(pairing, comparison.noise)),
        list(texts.only(pairing)),
    ]
    command = ["./inv", "compare", pairing.a.name, pairing.b.name]
    sections = [
        *(_wrapped(lines, room) for lines in before),
        shown,
        "\n".join(hidden(dropped, command, room)),
        *(_wrapped(lines, room) for lines in after),
    ]
    text = "\n\n".join(filter(None, sections))
    return Page(text, tuple(_spans(text, text.index(shown), styles)))


def _wrapped(lines: Sequence[str], room: int) -> str:
    return "\n".join(wrapped(line, room) for line in lines)


def _blocks(pairing: Pairing, width: int | None) -> tuple[str, tuple[str, ...], list[tuple[str, str]]]:
    """Return all blocks as one text, the columns that were dropped, and the lines to colour with their styles."""
    blocks = texts.blocks(pairing)
    full = [block for block in blocks if not block.is_nothing]
    headings = ["row", "A", pairing.side, "change", "n", "p", "verdict"]
    table, dropped, lines = _table(headings, full, width, with_spread=True)
    if dropped:
        # The interval of the change says more than those of the two medians.
        table, dropped, lines = _table(headings, full, width, with_spread=False)
    heading, rule, *rest = table.splitlines()
    parts, styles, at = [], [], 0
    for block in full:
        count = len(block.changes) + (block.mean is not None)
        of_block = [one.rstrip() for one in rest[at : at + count]]
        parts.append("\n".join([block.title, heading.rstrip(), rule, *of_block]))
        styles += [(text, line.style) for text, line in zip(of_block, lines[at : at + count], strict=True) if line.style]
        at += count
    parts += [f"{block.metric.label}: 0 in every row" for block in blocks if block.is_nothing]
    return "\n\n".join(parts), dropped, styles


def _table(
    headings: Sequence[str], blocks: Sequence[Block], width: int | None, *, with_spread: bool
) -> tuple[str, tuple[str, ...], list[_Line]]:
    """Return the lines of all blocks as one table, so that their columns stand below each other."""
    lines = [line for block in blocks for line in _lines(block, with_spread=with_spread)]
    table, dropped = fitting(headings, [line.cells for line in lines], 1, width, [(_REPEATS,), (_P,)])
    return table, dropped, lines


def _lines(block: Block, *, with_spread: bool) -> Iterator[_Line]:
    for change in block.changes:
        yield _Line(_cells(change, with_spread=with_spread), _STYLES.get(change.verdict, ""))
    if block.mean:
        yield _Line(_mean(block.mean))


def _cells(change: Change, *, with_spread: bool) -> tuple[str, ...]:
    values = [
        " ".join(filter(None, (texts.figure(change.metric, sample), texts.spread(sample) if with_spread else "")))
        for sample in (change.a, change.b)
    ]
    shown = (texts.change_text(change), texts.repeats_text(change), texts.p_text(change), texts.verdict_text(change))
    return (change.row, *values, *shown)


def _mean(mean: MetricMean) -> tuple[str, ...]:
    return (f"geomean of {mean.mean.rows}", "", "", texts.mean_text(mean), "", "", "")


def _spans(text: str, at: int, styles: Sequence[tuple[str, str]]) -> Iterator[Span]:
    """Yield the verdict at the end of each line that has a style."""
    for line, style in styles:
        at = text.index(line, at)
        end = at + len(line)
        yield Span(end - len(line.split()[-1]), end, style)
        at = end
