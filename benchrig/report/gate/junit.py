"""A gate as JUnit XML, which systems of continuous integration show: one test case for each condition.

There is no standard. These are the elements that Jenkins, GitHub and GitLab read: testsuites, testsuite, testcase, and in it
failure, error or skipped, and system-out.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from benchrig.console import printable
from benchrig.report.gate import words
from benchrig.report.gate.model import Gate, Judged, Judgement

_ELEMENTS = {Judgement.FAILED: "failure", Judgement.NOT_DECIDED: "error", Judgement.SKIPPED: "skipped"}
"""What a test case has in it; one that passed has its reason in `system-out`."""

_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML has, beside the control characters that `printable` escapes."""


def render(gate: Gate) -> str:
    """Return a gate as XML. A condition that failed is a failure, one that is not decided an error."""
    numbers = {
        "tests": str(len(gate.conditions)),
        "failures": str(len(gate.those(Judgement.FAILED))),
        "errors": str(len(gate.those(Judgement.NOT_DECIDED))),
        "skipped": str(len(gate.those(Judgement.SKIPPED))),
    }
    root = ElementTree.Element("testsuites", {"name": "benchrig gate", **numbers})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _text(words.about(gate)), **numbers})
    for judged in gate.conditions:
        _add(suite, judged, gate)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add(suite: ElementTree.Element, judged: Judged, gate: Gate) -> None:
    """Add the test case of a condition."""
    name, reason = (_text(text) for text in (words.condition(judged, gate), words.reason(judged, gate)))
    case = ElementTree.SubElement(suite, "testcase", {"classname": _text(gate.suite or gate.name), "name": name})
    if judged.judgement is Judgement.PASSED:
        ElementTree.SubElement(case, "system-out").text = reason
        return
    inner = ElementTree.SubElement(case, _ELEMENTS[judged.judgement], {"message": reason})
    if judged.judgement is not Judgement.SKIPPED:
        inner.set("type", judged.judgement)
        inner.text = reason


def _text(text: str) -> str:
    """Return a text in one line, of characters that XML can have."""
    line = " ".join(printable(text).split())
    return _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], line)
