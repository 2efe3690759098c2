"""What became of a claim: the values that the judge hands to every report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Word = Literal["reproduced", "contradicted", "not testable here", "inconclusive"]

WORDS: tuple[Word, ...] = get_args(Word)
"""All verdicts, in the order that counts of them are given in."""


@dataclass(frozen=True)
class Quantity:
    """One figure that a claim speaks of."""

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
    """What would settle a claim, or come nearer to it."""

    rows: tuple[str, ...]
    """The rows that the claim speaks of."""
    repeats: int
    """How often each of them is to be measured."""


@dataclass(frozen=True)
class Verdict:
    """A claim judged on one table."""

    claim: str
    """Its name in the file of claims."""
    says: str
    """What is claimed, in our own words."""
    place: str
    """Where the sentence stands in the document."""
    expression: str
    """Empty where no figure can test the claim."""
    word: Word
    reason: str
    """Why this verdict, in a line."""
    published: tuple[Quantity, ...]
    """The document's own figures."""
    measured: tuple[Quantity, ...]
    notes: tuple[str, ...] = ()
    """What to know about the comparison."""
    causes: tuple[str, ...] = ()
    """What the results themselves show to be behind it."""
    wanted: Wanted | None = None
    """None where the claim is not open, or is too close to tell."""
    not_in_run: bool = False
    """It is only not testable for rows that this run was not to measure: what people read counts such claims together."""
