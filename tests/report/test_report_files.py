"""The files of a report: Markdown for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, fields, replace

import pytest

from benchrig import language
from benchrig.console import printable
from benchrig.report import EXPORTS, Report, published, render_terminal
from benchrig.report import load as load_report
from benchrig.report.claims import render_report
from benchrig.report.export.record import RowRecord
from benchrig.report.metrics import BY_NAME, METRICS
from benchrig.report.sentences import title
from benchrig.report.table import make
from benchrig.report.verdict import Quantity
from benchrig.results.codes import Code
from benchrig.results.model import Database, DatabaseLoad, Latency
from benchrig.statistics.interval import Interval, of_median
from tests.support.reports import NGINX, ROOT, SPREAD, VERDICTS, a_cell, a_load, a_report, a_run, every_kind, repeats_of
from tests.support.series import a_cell_of, ramped

BESIDE_LOAD = (
    "connection_segments_",
    "steady_",
    "server_",
    "cpu_per_",
    "generator_",
    "load_",
    "listen_",
    "retransmits",
    "time_wait_",
    "stored",
    "sessions",
)
"""How the names of metrics begin that the load generator does not measure."""

ONLY_STORED_BEFORE = {
    "latency_min_ms": 100.1,
    "latency_stdev_ms": 1.48,
    "latency_p75_ms": 101.9,
    "latency_p90_ms": 103.0,
    "latency_p99_9_ms": 117.0,
    "latency_corrected_mean_ms": 101.6,
    "latency_corrected_p99_ms": 108.5,
    "bytes": 96_000 * 118,
    "retransmits": 0,
    "listen_drops": 0,
    "time_wait_peak": 12,
    "load_average": 1.2,
    "server_memory_peak_bytes": 40_000_000,
    "generator_cpu_percent": pytest.approx(7.84, abs=0.01),
}


def test_every_report_of_a_run_says_which_version_of_benchrig_measured_it() -> None:
    report = a_report("go-2000", benchrig_version="7.8.9")
    texts = {name: render(report) for name, render in EXPORTS.items() if name != "report.csv"}
    assert [name for name, text in texts.items() if "benchrig 7.8.9" not in text and '"7.8.9"' not in text] == []
    assert "benchrig 7.8.9" in render_terminal(report).partition("\n\n")[0]


def test_markdown_keeps_its_table_whole_whatever_the_texts_hold() -> None:
    text = EXPORTS["report.md"](every_kind())
    table = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(line.replace("\\|", "").split("|")) for line in table[: 2 + 5]}
    assert len(widths) == 1
    assert "Flask 3.0.3 \\| sync" in text
    assert "20,000 connections need 20,100 descriptors" in text
    assert "ImportError: no *sanic*" in text


def test_markdown_says_how_to_repeat_the_run() -> None:
    text = EXPORTS["report.md"](every_kind())
    assert (
        "./inv bench -i lab --suite web-frameworks --profile quick "
        "--only flask-sync,go-2000,go-20000,sanic,openresty-2000 --duration 5s --threads 4 --repeats 1\n" in text
    )
    assert "# go-2000\nwrk -t4 -c2000 -d5s http://127.0.0.1:8080/health" in text


@pytest.mark.parametrize(("chosen", "flag"), [(50, " --connections 50"), (None, "")])
def test_the_command_to_repeat_a_run_has_the_connections_where_the_user_chose_them(chosen: int | None, flag: str) -> None:
    cells = [a_cell("go-2000", connections=50), a_cell("go-20000", connections=50)]
    run = a_run("go-2000", "go-20000")
    run = replace(run, settings=replace(run.settings, connections=chosen))
    text = EXPORTS["report.md"](Report(make(run, cells)))
    assert f"--only go-2000,go-20000 --duration 5s --threads 4 --repeats 1{flag}\n" in text


def test_csv_reads_back_with_a_field_for_every_column() -> None:
    report = every_kind()
    records = list(csv.DictReader(io.StringIO(EXPORTS["report.csv"](report))))
    assert [record["name"] for record in records] == [row.name for row in report.table.rows]
    assert records[0]["system"] == "Flask 3.0.3 | sync"
    assert records[3]["reason"].splitlines()[0] == "it does not answer"
    assert (records[3]["requests"], records[1]["requests_per_second"]) == ("", "19200.0")
    assert all(None not in record and None not in record.values() for record in records)


def test_each_line_of_csv_says_which_run_it_is_of() -> None:
    identity = ("run", "suite", "started_at", "benchrig_version")
    text = EXPORTS["report.csv"](every_kind())
    assert tuple(text.splitlines()[0].split(",")[:4]) == identity
    for record in csv.DictReader(io.StringIO(text)):
        assert [record[name] for name in identity] == [
            "2025-01-02T03-04-05",
            "web-frameworks",
            "2025-01-02T03:04:05Z",
            "0.1.0",
        ]
    for record in csv.DictReader(io.StringIO(EXPORTS["report.csv"](load_report("quart-vs-flask", ROOT)))):
        assert [record[name] for name in identity] == ["quart-vs-flask", "", "", ""]


def test_files_for_programs_are_english_in_every_language() -> None:
    report = every_kind()
    for name in ("report.csv", "report.json"):
        english = EXPORTS[name](report)
        with language.use("zh"):
            assert EXPORTS[name](report) == english


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_each_column_has_its_unit_in_its_heading_and_none_in_its_cells(name: str) -> None:
    text = " ".join(EXPORTS[name](every_kind()).split())
    for heading in ("p99 ms", "server CPU %", "server memory MiB", "data read MiB"):
        assert heading in text
    cells = text.partition('<table class="rows">')[2].partition("</table>")[0] if name == "report.html" else text
    assert not re.search(r"[|>] ?[0-9.,]+ ?(ms|µs|s|%|[KM]iB) ?[|<]", cells)


def test_json_has_the_rows_with_their_keys_and_every_figure_is_the_cells() -> None:
    document = json.loads(EXPORTS["report.json"](every_kind()))
    assert (document["run"]["name"], document["machines"][0]["cpu"]) == ("2025-01-02T03-04-05", "Example CPU @ 2.0 GHz")
    assert document["incomplete"] is False
    assert [row["status"] for row in document["rows"]] == ["measured", "measured", "not_possible", "failed", "measured"]
    cell = a_cell("flask-sync", load=a_load(900, read=2, timeout=40))
    assert cell.load is not None
    assert cell.server is not None
    row = document["rows"][0]
    assert row["name"] == "flask-sync"
    assert row["connections"] == cell.connections
    assert row["requests"] == cell.load.requests
    assert row["requests_per_second"] == row["requests_per_second_min"] == cell.load.requests_per_second
    assert cell.load.measured is not None
    for of, prefix in ((cell.load.measured, "latency"), (cell.load.latency, "latency_corrected")):
        assert row[f"{prefix}_mean_ms"] == of.mean_us / 1000
        assert row[f"{prefix}_p50_ms"] == of.percentiles_us["50"] / 1000
        assert row[f"{prefix}_p99_ms"] == of.percentiles_us["99"] / 1000
    assert row["latency_max_ms"] == cell.load.latency.max_us / 1000
    assert (row["errors"], row["errors_read"], row["errors_timeout"]) == (42, 2, 40)
    assert row["server_cpu_percent"] == cell.server.cpu_percent
    assert row["published_requests_per_second"] == 1904.45
    assert row["ratio"] == 180.0 / 1904.45
    assert row["warnings"][0] == {
        "code": "timeouts",
        "host": "lab1",
        "values": {
            "late": {"low": 40, "high": 40, "unit": "count"},
            "requests": {"low": 900, "high": 900, "unit": "count"},
            "timeout": {"low": 10.0, "high": 10.0, "unit": "seconds"},
        },
        "spoils": ["latency"],
        "invalid": False,
        "seen_in": {"low": 1, "high": 1, "unit": "count"},
        "repeats": {"low": 1, "high": 1, "unit": "count"},
        "text": "40 of 900 replies came after the timeout of 10 s.",
    }


def test_json_of_a_row_without_figures_has_every_key_and_its_reason() -> None:
    rows = json.loads(EXPORTS["report.json"](every_kind()))["rows"]
    assert rows[2].keys() == rows[0].keys()
    assert "the limit is 20,000" in rows[2]["reason"]
    assert (rows[2]["connections"], rows[2]["requests"], rows[2]["errors"]) == (20_000, None, None)


def test_latency_that_nothing_measured_is_left_open() -> None:
    load = a_load(0)
    load = replace(load, latency=Latency(0.0, 0.0, 0.0, 0.0, {}), measured=None)
    (row,) = json.loads(EXPORTS["report.json"](a_report("go-2000", cells=[a_cell(load=load)])))["rows"]
    assert (row["requests"], row["latency_max_ms"], row["latency_p99_ms"], row["latency_corrected_p99_ms"]) == (
        0,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_report_names_what_really_ran(lang: str) -> None:
    report = every_kind()
    with language.use(lang):
        for text in (render_terminal(report), *(export(report) for export in EXPORTS.values())):
            assert NGINX in text
        report = replace(report, table=replace(report.table, published=None))
        assert "OpenResty " not in render_terminal(report)


def test_the_guide_explains_every_figure_and_every_warning() -> None:
    text = (ROOT / "docs/warnings.md").read_text(encoding="utf-8")
    assert [code for code in Code if f"| {title(code)} |" not in text] == []
    text += (ROOT / "docs/reading-a-report.md").read_text(encoding="utf-8")
    text += (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    names = ["published_…", *(field.name for field in fields(RowRecord) if not field.name.startswith("published_"))]
    assert [name for name in names if name not in BY_NAME and f"`{name}`" not in text] == []


def test_every_metric_with_a_value_is_in_every_file_and_no_other_is() -> None:
    whole = a_cell(
        "flask.review",
        server=a_cell_of(ramped).server,
        database=DatabaseLoad(stored=96_000, sessions=20, commits=0, rollbacks=0),
        connections_seen=SPREAD,
    )
    bare = a_cell("flask.review", generator=None, server=None)
    for cell, missing in ((whole, set()), (bare, {m.name for m in METRICS if m.name.startswith(BESIDE_LOAD)})):
        report = a_report("flask.review", cells=[cell])
        (heading,) = [line for line in EXPORTS["report.md"](report).splitlines() if " requests/s |" in line]
        for metric in METRICS:
            assert bool(re.search(rf"\| {metric.label}( (ms|%|µs|[KM]iB))? \|", heading)) == (metric.name not in missing), (
                metric.name
            )
        (row,) = json.loads(EXPORTS["report.json"](report))["rows"]
        assert {metric.name for metric in METRICS if row[metric.name] is None} == missing
        assert row["samples"].keys() == BY_NAME.keys() - missing
        (line,) = csv.DictReader(io.StringIO(EXPORTS["report.csv"](report)))
        assert {metric.name for metric in METRICS if line[metric.name] == ""} == missing


def test_what_was_only_stored_before_is_shown_with_its_value() -> None:
    row = json.loads(EXPORTS["report.json"](every_kind()))["rows"][1]
    assert {name: row[name] for name in ONLY_STORED_BEFORE} == ONLY_STORED_BEFORE
    line = next(line for line in EXPORTS["report.md"](every_kind()).splitlines() if "| Go 1.22.12 |" in line)
    for text in ("100.1", "117.0", "10.8", "38.1", "1.20", "8"):
        assert f"| {text} |" in line


def test_json_has_the_value_of_every_repeat_beside_their_median_and_interval() -> None:
    counts = (98_000, 95_000, 96_000, 99_000, 97_000, 94_000)
    cells = [a_cell(repeat=repeat, load=a_load(count)) for repeat, count in enumerate(counts, 1)]
    (row,) = json.loads(EXPORTS["report.json"](a_report("go-2000", cells=cells)))["rows"]
    assert row["samples"]["requests"] == {
        "values": list(counts), "value": 96_000, "median": 96_000, "low": 94_000, "high": 99_000,
        "interval": asdict(Interval(*ends(counts))),
    }  # fmt: skip
    assert row["samples"]["latency_p99_ms"]["values"] == [108.0] * 6
    assert (row["requests_per_second"], row["requests_per_second_ci95_low"]) == (19_300, ends(counts)[0] / 5)
    assert row["requests_per_second_ci95_assumed"] is False


@pytest.mark.parametrize("repeats", [3, 5])
def test_an_interval_of_few_repeats_is_marked_in_every_report(repeats: int) -> None:
    counts = (98_000, 95_000, 96_000, 99_000, 97_000)[:repeats]
    report = a_report("go-2000", cells=repeats_of("go-2000", *counts))
    (row,) = json.loads(EXPORTS["report.json"](report))["rows"]
    assert (row["requests_per_second_ci95_assumed"], row["samples"]["requests"]["interval"]["assumed"]) == (True, True)
    (line,) = csv.DictReader(io.StringIO(EXPORTS["report.csv"](report)))
    assert line["requests_per_second_ci95_assumed"] == "True"
    said = "of 3 to 5 repeats: the interval holds if the logarithms of the values are normally distributed. "
    for text, mark in (
        (render_terminal(report), r"\*"),
        (EXPORTS["report.md"](report), r"\\\*"),
        (EXPORTS["report.html"](report), r"\*"),
    ):
        assert re.search(rf"-\d\.\d/\+\d\.\d{mark}", text)
        assert re.search(rf"{mark} {said}", text)


def test_an_interval_of_six_repeats_has_no_mark() -> None:
    report = a_report("go-2000", cells=repeats_of("go-2000", 98_000, 95_000, 96_000, 99_000, 97_000, 94_000))
    for text in (render_terminal(report), EXPORTS["report.md"](report), EXPORTS["report.html"](report)):
        assert re.search(r"-\d\.\d/\+\d\.\d", text)
        assert "normally distributed" not in text


def test_files_for_programs_keep_all_digits_and_those_for_people_do_not() -> None:
    report = a_report("go-2000", cells=repeats_of("go-2000", 91_111, 92_222, 93_333, 94_444, 95_555, 96_667))
    (row,) = json.loads(EXPORTS["report.json"](report))["rows"]
    assert row["requests_per_second"] == pytest.approx(18_777.7, rel=1e-12)
    assert str(row["requests_per_second"]) in EXPORTS["report.csv"](report)
    for text in (render_terminal(report), EXPORTS["report.md"](report), EXPORTS["report.html"](report)):
        assert "18,800" in text
        assert "18,77" not in text


def test_the_documents_latency_and_timeouts_stand_beside_ours_in_every_file() -> None:
    report = every_kind()
    row = json.loads(EXPORTS["report.json"](report))["rows"][0]
    assert (row["published_latency_corrected_mean_ms"], row["published_latency_max_ms"]) == (201.9, 2000)
    assert row["published_timeouts"] == 1833
    line = next(line for line in EXPORTS["report.md"](report).splitlines() if line.startswith("| flask-sync |"))
    assert "| 2,000 | 201.90 | 1,833 |" in line
    assert "201.90" not in render_terminal(report)


def test_what_the_document_does_not_tell_has_no_column_beside_ours() -> None:
    quart = published.read("quart-vs-flask", ROOT)
    name = next(iter(quart.rows))
    report = Report(make(a_run(name), [a_cell(name, connections=20, route=quart.rows[name].route)], quart))
    text = EXPORTS["report.md"](report)
    assert "published requests/s" in text
    assert not any(f"published {figure}" in text for figure in ("mean", "max", "timeouts"))
    assert json.loads(EXPORTS["report.json"](report))["rows"][0]["published_timeouts"] is None


def test_every_file_has_the_claims_with_their_figures_and_causes() -> None:
    report = Report(every_kind().table, VERDICTS)
    claims = json.loads(EXPORTS["report.json"](report))["claims"]
    assert [claim["word"] for claim in claims] == [verdict.word for verdict in VERDICTS]
    assert claims[0]["measured"][0]["low"] == 19100.0
    assert claims[0]["reason"] == "because it is reproduced"
    assert (claims[0]["because"]["why"], claims[0]["because"]["facts"]) == ("relations", ["because it is reproduced"])
    text = EXPORTS["report.md"](report)
    assert "1 reproduced, 2 contradicted, 1 not testable here, 1 inconclusive." in text
    assert "- **contradicted**: the contradicted one is \\<b>fast\\</b> \\| faster (claim-2; summary, 2nd sentence)" in text
    assert "    - measured: throughput(go-2000) 19,200 (19,100 to 19,300) requests/s" in text
    assert "    - cause: the listen backlog" in text


def test_a_run_without_claims_has_no_section_of_them() -> None:
    assert "## Claims" not in EXPORTS["report.md"](every_kind())
    assert json.loads(EXPORTS["report.json"](every_kind()))["claims"] == []


def test_the_database_stands_with_the_machines() -> None:
    database = Database("db1", "films", "15.8", {"max_connections": "100"}, "f00d")
    report = a_report("go-2000", database=database)
    text = EXPORTS["report.md"](report)
    assert "- database on db1: PostgreSQL 15.8, data set films (fingerprint f00d)" in text
    assert "## Database films on db1" in text
    assert "| max_connections | 100 |" in text
    assert json.loads(EXPORTS["report.json"](report))["run"]["database"]["version"] == "15.8"


def test_json_of_a_published_set_has_no_run_and_names_the_set() -> None:
    document = json.loads(EXPORTS["report.json"](load_report("quart-vs-flask", ROOT)))
    assert (document["run"], document["machines"], document["published"]["name"]) == (None, [], "quart-vs-flask")
    assert (document["rows"][0]["requests"], document["rows"][0]["errors"]) == (None, None)


def ends(counts: Sequence[int]) -> tuple[float, float]:
    interval = of_median(counts)
    assert interval
    return interval.low, interval.high


EVIL = "=cmd()|[x](y)\r\n# <b>\u2028```"
"""A text that is a formula, a column, a link, several lines, HTML and the end of a block of code."""


def with_evil() -> Report:
    report = every_kind()
    rows = tuple(replace(row, system=EVIL, command=(EVIL,)) for row in report.table.rows)
    return replace(report, table=replace(report.table, rows=rows))


def test_no_text_changes_the_form_of_markdown() -> None:
    plain, evil = (EXPORTS["report.md"](report) for report in (every_kind(), with_evil()))
    assert r"| =cmd()\|\[x](y) # \<b> \`\`\` |" in evil
    headings = [[line for line in text.splitlines() if line.startswith("## ")] for text in (plain, evil)]
    assert headings[0] == headings[1]
    assert evil.count("\n````\n") == 2


def test_no_text_is_a_formula_in_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(EXPORTS["report.csv"](with_evil()), newline="")))
    assert {row["system"] for row in rows} == {printable(f"'{EVIL}")}


def test_claims_are_shown_however_wide_their_values_are() -> None:
    wide = Quantity("throughput(go)", "9" * 300, 1.0, None, None)
    report = Report(every_kind().table, (replace(VERDICTS[0], measured=(wide,)),))
    assert "9" * 300 in render_report(report)
