"""Texts of wrk as others paste them: fragments, blocks of code, logs, mails, thousands; no figure of one is another's."""

from __future__ import annotations

import time

import pytest

from benchrig.bench.generators.base import Pasted
from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.groups import MOST_PARTS
from benchrig.bench.generators.wrk.printed import find_printed
from benchrig.report.texts.lines import figures
from tests.support.texts import FIGURES, WRK, WRK2, each_line

SPECTRUM = WRK2[WRK2.index("  Detailed") : WRK2.index("----")]
TOTAL = "  7100 requests in 50.00s, 3.10MB read\n"
BEHIND = "Requests/sec:    142.00\nTransfer/sec:     63.49KB\n"
PERCENTILES = "  Latency Distribution (HdrHistogram - Recorded Latency)\n 50.000%    1.10ms\n 99.000%    4.30ms\n"


def only(text: str) -> Pasted:
    (found,) = find_printed(text)
    return found


def test_a_rate_in_prose_is_not_that_of_the_text_behind_it() -> None:
    text = f"It was better (31 ms at Requests/sec:  888.25).\n\n```\n{SPECTRUM}{TOTAL}{BEHIND}```\n"
    found = only(text)
    assert (found.printed.requests, found.printed.requests_per_second, found.first_line) == (7100, 142.0, 4)


@pytest.mark.parametrize("behind", [SPECTRUM, PERCENTILES, TOTAL, WRK])
def test_a_rate_begins_no_text_that_goes_on(behind: str) -> None:
    *_, last = find_printed(f"Requests/sec:  888.25\n{behind}{'' if behind == WRK else TOTAL}{BEHIND}")
    assert last.printed.requests_per_second in (142.0, 124.75)


def test_a_block_of_code_ends_a_text() -> None:
    text = "```\n  Socket errors: connect 7, read 0, write 0, timeout 4\nRequests/sec:   150.50\n```\nand then\n"
    one, two = find_printed(f"{text}```\n{TOTAL}  Socket errors: connect 1, read 0, write 0, timeout 9\n```\n")
    assert (one.printed.requests_per_second, one.printed.errors.connect, one.printed.requests) == (150.5, 7, None)
    assert (two.printed.requests_per_second, two.printed.errors.timeout, two.printed.requests) == (None, 9, 7100)


@pytest.mark.parametrize("fence", ["```", "~~~~", "> ```", "   ```"])
def test_a_text_in_a_block_is_whole(fence: str) -> None:
    found = only(f"{fence}sh\n$ wrk -c80 http://192.0.2.7\n{WRK}{fence}\n")
    assert (found.printed.requests, found.unread, found.refused) == (2500, (), "")


def test_percentiles_alone_are_a_text() -> None:
    found = only(f"```\n{PERCENTILES}```\n")
    assert found.printed.percentiles_us == {"50": 1100.0, "99": 4300.0}


def test_a_spectrum_alone_is_a_text() -> None:
    one, two = find_printed(f"```\n{SPECTRUM}```\n\n```\n{TOTAL}{BEHIND}```\n")
    assert (len(one.printed.spectrum), one.printed.requests, two.printed.requests) == (3, None, 7100)


def test_first_lines_in_a_block_of_their_own_are_of_the_text_behind_it() -> None:
    found = only("```\n" + WRK.replace("  Thread", "```\n\n  Thread", 1))
    assert (found.printed.connections, found.printed.requests) == (80, 2500)


def test_percentiles_and_a_rate_are_a_text() -> None:
    found = only(f"{WRK}\n```\n{PERCENTILES}-----------\nRequests/sec:   142.00\n```\n".partition(BEHIND)[0][len(WRK) :])
    assert (len(found.printed.percentiles_us), found.printed.requests_per_second, found.refused) == (2, 142.0, "")


def test_rate_and_transfer_are_a_text() -> None:
    assert [one.printed.requests_per_second for one in find_printed(f"A:\n{BEHIND}\nB:\n{BEHIND}")] == [142.0, 142.0]


@pytest.mark.parametrize("word", ["-nan", "nan", "-nanus", "nanus"])
def test_no_number_is_told_once_and_is_no_figure(word: str) -> None:
    text = WRK.replace("   641.20ms  371.55ms", f"   {word}   {word}").replace("600.10ms", word)
    found = only(text)
    assert [(one.line, one.text) for one in found.unread] == [(4, "Latency: nan is not a number")]
    assert (found.printed.latency_mean_us, found.printed.latency_max_us) == (None, 1.61e6)
    assert "50" not in found.printed.percentiles_us


OTHERS = {
    "go-wrk": """\
Running 4s test @ http://192.0.2.7
  12 goroutine(s) running concurrently
812 requests in 2.123456789s, 1.10MB read
Requests/sec:\t\t382.40
Transfer/sec:\t\t530.46KB
Overall Requests/sec:\t203.10
Overall Transfer/sec:\t281.12KB
Number of Errors:\t41
50%:\t\t\t412\u00b5s
""",
    "bombardier": """\
Bombarding http://192.0.2.7:80 for 5s using 9 connection(s)
Statistics        Avg      Stdev        Max
  Reqs/sec      812.10     91.20    1020.00
  Latency        9.97ms   523.12us    30.12ms
  Latency Distribution
     50%     1.90ms
     99%     4.53ms
""",
}


@pytest.mark.parametrize("program", OTHERS)
@pytest.mark.parametrize("prefix", ["", "bench-1  | "])
def test_a_text_of_another_program_is_named_and_not_read(program: str, prefix: str) -> None:
    other, own = find_printed(each_line(OTHERS[program], lambda line: prefix + line) + WRK)
    assert other.refused.startswith(f"it is of {program}")
    assert {name: value for name, value in figures(other.printed).items() if value} == {}
    assert (own.printed.requests, own.printed.requests_per_second) == (2500, 124.75)


@pytest.mark.parametrize("apart", [" ", "\u202f", "\xa0", ",", ".", "'", "\u2019", "&nbsp;"])
def test_thousands_are_read_whole(apart: str) -> None:
    text = WRK.replace("2500 requests", f"1{apart}234{apart}500 requests").replace("80 conn", f"10{apart}080 conn")
    text = text.replace("timeout 2", f"timeout 2{apart}345").replace("responses: 5", f"responses: 5{apart}001")
    if apart != ".":
        text = text.replace("124.75", f"61{apart}124.75")
    found = only(text)
    assert (found.printed.requests, found.printed.connections) == (1_234_500, 10_080)
    assert (found.printed.errors.timeout, found.printed.errors.status) == (2345, 5001)
    assert found.printed.requests_per_second == (124.75 if apart == "." else 61_124.75)
    assert found.unread == ()


@pytest.mark.parametrize("word", ["1_234_500", "1;234", "1'23'4500", "12,34,5", "1.2.3"])
def test_a_number_is_never_read_in_part(word: str) -> None:
    found = only(WRK.replace("2500 requests", f"{word} requests"))
    assert found.printed.requests is None
    assert [one.line for one in found.unread] == [11]


@pytest.mark.parametrize("word", ["61'12", "61 124", "124.75rps", "1.2.3"])
def test_a_rate_is_never_read_in_part(word: str) -> None:
    found = only(WRK.replace("124.75", word))
    assert found.printed.requests_per_second is None
    assert [one.line for one in found.unread] == [14]


def test_lines_that_a_mail_has_broken_are_whole() -> None:
    broken = "  Socket errors: connect 0, read **900**, write **2870**, timeout **61=\n34**"
    text = WRK.replace("  Socket errors: connect 0, read 3, write 1, timeout 2", broken)
    found = only(text)
    assert (found.printed.errors.timeout, found.unread) == (6134, ())
    assert (found.first_line, found.last_line) == (1, 16)


PREFIXES = {
    "Kubernetes": "2024-05-06T07:08:{:02}.123456Z stdout F ",
    "log": "[2024-05-06 07:08:{:02},123] INFO - ",
    "journal": "May 06 07:08:{:02} bench wrk[811]: ",
    "BuildKit": "#7 1.{:03} ",
    "numbers": "{:6}\t",
    "numbers and words": "{:>4}: bench-2 > ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize("text", [WRK, WRK.replace("2500 requests", "500 requests")])
def test_what_a_log_writes_before_each_line_is_no_part_of_it(prefix: str, text: str) -> None:
    logged = "".join(prefix.format(number) + line + "\n" for number, line in enumerate(text.splitlines(), 1))
    found = only(f"before\n{logged}behind\n")
    same = {**FIGURES, "requests": 500 if "\n  500" in text else 2500}
    assert {name: value for name, value in figures(found.printed).items() if name in FIGURES} == pytest.approx(same)
    assert (found.unread, found.first_line, found.last_line) == ((), 2, 16)


def test_a_prefix_of_some_texts_is_none_of_another() -> None:
    logged = "".join(f"{number} {line}\n" for number, line in enumerate(WRK.splitlines(), 1))
    assert [one.printed.requests for one in find_printed(f"{WRK}{logged}{WRK}")] == [2500, 2500, 2500]


def test_lines_that_end_with_returns_alone_have_numbers() -> None:
    one, two = find_printed((WRK + WRK).replace("\n", "\r"))
    assert (one.first_line, one.last_line, two.first_line) == (1, 15, 16)


def test_a_text_without_end_is_refused_soon() -> None:
    text = WRK.replace("  2500 requests", "     42%    1.00s\n" * (2 * MOST_PARTS) + "  2500 requests")
    started = time.process_time()
    found = only(text)
    assert found.refused == "it has more than 10,000 figures: wrk prints fewer"
    assert time.process_time() - started < 5


def test_a_text_of_ours_with_returns_alone_is_read() -> None:
    text = f"{WRK}benchrig-wrk: {{}}\n{WRK}".replace("\n", "\r")
    assert [one.printed.requests for one in DEFAULT.find_printed(text)] == [2500, 2500]
