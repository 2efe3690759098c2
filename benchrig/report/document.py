"""A report: a table and the verdicts on the claims about its published figures."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.report.table import Table
from benchrig.report.verdict import Verdict


@dataclass(frozen=True)
class Report:
    """The input of every export."""

    table: Table
    verdicts: tuple[Verdict, ...] = ()
    """One for each claim of `configs/claims/`; none where the published figures have no file of claims."""
    columns: tuple[str, ...] = ()
    """The names of the columns that the user chose, in their order; empty: those that have something to show."""
    page: str = ""
    """The path of its `report.html`, as the user would type it; empty where none was written."""
