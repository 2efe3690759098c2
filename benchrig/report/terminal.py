"""The report on a terminal: what was measured, the table, its footnotes, what ran, and how many claims hold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from benchrig.console import Span
from benchrig.drawing import UNICODE, Signs
from benchrig.language import say
from benchrig.report import columns, describe, terminal_table
from benchrig.report.document import Report
from benchrig.report.footnotes import Footnote
from benchrig.report.legend import legend
from benchrig.report.plain import Page, text_width, wrapped
from benchrig.report.spoken import spoken
from benchrig.report.summary import summary, words


def width_of(stream: TextIO) -> int | None:
    """Return the width of a terminal in columns; None where the stream is no terminal, or its width is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def render(report: Report, width: int | None = None) -> str:
    """Return the report as text without colours, in the language in use, in `width` columns if it fits."""
    return page(report, width).text


def page(report: Report, width: int | None = None, signs: Signs = UNICODE) -> Page:
    """Return the report as text with what a terminal colours, in the language in use, in `width` columns if it fits."""
    report = spoken(report)
    table = report.table
    grid = columns.grid(table, columns.of_terminal(table, report.columns))
    shown, said_of_hidden = terminal_table.render(report, grid, width, signs)
    room = text_width(width)
    head = "\n".join(wrapped(line, room) for line in describe.heading_lines(table))
    sections = [
        [line for said, command in legend(table) for line in _with_command(said, command, room)],
        said_of_hidden,
        [line for number, footnote in enumerate(grid.footnotes, 1) for line in _footnote(number, footnote, room)],
        [say("not run: {rows}", rows=say(", ").join(table.not_run))] if table.not_run else [],
        _block(say("ran"), describe.what_ran(table.rows), room),
        _block(say("published"), describe.source_lines(table.published), room) if table.published else [],
        _claims(report, room),
        [say("as a page, with all columns: {path}", path=report.page)] if report.page else [],
    ]
    above = "\n\n".join([head, *([wrapped(first, room)] if (first := _first(report)) else [])])
    text = "\n\n".join([above, shown.text, *("\n".join(lines) for lines in sections if lines)])
    at = len(above) + 2
    return Page(text, tuple(Span(at + one.start, at + one.end, one.style) for one in shown.spans))


def _first(report: Report) -> str:
    """Return who is first, as the first screen of the page says it; empty where no rows can be compared."""
    found = summary(report)
    if len(report.table.rows) < 2 or report.table.left_out:
        return ""
    group = words.about_group(found, found.finding)
    said = words.headline(found.finding)
    return say("{names}: {text}", names=group, text=said) if group else said


def _claims(report: Report, room: int) -> list[str]:
    """Return the number of claims of each verdict, and the next step; its command is not wrapped, to be copied."""
    if not report.verdicts:
        return []
    more = describe.next_steps(report.table, report.verdicts)
    counts, run = describe.verdict_counts(report.verdicts), report.table.name
    count = say("claims: {counts} (./inv claims {run})", counts=counts, run=run)
    return [wrapped(count, room), *(line for what, command in more for line in _with_command(what, command, room))]


def _with_command(said: str, command: str, room: int) -> list[str]:
    """Return a line, wrapped, and below it a command that is not, to be copied."""
    return [wrapped(said, room), *([f"    {command}"] if command else [])]


def _footnote(number: int, footnote: Footnote, room: int) -> list[str]:
    return [f"[{number}] {footnote.kind}", *(line for text in footnote.lines for line in _item(text, room))]


def _item(text: str, room: int) -> list[str]:
    """Return an indented line; further lines, such as the end of a journal, are indented more and not wrapped."""
    first, *rest = text.splitlines()
    return [wrapped(f"    {first}", room), *(f"        {line}" for line in rest)]


def _block(title: str, lines: Sequence[str], room: int) -> list[str]:
    return [title, *(wrapped(f"    {line}", room) for line in lines)] if lines else []
