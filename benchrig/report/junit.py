"""JUnit XML, which systems of continuous integration show.

There is no standard. These are the elements that Jenkins, GitHub and GitLab read: testsuites, testsuite, testcase, and in it
properties, failure, error or skipped, and system-out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from benchrig.console import printable

_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML has, beside the control characters that `printable` escapes."""

Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True)
class Case:
    """A test case."""

    name: str
    outcome: Outcome
    reason: str = ""
    """Why it has this outcome; of one that passed, it stands in `system-out`."""
    kind: str = ""
    """What kind of failure or error it is."""
    properties: Mapping[str, str] = field(default_factory=dict)


def render(tool: str, suite: str, classname: str, cases: Sequence[Case]) -> str:
    """Return test cases as XML: one test suite, made by `tool`; `classname` groups its cases in lists of them."""
    numbers = {
        "tests": str(len(cases)),
        "failures": str(sum(case.outcome == "failure" for case in cases)),
        "errors": str(sum(case.outcome == "error" for case in cases)),
        "skipped": str(sum(case.outcome == "skipped" for case in cases)),
    }
    root = ElementTree.Element("testsuites", {"name": tool, **numbers})
    inner = ElementTree.SubElement(root, "testsuite", {"name": _text(suite), **numbers})
    for case in cases:
        _add(inner, case, classname)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add(suite: ElementTree.Element, case: Case, classname: str) -> None:
    element = ElementTree.SubElement(suite, "testcase", {"classname": _text(classname), "name": _text(case.name)})
    reason = _text(case.reason)
    if case.properties:
        properties = ElementTree.SubElement(element, "properties")
        for name, value in case.properties.items():
            ElementTree.SubElement(properties, "property", {"name": _text(name), "value": _text(value)})
    if case.outcome == "passed":
        if reason:
            ElementTree.SubElement(element, "system-out").text = reason
        return
    inner = ElementTree.SubElement(element, case.outcome, {"message": reason})
    if case.outcome != "skipped":
        inner.set("type", case.kind)
        inner.text = reason


def _text(text: str) -> str:
    """Return a text in one line, of characters that XML can have."""
    line = " ".join(printable(text).split())
    return _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], line)
