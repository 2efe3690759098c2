"""Turns warnings, verdicts and outcomes of comparisons into words: the only file that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchrig.agent.text import short
from benchrig.language import say, say_count, say_data, told
from benchrig.report.verdict import Answer, Cause, Outcome, Verdict, Why
from benchrig.results.codes import Code
from benchrig.results.warnings import Number, Unit, Value, Warning
from benchrig.units import bits_per_second, milliseconds, size
from benchrig.units import percent as in_percent

LONGEST_TEXT = 1100
"""Characters of a text in a sentence: a wrong reply, or a cause, which has 1000 and says where the rest is."""

UNITS: Mapping[Unit, tuple[Callable[[float], str], str]] = {
    Unit.COUNT: (lambda value: f"{value:,.0f}", ""),
    Unit.SECONDS: (lambda value: f"{value:g}", "{number} s"),
    Unit.PERCENT: (lambda value: f"{value:.0f}", "{number} %"),
    Unit.TIMES: (lambda value: f"{value:.2g}" if value < 10 else f"{value:,.0f}", ""),
    Unit.REQUESTS_PER_SECOND: (lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}", "{number} requests/s"),
    Unit.BITS_PER_SECOND: (bits_per_second, ""),
    Unit.MILLISECONDS: (milliseconds, ""),
    Unit.BYTES: (size, ""),
    Unit.BYTES_PER_SECOND: (size, "{number}/s"),
}
"""How a number of each unit is written, and how a unit stands behind it or behind a range; empty where none does."""


def sentence(warning: Warning) -> str:
    """Return a warning in words: one or two sentences, and in how many repeats it was seen where there are several."""
    template = warning.code.sentences[str(warning.values.get("case", ""))]
    said = say_data(template, **{name: _Value(value) for name, value in warning.values.items()})
    if warning.repeats.high == 1 or warning.code is Code.REPEAT_MISSING:
        return said
    return say(
        "{sentence} Seen in {seen} of {repeats} repeats.",
        sentence=said,
        seen=written(warning.seen_in),
        repeats=written(warning.repeats),
    )


def reason(verdict: Verdict) -> str:
    """Return the reason of a verdict on a claim in words."""
    because = verdict.reason
    facts = some([*map(_within, because.facts[:-1]), *map(told, because.facts[-1:])], 3, say("; "))
    match because.why:
        case Why.TOO_FEW_REPEATS:
            measured = say_count("One measurement", "{count} measurements", because.repeats)
            what = {
                True: say_count("supports this claim", "support this claim", because.repeats),
                False: say_count("contradicts this claim", "contradict this claim", because.repeats),
                None: say_count("says nothing of this claim", "say nothing of this claim", because.repeats),
            }[because.supports]
            return say(
                "{measured} {what}. Measure {needed} times to judge it: {command}",
                measured=measured,
                what=what,
                needed=because.needed,
                command=because.command,
            )
        case Why.WIDE_INTERVALS:
            return _wide(verdict, facts)
        case Why.REPEATS_DIFFER:
            return say(
                "{facts}. The {repeats} repeats differ, and more of them would not decide.",
                facts=facts,
                repeats=because.repeats,
            )
        case Why.OTHER_CONDITIONS if because.command:
            return say("{facts}. Measure as the article did to decide: {command}", facts=facts, command=because.command)
        case Why.OTHER_CONDITIONS:
            return say("{facts}. To decide, give a profile of the suite the article's timeout.", facts=facts)
        case Why.TOO_CLOSE:
            return say(
                "{facts}. This is too close to decide: it is within {percent} % of where the answer changes.",
                facts=facts,
                percent=in_percent(because.excluded_percent or 0.0),
            )
        case Why.TOO_WIDE:
            return _differing(verdict, facts)
        case _ if because.assumed:
            return say(
                "{facts} (from {repeats} repeats, if their logarithms are normally distributed)",
                facts=facts,
                repeats=because.repeats,
            )
        case _:
            return facts


def _within(fact: str) -> str:
    """Return a fact that others follow: it may be a sentence, and only the last one ends the line."""
    return told(fact).removesuffix(".").removesuffix("。")


def _wide(verdict: Verdict, facts: str) -> str:
    because = verdict.reason
    more, within = more_repeats(because.needed - because.repeats), because.within_percent
    if within is None:
        return say("{facts}. About {more} would decide: {command}", facts=facts, more=more, command=because.command)
    return say(
        "{facts}. About {more} would decide, or show that it is within {percent} % of where the answer changes: {command}",
        facts=facts,
        more=more,
        percent=in_percent(within),
        command=because.command,
    )


def _differing(verdict: Verdict, facts: str) -> str:
    percent = verdict.reason.excluded_percent
    if percent is None:
        return say(
            "{facts}. The repeats differ too much to decide this, and more of them are not worth it. "
            "Find what makes them differ.",
            facts=facts,
        )
    return say(
        "{facts}. The repeats differ too much to decide this, and more of them are not worth it: it may be up to "
        "{percent} % from where the answer changes. Find what makes them differ.",
        facts=facts,
        percent=in_percent(percent),
    )


def more_repeats(count: int) -> str:
    """Return a number of further repeats: `1 more repeat`."""
    return say_count("{count} more repeat", "{count} more repeats", count)


_OF_THROUGHPUT = {Answer.BETTER: "faster", Answer.WORSE: "slower"}


def answer(compared: Outcome) -> str:
    """Return the answer of a comparison of two throughputs in a word: `faster`."""
    return say_data(_OF_THROUGHPUT.get(compared.answer, compared.answer.value))


ANSWERS = tuple(_OF_THROUGHPUT.get(one, one.value) for one in Answer)


def outcome(compared: Outcome) -> str:
    """Return the outcome of a comparison of two throughputs in words: `not known (1 repeat; 3 are needed)`."""
    if not compared.cause:
        return answer(compared)
    return say("{text} ({detail})", text=answer(compared), detail=cause(compared))


CAUSES: Mapping[Cause, str] = {
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
    match compared.cause:
        case None:
            return ""
        case Cause.NOT_MEASURED:
            return say("not measured in {sides}", sides=listed(compared.sides))
        case Cause.INVALID:
            names = say(", ").join(map(title, compared.codes))
            return say("invalid in {sides}: {names}", sides=listed(compared.sides), names=names)
        case Cause.TOO_FEW_REPEATS:
            repeats = say_count("{count} repeat", "{count} repeats", compared.repeats)
            return say("{repeats}; {needed} are needed", repeats=repeats, needed=compared.needed)
        case other:
            return say_data(CAUSES[other])


def title(code: Code) -> str:
    """Return how a warning is called in a report: `latency clipped`."""
    return say_data(code.label)


def some(parts: Sequence[str], most: int, separator: str) -> str:
    """Join the first `most` parts, and say how many more there are."""
    rest = [say("and {count} more", count=len(parts) - most)] if len(parts) > most else []
    return separator.join([*map(told, parts[:most]), *rest])


class _Value:
    """A value in a sentence. Its format is a noun, or the word before the last name of a list."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        match self.value:
            case Number():
                return _counted(self.value, spec) if spec else written(self.value)
            case str():
                return short(told(self.value), LONGEST_TEXT)
            case names:
                return listed(names, spec)


def _counted(number: Number, noun: str) -> str:
    one, many = counted(noun)
    return say_data(one if number.high == 1 else many, count=written(number))


def counted(noun: str) -> tuple[str, str]:
    """Return a count of one thing and of several things, as texts: `{count} core`, `{count} cores`."""
    return f"{{count}} {noun}", f"{{count}} {noun}s"


def written(number: Number) -> str:
    """Return a number that a warning rests on, or the range of it over the repeats, with its unit."""
    write, behind = UNITS[number.unit]
    low, high = write(number.low), write(number.high)
    number_text = low if low == high else say("{low} to {high}", low=low, high=high)
    return say_data(behind, number=number_text) if behind else number_text


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as one text: `a, b and c`; with `or` as the `last` word, `a, b or c`."""
    *first, end = map(told, names)
    if not first:
        return end
    before = say(", ").join(first)
    if last == "or":
        return say("{names} or {last}", names=before, last=end)
    return say("{names} and {last}", names=before, last=end)
