"""The command line of wrk before a text, as people type it: what it says is read, and prose says nothing."""

from __future__ import annotations

import pytest

from benchrig.bench.generators.base import CommandLine
from benchrig.bench.generators.wrk.called import called


@pytest.mark.parametrize(
    "line",
    [
        "wrk -c8 --timeout 9s http://192.0.2.7",
        "$ wrk -c8 -T9 http://192.0.2.7",
        "root@bench:~# wrk -c8 -T9s http://192.0.2.7",
        "> wrk -c8 -T9s http://192.0.2.7",
        "PS C:\\> .\\wrk.exe -c8 -T9s http://192.0.2.7",
        "time sudo nice -n 5 wrk -c8 -T9s http://192.0.2.7",
        "kubectl exec wrk -- wrk -c8 --timeout 9s http://192.0.2.7",
        "docker run --rm --name wrk -it example/wrk:4.2 -c8 --timeout=9 http://192.0.2.7",
        "sh -c 'wrk -c8 --timeout 9s http://192.0.2.7'",
        "wrk -c8 \\\n    -T9s \\\n    http://192.0.2.7",
        "$ wrk -c8 \\\n> -T9s \\\n> http://192.0.2.7",
        "wrk http://192.0.2.7 -c8 -T9s | tee -R 4",
        "wrk http://192.0.2.7 -c8 -T9s  # not -T 4s",
        "wrk -H 'X: wrk -T 4s' -c8 -T9s http://192.0.2.7",
        'wrk -H "X: -R 500" -c8 -T9s http://192.0.2.7',
        "wrk --header '-R500' -T9s http://192.0.2.7",
        "wrk2 -T1s -R5 http://192.0.2.7; wrk -T9s http://192.0.2.7",
    ],
)
def test_every_way_to_call_it_is_read(line: str) -> None:
    assert called(f"Some words.\n{line}\n") == CommandLine(timeout_seconds=9.0, pipeline=1)


@pytest.mark.parametrize(
    "prose",
    [
        "# wrk - plaintext, pipelined",
        "wrk — это утилита - и не -только",
        "wrk and wrk2 are well-known - or not",
        "apt-get install wrk -y",
        "git clone https://example.org/wrk --depth 1",
        "go-wrk -c 8 -T 9000 http://192.0.2.7",
    ],
)
def test_words_of_prose_are_no_command_line(prose: str) -> None:
    assert called(prose) == CommandLine()


def test_options_that_are_spoken_of_say_nothing_of_a_script() -> None:
    assert called("wrk was run with -T 9s and -R 300") == CommandLine(timeout_seconds=9.0, requests_per_second=300.0)


def test_a_timeout_of_0_is_one() -> None:
    assert called("wrk -c8 --timeout 0 http://192.0.2.7").timeout_seconds == 0.0


def test_a_header_that_closes_connections_is_read() -> None:
    assert called("wrk -H 'Connection: Close' -H 'X: 1' http://192.0.2.7").closes
    assert not called("wrk -H 'X: Connection: close' http://192.0.2.7").closes


def test_the_value_of_an_option_is_no_option() -> None:
    assert called("wrk -s -R500 -T9 http://192.0.2.7") == CommandLine(timeout_seconds=9.0)
