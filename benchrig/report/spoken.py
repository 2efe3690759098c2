"""A report in the language in use: its texts that were made before that was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from benchrig.language import ENGLISH, Text, in_use, told
from benchrig.report.document import Report
from benchrig.report.published import Published

T = TypeVar("T")


def spoken(report: Report) -> Report:
    """Return a report whose verdicts, document and names of rows that were not run are texts of the language in use."""
    if in_use() == ENGLISH:
        return report
    table = report.table
    table = replace(
        table,
        origin=_document(table.origin) if isinstance(table.origin, Published) else table.origin,
        published=_document(table.published) if table.published else None,
        not_run=_spoken(table.not_run),
    )
    return replace(report, verdicts=_spoken(report.verdicts), table=table)


def _document(published: Published) -> Published:
    return replace(published, title=told(published.title), source=_spoken(published.source))


def _spoken(value: T) -> T:
    said: T = _told(value)
    return said


def _told(value: Any) -> Any:
    if isinstance(value, Text):
        return told(value)
    if isinstance(value, tuple):
        return tuple(map(_told, value))
    if isinstance(value, Mapping):
        return {key: _told(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _told(getattr(value, field.name)) for field in fields(value)})
    return value
