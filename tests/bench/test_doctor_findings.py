"""What the doctor finds about the plan of a run, and how findings are counted and shortened."""

from __future__ import annotations

from dataclasses import replace

from benchrig.bench.app import read_apps
from benchrig.bench.doctor.checks import of_plan
from benchrig.bench.doctor.findings import Code, Finding, Severity, failure, few
from benchrig.bench.suite import BenchRequest, plan
from tests.support import ROOT

PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("go-2000",)))


def test_a_timeout_that_is_not_below_the_duration_is_found() -> None:
    assert [*of_plan(PLAN)] == []
    for timeout, duration in ((9.0, 5.0), (5.0, 5.0)):
        (finding,) = of_plan(replace(PLAN, timeout_seconds=timeout, duration_seconds=duration))
        assert (finding.code, finding.severity) == (Code.TIMEOUT, Severity.SPOILS)
        assert f"a timeout of {timeout:g} s and a duration of 5 s: no reply can be counted as late." in finding.sentence
        assert "configs/suites/web-frameworks.yml" in finding.mend()
    # The load generator's own timeout counts where the profile has none.
    assert [*of_plan(replace(PLAN, timeout_seconds=None, duration_seconds=1.0))]


def test_of_many_names_the_first_are_told_and_how_many_more() -> None:
    assert few(["a", "b", "c", "d", "e"]) == "a, b, c, d, e"
    assert few(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more"


def test_the_error_counts_what_stops_and_what_spoils() -> None:
    stops, spoils, note = (Finding(code, "web1") for code in (Code.IN_USE, Code.BUSY, Code.SMT))
    assert failure([note]) is None
    assert str(failure([stops, note])) == "not fit for a run: 1 finding stops it"
    assert str(failure([stops, spoils, spoils])) == "not fit for a run: 1 finding stops it, 2 findings spoil it"
