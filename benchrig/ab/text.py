"""The report of a session as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from benchrig.ab.analysis import Answer, MetricResult, Result
from benchrig.ab.commits import SHORT
from benchrig.ab.design import IN_WORDS, counted
from benchrig.report.describe import machine_line, settings_shown
from benchrig.report.metrics import BY_NAME
from benchrig.report.plain import fitting, hidden, text_width, wrapped
from benchrig.results.model.session import Variant
from benchrig.statistics import bounded
from benchrig.statistics.boots import LEAST_KNOWN, MOST_BOOTS, Spread
from benchrig.units import NOTHING, p_value, percent

HEADINGS = ("metric", "A", "B", "B against A", "95% interval", "p", "result")


def render(result: Result, width: int | None = None) -> str:
    """Return a session's report without colours; in `width` columns if it fits."""
    room = text_width(width)
    rows = [_row(one) for one in result.metrics]
    table, dropped = fitting(HEADINGS, rows, 1, width, [(5,), (1, 2)])
    sections = [
        [wrapped(line, room) for line in _head(result)],
        [table] if rows else [f"no pair of A and B {'can be judged' if result.measured > 1 else 'is measured yet'}"],
        hidden(dropped, ["./inv", "ab", "--show", result.session.name], room),
        [wrapped(line, room) for line in (*_meaning(result), *_notes(result))],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _head(result: Result) -> Iterator[str]:
    session = result.session
    kind = "A/A" if session.is_same else "A/B"
    state = "" if session.finished_at else "INCOMPLETE "
    shown = {name: text for name, text in settings_shown(session.settings).items() if name != "repeats"}
    settings = ", ".join(f"{name} {text}" for name, text in shown.items())
    yield (
        f"{state}{kind} {session.name}: profile {session.profile}, inventory {session.inventory} ({settings}), "
        f"benchrig {session.benchrig_version}"
    )
    yield f"A  {described(session.a)}"
    yield f"B  {described(session.b)}"
    yield from (machine_line(machine) for machine in session.machines)
    pairs = session.settings.repeats
    yield (
        f"{counted(session.boots, 'boot')} ({IN_WORDS[session.boot_by]}), in each {counted(pairs, 'pair')} "
        f"of A and B in random order (seed {session.seed}); {result.measured} of {result.planned} measurements"
    )
    if not session.finished_at:
        yield f"to go on: ./inv ab --resume {session.name}"


def described(variant: Variant) -> str:
    """Return a variant in words: `go-2000 of suite web-frameworks on lab1, with the apps of commit 0123456789ab`."""
    where = f" on {variant.host}" if variant.host else ""
    commit = f", with the apps of commit {variant.commit[:SHORT]}" if variant.commit else ""
    setting = f", with {variant.variable}={variant.value}" if variant.variable else ""
    return f"{variant.row} of suite {variant.suite}{where}{commit}{setting}"


def _row(result: MetricResult) -> tuple[str, ...]:
    metric, paired = BY_NAME[result.metric], result.paired
    answer = str(result.answer)
    if result.answer is Answer.NO_DIFFERENCE and paired.low and paired.high:
        widest = max(bounded.expm1(abs(math.log(end))) for end in (paired.low, paired.high))
        # Of values that repeat exactly, the interval is a point, and nothing of it can be written.
        answer = f"{answer}; above {percent(max(0.01, 100 * widest))} % excluded" if widest < 1 else answer
    return (
        metric.label,
        metric.unit.text(result.a),
        metric.unit.text(result.b),
        change(paired.ratio, _digits(result)),
        interval(result),
        NOTHING if result.adjusted_p is None else p_value(result.adjusted_p),
        answer,
    )


def _digits(result: MetricResult) -> int:
    """Return how many decimals a percentage has, so that its interval has two digits of its half width, at most 3."""
    low, high = result.paired.low, result.paired.high
    half = 50 * (high - low) if low is not None and high is not None else 0.0
    return min(3, max(0, 1 - math.floor(math.log10(half)))) if half else 1


def change(ratio: float, digits: int) -> str:
    """Write a ratio as a change in percent: `-2.9%`."""
    return f"{100 * (ratio - 1):+.{digits}f}%"


def interval(result: MetricResult) -> str:
    """Write the interval of a ratio as changes in percent: `-3.5% to -2.3%`."""
    low, high = result.paired.low, result.paired.high
    if low is None or high is None:
        return NOTHING
    digits = _digits(result)
    return f"{change(low, digits)} to {change(high, digits)}"


def _share(value: float) -> str:
    return f"{percent(100 * value)} %"


def _meaning(result: Result) -> Iterator[str]:
    """Yield what the session says beyond its table: what it could find, and how far boots differ."""
    first = result.throughput
    if first is None:
        return
    if first.detectable is None:
        yield (
            "One boot has no interval: how far another boot would differ is not known. Take --boots 2 or more; "
            "8 is the default."
        )
        return
    found = _share(first.detectable)
    if result.session.is_same:
        yield (
            f"A and B are the same. With this design, this machine tells differences in throughput of {found} and more "
            "apart, in 80 of 100 sessions."
        )
        if first.answer in (Answer.BETTER, Answer.WORSE):
            yield (
                "A difference was found where there is none. One A/A session in twenty finds one by chance; "
                "if the next one does, too, something favours one side."
            )
    else:
        yield f"With this design, a difference in throughput of {found} is found in 80 of 100 sessions."
    yield from _spreads(result, first)
    yield from _advised(result)


def _spreads(result: Result, first: MetricResult) -> Iterator[str]:
    paired = first.paired
    # Without boots, what is told is how far one start of the app differs from the next.
    unit = "start" if result.session.boot_by == "restart" else "boot"
    if paired.within is not None and paired.between is not None:
        yield (
            f"The ratio of a pair varies by {_share(paired.within)} within a {unit}, and by {_share(paired.between)} from "
            f"{unit} to {unit} (standard deviations)."
        )
    sides = [
        f"{side} by {_spread(spread, unit)}" for side, spread in (("A", result.spread_a), ("B", result.spread_b)) if spread
    ]
    if sides:
        yield f"Throughput itself varies: {'; '.join(sides)}. Pairs do not see what both have in common."
    if result.session.spreads and result.session.boots >= LEAST_KNOWN:
        yield "The spread from boot to boot is kept: comparisons of single runs under like conditions use it."
    elif result.session.spreads:
        yield f"It takes {LEAST_KNOWN} boots to know the spread from boot to boot: comparisons of single runs do not use it."


def _spread(spread: Spread, unit: str) -> str:
    return f"{_share(spread.within)} within a {unit} and {_share(spread.between)} from {unit} to {unit}"


def _advised(result: Result) -> Iterator[str]:
    if result.advice:
        counts = (f"{one.boots} for {_share(one.difference)}" for one in result.advice if one.boots)
        never = [one for one in result.advice if one.boots is None]
        rest = f"; more than {MOST_BOOTS} for {_share(never[-1].difference)}" if never else ""
        yield f"Boots that find a difference in 80 of 100 sessions: {', '.join(counts) or 'none of those below'}{rest}."


def _notes(result: Result) -> Iterator[str]:
    session = result.session
    if session.boot_by == "restart":
        yield (
            "Boots are not in it: benchrig cannot boot these machines. How far another boot would differ is not known; "
            "to see it, reboot them between sessions."
        )
    for one in result.differences:
        yield f"differs between A and B: {one.name}: {one.a}; {one.b}"
    yield from _left_out(result.metrics)
    for reason in result.failed:
        yield f"not measured in at least one turn: {reason}"
    if result.warnings:
        counts = (f"{code.replace('_', ' ')} in {count}" for code, count in result.warnings.items())
        yield f"warnings, of {result.measured} measurements: {', '.join(counts)}"


def _left_out(metrics: Sequence[MetricResult]) -> Iterator[str]:
    for one in metrics:
        if one.left_out:
            pairs = "1 pair is" if one.left_out == 1 else f"{one.left_out} pairs are"
            yield f"{BY_NAME[one.metric].label}: {pairs} left out, because a warning makes a value invalid"
