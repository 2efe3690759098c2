"""Student's distribution has the values of the tables, and those of scipy 1.17."""

from __future__ import annotations

import pytest

from benchrig.statistics import student


@pytest.mark.parametrize(
    ("probability", "df", "value"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 5, 2.5706), (0.995, 10, 3.1693), (0.975, 1e6, 1.95997), (0.5, 3, 0)],
)
def test_quantiles_are_those_of_the_tables(probability: float, df: float, value: float) -> None:
    assert student.quantile(probability, df) == pytest.approx(value, abs=1e-4)
    assert student.cdf(student.quantile(probability, df), df) == pytest.approx(probability, abs=1e-12)


@pytest.mark.parametrize(
    ("t", "df", "probability"),
    [
        (0.5, 1.5, 0.65971644466503),
        (2.1, 3.3, 0.9408569598540462),
        (-3.7, 7, 0.0038274956856056623),
        (4.9, 10.25, 0.9997101405493105),
        (12, 2.4, 0.998316393282682),
        (-30, 29.5, 5.8488177659714315e-24),
    ],
)
def test_the_distribution_is_that_of_scipy(t: float, df: float, probability: float) -> None:
    assert student.cdf(t, df) == pytest.approx(probability, rel=1e-9)


@pytest.mark.parametrize(
    ("probability", "df", "t"),
    [
        (0.975, 2.7, 3.3921483831737507),
        (0.975, 3.3, 3.024874461840807),
        (0.9984375, 9.1, 3.9822790055476607),
        (0.99979, 120, 3.6284941485390747),
    ],
)
def test_quantiles_are_those_of_scipy(probability: float, df: float, t: float) -> None:
    assert student.quantile(probability, df) == pytest.approx(t, rel=1e-9)


@pytest.mark.parametrize("df", [0.7, 1, 1.5, 2, 3.3, 10, 75.5, 1e4])
@pytest.mark.parametrize("probability", [0.51, 0.6, 0.9, 0.975, 0.99999, 1 - 1e-9])
def test_a_quantile_is_the_inverse_of_the_distribution(probability: float, df: float) -> None:
    t = student.quantile(probability, df)
    assert student.cdf(-t, df) == pytest.approx(1 - probability, rel=1e-6)
    assert student.quantile(1 - probability, df) == pytest.approx(-t, rel=1e-6)
