"""Units: how a value is written for people. Tables, comparisons, claims and warnings write values through this file."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from benchrig.language import say, say_data

NOTHING = "–"
"""Means no value."""

MOST_DIGITS = 6
"""More are never shown of a measured value, however narrow its interval is."""

LEAST_DIGITS = 2
"""So many are shown, however wide it is."""


@dataclass(frozen=True)
class Scale:
    """What all values of a column are written in: its heading has the name, and its cells have numbers alone."""

    name: str = ""
    """`ms`, `MiB`; empty where there is nothing to say."""
    size: float = 1.0
    """In the unit of the metric."""
    finest: int = 0
    """The power of ten of the last digit that a measured value has at most."""


PLAIN = Scale()
"""Of a column whose heading says all."""

PERCENT = Scale("%")


@dataclass(frozen=True)
class Unit:
    """A unit of a metric."""

    name: str
    """Stands behind a number in a sentence: `ms`, `requests/s`; empty for a plain number."""
    ending: str
    """What the name of a metric in this unit ends with: `_ms`; empty where the name does not say the unit."""
    write: Callable[[float], str]
    """Writes a value with the digits that it was counted or printed with: a count, or an article's figure."""
    write_rounded: Callable[[float, int], str] | None = None
    """Writes a measured value, rounded to a power of ten; None where `write` does for it."""
    choose: Callable[[Sequence[float]], Scale] = lambda _: PLAIN
    """Chooses the scale of a column from its values above 0."""
    number: Callable[[float, Scale], str] = lambda value, _: f"{value:,.0f}"
    """Writes what `write` does, as a number alone on a scale."""

    def scale(self, values: Iterable[float]) -> Scale:
        """Return what to write all of these values in, so that they can be compared by sight."""
        return self.choose([value for value in values if value > 0])

    def cell(self, value: float | None, scale: Scale, half_width: float | None = None) -> str:
        """Return what `text` does, as a number alone on a scale."""
        if value is None or self.write_rounded is None:
            return self.exact_cell(value, scale)
        shown, half = value / scale.size, half_width / scale.size if half_width else None
        return rounded(shown, max(last_place(shown, half), scale.finest))

    def exact_cell(self, value: float | None, scale: Scale) -> str:
        """Return what `exact` does, as a number alone on a scale."""
        return NOTHING if value is None else self.number(value, scale)

    @property
    def said(self) -> str:
        """Its name in the language in use."""
        return say_data(self.name)

    def text(self, value: float | None, half_width: float | None = None) -> str:
        """Return a measured value as people's reports show it, rounded as `last_place` says, or a dash where there is none.

        `half_width` is half the width of the value's interval, in the unit of the value; None where there is no interval.
        """
        if value is None or self.write_rounded is None:
            return self.exact(value)
        return self.write_rounded(value, last_place(value, half_width))

    def exact(self, value: float | None) -> str:
        """Return a published value as the document gives it, or a dash where there is none."""
        return NOTHING if value is None else self.write(value)


def last_place(value: float, half_width: float | None = None) -> int:
    """Return the power of ten that a measured value is rounded to: 1 for tens, -1 for tenths.

    With an interval, it is the largest one up to half of the interval's half-width, so rounding moves the value by a quarter
    of the half-width at most; from 2 to 6 digits are left. Without one, or where it has no width, three digits are left, and
    four where the first is 1: rounding moves the value by 0.25 % at most.
    """
    if not value:
        return Decimal(half_width / 2).adjusted() if half_width and math.isfinite(half_width) else 0
    first = Decimal(value).adjusted()
    if not half_width:
        return first - (3 if abs(value) < 2 * 10.0**first else 2)
    supported = Decimal(half_width / 2).adjusted() if math.isfinite(half_width) else first
    return min(max(supported, first + 1 - MOST_DIGITS), first + 1 - LEAST_DIGITS)


def rounded(value: float, place: int) -> str:
    """Write a number rounded to a power of ten: `2,020` to tens (1), `20.5` to tenths (-1)."""
    return f"{round(value, -place):,.{max(0, -place)}f}"


def milliseconds(value: float) -> str:
    """Write a latency, given in milliseconds, in the unit that suits it: `560µs`, `65.47ms`, `1.99s`."""
    if value > 0 and round(value * 1000) < 1000:
        return f"{value * 1000:.0f}µs"
    return f"{value:.2f}ms" if round(value, 2) < 1000 else f"{value / 1000:.2f}s"


def _milliseconds(value: float, place: int) -> str:
    """Write a latency as `milliseconds` does, rounded to a power of ten of milliseconds, and to whole µs at most."""
    place = max(place, -3)
    shown = round(value, -place)
    if value > 0 and shown < 1:
        return f"{rounded(value * 1000, place + 3)}µs"
    return f"{rounded(value, place)}ms" if shown < 1000 else f"{rounded(value / 1000, place - 3)}s"


def _microseconds(value: float, place: int) -> str:
    """Write a time, given in microseconds, rounded to a power of ten of them: `85.2 µs`, `1.240 ms`."""
    place = max(place, -2)
    shown = round(value, -place)
    return f"{rounded(value, place)} µs" if shown < 1000 else f"{rounded(value / 1000, place - 3)} ms"


def _down_to(finest: int, unit: str = "") -> Callable[[float, int], str]:
    """Return what writes a value rounded to a power of ten, and to `finest` at most."""
    return lambda value, place: f"{rounded(value, max(place, finest))}{unit}"


def microseconds(value: float) -> str:
    """Write a round-trip time, given in microseconds: `85 µs`, `1.24 ms`."""
    return f"{value:.0f} µs" if value < 1000 else f"{value / 1000:.3g} ms"


def bits_per_second(value: float) -> str:
    """Write a bandwidth with three digits: `9.41 Gbit/s`, `87.3 Mbit/s`."""
    unit, name = (1e9, "Gbit/s") if value >= 1e9 else (1e6, "Mbit/s")
    return f"{value / unit:.3g} {name}"


def size(value: float) -> str:
    """Write an amount of data, given in bytes, with three digits: `512 B`, `38.1 MiB`."""
    power = _power_of_bytes(value)
    return f"{value / 1024**power:.{3 if power else 6}g} {_BYTES[power]}"


_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")


def _power_of_bytes(value: float) -> int:
    return next((power for power in range(4) if round(abs(value) / 1024**power) < 1000), 4)


def about(seconds: float) -> str:
    """Write a duration, given in seconds, rounded for reading: `40 s`, `1 min 40 s`, `2 h 5 min`."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds / 10) * 10, 60)
    if minutes < 60:
        return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest) if rest else _minutes(minutes)
    hours, minutes = divmod(minutes, 60)
    if minutes:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return say("{hours} h", hours=hours)


def _minutes(minutes: int) -> str:
    return say("{minutes} min", minutes=minutes)


def percent(value: float) -> str:
    """Write a share, given in percent, for a sentence, with two digits or all before its point: `2`, `2.5`, `0.25`, `140`.

    It has two decimals at most; what would be 0 with them and is not is `<0.01`.
    """
    size = abs(value)
    if 0 < size < 0.005:
        return "<0.01" if value > 0 else ">-0.01"
    decimals = 0 if size >= 9.95 else 1 if size >= 0.995 else 2
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def share(value: float) -> str:
    """Write the size of a share for a table: `0.43%`, `4.3%`, `120%`; `any` of an infinite one."""
    size = 100 * abs(value)
    decimals = 0 if size >= 99.95 else 1 if size >= 0.95 else 2
    return f"{size:,.{decimals}f}%" if math.isfinite(size) else say("any")


def p_value(p: float) -> str:
    """Write a p-value with two digits: `0.034`, `1`; one below 0.001 as that."""
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def ratio(value: float | None) -> str:
    """Write a quotient with two decimals, and one of 100 or more without; a dash for None."""
    return NOTHING if value is None else f"{value:,.{2 if value < 100 else 0}f}"


def around(median: float, low: float, high: float) -> str:
    """Write two values by how far they are from their median, in percent: `-12/+15`, below 10 with a decimal: `-1.2/+0.8`.

    A dash where the median is 0.
    """
    if not median:
        return NOTHING
    below, above = 100 * (low / median - 1), 100 * (high / median - 1)
    decimals = 0 if max(abs(below), abs(above)) >= 9.95 else 1
    return f"{below:+.{decimals}f}/{above:+.{decimals}f}"


def number(value: float) -> str:
    """Write a number for a sentence: with four digits, or with all digits before its point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


_SCALES_OF_TIME = (Scale("µs", 0.001, 0), Scale("ms", 1.0, -3), Scale("s", 1000.0, -6))
"""Of latencies, which are in milliseconds."""


def _scale_of_latencies(values: Sequence[float]) -> Scale:
    """Return milliseconds, unless all values are below 1 ms or all are 10 s or more."""
    micro, milli, seconds = _SCALES_OF_TIME
    if not values or min(values) < 1 <= max(values):
        return milli
    return micro if max(values) < 1 else seconds if min(values) >= 10_000 else milli


def _scale_of_microseconds(values: Sequence[float]) -> Scale:
    """Return microseconds, unless all values are 10 ms or more."""
    return Scale("ms", 1000.0, -5) if values and min(values) >= 10_000 else Scale("µs", 1.0, -2)


def _scale_of_bytes(values: Sequence[float]) -> Scale:
    """Return the unit of the median value."""
    power = _power_of_bytes(statistics.median_low(values)) if values else 2
    return Scale(_BYTES[power], float(1024**power))


def _printed_latency(value: float, scale: Scale) -> str:
    """Write a latency, given in milliseconds, with the digits that `milliseconds` gives it."""
    place = 1 if round(value, 2) >= 1000 else -3 if value > 0 and round(value * 1000) < 1000 else -2
    return rounded(value / scale.size, place - round(math.log10(scale.size)))


def _three_digits(value: float, scale: Scale) -> str:
    shown = value / scale.size
    return rounded(shown, max(Decimal(shown).adjusted() - 2, -3) if scale.size > 1 and shown else 0)


def _always(scale: Scale) -> Callable[[Sequence[float]], Scale]:
    return lambda _: scale


def _decimals(count: int) -> Callable[[float, Scale], str]:
    return lambda value, scale: f"{value / scale.size:,.{count}f}"


MICROSECONDS = Unit("µs", "_us", microseconds, _microseconds, _scale_of_microseconds, _decimals(0))
MILLISECONDS = Unit("ms", "_ms", milliseconds, _milliseconds, _scale_of_latencies, _printed_latency)
# The headings of its columns are its name.
REQUESTS_PER_SECOND = Unit(
    "requests/s",
    "_per_second",
    lambda value: f"{value:,.2f}",
    _down_to(-2),
    _always(Scale("", 1.0, -2)),
    _decimals(2),
)
PERCENT_OF_A_CORE = Unit(
    "% of a core", "_percent", lambda value: f"{value:.0f}%", _down_to(0, "%"), _always(PERCENT), _decimals(0)
)
BYTES = Unit("bytes", "_bytes", size, None, _scale_of_bytes, _three_digits)
COUNT = Unit("", "", lambda value: f"{value:,.0f}")
NUMBER = Unit("", "", lambda value: f"{value:,.2f}", _down_to(-2), _always(Scale("", 1.0, -2)), _decimals(2))
