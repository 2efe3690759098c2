"""About how many requests per second a row answers while it is measured, and what is said of its load meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from benchrig.agent.bench.protocol import News, Sent
from benchrig.bench.host import Host
from benchrig.bench.meter import Loaded, Meter, WarmUp, noticed, per_reply_of
from benchrig.bench.traffic import Traffic
from benchrig.results.model import Series
from tests.support.cell import OUTPUT, PLAN, REVIEW, ROW
from tests.support.reports import SERVER, a_cell, a_load

WRK = PLAN.generator
QUIET = News(1.0, 0, 0, 0, 0, idle_percent=50.0, steal_percent=0.0)
REPLIES = 3427
"""Of the warm-up in OUTPUT."""


class Telling(Host):
    """A host whose agent tells news."""

    told: tuple[float, News] | None = None

    def tell(self, news: News) -> None:
        self.told = time.monotonic(), news

    def news(self) -> tuple[float, News] | None:
        return self.told


def warm_up(requests: int = REPLIES) -> WarmUp:
    stdout = OUTPUT.stdout.replace(f'"requests": {REPLIES}', f'"requests": {requests}')
    assert requests == REPLIES or stdout != OUTPUT.stdout
    return WarmUp(Sent(1_000, 10), replace(OUTPUT, stdout=stdout))


def calibrated(segments: int, opened: int = 0, both_ends: bool = False, traffic: Traffic = ROW.traffic) -> float | None:
    meter = Meter()
    meter.calibrate(warm_up(), Sent(1_000 + segments, 10 + opened), WRK, traffic, both_ends=both_ends)
    return meter.per_reply


def test_a_warm_up_tells_how_many_segments_a_reply_takes() -> None:
    assert calibrated(3 * REPLIES) == 3.0
    assert calibrated(2 * REPLIES + 4, opened=4, both_ends=True) == 2.0
    assert calibrated(0) is None


def few(replies: int, segments: int, traffic: Traffic = ROW.traffic) -> float | None:
    """Return what a warm-up of few replies tells."""

    class Few:
        @staticmethod
        def read_load(_: str) -> object:
            return a_load(replies)

    meter = Meter()
    meter.calibrate(warm_up(), Sent(1_000 + segments, 10), Few(), traffic, both_ends=False)  # type: ignore[arg-type]
    return meter.per_reply


def test_with_few_replies_what_else_is_sent_is_rounded_away_and_with_fewer_nothing_is_known() -> None:
    assert few(40, 2 * 40 + 12) == 2.0
    assert few(40, 15) == 1.0
    assert few(10, 20) is None
    mixed = Traffic(ROW.traffic.routes + REVIEW.traffic.routes, (1, 3))
    assert few(40, 80, mixed) is None


def test_a_warm_up_that_cannot_be_read_tells_nothing() -> None:
    meter = Meter()
    meter.calibrate(WarmUp(Sent(0, 0), replace(OUTPUT, stdout="")), Sent(9, 9), WRK, ROW.traffic, both_ends=False)
    assert meter.per_reply is None


def test_an_earlier_repeat_tells_it_better_than_a_warm_up() -> None:
    meter = Meter(per_reply=2.5)
    meter.calibrate(warm_up(), Sent(9_000, 10), WRK, ROW.traffic, both_ends=False)
    assert meter.per_reply == 2.5


def test_a_measured_cell_tells_how_many_segments_a_reply_took() -> None:
    series = Series((0.1, 0.2), (100_000, 92_200), (200, 0), (0.0, 0.0), (1, 1))
    cell = a_cell(load=a_load(96_000), server=replace(SERVER, series=series), load_on_server=True)
    assert per_reply_of(cell) == 2.0
    assert per_reply_of(replace(cell, load_on_server=False)) == pytest.approx(192_200 / 96_000)
    assert per_reply_of(replace(cell, status="failed")) is None
    assert per_reply_of(replace(cell, server=None)) is None
    assert per_reply_of(replace(cell, server=SERVER)) is None


def test_the_rate_is_that_between_two_news() -> None:
    host, meter = Telling(), Meter(per_reply=2.0)
    with meter.reading(Loaded(host, both_ends=False, shares_cpus=False)):
        meter.look()
        assert meter.rate is None
        host.tell(replace(QUIET, segments=20_000))
        meter.look()
        assert meter.rate == 10_000
        meter.look()
        assert meter.rate == 10_000
        host.tell(replace(QUIET, seconds=3.0, segments=24_000))
        meter.look()
        assert meter.rate == 1_000
    assert meter.rate is None


def test_the_first_requests_of_all_connections_are_not_taken_for_replies() -> None:
    host, meter = Telling(), Meter(per_reply=2.0)
    with meter.reading(Loaded(host, both_ends=True, shares_cpus=True)):
        host.tell(replace(QUIET, segments=20_000, opened=20_000))
        meter.look()
        assert meter.rate == 0


def test_where_the_ratio_is_not_known_there_is_no_figure() -> None:
    host, meter = Telling(), Meter()
    with meter.reading(Loaded(host, both_ends=False, shares_cpus=False)):
        host.tell(replace(QUIET, segments=20_000, listen_overflows=3))
        meter.look()
        assert meter.rate is None
        assert [noticed(notice) for notice in meter.notices] == ["listen backlog overflows: 3"]


def test_news_of_the_load_before_and_old_ones_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    host, meter = Telling(), Meter(per_reply=1.0)
    host.tell(replace(QUIET, segments=20_000))
    with meter.reading(Loaded(host, both_ends=False, shares_cpus=False)):
        meter.look()
        assert meter.rate is None
        host.tell(replace(QUIET, segments=500))
        meter.look()
        assert meter.rate == 500
        later = time.monotonic() + 10
        monkeypatch.setattr(time, "monotonic", lambda: later)
        meter.look()
        assert meter.rate is None


@pytest.mark.parametrize(
    "lie", [{"segments": -1}, {"seconds": float("inf")}, {"seconds": float("nan")}, {"idle_percent": 1e300}]
)
def test_what_no_machine_can_have_counted_is_not_believed(lie: dict[str, float]) -> None:
    host, meter = Telling(), Meter(per_reply=1.0)
    with meter.reading(Loaded(host, both_ends=False, shares_cpus=True)):
        host.tell(replace(QUIET, **lie))  # type: ignore[arg-type]
        meter.look()
    assert (meter.rate, meter.notices) == (None, ())


@pytest.mark.parametrize(
    ("news", "shares_cpus", "texts"),
    [
        ({"retransmits": 2}, False, ["retransmits: 2"]),
        ({"steal_percent": 12.0, "seconds": 3.0}, False, ["steal: 12.0 % of the CPU time"]),
        ({"steal_percent": 12.0}, False, []),
        ({"idle_percent": 0.5, "seconds": 3.0}, True, ["idle: 0.5 % of the CPU time"]),
        ({"idle_percent": 0.5, "seconds": 3.0}, False, []),
    ],
)
def test_what_would_spoil_the_figures_is_told_as_it_is_seen(
    news: dict[str, float], shares_cpus: bool, texts: list[str]
) -> None:
    host, meter = Telling(), Meter()
    with meter.reading(Loaded(host, both_ends=True, shares_cpus=shares_cpus)):
        host.tell(replace(QUIET, **news))  # type: ignore[arg-type]
        meter.look()
    assert [noticed(notice) for notice in meter.notices] == texts


def test_a_service_that_is_not_ours_has_no_figures() -> None:
    meter = Meter(per_reply=1.0)
    with meter.reading(None):
        meter.look()
    assert (meter.rate, meter.notices) == (None, ())
