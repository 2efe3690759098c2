"""The result of a session for programs: what `./inv ab --json` prints."""

from __future__ import annotations

from dataclasses import asdict

from benchrig.ab.analysis import Result
from benchrig.report.export.json import text_of


def render(result: Result) -> str:
    """Return a result as JSON: the session, each metric with its pairs' statistics, spreads, advice and warnings."""
    return text_of(asdict(result)).rstrip("\n")
