"""The reader of wrk's output: the exact figures in our script's marker line, and wrk's own rounded text.

A run stores the figures of the marker line. wrk's text must agree with them within its rounding, else they are refused.
Published documents have only the text, which `printed.py` reads.
"""

from __future__ import annotations

from dataclasses import replace

from benchrig import reading
from benchrig.agent import spec
from benchrig.bench.generators.base import OutputError, Printed
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.results import histogram
from benchrig.results.model import Load

MARKER = "benchrig-wrk: "

MOST_THREADS = 4096

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
    load = replace(load, wrong_example=example)
    _agree(load, read_printed(text))
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
    # A pipelined request has one latency for several replies.
    if not 0 < measured.count <= load.requests:
        raise OutputError(f"wrk contradicts itself: {measured.count} latencies of {load.requests} replies")
    return histogram.encode(measured)


def _fit(load: Load) -> None:
    """Raise OutputError when what our script read from wrk's memory cannot belong to wrk's own figures."""
    threads = load.thread_requests
    if threads and (len(threads) > MOST_THREADS or min(threads) < 0 or sum(threads) != load.requests):
        raise OutputError(f"wrk contradicts itself: its {len(threads)} threads do not sum up to {load.requests} requests")
    if (own := load.measured) is None:
        return
    if own.percentiles_us.keys() != {*PERCENTILES}:
        raise OutputError("wrk's figures cannot be read: other percentiles were measured than were asked for")
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
