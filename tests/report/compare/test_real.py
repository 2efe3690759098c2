"""Two real runs of the same system, without the series of their cells: docs/comparing.md shows what is printed of them."""

from __future__ import annotations

import pytest

from benchrig.report import compare, load
from benchrig.report.compare import markdown, terminal
from benchrig.report.verdict import Cause
from tests.support import ROOT
from tests.support.documented import Command, agrees, documented

BEFORE, AFTER = (ROOT / "tests/cases/comparing" / name for name in ("before", "after"))


def test_no_difference_is_found_between_two_runs_of_the_same_system() -> None:
    comparison = compare([load(BEFORE, ROOT), load(AFTER, ROOT)])
    assert not any(change.is_found for change in comparison.changes)
    disturbed = {change.row for change in comparison.changes if change.cause is Cause.INVALID}
    assert disturbed == {"go-2000", "sanic"}
    p99 = [change.excluded for change in comparison.changes if change.metric.name == "latency_p99_ms" and change.p]
    assert len(p99) == 3
    assert all(share is not None and 0 < share < 0.2 for share in p99)


SHOWN = [one for one in documented() if one.page == "comparing.md" and one.output]


@pytest.mark.parametrize("command", SHOWN, ids=lambda command: command.line)
def test_documented_comparison_prints_what_is_shown(command: Command) -> None:
    assert command.line == "./inv compare tests/cases/comparing/before tests/cases/comparing/after"
    printed = terminal.render(compare([load(BEFORE, ROOT), load(AFTER, ROOT)])).text
    assert agrees(printed, command.output)
    shown = [line for line in command.output.splitlines() if line and line != "…"]
    assert [line for line in shown if line not in printed.splitlines()] == []


def test_the_page_shows_one_comparison() -> None:
    assert len(SHOWN) == 1


def test_markdown_of_real_runs_folds_everything() -> None:
    text = markdown.render(compare([load(BEFORE, ROOT), load(AFTER, ROOT)]))
    assert text.startswith("### B against A: 0 better, 0 worse, ")
    assert text.index("<details>") < text.index("requests/s")
