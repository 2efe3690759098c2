"""How many digits a report for people shows: what the interval supports, and not more."""

from __future__ import annotations

import math

import pytest

from benchrig.units import (
    BYTES,
    COUNT,
    MICROSECONDS,
    MILLISECONDS,
    NUMBER,
    PERCENT_OF_A_CORE,
    REQUESTS_PER_SECOND,
    Unit,
    around,
    last_place,
    p_value,
    percent,
    rounded,
    share,
)


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (2016.62, 45.0, "2,020"),
        (2016.62, 19.0, "2,017"),
        (2016.62, 20.0, "2,020"),
        (2016.62, 199.0, "2,020"),
        (2016.62, 200.0, "2,000"),
        (2016.62, 3000.0, "2,000"),
        (2016.62, math.inf, "2,000"),
        (2016.62, 1.5, "2,016.6"),
        (2016.62, 0.0001, "2,016.62"),
        (155_277.58, 0.001, "155,278"),
        (2016.62, None, "2,020"),
        (2016.62, 0.0, "2,020"),
        (1851.77, None, "1,852"),
        (1999.96, None, "2,000"),
        (18_746.15, None, "18,750"),
        (9.85, None, "9.85"),
        (0.004, None, "0.00"),
        (0.0, None, "0"),
        (0.0, 30.0, "0"),
    ],
)
def test_throughput_is_rounded_to_what_its_interval_supports(value: float, half_width: float | None, text: str) -> None:
    assert REQUESTS_PER_SECOND.text(value, half_width) == text


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (0.56, None, "560µs"),
        (0.56789, 0.0001, "568µs"),
        (0.56789, 0.05, "570µs"),
        (0.9996, None, "1.000ms"),
        (0.0003, None, "0µs"),
        (65.47, None, "65.5ms"),
        (65.47, 0.3, "65.5ms"),
        (65.47, 3.0, "65ms"),
        (65.47, 30.0, "65ms"),
        (65.4712, 0.004, "65.471ms"),
        (999.96, None, "1.000s"),
        (999.96, 30.0, "1.00s"),
        (1990.0, None, "1.990s"),
        (1990.0, 300.0, "2.0s"),
        (0.0, None, "0ms"),
    ],
)
def test_a_latency_is_rounded_in_the_unit_that_suits_it(value: float, half_width: float | None, text: str) -> None:
    assert MILLISECONDS.text(value, half_width) == text


@pytest.mark.parametrize(
    ("unit", "value", "half_width", "text"),
    [
        (PERCENT_OF_A_CORE, 161.4, None, "161%"),
        (PERCENT_OF_A_CORE, 344.0, 30.0, "340%"),
        (PERCENT_OF_A_CORE, 5.23, 0.001, "5%"),
        (NUMBER, 1.2, None, "1.20"),
        (NUMBER, 12.345, 3.0, "12"),
        (COUNT, 114_440, 5000.0, "114,440"),
    ],
)
def test_other_figures_are_rounded_alike_and_counts_are_exact(
    unit: Unit, value: float, half_width: float | None, text: str
) -> None:
    assert unit.text(value, half_width) == text


@pytest.mark.parametrize(
    "value", [10.0**exponent * digit for exponent in range(-2, 7) for digit in (1, 1.37, 1.99, 2, 5.5, 9.99)]
)
def test_rounding_never_moves_a_value_by_more_than_is_said(value: float) -> None:
    without = float(rounded(value, last_place(value)).replace(",", ""))
    assert abs(without - value) <= 0.0025 * value * (1 + 1e-9)
    for half in (1e-6, 0.001, 0.01, 0.02, 0.1, 0.3):
        shown = float(rounded(value, last_place(value, half * value)).replace(",", ""))
        assert abs(shown - value) <= max(half * value / 4, 5e-6 * value) * (1 + 1e-9)


def test_a_published_figure_has_the_digits_of_the_document() -> None:
    assert REQUESTS_PER_SECOND.exact(19_643.94) == "19,643.94"
    assert MILLISECONDS.exact(201.9) == "201.90ms"
    assert REQUESTS_PER_SECOND.exact(None) == REQUESTS_PER_SECOND.text(None) == "–"


@pytest.mark.parametrize(
    ("unit", "values", "name", "texts"),
    [
        (MILLISECONDS, (101.6, 0.056, 2_340.0, 0.0), "ms", ["101.6", "0.056", "2,340", "0"]),
        (MILLISECONDS, (0.9996, 0.056, 0.0), "µs", ["1,000", "56", "0"]),
        (MILLISECONDS, (12_340.0, 10_000.0), "s", ["12.34", "10.00"]),
        (MILLISECONDS, (9_990.0, 12_340.0), "ms", ["9,990", "12,340"]),
        (MICROSECONDS, (85.21, 12_344.0), "µs", ["85.2", "12,340"]),
        (MICROSECONDS, (23_456.0, 12_344.0), "ms", ["23.5", "12.34"]),
        (PERCENT_OF_A_CORE, (161.4, 5.23), "%", ["161", "5"]),
        (BYTES, (40_000_000, 2**31, 1000), "MiB", ["38.1", "2,050", "0.001"]),
        (BYTES, (100, 999), "B", ["100", "999"]),
        (COUNT, (114_440, 3), "", ["114,440", "3"]),
        (REQUESTS_PER_SECOND, (2016.62, 9.85), "", ["2,020", "9.85"]),
        (MILLISECONDS, (), "ms", []),
    ],
)
def test_a_column_has_one_unit_and_the_digits_that_its_values_support(
    unit: Unit, values: tuple[float, ...], name: str, texts: list[str]
) -> None:
    scale = unit.scale(values)
    assert scale.name == name
    assert [unit.cell(value, scale) for value in values] == texts
    assert unit.cell(None, scale) == "–"


def test_the_interval_decides_the_digits_in_the_unit_of_the_column_too() -> None:
    milliseconds, seconds = MILLISECONDS.scale([65.0]), MILLISECONDS.scale([20_000.0])
    assert MILLISECONDS.cell(65.4712, milliseconds, 0.004) == "65.471"
    assert MILLISECONDS.cell(65.47, milliseconds, 3.0) == "65"
    assert MILLISECONDS.cell(20_123.0, seconds, 450.0) == "20.1"


@pytest.mark.parametrize(
    ("value", "text"), [(0.56, "0.560"), (65.47, "65.47"), (201.9, "201.90"), (999.99, "999.99"), (1990.0, "1,990")]
)
def test_a_published_latency_has_the_digits_of_the_document_in_the_unit_of_the_column(value: float, text: str) -> None:
    assert MILLISECONDS.exact_cell(value, MILLISECONDS.scale([0.5, 2000.0])) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(97.0, 105.1, "-3.0/+5.1"), (99.6, 100.4, "-0.4/+0.4"), (90.0, 105.0, "-10/+5"), (100.0, 100.0, "+0.0/+0.0")],
)
def test_the_ends_of_an_interval_are_written_with_the_digits_that_their_size_needs(
    low: float, high: float, text: str
) -> None:
    assert around(100.0, low, high) == text
    assert around(0.0, low, high) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (6e-5, "<0.01"),
        (-6e-5, ">-0.01"),
        (0.031, "0.03"),
        (0.25, "0.25"),
        (0.996, "1"),
        (2.0, "2"),
        (2.54, "2.5"),
        (9.96, "10"),
        (99.6, "100"),
        (140.3, "140"),
        (12_345.0, "12,345"),
    ],
)
def test_a_percentage_of_a_sentence_has_two_digits_and_no_power_of_ten(value: float, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.00%"), (0.0043, "0.43%"), (-0.043, "4.3%"), (1.2, "120%"), (math.inf, "any")]
)
def test_a_share_of_a_table_has_its_decimals(value: float, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(1.0, "1"), (0.626, "0.63"), (0.0341, "0.034"), (0.001, "0.001"), (0.0009, "<0.001"), (0.0, "<0.001")]
)
def test_a_p_value_is_written_alike_everywhere(p: float, text: str) -> None:
    assert p_value(p) == text
