"""A gate as JUnit XML: one test case for each condition."""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.report import junit
from benchrig.report.gate import words
from benchrig.report.gate.model import Gate, Judged, Judgement

_OUTCOMES: Mapping[Judgement, junit.Outcome] = {
    Judgement.PASSED: "passed",
    Judgement.FAILED: "failure",
    Judgement.NOT_DECIDED: "error",
    Judgement.SKIPPED: "skipped",
}


def render(gate: Gate) -> str:
    """Return a gate as XML. A condition that failed is a failure, one that is not decided an error."""
    cases = [_case(judged, gate) for judged in gate.conditions]
    return junit.render("benchrig gate", words.about(gate), gate.suite or gate.name, cases)


def _case(judged: Judged, gate: Gate) -> junit.Case:
    name, reason = words.condition(judged, gate), words.reason(judged, gate)
    return junit.Case(name, _OUTCOMES[judged.judgement], reason, judged.judgement)
