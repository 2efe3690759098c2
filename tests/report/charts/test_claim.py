"""The small chart of a claim: published and measured values on one axis for each unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.charts.claim import claim_chart
from benchrig.report.verdict import Quantity, Verdict
from tests.support.charted import HOSTILE, LONG
from tests.support.drawings import faults, read
from tests.support.reports import VERDICTS


def quantity(name: str, value: float | None, low: float | None = None, high: float | None = None) -> Quantity:
    return Quantity(name, f"{value} units", value, low, high)


def claim(published: tuple[Quantity, ...], measured: tuple[Quantity, ...] = ()) -> Verdict:
    return replace(VERDICTS[0], published=published, measured=measured)


def test_a_figure_has_its_tick_its_value_and_its_interval() -> None:
    found = claim_chart(
        claim((quantity("throughput(go)", 20_000.0),), (quantity("throughput(go)", 10_000.0, 5_000.0, 15_000.0),))
    )
    assert found
    assert faults(found) == []
    drawing = read(found.wide)
    (tick,), (dot,) = drawing.of("published"), drawing.of("median")
    low, high = drawing.of("cap")
    assert low.x < dot.x < high.x < tick.x
    assert dot.x - low.x == pytest.approx(high.x - dot.x, abs=0.3)
    assert (drawing.width, drawing.height < 70) == (320, True)
    assert "go" in drawing.texts
    assert "requests/s" in drawing.texts
    assert found.rows == (("throughput(go)", "20000.0 units", "10000.0 units"),)


def test_figures_of_a_unit_share_an_axis_and_others_have_their_own() -> None:
    figures = tuple(
        quantity(name, value)
        for name, value in (("throughput(go)", 100.0), ("throughput(sanic)", 50.0), ("latency_p99(go)", 7.0))
    )
    found = claim_chart(claim(figures, figures))
    assert found
    assert faults(found) == []
    drawing = read(found.wide)
    assert len(drawing.of("axis")) == 2
    assert "p99, ms" in drawing.texts
    first, second, _ = drawing.of("published")
    assert second.x < first.x


def test_latencies_of_several_kinds_are_named_in_full() -> None:
    figures = (quantity("latency_p99(go)", 7.0), quantity("latency_p50(go)", 3.0))
    found = claim_chart(claim(figures, figures))
    assert found
    assert {"latency_p99(go)", "latency_p50(go)", "ms"} <= set(read(found.wide).texts)


@pytest.mark.parametrize(
    "figures",
    [(), (quantity("throughput(go)", None),), (quantity("has_timeouts(go)", 1.0),), (quantity("nothing(go)", 1.0),)],
    ids=["none", "no value", "truth", "unknown"],
)
def test_what_has_no_value_has_no_chart(figures: tuple[Quantity, ...]) -> None:
    assert claim_chart(claim(figures, figures)) is None


def test_what_was_only_published_has_no_chart() -> None:
    assert claim_chart(claim((quantity("throughput(go)", 5.0),))) is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("throughput(go-2000) / throughput(sanic)", "throughput: go-2000 / sanic"),
        ("60 * max(throughput(flask-*))", "throughput: 60 * max(flask-*)"),
        ("throughput(go) * latency_p99(go)", "throughput(go) * latency_p99(go)"),
    ],
)
def test_what_is_computed_from_figures_has_an_axis_of_its_own(name: str, title: str) -> None:
    figures = (quantity(name, 7.0), quantity("throughput(go)", 19_000.0))
    found = claim_chart(claim(figures, figures))
    assert found
    assert faults(found) == []
    drawing = read(found.wide)
    assert title in drawing.texts
    assert len(drawing.of("axis")) == 2


def test_counts_of_different_things_share_no_axis() -> None:
    figures = (quantity("timeouts(go)", 7.0), quantity("requests(go)", 96_000.0))
    found = claim_chart(claim(figures, figures))
    assert found
    assert len(read(found.wide).of("axis")) == 2


def test_many_figures_make_no_small_chart() -> None:
    figures = tuple(quantity(f"throughput(row-{n})", 5.0) for n in range(7))
    assert claim_chart(claim(figures, figures)) is None


@pytest.mark.parametrize("name", [LONG, HOSTILE, "延迟" * 30])
@pytest.mark.parametrize("value", [0.0, 0.1, 19_643.94, 1e9])
def test_names_and_values_stay_within_it(name: str, value: float) -> None:
    figures = (quantity(f"throughput({name})", value), quantity("throughput(x)", 1.0))
    found = claim_chart(claim(figures, (quantity(f"throughput({name})", value, value, value * 2),)))
    assert found
    assert faults(found) == []
