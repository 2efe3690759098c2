"""The verdict on a load generator's text: its figures as the detectors of warnings take them, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from benchrig.bench.generators.base import LoadGenerator, Pasted, Printed, Spread
from benchrig.report.texts import written
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning


class Verdict(StrEnum):
    """What a reader has to know first about a text."""

    SOUND = "sound"
    """No warning."""
    DOUBTFUL = "doubtful"
    """The figures are real, and have warnings."""
    INVALID = "invalid"
    """Figures of it must not be used: its warnings say which."""
    UNREADABLE = "unreadable"


class Check(StrEnum):
    """A check that a text may not permit."""

    LITTLES_LAW = "littles_law"


@dataclass(frozen=True)
class Unchecked:
    """A check that was not made."""

    check: Check
    reason: str


@dataclass(frozen=True)
class Judged:
    """A text of a file, with its verdict."""

    pasted: Pasted
    verdict: Verdict
    warnings: tuple[Warning, ...]
    unchecked: tuple[Unchecked, ...]
    """What was not checked: a sound text is sound but for that."""


def judge(pasted: Pasted, generator: LoadGenerator, pipeline: int | None = None) -> Judged:
    """Return the verdict on a text. `pipeline` is the depth of its pipelining, where the user knows it."""
    if pasted.refused:
        return Judged(pasted, Verdict.UNREADABLE, (), ())
    figures = measured(pasted.printed, default_timeout_seconds=generator.default_timeout_seconds, pipeline=pipeline)
    figures = written.known(figures, pasted.load)
    warnings = audit.load_warnings(figures)
    if pasted.printed.command.timeout_seconds is None:
        warnings = tuple(map(_by_default, warnings))
    if figures.unrecorded:
        pasted = replace(pasted, printed=_without_latency(pasted.printed))
    return Judged(pasted, verdict(warnings), warnings, tuple(_unchecked(figures, warnings)))


def _by_default(warning: Warning) -> Warning:
    """Return a warning that says of the timeout that it is the load generator's own: no command line tells it."""
    if (
        warning.code in (Code.TIMEOUTS, Code.LATENCY_CLIPPED)
        and "timeout" in warning.values
        and "case" not in warning.values
    ):
        return replace(warning, values={**warning.values, "case": "default"})
    return warning


def verdict(warnings: tuple[Warning, ...]) -> Verdict:
    """Return the verdict that some warnings make."""
    if any(warning.invalid for warning in warnings):
        return Verdict.INVALID
    return Verdict.DOUBTFUL if warnings else Verdict.SOUND


def measured(printed: Printed, *, default_timeout_seconds: float, pipeline: int | None = None) -> audit.Measured:
    """Return the figures of a text as the detectors take them.

    A text does not say its timeout. It was the default, unless its command line says otherwise or a reply took longer.
    """
    latency, req_sec = printed.rows.get("latency", Spread()), printed.rows.get("req/sec", Spread())
    requests, rate, ran = printed.requests, printed.requests_per_second, printed.duration_seconds
    # A text that lacks one of the three has it in the others; of the duration, its first line may tell.
    seconds = ran or (sum(printed.asked_seconds) / 2 if printed.asked_seconds else 0.0)
    if requests is None:
        requests = round((rate or 0.0) * seconds)
    if rate is None and seconds:
        rate = requests / seconds
    return audit.Measured(
        connections=printed.connections or 0,
        requests=requests,
        requests_per_second=rate or 0.0,
        latency_mean_ms=(latency.mean or 0.0) / 1e3,
        latency_max_ms=(latency.max or 0.0) / 1e3,
        timeout_seconds=_timeout(printed, default_timeout_seconds),
        errors=printed.errors,
        duration_seconds=ran or 0.0,
        pipeline=pipeline or printed.command.pipeline,
        always_busy=not printed.command.closes,
        open_loop=printed.open_loop,
        threads=printed.threads or 0,
        threads_rate=req_sec.mean,
        asked_rate=printed.command.requests_per_second,
        asked_seconds=printed.asked_seconds,
        latency_stdev_ms=_ms(latency.stdev),
        latency_min_ms=_ms(latency.min),
        unrecorded=_unrecorded(printed),
        percentiles_ms={name: value / 1e3 for name, value in printed.percentiles_us.items()},
        bytes=printed.bytes,
        bytes_per_second=printed.bytes_per_second,
        rounded=True,
        missing=tuple(_missing(printed, req_sec)),
    )


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e3


def _timeout(printed: Printed, default: float) -> float | None:
    if printed.open_loop:
        return None
    if printed.command.timeout_seconds is not None:
        # With a timeout of 0, every reply comes too late, whatever it took.
        return printed.command.timeout_seconds or None
    return default if (printed.latency_max_us or 0.0) <= default * 1e6 else None


def _unrecorded(printed: Printed) -> bool:
    """Return whether there are zeros in place of latencies, although not all replies came too late."""
    figures = [printed.latency_mean_us, printed.latency_max_us, *printed.percentiles_us.values()]
    zeros = 0.0 in figures and not any(figures)
    return bool(zeros and printed.requests and printed.requests > printed.errors.timeout)


def _without_latency(printed: Printed) -> Printed:
    """Return a text without the zeros that stand for no latency."""
    rows = {name: row for name, row in printed.rows.items() if name != "latency"}
    return replace(printed, rows=rows, percentiles_us={}, latency_mean_us=None, latency_stdev_us=None, latency_max_us=None)


def _missing(printed: Printed, req_sec: Spread) -> list[str]:
    """Return what every text of a load generator has and this one has not, as its lines are named."""
    there = {
        "connections": printed.connections is not None,
        "Latency": "latency" in printed.rows or _unrecorded(printed),
        "Req/Sec": "req/sec" in printed.rows or req_sec != Spread(),
        "requests": printed.requests is not None,
        "duration": printed.duration_seconds is not None,
        "Requests/sec": printed.requests_per_second is not None,
        "Transfer/sec": printed.bytes_per_second is not None,
    }
    return [name for name, found in there.items() if not found]


def _unchecked(figures: audit.Measured, warnings: tuple[Warning, ...]) -> list[Unchecked]:
    if figures.open_loop:
        return [Unchecked(Check.LITTLES_LAW, "requests were sent at a constant rate")]
    if not figures.always_busy:
        return [Unchecked(Check.LITTLES_LAW, "the server was asked to close its connections")]
    if any(warning.code is Code.PIPELINING_UNKNOWN for warning in warnings):
        return [Unchecked(Check.LITTLES_LAW, "the depth of pipelining is not known")]
    if not (figures.connections and figures.requests_per_second and figures.latency_mean_ms):
        return [Unchecked(Check.LITTLES_LAW, "the text lacks connections, throughput or mean latency")]
    return []
