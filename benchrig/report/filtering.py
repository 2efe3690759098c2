"""The filter of a report's rows: patterns as of `bench --only`, states, and conditions in the language of claims.

    sanic*, latency_p99 < 200 ms
    valid and throughput > 1000

A function without a row is about each row in turn. Conditions are judged by the values that the table shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchrig.agent.text import short
from benchrig.bench.selection import EXCLUDE, matching
from benchrig.errors import InputError
from benchrig.report.claims.dimensions import Dimension, of_unit
from benchrig.report.claims.language import Expression, Names
from benchrig.report.claims.parser import ExpressionError
from benchrig.report.claims.parser import parse as parse_expression
from benchrig.report.claims.relations import holds
from benchrig.report.claims.values import UndefinedError, point
from benchrig.report.columns import COLUMNS
from benchrig.report.metrics import METRICS, TIMEOUTS
from benchrig.report.table import Row

MOST_PARTS = 100
"""Of a filter."""

_STATES: Mapping[str, Callable[[Row], bool]] = {
    "measured": lambda row: row.status == "measured",
    "failed": lambda row: row.status == "failed",
    "valid": lambda row: row.status == "measured" and not row.invalid,
    "invalid": lambda row: row.invalid,
}
"""Words for rows; with `!` in front, all others are meant."""

_ROW = "row"
"""Stands for the row that a condition is about."""

_SHARES = ("ratio", "ratio_to_first", "spread", "interval")


@dataclass(frozen=True)
class _Figure:
    """What a condition may ask of a row."""

    dimension: Dimension
    value: Callable[[Row], float | None]


def _figures() -> Mapping[str, _Figure]:
    """Return every value column by its name, and every metric by its function in claims, too."""
    metrics = {metric.name: metric for metric in METRICS}
    found: dict[str, _Figure] = {}
    for column in COLUMNS:
        if column.words or column.key == "against_first":
            continue
        metric = metrics.get(column.key.removeprefix("published_"))
        plain = Dimension() if column.key in _SHARES else Dimension(counted=True)
        # Only words have texts as values.
        value: Callable[[Row], float | None] = column.value  # type: ignore[assignment]
        found[column.key] = _Figure(of_unit(metric.unit.name) if metric else plain, value)
    found |= {metric.claimed: found[metric.name] for metric in METRICS}
    found["repeats"] = _Figure(Dimension(counted=True), lambda row: row.repeats)
    found["has_timeouts"] = _Figure(Dimension(counted=True), _has_timeouts)
    return found


def _has_timeouts(row: Row) -> float | None:
    count = row.value(TIMEOUTS)
    return None if count is None else float(count > 0)


_FIGURES = _figures()

_NAMES = Names({name: one.dimension for name, one in _FIGURES.items()}, ("has_timeouts",), (_ROW,), implied=_ROW)


@dataclass(frozen=True)
class Filter:
    """A filter that was read: all its conditions and states must hold, and the patterns choose as `--only` does."""

    text: str
    patterns: tuple[str, ...]
    states: tuple[str, ...]
    conditions: tuple[Expression, ...]


def parse(text: str) -> Filter:
    """Read a filter: its parts, apart by commas or `and`. Raises InputError for one that makes no sense."""
    parts = _parts(text)
    if not parts or len(parts) > MOST_PARTS:
        what = "is empty" if not parts else f"has more than {MOST_PARTS} parts"
        raise InputError(f"--filter '{short(text)}' {what}")
    conditions = [part for part in parts if re.search("[<>=~]", part)]
    words = [part for part in parts if part not in conditions]
    states = tuple(word for word in words if word.removeprefix(EXCLUDE) in _STATES)
    patterns = tuple(word for word in words if word not in states)
    return Filter(text, patterns, states, tuple(map(_condition, conditions)))


def kept(filter: Filter, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows that a filter leaves. Raises InputError for a pattern without a match, and when no row is left."""
    flag = f"--filter '{short(filter.text)}'"
    names = [_names(row) for row in rows]
    chosen = matching(names, filter.patterns, flag, "no row, app, system, route or server matches")
    found = tuple(row for row, is_chosen in zip(rows, chosen, strict=True) if is_chosen and _fits(filter, row))
    if not found:
        raise InputError(f"{flag}: none of {len(rows):,} rows is left")
    return found


def _names(row: Row) -> frozenset[str]:
    """Return the names that a pattern can choose a row by."""
    return frozenset({row.name, row.label, row.app, row.system, row.route, row.host} - {""})


def _parts(text: str) -> list[str]:
    """Return what stands between commas and `and`s that are not within parentheses."""
    parts, depth = [""], 0
    for piece in re.findall(r"[(),]|\s+and\s+|[^(),\s]+|\s+", text):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if depth <= 0 and (piece == "," or piece.strip() == "and"):
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def _condition(text: str) -> Expression:
    try:
        return parse_expression(text, _NAMES)
    except ExpressionError as error:
        raise InputError(f"--filter '{short(text)}', column {error.column}: {error.message}") from None


def _fits(filter: Filter, row: Row) -> bool:
    states = (_STATES[word.removeprefix(EXCLUDE)](row) != word.startswith(EXCLUDE) for word in filter.states)
    return all(states) and all(_holds(condition, row) for condition in filter.conditions)


def _holds(condition: Expression, row: Row) -> bool:
    """Say whether a condition holds of a row; it does not where the row lacks a value."""
    values = {figure: _FIGURES[figure.function].value(row) for figure in condition.figures}
    known = {figure: point(value) for figure, value in values.items() if value is not None}
    if len(known) < len(values):
        return False
    try:
        return holds(condition, known) is True
    except UndefinedError:
        return False
