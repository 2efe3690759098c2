"""The values of a summary. `words.py` puts them into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from benchrig.report.table import Row
from benchrig.results.codes import Code
from benchrig.results.model import Machine
from benchrig.results.warnings import Warning
from benchrig.statistics.advice import Advice
from benchrig.statistics.difference import Difference


class Standing(StrEnum):
    """What the results say of the first place among rows under the same conditions."""

    SHOWN = "shown"
    """The first row is shown to be faster than every other one: its rank is 1."""
    NOT_SHOWN = "not_shown"
    """Some row has the highest median, but the repeats do not tell it from others."""
    TOO_FEW_REPEATS = "too_few_repeats"
    AT_CEILING = "at_ceiling"
    """The fastest rows answer all that their connections allow: the load is measured there, not the system."""
    ALONE = "alone"
    """There is one row to be ranked, which has nobody to be faster than."""
    NOTHING = "nothing"
    """No valid row has a throughput."""
    PUBLISHED = "published"
    """An article gives each figure once, which shows no difference."""


@dataclass(frozen=True)
class Finding:
    """Who is first among the rows of as many connections, the same route and the same server, and whether that is shown."""

    standing: Standing
    connections: int
    route: str
    host: str
    """The server; empty where the run has one."""
    rows: tuple[Row, ...] = ()
    """The rows that are compared: valid, with a throughput; the first one first."""
    tied: tuple[Row, ...] = ()
    """Where it is not shown who is first: the others that have a place in common with the first row."""
    second: Row | None = None
    """The row that the first one is compared with: the next, or the next that is not told from it."""
    difference: Difference | None = None
    """Throughput of the first over that of the second; None of too few repeats, or where a value is 0."""
    advice: Advice | None = None
    """How many repeats would decide; None where it is shown already, or was not tested."""
    above: tuple[Row, ...] = ()
    """Rows with more requests/s than the first, which are invalid or have too few repeats to be ranked."""
    held: tuple[Row, ...] = ()
    """Rows at the ceiling, where they are the fastest ones."""

    @property
    def first(self) -> Row | None:
        """The row with the best place; None where no row has one."""
        return self.rows[0] if self.rows else None

    @property
    def pairs(self) -> int:
        """How many pairs of rows were compared for the ranks: chance has as many tries."""
        return len(self.rows) * (len(self.rows) - 1) // 2


class Kind(StrEnum):
    """What a spoiler is about."""

    INCOMPLETE = "incomplete"
    """The run was interrupted, or is still going on."""
    FAILED = "failed"
    NOT_RUN = "not_run"
    NOT_POSSIBLE = "not_possible"
    WARNING = "warning"
    SHARED_CPUS = "shared_cpus"
    """Server and load generator shared their CPUs."""
    SHARED_COMPUTER = "shared_computer"
    """Several machines were on one computer."""


@dataclass(frozen=True)
class Spoiler:
    """Something that spoils figures, with the rows that it is about."""

    kind: Kind
    rows: tuple[str, ...] = ()
    """Their labels, in the order of the table."""
    numbers: tuple[int, ...] = ()
    """Their places in the table, from 1; none of rows that are not in it."""
    code: Code | None = None
    """Of a warning."""
    invalid: bool = False
    """Of a warning: it makes the rows invalid."""
    every: bool = False
    """It is about every row that was measured."""
    warning: Warning | None = None
    """Of a warning: that of all its rows, with the range of each number; of several cases, that of the most rows."""
    told_of: tuple[str, ...] = ()
    """Labels of the rows that `warning` is about, where they are not all of `rows`."""


@dataclass(frozen=True)
class What:
    """What was measured."""

    title: str
    name: str
    """The run's folder, or the name of the published set."""
    suite: str
    profile: str
    """Empty of a published set, as the suite is."""
    rows: int
    """Those of the suite, whether they were measured or not."""
    measured: int
    repeats: tuple[int, int]
    """The fewest and the most of a measured row."""
    seconds: float
    """The duration of each measurement."""


@dataclass(frozen=True)
class Summary:
    """The first that a reader is told of a report."""

    what: What
    started_at: str
    """In UTC, as ISO 8601 has it; empty of a published set."""
    took_seconds: float | None
    """From its start to its end; None of an interrupted run, and of a published set."""
    machines: tuple[Machine, ...]
    """Empty of a published set."""
    published_machine: str
    """The machine of a published set, as the document describes it; else empty."""
    findings: tuple[Finding, ...]
    """Of the largest group of rows under the same conditions, then of others, at most `MOST_GROUPS`."""
    groups: int
    """How many such groups there are."""
    spoilers: tuple[Spoiler, ...]
    """The worst first."""

    @property
    def finding(self) -> Finding:
        """That of the largest group."""
        return self.findings[0]
