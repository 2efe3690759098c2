"""Runs stored for tests of the gate, and its judgement on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig.report import gate
from benchrig.report.gate.model import Gate, Judged
from benchrig.results import store
from benchrig.results.model import Cell
from tests.support import ROOT
from tests.support.claims import measured
from tests.support.reports import a_run

BASE = (10_000.0, 10_040.0, 9_960.0, 10_020.0, 9_980.0, 10_000.0)
"""Requests per second of six repeats."""


def scaled(factor: float, values: Sequence[float] = BASE) -> tuple[float, ...]:
    """Return the repeats of a system that is faster by a factor."""
    return tuple(factor * value for value in values)


def rows(rates: Mapping[str, Sequence[float]], **changes: object) -> list[Cell]:
    """Return the cells of rows with these throughputs, none of which is at a ceiling; p99 falls as the throughput rises."""
    return measured(rates, **{"sleep_seconds": 0.0, **changes})


def a_project(folder: Path) -> Path:
    """Make a project with the published figures and without runs."""
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "published").symlink_to(ROOT / "configs" / "published")
    (folder / "reports").mkdir()
    return folder


def stored(root: Path, name: str, cells: Sequence[Cell], *names: str, **changes: object) -> str:
    """Store a run of some rows, by default those that the cells are of, and return its name."""
    run = a_run(*(names or dict.fromkeys(cell.name for cell in cells)))
    repeats = max((cell.repeat for cell in cells), default=1)
    folder = store.create(root / "reports", run.suite, name)
    changes = {"number": store.next_number(root / "reports"), **changes}
    store.write_run(folder, replace(run, name=name, settings=replace(run.settings, repeats=repeats), **changes))
    for cell in cells:
        store.append(folder, cell)
    return name


def series(root: Path, runs: int) -> None:
    """Store runs `run0`, `run1` and so on, which differ by 0.4 %."""
    for number in range(runs):
        stored(root, f"run{number}", rows({"sanic": scaled(1 + 0.004 * (-1) ** number)}))


def judge(root: Path, run: str, *fail_if: str, over: str = "", against: str = "") -> Gate:
    """Return what the gate says of a run."""
    limit = float(over.removesuffix("%")) / 100 if over else None
    return gate.judge(run, gate.asked(fail_if, limit, against).found(root), root)


def by_condition(found: Gate) -> Mapping[str, Judged]:
    """Return the conditions of a gate by their text."""
    return {judged.condition: judged for judged in found.conditions}


def judgements(found: Gate) -> Mapping[str, str]:
    """Return the judgement of each condition by its text."""
    return {judged.condition: judged.judgement.value for judged in found.conditions}
