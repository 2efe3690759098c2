"""Whether a difference is found: by the repeats of both, in the direction of the metric, over all rows together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.errors import InputError
from benchrig.report import Report, compare, load
from benchrig.report.metrics import METRICS
from benchrig.report.sentences import outcome as words_of
from benchrig.report.verdict import Answer, Cause
from benchrig.results.sessions import Known
from benchrig.statistics.boots import Spread
from tests.support.comparing import (
    OTHER_SPREAD,
    SPREAD,
    cells,
    change_of,
    measured,
    run_of,
    times,
    with_errors,
    with_latency,
    with_memory,
)
from tests.support.reports import ROOT, a_cell, a_load, a_report, missing


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        (SPREAD, times(1.05), "faster"),
        (times(1.05), SPREAD, "slower"),
        (SPREAD, OTHER_SPREAD, "no difference shown"),
        (SPREAD, SPREAD, "no difference shown"),
        (SPREAD[:3], times(1.2)[:3], "faster"),
        (SPREAD, times(2.0)[:2], "not known (2 repeats; 3 are needed)"),
        (SPREAD[:1], times(2.0), "not known (1 repeat; 3 are needed)"),
    ],
)
def test_a_difference_of_a_few_percent_is_found_and_noise_is_not(
    a: tuple[float, ...], b: tuple[float, ...], outcome: str
) -> None:
    assert words_of(change_of(measured(a), measured(b)).outcome) == outcome


def test_every_metric_with_a_direction_is_compared() -> None:
    compared = [metric.name for metric in METRICS if metric.compared and not metric.instead_of]
    assert compared == [
        "requests_per_second",
        "latency_p50_ms",
        "latency_p99_ms",
        "latency_p99_9_ms",
        "errors",
        "cpu_per_request_us",
        "server_memory_peak_bytes",
    ]


@pytest.mark.parametrize("metric", ["latency_p50_ms", "latency_p99_ms", "latency_p99_9_ms"])
def test_a_longer_latency_is_worse_and_a_shorter_one_better(metric: str) -> None:
    a, b = with_latency(SPREAD), with_latency(times(1.05))
    longer, shorter = change_of(a, b, metric), change_of(b, a, metric)
    assert (longer.verdict, shorter.verdict) == (Answer.WORSE, Answer.BETTER)
    assert longer.ratio == pytest.approx(1.05, rel=0.005)
    assert change_of(a, b).verdict is Answer.NO_DIFFERENCE


def test_more_cpu_for_each_request_is_worse_although_the_cpu_use_is_the_same() -> None:
    a, b = measured(times(1.1)), measured(SPREAD)
    change = change_of(a, b, "cpu_per_request_us")
    # 61.5 % of a core for 5 s, over 96,000 requests.
    assert change.b_value == pytest.approx(0.615 * 5e6 / 96_000, rel=0.01)
    assert change.verdict is Answer.WORSE


def test_memory_is_compared_by_the_peaks_of_the_repeats_and_shown_by_their_median() -> None:
    change = change_of(with_memory(100, 101, 99, 180), with_memory(150, 151, 152, 149), "server_memory_peak_bytes")
    assert (change.a_value, change.b_value) == (pytest.approx(100.5e6), pytest.approx(150.5e6))
    clear = change_of(with_memory(100, 101, 99, 100), with_memory(150, 151, 152, 149), "server_memory_peak_bytes")
    assert clear.verdict is Answer.WORSE


def test_a_run_without_errors_is_compared_with_one_that_has_some_without_a_ratio() -> None:
    change = change_of(with_errors(0, 0, 0, 0), with_errors(4, 7, 2, 9), "errors")
    assert (change.verdict, change.difference, change.ratio) == (Answer.WORSE, None, None)
    # 2 of the 70 orders of four and four values.
    assert change.p == pytest.approx(2 / 70, abs=0.02)
    assert change_of(with_errors(4, 7, 2, 9), with_errors(0, 0, 0, 0), "errors").verdict is Answer.BETTER


def test_three_repeats_cannot_show_that_errors_differ_and_none_at_all_need_no_test() -> None:
    few = change_of(with_errors(0, 0, 0), with_errors(4, 7, 2), "errors")
    assert words_of(few.outcome) == "not known (3 repeats; 4 are needed)"
    none = change_of(with_errors(0, 0, 0), with_errors(0, 0, 0), "errors")
    assert (none.verdict, none.cause, none.p) == (Answer.NO_DIFFERENCE, Cause.EQUAL, None)


def test_errors_of_loads_of_another_length_or_timeout_do_not_compare() -> None:
    a, b = with_errors(0, 0, 0, 0), with_errors(4, 7, 2, 9)
    run = b.table.run
    assert run
    longer = Report(replace(b.table, origin=replace(run, settings=replace(run.settings, duration_seconds=60.0))))
    assert change_of(a, longer, "errors").cause is Cause.OTHER_DURATION
    assert change_of(a, longer).cause is None
    other = with_errors(4, 7, 2, 9, timeout_seconds=2.0)
    assert change_of(a, other, "errors").cause is Cause.OTHER_DURATION


def test_what_is_found_in_one_row_alone_is_not_among_many() -> None:
    # Alone, p is about 0.02.
    small = times(1.018)
    alone = change_of(measured(SPREAD), measured(small))
    assert alone.p is not None
    assert 0.005 < alone.p < 0.05
    assert alone.verdict is Answer.BETTER
    names = ["go-2000", *(f"row-{number}" for number in range(9))]
    a = run_of({name: cells(name, SPREAD) for name in names})
    b = run_of({name: cells(name, small if name == "go-2000" else OTHER_SPREAD) for name in names})
    among = change_of(a, b)
    assert among.p == pytest.approx(alone.p)
    assert among.adjusted_p == pytest.approx(10 * alone.p)
    assert among.verdict is Answer.NO_DIFFERENCE


def test_rows_that_were_not_tested_do_not_count_among_the_many() -> None:
    names = [f"row-{number}" for number in range(20)]
    rows = {name: [missing(name, "failed", "it died")] for name in names}
    a = run_of({"go-2000": cells("go-2000", SPREAD), **rows})
    b = run_of({"go-2000": cells("go-2000", times(1.02)), **rows})
    change = change_of(a, b)
    assert change.p == change.adjusted_p


def test_how_large_a_difference_could_have_been_missed_is_said_where_none_is_shown() -> None:
    open_ = change_of(measured(SPREAD), measured(OTHER_SPREAD))
    assert open_.excluded is not None
    assert 0.01 < open_.excluded < 0.03
    assert change_of(measured(SPREAD), measured(times(1 + 2 * open_.excluded))).is_found
    assert change_of(measured(SPREAD), measured(times(1.5))).excluded is None


@pytest.mark.parametrize(("noise", "found"), [(0.0, True), (0.01, True), (0.04, False), (0.06, False), (0.2, False)])
def test_a_difference_within_the_noise_is_not_called_one(noise: float, found: bool) -> None:
    a, b = measured(SPREAD), measured(times(1.05))
    assert (change_of(a, b, noise=noise).is_found, change_of(b, a, noise=noise).is_found) == (found, found)


def test_the_spread_between_boots_is_in_the_interval_where_it_is_known_of_both_runs() -> None:
    a, b = measured(SPREAD), measured(times(1.05))
    known = {"requests_per_second": Known("20261130-ab-go-2000", Spread(0.012, 0.028, 8, 0.03))}
    without, within = compare([a, b]).changes[0], compare([a, b], boots=lambda _run, _row: known).changes[0]
    assert (without.verdict, without.boots) == (Answer.BETTER, None)
    assert (within.verdict, within.boots) == (Answer.NO_DIFFERENCE, known["requests_per_second"])
    assert without.difference
    assert within.difference
    assert within.difference.ratio == pytest.approx(without.difference.ratio)
    # Twice 3 %, times Student's quantile for seven boots.
    assert within.difference.high / within.difference.ratio - 1 == pytest.approx(2.36 * 0.03 * 2**0.5, rel=0.15)
    one_side = compare([a, b], boots=lambda run, _row: known if run is a.table.run else {}).changes[0]
    assert one_side.boots is None
    assert all(change.boots is None for change in compare([a, b], boots=lambda _run, _row: known).changes[1:])


def test_a_warning_spoils_the_metrics_that_it_is_about() -> None:
    late = [a_cell(repeat=n, sleep_seconds=0.0, load=a_load(900, timeout=40)) for n in range(1, 5)]
    a, b = with_errors(0, 0, 0, 0), run_of({"go-2000": late})
    assert words_of(change_of(a, b).outcome) == "not known (invalid in B: latency clipped, Little's law)"
    assert change_of(a, b, "latency_p99_ms").cause is Cause.INVALID
    assert change_of(a, b, "errors").verdict is Answer.WORSE


def test_missing_rows_those_of_another_load_and_those_at_the_ceiling_are_not_judged() -> None:
    at = [a_cell("ceiling", n, load=a_load(96_000 + n)) for n in range(1, 7)]
    rows = {
        "failed": ([missing("failed", "failed", "it died")], [a_cell("failed")]),
        "ceiling": (at, [replace(cell, load=a_load(97_000 + n)) for n, cell in enumerate(at)]),
        "other": ([a_cell("other")], [a_cell("other", connections=50)]),
    }
    a, b = (run_of({name: both[side] for name, both in rows.items()}) for side in (0, 1))
    outcomes = {
        change.row: words_of(change.outcome)
        for change in compare([a, b]).changes
        if change.metric.name == "requests_per_second"
    }
    assert outcomes == {
        "failed": "not known (not measured in A)",
        "ceiling": "no difference shown (both at the ceiling)",
        "other": "not comparable (different load)",
    }


def test_two_rows_at_the_ceiling_still_differ_in_their_latencies() -> None:
    a, b = with_latency(SPREAD, sleep_seconds=0.1), with_latency(times(1.05), sleep_seconds=0.1)
    assert change_of(a, b).cause is Cause.AT_CEILING
    assert change_of(a, b, "latency_p99_ms").verdict is Answer.WORSE


def test_one_row_at_the_ceiling_is_still_better_than_one_below_it() -> None:
    a, b = measured(times(0.5), sleep_seconds=0.1), measured(times(1.0), sleep_seconds=0.1)
    assert b.table.rows[0].at_ceiling
    assert change_of(a, b).verdict is Answer.BETTER


def test_the_mean_is_over_the_rows_that_were_tested() -> None:
    a = run_of({"one": cells("one", SPREAD), "two": cells("two", SPREAD), "gone": [missing("gone", "failed", "it died")]})
    b = run_of({"one": cells("one", times(1.2)), "two": cells("two", times(1 / 1.1)), "gone": cells("gone", SPREAD)})
    (pairing,) = compare([a, b]).pairings
    mean = pairing.means[0]
    assert (mean.metric.name, mean.mean.rows) == ("requests_per_second", 2)
    assert mean.mean.ratio == pytest.approx((1.2 / 1.1) ** 0.5, rel=0.002)
    assert mean.mean.low < mean.mean.ratio < mean.mean.high


def test_more_rows_do_not_average_out_what_their_boots_do() -> None:
    """All rows are faster by 3 %, as one boot may make them: the mean of 12 is no surer than its boots."""
    rows = [f"row-{number}" for number in range(12)]
    a, b = (run_of({row: cells(row, times(factor)) for row in rows}) for factor in (1.0, 1.03))
    known = {"requests_per_second": Known("20261130-ab-row-0", Spread(0.012, 0.02, 8, 0.02))}
    alone = compare([a, b]).pairings[0].means[0]
    (pairing,) = compare([a, b], boots=lambda _run, _row: known).pairings
    mean = pairing.means[0]
    assert (alone.has_boots, mean.has_boots) == (False, True)
    assert alone.mean.low > 1.01
    assert mean.mean.low < 1 < mean.mean.ratio
    assert mean.mean.ratio == pytest.approx(alone.mean.ratio)
    some = compare([a, b], boots=lambda _run, row: known if row.name == "row-0" else {}).pairings[0].means[0]
    assert (some.has_boots, some.mean) == (False, alone.mean)


def test_each_of_several_is_compared_with_the_first() -> None:
    runs = [measured(SPREAD), measured(times(1.1)), measured(times(0.9))]
    comparison = compare(runs)
    assert [pairing.side for pairing in comparison.pairings] == ["B", "C"]
    throughput = [change for change in comparison.changes if change.metric.name == "requests_per_second"]
    assert [(change.side, change.verdict) for change in throughput] == [("B", Answer.BETTER), ("C", Answer.WORSE)]
    with pytest.raises(InputError, match="at most 26"):
        compare([runs[0]] * 27)


def test_rows_are_matched_by_name_and_the_others_are_listed() -> None:
    (pairing,) = compare([a_report("go-2000", "sanic"), a_report("flask-sync", "go-2000")]).pairings
    assert pairing.rows == ("go-2000",)
    assert (pairing.only_a, pairing.only_b) == (("sanic",), ("flask-sync",))


def test_two_runs_without_a_common_row_are_refused_with_some_rows_of_each() -> None:
    many = a_report(*(f"row-{number}" for number in range(8)), name="many")
    with pytest.raises(InputError) as refused:
        compare([a_report("sanic", name="one"), many])
    assert str(refused.value) == (
        "no row is in both: A (one) has sanic; B (many) has row-0, row-1, row-2, row-3, row-4, and 3 more"
    )


def test_latencies_of_an_older_run_are_compared_as_both_have_them() -> None:
    older = [replace(cell, load=replace(cell.load, measured=None)) for cell in cells("go-2000", SPREAD) if cell.load]
    (pairing,) = compare([run_of({"go-2000": older}), measured(OTHER_SPREAD)]).pairings
    names = [metric.name for metric in pairing.metrics]
    assert "latency_corrected_p99_ms" in names
    assert "latency_p99_ms" not in names
    (newer,) = compare([measured(SPREAD), measured(OTHER_SPREAD)]).pairings
    assert not any("corrected" in metric.name for metric in newer.metrics)


def test_what_an_article_does_not_give_is_not_compared() -> None:
    run = measured(times(0.5), sleep_seconds=0.1)
    (pairing,) = compare([run, load("web-frameworks", ROOT)]).pairings
    names = {metric.name for metric in pairing.metrics}
    assert "requests_per_second" in names
    assert not {"cpu_per_request_us", "server_memory_peak_bytes", "latency_p99_ms"} & names


def test_published_figures_have_ratios_and_no_verdict() -> None:
    document = load("web-frameworks", ROOT)
    (pairing,) = compare([document, document]).pairings
    assert {change.cause for change in pairing.changes} == {Cause.PUBLISHED, Cause.INVALID, Cause.AT_CEILING}
    assert {change.ratio for change in pairing.changes if change.metric.name == "requests_per_second"} == {1.0}
    assert not pairing.lacks_repeats


def test_only_the_want_of_repeats_is_a_want_of_repeats() -> None:
    def lacks(a: Report, b: Report) -> bool:
        return compare([a, b]).pairings[0].lacks_repeats

    assert lacks(measured(SPREAD[:1]), measured(SPREAD))
    assert not lacks(measured(SPREAD[:3]), measured(SPREAD[:3]))
    failed = run_of({"go-2000": [missing("go-2000", "failed", "it died")]})
    assert not lacks(failed, failed)
