"""`report.md`: the table for people, with all that is needed to judge it and to do it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from benchrig import shell
from benchrig.report import columns
from benchrig.report.describe import machine_line, repeat_command, run_line
from benchrig.report.published import Published
from benchrig.report.table import Table
from benchrig.results.model import Machine, Run


def render(table: Table) -> str:
    """Return the table as Markdown, and below it the remarks, machines, versions, and how to repeat the run."""
    sections = [
        f"# {_escaped(table.run.suite_title or table.run.suite)}",
        _bullets([run_line(table), *(machine_line(machine) for machine in table.run.machines)]),
        _table(table),
        f"Not run: {', '.join(table.not_run)}." if table.not_run else "",
        _published(table.published) if table.published else "",
        *(_machine(machine) for machine in table.run.machines),
        "## What ran",
        _bullets(f"{row.name}: {row.system}. {_pairs(row.versions)}" for row in table.rows),
        "## Repeat it",
        _provenance(table.run),
        _code([repeat_command(table.run)]),
        "Each row's load, as it was run:",
        _code([f"# {row.name}\n{shell.quote(row.command)}" for row in table.rows if row.command]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _table(table: Table) -> str:
    grid = columns.grid(table)
    rule = ["---", *("---:" for _ in grid.headings[2:]), "---"]
    lines = [_line(grid.headings), "|" + "|".join(rule) + "|", *(_line(row) for row in grid.rows)]
    notes = [_note(number, text) for number, text in enumerate(grid.notes, 1)]
    return "\n".join([*lines, *(["", "## Remarks", "", *notes] if notes else [])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell.replace("\n", " ")) for cell in cells) + " |"


def _note(number: int, text: str) -> str:
    first, _, rest = text.partition("\n")
    tail = "\n\n" + "\n".join(f"       {line}" for line in rest.splitlines()) if rest else ""
    return f"{number}. {_escaped(first)}{tail}"


def _published(published: Published) -> str:
    source = published.source
    lines = [source.document, source.machine, _pairs(source.versions)]
    return f"## The published figures\n\n{_bullets(lines)}\n\n{_code([source.command])}"


def _machine(machine: Machine) -> str:
    settings = (*machine.sysctls.items(), *machine.limits.items(), *machine.versions.items())
    lines = ["| setting or program | value |", "|---|---|", *(_line(pair) for pair in settings)]
    return f"## Machine {machine.name} ({machine.kind})\n\n" + "\n".join(lines)


def _provenance(run: Run) -> str:
    commit = f", commit {run.git_commit}" if run.git_commit else ""
    finished = f"finished {run.finished_at}" if run.finished_at else "not finished"
    return f"Started {run.started_at}, {finished}; benchrig {run.benchrig_version}{commit}."


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def _code(lines: Sequence[str]) -> str:
    return "```\n" + "\n".join(lines) + "\n```" if lines else ""


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, also inside a table."""
    return re.sub(r"([\\`*<|])", r"\\\1", text)
