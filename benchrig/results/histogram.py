"""Histograms of latency in the encoding of HdrHistogram, which can be added up and which other tools read.

A bin is at most 1/128 of its value wide: HdrHistogram's two significant digits. Values up to 255 µs have a bin each. So any
run has at most a few thousand bins, and a stored histogram has about a thousand characters. The text is HdrHistogram's V2
encoding, compressed and in base64, as its log files have it (https://github.com/HdrHistogram/HdrHistogram).
"""

from __future__ import annotations

import base64
import struct
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor

DIGITS = 2

HALF = 128
"""Bins in each doubling of the value; below, there is one for each microsecond."""

HIGHEST_US = 3_600_000_000
"""The header's highest value; longer latencies than an hour are refused."""

MOST_BINS = 4096
"""More than a histogram up to HIGHEST_US can have."""

_COOKIE, _COMPRESSED = 0x1C849313, 0x1C849314
_HEADER = struct.Struct(">iiiiqqd")
_ENVELOPE = struct.Struct(">ii")


class HistogramError(ValueError):
    """A text or a list is not a histogram of ours; the message says why."""


@dataclass(frozen=True)
class Histogram:
    """How many latencies were in each bin."""

    counts: Mapping[int, int]
    """By the lowest value of the bin in microseconds."""

    @property
    def count(self) -> int:
        """How many latencies it has."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """The mean in microseconds, as if each latency were the middle of its bin; 0 of an empty histogram."""
        return sum(_middle(low) * count for low, count in self.counts.items()) / (self.count or 1)

    def bins(self) -> Iterator[tuple[int, int, int]]:
        """Yield where each bin with latencies begins and ends, in microseconds, and how many it has, in ascending order."""
        for low in sorted(self.counts):
            yield low, low + _width(low), self.counts[low]

    def percentile(self, percent: float) -> float:
        """Return the middle of the bin, in microseconds, that `percent` of the latencies are below. Raises HistogramError.

        The rank is that of the percentiles of one cell: of 100 latencies, p99 is the highest.
        """
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Sequence[float]) -> list[float]:
        """Return several percentiles, in one pass over the bins. Raises HistogramError."""
        lows = sorted(self.counts)
        seen = list(accumulate(self.counts[low] for low in lows))
        if not seen or not seen[-1]:
            raise HistogramError("an empty histogram has no percentiles")
        ranks = (min(floor(percent / 100 * seen[-1]) + 1, seen[-1]) for percent in percents)
        return [_middle(lows[bisect_left(seen, rank)]) for rank in ranks]


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return the histogram of all latencies of several."""
    total: Counter[int] = Counter()
    for histogram in histograms:
        total.update(histogram.counts)
    return Histogram(dict(total))


def from_bins(bins: Sequence[object]) -> Histogram:
    """Read a flat list: how far each bin begins above the one before it, and its count. Raises HistogramError."""
    if len(bins) % 2 or len(bins) > 2 * MOST_BINS:
        raise HistogramError(f"{len(bins)} numbers are not the bins of a histogram")
    counts: dict[int, int] = {}
    low = 0
    for place in range(0, len(bins), 2):
        step, count = bins[place], bins[place + 1]
        if type(step) is not int or type(count) is not int or count < 1 or step < (1 if counts else 0):
            raise HistogramError(f"the numbers {place + 1} and {place + 2} of the bins are not a step and a count")
        low += step
        if low > HIGHEST_US or low % _width(low):
            raise HistogramError(f"the numbers {place + 1} and {place + 2} of the bins begin no bin")
        counts[low] = count
    return Histogram(counts)


def encode(histogram: Histogram) -> str:
    """Return the text of a histogram."""
    payload = bytearray()
    empty = -1
    last = -1
    for low in sorted(histogram.counts):
        empty = _index(low) - last - 1
        if empty:
            payload += _varint(-empty if empty > 1 else 0)
        payload += _varint(histogram.counts[low])
        last = _index(low)
    content = _HEADER.pack(_COOKIE, len(payload), 0, DIGITS, 1, HIGHEST_US, 1.0) + payload
    packed = zlib.compress(content)
    return base64.b64encode(_ENVELOPE.pack(_COMPRESSED, len(packed)) + packed).decode("ascii")


def decode(text: str) -> Histogram:
    """Return the histogram of a text that `encode` made. Raises HistogramError."""
    try:
        packed = base64.b64decode(text, validate=True)
        cookie, length = _ENVELOPE.unpack_from(packed)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed[_ENVELOPE.size :], _HEADER.size + 9 * MOST_BINS)
        kind, size, offset, digits, lowest, _, _ = _HEADER.unpack_from(content)
    except (ValueError, struct.error, zlib.error) as error:
        raise HistogramError(f"not a compressed histogram: {error}") from None
    if (cookie, kind) != (_COMPRESSED, _COOKIE) or length != len(packed) - _ENVELOPE.size or not unpacking.eof:
        raise HistogramError("not a compressed histogram")
    if (offset, digits, lowest) != (0, DIGITS, 1) or size != len(content) - _HEADER.size:
        raise HistogramError("not a histogram of two digits and microseconds")
    counts: dict[int, int] = {}
    index = 0
    for number in _numbers(content[_HEADER.size :]):
        if number > 0:
            counts[_low(index)] = number
        index += -number if number < 0 else 1
        if index > MOST_BINS:
            raise HistogramError("it has more bins than a histogram of two digits")
    return Histogram(counts)


def _width(value: int) -> int:
    """Return how many microseconds share the bin of a value."""
    return 1 << max(0, value.bit_length() - 8)


def _middle(low: int) -> float:
    """Return the middle of a bin in microseconds."""
    return low + (_width(low) - 1) / 2


def _index(low: int) -> int:
    """Return the place of a bin in HdrHistogram's array of counts."""
    shift = max(0, low.bit_length() - 8)
    return shift * HALF + (low >> shift)


def _low(index: int) -> int:
    """Return the lowest value of the bin at a place in that array."""
    shift = max(0, index // HALF - 1)
    return (index - shift * HALF) << shift


def _varint(number: int) -> bytes:
    """Return a signed number in ZigZag LEB128, which HdrHistogram limits to nine bytes."""
    value = number << 1 if number >= 0 else (-number << 1) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _numbers(payload: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in payload:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value >> 1 if value % 2 == 0 else -(value >> 1) - 1
            value = shift = 0
        elif shift > 56:
            raise HistogramError("a number in it has more than nine bytes")
    if shift:
        raise HistogramError("its last number is cut off")
