"""The short form of docs/statistics.md: what its tables say, with few rounds of `benchmarks/bench_statistics.py`."""

from __future__ import annotations

import pytest

from benchmarks import bench_statistics
from benchmarks.simulations import advised, errors, gate, intervals, power, ranking
from benchmarks.simulations.cases import kinds, true_median
from tests.support import ROOT
from tests.support.noise import Noise


@pytest.mark.parametrize("noise", ["log-normal", "outliers 5 %", "drift"])
@pytest.mark.parametrize("n", [3, 5, 6, 8, 12, 20])
def test_the_interval_holds_the_median_under_independent_noise(n: int, noise: str) -> None:
    kind = kinds()[noise]
    assert 0.925 <= intervals.coverage((n, kind, true_median(kind), 1500)) <= 0.99


def test_the_interval_does_not_hold_what_two_boots_differ_by() -> None:
    assert intervals.coverage((20, Noise(boots=0.03), 1000.0, 500)) < 0.6


def test_the_interval_is_narrower_than_the_plain_one() -> None:
    ours, plain = intervals.width((8, 500))
    assert plain
    assert ours < 0.9 * plain


@pytest.mark.parametrize("noise", ["log-normal", "outliers 5 %", "drift"])
@pytest.mark.parametrize("n", [3, 6, 10])
def test_a_family_of_equal_rows_seldom_has_a_false_difference(n: int, noise: str) -> None:
    kind = kinds()[noise]
    assert false_families(n, kind, 1000) <= 0.06


@pytest.mark.parametrize(("n", "most"), [(6, 0.36), (8, 0.3), (10, 0.21)])
def test_one_system_in_two_states_differs_from_itself_no_more_often_than_the_page_says(n: int, most: float) -> None:
    """Holding a third of the repeats, nearly every family had a false difference."""
    for kind in errors.STATES.values():
        assert false_families(n, kind, 250) <= most


def false_families(n: int, kind: Noise, rounds: int) -> float:
    """Return the share of families with a false difference by our test."""
    return errors.false((n, kind, kind, rounds), {"ours": errors.p_value})["ours"]


def test_single_runs_are_often_wrong_where_boots_differ() -> None:
    assert errors.boots((6, 1.0, 500)) > 0.3
    assert errors.boots((6, 0.0, 500)) < 0.09


@pytest.mark.parametrize(("n", "least"), [(6, 0.6), (8, 0.75)])
def test_a_difference_of_5_percent_is_found_as_often_as_by_the_best_test(n: int, least: float) -> None:
    found = power.power(("log-normal", n, 0.05, 0.03, 500))
    assert found["one row", "ours"] >= least
    assert power.behind(found, "one row") <= 0.03
    assert power.behind(found, "16 rows") <= 0.03


@pytest.mark.parametrize("difference", [0.0, 0.02])
def test_advised_repeats_settle_it(difference: float) -> None:
    counts = advised.outcomes(("log-normal", 6, difference, 1500))
    assert counts["asked"] > 30
    assert counts["settled"] / counts["asked"] >= 0.8
    assert counts["right"] / 1500 > 0.93


@pytest.mark.parametrize(("systems", "n"), [(6, 3), (6, 6), (16, 6)])
def test_equal_systems_share_rank_1(systems: int, n: int) -> None:
    assert ranking.shared((systems, n, Noise(), 300)) >= 0.94


def test_a_slow_system_is_last() -> None:
    assert ranking.found((6, 10, Noise(), 100)) >= 0.8


def test_every_topic_is_in_the_page() -> None:
    page = (ROOT / "docs" / "statistics.md").read_text()
    assert [name for name in bench_statistics.topics() if f"benchmarks/simulations/{name}.py" not in page] == []


def test_a_gate_passes_no_slower_row_and_equal_rows_where_repeats_are_precise() -> None:
    assert gate.gates(((16, 6, 0.01, 0.0), 20))["passed"] == 1.0
    assert gate.gates(((16, 3, 0.04, 0.2), 20))["passed"] == 0.0
    assert gate.gates(((16, 10, 0.02, 0.1), 20))["failed"] >= 0.9
