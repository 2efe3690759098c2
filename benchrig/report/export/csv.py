"""`report.csv`: one line per row for spreadsheets, with the columns named as in `report.json`; the warnings are one text.

Each line begins with the run that it is of, so that files of several runs can be joined.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields

from benchrig.console import printable
from benchrig.language import ENGLISH, use
from benchrig.report.columns import BY_KEY
from benchrig.report.document import Report
from benchrig.report.export.json import plain
from benchrig.report.export.record import RowRecord, record
from benchrig.report.sentences import sentence
from benchrig.report.table import Table

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What the first character of a formula is, to one spreadsheet or another."""


IDENTITY = ("run", "suite", "started_at", "benchrig_version")
"""The first fields of each line: the run's folder, its suite, when it began, and the version that measured it."""


@use(ENGLISH)
def render(report: Report) -> str:
    """Return the table as CSV text, in English, under a header line; an empty field means no value.

    Where the user chose columns, it has the fields of these, and whether the row is invalid.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, (*IDENTITY, *_names(report.columns)), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    identity = _identity(report.table)
    for row in report.table.rows:
        fields_of_row = {**identity, **plain(record(row)), "warnings": " ".join(map(sentence, row.warnings))}
        writer.writerow({name: _inert(value) for name, value in fields_of_row.items()})
    return text.getvalue()


def _identity(table: Table) -> dict[str, str]:
    """Return the first fields; of a published set, only its name is known."""
    run = table.run
    values = (run.name, run.suite, run.started_at, run.benchrig_version) if run else (table.name, "", "", "")
    return dict(zip(IDENTITY, values, strict=True))


def _names(columns: Sequence[str]) -> Sequence[str]:
    """Return the names of the fields after the first ones."""
    if not columns:
        return [field.name for field in fields(RowRecord)]
    chosen = (name for key in columns for name in BY_KEY[key].fields or (key,))
    return list(dict.fromkeys(["name", *chosen, "invalid"]))


def _inert(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: a text that looks like one gets an apostrophe before it.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(value, str):
        return value
    return printable(f"'{value}" if value.startswith(FORMULA) else value)
