"""Histograms of latency: their bins, adding them up, and the encoding that they share with HdrHistogram."""

from __future__ import annotations

import base64
from random import Random

import pytest

from benchrig.results.histogram import Histogram, HistogramError, decode, encode, from_bins, merged

FOREIGN = "HISTFAAAADF4nJNpmSzMwMAgwgABTFCaEURcm7yEwf4DVOIoIwglMnEyfWRmec7F1svDBADgcQkk"
"""Written by HdrHistogram's own Python package (0.10.8, 1 to 3,600,000,000, two digits) from the values below."""

VALUES = (0, 100, 200, 250, 256, 1000, 1001, 45000, 45000, 45001, 3_000_000)


def of(values: list[int]) -> Histogram:
    """Return the histogram of some values, by the list of bins that the generator's script sends."""
    counts: dict[int, int] = {}
    for value in sorted(values):
        low = value >> max(0, value.bit_length() - 8) << max(0, value.bit_length() - 8)
        counts[low] = counts.get(low, 0) + 1
    lows = list(counts)
    return from_bins([n for last, low in zip([0, *lows], lows, strict=False) for n in (low - last, counts[low])])


def test_the_text_is_the_one_that_hdrhistogram_writes() -> None:
    histogram = of(list(VALUES))
    assert encode(histogram) == FOREIGN
    assert decode(FOREIGN) == histogram
    assert histogram.count == len(VALUES)


def test_percentiles_of_added_up_repeats_are_those_of_all_latencies_within_a_bin() -> None:
    random = Random(0)
    repeats = [[1 + int(random.expovariate(1 / mean)) for _ in range(4000)] for mean in (900, 40_000, 700_000)]
    together = merged(decode(encode(of(values))) for values in repeats)
    values = sorted(value for repeat in repeats for value in repeat)
    assert together.count == len(values)
    for percent in (50, 75, 90, 99, 99.9):
        assert together.percentile(percent) == pytest.approx(values[int(percent / 100 * len(values))], rel=1 / 128)
    assert together.percentile(100) == pytest.approx(values[-1], rel=1 / 128)


def test_a_histogram_of_many_different_latencies_stays_small() -> None:
    random = Random(0)
    histogram = of([1 + int(random.expovariate(1 / 50_000)) for _ in range(25_000)])
    assert len(encode(histogram)) < 2000
    # Nothing spreads more than every bin up to half a minute, with counts of two bytes.
    widest = of([low for shift in range(18) for low in range(128 << shift, 256 << shift, 1 << shift)])
    full = Histogram(dict.fromkeys(widest.counts, 9999) | {low: 8000 + low % 999 for low in list(widest.counts)[::2]})
    assert len(encode(full)) < 7000


@pytest.mark.parametrize(
    "bins",
    [
        [1],
        [1, 0],
        [1, -1],
        [0, 1, 0, 1],
        [1, True],
        [1.0, 1],
        ["1", 1],
        [257, 1],
        [4_000_000_000, 1],
        [None, None],
        [1, 1] * 4097,
    ],
)
def test_bins_that_no_histogram_has_are_refused(bins: list[object]) -> None:
    with pytest.raises(HistogramError):
        from_bins(bins)


@pytest.mark.parametrize(
    "text", ["", "x", "ä", "AAAA", FOREIGN[:-8], FOREIGN[:20], FOREIGN + "AAAA", FOREIGN.replace("FA", "FB")]
)
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(HistogramError):
        decode(text)


def test_a_histogram_of_other_bins_is_refused() -> None:
    three_digits = "HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk"
    with pytest.raises(HistogramError, match="two digits"):
        decode(three_digits)


def test_no_flipped_byte_makes_anything_but_a_histogram_or_a_refusal() -> None:
    random = Random(0)
    content = base64.b64decode(FOREIGN)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= random.randrange(1, 256)
        try:
            assert decode(base64.b64encode(bytes(damaged)).decode()).count >= 0
        except HistogramError:
            continue


def test_an_empty_histogram_has_no_percentiles() -> None:
    assert decode(encode(Histogram({}))).count == 0
    with pytest.raises(HistogramError):
        Histogram({}).percentile(50)
