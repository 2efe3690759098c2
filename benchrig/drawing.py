"""Small drawings in text: a line of bars, one long bar, and a dot on a scale; in ASCII where the output has nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

LEAST_RANGE = 0.1
"""Share of a value that the range of bars has at least: noise alone is flat."""

UNUSED = "x"
"""Stands for a run whose value is not used."""


@dataclass(frozen=True)
class Signs:
    """The characters of drawings."""

    bars: str
    """From low to high."""
    edge: str
    """Left and right of a scale."""
    dot: str
    span: str
    """Between the lowest and the highest repeat."""
    lengths: str
    """Of the end of a long bar, from short to whole."""
    doubtful: str
    """Of a long bar whose value is not to be trusted."""


UNICODE = Signs("▁▂▃▄▅▆▇█", "│", "●", "─", "▏▎▍▌▋▊▉█", "░")
ASCII = Signs("_.-=+*#@", "|", "o", "-", "#", ".")


def signs_for(stream: TextIO) -> Signs:
    """Return the characters that a stream can write."""
    return signs_of(stream.encoding)


def signs_of(encoding: str | None) -> Signs:
    """Return the characters that an encoding has."""
    return UNICODE if "utf" in (encoding or "").lower() else ASCII


def bars(values: Sequence[float | None], signs: Signs, *, from_zero: bool = False, unknown: str = UNUSED) -> str:
    """Return a bar for each value, from the lowest of them, or from 0, to the highest; `unknown` for one that is none."""
    known = [value for value in values if value is not None]
    if not known:
        return unknown * len(values)
    if from_zero:
        return _bars(values, (0.0, max(known) or 1.0), signs, unknown)
    middle = (min(known) + max(known)) / 2
    half = max((max(known) - min(known)) / 2, LEAST_RANGE / 2 * abs(middle))
    return _bars(values, (middle - half, middle + half), signs, unknown)


def _bars(values: Sequence[float | None], ends: tuple[float, float], signs: Signs, unknown: str) -> str:
    return "".join(unknown if value is None else signs.bars[_place(value, ends, len(signs.bars))] for value in values)


def long_bar(share: float, width: int, signs: Signs, *, doubtful: bool = False) -> str:
    """Return a bar of a share of `width` columns; what is above 0 is seen."""
    if not share > 0:
        return ""
    if doubtful:
        return signs.doubtful * max(1, round(share * width))
    steps = len(signs.lengths)
    whole, rest = divmod(max(1, round(share * width * steps)), steps)
    return signs.lengths[-1] * whole + (signs.lengths[rest - 1] if rest else "")


def scale(point: tuple[float, Sequence[float]] | None, of: Sequence[float], width: int, signs: Signs) -> str:
    """Return a scale of `width` columns over some values: with a dot for a value and the span of its repeats, or empty."""
    line = [" "] * width
    if point:
        value, spread = point
        for i in range(_place(min(spread), of, width), _place(max(spread), of, width) + 1):
            line[i] = signs.span
        line[_place(value, of, width)] = signs.dot
    return f"{signs.edge}{''.join(line)}{signs.edge}"


def _place(value: float, of: Sequence[float], places: int) -> int:
    """Return the place of a value among `places` between the lowest and the highest; the middle where all are alike."""
    low, high = min(of), max(of)
    if high <= low:
        return places // 2
    return min(places - 1, max(0, int((value - low) / (high - low) * places)))
