"""The replies of a row are in the reports, by status and by route, counted over its repeats; the environment is, too."""

from __future__ import annotations

import json
from dataclasses import replace

from benchrig.report import EXPORTS, Report, render_terminal
from benchrig.report.describe import replies_lines
from benchrig.report.export.json import render
from benchrig.report.table import make
from benchrig.results.model import Cell, Checks, Environment, RouteReplies
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


def test_reports_for_people_have_the_counts_of_a_mix_by_status_and_by_route() -> None:
    line = (
        "go-2000: status 200 1,799, status 404 201; item: 1,803 requests, right replies: 1,799 with status 200; "
        "missing: 201 requests, right replies: 201 with status 404"
    )
    mix = Report(make(a_run("go-2000"), [a_mixed_cell(1, 100), a_mixed_cell(2, 101)], None))
    plain = Report(make(a_run("go-2000"), [a_cell()], None))
    for name in ("report.md", "report.html"):
        assert line in EXPORTS[name](mix)
        assert ("Replies</h2>" in EXPORTS[name](plain), "## Replies" in EXPORTS[name](plain)) == (False, False)
    assert "status 404" not in render_terminal(mix)


def test_replies_that_fit_several_routes_are_told_together() -> None:
    cell = a_mixed_cell(1, 100)
    assert cell.load
    alike = replace(cell, load=replace(cell.load, replies=(RouteReplies(200, ("item", "other"), 900),)))
    (line,) = replies_lines(make(a_run("go-2000"), [alike], None).rows)
    assert "item: 902 requests, right replies: none of its own" in line
    assert line.endswith("; item and other alike: 900 with status 200")


def test_reports_for_people_have_the_environment_of_each_machine() -> None:
    run = a_run("go-2000")
    mitigations = {"retbleed": "Mitigation: IBRS", "mds": "Not affected"}
    known = Environment("powersave", clock_source="tsc", congestion_control="cubic", mitigations=mitigations)
    report = Report(make(replace(run, machines=(replace(run.machines[0], environment=known),)), [a_cell()], None))
    text = EXPORTS["report.md"](report)
    for row in ("CPU governor | powersave", "clock source | tsc", "congestion control | cubic"):
        assert f"| {row} |" in text
    assert "| mitigations | retbleed: Mitigation: IBRS |" in text
    assert '<td class="word">powersave</td>' in EXPORTS["report.html"](report)
    assert "powersave" not in render_terminal(report)


def test_a_run_of_an_earlier_version_did_not_count_them() -> None:
    assert replies(a_cell()) is None
