"""The findings as a table for the terminal, the worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from benchrig.bench.doctor.findings import Finding, Severity

HEADINGS = ("host", "severity", "finding, and what fixes it")

_LEAST = 20
"""Characters of a line of text, however narrow the terminal is."""


def render(findings: Sequence[Finding], width: int | None, inventory: str = "") -> str:
    """Return the findings as a table of `width` columns; of any width for None. A command is never broken over lines.

    Commands of benchrig's own name `inventory`, unless that is empty.
    """
    from tabulate import tabulate

    if not findings:
        return "nothing was found that would spoil a run"
    ordered = sorted(findings, key=lambda one: list(Severity).index(one.severity))
    longest = max(len(HEADINGS[0]), *(len(one.host) for one in findings))
    room = None if width is None else max(_LEAST, width - longest - len(HEADINGS[1]) - 4)
    rows = [(one.host, one.severity.value, _text(one, one.mend(inventory), room)) for one in ordered]
    return tabulate(rows, headers=HEADINGS)


def _text(finding: Finding, mend: str, room: int | None) -> str:
    said = (
        textwrap.fill(finding.sentence, room, break_long_words=False, break_on_hyphens=False) if room else finding.sentence
    )
    return f"{said}\n  {mend}" if mend else said
