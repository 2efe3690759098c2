"""One fact is told by one warning: those that another explains are left out, unless they make more values invalid."""

from __future__ import annotations

import pytest

from benchrig.results.audit.explained import EXPLAINS, without_explained
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning


def a_warning(code: Code, case: str = "", *, invalid: bool = False) -> Warning:
    return Warning(code, values={"case": case} if case else {}, invalid=invalid)


SATURATED = a_warning(Code.GENERATOR_SATURATED, "threads", invalid=True)
TOO_HIGH = a_warning(Code.LITTLES_LAW, "overstated")
NOT_KEPT = a_warning(Code.NO_KEEP_ALIVE, "some")
LAW = a_warning(Code.LITTLES_LAW, "understated")


@pytest.mark.parametrize(
    ("warnings", "left"),
    [
        ([a_warning(Code.UNANSWERED), a_warning(Code.DEAD_CONNECTIONS, "unanswered")], [Code.DEAD_CONNECTIONS]),
        ([a_warning(Code.UNANSWERED), LAW], [Code.UNANSWERED]),
        ([a_warning(Code.CUT_BY_END, "slow"), LAW], [Code.CUT_BY_END]),
        ([a_warning(Code.CONNECTION_ERRORS, "closed"), NOT_KEPT], [Code.NO_KEEP_ALIVE]),
        ([a_warning(Code.CONNECTION_ERRORS, "read"), NOT_KEPT], [Code.NO_KEEP_ALIVE]),
        ([TOO_HIGH, a_warning(Code.STALLED, "slowest")], [Code.STALLED]),
        (
            [SATURATED, a_warning(Code.NO_IDLE_CPU)],
            [Code.GENERATOR_SATURATED],
        ),
        ([a_warning(Code.STALLED, "bursts"), a_warning(Code.SILENT)], [Code.SILENT]),
        # Each of these says something of its own.
        ([LAW], [Code.LITTLES_LAW]),
        ([a_warning(Code.SILENT), a_warning(Code.WRONG_AFTER)], [Code.SILENT, Code.WRONG_AFTER]),
        (
            [a_warning(Code.CONNECTION_ERRORS, "write"), NOT_KEPT],
            [Code.CONNECTION_ERRORS, Code.NO_KEEP_ALIVE],
        ),
        (
            [a_warning(Code.CUT_BY_END, "slow"), TOO_HIGH],
            [Code.CUT_BY_END, Code.LITTLES_LAW],
        ),
    ],
)
def test_what_another_warning_explains_is_left_out(warnings: list[Warning], left: list[Code]) -> None:
    for order in (1, -1):
        assert [one.code for one in without_explained(warnings[::order])] == left[::order]


def test_a_warning_that_makes_more_values_invalid_stays() -> None:
    law = a_warning(Code.LITTLES_LAW, "understated", invalid=True)
    doubt, invalid = a_warning(Code.UNANSWERED), a_warning(Code.UNANSWERED, invalid=True)
    assert without_explained([doubt, law]) == (doubt, law)
    assert without_explained([invalid, law]) == (invalid,)


def test_each_case_of_the_table_is_one_that_its_code_has() -> None:
    for code, case in {*EXPLAINS, *(which for consequences in EXPLAINS.values() for which in consequences)}:
        assert case in code.sentences


def test_warnings_are_called_what_they_are_and_keep_their_codes() -> None:
    called = {code.value: code.label for code in Code}
    assert {code: called[code] for code in ("littles_law", "cut_by_end", "no_idle_cpu", "latency_clipped")} == {
        "littles_law": "Little's law",
        "cut_by_end": "load too short",
        "no_idle_cpu": "no idle CPU",
        "latency_clipped": "latency clipped",
    }
    assert len(set(called.values())) == len(called)
