"""The table of a report: from a run's records, or from published figures, to rows with warnings and ranks."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.report import EXPORTS, Report, load, published, render_terminal, write_reports
from benchrig.report.figures import PublishedSample, Sample, figures_of
from benchrig.report.metrics import BY_NAME, LATENCY_MEAN, REQUESTS, THROUGHPUT, TIMEOUTS
from benchrig.report.ranks import places
from benchrig.report.sentences import sentence
from benchrig.report.table import Table, make
from benchrig.results import store
from benchrig.results.codes import Code
from benchrig.results.model import DatabaseLoad
from benchrig.results.warnings import Warning, number
from benchrig.statistics.interval import of_median
from tests.support.reports import PUBLISHED, ROOT, a_cell, a_latency, a_load, a_run, missing, repeats_of
from tests.support.series import a_cell_of, flat


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Warning]:
    """Warnings to be made, by the name of the row, in place of the audit's own."""
    made: dict[str, Warning] = {}
    monkeypatch.setattr("benchrig.results.audit.warnings", lambda cell, _: (made[cell.name],) if cell.name in made else ())
    return made


def ranks(table: Table) -> list[str]:
    return [places(row.rank) for row in table.rows]


def times(thousands: int) -> list[int]:
    """Return six counts of requests, half a percent around a middle."""
    return [thousands * step for step in (1001, 995, 1005, 997, 1003, 999)]


def test_rows_come_in_the_order_of_the_suite_whatever_the_order_they_ran_in() -> None:
    cells = [a_cell("sanic"), a_cell("go-2000"), a_cell("sanic", 2), a_cell("go-2000", 2)]
    table = make(a_run("go-2000", "sanic"), cells)
    assert [(row.name, row.repeats) for row in table.rows] == [("go-2000", 2), ("sanic", 2)]


def test_a_row_shows_the_median_of_its_repeats_and_their_range() -> None:
    cells = [a_cell(repeat=index, load=a_load(requests)) for index, requests in enumerate([500, 100, 300], 1)]
    (row,) = make(a_run("go-2000"), cells).rows
    assert row.value(REQUESTS) == 300
    values = (100.0, 20.0, 60.0)
    assert row.figures["requests_per_second"] == Sample(values, 60.0, 60.0, 20.0, 100.0, of_median(values))
    assert row.raw == ("raw/go-2000-1.txt", "raw/go-2000-2.txt", "raw/go-2000-3.txt")


def test_the_median_of_a_count_is_one_of_the_counts_and_errors_are_the_most_of_any_repeat() -> None:
    loads = [a_load(100, read=2), a_load(101, read=4, timeout=1), a_load(103, timeout=3), a_load(107, read=7, timeout=2)]
    (row,) = make(a_run("go-2000"), [a_cell(repeat=index, load=load) for index, load in enumerate(loads, 1)]).rows
    assert (row.value(REQUESTS), row.value(THROUGHPUT)) == (101, pytest.approx(20.4))
    assert (row.value(BY_NAME["errors_read"]), row.value(TIMEOUTS), row.value(BY_NAME["errors"])) == (7, 3, 9)
    assert row.figures["errors"].values == (2, 5, 3, 9)


def test_a_row_that_failed_is_not_measured_and_one_failed_repeat_is_told() -> None:
    failed = missing("go-2000", "failed", "the app died")
    (row,) = make(a_run("go-2000"), [failed, replace(failed, repeat=2)]).rows
    assert (row.status, row.reason, row.figures, row.rank) == ("failed", "the app died", {}, None)
    (row,) = make(a_run("go-2000"), [replace(failed, system="Go"), a_cell(repeat=2)]).rows
    assert (row.status, row.invalid, row.rank, row.system) == ("measured", True, None, "Go 1.22.12")
    assert "1 of 2 repeats were not measured: the app died" in map(sentence, row.warnings)


def test_an_invalid_row_is_shown_with_its_figures_and_has_no_rank(warnings: dict[str, Warning]) -> None:
    warnings["go-2000"] = Warning(Code.NO_IDLE_CPU, invalid=True)
    cells = [*repeats_of("go-2000", *times(9)), *repeats_of("sanic", *times(8)), *repeats_of("flask-sync", *times(96))]
    table = make(a_run("go-2000", "sanic", "flask-sync"), cells)
    assert ranks(table) == ["–", "2", "1"]
    line = next(line for line in render_terminal(Report(table)).splitlines() if "invalid" in line)
    assert "8,991" in line
    assert line.endswith("–  invalid 1")
    assert "[1] no idle CPU\n    go-2000: No CPU was idle" in render_terminal(Report(table))


@pytest.mark.usefixtures("warnings")
def test_rows_are_ranked_among_those_with_as_many_connections() -> None:
    cells = [
        *repeats_of("go-2000", *times(96)),
        *repeats_of("go-20000", *times(500), connections=20_000),
        *repeats_of("sanic", *times(80)),
        *repeats_of("go-50", *times(3), connections=50),
        *repeats_of("sanic-20000", *times(300), connections=20_000),
    ]
    table = make(a_run(*dict.fromkeys(cell.name for cell in cells)), cells)
    # A row that is alone under its conditions is not ranked.
    assert ranks(table) == ["1", "1", "2", "–", "2"]


@pytest.mark.usefixtures("warnings")
@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_repeats_give_neither_rank_nor_interval_and_a_line_says_what_would(count: int) -> None:
    rows = {"go-2000": 96, "sanic": 50}
    cells = [cell for name, thousand in rows.items() for cell in repeats_of(name, *times(thousand)[:count])]
    report = Report(make(a_run(*rows), cells))
    assert ranks(report.table) == ["–", "–"]
    said = f"{'1 repeat gives' if count == 1 else '2 repeats give'} no ranks and no intervals; 6 do:"
    bench = "./inv bench -i lab --suite web-frameworks --profile quick"
    command = f"{bench} --only go-2000,sanic --duration 5s --threads 4 --repeats 6"
    text = render_terminal(report)
    assert f"\n\n{said}\n    {command}\n" in text
    assert "#" not in next(line for line in text.splitlines() if "requests/s" in line)
    assert f"\n\n{said}\n\n```\n{command}\n```\n" in EXPORTS["report.md"](report)
    assert f"<p>{said}</p>" in EXPORTS["report.html"](report)
    assert command in EXPORTS["report.html"](report)
    for row in json.loads(EXPORTS["report.json"](report))["rows"]:
        assert (row["rank"], row["rank_last"], row["requests_per_second_ci95_assumed"]) == (None, None, None)


@pytest.mark.usefixtures("warnings")
def test_a_row_of_fewer_repeats_than_the_others_has_no_rank_among_them() -> None:
    cells = [*repeats_of("go-2000", *times(96)), *repeats_of("sanic", *times(50)), *repeats_of("flask-sync", 40_000, 41_000)]
    table = make(a_run("go-2000", "sanic", "flask-sync"), cells)
    assert ranks(table) == ["1", "2", "–"]
    assert "give no ranks" not in render_terminal(Report(table))


def test_a_row_with_a_failed_repeat_is_invalid_and_takes_no_place() -> None:
    failed = missing("go-2000", "failed", "it died", repeat=7)
    cells = [*repeats_of("go-2000", *times(96)), failed, *repeats_of("sanic", *times(95)), *repeats_of("flask", *times(60))]
    table = make(a_run("go-2000", "sanic", "flask"), cells)
    assert table.rows[0].invalid
    assert ranks(table) == ["–", "1", "2"]


@pytest.mark.usefixtures("warnings")
def test_rows_that_the_repeats_do_not_tell_apart_share_places_in_every_report() -> None:
    cells = [*repeats_of("go-2000", *times(50)), *repeats_of("sanic", *times(50)), *repeats_of("flask-sync", *times(20))]
    report = Report(make(a_run("go-2000", "sanic", "flask-sync"), [replace(cell, sleep_seconds=0.0) for cell in cells]))
    assert ranks(report.table) == ["1-2", "1-2", "3"]
    for text in (render_terminal(report), EXPORTS["report.md"](report), EXPORTS["report.html"](report)):
        assert text.count("1-2") == 2
        assert "a rank such as 1-3: the repeats do not tell which of these places is the row's" in text.replace("&#39;", "'")
    rows = json.loads(EXPORTS["report.json"](report))["rows"]
    assert [(row["rank"], row["rank_last"]) for row in rows] == [(1, 2), (1, 2), (3, 3)]
    lines = csv.DictReader(io.StringIO(EXPORTS["report.csv"](report)))
    assert [(line["rank"], line["rank_last"]) for line in lines] == [("1", "2"), ("1", "2"), ("3", "3")]


def test_rows_at_the_ceiling_share_their_places() -> None:
    cells = [*repeats_of("go-2000", *times(96)), *repeats_of("sanic", *times(97)), *repeats_of("flask-sync", *times(80))]
    assert ranks(make(a_run("go-2000", "sanic", "flask-sync"), cells)) == ["1-2", "1-2", "3"]
    assert ranks(make(a_run("go-2000", "sanic"), cells[:12])) == ["1-2", "1-2"]


def test_rows_on_both_sides_of_the_warning_of_the_ceiling_do_not_fall_apart() -> None:
    counts = {"go-2000": 94_900, "sanic": 95_100}
    cells = [cell for name, count in counts.items() for cell in repeats_of(name, *(count + 10 * n for n in range(6)))]
    table = make(a_run(*counts), cells)
    assert [row.at_ceiling for row in table.rows] == [False, True]
    assert ranks(table) == ["1-2", "1-2"]


@pytest.mark.parametrize(("counts", "at"), [([80_000] * 5 + [95_100], False), ([94_000] * 3 + [96_000] * 3, True)])
def test_a_row_is_at_the_ceiling_if_half_of_its_repeats_are(counts: list[int], at: bool) -> None:
    (row,) = make(a_run("go-2000"), repeats_of("go-2000", *counts)).rows
    assert Code.CEILING in {warning.code for warning in row.warnings}
    assert row.at_ceiling == at


def test_rows_at_ceilings_of_their_own_are_ranked_by_throughput() -> None:
    quick = replace(a_load(193_000), latency=a_latency(51.0, 60.0), measured=a_latency(51.0, 60.0))
    cells = [
        *repeats_of("go-2000", *[96_000] * 6),
        *(a_cell("sanic", repeat, load=quick, sleep_seconds=0.05) for repeat in range(1, 7)),
    ]
    table = make(a_run("go-2000", "sanic"), cells)
    assert all(row.at_ceiling for row in table.rows)
    assert ranks(table) == ["2", "1"]


def test_a_warning_says_in_how_many_of_the_repeats(warnings: dict[str, Warning]) -> None:
    warnings["go-2000"] = Warning(Code.LISTEN_BACKLOG, "lab1", {"overflows": number(7)})
    (row,) = make(a_run("go-2000"), [a_cell(), a_cell(repeat=2)]).rows
    (warning,) = row.warnings
    assert (warning.seen_in, warning.repeats) == (number(2), number(2))
    assert sentence(warning).endswith("Seen in 2 of 2 repeats.")


def test_published_figures_stand_beside_a_row_only_at_as_many_connections() -> None:
    same, other = make(a_run("go-2000", "sanic"), [a_cell(), a_cell("sanic", connections=50)], PUBLISHED).rows
    assert same.ratio == pytest.approx(96_000 / 5 / 19_643.94)
    assert (other.published, other.ratio) == (None, None)


def test_published_figures_stand_beside_a_row_only_of_the_same_route() -> None:
    quart = published.read("quart-vs-flask", ROOT)
    name = "films-quart.film"
    cells = [a_cell(name, connections=20, route=route) for route in ("GET /films/995/", "GET /films/")]
    rows = [make(a_run(name), [cell], quart).rows[0] for cell in cells]
    assert [row.published is not None for row in rows] == [True, False]


def test_the_files_of_a_report_are_written_whole_and_made_anew_from_the_records(tmp_path: Path) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, a_run("go-2000", "sanic"))
    store.append(folder, a_cell())
    assert write_reports(folder, ROOT).table.not_run == ("sanic",)
    store.append(folder, a_cell("sanic"))
    report = write_reports(folder, ROOT)
    made = make(a_run("go-2000", "sanic"), [a_cell(), a_cell("sanic")], PUBLISHED)
    assert report.table == replace(made, published_profile="paper", suite_rows=report.table.suite_rows)
    for name, export in EXPORTS.items():
        assert (folder / name).read_text(encoding="utf-8") == export(report)
    assert {path.name for path in folder.iterdir()} == {*EXPORTS, "run.json", "cells.jsonl", "raw"}
    assert render_terminal(report).splitlines()[-1] == f"as a page, with all columns: {folder / 'report.html'}"


def test_a_run_with_unknown_published_figures_is_shown_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, replace(a_run("go-2000"), published="web-framework"))
    assert write_reports(folder, ROOT).table.published is None
    assert "is shown without 'web-framework': there are no such published figures any more" in capsys.readouterr().err


def test_an_interrupted_run_is_incomplete_and_names_the_rows_it_did_not_come_to() -> None:
    table = make(a_run("go-2000", "sanic", finished=False), [a_cell()])
    assert table.incomplete
    assert table.not_run == ("sanic",)
    text = render_terminal(Report(table))
    assert text.startswith("INCOMPLETE")
    assert "not run: sanic" in text
    assert "## Not run\n\n- sanic\n" in EXPORTS["report.md"](Report(table))


def test_a_run_with_all_its_cells_is_complete_also_if_its_end_could_not_be_noted() -> None:
    run = a_run("go-2000", finished=False)
    run = replace(run, settings=replace(run.settings, repeats=2))
    assert make(run, [a_cell()]).incomplete
    assert not make(run, [a_cell(), a_cell(repeat=2)]).incomplete
    assert not make(run, [a_cell(), missing("go-2000", "failed", "it died", repeat=2)]).incomplete


def test_a_run_without_any_cell_still_makes_every_report() -> None:
    table = make(a_run("go-2000", finished=False), [], PUBLISHED)
    assert all(export(Report(table)) for export in EXPORTS.values())
    assert "not run: go-2000" in render_terminal(Report(table))


ROUTES = {"flask.film": "GET /films/995/", "flask.films": "GET /films/", "quart.film": "GET /films/995/"}


def test_rows_are_ranked_among_those_of_the_same_route() -> None:
    counts = {"flask.film": 80, "flask.films": 20, "quart.film": 96}
    cells = [
        cell
        for name, route in ROUTES.items()
        for cell in repeats_of(name, *times(counts[name]), route=route, sleep_seconds=0.0)
    ]
    assert ranks(make(a_run(*ROUTES), cells)) == ["2", "–", "1"]


def test_what_a_load_did_to_the_database_is_a_figure_of_the_row() -> None:
    counts = [(40, 20), (60, 22), (50, 90)]
    cells = [
        a_cell("flask.review", repeat, database=DatabaseLoad(stored=stored, sessions=sessions, commits=stored, rollbacks=0))
        for repeat, (stored, sessions) in enumerate(counts, 1)
    ]
    (row,) = make(a_run("flask.review"), cells).rows
    assert [row.figures[name].median for name in ("stored", "sessions", "listen_overflows")] == [50, 22, 0]


def test_a_row_that_stores_less_than_it_answered_is_invalid_by_itself() -> None:
    lost = a_cell("flask.review", database=DatabaseLoad(stored=0, sessions=20, commits=0, rollbacks=0))
    (row,) = make(a_run("flask.review"), [lost]).rows
    assert (row.invalid, row.rank) == (True, None)


def test_a_published_set_is_a_table_with_the_figures_of_its_document() -> None:
    table = load("web-frameworks", ROOT).table
    assert [row.name for row in table.rows] == list(PUBLISHED.rows)
    row = {row.name: row for row in table.rows}["flask-sync"]
    assert (row.system, row.connections, row.timeout_seconds) == ("Flask-同步方式", 2000, 2.0)
    assert (row.value(REQUESTS), row.figures["requests_per_second"]) == (
        114440,
        PublishedSample((1904.45,), *[1904.45] * 4, None),
    )
    # The document's table has no errors; the text of wrk's that it prints has them.
    assert (row.value(TIMEOUTS), row.value(BY_NAME["errors_read"])) == (1833, 2)
    assert (table.run, table.incomplete, table.not_run) == (None, False, ())


def test_published_figures_are_doubted_as_ours_are() -> None:
    rows = {row.name: row for row in load("web-frameworks", ROOT).table.rows}
    codes = {name: {warning.code for warning in row.warnings} for name, row in rows.items()}
    assert sum(Code.LITTLES_LAW in found for found in codes.values()) == 7
    assert {name for name, found in codes.items() if Code.CEILING in found} == {"go-2000", "openresty-2000", "sanic"}
    assert rows["fastapi-sync"].invalid


def test_a_published_set_has_no_ranks_and_its_figures_as_printed() -> None:
    report = load("web-frameworks", ROOT)
    assert {row.rank for row in report.table.rows} == {None}
    said = "no ranks: an article gives each figure once, which tells no rows apart. The order is the article's"
    for text in (
        render_terminal(report),
        EXPORTS["report.md"](report),
        EXPORTS["report.html"](report).replace("&#39;", "'"),
    ):
        assert said in text
        for figure in ("155,277.58", "19,643.94", "9.85", "149.17", "185.36"):
            assert figure in text


def test_a_document_that_gives_throughput_alone_has_no_other_figure() -> None:
    row = load("quart-vs-flask", ROOT).table.rows[0]
    assert (row.route, row.value(THROUGHPUT)) == ("GET /films/995/", 330.0)
    assert (list(row.figures), row.value(LATENCY_MEAN)) == (["requests_per_second"], None)
    assert row.warnings == ()


@pytest.mark.parametrize(
    ("raw", "message"),
    [("mine.txt", "mine.txt: this is not what wrk prints"), ("none.txt", "none.txt: cannot be read: No such")],
)
def test_a_raw_text_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, raw: str, message: str) -> None:
    folder = tmp_path / "configs" / "published"
    shutil.copytree(ROOT / "configs" / "published", folder)
    (folder / "mine.txt").write_text("Running 1m test\n", encoding="utf-8")
    file = folder / "web-frameworks.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("web-frameworks/sanic.txt", raw), encoding="utf-8")
    with pytest.raises(InputError, match=rf"web-frameworks\.yml:\d+: {message}"):
        load("web-frameworks", tmp_path)


def test_a_run_is_found_before_a_published_set_of_its_name(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    assert load("web-frameworks", tmp_path).table.run is None
    folder = tmp_path / "reports" / "web-frameworks"
    (folder / "raw").mkdir(parents=True)
    store.write_run(folder, replace(a_run("go-2000"), name="web-frameworks"))
    for name in ("web-frameworks", str(folder)):
        assert load(name, tmp_path).table.run is not None


def test_an_unknown_name_says_the_nearest_of_runs_and_of_published_sets(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    folder = store.create(tmp_path / "reports", "web-frameworks")
    store.write_run(folder, a_run("go-2000", finished=False))
    store.append(folder, a_cell())
    with pytest.raises(InputError, match="unknown run 'web-framework'; did you mean web-frameworks"):
        load("web-framework", tmp_path)
    with pytest.raises(InputError, match=f"did you mean .*{folder.name}"):
        load(f"{folder.name[:-2]}x", tmp_path)
    assert load(folder.name[:-2], tmp_path).table.name == load(folder.name, tmp_path).table.name
    with pytest.raises(InputError, match="there is no complete run yet"):
        load("latest", tmp_path)


def test_a_published_set_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    before = sorted(tmp_path.rglob("*"))
    report = write_reports("web-frameworks", tmp_path)
    assert report.table.name == "web-frameworks"
    assert "report.html" not in render_terminal(report)
    assert sorted(tmp_path.rglob("*")) == before


def test_every_export_takes_a_published_set() -> None:
    report = load("web-frameworks", ROOT)
    for text in (render_terminal(report), *(export(report) for export in EXPORTS.values())):
        assert "137,538" in text or "137538" in text


def test_steady_throughput_of_a_row_is_of_all_its_repeats_once_one_has_a_ramp() -> None:
    flats = [a_cell_of(flat, seed=seed) for seed in range(5)]
    slow = a_cell_of(lambda at: 0.2 if at < 1 else 0.88)
    of_row = figures_of([slow, *flats])
    steady, whole = of_row["steady_requests_per_second"], of_row["requests_per_second"]
    assert len(steady.values) == 6
    assert steady.value >= whole.value
    assert steady.values[1:] == whole.values[1:]
    assert "steady_requests_per_second" not in figures_of(flats)
