"""`report.csv`: one line per row for spreadsheets, with the columns named as in `report.json`; the warnings are one text."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields

from benchrig.console import printable
from benchrig.language import ENGLISH, use
from benchrig.report.document import Report
from benchrig.report.export.record import RowRecord, record
from benchrig.report.sentences import sentence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What the first character of a formula is, to one spreadsheet or another."""


@use(ENGLISH)
def render(report: Report) -> str:
    """Return the table as CSV text under a header line; an empty field means no value."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(RowRecord)], lineterminator="\n")
    writer.writeheader()
    for row in report.table.rows:
        fields_of_row = {**asdict(record(row)), "warnings": " ".join(map(sentence, row.warnings))}
        writer.writerow({name: _inert(value) for name, value in fields_of_row.items()})
    return text.getvalue()


def _inert(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: a text that looks like one gets an apostrophe before it.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(value, str):
        return value
    return printable(f"'{value}" if value.startswith(FORMULA) else value)
