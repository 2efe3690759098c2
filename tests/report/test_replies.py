"""The replies of a row are in report.json, by status and by route, counted over its repeats."""

from __future__ import annotations

import json
from dataclasses import replace

from benchrig.report import Report
from benchrig.report.export.json import render
from benchrig.report.table import make
from benchrig.results.model import Cell, Checks, RouteReplies
from tests.support.reports import a_cell, a_load, a_run


def a_mixed_cell(repeat: int, missing: int) -> Cell:
    load = replace(
        a_load(1000),
        statuses={"200": 1000 - missing, "404": missing},
        sent={"item": 1002 - missing, "missing": missing},
        replies=(RouteReplies(200, ("item",), 1000 - missing), RouteReplies(404, ("missing",), missing)),
    )
    return a_cell(repeat=repeat, load=load, checks=Checks({"item": "body", "missing": "text"}))


def replies(*cells: Cell) -> object:
    (row,) = json.loads(render(Report(make(a_run("go-2000"), cells, None))))["rows"]
    return row["replies"]


def test_replies_are_counted_over_the_repeats() -> None:
    assert replies(a_mixed_cell(1, 100), a_mixed_cell(2, 101)) == {
        "statuses": {"200": 1799, "404": 201},
        "sent": {"item": 1803, "missing": 201},
        "right": [
            {"status": 200, "routes": ["item"], "replies": 1799},
            {"status": 404, "routes": ["missing"], "replies": 201},
        ],
        "compared": {"item": "body", "missing": "text"},
    }


def test_a_run_of_an_earlier_version_did_not_count_them() -> None:
    assert replies(a_cell()) is None
