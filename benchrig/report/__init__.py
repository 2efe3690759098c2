"""Reports of a run: one table model, and the forms it is shown and written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from benchrig.report import export_csv, export_json, export_markdown, published, terminal
from benchrig.report.table import Table, make
from benchrig.results import store

__all__ = ["EXPORTS", "Table", "render_terminal", "write_reports"]

Export = Callable[[Table], str]
"""Turns the table into the text of one file."""

EXPORTS: Mapping[str, Export] = {
    "report.md": export_markdown.render,
    "report.csv": export_csv.render,
    "report.json": export_json.render,
}
"""The files of a report. To add one, add a module with a `render` and a line here."""


def write_reports(folder: Path, root: Path) -> Table:
    """Write every file of the report into a run's folder, and return its table.

    `root` is where `configs/published/` lies. Each file is replaced whole: a reader never sees half of one.
    Raises InputError when the run's records or its published figures cannot be read.
    """
    run, cells = store.read(folder)
    table = make(run, cells, published.read(run.published, root) if run.published else None)
    for name, export in EXPORTS.items():
        part = folder / f".{name}.part"
        part.write_text(export(table), encoding="utf-8")
        part.replace(folder / name)
    return table


def render_terminal(table: Table, lang: str = "en") -> str:
    """Return the table as plain text, with headings in `lang`: `en`, or the published document's language.

    Raises InputError with the nearest names for a language that it does not have.
    """
    return terminal.render(table, lang)
