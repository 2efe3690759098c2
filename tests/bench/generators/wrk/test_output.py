"""wrk: its command line and script, and what is read from its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.bench.generators.base import OutputError, Shape
from benchrig.bench.generators.wrk.generator import command
from benchrig.bench.generators.wrk.output import MARKER, read_load
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.bench.generators.wrk.words import count, microseconds
from benchrig.report import published
from tests.support import ROOT
from tests.support.wrk import EXACT, TEXT

TEXTS = ROOT / "configs" / "published" / "web-frameworks"


def test_the_command_is_wrks_own_with_whole_seconds() -> None:
    shape = Shape(threads=4, connections=2000, duration_seconds=5.0, timeout_seconds=10.0)
    assert " ".join(command(shape, "http://h:8080/health")) == (
        "wrk -t4 -c2000 -d5s --timeout 10s --latency -s {script} http://h:8080/health"
    )


def test_without_a_timeout_wrk_keeps_its_own() -> None:
    shape = Shape(threads=4, connections=2000, duration_seconds=60.0, timeout_seconds=None)
    assert "--timeout" not in command(shape, "http://h:8080/health")


def test_exact_figures_come_from_the_marker_line() -> None:
    load = read_load(f"{TEXT}{MARKER}{EXACT}\n")
    assert (load.requests, load.duration_us, load.errors.timeout) == (3427, 3100272, 7)
    assert load.latency.percentiles_us["99.9"] == 1671446.0
    assert load.requests_per_second == pytest.approx(1105.386)


def test_a_reply_with_a_line_separator_in_it_does_not_cut_the_marker_line() -> None:
    exact = EXACT.replace('"wrong_example": ""', '"wrong_example": "500 \x85"')
    assert read_load(f"{TEXT}{MARKER}{exact}\n").wrong_example == "500 \ufffd"


def test_output_without_the_marker_has_no_figures() -> None:
    with pytest.raises(OutputError, match="printed no figures"):
        read_load(TEXT)


@pytest.mark.parametrize(
    ("there", "instead", "what"),
    [
        ("3427 requests", "3428 requests", "requests"),
        ("1105.39", "1205.39", "requests/s"),
        ("155.24ms", "255.24ms", "mean latency"),
        ("1.78s", "2.00s", "maximum latency"),
        ("timeout 7", "timeout 8", "errors"),
    ],
)
def test_a_text_that_contradicts_the_exact_figures_is_not_believed(there: str, instead: str, what: str) -> None:
    with pytest.raises(OutputError, match=f"text says {what} "):
        read_load(f"{TEXT.replace(there, instead)}{MARKER}{EXACT}\n")


def test_a_marker_line_that_was_cut_off_is_named() -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        read_load(f"{TEXT}{MARKER}{EXACT[:80]}\n")


@pytest.mark.parametrize(("word", "value"), [("559.62us", 559.62), ("65.47ms", 65_470), ("1.99s", 1.99e6), ("1.50m", 90e6)])
def test_times_are_read_in_every_unit(word: str, value: float) -> None:
    assert microseconds(word) == pytest.approx(value)


@pytest.mark.parametrize(("word", "value"), [("5.54", 5.54), ("1.08k", 1080), ("2.10M", 2.1e6)])
def test_counts_are_read_in_every_unit(word: str, value: float) -> None:
    assert count(word) == pytest.approx(value)


def test_errors_and_other_statuses_are_read_from_the_text() -> None:
    printed = read_printed(TEXT.replace("Requests/sec", "  Non-2xx or 3xx responses: 12\nRequests/sec"))
    assert (printed.errors.read, printed.errors.timeout, printed.errors.status) == (3, 7, 12)
    assert printed.percentiles_us == {"50": 127_180, "75": 166_850, "90": 218_190, "99": pytest.approx(569_830)}


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.txt")), ids=lambda path: path.stem)
def test_the_published_table_agrees_with_the_text_it_was_made_from(path: Path) -> None:
    printed = read_printed(path.read_text())
    row = published.read("web-frameworks", ROOT).rows[path.stem]
    assert printed.requests == row.figures["requests"]
    assert printed.requests_per_second == row.figures["requests_per_second"]
    assert printed.errors.timeout == row.timeouts
    assert printed.latency_mean_us == pytest.approx(row.figures["latency_corrected_mean_ms"] * 1e3)
    # The one slip of the article: its table repeats the maximum of the row above.
    table_max = 263.13 if path.stem == "fastapi-gunicorn" else row.figures["latency_max_ms"]
    assert printed.latency_max_us == pytest.approx(table_max * 1e3)


def test_text_that_is_not_wrks_is_refused() -> None:
    with pytest.raises(OutputError, match="not what wrk prints"):
        read_printed("unable to connect to 127.0.0.1:8080 Connection refused")
