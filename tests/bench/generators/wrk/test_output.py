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
from benchrig.results.histogram import decode
from tests.support import ROOT
from tests.support.wrk import EXACT, INSIGHT, INSIGHTFUL, TEXT

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


def test_what_wrks_memory_told_is_kept_with_its_histogram() -> None:
    load = read_load(f"{TEXT}{MARKER}{INSIGHTFUL}\n")
    assert load.measured is not None
    assert load.measured.percentiles_us["99"] == 519_825
    assert load.stall_factor == pytest.approx(4 * 293.561 / 1105.386, rel=1e-4)
    assert (load.thread_requests, load.silent_us) == ((857, 857, 857, 856), 12044)
    assert decode(load.histogram).counts == {17664: 1000, 125952: 1500, 166912: 919, 1769472: 1}


def test_without_it_nothing_is_made_up() -> None:
    load = read_load(f"{TEXT}{MARKER}{EXACT}\n")
    assert (load.measured, load.histogram, load.thread_requests, load.stall_factor) == (None, "", (), None)
    lie = EXACT.replace('"requests"', '"histogram": "HISTFAAA", "requests"')
    assert read_load(f"{TEXT}{MARKER}{lie}\n").histogram == ""


@pytest.mark.parametrize(
    ("there", "instead", "what"),
    [
        ("[857, 857, 857, 856]", "[857, 857, 857, 857]", "its 4 threads do not sum up to 3427 requests"),
        ("[857, 857, 857, 856]", f"[{'0, ' * 5000}3427]", "its 5001 threads do not sum up"),
        ("[857, 857, 857, 856]", "[-1, 3428]", "its 2 threads do not sum up"),
        ('"max_us": 1777194, ', '"max_us": 1777195, ', "out of order"),
        ('"50": 126011', '"50": 164847', "out of order"),
        ('"50": 126011', '"50": "nan"', "cannot be read"),
        ('"mean_us": 150031.251', '"mean_us": 17665', "out of order"),
        ('"50": 126011, ', "", "other percentiles"),
        ('"50": 126011, ', '"50": 126011, "51": 126011, ', "other percentiles"),
        ('"bins": [17664, 1000, ', '"bins": [17664, 1009, ', "3429 latencies of 3427 replies"),
        ('"bins": [17664, 1000, ', '"bins": [17665, 1000, ', "begin no bin"),
        ('"bins": [17664, 1000, ', '"bins": [', "begin no bin"),
        ('"bins": [17664, 1000, ', '"bins": [17664, ', "not the bins of a histogram"),
        ('"bins": [17664, 1000, ', '"bins": [17664, "x", ', "not a step and a count"),
        ('"bins": [17664, 1000, ', f'"bins": [{"1, 1, " * 9000}', "18006 numbers are not the bins"),
        ('"bins": [', '"more": [', "unknown key|both figures and bins"),
        ('"bins": [17664, 1000, 108288, 1500, 40960, 919, 1602560, 1]', '"bins": null', "both figures and bins"),
        ('"bins": [17664, 1000, 108288, 1500, 40960, 919, 1602560, 1]', '"bins": []', "0 latencies"),
    ],
)
def test_what_wrks_memory_cannot_have_told_is_refused_in_a_line(there: str, instead: str, what: str) -> None:
    assert there in INSIGHT
    with pytest.raises(OutputError, match=what) as refused:
        read_load(f"{TEXT}{MARKER}{INSIGHTFUL.replace(INSIGHT, INSIGHT.replace(there, instead))}\n")
    assert len(str(refused.value)) < 300


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
