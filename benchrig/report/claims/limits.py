"""What a machine allows: a claim that its size alone decides is not testable on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchrig.language import later, later_count
from benchrig.report.claims.functions import FUNCTIONS, KnownFigure, machine, shown
from benchrig.report.claims.language import Comparison, Expression, Figure
from benchrig.report.claims.relations import links
from benchrig.report.claims.values import Known, UndefinedError
from benchrig.report.claims.words import KnownFigures
from benchrig.report.table import Row, Table
from benchrig.results.model import Machine
from benchrig.units import PERCENT_OF_A_CORE, size


@dataclass(frozen=True)
class Limit:
    """The most that a figure can be on a machine."""

    most: float
    text: str
    """It with its unit."""
    because: str
    """What the machine has."""


def beyond(expression: Expression, figures: KnownFigures, table: Table) -> tuple[str, ...]:
    """Return why comparisons of an expression have one outcome on these machines, whatever is measured; empty otherwise."""
    limits = {figure: limit for figure, found in figures.items() if (limit := _limit(figure, found, table))}
    reasons: dict[str, None] = {}
    for comparison in expression.comparisons:
        there = {figure: limits[figure] for figure in comparison.figures if figure in limits}
        if there and _decided(comparison, figures, there):
            reasons |= dict.fromkeys(_sentence(figure, limit) for figure, limit in there.items())
    return tuple(reasons)


def _decided(comparison: Comparison, figures: KnownFigures, limits: Mapping[Figure, Limit]) -> bool:
    """Return whether the limits decide a relation of a comparison that is open without them."""
    free = {figure: _any(figure, figures[figure], math.inf) for figure in comparison.figures}
    bounded = free | {figure: _any(figure, figures[figure], limit.most) for figure, limit in limits.items()}
    try:
        pairs = zip(links(comparison, free), links(comparison, bounded), strict=True)
    except UndefinedError:
        return False
    return any(without is None and with_limits is not None for without, with_limits in pairs)


def _any(figure: Figure, found: KnownFigure, most: float) -> Known:
    """Return all that a figure could be; what the machine itself is stays as it is."""
    return found.known if FUNCTIONS[figure.function].metric is None else Known(found.value, 0.0, most)


def _limit(figure: Figure, found: KnownFigure, table: Table) -> Limit | None:
    """Return the most that a figure can be; None where nothing is known, or where more was measured."""
    row = next(row for row in table.rows if row.name == figure.row)
    there = machine(_host(figure.function, row), table)
    if there is None:
        return None
    limit = _memory(there) if figure.function == "memory" else _cpu(there)
    return limit if found.value <= limit.most else None


def _host(function: str, row: Row) -> str:
    """Return the machine whose size limits a function of a row; empty where none does."""
    if function in ("cpu", "memory"):
        return row.host
    if function != "generator_cpu":
        return ""
    return row.host if row.load_on_server else row.network.load_host if row.network else ""


def _cpu(there: Machine) -> Limit:
    has = later_count("{machine} has {count} CPU core", "{machine} has {count} CPU cores", there.cores, machine=there.name)
    return Limit(100.0 * there.cores, shown(100 * there.cores, unit=PERCENT_OF_A_CORE.name), has)


def _memory(there: Machine) -> Limit:
    return Limit(there.memory_bytes, size(there.memory_bytes), later("{machine} has no more memory", machine=there.name))


def _sentence(figure: Figure, limit: Limit) -> str:
    return later(
        "{figure} is at most {limit} here, because {because}", figure=figure.text, limit=limit.text, because=limit.because
    )
