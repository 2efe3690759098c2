"""Verdicts on claims and outcomes of comparisons, as values. `sentences.py` puts them into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from benchrig.results.codes import Code


class Word(StrEnum):
    """The word of a verdict, in the order that counts of them are given in."""

    REPRODUCED = "reproduced"
    CONTRADICTED = "contradicted"
    NOT_TESTABLE = "not testable here"
    INCONCLUSIVE = "inconclusive"


class Why(StrEnum):
    """What a verdict rests on."""

    RELATIONS = "relations"
    """The claim's relations are true, or false, everywhere within the intervals."""
    TOO_FEW_REPEATS = "too_few_repeats"
    """There is no interval."""
    WIDE_INTERVALS = "wide_intervals"
    """The relations are true in a part of the intervals; more repeats would decide."""
    TOO_CLOSE = "too_close"
    """The same, but more repeats are not worth it, and it is within 10 % of where the answer changes."""
    TOO_WIDE = "too_wide"
    """The same, but it may be further away than that: the repeats differ too much."""
    REPEATS_DIFFER = "repeats_differ"
    """The relations are true in some repeats and false in others."""
    OTHER_CONDITIONS = "other_conditions"
    """The duration or the timeout was not the article's."""
    BEYOND_MACHINE = "beyond_machine"
    """The size of the machine alone decides."""
    NO_VALUE = "no_value"
    """A value is missing or must not be used."""
    NOT_MEASURABLE = "not_measurable"
    """No value can test the claim, as its file says."""


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is."""

    why: Why
    facts: tuple[str, ...] = ()
    """The relations with their values, or why values are missing."""
    supports: bool | None = None
    """Whether the medians of too few repeats support the claim; None in all other cases."""
    repeats: int = 0
    """How many repeats there are."""
    needed: int = 0
    """How many repeats would decide; 0 where that is not the question, or none would."""
    command: str = ""
    """The command that measures the claim's rows so often, and as long as the article where that is what decides."""
    assumed: bool = False
    """It rests on fewer than six repeats, and so on the assumption that their logarithms are normally distributed."""
    within_percent: float | None = None
    """Where `needed` repeats might not decide: they exclude a larger distance from where the answer changes."""
    excluded_percent: float | None = None
    """A distance from where the answer changes that the repeats exclude already; None where that is not the question."""


@dataclass(frozen=True)
class Quantity:
    """One figure of a claim."""

    name: str
    """As the claim's expression has it: `throughput(sanic)`."""
    text: str
    """As printed: with its unit, and with its interval where there is one."""
    value: float | None
    """None when there is no such figure."""
    low: float | None
    """Lower end of the 95 % interval of the median; None where too few repeats give none."""
    high: float | None
    """Upper end of it."""


@dataclass(frozen=True)
class Wanted:
    """The measurements that would decide a claim."""

    rows: tuple[str, ...]
    """The rows of the claim."""
    repeats: int
    """How many repeats of each."""
    as_published: bool = False
    """With the article's duration and timeout."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim by one table."""

    claim: str
    """Its name in the file of claims."""
    says: str
    """The claim, in our own words."""
    place: str
    """Where the sentence stands in the article."""
    expression: str
    """Empty where no figure can test the claim."""
    word: Word
    reason: Reason
    published: tuple[Quantity, ...]
    """The article's own figures."""
    measured: tuple[Quantity, ...]
    notes: tuple[str, ...] = ()
    """Notes on the rows that are compared."""
    causes: tuple[str, ...] = ()
    """Causes that the results show."""
    wanted: Wanted | None = None
    """None where the claim is decided, and where no measurement is worth it."""
    invalid_by: tuple[Code, ...] = ()
    """The warnings that make its rows invalid, where that alone keeps it from being tested."""
    not_in_run: bool = False
    """It is not testable only because its rows were not part of the run: reports for people count such claims together."""


class Answer(StrEnum):
    """The answer of a comparison of two rows by a metric: what the second is, compared with the first."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shown"
    NOT_KNOWN = "not known"
    NOT_COMPARABLE = "not comparable"


class Cause(StrEnum):
    """Why a comparison has no answer, or shows no difference."""

    NOT_MEASURED = "not_measured"
    INVALID = "invalid"
    AT_CEILING = "at_ceiling"
    EQUAL = "equal"
    """Every repeat of both has the same value."""
    PUBLISHED = "published"
    """One of them is a published figure, which has no repeats."""
    OTHER_DURATION = "other_duration"
    """The loads were not as long, or had another timeout."""
    TOO_FEW_REPEATS = "too_few_repeats"
    OTHER_LOAD = "other_load"
    LOAD_ON_SERVER = "load_on_server"
    """One of the servers loaded itself."""
    DATABASE_ON_SERVER = "database_on_server"
    """One of the servers ran its own database."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of comparing two rows by a metric."""

    answer: Answer
    cause: Cause | None = None
    sides: tuple[str, ...] = ()
    """The sides that the cause is about: `A`, or the names of servers."""
    codes: tuple[Code, ...] = ()
    """The warnings that make the rows invalid."""
    repeats: int = 0
    """The fewer repeats of the two rows."""
    needed: int = 0
    """How many repeats an answer needs."""
