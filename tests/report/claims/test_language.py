"""The language of claims: what may be written, what it means, and what is refused where."""

from __future__ import annotations

import pytest

from benchrig.report.claims.functions import DIMENSIONS
from benchrig.report.claims.language import Expression, Figure, Names
from benchrig.report.claims.parser import ExpressionError, parse
from benchrig.report.claims.relations import holds
from benchrig.report.claims.values import point

NAMES = Names(
    functions={name: DIMENSIONS[name] for name in ("throughput", "latency_mean", "has_timeouts")},
    truths=("has_timeouts",),
    document=("go-2000", "go-20000", "flask-sync", "films-quart.film", "films-quart.films"),
    others=("flask-fixed",),
)


def read(text: str) -> Expression:
    return parse(text, NAMES)


def judged(text: str, **known: float) -> bool | None:
    """Judge an expression over exact figures; a row is `go_2000` here."""
    values = {figure: known[figure.row.replace("-", "_").replace(".", "_")] for figure in read(text).figures}
    return holds(read(text), {figure: point(value) for figure, value in values.items()})


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
        ("", 1, "it is empty"),
        (" \n", 1, "it is empty"),
        ("1+" * 101 + "throughput(go-2000) > 1", 1, "an expression has at most 100 operators"),
        (
            " * ".join(["max(throughput(*))"] * 5) + " > 1",
            104,
            "its min and max choose from more than 1,000 combinations",
        ),
        (f"throughput(go-2000) < {'9' * 400}", 23, "a number is at most 1e+18"),
        ("throughput(go-2000) / 0 > 1", 21, "it divides by 0"),
        ("throughput(go-2000) / 0.0 s > 1", 21, "it divides by 0"),
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


def test_an_expression_as_deep_as_one_may_be_is_read_and_judged() -> None:
    assert judged("1+(" * 98 + "throughput(go-2000)" + ")" * 98 + " == 100", go_2000=2) is True
    assert judged("(" * 200 + "throughput(go-2000)" + ")" * 200 + " == 2", go_2000=2) is True
