"""A short form of the simulation of claims: docs/statistics.md has the whole of it."""

from __future__ import annotations

import pytest

from benchmarks.simulations import claims


@pytest.mark.parametrize("text", [claims.RATIO, claims.SUM])
@pytest.mark.parametrize("repeats", [3, 6, 20])
def test_the_interval_of_a_ratio_and_of_a_sum_covers_their_true_values(text: str, repeats: int) -> None:
    # 95.0 %, give or take two and a half standard errors.
    assert 93.5 <= claims.covered(text, repeats, claims.PLAIN, 1500) <= 98


def test_advised_repeats_decide_or_show_how_close_it_is() -> None:
    found = claims.advised("t(a) > t(b)", 6, 400)
    assert found.advised > 20
    assert found.kept / found.advised >= 0.75
