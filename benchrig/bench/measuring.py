"""Measures the cells of a run one after the other, and stores each before the next one starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchrig import console
from benchrig.bench import cell as cells
from benchrig.bench.board import Board
from benchrig.bench.cell import Measurement
from benchrig.bench.goal import Goal
from benchrig.bench.order import Turn
from benchrig.bench.progress import Progress
from benchrig.bench.suite import Plan
from benchrig.errors import BenchrigError, HostError, ResultsError
from benchrig.results import audit
from benchrig.results.model import Cell, Status
from benchrig.results.recorder import Recorder


@dataclass(frozen=True)
class Done:
    """A cell that was measured, as far as the end of the bench needs it."""

    title: str
    status: Status


def measure_all(
    turns: Sequence[Turn], plan: Plan, recorder: Recorder, done: Sequence[Done] = (), board: Board | None = None
) -> list[Done]:
    """Measure cells and store them; return all cells of the run, with those `done` in an earlier part of it.

    With a `board`, it shows the bench meanwhile.
    Raises HostError when a host is lost, ResultsError when a cell cannot be stored. What was measured is kept.
    """
    progress = Progress(plan, [turn.title for turn in turns], len(done), board)
    measured = list(done)
    with _end_told(progress, measured, plan, recorder, f" of {len(done) + len(turns)}"):
        for turn in turns:
            measured.append(Done(turn.title, _measured(turn, plan, recorder, progress).status))
    return measured


def measure_until(
    goal: Goal, plan: Plan, recorder: Recorder, done: Sequence[Done] = (), board: Board | None = None
) -> list[Done]:
    """Measure and store rounds of cells until the goal is reached, or cannot be; else as `measure_all`."""
    progress = Progress(plan, goal.titles, len(done), board)
    measured = list(done)
    with _end_told(progress, measured, plan, recorder):
        for number, turns in goal.rounds():
            progress.begin_round(number, goal.seconds_left())
            for turn in turns:
                cell = _measured(turn, plan, recorder, progress)
                goal.note(cell)
                measured.append(Done(turn.title, cell.status))
            if said := goal.said(number):
                console.line(said)
    return measured


@contextmanager
def _end_told(
    progress: Progress, measured: Sequence[Done], plan: Plan, recorder: Recorder, planned: str = ""
) -> Iterator[None]:
    """Say what a run that ends early has, and how to go on; `planned` is how many cells it was to have."""
    try:
        yield
    except (KeyboardInterrupt, BenchrigError) as error:
        if not measured:
            console.line("no cell was measured, so nothing is stored")
        elif not isinstance(error, ResultsError):
            count = f"{len(measured)}{planned} {'cell' if len(measured) == 1 and not planned else 'cells'} measured"
            console.line(f"{count}{_how_to_go_on(recorder) if plan.kept else ', and none kept'}")
        raise
    finally:
        progress.rest()


def _how_to_go_on(recorder: Recorder) -> str:
    return f"; to see them: ./inv report {recorder.name}; to go on: {recorder.resume.text()}"


def _measured(turn: Turn, plan: Plan, recorder: Recorder, progress: Progress) -> Cell:
    """Measure a cell, store it and write its line. Raises HostError and ResultsError."""
    recorder.check()
    found = _measure(turn, plan, progress)
    name = f"{turn.topology.raw_folder}{turn.row.name}"
    raw, journal = f"{name}-{turn.repeat}.txt", f"{name}-{turn.repeat}.journal.txt"
    texts = {f"{name}{plan.generator.script_suffix}": found.script, raw: found.raw, journal: found.journal}
    stored = {name: f"raw/{name}" for name, text in texts.items() if text}
    cell = replace(found.cell, raw=stored.get(raw, ""), journal=stored.get(journal, ""), part=recorder.part)
    try:
        recorder.keep(cell, {name: texts[name] for name in stored})
    finally:
        # Also of a cell that cannot be stored, the figures are shown.
        progress.finish(
            cell,
            recorder.name if plan.kept else "",
            audit.warnings(cell, recorder.run) if cell.status == "measured" else (),
        )
    return cell


def _measure(turn: Turn, plan: Plan, progress: Progress) -> Measurement:
    meter = progress.begin(turn.title)
    try:
        return cells.measure(turn.topology, plan, turn.row, turn.repeat, progress.say, meter)
    except HostError as error:
        raise HostError(f"{error}; it was measuring '{turn.title}'", error.hint) from None


def failure(measured: Sequence[Done]) -> BenchrigError | None:
    """Return the error that says which rows failed; None when none did."""
    failed = dict.fromkeys(one.title for one in measured if one.status == "failed")
    rows = dict.fromkeys(one.title for one in measured)
    return BenchrigError(f"{len(failed)} of {len(rows)} rows failed: {', '.join(failed)}") if failed else None
