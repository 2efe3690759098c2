"""Warnings about measured values, as values: a code of `codes.Code` with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from benchrig.results.codes import Code
from benchrig.results.spoils import Spoils


class Unit(StrEnum):
    """The unit of a number in a warning."""

    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"
    TIMES = "times"
    REQUESTS_PER_SECOND = "requests_per_second"
    BITS_PER_SECOND = "bits_per_second"
    MILLISECONDS = "milliseconds"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes_per_second"


@dataclass(frozen=True)
class Number:
    """A number that a warning rests on. Over several repeats or rows it is a range."""

    low: float
    high: float
    unit: Unit = Unit.COUNT


Value = Number | str | tuple[str, ...]
"""A number, a text, or names of machines and programs."""


def number(value: float, unit: Unit = Unit.COUNT) -> Number:
    """Return a number that was measured once."""
    return Number(value, value, unit)


@dataclass(frozen=True)
class Warning:
    """Something to know about a row. An invalid row is shown with its values, but must not be ranked."""

    code: Code
    host: str = ""
    """The machine that it is about; empty where it is about several, or about published figures."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """What it rests on, by the names in its sentence."""
    invalid: bool = False
    seen_in: Number = field(default_factory=lambda: number(1))
    """In how many repeats it was detected."""
    repeats: Number = field(default_factory=lambda: number(1))
    """How many repeats were measured."""

    @property
    def spoils(self) -> frozenset[Spoils]:
        """What it casts doubt on."""
        return self.code.spoils

    @property
    def kind(self) -> tuple[object, ...]:
        """What warnings have in common that differ in their numbers only."""
        return self.code, *sorted((name, value) for name, value in self.values.items() if not isinstance(value, Number))


def grouped(warnings: Iterable[Warning]) -> tuple[tuple[Warning, ...], ...]:
    """Return warnings in groups that differ in their numbers only."""
    groups: dict[tuple[object, ...], list[Warning]] = {}
    for warning in warnings:
        groups.setdefault(warning.kind, []).append(warning)
    return tuple(map(tuple, groups.values()))


def merged(group: Sequence[Warning]) -> Warning:
    """Return one warning for a group, with the range of each of its numbers. One invalid warning makes it invalid."""
    first = group[0]
    hosts = {warning.host for warning in group}
    return Warning(
        first.code,
        first.host if len(hosts) == 1 else "",
        {name: _range(warning.values[name] for warning in group) for name in first.values},
        any(warning.invalid for warning in group),
        _numbers([warning.seen_in for warning in group]),
        _numbers([warning.repeats for warning in group]),
    )


def over_repeats(warnings: Iterable[Warning], repeats: int) -> tuple[Warning, ...]:
    """Return the warnings of all measured repeats of a row, each with the number of repeats that it was detected in."""
    return tuple(replace(merged(group), seen_in=number(len(group)), repeats=number(repeats)) for group in grouped(warnings))


def _range(values: Iterable[Value]) -> Value:
    first, *rest = values
    if not isinstance(first, Number):
        return first
    return _numbers([first, *(value for value in rest if isinstance(value, Number))])


def _numbers(numbers: Sequence[Number]) -> Number:
    return Number(min(one.low for one in numbers), max(one.high for one in numbers), numbers[0].unit)
