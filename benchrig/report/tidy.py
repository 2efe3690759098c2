"""Texts from outside in stored records, as reports show them: in one line, and not longer than a reader reads.

Apps, hosts and load generators write them. Control characters in them become visible where a report is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from benchrig.agent.text import one_line, short
from benchrig.language import later
from benchrig.results.model import Cell
from benchrig.results.store import CELLS

T = TypeVar("T")

LONGEST_CAUSE = 1000
"""Characters of the cause of a failure, such as the end of an app's journal. The record has all of it."""

_WHOLE = ("reason",)
"""Fields whose texts have several lines."""


def tidy(record: T) -> T:
    """Return a record, its texts in one line each and cut to 1000 characters. What needs no change stays the same object."""
    tidied: T = _tidied(record)
    return tidied


def brief(cell: Cell) -> Cell:
    """Return a cell with the cause of its failure cut to LONGEST_CAUSE, and where the rest of it is."""
    if len(cell.reason) <= LONGEST_CAUSE:
        return cell
    cause = short(cell.reason, LONGEST_CAUSE)
    return replace(cell, reason=later("{cause} (more in {file})", cause=cause, file=cell.raw or CELLS))


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, tuple):
        items = tuple(map(_tidied, value))
        return items if items != value else value
    if isinstance(value, Mapping):
        pairs = {_tidied(key): _tidied(item) for key, item in value.items()}
        return pairs if pairs != value else value
    if not is_dataclass(value) or isinstance(value, type):
        return value
    texts = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _WHOLE}
    changed = {name: new for name, old in texts.items() if (new := _tidied(old)) is not old}
    return replace(value, **changed) if changed else value
