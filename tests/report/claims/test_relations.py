"""What an expression comes to over figures with repeats and figures within bounds, and what more repeats would do."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from random import Random

import pytest

from benchrig.report.claims.functions import names_of
from benchrig.report.claims.language import Expression, Figure
from benchrig.report.claims.parser import parse
from benchrig.report.claims.relations import holds, outlook
from benchrig.report.claims.values import Known, UndefinedError, Values, bounds, point, unbounded
from benchrig.statistics.difference import SIGNIFICANT, welch
from benchrig.statistics.interval import of_median
from benchrig.statistics.ties import ranks
from tests.support.noise import Noise, repeats

ROWS = ("go", "flask", "sanic", "quart")
NEAR_100 = (97.0, 98.0, 99.0, 100.0, 101.0, 102.0, 103.0)
"""Seven repeats."""


def read(text: str) -> Expression:
    return parse(text, names_of(ROWS))


def measured(sample: Sequence[float]) -> Known:
    """Return a figure of a run by its repeats."""
    interval = of_median(sample)
    assert interval
    return Known(statistics.median(sample), interval.low, interval.high, sample=tuple(sample))


def around(value: float) -> Known:
    """Return a figure whose repeats lie around a value."""
    return measured([value * one / 100 for one in NEAR_100])


def within(low: float, high: float) -> Known:
    """Return a figure that more repeats do not narrow."""
    return Known((low + high) / 2, low, high, fixed=True)


def values(text: str, known: dict[str, Known]) -> Values:
    return {figure: known[figure.row] for figure in read(text).figures}


def judged(text: str, **known: Known | float) -> bool | None:
    given = {row: point(one) if isinstance(one, (int, float)) else one for row, one in known.items()}
    return holds(read(text), values(text, given))


def interval(text: str, **known: Known) -> tuple[float, float]:
    (comparison,) = read(f"{text} >= 0").comparisons
    found = bounds(comparison.terms[0], values(f"{text} >= 0", known))
    return found.low, found.high


# Figures with repeats


def test_one_figure_alone_is_judged_by_the_interval_that_reports_print() -> None:
    go = around(100)
    for text, outcome in (
        (f"throughput(go) > {go.low:.6f} - 0.001", True),
        (f"throughput(go) > {go.low:.6f} + 0.001", None),
        (f"throughput(go) > {go.high:.6f} - 0.001", None),
        (f"throughput(go) > {go.high:.6f} + 0.001", False),
        (f"1 / throughput(go) < 1 / ({go.low:.6f} - 0.001)", True),
        (f"60 * throughput(go) > 60 * ({go.high:.6f} + 0.001)", False),
    ):
        assert judged(text, go=go) is outcome, text
    assert interval("60 * throughput(go)", go=go) == pytest.approx((60 * go.low, 60 * go.high))


def test_a_quotient_has_welchs_interval_and_is_judged_by_it() -> None:
    go, flask = around(700), around(100)
    expected = welch(flask.sample, go.sample)
    assert expected
    assert interval("throughput(go) / throughput(flask)", go=go, flask=flask) == pytest.approx((expected.low, expected.high))
    for text, outcome in (
        (f"throughput(go) / throughput(flask) >= {expected.low:.6f} - 0.001", True),
        (f"throughput(go) / throughput(flask) >= {expected.low:.6f} + 0.001", None),
        (f"throughput(go) / throughput(flask) >= {expected.high:.6f} + 0.001", False),
        (f"throughput(go) >= ({expected.low:.6f} - 0.001) * throughput(flask)", True),
        (f"({expected.high:.6f} + 0.001) * throughput(flask) > throughput(go)", True),
    ):
        assert judged(text, go=go, flask=flask) is outcome, text


@pytest.mark.parametrize("count", [3, 5, 6, 10, 20])
def test_a_relation_of_two_figures_is_decided_where_a_comparison_of_them_is(count: int) -> None:
    """With outliers, too: a report, a comparison and a claim have one estimate of a ratio."""
    rng, noise, decided = Random(count), Noise(0.01, outliers=0.1), 0
    for _ in range(60):
        one, other = repeats(rng, count, noise, 1.02), repeats(rng, count, noise)
        found = welch(other, one)
        assert found
        expected = None if found.p >= SIGNIFICANT else found.ratio > 1
        for text in ("throughput(go) > throughput(flask)", "throughput(go) / throughput(flask) > 1"):
            assert judged(text, go=measured(one), flask=measured(other)) is expected, (one, other)
        decided += expected is not None
    assert 5 < decided < 60


def test_a_row_that_is_ranked_ahead_is_above_the_other_one_in_claims() -> None:
    # One slow repeat of the faster row: with a plain mean, this is not decided.
    go, flask = (1021.0, 1019.0, 1020.5, 1018.5, 1022.0, 930.0), (1000.0, 1001.0, 999.5, 1000.5, 998.5, 1001.5)
    assert [rank.first for rank in ranks([go, flask]) if rank] == [1, 2]
    assert judged("throughput(go) > throughput(flask)", go=measured(go), flask=measured(flask)) is True


def test_what_interval_arithmetic_left_open_is_decided() -> None:
    # The intervals of the medians overlap: [97.1, 102.9] and [101.1, 107.1].
    assert judged("throughput(go) > throughput(flask)", go=around(104.1), flask=around(100)) is True
    assert judged("throughput(go) > throughput(flask)", go=around(101), flask=around(100)) is None
    assert judged("throughput(go) > throughput(flask)", go=around(96), flask=around(100)) is False


def test_a_sum_is_less_uncertain_than_the_sum_of_its_uncertainties() -> None:
    low, high = interval("throughput(go) + throughput(flask)", go=around(100), flask=around(100))
    alone = interval("2 * throughput(go)", go=around(100))
    assert low < 200 < high
    assert high - low < 0.75 * (alone[1] - alone[0])


def test_a_figure_that_stands_twice_counts_once() -> None:
    known = {"go": around(100), "flask": around(100)}
    assert judged("throughput(go) / throughput(go) == 1", **known) is True
    assert judged("throughput(go) + throughput(flask) > throughput(flask) + 96", **known) is True
    assert judged("throughput(go) <= throughput(go) + 0 * throughput(flask)", **known) is True


def test_a_difference_that_may_be_below_0_is_judged_as_it_is() -> None:
    known = {"go": around(100), "flask": around(100), "sanic": around(50)}
    assert judged("throughput(go) - throughput(flask) < 5", **known) is True
    assert judged("throughput(go) - throughput(flask) < 0", **known) is None
    assert judged("throughput(sanic) - throughput(go) < 0", **known) is True
    assert judged("throughput(sanic) - throughput(go) ~= throughput(sanic) - throughput(flask)", **known) is True


def test_a_quotient_by_what_may_be_0_is_not_known() -> None:
    known = {"go": around(100), "flask": around(100.5), "sanic": around(50)}
    assert judged("throughput(sanic) / (throughput(go) - throughput(flask)) > 1000", **known) is None
    assert interval("throughput(sanic) / (throughput(go) - throughput(flask))", **known) == (-math.inf, math.inf)
    assert judged("throughput(go) / (throughput(sanic) - throughput(go)) < 0", **known) is True


@pytest.mark.parametrize(
    ("of_go", "outcome"), [(100, True), (105, True), (108.5, None), (111.5, None), (116, False), (85, False), (90.5, None)]
)
def test_near_is_shown_where_the_interval_lies_within_its_bounds(of_go: float, outcome: bool | None) -> None:
    assert judged("throughput(go) ~= throughput(flask)", go=around(of_go), flask=around(100)) is outcome


def test_equal_is_never_shown_of_what_is_measured_and_can_be_refuted() -> None:
    assert judged("throughput(go) == throughput(flask)", go=around(100), flask=around(100)) is None
    assert judged("throughput(go) == throughput(flask)", go=around(100), flask=around(110)) is False


def test_what_is_false_in_one_part_is_false_whatever_is_not_known_of_the_other() -> None:
    known = {"go": around(100), "flask": point(5)}
    assert judged("throughput(go) > 100 and throughput(flask) > 6", **known) is False
    assert judged("throughput(go) > 100 and throughput(flask) > 4", **known) is None


# The least and the greatest


def test_above_the_greatest_is_above_each() -> None:
    text = "throughput(go) > max(throughput(flask), throughput(sanic), throughput(quart))"
    flask, sanic, quart = around(100), around(90), around(102)
    assert judged(text, go=around(106), flask=flask, sanic=sanic, quart=quart) is True
    assert judged(text, go=around(103), flask=flask, sanic=sanic, quart=quart) is None
    assert judged(text, go=around(97), flask=flask, sanic=sanic, quart=quart) is False


def test_below_the_greatest_is_below_one() -> None:
    text = "throughput(go) < max(throughput(flask), throughput(sanic))"
    assert judged(text, go=around(100), flask=around(90), sanic=around(110)) is True
    assert judged(text, go=around(100), flask=around(90), sanic=around(101)) is None
    assert judged(text, go=around(100), flask=around(90), sanic=around(95)) is False


def test_of_several_one_must_be_shown_at_a_stricter_level() -> None:
    flask, others = around(100), {"sanic": around(50), "quart": around(50)}
    above_one, above_all = "throughput(go) > throughput(flask)", "throughput(go) > max(throughput(flask), throughput(sanic))"
    just_shown = max(
        (around(tenths / 10) for tenths in range(900, 1000)),
        key=lambda go: go.value if judged(above_one, go=go, flask=flask) is False else 0,
    )
    assert judged(above_one, go=just_shown, flask=flask) is False
    assert judged(above_all, go=just_shown, flask=flask, **others) is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2 * max(T(go), T(flask)) + 1 > 180", "max(2 * T(go) + 1, 2 * T(flask) + 1) > 180"),
        ("500 - max(T(go), T(flask)) > 380", "min(500 - T(go), 500 - T(flask)) > 380"),
        ("1 / max(T(go), T(flask)) < 1 / 90", "min(1 / T(go), 1 / T(flask)) < 1 / 90"),
        ("min(T(go), T(flask)) / T(sanic) < 3", "min(T(go) / T(sanic), T(flask) / T(sanic)) < 3"),
    ],
)
@pytest.mark.parametrize("of_go", [80, 90, 100, 110, 120])
def test_arithmetic_on_a_choice_is_a_choice_of_arithmetic(text: str, same: str, of_go: float) -> None:
    known = {"go": around(of_go), "flask": around(95), "sanic": around(30)}
    one, other = (judged(expression.replace("T(", "throughput("), **known) for expression in (text, same))
    assert one is other


def test_where_a_factor_may_be_below_0_any_of_several_may_be_the_greatest() -> None:
    text = "(throughput(go) - throughput(flask)) * max(throughput(sanic), throughput(quart)) > 0"
    known = {"flask": around(100), "sanic": around(10), "quart": around(20)}
    assert judged(text, go=around(150), **known) is True
    assert judged(text, go=around(50), **known) is False
    assert judged(text, go=around(100), **known) is None


def test_the_interval_of_the_greatest_is_that_of_the_greatest_ends() -> None:
    go, flask = around(100), around(101)
    assert interval("max(throughput(go), throughput(flask))", go=go, flask=flask)[0] == pytest.approx(
        interval("throughput(flask) * 1", flask=flask)[0], rel=0.01
    )


# Figures within bounds


def test_figures_within_bounds_are_combined_by_interval_arithmetic() -> None:
    known = {"go": within(90, 110), "flask": within(9, 11)}
    for text, outcome in (
        ("throughput(go) - throughput(flask) >= 79", True),
        ("throughput(go) - throughput(flask) >= 80", None),
        ("throughput(go) - throughput(flask) > 101", False),
        ("throughput(go) / throughput(flask) >= 8.18", True),
        ("throughput(go) / throughput(flask) >= 8.19", None),
        ("throughput(go) / throughput(flask) > 12.23", False),
        ("throughput(go) ~= 10 * throughput(flask)", None),
        ("throughput(go) ~= 100", True),
        ("throughput(go) ~= 99", None),
    ):
        assert judged(text, **known) is outcome, text


def test_bounds_stay_outside_and_statistics_inside() -> None:
    known = {"go": around(100), "flask": within(1, 2)}
    assert judged("throughput(go) / throughput(flask) > 45", **known) is True
    assert judged("throughput(go) / throughput(flask) > 50", **known) is None
    assert judged("throughput(go) / throughput(flask) > 105", **known) is False
    low, high = interval("throughput(go) / throughput(flask)", **known)
    assert 47 < low < 50
    assert 100 < high < 106


def test_a_figure_without_bounds_decides_nothing_but_what_no_figure_can_be() -> None:
    figure = Figure("throughput", "go")
    for text, outcome in (
        ("throughput(go) > 7", None),
        ("throughput(go) * 0 == 0", True),
        ("throughput(go) / 2 - 1 > 7", None),
        ("1 / throughput(go) > 7", None),
    ):
        assert holds(read(text), {figure: unbounded(9.0)}) is outcome, text


def test_a_division_by_nothing_has_no_outcome() -> None:
    with pytest.raises(UndefinedError, match=r"throughput\(flask\) is 0, and throughput\(go\) / "):
        judged("throughput(go) / throughput(flask) > 1", go=1, flask=0)
    with pytest.raises(UndefinedError, match=r"is 0, and "):
        judged("1 / (throughput(go) - throughput(go)) > 1", go=around(100))


def test_bounds_that_touch_0_leave_a_quotient_open_above() -> None:
    known = {"go": 10, "flask": within(0.0, 10.0)}
    assert judged("throughput(go) / throughput(flask) >= 1", **known) is True
    assert judged("throughput(go) / throughput(flask) > 1000", **known) is None


def test_exact_figures_are_compared_without_rounding_errors() -> None:
    assert judged("throughput(go) / throughput(flask) >= 7", go=measured([343.0] * 6), flask=measured([49.0] * 6)) is True
    assert judged("throughput(go) / throughput(flask) > 7", go=measured([343.0] * 6), flask=measured([49.0] * 6)) is False
    assert judged("throughput(go) / throughput(flask) * 49 == 343", go=343, flask=49) is True
    assert judged("throughput(go) * " + " * ".join(["9" * 18] * 20) + " > 1", go=1) is True


# More repeats


def test_more_repeats_are_advised_where_a_relation_is_nearly_decided() -> None:
    text, known = "throughput(go) > throughput(flask)", {"go": around(102), "flask": around(100)}
    assert judged(text, **known) is None
    found = outlook(read(text), values(text, known), 7)
    assert 7 < found.repeats <= 200
    assert 0 < found.within < found.excluded < 0.1


def test_where_the_sides_are_equal_none_are_advised_and_what_is_excluded_is_told() -> None:
    text, known = "throughput(go) > throughput(flask)", {"go": around(100.1), "flask": around(100)}
    found = outlook(read(text), values(text, known), 7)
    assert found.repeats == math.inf
    expected = welch(known["flask"].sample, known["go"].sample)
    assert expected
    assert found.excluded == pytest.approx(max(expected.high, 1 / expected.low) - 1, rel=1e-6)


def test_of_relations_that_must_all_hold_the_hardest_decides() -> None:
    known = {"go": around(102), "flask": around(100), "sanic": around(99.9)}
    one, other = "throughput(go) > throughput(flask)", "throughput(go) > throughput(sanic)"
    needed = [outlook(read(text), values(text, known), 7).repeats for text in (one, other, f"{one} and {other}")]
    both = "throughput(go) > max(throughput(flask), throughput(sanic))"
    assert needed[2] == max(needed[:2])
    assert outlook(read(both), values(both, known), 7).repeats == max(needed[:2])


@pytest.mark.parametrize("text", ["throughput(go) > 1000", "throughput(go) > throughput(flask)", "throughput(go) ~= 1100"])
@pytest.mark.parametrize("count", [3, 4, 6, 10])
def test_what_is_not_decided_is_never_said_to_need_no_repeats(text: str, count: int) -> None:
    rng, undecided, advised = Random(count), 0, 0
    for _ in range(150):
        ratio = 1 + rng.uniform(-0.04, 0.04)
        known = {"go": measured(repeats(rng, count, Noise(), ratio)), "flask": measured(repeats(rng, count, Noise()))}
        if judged(text, **known) is not None:
            continue
        undecided += 1
        found = outlook(read(text), values(text, known), count)
        assert found.repeats >= count, known
        assert found.excluded > 0
        advised += found.repeats < math.inf
    assert undecided > 10
    assert advised


def test_a_figure_alone_that_is_far_from_settled_is_not_said_to_be_close() -> None:
    text, known = "throughput(go) > 8500", {"go": measured((10_000, 10_012, 9_991, 10_018, 7_000, 7_050))}
    assert judged(text, **known) is None
    found = outlook(read(text), values(text, known), 6)
    assert (found.repeats, found.excluded > 0.1) == (math.inf, True)
