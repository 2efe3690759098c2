"""A report: a table, and what became of the claims that were drawn from its published figures."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.report.table import Table
from benchrig.report.verdict import Verdict


@dataclass(frozen=True)
class Report:
    """What every export takes."""

    table: Table
    verdicts: tuple[Verdict, ...] = ()
    """One for each claim of `configs/claims/`; none where the published figures have no file of claims."""
    page: str = ""
    """The path of its `report.html`, as the user would type it; empty where none was written."""
