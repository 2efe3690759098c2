"""The reader of wrk's output: the exact figures in our script's marker line, and wrk's own rounded text.

A run stores the figures of the marker line. wrk's text must agree with them within its rounding, else they are refused.
Published documents have only the text, which `printed.py` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from benchrig import reading
from benchrig.agent import spec
from benchrig.agent.text import short
from benchrig.bench.generators.base import OutputError, Printed
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.results import histogram
from benchrig.results.histogram import Histogram
from benchrig.results.model import Latency, Load

MARKER = "benchrig-wrk: "

MOST_THREADS = 4096

MOST_ROUTES = 1000
"""Routes of a row, and kinds of replies with their routes: more than that is not stored."""

LONGEST_EXAMPLE = 300
"""Characters of the example of a wrong reply; our script sends at most 204 bytes."""

MOST_AT_ONCE = 64
"""Requests that may have one latency together where the depth of pipelining is not known, or not constant."""

PERCENTILES = ("50", "75", "90", "99", "99.9")


def read_load(text: str) -> Load:
    """Return the exact figures of a run with our script. Raises OutputError."""
    lines = [line for line in text.split("\n") if line.startswith(MARKER)]
    if not lines:
        raise OutputError("wrk printed no figures")
    try:
        found = reading.json_value(lines[-1].removeprefix(MARKER))
        bins = found.pop("bins", None) if isinstance(found, dict) else None
        load = spec.build(Load, found)
        # The script writes a character for each byte of a reply.
        example = load.wrong_example.encode("latin-1").decode(errors="replace")
    except (ValueError, spec.SpecError) as error:
        raise OutputError(f"wrk's figures cannot be read: {error}") from None
    load = replace(load, wrong_example=short(example, LONGEST_EXAMPLE))
    _bounded(load)
    _agree(load, read_printed(text))
    _counted(load)
    _fit(load)
    return replace(load, histogram=_histogram(load, bins))


def _histogram(load: Load, bins: object) -> str:
    """Return the histogram of measured latencies as it is stored; empty where there is none. Raises OutputError."""
    if bins is None and load.measured is None:
        return ""
    if not (isinstance(bins, list) and load.measured):
        raise OutputError("wrk's figures cannot be read: latencies as measured have both figures and bins")
    try:
        measured = histogram.from_bins(bins)
    except histogram.HistogramError as error:
        raise OutputError(f"wrk's figures cannot be read: {error}") from None
    # Of requests that are sent at once, the replies have one latency together; where the last is late, they have none.
    least = load.requests // max(load.depth or 1, MOST_AT_ONCE) - load.errors.timeout
    if not max(1, least) <= measured.count <= load.requests:
        raise OutputError(f"wrk contradicts itself: {measured.count} latencies of {load.requests} replies")
    _same(measured, load.measured)
    return histogram.encode(measured)


def _same(bins: Histogram, figures: Latency) -> None:
    """Raise OutputError when figures differ from those of the histogram that they were computed from."""
    percentiles = {f"p{name}": (figures.percentiles_us[name], bins.percentile(float(name))) for name in PERCENTILES}
    pairs = {
        "minimum": (figures.min_us, bins.percentile(0)),
        **percentiles,
        "maximum": (figures.max_us, bins.percentile(100)),
        "mean": (figures.mean_us, bins.mean),
    }
    for name, (exact, binned) in pairs.items():
        if abs(exact - binned) > exact / histogram.HALF + 1:
            raise OutputError(f"wrk contradicts itself: the {name} is {exact:g} us, and that of its bins {binned:g} us")


def _bounded(load: Load) -> None:
    """Raise OutputError for figures that our script never tells: below 0, with other names, or without end."""
    if any(number < 0 for number in _numbers(asdict(load))):
        raise OutputError("wrk's figures cannot be read: one of them is below 0")
    if any(latency and latency.percentiles_us.keys() != {*PERCENTILES} for latency in (load.latency, load.measured)):
        raise OutputError("wrk's figures cannot be read: other percentiles were told than were asked for")
    if odd := [status for status in load.statuses if not re.fullmatch(r"[0-9]{1,3}", status)]:
        raise OutputError(f"wrk's figures cannot be read: {spec.describe(odd[0])} is no status")
    routes = sum(len(kind.routes) for kind in load.replies)
    if max(len(load.sent), len(load.replies), routes) > MOST_ROUTES:
        raise OutputError(f"wrk's figures cannot be read: requests or replies of more than {MOST_ROUTES} routes")


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, (int, float)):
        yield value


def _counted(load: Load) -> None:
    """Raise OutputError when the counts of replies contradict each other."""
    requests, checked = load.requests, load.replies_checked
    by_status, failed = sum(load.statuses.values()), sum(load.statuses[name] for name in load.statuses if int(name) >= 400)
    fitted = load.replies_wrong + sum(kind.replies for kind in load.replies)
    agree = {
        f"{checked} of {requests} replies checked, {load.replies_wrong} wrong": load.replies_wrong <= checked <= requests,
        f"{by_status} replies by status, {checked} checked": not load.statuses or by_status == checked,
        f"{fitted} replies right or wrong, {checked} checked": not load.replies or fitted == checked,
        f"{failed} replies of a status from 400 on, {load.errors.status} counted": failed <= load.errors.status,
        f"{load.silent_us} us without a reply in {load.duration_us} us": (load.silent_us or 0) <= load.duration_us,
    }
    for said, possible in agree.items():
        if not possible:
            raise OutputError(f"wrk contradicts itself: {said}")


def _fit(load: Load) -> None:
    """Raise OutputError when what our script read from wrk's memory cannot belong to wrk's own figures."""
    threads = load.thread_requests
    if threads and (len(threads) > MOST_THREADS or min(threads) < 0 or sum(threads) != load.requests):
        raise OutputError(f"wrk contradicts itself: its {len(threads)} threads do not sum up to {load.requests} requests")
    if (own := load.measured) is None:
        return
    ordered = (own.min_us, *(own.percentiles_us[name] for name in PERCENTILES), own.max_us)
    ends = (own.min_us, own.max_us) == (load.latency.min_us, load.latency.max_us)
    if not (ends and list(ordered) == sorted(ordered) and own.min_us <= own.mean_us <= own.max_us):
        raise OutputError("wrk contradicts itself: the latencies that were measured are out of order")


def _agree(load: Load, printed: Printed) -> None:
    """Raise OutputError when the exact figures differ from the rounded ones."""
    pairs = {
        "requests": (load.requests, printed.requests, 0.0),
        "requests/s": (load.requests_per_second, printed.requests_per_second, 0.001),
        "mean latency": (load.latency.mean_us, printed.latency_mean_us, 0.01),
        "maximum latency": (load.latency.max_us, printed.latency_max_us, 0.01),
        "errors": (load.errors.total, printed.errors.total, 0.0),
    }
    for name, (exact, shown, tolerance) in pairs.items():
        rounded = shown or 0.0
        if abs(exact - rounded) > tolerance * max(exact, rounded) + (0.01 if tolerance else 0):
            raise OutputError(f"wrk contradicts itself: its text says {name} {rounded:g}, its hook {exact:g}")
