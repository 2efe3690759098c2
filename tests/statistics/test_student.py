"""Student's distribution has the values of scipy."""

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


@pytest.mark.parametrize("df", [0.7, 1, 1.5, 2, 3.3, 10, 75.5, 1e4])
@pytest.mark.parametrize("probability", [0.51, 0.6, 0.9, 0.975, 0.99999, 1 - 1e-9])
def test_a_quantile_is_the_inverse_of_the_distribution(probability: float, df: float) -> None:
    t = student.quantile(probability, df)
    assert student.cdf(-t, df) == pytest.approx(1 - probability, rel=1e-6)
    assert student.quantile(1 - probability, df) == pytest.approx(-t, rel=1e-6)
