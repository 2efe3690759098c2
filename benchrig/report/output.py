"""Where a report goes that the user asks for, and in which form: `--format` and `--output` of `./inv report`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchrig.agent.text import short
from benchrig.errors import InputError, unknown
from benchrig.report import named_files, page, terminal
from benchrig.report.document import Report
from benchrig.report.export import csv, json, junit, markdown

TABLE, HTML, JSON, MARKDOWN, CSV = "table", "html", "json", "markdown", "csv"

FORMATS: Mapping[str, Callable[[Report], str]] = {
    TABLE: terminal.render,
    MARKDOWN: markdown.render,
    CSV: csv.render,
    JSON: json.render,
    HTML: page.render,
    "junit": junit.render,
}
"""The forms of a report. To add one, add a module with a `render` and a line here, and its ending below."""

EXPORTS: Mapping[str, Callable[[Report], str]] = {
    f"report{ending}": FORMATS[form] for ending, form in ((".md", MARKDOWN), (".html", HTML), (".csv", CSV), (".json", JSON))
}
"""The files of a report in a run's folder."""

_ENDINGS = {
    ".txt": TABLE,
    ".md": MARKDOWN,
    ".csv": CSV,
    ".json": JSON,
    ".html": HTML,
    ".xml": "junit",
}

SAYS_WHAT_IS_SHOWN = (TABLE, MARKDOWN, HTML)
"""The forms that say themselves how many rows are shown."""

_WITHOUT_COLUMNS = (JSON, "junit")

FLAG = "--output"


@dataclass(frozen=True)
class Output:
    """A form, and the file that it is written to."""

    format: str
    file: str = ""
    """Empty: standard output."""


def parse(format: str, output: str, *, columns: bool) -> Output:
    """Read the flags; `columns` says whether the user chose columns. Without `--format`, the file's ending tells it.

    Raises InputError for an unknown format, for an ending that tells none, for what cannot be a file, and for a choice of
    columns that the format cannot show.
    """
    file = "" if output == "-" else output
    ending = Path(file).suffix
    if file and not format and ending not in _ENDINGS:
        raise _without_format(file, f"Give --format, or one of these endings: {', '.join(_ENDINGS)}.")
    chosen = format or (_ENDINGS[ending] if file else TABLE)
    if chosen not in FORMATS:
        raise unknown("format", short(chosen), FORMATS)
    if columns and chosen in _WITHOUT_COLUMNS:
        raise InputError(f"--columns: {chosen} has all figures; leave out --columns")
    if file:
        named_files.check(FLAG, file)
    return Output(chosen, file)


def by_ending(output: str, formats: Collection[str]) -> Output:
    """Read `--output` of a command without `--format`: the file's ending tells which of these formats it gets.

    Raises InputError for an ending that tells none of them, and for what cannot be a file. Without a file, it is the table.
    """
    file = "" if output == "-" else output
    if not file:
        return Output(TABLE)
    known = {ending: format for ending, format in _ENDINGS.items() if format in formats}
    ending = Path(file).suffix
    if ending not in known:
        raise _without_format(file, f"Give one of these endings: {', '.join(known)}.")
    named_files.check(FLAG, file)
    return Output(known[ending], file)


def _without_format(file: str, hint: str) -> InputError:
    return InputError(f"{FLAG} {short(file)}: its ending tells no format", hint)


def text(report: Report, output: Output) -> str:
    """Return a report in the form that was asked for. A page's links lead from its file to the run's folder."""
    made = page.render(report, _folder(report, output)) if output.format == HTML else FORMATS[output.format](report)
    return made.rstrip("\n")


def _folder(report: Report, output: Output) -> str | None:
    """Return the path from the file to the run's folder; None where either is not known."""
    if not (report.page and output.file):
        return None
    found = os.path.relpath(Path(report.page).resolve().parent, Path(output.file).resolve().parent)
    return "" if found == os.curdir else found
