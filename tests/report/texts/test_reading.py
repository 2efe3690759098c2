"""Texts of wrk and wrk2 in every shape: each figure is read, by the names of columns, or its line is named."""

from __future__ import annotations

from typing import Any

import pytest

from benchrig.bench.generators.base import Pasted, Printed
from benchrig.bench.generators.wrk.printed import find_printed
from benchrig.report.texts.lines import figures
from benchrig.report.texts.source import decoded
from benchrig.results.model import LoadErrors
from tests.support.texts import FIGURES, SHAPES, WRK, WRK2


def only(text: str) -> Pasted:
    (found,) = find_printed(text)
    return found


def printed(text: str) -> Printed:
    return only(text).printed


def said(text: str) -> dict[str, Any]:
    return figures(printed(text))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_same_figures(shape: str) -> None:
    found = only(SHAPES[shape])
    assert {name: value for name, value in figures(found.printed).items() if name in FIGURES} == pytest.approx(FIGURES)
    assert (found.unread, found.refused) == ((), "")


@pytest.mark.parametrize("shape", ["as it is", "Markdown quotation", "HTML pre", "docker compose", "ANSI colours"])
def test_several_texts_in_a_file_are_several(shape: str) -> None:
    found = find_printed(f"{SHAPES[shape]}\nbetween them\n\n{SHAPES[shape]}{SHAPES['as it is']}")
    assert [one.printed.requests for one in found] == [2500, 2500, 2500]
    assert [one.refused for one in found] == ["", "", ""]


def test_a_text_has_its_place_in_the_file() -> None:
    found = only(f"one\ntwo\r\nthree<br>still three\n{WRK}")
    assert (found.first_line, found.last_line) == (4, 4 + WRK.count("\n") - 1)


@pytest.mark.parametrize(
    ("line", "said_of_it"),
    [
        ("     99%    1.52x\n", "99%    1.52x"),
        ("     99%    1.52\n", "99%    1.52"),
        ("     -1%    1.52s\n", "-1%    1.52s"),
        ("     200%    1.52s\n", "'200%' is no percentile"),
        ("     75%    1.52s\n", "p75 is there twice: 1.52s"),
        ("  Warning: 3 of 9 things\n", "Warning: 3 of 9 things"),
        ("    Latency 641.20ms 371.55ms\n", "Latency 641.20ms 371.55ms"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, said_of_it: str) -> None:
    lines = WRK.splitlines(keepends=True)
    (unread,) = only("".join([*lines[:9], line, *lines[9:]])).unread
    assert unread.line == 10
    assert unread.text in (said_of_it, f"'{said_of_it}")


def test_a_second_count_is_named_and_the_first_one_is_used() -> None:
    found = only(
        WRK.replace("  Socket errors", "  Warm-up: Socket errors: connect 0, read 8, write 0, timeout 0\n  Socket errors")
    )
    assert (found.printed.errors.read, found.printed.requests_per_second) == (8, 124.75)
    assert [one.text.partition(":")[0] for one in found.unread] == ["Warm-up", "it is there twice"]


def test_what_stands_behind_a_figure_is_named_and_the_figure_is_read() -> None:
    found = only(WRK.replace("124.75", "124.75 （平均每秒）").replace("+/- Stdev", "+/- Stdev （最大值）"))
    assert [(one.line, one.text) for one in found.unread] == [(3, "（最大值）"), (14, "（平均每秒）")]
    assert found.printed.requests_per_second == 124.75


def test_a_column_that_is_not_known_is_named() -> None:
    text = (
        WRK.replace("Max   +/- Stdev", "Max  CV +/- Stdev").replace("1.61s ", "1.61s 0.58s ").replace("90.00 ", "90.00 0.4 ")
    )
    found = only(text)
    assert found.printed.latency_max_us == 1.61e6
    assert [one.text for one in found.unread] == ["Latency, column CV: 0.58s", "Req/Sec, column CV: 0.4"]


def test_a_third_column_headed_by_a_percentile_is_no_maximum() -> None:
    found = said(WRK.replace("Max  ", "99%  ").replace("     99%    1.52s \n", ""))
    assert found["latency_max_ms"] is None
    assert found["latency_p99_ms"] == 1610.0
    assert found["requests_per_second_and_thread_p99"] == 90.0


def test_wrk2_is_read_with_all_its_percentiles_and_its_spectrum() -> None:
    found = only(WRK2)
    assert (found.unread, found.printed.open_loop) == ((), True)
    assert found.printed.percentiles_us == {
        "50": 2980.0, "75": 3610.0, "90": 4330.0, "99": 6200.0,
        "99.9": 9910.0, "99.99": 13_800.0, "99.999": 14_230.0, "100": 14_230.0,
    }  # fmt: skip
    assert found.printed.uncorrected_us == {"50": 812.0, "99": 1910.0, "100": 3100.0}
    assert found.printed.spectrum[1] == pytest.approx((2981.0, 0.5, 10_020))
    assert figures(found.printed)["uncorrected_latency_mean_ms"] == pytest.approx(0.851)


@pytest.mark.parametrize(
    "text",
    [
        WRK.replace(
            "  Thread Stats", "  Thread calibration: mean lat.: 9747 usec, rate sampling interval: 21 msec\n  Thread Stats"
        ),
        WRK.replace("50%  ", "50.000%  "),
        WRK.replace("Latency Distribution", "Latency Distribution (HdrHistogram - Recorded Latency)"),
        WRK.replace(
            "    Req/Sec    31.90     14.10    90.00     70.55%", "    Req/Sec       -nan      -nan   0.00      0.00%"
        ),
        WRK.replace("80 connections", "80 connections with desired rate 125"),
        f"./wrk -t4 -c80 -R125 -d20s http://192.0.2.7\n{WRK}",
        f"wrk2 --rate 125 http://192.0.2.7\n{WRK}",
    ],
)
def test_a_constant_rate_is_recognised(text: str) -> None:
    assert printed(text).open_loop
    assert only(text).unread == ()


def test_a_command_line_says_timeout_and_pipelining() -> None:
    def called(line: str) -> tuple[float | None, int | None]:
        command = printed(f"words\n$ {line}\n{WRK}").command
        return command.timeout_seconds, command.pipeline

    assert called("wrk -t4 -c80 -d20s --timeout 10s http://192.0.2.7") == (10.0, 1)
    assert called("wrk -T1m -s pipeline.lua http://192.0.2.7 --latency -- / 16") == (60.0, 16)
    assert called("./wrk --timeout=5 --script=post.lua http://192.0.2.7 -- 16") == (5.0, None)
    assert called("time sudo taskset -c 0 wrk -c80 http://192.0.2.7") == (None, 1)
    assert called("wrk is a tool") == (None, None)


def test_the_first_version_says_requests_in_place_of_a_duration() -> None:
    text = WRK.replace(
        "Running 20s test @ http://192.0.2.7:8080/things?a=1&copy=2", "Making 2500 requests to http://192.0.2.7/"
    )
    found = only(text)
    assert (found.printed.url, found.printed.asked_seconds, found.unread) == ("http://192.0.2.7/", None, ())


@pytest.mark.parametrize(
    ("word", "bounds"),
    [("30s", (30, 30)), ("1m", (51, 90)), ("4m", (210, 270)), ("118m", (7050, 7110)), ("2h", (5400, 9000)), ("x", None)],
)
def test_whole_minutes_are_a_range(word: str, bounds: tuple[float, float] | None) -> None:
    assert printed(WRK.replace("20s", word)).asked_seconds == bounds


@pytest.mark.parametrize("nan", ["nan%", "-nan%"])
def test_a_run_without_replies_is_read(nan: str) -> None:
    text = f"""\
Running 10s test @ http://192.0.2.7
  2 threads and 2 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.00us    0.00us   0.00us    {nan}
    Req/Sec     0.00      0.00     0.00      {nan}
  0 requests in 10.01s, 0.00B read
Requests/sec:      0.00
Transfer/sec:       0.00B
"""
    found = only(text)
    assert (found.printed.requests, found.unread, found.refused) == (0, (), "")
    assert found.printed.rows["latency"].within_stdev_percent is None


@pytest.mark.parametrize("echo", ["^C  Thread", "  Thread"])
def test_a_key_that_ended_a_run_is_no_figure(echo: str) -> None:
    found = only(WRK.replace("  Thread", echo))
    assert found.printed.interrupted == ("^C" in echo)
    assert found.unread == ()


def test_minutes_and_large_amounts_are_read() -> None:
    text = WRK.replace("1.61s", "1.20m").replace("20.04s", "1.01m").replace("1.21MB", "1.50TB").replace("124.75", "2.5k")
    found = printed(text)
    assert (found.latency_max_us, found.duration_seconds) == (72e6, pytest.approx(60.6))
    assert (found.bytes, found.requests_per_second) == (1.5 * 1024**4, 2500.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Running 10s test @ http://192.0.2.7\n  2 threads and 2 connections\n^C", "it ends before its figures"),
    ],
)
def test_a_text_that_ends_early_is_refused_with_the_reason(text: str, reason: str) -> None:
    found = only(text)
    assert found.refused.startswith(reason)


def test_a_text_without_its_first_lines_is_read() -> None:
    found = only("\n".join(WRK.splitlines()[2:]))
    assert (found.printed.requests, found.printed.connections, found.refused) == (2500, None, "")


def test_totals_alone_are_texts() -> None:
    totals = "  936 requests in 10.03s, 171.84KB read\nRequests/sec:     93.32\nTransfer/sec:     17.13KB\n\n"
    assert [one.printed.requests for one in find_printed(totals * 3)] == [936, 936, 936]


@pytest.mark.parametrize(
    "prose",
    [
        "",
        "unable to connect to 127.0.0.1:8080 Connection refused",
        "Requests/sec is the sum of all threads. Requests/sec: 3",
        "Latency Distribution: 99% of the replies. Socket errors: connect 1, read 2",
        "4 threads and 100 connections: four threads. Thread Stats Avg Stdev Max +/- Stdev: the statistics.",
    ],
)
def test_words_of_wrk_in_prose_are_no_text(prose: str) -> None:
    assert find_printed(prose) == ()


def test_errors_are_read_wherever_they_stand() -> None:
    text = WRK.replace("connect 0, read 3, write 1, timeout 2", "connect 7, read 0, write 0, timeout 0 (Socket)")
    assert printed(text).errors == LoadErrors(connect=7, status=5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_of_a_text_is_read(encoding: str) -> None:
    assert printed(decoded(WRK.replace("600.10ms", "600100µs").encode(encoding))).percentiles_us["50"] == 600_100


def test_large_files_are_read_in_time_that_grows_with_their_length() -> None:
    for text in (WRK * 3000, "1" * 500_000, "1," * 500_000, "Latency " * 200_000, " " * 10**6, "1.2% 9 " * 200_000):
        find_printed(text)
