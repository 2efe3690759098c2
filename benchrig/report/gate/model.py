"""What a gate judges and what it finds, as values. `words.py` puts them into sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchrig.report.verdict import Verdict
from benchrig.results.codes import Code

MOST_EXPRESSIONS = 1000
"""Of a suite, or of the command line."""


class Kind(StrEnum):
    """The kind of a condition."""

    FAIL_IF = "fail_if"
    """An expression that must not hold."""
    EXPECT = "expect"
    """An expression that must hold: the suite says so."""
    FAIL_OVER = "fail_over"
    """A metric of a row that must not be worse than the reference by more than the limit."""


class Judgement(StrEnum):
    """What became of a condition, in the order that counts of them are given in."""

    FAILED = "failed"
    NOT_DECIDED = "not_decided"
    PASSED = "passed"
    SKIPPED = "skipped"
    """Only one of run and reference has the row or the metric: there is nothing to compare."""


class Basis(StrEnum):
    """What the judgement on a metric against a reference rests on."""

    SHOWN_WORSE = "shown_worse"
    """It is worse by more than the limit, everywhere within the interval."""
    WITHIN_LIMIT = "within_limit"
    """It is not worse by more than the limit, anywhere within the interval."""
    NO_DIFFERENCE = "no_difference"
    """No difference is shown, but the interval leaves one open that is worse by more than the limit."""
    AT_CEILING = "at_ceiling"
    """The connections limit both: neither system does."""
    LIMIT_IN_INTERVAL = "limit_in_interval"
    """It is shown to be worse, and may be so by more than the limit or by less."""
    TOO_FEW_REPEATS = "too_few_repeats"
    TOO_FEW_RUNS = "too_few_runs"
    """The history has fewer runs of like conditions than it takes."""
    INVALID = "invalid"
    NOT_MEASURED = "not_measured"
    """The run was to measure it and did not."""
    OTHER_LOAD = "other_load"
    """Connections or route differ."""
    OTHER_CONDITIONS = "other_conditions"
    """Duration, timeout or place of the load generator differ, or another condition of the load."""
    NO_RATIO = "no_ratio"
    """A value is 0: there is no ratio."""
    MORE_ERRORS = "more_errors"
    """More errors are shown than in the reference."""
    ONLY_IN_RUN = "only_in_run"
    ONLY_IN_REFERENCE = "only_in_reference"
    ROW_GONE = "row_gone"
    """The reference has the row, and the suite has it no more: it was removed or has another name."""


@dataclass(frozen=True)
class Worsening:
    """A metric of a row of the run, against the reference."""

    row: str
    metric: str
    """As the language of claims calls it: `latency_p99`."""
    unit: str
    """Of both values; empty of a plain number."""
    reference_value: float | None
    value: float | None
    basis: Basis
    worse_percent: float | None = None
    """How much worse it is than the reference; below 0, it is better."""
    worse_low_percent: float | None = None
    """Lower end of its 95 % interval."""
    worse_high_percent: float | None = None
    """Upper end: a greater worsening is excluded."""
    p: float | None = None
    """p-value of the difference, adjusted for the number of rows of the metric."""
    repeats: tuple[int, int] = (0, 0)
    """Of the reference and of the run; not of a history, where each run counts once."""
    needed: int = 0
    """How many repeats of each would decide: if no difference is shown, that the limit is kept, where it is. 0 where that is
    not the question, or is not known."""
    command: str = ""
    """The command that measures the row so often; empty where that would not decide."""
    runs: int = 0
    """How many earlier runs of like conditions it was judged by; 0 of another reference than the history."""
    runs_needed: int = 0
    """How many of them it takes."""
    codes: tuple[Code, ...] = ()
    """The warnings that make it invalid."""
    detail: str = ""
    """Why the run has no value, as far as it says; the condition that differs."""
    worse_since: str = ""
    """Of a history: the earlier run from which on all were worse; empty where the run before this one was not."""
    worse_runs: int = 0
    """How many those are: they are not among `runs`."""


@dataclass(frozen=True)
class Short:
    """A row of which the run has fewer repeats than it was to have."""

    row: str
    repeats: int
    """How many were measured."""
    wanted: int | None
    """How many it was to have; None where rounds were still to be added to the run."""


@dataclass(frozen=True)
class Judged:
    """A condition and what became of it."""

    kind: Kind
    condition: str
    """The expression, or the metric of a row: `throughput(sanic)`."""
    judgement: Judgement
    server: str = ""
    """The server whose rows were judged; empty in a run on one server."""
    verdict: Verdict | None = None
    """On an expression."""
    worsening: Worsening | None = None
    """Of a metric against the reference."""
    short: tuple[Short, ...] = ()
    """The rows that keep it from passing, because repeats of them are missing."""


@dataclass(frozen=True)
class Gate:
    """A run, or published figures, and what became of each condition."""

    name: str
    """The run's folder name, or the name of the published figures."""
    title: str
    """What was compared, in words."""
    suite: str
    """Empty of published figures."""
    commit: str
    reference: str
    """What the run was compared with; empty without --fail-over."""
    limit_percent: float | None
    """Of --fail-over."""
    conditions: tuple[Judged, ...]
    notes: tuple[str, ...] = ()
    """What to know of the run (B) and the reference (A), such as conditions that differ and may explain a difference."""

    @property
    def judgement(self) -> Judgement:
        """The gate's own: the worst of all its conditions. Where all are skipped, nothing is decided."""
        found = {judged.judgement for judged in self.conditions}
        order = (Judgement.FAILED, Judgement.NOT_DECIDED, Judgement.PASSED)
        return next((one for one in order if one in found), Judgement.NOT_DECIDED)

    def those(self, judgement: Judgement) -> Sequence[Judged]:
        """Return the conditions of one judgement."""
        return [judged for judged in self.conditions if judged.judgement is judgement]
