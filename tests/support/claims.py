"""Claims for tests: one claim in a file of its own, the cells of a run, and the verdict of the one on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchrig.report import claims
from benchrig.report.claims.file import Claim
from benchrig.report.table import Table, make, of_published
from benchrig.report.verdict import Verdict
from benchrig.results.model import Cell, Load
from tests.support.reports import PUBLISHED, ROOT, a_cell, a_latency, a_load, a_run

DOCUMENT = of_published(PUBLISHED)


def project(tmp_path: Path, text: str) -> Path:
    """Make a project with the first document's figures and a file of claims."""
    (tmp_path / "configs").mkdir(parents=True)
    (tmp_path / "configs" / "published").symlink_to(ROOT / "configs" / "published")
    (tmp_path / "configs" / "claims").mkdir()
    (tmp_path / "configs" / "claims" / "web-frameworks.yml").write_text(text, encoding="utf-8")
    return tmp_path


def one(tmp_path: Path, expression: str, cause: str = "") -> Claim:
    """Read the claim `it` from a file that has it alone, with a cause that is told when that expression holds."""
    text = f"""\
other_rows: [flask-gevent-patched-first]
claims:
  it:
    says: It is so.
    place: Summary
    expression: {expression}
"""
    if cause:
        text += f"    causes:\n      - when: {cause}\n        says: the order of imports\n"
    found = claims.read("web-frameworks", project(tmp_path, text))
    assert found is not None
    return found[0]


def measured(rows: Mapping[str, Sequence[float]], **changes: object) -> list[Cell]:
    """Return the cells of rows with the throughput of each of their repeats; the law of Little holds for each."""
    return [
        a_cell(name, repeat, timed(rate), **changes) for name, rates in rows.items() for repeat, rate in enumerate(rates, 1)
    ]


def timed(rate: float, max_ms: float = 300.0, **errors: int) -> Load:
    """Return a load of so many requests a second, whose slowest reply took `max_ms` and whose errors are these."""
    load = a_load(round(5 * rate), **errors)
    latency = a_latency(min(1e3 * 2000 / rate, max_ms), max_ms)
    return replace(load, latency=latency, measured=latency)


def table(cells: Sequence[Cell], *rows: str) -> Table:
    """Return the table of a run of these rows, by default those that the cells are of."""
    return make(a_run(*(rows or dict.fromkeys(cell.name for cell in cells))), cells, PUBLISHED)


def judged_as_published(claim: Claim, cells: Sequence[Cell], seconds: float = 60.0) -> Verdict:
    """Return what a run says of a claim whose duration, or another one, and timeout are the article's."""
    run = a_run(*dict.fromkeys(cell.name for cell in cells))
    run = replace(run, settings=replace(run.settings, duration_seconds=seconds, timeout_seconds=2.0))
    made = make(run, [replace(cell, timeout_seconds=2.0) for cell in cells], PUBLISHED)
    (verdict,) = claims.judge([claim], replace(made, published_profile="paper"), DOCUMENT)
    return verdict


def judged(claim: Claim, cells: Sequence[Cell], *rows: str) -> Verdict:
    """Return what a run says of a claim, beside the document's own figures."""
    (verdict,) = claims.judge([claim], replace(table(cells, *rows), published_profile="paper"), DOCUMENT)
    return verdict
