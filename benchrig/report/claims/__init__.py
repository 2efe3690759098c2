"""Claims of published documents: checked against a run or against their own figures, and shown on a terminal."""

from __future__ import annotations

from pathlib import Path

from benchrig.bench.suite import suites_with
from benchrig.report.claims import audit
from benchrig.report.claims.expectation import check_expectation, expectation
from benchrig.report.claims.file import read
from benchrig.report.claims.judge import judge
from benchrig.report.claims.record import render_audit_json, render_json
from benchrig.report.claims.terminal import render_audit, render_report, render_terminal

__all__ = [
    "audit_published",
    "check_expectation",
    "expectation",
    "judge",
    "read",
    "render_json",
    "render_report",
    "render_terminal",
    "suites",
]


def suites(root: Path) -> tuple[str, ...]:
    """Return the suites whose runs are compared with published figures that have claims."""
    return suites_with(root, {path.stem for path in (root / "configs" / "claims").glob("*.yml")})


def audit_published(root: Path, json: bool = False) -> str:
    """Return as text, or as JSON, what every published set of a project says of itself: needs no run and no machine.

    Raises InputError with `file:line` for each mistake in the published figures or the claims.
    """
    audits = audit.audit(root)
    return render_audit_json(audits) if json else "\n\n\n".join(map(render_audit, audits))
