"""The judge of a gate: expressions that must not hold, what the suite expects, and metrics against a reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchrig.errors import InputError, LimitError
from benchrig.report.document import Report
from benchrig.report.gate import comparable, complete, expressions, history, words, worsening
from benchrig.report.gate.asked import HISTORY, Asked, see_something
from benchrig.report.gate.model import Gate, Judged, Judgement
from benchrig.report.load import find_folder, load
from benchrig.report.table import Table
from benchrig.results import store


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
        notes=(*(notes or (("the run is incomplete",) if table.incomplete else ())), *_left_out(name, "the run", root)),
    )


def failure(gate: Gate) -> LimitError | None:
    """Return what a script must know of a gate that does not pass."""
    if gate.judgement is Judgement.PASSED:
        return None
    failed, undecided = (len(gate.those(one)) for one in (Judgement.FAILED, Judgement.NOT_DECIDED))
    counts = [f"{failed} failed"] if failed else []
    counts += [f"{undecided} could not be decided"] if undecided else []
    counts = counts or ["none could be judged"]
    return LimitError(f"the gate does not pass: of {words.of_all(gate)}, {' and '.join(counts)}")


def _against(name: str, report: Report, asked: Asked, root: Path) -> tuple[str, list[Judged], tuple[str, ...]]:
    """Return the name of the reference, the judgements on each row and metric, and notes."""
    if asked.limit_percent is None:
        return "", [], ()
    table = report.table
    if asked.against == HISTORY:
        found = history.against(name, table, asked.limit_percent, root)
        return HISTORY, _complete(found, table), ()
    reference = load(asked.against, root)
    if reference.table.name == table.name:
        raise InputError(f"--against {reference.table.name} is what is judged; name an earlier run")
    found, notes = worsening.against(reference, report, asked.limit_percent, root / "reports")
    found = [comparable.checked(one, reference.table, table, root) for one in found]
    return reference.table.name, _complete(found, table), (*notes, *_left_out(asked.against, "the reference", root))


def _left_out(name: str, which: str, root: Path) -> Iterator[str]:
    """Yield a note on the lines of a run's record that are left out."""
    folder = find_folder(name, root)
    if folder and (lines := store.left_out(folder)):
        are = f"1 line of {store.CELLS} is" if lines == 1 else f"{lines:,} lines of {store.CELLS} are"
        yield f"of {which}, {are} damaged or there twice, and left out"


def _complete(found: Sequence[Judged], table: Table) -> list[Judged]:
    return [complete.checked(one, {one.worsening.row} if one.worsening else (), table) for one in found]
