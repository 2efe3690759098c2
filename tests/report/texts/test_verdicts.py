"""Verdicts on texts that were cut, that no run can have printed, or whose figures have more than one cause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchrig.bench.generators.base import CommandLine
from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.printed import find_printed
from benchrig.report.sentences import sentence
from benchrig.report.texts import Judged, Verdict, judge
from benchrig.results.codes import Code
from tests.support.judged import LINES, SOCKET, a_text, found, invalid, judged, said
from tests.support.texts import WRK2

# What is missing


def test_latencies_alone_are_incomplete_and_held_against_their_bounds() -> None:
    alone = {"header": "", "threads": "", "total": "", "persec": "", "transfer": ""}
    assert [*found(a_text(**alone))] == [Code.INCOMPLETE]
    assert judged(a_text(**alone)).verdict is Verdict.DOUBTFUL
    assert invalid(a_text(**{**alone, "p": LINES["p"].replace("60.00ms", "80.00ms")})) == {Code.LATENCY_IMPOSSIBLE}
    # Nothing says how many replies were late.
    clipped = found(a_text(**{**alone, "latency": LINES["latency"].replace("190.00ms", "  1.99s ")}))[Code.LATENCY_CLIPPED]
    assert not clipped.invalid


def test_a_table_beside_a_text_spoils_nothing() -> None:
    table = "| Stats | Avg | Stdev | Max |\n|---|---|---|---|\n| Latency | 50.10ms | 8.20ms | 190.00ms |\n\n"
    pasted = find_printed(f"{table}{a_text()}")
    assert [judge(one, DEFAULT).verdict for one in pasted if not one.refused][-1] is Verdict.SOUND
    assert Verdict.UNREADABLE not in {judge(one, DEFAULT).verdict for one in pasted}


def test_counts_without_a_number_of_requests_are_told_without_a_share() -> None:
    text = a_text(header="", total="", errors=SOCKET.format(0, 0, 9), status="  Non-2xx or 3xx responses: 7")
    assert said(Code.TIMEOUTS, text) == "9 replies came after the timeout. How many there were is not known."
    assert said(Code.STATUS_ERRORS, text).startswith("7 replies were errors (status 400 or more). How many")
    assert invalid(text) == set()


# What was cut from a text is not what it says


def test_a_text_without_its_rate_has_the_one_that_its_requests_make() -> None:
    assert [*found(a_text(persec="", transfer=""))] == [Code.INCOMPLETE]
    half = a_text(persec="", transfer="", latency="    Latency    20.10ms    8.20ms 190.00ms   80.00%", p="")
    assert {*found(half)} == {Code.INCOMPLETE, Code.LITTLES_LAW}


# Rates of few requests


@pytest.mark.parametrize(
    ("total", "rate", "told"),
    [
        ("3 requests in 20.07s", "0.15", ""),
        ("2 requests in 16.20s", "0.12", ""),
        ("9 requests in 20.01s", "0.33", "requests and duration make 0.45 requests/s, not 0.33 requests/s."),
        ("700 requests in 20.01s", "34.10", "requests and duration make 35 requests/s, not 34.1 requests/s."),
    ],
)
def test_a_rate_is_held_against_its_requests_within_the_digits_of_both(total: str, rate: str, told: str) -> None:
    text = a_text(
        threads="  1 threads and 1 connections",
        latency="    Latency     4.10s     1.10s    6.10s    60.00%",
        p="",
        header="Running 20s test @ http://192.0.2.7/",
        total=f"  {total}, 1.10KB read",
        persec=f"Requests/sec:      {rate}",
        transfer="",
    )
    impossible = found(text).get(Code.RATE_IMPOSSIBLE)
    assert (sentence(impossible).removeprefix("The figures contradict each other: ") if impossible else "") == told


# Loads and durations that there cannot be


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({"threads": "  0 threads and 0 connections"}, Code.LOAD_IMPOSSIBLE, "0 threads for 0 connections"),
        ({"threads": "  300 threads and 100 connections"}, Code.LOAD_IMPOSSIBLE, "300 threads for 100 connections"),
        ({"total": "  60030 requests in 0.00us, 9.21MB read"}, Code.RATE_IMPOSSIBLE, "60,030 requests took no time"),
        (
            {"total": "  60030 requests in 307445734561.83m, 9.21MB read", "persec": "Requests/sec:      0.00"},
            Code.RATE_IMPOSSIBLE,
            "60,030 requests in 1.845e+13 s. The clock",
        ),
    ],
)
def test_a_load_that_cannot_be_is_invalid(changes: Mapping[str, str], code: Code, told: str) -> None:
    text = a_text(**{"transfer": "", **changes})
    assert told in said(code, text)
    assert code in invalid(text)
    assert not {Code.OVERRUN, Code.INTERRUPTED} & {*found(text)}


# The end of the run, and times without replies


def test_replies_that_the_end_of_the_run_cut_off_are_told_by_the_slowest() -> None:
    cut = a_text(latency="    Latency    50.10ms   90.20ms  16.20s    99.00%", p="")
    called = f"$ wrk -t4 -c100 -d30s --timeout {{}} http://192.0.2.7\n{cut}"
    assert "none can be counted as late by the timeout of 40 s" in said(Code.CUT_BY_END, called.format("40s"))
    assert "missing from latency and counts" in said(Code.CUT_BY_END, called.format("20s"))
    assert Code.CUT_BY_END not in found(called.format("20s").replace("16.20s", "14.20s"))


@pytest.mark.parametrize(
    ("latency", "rate", "told"),
    [
        ("50.10ms    8.20ms 190.00ms", "500.10", False),
        ("50.10ms    8.20ms 190.00ms", "  1.20k", True),
        # All connections wait in step: a sample has all replies or none.
        (" 2.00s     3.10ms   2.01s ", "200.00", False),
        (" 2.00s   900.00ms   4.10s ", "200.00", True),
        # By chance, some samples of a few replies have none.
        (" 2.00s   900.00ms   4.10s ", " 20.00", False),
    ],
)
def test_a_server_that_answers_in_bursts_is_told_by_the_rate_of_the_threads(latency: str, rate: str, told: bool) -> None:
    few = {"total": "  1500 requests in 30.01s, 9.21KB read", "persec": "Requests/sec:     49.98"}
    text = a_text(
        latency=f"    Latency   {latency}   80.00%",
        rate=f"    Req/Sec   {rate}     31.00   600.00     70.00%",
        p="",
        transfer="",
        **(few if latency.startswith(" 2.00s") else {}),
    )
    stall = found(text).get(Code.STALLED)
    assert (stall is not None and stall.values["case"] == "bursts") == told


def test_a_mean_that_leaves_out_stalls_is_invalid() -> None:
    quick = {"latency": "    Latency     9.10ms    2.20ms  90.00ms   80.00%", "p": ""}
    assert invalid(a_text(**quick)) == set()
    assert invalid(a_text(**quick, rate="    Req/Sec     2.70k    431.00     3.60k    70.00%")) == {Code.LITTLES_LAW}


# What else takes a connection's time than latency


def test_a_low_mean_alone_names_both_causes_and_spoils_no_text() -> None:
    low = a_text(latency="    Latency     9.10ms    2.20ms  90.00ms   80.00%", p="")
    assert found(low)[Code.LITTLES_LAW].values["case"] == "unexplained"
    assert "the server closes its connections" in said(Code.LITTLES_LAW, low)
    late = low.replace("Requests/sec", f"{SOCKET.format(0, 0, 90)}\nRequests/sec")
    assert invalid(late) == {Code.LITTLES_LAW}


def test_a_load_that_asks_the_server_to_close_is_not_held_against_the_law() -> None:
    low = a_text(latency="    Latency     9.10ms    2.20ms  90.00ms   80.00%", p="")
    closing = judged(f"$ wrk -t4 -c100 -d30s -H 'connection: Close' http://192.0.2.7\n{low}")
    assert closing.verdict is Verdict.SOUND
    assert [one.reason for one in closing.unchecked] == ["the server was asked to close its connections"]


@pytest.mark.parametrize(
    ("mean", "code"), [("2.90ms", None), ("2.10ms", Code.GENERATOR_SATURATED), ("1.10ms", Code.LITTLES_LAW)]
)
def test_the_own_work_of_a_load_generator_near_its_limit_takes_time_too(mean: str, code: Code | None) -> None:
    text = a_text(
        threads="  2 threads and 320 connections",
        latency=f"    Latency     {mean}    1.10ms  20.00ms   80.00%",
        rate="    Req/Sec    50.10k     3.10k    60.00k    70.00%",
        p="",
        total="  3001000 requests in 30.01s, 460.10MB read",
        persec="Requests/sec: 100000.00",
        transfer="Transfer/sec:     15.34MB",
    )
    assert [*found(text)] == ([code] if code else [])
    assert invalid(text) == set()


@pytest.mark.parametrize(("failed", "code"), [(40, Code.FEWER_CONNECTIONS), (70, Code.CONNECTION_ERRORS)])
def test_failures_to_connect_that_the_other_connections_cannot_make_up_for_are_repeated_attempts(
    failed: int, code: Code
) -> None:
    mean = "50.10ms" if code is Code.CONNECTION_ERRORS else "30.10ms"
    text = a_text(latency=f"    Latency    {mean}    8.20ms 190.00ms   80.00%", p="", errors=SOCKET.format(failed, 0, 0))
    assert [*found(text)] == [code]
    assert code is Code.FEWER_CONNECTIONS or said(code, text).startswith("70 attempts to connect failed and were repeated")


@pytest.mark.parametrize(
    "changes",
    [
        {"errors": SOCKET.format(0, 0, 1)},
        {"latency": "    Latency    80.10ms   95.20ms  1.70s    92.00%"},
        {"latency": "    Latency    66.10ms   65.20ms 400.00ms   92.00%"},
    ],
)
def test_no_ordinary_run_is_said_to_be_pipelined(changes: Mapping[str, str]) -> None:
    text = a_text(**{"latency": "    Latency    95.10ms   90.20ms 400.00ms   92.00%", "p": "", **changes})
    assert Code.PIPELINING_UNKNOWN not in found(text)
    assert found(text)[Code.LITTLES_LAW].values["case"] == "overstated"


# A constant rate


def constant(rate: float, mean: str, asked: float | None, total: str = "", threads: int = 4) -> Judged:
    text = a_text(
        threads=f"  {threads} threads and 400 connections",
        latency=f"    Latency    {mean}     2.10s    11.20s    58.00%",
        p="",
        total=total or f"  {rate * 30:.0f} requests in 30.00s, 9.21MB read",
        persec=f"Requests/sec:   {rate:.2f}",
        transfer="",
    )
    (pasted,) = find_printed(text)
    command = CommandLine(requests_per_second=asked)
    return judge(replace(pasted, printed=replace(pasted.printed, command=command, open_loop=True)), DEFAULT)


@pytest.mark.parametrize(
    ("rate", "mean", "asked", "case"),
    [
        (2990.0, "3.10ms", 3000.0, None),
        # A thread makes its 100 connections in half a second.
        (2880.0, "3.10ms", 3000.0, None),
        (2500.0, "3.10ms", 3000.0, ""),
        (2000.0, "5.60s ", 3000.0, "queue"),
        (2000.0, "9.20s ", None, None),
        (2000.0, "10.60s", None, "unknown"),
    ],
)
def test_a_rate_that_was_not_reached_makes_a_latency_of_the_queue(
    rate: float, mean: str, asked: float | None, case: str | None
) -> None:
    warnings = {one.code: one for one in constant(rate, mean, asked).warnings}
    missed = warnings.get(Code.RATE_MISSED)
    assert (missed.values.get("case", "") if missed else None) == case
    assert (missed.invalid if missed else False) == (case in {"queue", "unknown"})
    assert not missed or sentence(missed)


@pytest.mark.parametrize(("threads", "told"), [(100, False), (4, True)])
def test_the_clock_of_a_constant_rate_starts_after_its_threads(threads: int, told: bool) -> None:
    warnings = constant(3000.0, "3.10ms", 3000.0, "  87300 requests in 29.10s, 9.21MB read", threads).warnings
    assert (Code.INTERRUPTED in {one.code for one in warnings}) == told


def test_a_text_with_zeros_for_latencies_has_none() -> None:
    zeros = WRK2.replace("Uncorrected", "uncorrected")
    zeros = re.sub(r"(?m)^( *[\d.]+%) +[\d.]+ms$", r"\1    0.00us", zeros[: zeros.index("\n  Detailed")])
    zeros = zeros.replace("3.05ms    1.10ms  14.22ms", "0.00us    0.00us   0.00us")
    text = f"{zeros}\n  30002 requests in 30.00s, 8.11MB read\nRequests/sec:   1000.05\nTransfer/sec:    276.80KB\n"
    empty = judged(text)
    assert [(one.code, one.invalid) for one in empty.warnings] == [(Code.NO_LATENCY, True)]
    assert not empty.pasted.printed.percentiles_us
