"""The findings as a table for the terminal, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from benchrig.bench.doctor.findings import Finding, Severity

HEADINGS = ("host", "severity", "finding", "what mends it")

_LEAST = 20
"""Characters of a column of text, however narrow the terminal is."""


def render(findings: Sequence[Finding], width: int | None) -> str:
    """Return the findings as a table of `width` columns; of any width for None."""
    from tabulate import tabulate

    if not findings:
        return "nothing was found that would spoil a run"
    ordered = sorted(findings, key=lambda one: list(Severity).index(one.severity))
    rows = [(one.host, one.severity.value, one.sentence, one.mend or "–") for one in ordered]
    widths: list[int | None] = [None, None, None, None]
    if width is not None:
        left = width - max(len(one.host) for one in findings) - len("severity") - 6
        mend = max(_LEAST, min(max(len(row[3]) for row in rows), left // 2))
        widths = [None, None, max(_LEAST, left - mend), mend]
    return tabulate(rows, headers=HEADINGS, maxcolwidths=widths)
