"""Audits texts of load generators that others printed: `./inv audit`.

`judge` makes the verdict on a text by the same detectors as on our own rows; `source` finds the texts in a file.
"""

from benchrig.report.texts.judge import Judged, Verdict, judge, measured, verdict
from benchrig.report.texts.lines import render_json
from benchrig.report.texts.source import Source, failure, read
from benchrig.report.texts.terminal import render_terminal

__all__ = [
    "Judged",
    "Source",
    "Verdict",
    "failure",
    "judge",
    "measured",
    "read",
    "render_json",
    "render_terminal",
    "verdict",
]
