"""Warnings about measured values, as values: what each one is called, what it spoils, and how its sentence reads.

To add a warning, add an entry to `Code` here and a function that detects it to `audit.py`. `report/sentences.py` puts the
values into the sentence; no program takes a sentence apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum


class Spoils(StrEnum):
    """What a warning casts doubt on. With an invalid warning, these values of the row must not be used."""

    RATE = "rate"
    """Throughput and CPU."""
    LATENCY = "latency"
    COUNTS = "counts"
    """What was counted, such as late replies."""
    RANK = "rank"
    """The values are right, but the row must not be ranked by them, or shares its rank."""


_RATE, _LATENCY, _COUNTS, _RANK = Spoils


class Code(Enum):
    """Every warning: its code in `report.json`, what it spoils, and its sentence.

    In a sentence, `{name}` stands for a value; `{name:core}` for a count with its noun; `{name:and}` for a list of names.
    Where a warning has several cases, there is a sentence for each, chosen by its value `case`.
    """

    spoils: frozenset[Spoils]
    sentences: Mapping[str, str]
    """By case; a warning of one case has it under ''."""

    def __new__(cls, code: str, spoils: Iterable[Spoils], sentence: str | Mapping[str, str]) -> Code:
        """Make an entry whose value is its code alone."""
        entry = object.__new__(cls)
        entry._value_ = code
        entry.spoils = frozenset(spoils)
        entry.sentences = {"": sentence} if isinstance(sentence, str) else sentence
        return entry

    TIMEOUTS = "timeouts", {_LATENCY}, "{late} of {requests} replies came after the timeout of {timeout}."
    LATENCY_CLIPPED = (
        "latency_clipped",
        {_LATENCY},
        "Latency is cut off at the timeout of {timeout}. Later replies are missing from mean, maximum and percentiles.",
    )
    UNANSWERED = (
        "unanswered",
        {_LATENCY},
        "At least {unanswered} of {connections} connections never got a reply. They are missing from all values.",
    )
    CEILING = (
        "ceiling",
        {_RANK},
        "The throughput is at its ceiling: {connections} connections with {sleep} of waiting per request allow {allowed}. "
        "The row reaches {share} of it, and the system may be able to do more.",
    )
    SLEEP_WRONG = (
        "sleep_wrong",
        {_RANK},
        "'sleep_seconds' in app.yml is wrong: {connections} connections with {sleep} of waiting per request allow "
        "{allowed}, but {rate} were measured.",
    )
    LITTLES_LAW = (
        "littles_law",
        {_LATENCY},
        {
            "understated": "Mean latency is understated: Little's law predicts {factor} times more. "
            "Slow or unanswered connections are missing from it.",
            "overstated": "Mean latency is overstated: Little's law predicts {factor} times less. "
            "The load generator's correction adds latencies of requests that were never sent.",
        },
    )
    CONNECTION_ERRORS = (
        "connection_errors",
        {_RATE},
        {
            "connect": "{failed:connection} could not be opened.",
            "read": "{failed:connection} broke while reading.",
            "write": "{failed:connection} broke while writing.",
        },
    )
    NOT_STORED = "not_stored", {_RANK}, "The database stored {stored} of {requests} rows that replies confirmed."
    GENERATOR_SATURATED = (
        "generator_saturated",
        {_RATE, _LATENCY},
        "The load generator was the bottleneck: it used {busy} of the {cores:core} it can use.",
    )
    LISTEN_BACKLOG = (
        "listen_backlog",
        {_LATENCY},
        "The listen backlog overflowed {overflows:time}. A dropped connection is tried again after a second or more.",
    )
    NO_IDLE_CPU = (
        "no_idle_cpu",
        {_RATE, _LATENCY},
        "No CPU was idle, and the load generator ran on the server. They took CPU time from each other.",
    )
    NETWORK_BOUND = (
        "network_bound",
        {_RATE},
        "Replies with their packet headers took {used}: {share} of what the network from {server} to {load_host} carries. "
        "The system may be able to do more.",
    )
    STEAL = (
        "steal",
        {_RATE, _LATENCY},
        "The hypervisor took {share} of the CPU time of {machines:and} (steal).",
    )
    DISTURBED = (
        "disturbed",
        {_RATE, _LATENCY, _COUNTS},
        "Something other than {ours:or} used {share} of the CPU time of {machines:and}.",
    )
    EMULATED = (
        "emulated",
        {_RATE, _LATENCY, _COUNTS},
        "The values say nothing about real hardware, because these machines are emulated: {machines:and}.",
    )
    RESUMED = (
        "resumed",
        {_RANK},
        {
            "same": "The run was interrupted and resumed: {repeats}.",
            "changed": "The run was interrupted, and resumed under other conditions: {changed}. Of this row: {repeats}.",
        },
    )
    REPEAT_MISSING = "repeat_missing", {_RANK}, "{missing} of {repeats} repeats were not measured: {reason}"


class Unit(StrEnum):
    """The unit of a number in a warning."""

    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"
    TIMES = "times"
    REQUESTS_PER_SECOND = "requests_per_second"
    BITS_PER_SECOND = "bits_per_second"


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
