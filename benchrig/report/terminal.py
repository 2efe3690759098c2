"""The table as plain text for a terminal: the run, its machines, the table, and below it what the notes say."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import tabulate

from benchrig.report import columns
from benchrig.report.columns import Grid
from benchrig.report.describe import machine_line, run_line, source_lines, what_ran
from benchrig.report.notes import Note
from benchrig.report.table import Table

# Columns are two spaces apart already; without this a heading takes two more, and the table no longer fits a screen.
tabulate.MIN_PADDING = 0

_SYSTEM_WIDTH = 26
_TEXT_WIDTH = 140


def render(table: Table, lang: str = "en") -> str:
    """Return the report as text without colours, with headings in `lang`. Raises InputError for an unknown language."""
    grid = columns.grid(table, lang)
    sections = [
        [run_line(table), *(machine_line(machine) for machine in table.run.machines)],
        [_table(grid)],
        [line for number, note in enumerate(grid.notes, 1) for line in _note(number, note)],
        ["not run: " + ", ".join(table.not_run)] if table.not_run else [],
        _block("ran", what_ran(table.rows)),
        _block("published", source_lines(table.published)) if table.published else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _table(grid: Grid) -> str:
    figures = len(grid.headings) - 2
    return tabulate.tabulate(
        grid.rows,
        headers=grid.headings,
        tablefmt="simple",
        colalign=("left", *("right",) * figures, "left"),
        maxcolwidths=[_SYSTEM_WIDTH, *(None,) * (figures + 1)],
        disable_numparse=True,
    )


def _note(number: int, note: Note) -> list[str]:
    return [f"[{number}] {note.kind}", *(line for text in note.lines for line in _item(text))]


def _item(text: str) -> list[str]:
    """Return an indented line; what follows it, such as a journal's tail, stands deeper and is not wrapped."""
    first, *rest = text.splitlines()
    return [_wrapped(f"    {first}"), *(f"        {line}" for line in rest)]


def _block(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(_wrapped(f"    {line}") for line in lines)] if lines else []


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _TEXT_WIDTH, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)
