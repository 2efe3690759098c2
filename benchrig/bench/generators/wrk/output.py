"""The reader of wrk's output: the exact figures in our script's marker line, and wrk's own rounded text.

A run stores the figures of the marker line. wrk's text must agree with them within its rounding, else they are refused.
Published documents have only the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from benchrig import reading
from benchrig.agent import spec
from benchrig.agent.text import short
from benchrig.bench.generators.base import OutputError, Printed
from benchrig.results import histogram
from benchrig.results.model import Load, LoadErrors

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
    return load if bins is None else replace(load, histogram=_histogram(load, bins))


def _histogram(load: Load, bins: object) -> str:
    """Return the histogram of measured latencies as it is stored. Raises OutputError."""
    if not (isinstance(bins, list) and load.measured):
        raise OutputError("wrk's figures cannot be read: bins without latencies")
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
    if threads and (len(threads) > MOST_THREADS or sum(threads) != load.requests):
        raise OutputError(f"wrk contradicts itself: its {len(threads)} threads do not sum up to {load.requests} requests")
    if (own := load.measured) is None:
        return
    ordered = (own.min_us, *(own.percentiles_us.get(name, -1.0) for name in PERCENTILES), own.max_us)
    ends = (own.min_us, own.max_us) == (load.latency.min_us, load.latency.max_us)
    if not (ends and list(ordered) == sorted(ordered) and own.min_us <= own.mean_us <= own.max_us):
        raise OutputError("wrk contradicts itself: the latencies that were measured are out of order")


def read_printed(text: str) -> Printed:
    """Return the figures of wrk's own text. Raises OutputError when the text is not wrk's."""
    total = re.search(r"^\s*(\d{1,18}) requests in \S+, (\S+) read", text, re.MULTILINE)
    rate = re.search(r"^Requests/sec:\s+(\S+)", text, re.MULTILINE)
    latency = re.search(r"^\s*Latency\s+(\S+)\s+(\S+)\s+(\S+)\s", text, re.MULTILINE)
    if not (total and rate and latency):
        raise OutputError("this is not what wrk prints")
    mean, stdev, most = (microseconds(word) for word in latency.groups())
    return Printed(
        requests=int(total[1]),
        requests_per_second=count(rate[1]),
        bytes=_bytes(total[2]),
        latency_mean_us=mean,
        latency_stdev_us=stdev,
        latency_max_us=most,
        errors=_errors(text),
        percentiles_us={
            match[1]: microseconds(match[2]) for match in re.finditer(r"^\s+(\d{1,3})%\s+(\S+)$", text, re.MULTILINE)
        },
    )


def _errors(text: str) -> LoadErrors:
    """Read the line of socket errors and that of other statuses; wrk prints them only when there are any."""
    names = ("connect", "read", "write", "timeout")
    pattern = "Socket errors: " + ", ".join(rf"{name} (\d{{1,18}})" for name in names)
    socket = re.search(pattern, text)
    status = re.search(r"Non-2xx or 3xx responses: (\d{1,18})", text)
    counts = {name: int(value) for name, value in zip(names, socket.groups(), strict=True)} if socket else {}
    return LoadErrors(**counts, status=int(status[1]) if status else 0)


_TIME = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
_COUNT = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


def _scaled(word: str, units: Mapping[str, float]) -> float:
    match = re.fullmatch(r"(-?(?:\d{1,18}(?:\.\d{1,18})?|nan))([A-Za-z]*)", word)
    if not match or match[2] not in units:
        raise OutputError(f"'{short(word)}' is not a figure that wrk prints")
    return 0.0 if "nan" in match[1] else float(match[1]) * units[match[2]]


def microseconds(word: str) -> float:
    """Read a time as wrk prints it (`65.47ms`, `1.99s`, `559.62us`, `1.00m`) into microseconds. Raises OutputError."""
    return _scaled(word, _TIME)


def count(word: str) -> float:
    """Read a count as wrk prints it (`575.99`, `1.08k`, `2.1M`). Raises OutputError."""
    return _scaled(word, _COUNT)


def _bytes(word: str) -> float:
    """Read an amount as wrk prints it (`388.86KB`, `2.21MB`), in steps of 1024."""
    return _scaled(word, {f"{unit}B": 1024.0**power for power, unit in enumerate(("", "K", "M", "G", "T", "P"))})


def _agree(load: Load, printed: Printed) -> None:
    """Raise OutputError when the exact figures differ from the rounded ones."""
    pairs = {
        "requests": (load.requests, printed.requests, 0.0),
        "requests/s": (load.requests_per_second, printed.requests_per_second, 0.001),
        "mean latency": (load.latency.mean_us, printed.latency_mean_us, 0.01),
        "maximum latency": (load.latency.max_us, printed.latency_max_us, 0.01),
        "errors": (load.errors.total, printed.errors.total, 0.0),
    }
    for name, (exact, rounded, tolerance) in pairs.items():
        if abs(exact - rounded) > tolerance * max(exact, rounded) + (0.01 if tolerance else 0):
            raise OutputError(f"wrk contradicts itself: its text says {name} {rounded:g}, its hook {exact:g}")
