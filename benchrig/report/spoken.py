"""A report in the language in use: its texts that were made before that was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from benchrig.language import ENGLISH, Text, in_use, told
from benchrig.report.document import Report

T = TypeVar("T")


def spoken(report: Report) -> Report:
    """Return a report with its verdicts and the names of rows that were not run as texts of the language in use."""
    if in_use() == ENGLISH:
        return report
    verdicts = tuple(map(_spoken, report.verdicts))
    return replace(report, verdicts=verdicts, table=replace(report.table, not_run=_spoken(report.table.not_run)))


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
