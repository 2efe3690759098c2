"""Verdicts on texts: each warning is caused by a text, with its values; a text without the cause does not have it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from benchrig.report.texts import Verdict
from benchrig.results.codes import Code
from benchrig.results.warnings import Number
from tests.support.judged import LINES, SOCKET, a_text, found, invalid, judged, said
from tests.support.reports import OF_TEXTS
from tests.support.texts import WRK, WRK2

NOTHING = {
    "latency": "    Latency     0.00us    0.00us   0.00us    -nan%",
    "rate": "    Req/Sec     0.00      0.00     0.00      -nan%",
    "p": "",
    "total": "  0 requests in 30.01s, 0.00B read",
    "persec": "Requests/sec:      0.00",
    "transfer": "Transfer/sec:       0.00B",
}
PIPELINED = {
    "threads": "  4 threads and 128 connections",
    "latency": "    Latency     2.20ms    3.10ms  61.00ms   88.00%",
    "rate": "    Req/Sec   401.00k    50.00k   600.00k    79.00%",
    "p": "",
    "total": "  48000000 requests in 30.00s, 4.33GB read",
    "persec": "Requests/sec: 1600000.00",
    "transfer": "Transfer/sec:    147.80MB",
}
STALLED = {
    "header": "Running 10s test @ http://192.0.2.7/",
    "threads": "  1 threads and 1 connections",
    "latency": "    Latency     2.40s     2.30s    4.90s    50.00%",
    "rate": "    Req/Sec   800.10     31.00     1.60k    70.00%",
    "p": "  Latency Distribution\n     50%    4.80s \n     75%    4.90s \n     90%    4.90s \n     99%    4.90s ",
    "total": "  7500 requests in 10.00s, 2.58MB read",
    "persec": "Requests/sec:    750.00",
    "transfer": "Transfer/sec:    264.19KB",
}

CAUSES: Mapping[Code, str] = {
    Code.NO_REQUESTS: a_text(**NOTHING),
    Code.STATUS_ERRORS: a_text(status="  Non-2xx or 3xx responses: 3"),
    Code.TIMEOUTS: a_text(errors=SOCKET.format(0, 0, 3)),
    Code.LATENCY_CLIPPED: a_text(latency=LINES["latency"].replace("190.00ms", "  1.99s ")),
    Code.LATE_IMPOSSIBLE: a_text(errors=SOCKET.format(0, 0, 1600)),
    Code.LATENCY_IMPOSSIBLE: a_text(p=LINES["p"].replace("60.00ms", "80.00ms")),
    Code.RATE_IMPOSSIBLE: a_text(total=LINES["total"].replace("60030", "70030")),
    Code.INTERRUPTED: a_text(total="  20003 requests in 10.00s, 3.07MB read"),
    Code.OVERRUN: a_text(total="  70012 requests in 35.00s, 10.74MB read"),
    Code.INCOMPLETE: a_text(threads=""),
    Code.RATE_MISSED: f"$ wrk2 -t4 -c100 -d30s -R9000 http://192.0.2.7\n{a_text()}",
    Code.LOAD_IMPOSSIBLE: a_text(threads="  101 threads and 100 connections"),
    Code.NO_LATENCY: a_text(latency=NOTHING["latency"], p=""),
    Code.CUT_BY_END: a_text(latency="    Latency    50.10ms   90.20ms  15.20s    99.00%", p=""),
    Code.GENERATOR_SATURATED: a_text(
        latency="    Latency     0.70ms    0.20ms   9.00ms   80.00%",
        p="",
        total="  3000000 requests in 30.01s, 9.21MB read",
        threads="  2 threads and 100 connections",
        rate="",
        persec="Requests/sec:  99966.67",
    ),
    Code.UNANSWERED: a_text(
        latency="    Latency   250.10ms    8.20ms 290.00ms   80.00%",
        p="",
        total="  90 requests in 30.01s, 9.21KB read",
        persec="Requests/sec:      3.00",
        transfer="Transfer/sec:     314.26B",
    ),
    Code.LITTLES_LAW: a_text(latency="    Latency    20.10ms    8.20ms 190.00ms   80.00%", p=""),
    Code.PIPELINING_UNKNOWN: a_text(**PIPELINED),
    Code.STALLED: a_text(**STALLED),
    Code.FEWER_CONNECTIONS: a_text(errors=SOCKET.format(2, 0, 0)),
    Code.CONNECTION_ERRORS: a_text(errors=SOCKET.format(0, 9, 0)),
}


def test_a_text_without_a_fault_is_sound() -> None:
    sound = judged(a_text())
    assert (sound.verdict, sound.warnings, sound.unchecked) == (Verdict.SOUND, (), ())


@pytest.mark.parametrize("code", CAUSES, ids=lambda code: code.value)
def test_each_warning_is_caused_by_a_text_and_says_so_in_a_sentence(code: Code) -> None:
    text = said(code, CAUSES[code])
    assert re.fullmatch(r"[A-Zw0-9'].*\.", text)
    assert not set("{}") & set(text)


def test_every_warning_that_only_texts_have_is_caused() -> None:
    assert set(CAUSES) >= OF_TEXTS


@pytest.mark.parametrize(("failed", "spoilt"), [(600, False), (601, True), (60_030, True)])
def test_error_replies_spoil_a_text_from_one_in_a_hundred_on(failed: int, spoilt: bool) -> None:
    text = a_text(status=f"  Non-2xx or 3xx responses: {failed}")
    assert invalid(text) == ({Code.STATUS_ERRORS} if spoilt else set())
    assert said(Code.STATUS_ERRORS, text) == (
        f"{failed:,} of 60,030 replies were errors (status 400 or more); {60_030 - failed:,} were good."
    )


@pytest.mark.parametrize(("late", "spoilt"), [(600, False), (601, True)])
def test_late_replies_spoil_the_latency_from_one_in_a_hundred_on(late: int, spoilt: bool) -> None:
    assert invalid(a_text(errors=SOCKET.format(0, 0, late))) == ({Code.LATENCY_CLIPPED} if spoilt else set())


def test_a_run_without_replies_is_invalid_and_says_nothing_else() -> None:
    assert [*found(a_text(**NOTHING))] == [Code.NO_REQUESTS]
    assert [*found(a_text(**NOTHING, errors=SOCKET.format(0, 57, 0)))] == [Code.NO_REQUESTS, Code.CONNECTION_ERRORS]


def test_replies_that_all_came_too_late_are_invalid() -> None:
    text = a_text(**{**NOTHING, "total": "  735 requests in 30.01s, 1.12MB read", "persec": "Requests/sec:     24.49",
                     "transfer": "Transfer/sec:     38.22KB", "errors": SOCKET.format(0, 0, 735)})  # fmt: skip
    assert Code.LATENCY_CLIPPED in invalid(text)


@pytest.mark.parametrize(
    ("header", "total", "code", "spoilt"),
    [
        ("30s", "59000 requests in 29.50s", None, False),
        ("30s", "58000 requests in 29.00s", Code.INTERRUPTED, False),
        ("30s", "5000 requests in 2.50s", Code.INTERRUPTED, True),
        ("1m", "120000 requests in 1.00m", None, False),
        ("1m", "106000 requests in 0.88m", None, False),
        ("2m", "200000 requests in 1.67m", None, False),
        ("4m", "136800 requests in 1.14m", Code.INTERRUPTED, False),
        ("10s", "22000 requests in 11.00s", None, False),
        ("10s", "25000 requests in 12.50s", Code.OVERRUN, False),
    ],
)
def test_a_run_is_held_against_its_duration_as_far_as_that_is_printed(
    header: str, total: str, code: Code | None, spoilt: bool
) -> None:
    text = a_text(header=f"Running {header} test @ http://192.0.2.7/", total=f"  {total}, 9.21MB read", transfer="")
    assert {*found(text)} & {Code.INTERRUPTED, Code.OVERRUN, Code.RATE_IMPOSSIBLE} == ({code} if code else set())
    assert bool(invalid(text)) == spoilt


# Bounds


@pytest.mark.parametrize(
    ("mean", "stdev", "most", "percentiles", "case"),
    [
        ("50.00ms", "8.00ms", "190.00ms", (49, 54, 60, 79), None),
        ("50.00ms", "8.00ms", "190.00ms", (49, 54, 53.99, 79), None),
        ("50.00ms", "8.00ms", "190.00ms", (49, 54, 53.98, 79), "order"),
        ("50.00ms", "8.00ms", "78.98ms", (49, 54, 60, 79), "order"),
        ("50.00ms", "8.00ms", "49.98ms", (), "order"),
        ("26.73ms", "8.00ms", "190.00ms", (49, 54, 60, 79), None),
        ("26.52ms", "8.00ms", "190.00ms", (49, 54, 60, 79), "below"),
        ("56.01ms", "8.00ms", "190.00ms", (49, 54, 60, 79), None),
        ("56.03ms", "8.00ms", "190.00ms", (49, 54, 60, 79), "above"),
        ("50.00ms", "83.66ms", "190.00ms", (), None),
        ("50.00ms", "83.80ms", "190.00ms", (), "stdev"),
    ],
)
def test_no_latencies_break_these_bounds(
    mean: str, stdev: str, most: str, percentiles: tuple[float, ...], case: str | None
) -> None:
    lines = [f"     {name}%   {value:.2f}ms" for name, value in zip((50, 75, 90, 99), percentiles, strict=False)]
    text = a_text(
        latency=f"    Latency    {mean}    {stdev} {most}   80.00%",
        p="\n".join(["  Latency Distribution", *lines]) if lines else "",
    )
    impossible = found(text).get(Code.LATENCY_IMPOSSIBLE)
    assert (impossible.values["case"] if impossible else None) == case
    assert not impossible or impossible.invalid


def test_values_at_the_edge_of_a_printed_unit_are_no_contradiction() -> None:
    text = a_text(
        latency="    Latency   847.00us   10.00us   0.85ms   80.00%",
        p="  Latency Distribution\n     50%  850.00us\n     75%  850.00us\n     90%  850.00us\n     99%    0.85ms",
    )
    assert Code.LATENCY_IMPOSSIBLE not in found(text)


def test_the_three_digits_of_a_histogram_are_no_contradiction() -> None:
    assert found(WRK2) == {}
    assert Code.LATENCY_IMPOSSIBLE in found(WRK2.replace("100.000%   14.23ms", "100.000%   14.43ms"))


# Little's law


def test_littles_law_says_nothing_of_a_constant_rate() -> None:
    sound = judged(WRK2)
    assert sound.verdict is Verdict.SOUND
    assert [(one.check, one.reason) for one in sound.unchecked] == [("littles_law", "requests were sent at a constant rate")]


def test_a_text_that_may_be_pipelined_is_neither_accused_nor_sound() -> None:
    unknown = judged(a_text(**PIPELINED))
    assert (unknown.verdict, [one.code for one in unknown.warnings]) == (Verdict.DOUBTFUL, [Code.PIPELINING_UNKNOWN])
    assert [one.reason for one in unknown.unchecked] == ["the depth of pipelining is not known"]


@pytest.mark.parametrize(("depth", "codes"), [(16, []), (32, []), (4, [Code.LITTLES_LAW])])
def test_with_the_depth_of_pipelining_the_law_is_checked(depth: int, codes: list[Code]) -> None:
    assert [*found(a_text(**PIPELINED), depth)] == codes


def test_the_depth_may_stand_in_the_command_line() -> None:
    text = f"$ wrk -t4 -c128 -d30s -s pipeline.lua http://192.0.2.7 -- 16\n{a_text(**PIPELINED)}"
    assert judged(text).verdict is Verdict.SOUND
    without = f"$ wrk -t4 -c128 -d30s http://192.0.2.7\n{a_text(**PIPELINED)}"
    assert Code.LITTLES_LAW in found(without)


def test_pipelining_does_not_explain_a_mean_that_a_few_slow_replies_made() -> None:
    text = a_text(latency="    Latency   250.00ms  800.00ms   1.80s    92.00%", p="", transfer="")
    assert found(text)[Code.LITTLES_LAW].values["case"] == "overstated"
    quick = a_text(latency="    Latency    99.00ms   90.00ms   1.80s    92.00%", p=LINES["p"].replace("79.00ms", "  1.50s "))
    assert Code.PIPELINING_UNKNOWN not in found(quick)


def test_a_server_that_stood_still_is_told() -> None:
    assert said(Code.STALLED, a_text(**STALLED)).startswith("The slowest reply took 4.90s: 49 % of the run")
    assert Code.STALLED not in found(a_text())


def test_the_law_is_asked_of_the_connections_that_were_there() -> None:
    half = a_text(latency="    Latency    25.10ms    8.20ms 190.00ms   80.00%", p="")
    assert Code.LITTLES_LAW in found(half)
    text = half.replace("Requests/sec", f"{SOCKET.format(50, 0, 0)}\nRequests/sec")
    assert [*found(text)] == [Code.FEWER_CONNECTIONS]
    # Of 100 connections, 12 threads open 96.
    of_twelve = {"threads": "  12 threads and 100 connections", "rate": LINES["rate"].replace("500.10", "167.10")}
    assert found(a_text(**of_twelve)) == {}
    assert said(Code.FEWER_CONNECTIONS, a_text(threads="  60 threads and 100 connections", p="", rate="")).startswith(
        "The load generator opens 60 connections in place of 100"
    )


def test_a_server_that_closes_its_connections_is_told() -> None:
    assert said(Code.CONNECTION_ERRORS, a_text(errors=SOCKET.format(0, 3_000, 0))).startswith(
        "3,000 connections broke while reading, 5 % of the requests: the server closes connections"
    )


# Timeouts


def test_a_timeout_that_the_text_does_not_give_is_the_default_unless_a_reply_took_longer() -> None:
    assert found(WRK)[Code.TIMEOUTS].values["timeout"] == Number(2.0, 2.0, "seconds")
    longer = found(WRK.replace("1.61s", "4.61s"))
    assert longer[Code.TIMEOUTS].values["case"] == longer[Code.LATENCY_CLIPPED].values["case"] == "unknown"
    told = found(f"$ wrk --timeout 5s http://192.0.2.7\n{WRK.replace('1.61s', '4.96s')}")
    assert told[Code.TIMEOUTS].values["timeout"] == Number(5.0, 5.0, "seconds")


def test_late_replies_at_a_constant_rate_are_not_left_out() -> None:
    text = WRK2.replace("Requests/sec", "  Socket errors: connect 0, read 0, write 0, timeout 90\nRequests/sec")
    assert [*found(text)] == [Code.TIMEOUTS]
    assert "looks at regular times" in said(Code.TIMEOUTS, text)


# What is missing


@pytest.mark.parametrize(
    ("line", "name"),
    [("threads", "connections"), ("latency", "Latency"), ("rate", "Req/Sec"), ("total", "requests and duration"),
     ("persec", "Requests/sec"), ("transfer", "Transfer/sec")],
)  # fmt: skip
def test_a_line_that_is_missing_is_told(line: str, name: str) -> None:
    text = a_text(**{line: ""})
    assert said(Code.INCOMPLETE, text) == f"The text lacks {name}. What rests on that was not checked."
    assert judged(text).verdict is not Verdict.SOUND


def test_a_text_that_ends_before_its_figures_is_unreadable() -> None:
    early = a_text(columns="", latency="", rate="", p="", total="", persec="", transfer="")
    assert judged(early).verdict is Verdict.UNREADABLE
