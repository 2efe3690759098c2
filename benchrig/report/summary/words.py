"""Puts a summary into words, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig.language import say, say_count
from benchrig.report import describe, sentences
from benchrig.report.metrics import THROUGHPUT
from benchrig.report.sentences import title
from benchrig.report.summary.make import moment
from benchrig.report.summary.values import Finding, Kind, Spoiler, Standing, Summary
from benchrig.report.table import Row
from benchrig.results.model import Machine
from benchrig.statistics.interval import ENOUGH_REPEATS
from benchrig.units import about, number, p_value, percent, ratio

MOST_NAMES = 3
"""So many rows are named in a sentence; of more, the rest is counted."""


def day(summary: Summary) -> str:
    """Return the day that a run began, in UTC: `30 November 2026`; empty where it is not known."""
    began = moment(summary.started_at)
    return say("{day} {month} {year}", day=began.day, month=_months()[began.month - 1], year=began.year) if began else ""


def _months() -> Sequence[str]:
    return (
        say("January"),
        say("February"),
        say("March"),
        say("April"),
        say("May"),
        say("June"),
        say("July"),
        say("August"),
        say("September"),
        say("October"),
        say("November"),
        say("December"),
    )


def what(summary: Summary) -> tuple[str, ...]:
    """Return what was measured in a few parts: the profile, rows, repeats, when it began and how long it took."""
    of, began = summary.what, moment(summary.started_at)
    return tuple(
        filter(
            None,
            (
                say("profile {name}", name=of.profile) if of.profile else say("published figures"),
                say_count("{count} row", "{count} rows", of.rows),
                _repeats(summary),
                say("began at {time} UTC", time=f"{began:%H:%M}") if began else "",
                say("took {time}", time=about(summary.took_seconds)) if summary.took_seconds else "",
                of.name,
            ),
        )
    )


def _repeats(summary: Summary) -> str:
    few, many = summary.what.repeats
    seconds = number(summary.what.seconds)
    if not many or (not summary.machines and not summary.started_at):
        return say("{seconds} s each", seconds=seconds) if many else ""
    if few < many:
        return say("{few} to {many} repeats of {seconds} s", few=few, many=many, seconds=seconds)
    return say_count("{count} repeat of {seconds} s", "{count} repeats of {seconds} s", many, seconds=seconds)


def where(summary: Summary) -> tuple[str, ...]:
    """Return the machines in a line each; machines that are alike share one."""
    if not summary.machines:
        return (summary.published_machine,) if summary.published_machine else ()
    alike: dict[str, list[str]] = {}
    for machine in summary.machines:
        alike.setdefault(_machine(machine), []).append(machine.name)
    return tuple(say("{names}: {text}", names=named(names), text=machine) for machine, names in alike.items())


def _machine(machine: Machine) -> str:
    return say(", ").join([describe.hardware(machine), machine.os, describe.virtualization(machine)])


def headline(finding: Finding) -> str:
    """Return who is first, by how much, and whether that is shown, in a sentence."""
    first, second = finding.first, finding.second
    if first is None:
        return say("No row has a valid figure, so none is first.")
    match finding.standing:
        case Standing.AT_CEILING:
            return _at_ceiling(finding)
        case Standing.ALONE:
            return say("{first} answers {value} requests/s; no other row can be compared.", **_row(first))
        case Standing.NOT_SHOWN:
            return say(
                "It is not shown who is first: {first} answers the most, {value} requests/s, but the repeats do not tell "
                "it from {others}.",
                **_row(first),
                others=named([row.label for row in finding.tied]) or (second.label if second else ""),
            )
        case _:
            return _ahead(finding, first, second)


def _ahead(finding: Finding, first: Row, second: Row | None) -> str:
    more = _more(finding)
    if second is None:
        return say("{first} answers {value} requests/s; no other row can be compared.", **_row(first))
    if finding.standing is Standing.SHOWN:
        return say(
            "{first} is first with {value} requests/s, {more} {second}.", **_row(first), more=more, second=second.label
        )
    return say(
        "{first} has the most requests/s, {value}, {more} {second}. That is not shown to be more than chance.",
        **_row(first),
        more=more,
        second=second.label,
    )


def _at_ceiling(finding: Finding) -> str:
    first = finding.rows[0]
    ceiling = number(first.ceiling or 0.0)
    names = named([row.label for row in finding.held])
    if len(finding.held) == 1:
        return say(
            "{names} answers all that its connections allow, {ceiling} requests/s: the load is measured there, "
            "and it is not called first.",
            names=names,
            ceiling=ceiling,
        )
    return say(
        "None is first: {names} answer all that their connections allow, {ceiling} requests/s. "
        "This load does not show which is the fastest.",
        names=names,
        ceiling=ceiling,
    )


def _more(finding: Finding) -> str:
    """Return how much more the first row answers than the second: `6 % more than`, `2.31 times as many as`."""
    first, second = finding.first, finding.second
    one, other = (row.value(THROUGHPUT) if row else None for row in (first, second))
    if not (one and other):
        return say("more than")
    times = finding.difference.ratio if finding.difference else one / other
    if times >= 2:
        return say("{times} times as many as", times=ratio(times))
    if abs(times - 1) < 5e-5:
        return say("as many as")
    return say("{percent} % more than", percent=percent(100 * (times - 1)))


def _row(row: Row) -> dict[str, str]:
    return {"first": row.label, "value": row.text(THROUGHPUT)}


def evidence(finding: Finding) -> tuple[str, ...]:
    """Return what the headline rests on, a sentence each: the interval and p, what would show it, rows that do not count."""
    return tuple(_evidence(finding))


def _evidence(finding: Finding) -> Iterator[str]:
    difference, standing = finding.difference, finding.standing
    if difference and finding.first and finding.second:
        found = {"interval": _interval(difference.low, difference.high), "p": _p(difference.p)}
        if standing is Standing.SHOWN:
            yield say("The repeats show it: 95 % interval {interval}, {p}.", **found)
        else:
            yield say("Against {second}: 95 % interval {interval}, {p}.", second=finding.second.label, **found)
    if standing is Standing.NOT_SHOWN:
        yield from _undecided(finding)
    if standing is Standing.TOO_FEW_REPEATS and finding.first:
        yield say_count(
            "One repeat shows no difference; {enough} repeats do, where there is one.",
            "{count} repeats show no difference; {enough} repeats do, where there is one.",
            finding.first.repeats,
            enough=ENOUGH_REPEATS,
        )
    if standing is Standing.AT_CEILING:
        below = next((row for row in finding.rows if row not in finding.held), None)
        if below:
            yield say("The fastest below it is {first} with {value} requests/s.", **_row(below))
        yield say("More connections, or less waiting in the app, would show which is faster.")
    if standing is Standing.SHOWN and finding.second and finding.second.at_ceiling:
        yield say("{second} is at its ceiling, and may be able to do more.", second=finding.second.label)
    if standing is Standing.PUBLISHED:
        yield say("An article gives each figure once, so its differences are not shown to be more than chance.")
    if finding.above:
        yield _above(finding)


def _p(p: float) -> str:
    """Return a p-value as an equation: `p = 0.034`, `p < 0.001`."""
    written = p_value(p)
    return f"p {written[0]} {written[1:]}" if written.startswith("<") else f"p = {written}"


def _undecided(finding: Finding) -> Iterator[str]:
    advised, difference = finding.advice, finding.difference
    if difference and difference.p < 0.05:
        yield say_count(
            "By itself that is a difference, but {count} pair of rows was compared.",
            "By itself that is a difference, but {count} pairs of rows were compared, and chance makes some of them differ.",
            finding.pairs,
        )
    elif advised and advised.repeats and finding.first:
        yield say(
            "About {count} repeats in all would show a difference, or exclude one of {within} %.",
            count=advised.repeats,
            within=percent(100 * advised.within),
        )
    elif advised:
        yield say("A difference of more than {percent} % is excluded.", percent=percent(100 * advised.excluded))


def _above(finding: Finding) -> str:
    if finding.standing is Standing.NOTHING:
        most = max(finding.above, key=lambda row: row.value(THROUGHPUT) or 0.0)
        return say("Of the invalid rows, {first} has the most requests/s: {value}.", **_row(most))
    names = named([row.label for row in finding.above])
    if all(row.invalid for row in finding.above):
        return say("Not counted, though with more requests/s, because invalid: {names}.", names=names)
    return say("Not counted, though with more requests/s, because invalid or of too few repeats: {names}.", names=names)


def _interval(low: float, high: float) -> str:
    if low >= 2:
        return say("{low} to {high} times as many", low=ratio(low), high=ratio(high))
    return say("{low} % to {high} %", low=_signed(low), high=_signed(high))


def _signed(times: float) -> str:
    share = 100 * (times - 1)
    return f"+{percent(share)}" if share > 0 else percent(share).replace("-", "−")


def about_group(summary: Summary, finding: Finding) -> str:
    """Return which rows a finding is about, where there are several groups of rows: `16 rows with 2,000 connections`."""
    if summary.groups == 1:
        return ""
    routes = {one.route for one in summary.findings}
    parts = [
        say_count("{count} connection", "{count} connections", finding.connections),
        finding.route if len(routes) > 1 else "",
        say("on {host}", host=finding.host) if finding.host else "",
    ]
    rows = say_count("{count} row", "{count} rows", len(finding.rows) or len(finding.above))
    return say("{rows} with {conditions}", rows=rows, conditions=say(", ").join(filter(None, parts)))


def others(summary: Summary) -> tuple[str, ...]:
    """Return a line for each other group of rows that a finding was made of, and for the rest."""
    rest = summary.findings[1:]
    lone = [one.first.label for one in rest if one.first and len(one.rows) == 1]
    lines = [
        say("{names}: {text}", names=about_group(summary, one), text=headline(one)) for one in rest if len(one.rows) > 1
    ]
    if lone:
        lines.append(say("Not compared, because no other valid row had the same load: {names}.", names=named(lone)))
    left = summary.groups - len(summary.findings)
    if left > 0:
        lines.append(say_count("{count} more load is in the table.", "{count} more loads are in the table.", left))
    return tuple(lines)


def spoiler_title(spoiler: Spoiler) -> str:
    """Return what a spoiler is called: the warning's name, or what happened."""
    return _spoiler(spoiler)[0]


def spoiler_text(spoiler: Spoiler) -> str:
    """Return what a spoiler means, in a sentence or two."""
    return _spoiler(spoiler)[1]


def _spoiler(spoiler: Spoiler) -> tuple[str, str]:
    match spoiler.kind:
        case Kind.INCOMPLETE:
            means = say("It was interrupted, or is still going on. ./inv bench --resume measures the rest.")
            return say("the run is incomplete"), means
        case Kind.FAILED:
            return say("failed"), say("They were tried and have no figures.")
        case Kind.NOT_RUN:
            return say("not run"), say("The run did not come to them.")
        case Kind.NOT_POSSIBLE:
            return say("not possible"), say("A limit of the host rules them out.")
        case Kind.SHARED_CPUS:
            return say("server and load generator shared CPUs"), say("Each figure is one of both together.")
        case Kind.SHARED_COMPUTER:
            means = say("The values show that they work over a network, not how fast each is alone.")
            return say("machines shared one computer"), means
        case Kind.WARNING:
            return title(spoiler.code) if spoiler.code else "", _warned(spoiler)


def _warned(spoiler: Spoiler) -> str:
    """Return the sentence of a warning, with the rows that it is about where these are not all."""
    said = sentences.sentence(spoiler.warning) if spoiler.warning else ""
    return say("{names}: {text}", names=named(spoiler.told_of), text=said) if spoiler.told_of else said


def named(names: Sequence[str]) -> str:
    """Return names in a sentence: `a, b and c`, `a, b, c and 4 more`."""
    if len(names) > MOST_NAMES + 1:
        return say("{names} and {count} more", names=say(", ").join(names[:MOST_NAMES]), count=len(names) - MOST_NAMES)
    *most, last = names or ("",)
    return say("{names} and {last}", names=say(", ").join(most), last=last) if most else last
