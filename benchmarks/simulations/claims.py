"""Claims on ratios and sums: coverage of their intervals, wrong verdicts, power, and whether the advised repeats decide."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from benchrig.report.claims import parser
from benchrig.report.claims.functions import names_of
from benchrig.report.claims.language import Expression, Operation
from benchrig.report.claims.relations import holds, outlook
from benchrig.report.claims.values import Known, Values, bounds
from benchrig.statistics.interval import of_median
from tests.support.noise import Noise, repeats

ROWS = ("a", "b", "c", "d")
RATIO, SUM, AVERAGE = "t(a) / t(b)", "t(a) + t(b)", "(t(a) / t(b) + t(c) / t(d)) / 2"
PLAIN, REALISTIC = Noise(), Noise(outliers=0.05, drift=0.01)
COUNTS = (3, 4, 5, 6, 8, 12, 20)


def table(rounds: int = 4000) -> list[str]:
    """Return the tables as Markdown; `rounds` are the simulated runs behind each number."""
    return [
        "Coverage of the 95 % interval of a calculated quantity, in %. The spread is 3 %. *Outliers*: 5 % of the repeats",
        "are slow by 5 to 30 %, and there is a drift of 1 %.",
        "",
        "| repeats | quotient | sum | mean of two quotients | quotient, outliers |",
        "|---|---|---|---|---|",
        *(
            f"| {n} | {covered(RATIO, n, PLAIN, rounds):.1f} | {covered(SUM, n, PLAIN, rounds):.1f} "
            f"| {covered(AVERAGE, n, PLAIN, rounds):.1f} | {covered(RATIO, n, REALISTIC, rounds):.1f} |"
            for n in COUNTS
        ),
        "",
        "Verdicts, in % of runs, on `a > b`, on `a ~= b` and on `a > max(b, c, d)`. *Wrong* is the contrary",
        "of the truth, where next to nothing separates it from the limit. *Right* is where a is 5 % above the rest, or",
        "equal to b for `~=`.",
        "",
        "| repeats | `>` wrong | `>` right | `~=` wrong | `~=` right | `max` wrong | `max` right |",
        "|---|---|---|---|---|---|---|",
        *(f"| {n} | {' | '.join(f'{share:.1f}' for share in verdicts(n, rounds))} |" for n in COUNTS),
        "",
        "Claims that are not decided, measured again as often as the reason says. The true distance from the limit is drawn",
        "from 0 to 6 %. *Kept*: the claim is decided, or it is shown to be as close to the limit as the reason says.",
        "",
        "| claim | repeats | not decided, % | advised, % of them | kept, % | decided, % |",
        "|---|---|---|---|---|---|",
        *(f"| `{text}` | {n} | {advised(text, n, rounds)} |" for text in ADVISED for n in (4, 6, 10)),
    ]


ADVISED = ("t(a) > t(b)", "t(a) / t(b) + t(c) / t(d) > 2", "t(a) > 1000", "t(a) > max(t(b), t(c))")


@cache
def expression(text: str) -> Expression:
    """Return an expression in which t is throughput."""
    return parser.parse(text.replace("t(", "throughput("), names_of(ROWS))


def drawn(rng: Random, text: str, count: int, noise: Noise, ratios: Mapping[str, float]) -> Values:
    """Return repeats of an expression's figures; a row's true value is 1,000 times its ratio."""
    return {figure: known(repeats(rng, count, noise, ratios.get(figure.row, 1.0))) for figure in expression(text).figures}


def known(values: Sequence[float]) -> Known:
    """Return a figure of a run by its repeats."""
    interval = of_median(values)
    assert interval
    return Known(statistics.median(values), interval.low, interval.high, sample=tuple(values))


def covered(text: str, count: int, noise: Noise, rounds: int) -> float:
    """Return in how many percent of runs the interval of a quantity has its true value in it."""
    rng, found = Random(1), 0
    (comparison,) = expression(f"{text} > 0").comparisons
    term = comparison.terms[0]
    assert isinstance(term, Operation)
    truth = 2000.0 if text == SUM else 1.0
    for _ in range(rounds):
        interval = bounds(term, drawn(rng, f"{text} > 0", count, noise, {}))
        found += interval.low <= truth <= interval.high
    return 100 * found / rounds


def verdicts(count: int, rounds: int) -> Sequence[float]:
    """Return the percentages of wrong and of right verdicts on three relations."""
    cases: list[tuple[str, Mapping[str, float], bool]] = [
        ("t(a) > t(b)", {"a": 0.9999}, True),
        ("t(a) > t(b)", {"a": 1.05}, True),
        ("t(a) ~= t(b)", {"a": 1.1001}, True),
        ("t(a) ~= t(b)", {}, True),
        ("t(a) > max(t(b), t(c), t(d))", {"a": 1.0001}, False),
        ("t(a) > max(t(b), t(c), t(d))", {"a": 1.05}, True),
    ]
    shares = []
    for text, ratios, verdict in cases:
        rng = Random(2)
        found = sum(holds(expression(text), drawn(rng, text, count, PLAIN, ratios)) is verdict for _ in range(rounds))
        shares.append(100 * found / rounds)
    return shares


@dataclass
class Advised:
    """What became of the runs that decided nothing."""

    runs: int = 0
    undecided: int = 0
    advised: int = 0
    kept: int = 0
    decided: int = 0

    def __str__(self) -> str:
        shares = (
            (self.undecided, self.runs),
            (self.advised, self.undecided),
            (self.kept, self.advised),
            (self.decided, self.advised),
        )
        return " | ".join(f"{100 * part / whole:.0f}" if whole else "–" for part, whole in shares)


def advised(text: str, count: int, rounds: int) -> Advised:
    """Return what became of claims that were measured again as often as advised."""
    rng, found = Random(3), Advised()
    claim = expression(text)
    for _ in range(rounds):
        ratios = {"a": 1 + rng.choice((-1, 1)) * rng.uniform(0, 0.06)}
        values = drawn(rng, text, count, PLAIN, ratios)
        found.runs += 1
        if holds(claim, values) is not None:
            continue
        found.undecided += 1
        ahead = outlook(claim, values, count)
        if ahead.repeats > 200:
            continue
        found.advised += 1
        again = drawn(rng, text, int(ahead.repeats), PLAIN, ratios)
        is_decided = holds(claim, again) is not None
        found.decided += is_decided
        found.kept += is_decided or outlook(claim, again, int(ahead.repeats)).excluded <= ahead.within
    return found
