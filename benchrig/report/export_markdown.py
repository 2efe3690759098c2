"""`report.md`: the table for people, with all that is needed to judge it and to do it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchrig import shell
from benchrig.report import columns
from benchrig.report.describe import machine_line, repeat_command, run_line, source_lines, what_ran
from benchrig.report.notes import Note
from benchrig.report.table import Table
from benchrig.results.model import Machine, Run


def render(table: Table) -> str:
    """Return the table as Markdown, and below it the remarks, what ran, the machines, and how to repeat the run."""
    run, grid = table.run, columns.grid(table)
    loads = [f"# {row.name}\n{shell.quote(row.command)}" for row in table.rows if row.command]
    sections = [
        f"# {_escaped(run.suite_title or run.suite)}",
        _bullets([run_line(table), *(machine_line(machine) for machine in run.machines)]),
        _grid(grid.headings, grid.rows),
        _section("Remarks", "\n".join(_note(number, note) for number, note in enumerate(grid.notes, 1))),
        _section("Not run", _bullets(table.not_run)),
        _section("What ran", _bullets(what_ran(table.rows))),
        _section("The published figures", _bullets(source_lines(table.published)) if table.published else ""),
        *(_section(f"Machine {machine.name} ({machine.kind})", _settings(machine)) for machine in run.machines),
        _section("How to repeat it", f"{_provenance(run)}\n\n{_code([repeat_command(table)])}"),
        _section("Each row's load, run in this folder", _code(loads)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {_escaped(title)}\n\n{body}" if body else ""


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = "|".join(["---", *("---:" for _ in headings[2:]), "---"])
    return "\n".join([_line(headings), f"|{rule}|", *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell.replace("\n", " ")) for cell in cells) + " |"


def _note(number: int, note: Note) -> str:
    return "\n".join([f"{number}. {_escaped(note.kind)}", *(_item(text) for text in note.lines)])


def _item(text: str) -> str:
    """Return a nested item; what follows its first line, such as a journal's tail, as a block of its own."""
    first, *rest = text.splitlines()
    block = ["", *(f"{' ' * 10}{line}" for line in rest), ""] if rest else []
    return "\n".join([f"    - {_escaped(first)}", *block])


def _settings(machine: Machine) -> str:
    pairs = (*machine.sysctls.items(), *machine.limits.items(), *machine.versions.items())
    return _grid(("setting or program", "value"), pairs) if pairs else ""


def _provenance(run: Run) -> str:
    commit = f", commit {run.git_commit}" if run.git_commit else ""
    finished = f"finished {run.finished_at}" if run.finished_at else "not finished"
    return f"Started {run.started_at}, {finished}; benchrig {run.benchrig_version}{commit}."


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def _code(lines: Sequence[str]) -> str:
    return "```\n" + "\n".join(lines) + "\n```" if lines else ""


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, also inside a table."""
    return re.sub(r"([\\`*<|])", r"\\\1", text)
