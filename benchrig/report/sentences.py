"""Turns warnings, verdicts and outcomes of comparisons into words: the only file that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchrig.agent.text import short
from benchrig.report.verdict import Answer, Cause, Outcome, Verdict, Why
from benchrig.results.codes import Code
from benchrig.results.warnings import Number, Unit, Value, Warning
from benchrig.units import bits_per_second, milliseconds, size
from benchrig.units import percent as in_percent

LONGEST_TEXT = 1100
"""Characters of a text in a sentence: a wrong reply, or a cause, which has 1000 and says where the rest is."""

_UNITS: Mapping[Unit, tuple[Callable[[float], str], str]] = {
    Unit.COUNT: (lambda value: f"{value:,.0f}", ""),
    Unit.SECONDS: (lambda value: f"{value:g}", " s"),
    Unit.PERCENT: (lambda value: f"{value:.0f}", " %"),
    Unit.TIMES: (lambda value: f"{value:.2g}" if value < 10 else f"{value:,.0f}", ""),
    Unit.REQUESTS_PER_SECOND: (lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}", " requests/s"),
    Unit.BITS_PER_SECOND: (bits_per_second, ""),
    Unit.MILLISECONDS: (milliseconds, ""),
    Unit.BYTES: (size, ""),
    Unit.BYTES_PER_SECOND: (size, "/s"),
}
"""How a number of each unit is written, and what stands behind it, or behind both ends of a range."""


def sentence(warning: Warning) -> str:
    """Return a warning in words: one or two sentences, and in how many repeats it was seen where there are several."""
    template = warning.code.sentences[str(warning.values.get("case", ""))]
    said = template.format_map({name: _Text(value) for name, value in warning.values.items()})
    if warning.repeats.high == 1 or warning.code is Code.REPEAT_MISSING:
        return said
    return f"{said} Seen in {_number(warning.seen_in)} of {_number(warning.repeats)} repeats."


_CHANGES = "where the answer changes"


def reason(verdict: Verdict) -> str:
    """Return the reason of a verdict on a claim in words."""
    because = verdict.reason
    # A fact may be a sentence, and only the last one ends the line.
    facts = some([*(fact.removesuffix(".") for fact in because.facts[:-1]), *because.facts[-1:]], 3, "; ")
    match because.why:
        case Why.TOO_FEW_REPEATS:
            one = because.repeats == 1
            verb, rest = {True: ("support", ""), False: ("contradict", ""), None: ("say", " nothing of")}[because.supports]
            who = f"One measurement {verb}s" if one else f"{because.repeats} measurements {verb}"
            return f"{who}{rest} this claim. Measure {because.needed} times to judge it: {because.command}"
        case Why.WIDE_INTERVALS:
            more = f"About {more_repeats(because.needed - because.repeats)} would decide"
            return f"{facts}. {more}{_or_exclude(because.within_percent)}: {because.command}"
        case Why.REPEATS_DIFFER:
            return f"{facts}. The {because.repeats} repeats differ, and more of them would not decide."
        case Why.OTHER_CONDITIONS if because.command:
            return f"{facts}. Measure as the article did to decide: {because.command}"
        case Why.OTHER_CONDITIONS:
            return f"{facts}. To decide, give a profile of the suite the article's timeout."
        case Why.TOO_CLOSE:
            within = f"within {in_percent(because.excluded_percent or 0.0)} % of {_CHANGES}"
            return f"{facts}. This is too close to decide: it is {within}."
        case Why.TOO_WIDE:
            why = "The repeats differ too much to decide this, and more of them are not worth it"
            return f"{facts}. {why}{_up_to(because.excluded_percent)}. Find what makes them differ."
        case _:
            assumed = f" (from {because.repeats} repeats, if their logarithms are normally distributed)"
            return f"{facts}{assumed if because.assumed else ''}"


def _or_exclude(percent: float | None) -> str:
    return "" if percent is None else f", or show that it is within {in_percent(percent)} % of {_CHANGES}"


def _up_to(percent: float | None) -> str:
    return "" if percent is None else f": it may be up to {in_percent(percent)} % from {_CHANGES}"


def more_repeats(count: int) -> str:
    """Return a number of further repeats: `1 more repeat`."""
    return f"{count} more repeat{'' if count == 1 else 's'}"


_OF_THROUGHPUT = {Answer.BETTER: "faster", Answer.WORSE: "slower"}


def answer(compared: Outcome) -> str:
    """Return the answer of a comparison of two throughputs in a word: `faster`."""
    return _OF_THROUGHPUT.get(compared.answer, compared.answer.value)


def outcome(compared: Outcome) -> str:
    """Return the outcome of a comparison of two throughputs in words: `not known (1 repeat; 3 are needed)`."""
    return f"{answer(compared)} ({cause(compared)})" if compared.cause else answer(compared)


_CAUSES: Mapping[Cause, str] = {
    Cause.AT_CEILING: "both at the ceiling",
    Cause.EQUAL: "the same in every repeat",
    Cause.PUBLISHED: "published figures have no repeats",
    Cause.OTHER_LOAD: "different load",
    Cause.OTHER_DURATION: "different duration or timeout",
    Cause.LOAD_ON_SERVER: "one server loaded itself",
    Cause.DATABASE_ON_SERVER: "one server ran its own database",
}


def cause(compared: Outcome) -> str:
    """Return the cause of an outcome in words; empty where it has none."""
    sides = " and ".join(compared.sides)
    match compared.cause:
        case None:
            return ""
        case Cause.NOT_MEASURED:
            return f"not measured in {sides}"
        case Cause.INVALID:
            names = ", ".join(code.value.replace("_", " ") for code in compared.codes)
            return f"invalid in {sides}: {names}"
        case Cause.TOO_FEW_REPEATS:
            return f"{compared.repeats} repeat{'' if compared.repeats == 1 else 's'}; {compared.needed} are needed"
        case other:
            return _CAUSES[other]


def some(parts: Sequence[str], most: int, separator: str) -> str:
    """Join the first `most` parts, and say how many more there are."""
    rest = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return separator.join([*parts[:most], *rest])


class _Text:
    """A value in a sentence. Its format is a noun, or the word before the last name of a list."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        match self.value:
            case Number():
                many = "" if self.value.high == 1 else "s"
                return f"{_number(self.value)} {spec}{many}" if spec else _number(self.value)
            case str():
                return short(self.value, LONGEST_TEXT)
            case names:
                return _listed(names, spec)


def _number(number: Number) -> str:
    write, unit = _UNITS[number.unit]
    ends = dict.fromkeys((write(number.low), write(number.high)))
    return f"{' to '.join(ends)}{unit}"


def _listed(names: Sequence[str], last: str) -> str:
    """Return names as one text: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def written(number: Number) -> str:
    """Return a number that a warning rests on, or the range of it over the repeats, with its unit."""
    return _number(number)
