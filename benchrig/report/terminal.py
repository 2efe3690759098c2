"""The table as plain text for a terminal: the run, its machines, the table, and below it what the notes say."""

from __future__ import annotations

import textwrap

import tabulate

from benchrig.report import columns
from benchrig.report.describe import machine_line, run_line
from benchrig.report.table import Table

# Columns are two spaces apart already; without this a heading takes two more, and the table no longer fits a screen.
tabulate.MIN_PADDING = 0

_SYSTEM_WIDTH = 36
_TEXT_WIDTH = 140


def render(table: Table, lang: str = "en") -> str:
    """Return the report as text without colours, with headings in `lang`. Raises InputError for an unknown language."""
    below = [_note(number, text) for number, text in enumerate(columns.grid(table, lang).notes, 1)]
    if table.not_run:
        below.append("not run: " + ", ".join(table.not_run))
    if table.published:
        below.append(_wrapped(f"published: {table.published.source.document}; {table.published.source.machine}", "  "))
    above = [run_line(table), *(machine_line(machine) for machine in table.run.machines)]
    return "\n".join([*above, "", _table(table, lang), "", *below])


def _table(table: Table, lang: str) -> str:
    grid = columns.grid(table, lang)
    figures = len(grid.headings) - 2
    return tabulate.tabulate(
        grid.rows,
        headers=grid.headings,
        tablefmt="simple",
        colalign=("left", *("right",) * figures, "left"),
        maxcolwidths=[_SYSTEM_WIDTH, *(None,) * (figures + 1)],
        disable_numparse=True,
    )


def _note(number: int, text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return "\n".join([_wrapped(f"[{number}] {first}", "    "), *(f"      {line}" for line in rest)])


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, _TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
