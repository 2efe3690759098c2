"""What a gate compares: runs that are not slow themselves, whole rows under one load, and their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report.gate import comparable, words
from benchrig.report.gate import history as of_history
from benchrig.report.gate.model import Basis, Judgement
from benchrig.report.table import make
from benchrig.results import store
from benchrig.results.model import Cell, LoadErrors
from tests.support import ROOT
from tests.support.gate import BASE, a_project, by_condition, judge, judgements, rows, scaled, series, stored
from tests.support.reports import a_run


@pytest.mark.parametrize("repeats", [6, 1])
def test_a_slowdown_that_stays_fails_on_every_run(tmp_path: Path, repeats: int) -> None:
    """With slow runs in what is expected, the third passed."""
    root = a_project(tmp_path)
    series(root, 10)
    for number in range(8):
        slow = scaled(0.85 + 0.001 * (number % 3))[:repeats]
        found = judge(root, stored(root, f"slow{number}", rows({"sanic": slow})), over="5%", against="history")
        assert judgements(found) == {"throughput(sanic)": "failed", "latency_p99(sanic)": "failed"}, number
        said = words.reason(found.conditions[0], found)
        assert ("slow0" in said) is (number > 0)
    assert said.endswith(" The 7 runs since slow0 were worse and are not in the reference.")


def test_one_slow_run_does_not_let_the_next_pass(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    series(root, 10)
    stored(root, "slow", rows({"sanic": scaled(0.5)}))
    found = judge(root, stored(root, "now", rows({"sanic": scaled(0.5)[:1]})), over="5%", against="history")
    assert judgements(found)["throughput(sanic)"] == "failed"
    said = words.reason(found.conditions[0], found)
    assert said.endswith(" The run before it, slow, was worse and is not in the reference.")


def without_p99(cell: Cell) -> Cell:
    assert cell.load
    left = {name: value for name, value in cell.load.latency.percentiles_us.items() if name != "99"}
    return replace(cell, load=replace(cell.load, latency=replace(cell.load.latency, percentiles_us=left), measured=None))


def test_a_metric_that_the_history_has_and_the_run_lacks_is_not_decided(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    series(root, 6)
    cells = [without_p99(cell) for cell in rows({"sanic": BASE})]
    found = judge(root, stored(root, "now", cells), over="5%", against="history")
    assert judgements(found) == {"throughput(sanic)": "passed", "latency_p99(sanic)": "not_decided"}
    assert by_condition(found)["latency_p99(sanic)"].worsening.basis is Basis.NOT_MEASURED  # type: ignore[union-attr]


@pytest.mark.parametrize("reference", ["run5", "history"])
def test_a_row_that_the_suite_has_no_more_is_not_decided(tmp_path: Path, reference: str) -> None:
    root = a_project(tmp_path)
    for number in range(6):
        stored(root, f"run{number}", rows({"sanic": BASE, "go-2000": scaled(1 + 0.004 * (-1) ** number)}))
    run = stored(root, "now", rows({"go-2000": BASE, "sanic2": scaled(0.5)}))
    found = judge(root, run, over="5%", against=reference)
    gone = by_condition(found)["throughput(sanic)"]
    assert (gone.judgement, gone.worsening and gone.worsening.basis) == (Judgement.NOT_DECIDED, Basis.ROW_GONE)
    assert words.reason(gone, found).startswith("the reference has it, and the suite does not")


@pytest.mark.parametrize("reference", ["run5", "history"])
def test_a_row_that_the_user_left_out_is_skipped(tmp_path: Path, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_project(tmp_path)
    for number in range(6):
        stored(root, f"run{number}", rows({"sanic": BASE, "go-2000": scaled(1 + 0.004 * (-1) ** number)}))
    for module in (comparable, of_history):
        monkeypatch.setattr(module, "rows", lambda *_: ("sanic", "go-2000"))
    found = judge(root, stored(root, "now", rows({"go-2000": BASE})), over="5%", against=reference)
    assert judgements(found)["throughput(sanic)"] == "skipped"


def test_the_rows_of_a_suite_are_those_that_it_has_now() -> None:
    table = make(a_run("go-2000"), [])
    assert {"go-2000", "sanic"} <= set(comparable.rows(table, ROOT))
    assert comparable.rows(replace(table, origin=replace(a_run("x"), suite="nosuch")), ROOT) == ()


@pytest.mark.parametrize(
    ("changes", "settings", "condition"),
    [
        ({}, {"duration_seconds": 1.0}, "duration: "),
        ({}, {"warm_up_seconds": 9.0}, "warm-up: "),
        ({}, {"threads": 1}, "threads: "),
        ({"timeout_seconds": 1.5}, {}, "timeout: "),
        ({"load_on_server": False}, {}, "load generator: "),
    ],
)
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_another_load_than_the_references_decides_nothing(
    tmp_path: Path, changes: dict[str, object], settings: dict[str, object], condition: str, factor: float
) -> None:
    root = a_project(tmp_path)
    stored(root, "before", rows({"sanic": BASE}))
    name = stored(root, "now", rows({"sanic": scaled(factor)}, **changes))
    run, _ = store.read(root / "reports" / name)
    store.write_run(root / "reports" / name, replace(run, settings=replace(run.settings, **settings)))  # type: ignore[arg-type]
    found = judge(root, name, over="5%", against="before")
    assert {*judgements(found).values()} == {"not_decided"}
    assert f"it was measured otherwise than the reference: {condition}" in words.reason(found.conditions[0], found)


def failing(cells: Sequence[Cell], read: int) -> list[Cell]:
    """Return cells with so many read errors each."""
    return [replace(cell, load=replace(cell.load, errors=LoadErrors(0, read, 0, 0, 0))) for cell in cells if cell.load]


@pytest.mark.parametrize("reference", ["run5", "history"])
@pytest.mark.parametrize(
    ("before", "now", "judgement"),
    [(0, 50_000, "failed"), (0, 0, None), (100, 0, None), (100, 200, "failed")],
)
def test_a_row_that_fails_more_is_worse(
    tmp_path: Path, reference: str, before: int, now: int, judgement: str | None
) -> None:
    root = a_project(tmp_path)
    for number in range(6):
        stored(root, f"run{number}", failing(rows({"sanic": scaled(1 + 0.004 * (-1) ** number)}), before + number % 2))
    found = judge(root, stored(root, "now", failing(rows({"sanic": BASE}), now)), over="5%", against=reference)
    assert judgements(found).get("errors(sanic)") == judgement


@pytest.mark.parametrize("finished_at", ["", "2025-11-21T03:15:00Z"])
@pytest.mark.parametrize("reference", ["run5", "history"])
def test_a_run_that_lacks_repeats_does_not_pass(tmp_path: Path, reference: str, finished_at: str) -> None:
    root = a_project(tmp_path)
    series(root, 6)
    name = stored(root, "now", rows({"sanic": BASE}), finished_at=finished_at)
    run, _ = store.read(root / "reports" / name)
    store.write_run(root / "reports" / name, replace(run, settings=replace(run.settings, repeats=12)))
    found = judge(root, name, "throughput(sanic) < 9000", over="5%", against=reference)
    assert {*judgements(found).values()} == {"not_decided"}
    for one in found.conditions:
        assert words.reason(one, found).startswith("6 of 12 repeats of sanic were measured: it does not pass by those. ")


def test_the_limit_is_shown_as_it_was_given(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    stored(root, "before", rows({"sanic": BASE}))
    found = judge(root, stored(root, "now", rows({"sanic": BASE})), over="99.999999%", against="before")
    assert words.condition(found.conditions[0], found) == "throughput(sanic) at most 99.999999 % worse"
