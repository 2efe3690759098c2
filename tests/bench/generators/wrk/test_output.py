"""wrk: its command line and script, and what is read from its output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert decode(load.histogram).counts == {
        17664: 1000,
        125952: 1200,
        163840: 600,
        214016: 550,
        518144: 65,
        1564672: 4,
        1769472: 1,
    }


def test_without_it_nothing_is_made_up() -> None:
    load = read_load(f"{TEXT}{MARKER}{EXACT}\n")
    assert (load.measured, load.histogram, load.thread_requests, load.stall_factor) == (None, "", (), None)
    lie = EXACT.replace('"requests"', '"histogram": "HISTFAAA", "requests"')
    assert read_load(f"{TEXT}{MARKER}{lie}\n").histogram == ""


BINS = INSIGHT[INSIGHT.index('"bins"') : -2]


@pytest.mark.parametrize(
    ("there", "instead", "what"),
    [
        ("[857, 857, 857, 856]", "[857, 857, 857, 857]", "its 4 threads do not sum up to 3427 requests"),
        ("[857, 857, 857, 856]", f"[{'0, ' * 5000}3427]", "its 5001 threads do not sum up"),
        ("[857, 857, 857, 856]", "[-1, 3428]", "below 0"),
        ('"max_us": 1777194, ', '"max_us": 1777195, ', "out of order"),
        ('"50": 126011', '"50": 164847', "out of order"),
        ('"50": 126011', '"50": "nan"', "cannot be read"),
        ('"mean_us": 125031.251', '"mean_us": 17665', "out of order"),
        ('"50": 126011, ', "", "other percentiles"),
        ('"50": 126011, ', '"50": 126011, "51": 126011, ', "other percentiles"),
        ('"bins": [17664, 1000, ', '"bins": [17664, 1009, ', "3429 latencies of 3427 replies"),
        ('"bins": [17664, 1000, ', '"bins": [17665, 1000, ', "begin no bin"),
        ('"bins": [17664, 1000, ', '"bins": [', "begin no bin"),
        ('"bins": [17664, 1000, ', '"bins": [17664, ', "not the bins of a histogram"),
        ('"bins": [17664, 1000, ', '"bins": [17664, "x", ', "not a step and a count"),
        ('"bins": [17664, 1000, ', f'"bins": [{"1, 1, " * 9000}', "18012 numbers are not the bins"),
        ('"bins": [', '"more": [', "unknown key|both figures and bins"),
        (BINS, '"bins": null', "both figures and bins"),
        (BINS, '"bins": []', "0 latencies"),
        (BINS, '"bins": [1, 3427]', "the minimum is 17666 us, and that of its bins 1 us"),
        (BINS, '"bins": [1, 1]', "1 latencies of 3427"),
        ("108288, 1200, 37888, 600", "108288, 600, 37888, 1200", "the p50 is 126011 us, and that of its bins 164352 us"),
        ("550, 304128, 65, 1046528, 4", "550, 304128, 4, 1046528, 65", "the p99 is 519825 us"),
        ("204800, 1]", "204800, 1, 81920, 1]", "the maximum is"),
        ('"mean_us": 125031.251', '"mean_us": 127031.251', "the mean is 127031 us, and that of its bins 125021 us"),
        ('"silent_us": 12044', '"silent_us": -5', "below 0"),
        ('"silent_us": 12044', '"silent_us": "-5"', "below 0"),
        ('"silent_us": 12044', '"silent_us": 3100273', "3100273 us without a reply in 3100272 us"),
    ],
    ids=lambda word: word[:30],
)
def test_what_wrks_memory_cannot_have_told_is_refused_in_a_line(there: str, instead: str, what: str) -> None:
    assert there in INSIGHT
    with pytest.raises(OutputError, match=what) as refused:
        read_load(f"{TEXT}{MARKER}{INSIGHTFUL.replace(INSIGHT, INSIGHT.replace(there, instead))}\n")
    assert len(str(refused.value)) < 300


ROUTE = {"status": 200, "routes": ["film"]}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"depth": -3}, "below 0"),
        ({"bytes": -3}, "below 0"),
        ({"errors": {"connect": -3, "read": 6, "timeout": 7}}, "below 0"),
        ({"statuses": {"404": -5, "200": 3432}}, "below 0"),
        ({"statuses": {"404": 10**12}}, "replies by status, 3427 checked"),
        ({"statuses": {"200": 3422, "404": 5}}, "5 replies of a status from 400 on, 0 counted"),
        ({"statuses": {str(status): 1 for status in range(100_000)}}, "'1000' is no status"),
        ({"statuses": {"abc": 3427}}, "'abc' is no status"),
        ({"replies_checked": 10**9}, "1000000000 of 3427 replies checked"),
        ({"replies_wrong": 3428}, "3427 of 3427 replies checked, 3428 wrong"),
        ({"replies": [{**ROUTE, "replies": 3426}]}, "3426 replies right or wrong, 3427 checked"),
        ({"replies": [{**ROUTE, "replies": 1}] * 100_000}, "more than 1000 routes"),
        ({"replies": [{**ROUTE, "routes": ["film"] * 1001, "replies": 3427}]}, "more than 1000 routes"),
        ({"sent": dict.fromkeys(map(str, range(50_000)), 1)}, "more than 1000 routes"),
        ({"latency": {"percentiles_us": {"abc": 1}}}, "other percentiles"),
        ({"latency": {"percentiles_us": {}}}, "other percentiles"),
        ({"latency": {"percentiles_us": {str(number / 1000): 1 for number in range(50_000)}}}, "other percentiles"),
    ],
)
def test_figures_that_no_load_has_are_refused_in_a_line(changes: dict[str, Any], what: str) -> None:
    exact = json.loads(EXACT)
    if "latency" in changes:
        changes = {"latency": {**exact["latency"], **changes["latency"]}}
    with pytest.raises(OutputError, match=what) as refused:
        read_load(f"{TEXT}{MARKER}{json.dumps({**exact, **changes})}\n")
    assert len(str(refused.value)) < 300


def test_one_latency_of_many_pipelined_requests_is_no_contradiction() -> None:
    bins = '"bins": [17664, 10, 108288, 12, 37888, 6, 50176, 6, 1555456, 1]'
    figures = {"50": 126011, "75": 164846, "90": 214186, "99": 1777194, "99.9": 1777194}
    exact = json.loads(INSIGHTFUL) | json.loads(f"{{{bins}}}") | {"depth": 100}
    exact["measured"] |= {"percentiles_us": figures, "mean_us": 163_960.0}
    assert decode(read_load(f"{TEXT}{MARKER}{json.dumps(exact)}\n").histogram).count == 35


def test_a_wrong_reply_is_stored_in_short() -> None:
    exact = json.dumps({**json.loads(EXACT), "wrong_example": "x" * 100_000})
    assert len(read_load(f"{TEXT}{MARKER}{exact}\n").wrong_example) <= 301


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
