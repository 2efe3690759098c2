"""`report.csv`: a line a row for spreadsheets, its columns as in `report.json`; the remarks are one text."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields

from benchrig.report.record import Record, record
from benchrig.report.table import Table


def render(table: Table) -> str:
    """Return the table as CSV text under a header line; a figure that there is not is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    for row in table.rows:
        writer.writerow({**asdict(record(row)), "remarks": "; ".join(remark.text for remark in row.remarks)})
    return text.getvalue()
