"""Measures the cells of a run one after the other, and stores each before the next one starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchrig import console
from benchrig.bench import cell as cells
from benchrig.bench.cell import Measurement
from benchrig.bench.order import Turn
from benchrig.bench.progress import Progress
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError, HostError, ResultsError
from benchrig.results import audit
from benchrig.results.model import Status
from benchrig.results.recorder import Recorder


@dataclass(frozen=True)
class Done:
    """A cell that was measured, as far as the end of the bench needs it."""

    title: str
    status: Status


def measure_all(turns: Sequence[Turn], plan: Plan, recorder: Recorder, done: Sequence[Done] = ()) -> list[Done]:
    """Measure cells and store them; return all cells of the run, with those `done` in an earlier part of it.

    Raises HostError when a host is lost, ResultsError when a cell cannot be stored. What was measured is kept.
    """
    progress = Progress(plan, [turn.title for turn in turns], done=len(done))
    measured = list(done)
    try:
        for turn in turns:
            recorder.check()
            progress.begin(turn.title)
            found = _measure(turn, plan, progress)
            name = f"{turn.topology.raw_folder}{turn.row.name}"
            texts = {f"{name}{plan.generator.script_suffix}": found.script, f"{name}-{turn.repeat}.txt": found.raw}
            cell = replace(found.cell, raw=f"raw/{name}-{turn.repeat}.txt" if found.raw else "", part=recorder.part)
            try:
                recorder.keep(cell, {name: text for name, text in texts.items() if text})
            finally:
                # Also of a cell that cannot be stored, the figures are shown.
                progress.finish(
                    cell,
                    recorder.name if plan.kept else "",
                    audit.warnings(cell, recorder.run) if cell.status == "measured" else (),
                )
            measured.append(Done(turn.title, cell.status))
    except (KeyboardInterrupt, BenchrigError) as error:
        if not measured:
            console.line("no cell was measured, so nothing is stored")
        elif not isinstance(error, ResultsError):
            console.line(_left(recorder if plan.kept else None, len(measured), len(done) + len(turns)))
        raise
    finally:
        console.status("")
    return measured


def _left(recorder: Recorder | None, measured: int, cells: int) -> str:
    """Return the line about a run that ended early: what it has, and how to go on."""
    if not recorder:
        return f"{measured} of {cells} cells measured, and none kept"
    return (
        f"{measured} of {cells} cells measured; to see them: ./inv report {recorder.name}; "
        f"to go on: {recorder.resume.text()}"
    )


def _measure(turn: Turn, plan: Plan, progress: Progress) -> Measurement:
    try:
        return cells.measure(turn.topology, plan, turn.row, turn.repeat, progress.say)
    except HostError as error:
        raise HostError(f"{error}; it was measuring '{turn.title}'", error.hint) from None


def failure(measured: Sequence[Done]) -> BenchrigError | None:
    """Return the error that says which rows failed; None when none did."""
    failed = dict.fromkeys(one.title for one in measured if one.status == "failed")
    rows = dict.fromkeys(one.title for one in measured)
    return BenchrigError(f"{len(failed)} of {len(rows)} rows failed: {', '.join(failed)}") if failed else None
