"""The report: from a run's records to one table, and from it to the terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from wcwidth import wcswidth

from benchrig.errors import InputError
from benchrig.report import EXPORTS, Table, published, render_terminal, write_reports
from benchrig.report.columns import milliseconds
from benchrig.report.figures import spread
from benchrig.report.record import Record
from benchrig.report.table import make
from benchrig.results import audit, store
from benchrig.results.model import (
    Cell,
    Generator,
    Latency,
    Load,
    LoadErrors,
    Machine,
    Remark,
    Run,
    ServerLoad,
)

ROOT = Path(__file__).parent.parent
PUBLISHED = published.read("web-frameworks", ROOT)
NGINX = "nginx 1.22.1 + Lua 0.10.23"

GENERATOR = Generator(
    command=("wrk", "-t4", "-c2000", "-d5s", "http://127.0.0.1:8080/health"),
    exit_code=0,
    wall_seconds=5.1,
    cpu_seconds=0.4,
)
SERVER = ServerLoad(
    seconds=5.0,
    cpu_percent=61.5,
    memory_peak_bytes=40_000_000,
    processes=1,
    load_average=1.2,
    machine_idle_percent=61.0,
    machine_steal_percent=0.0,
    machine_interrupt_percent=4.0,
    listen_overflows=0,
    listen_drops=0,
    retransmits=0,
    time_wait_peak=12,
    samples=5,
    sampler_cpu_seconds=0.01,
)


def a_load(requests: int = 96_000, **errors: int) -> Load:
    percentiles = {"50": 101_000.0, "75": 101_900.0, "90": 103_000.0, "99": 108_000.0, "99.9": 117_000.0}
    return Load(
        requests=requests,
        duration_us=5_000_000,
        bytes=requests * 118,
        errors=LoadErrors(**errors),
        latency=Latency(mean_us=101_560.0, stdev_us=1_480.0, min_us=100_100.0, max_us=121_620.0, percentiles_us=percentiles),
        replies_checked=requests,
        replies_wrong=0,
    )


def a_cell(name: str = "go-2000", repeat: int = 1, load: Load | None = None, **changes: object) -> Cell:
    cell = Cell(
        name=name,
        app="go",
        system="Go 1.22.12",
        host="lab1",
        repeat=repeat,
        connections=2000,
        threads=4,
        duration_seconds=5.0,
        timeout_seconds=10.0,
        status="measured",
        sleep_seconds=0.1,
        cores=2,
        load=load or a_load(),
        generator=GENERATOR,
        server=SERVER,
        versions={"go": "1.22.12"},
        raw=f"raw/{name}-{repeat}.txt",
    )
    return replace(cell, **changes)


def missing(name: str, status: str, reason: str, connections: int = 2000) -> Cell:
    return a_cell(name, status=status, reason=reason, connections=connections, load=None, generator=None, server=None)


def a_run(*rows: str, finished: bool = True) -> Run:
    machine = Machine(
        name="lab1",
        kind="lab",
        cpu="Example CPU @ 2.0 GHz",
        cores=2,
        memory_bytes=8 * 2**30,
        kernel="6.1.0-26-amd64",
        os="Debian GNU/Linux 12 (bookworm)",
        virtualization="systemd-nspawn",
        sysctls={"net.core.somaxconn": "65535"},
        limits={"nofile": "20000"},
        versions={"wrk": "4.1.0"},
    )
    return Run(
        name="2025-01-02T03-04-05",
        suite="web-frameworks",
        suite_title="Web frameworks",
        profile="quick",
        inventory="lab",
        rows=rows,
        settings={"duration": "5 s", "timeout": "10 s", "threads": "4", "repeats": "1"},
        published="web-frameworks",
        started_at="2025-01-02T03:04:05Z",
        finished_at="2025-01-02T03:06:05Z" if finished else "",
        machines=(machine,),
        git_commit="abc1234",
        benchrig_version="0.1.0",
    )


def a_table() -> Table:
    """Return the table of a run with a row of every kind."""
    cells = [
        a_cell("flask-sync", system="Flask 3.0.3 | sync", load=a_load(900, read=2, timeout=40)),
        a_cell("go-2000"),
        missing("go-20000", "not_possible", "20,000 connections need 20,100 descriptors, the limit is 20,000", 20_000),
        missing("sanic", "failed", "it does not answer\nTraceback:\n  ImportError: no *sanic*"),
        a_cell("openresty-2000", system=NGINX, load=a_load(97_000)),
    ]
    return make(a_run("flask-sync", "go-2000", "go-20000", "sanic", "openresty-2000"), cells, PUBLISHED)


@pytest.fixture
def remarks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Remark]:
    """Remarks to be made, by the name of the row, in place of the audit's own."""
    made: dict[str, Remark] = {}
    monkeypatch.setattr("benchrig.results.audit.remarks", lambda cell: (made[cell.name],) if cell.name in made else ())
    return made


def test_rows_come_in_the_order_of_the_suite_whatever_the_order_they_ran_in() -> None:
    cells = [a_cell("sanic"), a_cell("go-2000"), a_cell("sanic", 2), a_cell("go-2000", 2)]
    table = make(a_run("go-2000", "sanic"), cells)
    assert [(row.name, row.repeats) for row in table.rows] == [("go-2000", 2), ("sanic", 2)]


def test_a_row_shows_the_median_of_its_repeats_and_their_range() -> None:
    cells = [a_cell(repeat=index, load=a_load(requests)) for index, requests in enumerate([500, 100, 300], 1)]
    (row,) = make(a_run("go-2000"), cells).rows
    assert row.figures is not None
    assert row.figures.requests == 300
    assert row.figures.requests_per_second == spread([20.0, 60.0, 100.0])
    assert row.raw == ("raw/go-2000-1.txt", "raw/go-2000-2.txt", "raw/go-2000-3.txt")


@pytest.mark.parametrize(("repeats", "interval"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (20, (6, 15))])
def test_the_interval_of_the_median_is_the_one_of_the_tables(repeats: int, interval: tuple[int, int] | None) -> None:
    assert spread(range(repeats, 0, -1)).interval == interval


def test_a_row_that_failed_is_not_measured_and_one_failed_repeat_is_told() -> None:
    failed = missing("go-2000", "failed", "the app died")
    (row,) = make(a_run("go-2000"), [failed, replace(failed, repeat=2)]).rows
    assert (row.status, row.reason, row.figures, row.rank) == ("failed", "the app died", None, None)
    (row,) = make(a_run("go-2000"), [replace(failed, system="Go"), a_cell(repeat=2)]).rows
    assert (row.status, row.invalid, row.rank, row.system) == ("measured", True, None, "Go 1.22.12")
    assert "1 of 2 repeats not measured: the app died" in [remark.text for remark in row.remarks]


def test_an_invalid_row_is_shown_with_its_figures_and_has_no_rank(remarks: dict[str, Remark]) -> None:
    remarks["go-2000"] = Remark("clipped", "latency clipped", invalid=True)
    cells = [a_cell("go-2000", load=a_load(9_000)), a_cell("sanic", load=a_load(8_000)), a_cell("flask-sync")]
    table = make(a_run("go-2000", "sanic", "flask-sync"), cells)
    assert [row.rank for row in table.rows] == [None, 2, 1]
    line = next(line for line in render_terminal(table).splitlines() if "invalid" in line)
    assert "9,000" in line
    assert line.endswith("invalid 1")
    assert "[1] clipped\n    go-2000: latency clipped" in render_terminal(table)


@pytest.mark.usefixtures("remarks")
def test_rows_are_ranked_among_those_with_as_many_connections() -> None:
    cells = [
        a_cell("go-2000"),
        a_cell("go-20000", load=a_load(500_000), connections=20_000),
        a_cell("sanic", load=a_load(90_000)),
    ]
    assert [row.rank for row in make(a_run("go-2000", "go-20000", "sanic"), cells).rows] == [1, 1, 2]


def test_rows_at_the_ceiling_share_their_rank() -> None:
    cells = [a_cell("go-2000", load=a_load(96_000)), a_cell("sanic", load=a_load(97_000)), a_cell("flask-sync")]
    cells[2] = replace(cells[2], load=a_load(80_000))
    table = make(a_run("go-2000", "sanic", "flask-sync"), cells)
    assert [row.rank for row in table.rows] == [1, 1, 3]


def test_a_remark_says_in_how_many_of_the_repeats(remarks: dict[str, Remark]) -> None:
    remarks["go-2000"] = Remark("busy", "generator busy")
    (row,) = make(a_run("go-2000"), [a_cell(), a_cell(repeat=2)]).rows
    assert row.remarks == (Remark("busy", "generator busy (in 2 of 2 repeats)"),)


def test_each_kind_of_remark_is_one_note_that_names_its_rows() -> None:
    load = a_load(read=2, write=3)
    cells = [a_cell("go-2000", load=load), a_cell("sanic", load=load), a_cell("flask-sync", load=a_load(90_000, read=9))]
    text = render_terminal(make(a_run("go-2000", "sanic", "flask-sync"), cells))
    assert "go-2000, sanic: 2 connections broke while reading; 3 connections broke while writing\n" in text
    assert "    flask-sync: 9 connections broke while reading\n" in text
    assert text.count("] connection errors\n") == 1


def test_several_repeats_show_how_far_they_are_from_their_median() -> None:
    loads = [a_load(90_000), a_load(100_000), a_load(105_000), a_load(100_000), a_load(98_000), a_load(101_000)]
    cells = [a_cell(repeat=repeat, load=load) for repeat, load in enumerate(loads, 1)]
    few, enough = (render_terminal(make(a_run("go-2000"), cells[:n])) for n in (3, 6))
    assert ("min/max" in few, "interval" in few) == (True, False)
    assert ("min/max" in enough, "interval" in enough) == (False, True)
    assert "-10%/+5%" in few
    assert "-10%/+5%" in enough


def test_published_figures_stand_beside_a_row_only_at_as_many_connections() -> None:
    same, other = make(a_run("go-2000", "sanic"), [a_cell(), a_cell("sanic", connections=50)], PUBLISHED).rows
    assert same.ratio == pytest.approx(96_000 / 5 / 19_643.94)
    assert (other.published, other.ratio) == (None, None)


def test_the_files_of_a_report_are_written_whole_and_made_anew_from_the_records(tmp_path: Path) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, a_run("go-2000", "sanic"))
    store.append(folder, a_cell())
    assert write_reports(folder, ROOT).not_run == ("sanic",)
    store.append(folder, a_cell("sanic"))
    table = write_reports(folder, ROOT)
    assert table == make(a_run("go-2000", "sanic"), [a_cell(), a_cell("sanic")], PUBLISHED)
    for name, export in EXPORTS.items():
        assert (folder / name).read_text(encoding="utf-8") == export(table)
    assert {path.name for path in folder.iterdir()} == {*EXPORTS, "run.json", "cells.jsonl", "raw"}


def test_a_run_with_unknown_published_figures_names_the_nearest(tmp_path: Path) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, replace(a_run("go-2000"), published="web-framework"))
    with pytest.raises(InputError, match="did you mean web-frameworks"):
        write_reports(folder, ROOT)


def test_an_interrupted_run_is_incomplete_and_names_the_rows_it_did_not_come_to() -> None:
    table = make(a_run("go-2000", "sanic", finished=False), [a_cell()])
    assert table.incomplete
    assert table.not_run == ("sanic",)
    text = render_terminal(table)
    assert text.startswith("INCOMPLETE")
    assert "not run: sanic" in text
    assert "## Not run\n\n- sanic\n" in EXPORTS["report.md"](table)


def test_a_run_without_any_cell_still_makes_every_report() -> None:
    table = make(a_run("go-2000", finished=False), [], PUBLISHED)
    assert all(export(table) for export in EXPORTS.values())
    assert "not run: go-2000" in render_terminal(table)


@pytest.mark.parametrize(
    ("value", "text"), [(65.47, "65.47ms"), (999.99, "999.99ms"), (999.999, "1.00s"), (1990.0, "1.99s"), (None, "–")]
)
def test_latency_is_written_as_wrk_writes_it(value: float | None, text: str) -> None:
    assert milliseconds(value) == text


def test_latency_that_nothing_measured_is_left_open() -> None:
    load = a_load(0)
    load = replace(load, latency=Latency(0.0, 0.0, 0.0, 0.0, {}))
    (row,) = json.loads(EXPORTS["report.json"](make(a_run("go-2000"), [a_cell(load=load)])))["rows"]
    assert (row["requests"], row["latency_mean_ms"], row["latency_p99_ms"]) == (0, None, None)


def test_the_terminal_shows_the_documents_columns() -> None:
    text = render_terminal(a_table())
    line = next(line for line in text.splitlines() if line.startswith("Go 1.22.12 ") and "96,000" in line)
    assert line.split()[2:13] == [
        "2,000", "96,000", "19,200.00", "101.56ms", "121.62ms", "101.00ms", "108.00ms", "0", "62%", "19,643.94", "0.98",
    ]  # fmt: skip
    assert "lab1: Example CPU @ 2.0 GHz, 2 cores, 8.0 GiB, Debian GNU/Linux 12 (bookworm), kernel 6.1.0-26-amd64" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("repeats", "lang"), [(1, "en"), (3, "en"), (6, "en"), (1, "zh")])
def test_the_terminals_text_fits_160_characters(repeats: int, lang: str) -> None:
    load = a_load(999_999, read=50_000, timeout=20_000)
    changes = {"system": "Flask + gevent, monkey-patched first", "load": load}
    names = ("flask-gevent-patched", "sanic")
    cells = [a_cell(name, repeat, **changes) for name in names for repeat in range(repeats)]
    text = render_terminal(make(a_run(*names), cells, PUBLISHED), lang)
    assert "20,305" in text
    assert max(wcswidth(line) for line in text.splitlines()) <= 160


def test_the_chinese_headings_are_the_documents_and_stand_above_their_columns() -> None:
    lines = render_terminal(a_table(), "zh").splitlines()
    heading = next(index for index, line in enumerate(lines) if line.startswith("项目"))
    for word in ("项目", "总请求量", "每秒请求量", "平均响应时间", "最大响应时间", "备注"):
        assert word in lines[heading]
    rule = lines[heading + 1]
    ends = [index for index, (here, after) in enumerate(itertools.pairwise(rule)) if here == "-" and after == " "]
    before = lines[heading][: lines[heading].index("最大响应时间") + len("最大响应时间")]
    assert wcswidth(before) - 1 in ends


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(InputError, match="unknown language 'fr'; known: en, zh"):
        render_terminal(a_table(), "fr")
    with pytest.raises(InputError, match="unknown language 'zh'; known: en"):
        render_terminal(make(a_run("go-2000"), [a_cell()]), "zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_report_names_what_really_ran(lang: str) -> None:
    table = a_table()
    for text in (render_terminal(table, lang), *(export(table) for export in EXPORTS.values())):
        assert NGINX in text
    assert "OpenResty " not in render_terminal(table, lang).split("\npublished\n")[0]


def test_markdown_keeps_its_table_whole_whatever_the_texts_hold() -> None:
    text = EXPORTS["report.md"](a_table())
    table = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(line.replace("\\|", "").split("|")) for line in table[: 2 + 5]}
    assert len(widths) == 1
    assert "Flask 3.0.3 \\| sync" in text
    assert "20,000 connections need 20,100 descriptors" in text
    assert "ImportError: no *sanic*" in text


def test_markdown_says_how_to_repeat_the_run() -> None:
    text = EXPORTS["report.md"](a_table())
    assert (
        "./inv bench -i lab --suite web-frameworks --profile quick "
        "--only flask-sync,go-2000,go-20000,sanic,openresty-2000 --duration 5s --threads 4 --repeats 1\n" in text
    )
    assert "# go-2000\nwrk -t4 -c2000 -d5s http://127.0.0.1:8080/health" in text


def test_the_command_to_repeat_a_run_has_the_connections_where_all_rows_had_as_many() -> None:
    cells = [a_cell("go-2000", connections=50), a_cell("go-20000", connections=50)]
    text = EXPORTS["report.md"](make(a_run("go-2000", "go-20000"), cells))
    assert "--only go-2000,go-20000 --duration 5s --threads 4 --repeats 1 --connections 50\n" in text


def test_csv_reads_back_with_a_field_for_every_column() -> None:
    table = a_table()
    records = list(csv.DictReader(io.StringIO(EXPORTS["report.csv"](table))))
    assert [record["name"] for record in records] == [row.name for row in table.rows]
    assert records[0]["system"] == "Flask 3.0.3 | sync"
    assert records[3]["reason"].splitlines()[0] == "it does not answer"
    assert (records[3]["requests"], records[1]["requests_per_second"]) == ("", "19200.0")
    assert all(None not in record and None not in record.values() for record in records)


def test_json_has_the_rows_with_their_keys_and_every_figure_is_the_cells() -> None:
    document = json.loads(EXPORTS["report.json"](a_table()))
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
    assert row["latency_mean_ms"] == cell.load.latency.mean_us / 1000
    assert row["latency_max_ms"] == cell.load.latency.max_us / 1000
    assert row["latency_p50_ms"] == cell.load.latency.percentiles_us["50"] / 1000
    assert row["latency_p99_ms"] == cell.load.latency.percentiles_us["99"] / 1000
    assert (row["errors"], row["errors_read"], row["errors_timeout"]) == (42, 2, 40)
    assert row["server_cpu_percent"] == cell.server.cpu_percent
    assert row["published_requests_per_second"] == 1904.45
    assert row["ratio"] == 180.0 / 1904.45
    assert {"code", "text", "invalid"} == set(row["remarks"][0])


def test_json_of_a_row_without_figures_has_every_key_and_its_reason() -> None:
    rows = json.loads(EXPORTS["report.json"](a_table()))["rows"]
    assert rows[2].keys() == rows[0].keys()
    assert "the limit is 20,000" in rows[2]["reason"]
    assert (rows[2]["connections"], rows[2]["requests"], rows[2]["errors"]) == (20_000, None, None)


def test_the_guide_explains_every_figure_and_every_kind_of_remark() -> None:
    guide = (ROOT / "docs/reading-a-report.md").read_text(encoding="utf-8")
    source = Path(audit.__file__).read_text(encoding="utf-8") + Path(make.__code__.co_filename).read_text(encoding="utf-8")
    kinds = re.findall(r'Remark\("(\w+)"', source)
    assert len(kinds) >= 9
    assert [kind for kind in kinds if f"| {kind.replace('_', ' ')} |" not in guide] == []
    assert [field.name for field in fields(Record) if f"`{field.name}`" not in guide] == []
