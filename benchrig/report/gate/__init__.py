"""The gate: whether a run keeps its limits. What cannot be decided does not pass."""

from benchrig.report.gate.asked import HISTORY, Asked, asked, check_expected
from benchrig.report.gate.document import render as render_json
from benchrig.report.gate.files import Outputs
from benchrig.report.gate.judge import failure, judge
from benchrig.report.gate.model import Gate
from benchrig.report.gate.terminal import render as render_terminal

__all__ = [
    "HISTORY",
    "Asked",
    "Gate",
    "Outputs",
    "asked",
    "check_expected",
    "failure",
    "judge",
    "render_json",
    "render_terminal",
]
