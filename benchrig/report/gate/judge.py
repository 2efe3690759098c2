"""The judge of a gate: expressions that must not hold, what the suite expects, and metrics against a reference."""

from __future__ import annotations

from pathlib import Path

from benchrig.errors import InputError, LimitError
from benchrig.report.document import Report
from benchrig.report.gate import expressions, history, worsening
from benchrig.report.gate.asked import HISTORY, Asked, see_something
from benchrig.report.gate.model import Gate, Judged, Judgement
from benchrig.report.load import load


def judge(name: str, asked: Asked, root: Path) -> Gate:
    """Return what became of each condition by a run, or by published figures; `name` is what `report.load` takes.

    Raises InputError where there is nothing to judge, for an expression that names a row which there is not, and where run
    and reference have no row in common.
    """
    report = load(name, root)
    table = report.table
    see_something(asked, table.run.expect if table.run else (), table.run.suite if table.run else "")
    conditions: list[Judged] = []
    for text in asked.fail_if:
        conditions += expressions.fail_if(text, table)
    conditions += expressions.expect(table)
    reference, found, notes = _against(name, report, asked, root)
    return Gate(
        name=table.name,
        title=table.title,
        suite=table.run.suite if table.run else "",
        commit=table.run.git_commit if table.run else "",
        reference=reference,
        limit_percent=asked.limit_percent,
        conditions=(*conditions, *found),
        notes=notes or (("the run is incomplete",) if table.incomplete else ()),
    )


def failure(gate: Gate) -> LimitError | None:
    """Return what a script must know of a gate that does not pass."""
    if gate.judgement is Judgement.PASSED:
        return None
    failed, undecided = (len(gate.those(one)) for one in (Judgement.FAILED, Judgement.NOT_DECIDED))
    counts = [f"{failed} failed"] if failed else []
    counts += [f"{undecided} could not be decided"] if undecided else []
    counts = counts or ["none could be judged"]
    return LimitError(f"the gate does not pass: of {len(gate.conditions)} conditions, {' and '.join(counts)}")


def _against(name: str, report: Report, asked: Asked, root: Path) -> tuple[str, list[Judged], tuple[str, ...]]:
    """Return the name of the reference, the judgements on each row and metric, and notes."""
    if asked.limit_percent is None:
        return "", [], ()
    reports = root / "reports"
    if asked.against == HISTORY:
        return HISTORY, history.against(name, report.table, asked.limit_percent, reports), ()
    reference = load(asked.against, root)
    if reference.table.name == report.table.name:
        raise InputError(f"--against {reference.table.name} is what is judged; name an earlier run")
    return (reference.table.name, *worsening.against(reference, report, asked.limit_percent, reports))
