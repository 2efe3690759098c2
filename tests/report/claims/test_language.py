"""The language of claims: what may be written, what an expression comes to over intervals, and what is refused where."""

from __future__ import annotations

import math

import pytest

from benchrig.report.claims.language import Expression, ExpressionError, Figure, Names, parse
from benchrig.report.claims.values import Interval, UndefinedError, holds, point, repeats_to_settle, unbounded

NAMES = Names(
    functions=("throughput", "latency_mean", "has_timeouts"),
    truths=("has_timeouts",),
    document=("go-2000", "go-20000", "flask-sync", "films-quart.film", "films-quart.films"),
    others=("flask-fixed",),
)


def read(text: str) -> Expression:
    return parse(text, NAMES)


def judged(text: str, **known: float | tuple[float, float, float]) -> bool | None:
    """Judge an expression over throughputs; a row is `go_2000` here, an interval is (low, value, high)."""
    values = {}
    for figure in read(text).figures:
        found = known[figure.row.replace("-", "_").replace(".", "_")]
        values[figure] = point(found) if isinstance(found, (int, float)) else Interval(found[1], found[0], found[2])
    return holds(read(text), values)


def test_a_rows_name_with_hyphens_and_dots_is_no_arithmetic() -> None:
    expression = read("throughput(go-2000) - throughput(films-quart.film) > 1")
    assert expression.figures == (Figure("throughput", "go-2000"), Figure("throughput", "films-quart.film"))
    assert judged("throughput(go-2000)-throughput(films-quart.film) > 1", go_2000=5, films_quart_film=3) is True


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("throughput(go-2000) == 2 + 3 * 4", True),
        ("throughput(go-2000) == (2 + 3) * 4", False),
        ("throughput(go-2000) == 20 - 4 - 2", True),
        ("throughput(go-2000) == 56 / 2 / 2", True),
        ("1 < throughput(go-2000) <= 14", True),
        ("1 < throughput(go-2000) < 14", False),
        ("throughput(go-2000) > 1 and throughput(go-2000) > 2", True),
        ("throughput(go-2000) > 1 and throughput(go-2000) > 20", False),
        ("throughput(go-2000) ~= 15.4", True),
        ("throughput(go-2000) ~= 15.6", False),
        ("throughput(go-2000) ~= 12.8", True),
        ("throughput(go-2000) ~= 12.7", False),
        ("max(throughput(go-2000), 20, 3) == 20", True),
        ("min(throughput(go-2000), 20, 3) == 3", True),
    ],
)
def test_relations_and_arithmetic_have_their_usual_meaning(text: str, outcome: bool) -> None:
    assert judged(text, go_2000=14) is outcome


def test_a_pattern_stands_for_the_documents_rows_that_the_comparison_does_not_name() -> None:
    (comparison,) = read("throughput(go-20000) > max(throughput(*))").comparisons
    assert [figure.row for figure in comparison.figures] == [
        "go-20000", "go-2000", "flask-sync", "films-quart.film", "films-quart.films",
    ]  # fmt: skip


def test_another_comparison_does_not_take_a_row_from_a_pattern() -> None:
    _, second = read("throughput(go-2000) > 1 and max(throughput(go-*)) > 1").comparisons
    assert [figure.row for figure in second.figures] == ["go-2000", "go-20000"]


@pytest.mark.parametrize(
    ("interval", "outcome"),
    [((7.0, 8.0, 9.0), True), ((6.9, 8.0, 9.0), None), ((5.0, 6.0, 7.0), None), ((5.0, 6.0, 6.9), False)],
)
def test_a_relation_holds_in_the_whole_interval_in_part_of_it_or_nowhere(
    interval: tuple[float, float, float], outcome: bool | None
) -> None:
    assert judged("throughput(go-2000) >= 7", go_2000=interval) is outcome


@pytest.mark.parametrize(
    ("interval", "outcome"),
    [
        ((9.0, 10.0, 11.0), True),
        ((8.9, 10.0, 11.0), None),
        ((11.1, 12.0, 13.0), False),
        ((5.0, 6.0, 8.9), False),
        ((5.0, 10.0, 20.0), None),
    ],
)
def test_near_is_within_a_tenth_of_the_right_side(interval: tuple[float, float, float], outcome: bool | None) -> None:
    assert judged("throughput(go-2000) ~= 10", go_2000=interval) is outcome


def test_near_takes_the_right_side_for_as_uncertain_as_it_is() -> None:
    text, left = "throughput(go-2000) ~= throughput(flask-sync)", (9.9, 10.0, 10.1)
    assert judged(text, go_2000=left, flask_sync=(9.9, 10.0, 10.9)) is True
    assert judged(text, go_2000=left, flask_sync=(9.9, 10.0, 11.1)) is None
    assert judged(text, go_2000=left, flask_sync=(9.1, 10.0, 10.9)) is None
    assert judged(text, go_2000=left, flask_sync=(11.3, 12.0, 13.0)) is False


def test_a_difference_is_as_uncertain_as_both_its_parts() -> None:
    known = {"go_2000": (90.0, 100.0, 110.0), "flask_sync": (9.0, 10.0, 11.0)}
    assert judged("throughput(go-2000) - throughput(flask-sync) >= 79", **known) is True
    assert judged("throughput(go-2000) - throughput(flask-sync) >= 80", **known) is None
    assert judged("throughput(go-2000) - throughput(flask-sync) > 101", **known) is False


def test_a_quotient_is_as_uncertain_as_both_its_parts() -> None:
    known = {"go_2000": (90.0, 100.0, 110.0), "flask_sync": (9.0, 10.0, 11.0)}
    assert judged("throughput(go-2000) / throughput(flask-sync) >= 8.18", **known) is True
    assert judged("throughput(go-2000) / throughput(flask-sync) >= 8.19", **known) is None
    assert judged("throughput(go-2000) / throughput(flask-sync) > 12.23", **known) is False


def test_what_is_false_in_one_part_is_false_whatever_is_not_known_of_the_other() -> None:
    known = {"go_2000": (1.0, 2.0, 3.0), "flask_sync": 5}
    assert judged("throughput(go-2000) > 2 and throughput(flask-sync) > 6", **known) is False
    assert judged("throughput(go-2000) > 2 and throughput(flask-sync) > 4", **known) is None


def test_a_figure_without_bounds_decides_nothing_but_what_no_figure_can_be() -> None:
    figure = Figure("throughput", "go-2000")
    for text, outcome in (
        ("throughput(go-2000) > 7", None),
        ("throughput(go-2000) * 0 == 0", True),
        ("throughput(go-2000) / 2 - 1 > 7", None),
        ("1 / throughput(go-2000) > 7", None),
    ):
        assert holds(read(text), {figure: unbounded(9.0)}) is outcome, text


def test_a_division_by_nothing_has_no_outcome() -> None:
    with pytest.raises(UndefinedError, match=r"throughput\(flask-sync\) is 0, and throughput\(go-2000\) / "):
        judged("throughput(go-2000) / throughput(flask-sync) > 1", go_2000=1, flask_sync=0)


def test_an_interval_that_touches_nothing_leaves_a_quotient_open_above() -> None:
    known = {"go_2000": 10, "flask_sync": (0.0, 5.0, 10.0)}
    assert judged("throughput(go-2000) / throughput(flask-sync) >= 1", **known) is True
    assert judged("throughput(go-2000) / throughput(flask-sync) > 1000", **known) is None


@pytest.mark.parametrize(
    ("interval", "repeats"),
    [
        # 8 is 1 above 7, the half width is 2: half of it is needed, which takes four times as many repeats.
        ((6.0, 8.0, 10.0), 24),
        ((6.9, 8.0, 9.1), 8),
        # 7.01 would take a hundredth of the width: 60,000 repeats.
        ((6.01, 7.01, 8.01), None),
    ],
)
def test_the_interval_shrinks_with_the_root_of_the_repeats(
    interval: tuple[float, float, float], repeats: int | None
) -> None:
    low, value, high = interval
    values = {Figure("throughput", "go-2000"): Interval(value, low, high)}
    assert repeats_to_settle(read("throughput(go-2000) >= 7"), values, 6) == repeats
    if repeats:
        share = math.sqrt(6 / repeats)
        assert value - share * (value - low) >= 7


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("throughput(go-200) > 1", 12, "unknown row 'go-200'; did you mean go-2000 or go-20000?"),
        ("throughput(go-2000) > latency(go-2000)", 23, "unknown function 'latency'; did you mean latency_mean?"),
        ("max(throughput(zz-*)) > 1", 16, "unknown pattern of rows 'zz-*'"),
        ("max(throughput(flask-f*)) > 1", 16, "unknown pattern of rows 'flask-f*'; did you mean flask-fixed"),
        ("throughput(go-*) > 1", 12, "'go-*' stands for several rows: put it into min() or max()"),
        ("throughput(go-2000) = 1", 21, "write == for equal, ~= for within 10 %"),
        ("throughput(go-2000) > ", 22, "it ends too early"),
        ("throughput(go-2000)", 20, "it ends too early"),
        ("throughput(go-2000) > 1 or 1 > 2", 25, "'or' is not allowed here"),
        ("throughput() > 1", 12, "')' is not allowed here"),
        ("throughput(go-2000) > 'x'", 23, "''x'' is not allowed here"),
        ("1 < 2", 1, "it names no row"),
        ("has_timeouts(go-2000) > 1", 23, "yes and no can only be compared by == with what answers yes or no"),
        ("has_timeouts(go-2000) == 1", 23, "yes and no can only be compared by == with what answers yes or no"),
        ("throughput(go-2000) == yes", 21, "yes and no can only be compared by == with what answers yes or no"),
        ("has_timeouts(go-2000) + 1 == 2", 23, "'+' is for numbers, not for yes and no"),
        ("max(has_timeouts(go-2000), 1) == yes", 1, "max() takes either numbers or yes and no"),
        ("open('/etc/passwd') > 1", 6, "''/etc/passwd')' is not allowed here"),
        ("1 + " * 200 + "1 > 2", 501, "an expression has at most 500 characters"),
        ("throughput(go-2000).__class__ > 1", 20, "'.__class__' is not allowed here"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert str(caught.value).startswith(f"column {column} of the expression: {message}")


def test_rows_that_are_not_the_documents_can_be_named_outright() -> None:
    assert read("throughput(flask-fixed) > 1").figures == (Figure("throughput", "flask-fixed"),)


def test_yes_and_no_can_be_asked_of_several_rows() -> None:
    assert judged("max(has_timeouts(go-*)) == no", go_2000=0, go_20000=0) is True
    assert judged("max(has_timeouts(go-*)) == no", go_2000=0, go_20000=1) is False
