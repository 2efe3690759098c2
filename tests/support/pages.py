"""What a browser makes of a page, and reports whose every text is hostile."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from benchrig.report import Report
from benchrig.report.table import make
from benchrig.results.model import Database, DatabaseNetwork, Network, Part
from tests.support.reports import PUBLISHED, VERDICTS, a_run, missing, repeats_of

VOID = frozenset({"meta", "br", "hr", "input", "wbr", "col", "link", "img"})
"""Elements without an end."""

HOSTILE = """<script>alert(1)</script>"'&amp;<img src=x onerror=alert(1)>{{ 7 * 7 }}</style></svg>"""

KEPT = frozenset({"status", "histogram", "percentiles_us", "by", "word", "why", "code", "spoils", "figures"})
"""Fields that are not free text: what a benchrig cannot read in them is refused before there is a report."""


class Page(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and the texts it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute over all elements."""
        return [str(found[attribute]) for _, found in self.elements if attribute in found]

    def of_class(self, name: str) -> list[str]:
        """Return the tags of the elements of a class."""
        return [tag for tag, found in self.elements if name in str(found.get("class", "")).split()]


def hostile(value: Any, text: str = HOSTILE) -> Any:
    """Return a value with every text in it made hostile, those of its fields, lists and mappings too.

    What it was stays behind the hostile text, so that what has the same name still has.
    """
    match value:
        case str() if type(value) is str:
            return text + value
        case tuple():
            return tuple(hostile(one, text) for one in value)
        case Mapping():
            return {hostile(name, text): hostile(one, text) for name, one in value.items()}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name for field in dataclasses.fields(value) if field.init} - KEPT
            return dataclasses.replace(value, **{name: hostile(getattr(value, name), text) for name in fields})
        case _:
            return value


def a_whole_report(text: str) -> Report:
    """Return a report with a row of every kind and a value in every field, all texts of which begin with this one."""
    run = a_run("go-2000", "flask", "sanic", "go-20000", "left")
    machine = run.machines[0]
    run = replace(
        run,
        machines=(machine, replace(machine, name="lab2", pinned={"app": "0-1"})),
        networks=(Network("lab2", "lab1", 80.0, 120.0, 9e9),),
        database=Database("lab2", "films", "15.8", {"shared_buffers": "128MB"}, "abc"),
        database_networks=(DatabaseNetwork("lab1", "lab2", 80.0, 120.0, 9e9),),
        parts=(Part("2025-01-02T04:04:05Z", (machine,), "abc", "0.1.0", ("kernel was 6.1",)),),
        digests={"row go-2000": "abc"},
        computer_cores=4,
    )
    cells = [
        *repeats_of("go-2000", 96_000, 97_000, 98_000, route="GET /films/"),
        *repeats_of("flask", 9_000, 9_100, 9_050, route="GET /film/"),
        missing("sanic", "failed", "it does not answer\nTraceback:\n  ImportError"),
        missing("go-20000", "not_possible", "the limit is 20,000", 20_000),
    ]
    table = make(hostile(run, text), hostile(tuple(cells), text), hostile(PUBLISHED, text))
    return Report(table, hostile(VERDICTS, text))
