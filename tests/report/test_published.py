"""The published figures as data: they are the documents', and what the documents say of themselves is computed."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.report import published
from benchrig.report.claims import audit_published
from benchrig.report.claims.audit import Audit, audit
from benchrig.report.columns import COLUMNS
from benchrig.report.metrics import METRICS
from benchrig.report.published import Headings
from benchrig.report.sentences import reason
from tests.support import ROOT

# name, connections, requests, requests/s, mean and maximum as the table writes them, timeouts by wrk's raw text
TABLE = """
flask-no-sleep        2000   137538   2288.49    65.47ms  1.99s      144
flask-sync            2000   114440   1904.45   201.90ms  2.00s     1833
flask-async           2000    57896    964.31   275.49ms  2.00s      611
flask-gevent          2000      592      9.85   185.36ms  1.93s      322
flask-gevent-patched  2000      592      9.85   182.89ms  1.82s      312
flask-gunicorn        2000   948506  15799.31   126.18ms  310.48ms     0
go-2000               2000  1180108  19643.94   101.56ms  121.62ms     0
go-20000             20000  6867733 114258.70   167.56ms  397.95ms     0
fastapi-sync          2000    23494    390.92     1.22s   1.95s    22894
fastapi-async         2000   246744   4106.80   484.53ms  654.48ms     0
fastapi-workers       2000   727517  12123.17   164.52ms  273.27ms     0
fastapi-gunicorn      2000   818281  13620.16   146.43ms  273.27ms     0
sanic                 2000  1154792  19218.08   104.05ms  1.82s       88
openresty-2000        2000  1178854  19619.86   101.43ms  136.59ms     0
openresty-25000      25000  9330399 155277.58   149.17ms  659.40ms     0
"""


def _audit(name: str) -> Audit:
    return next(found for found in audit(ROOT) if found.published.name == name)


def _copy(root: Path, there: str, instead: str) -> Path:
    """Make a project whose only published set is the first document's with one change."""
    folder = root / "configs" / "published"
    shutil.copytree(ROOT / "configs/published/web-frameworks", folder / "web-frameworks")
    text = (ROOT / "configs/published/web-frameworks.yml").read_text(encoding="utf-8")
    assert there in text
    (folder / "web-frameworks.yml").write_text(text.replace(there, instead), encoding="utf-8")
    return root


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(ms|s)", text).groups()
    return float(number) * (1 if unit == "ms" else 1000)


@pytest.mark.parametrize("line", TABLE.strip().splitlines(), ids=lambda line: line.split()[0])
def test_each_row_has_the_figures_of_the_documents_table(line: str) -> None:
    name, connections, requests, throughput, mean, maximum, timeouts = line.split()
    row = published.read("web-frameworks", ROOT).rows[name]
    assert row.connections == int(connections)
    assert row.figures == {
        "requests": int(requests),
        "requests_per_second": float(throughput),
        "latency_corrected_mean_ms": _milliseconds(mean),
        "latency_max_ms": _milliseconds(maximum),
    }
    assert (row.timeouts, row.timeouts_remarked) == (int(timeouts), timeouts != "0")


def test_the_rows_are_the_documents_in_its_order() -> None:
    names = [line.split()[0] for line in TABLE.strip().splitlines()]
    assert list(published.read("web-frameworks", ROOT).rows) == names


def test_requests_and_throughput_of_each_row_agree_over_its_minute() -> None:
    figures = published.read("web-frameworks", ROOT)
    for name, row in figures.rows.items():
        throughput = row.figures["requests"] / figures.source.duration_seconds
        assert throughput == pytest.approx(row.figures["requests_per_second"], rel=0.01), name


@pytest.mark.parametrize("name", ["quart-vs-flask", "web-frameworks"])
def test_every_heading_is_given_in_the_documents_language_and_is_a_columns(name: str) -> None:
    headings = published.read(name, ROOT).headings
    keys = {column.key for column in COLUMNS}
    given = {field.name for field in fields(headings) if getattr(headings, field.name)}
    assert {field.name for field in fields(headings)} <= {*keys, "warnings"}
    assert {metric.name for metric in METRICS if metric.priority} | {field.name for field in fields(Headings)} <= given


@pytest.mark.parametrize("name", ["quart-vs-flask", "web-frameworks"])
def test_every_row_says_where_in_the_document_it_stands(name: str) -> None:
    assert all(row.found_in for row in published.read(name, ROOT).rows.values())


def test_the_timeouts_are_those_of_the_raw_texts() -> None:
    figures = published.read("web-frameworks", ROOT)
    assert set(figures.printed) == set(figures.rows)
    assert {name: text.errors.timeout for name, text in figures.printed.items()} == {
        name: row.timeouts for name, row in figures.rows.items()
    }


@pytest.mark.parametrize(
    ("row", "throughput", "route"),
    [
        ("films-flask-published.film", 330, "GET /films/995/"),
        ("films-flask-published.films", 99, "GET /films/"),
        ("films-flask-published.review", 325, "POST /reviews/"),
        ("films-quart.film", 1160, "GET /films/995/"),
        ("films-quart.films", 195, "GET /films/"),
        ("films-quart.review", 1114, "POST /reviews/"),
    ],
)
def test_the_second_documents_rows_are_six(row: str, throughput: float, route: str) -> None:
    figures = published.read("quart-vs-flask", ROOT)
    assert len(figures.rows) == 6
    found = figures.rows[row]
    assert (found.figures, found.route, found.connections) == ({"requests_per_second": throughput}, route, 20)


def test_of_the_second_documents_figures_two_stand_in_its_text() -> None:
    rows = published.read("quart-vs-flask", ROOT).rows
    in_text = {name for name, row in rows.items() if not row.found_in.startswith("Not in the text")}
    assert in_text == {"films-flask-published.film", "films-quart.film"}


def test_one_figure_of_sixty_differs_from_the_raw_text() -> None:
    found = _audit("web-frameworks")
    assert found.compared == 60
    assert found.differing == ("fastapi-gunicorn, max latency: the table has 273.27ms, the load generator's text 263.13ms",)


def test_a_figure_that_is_changed_by_a_hundredth_differs_from_the_raw_text(tmp_path: Path) -> None:
    root = _copy(tmp_path, "requests_per_second: 19218.08", "requests_per_second: 19218.09")
    (found,) = audit(root)
    assert "sanic, requests/s: the table has 19,218.09, the load generator's text 19,218.08" in found.differing


def test_seven_averages_of_fifteen_contradict_littles_law() -> None:
    found = _audit("web-frameworks")
    assert found.averages == 15
    assert {line.split(":")[0] for line in found.contradicting} == {
        "flask-no-sleep",
        "flask-sync",
        "flask-async",
        "flask-gevent",
        "flask-gevent-patched",
        "fastapi-sync",
        "openresty-25000",
    }


def test_two_times_in_the_prose_do_not_compute() -> None:
    contradicted = {
        verdict.claim: verdict for verdict in _audit("web-frameworks").verdicts if verdict.word == "contradicted"
    }
    assert set(contradicted) == {"gunicorn-ten-times", "go-ten-times-gunicorn"}
    assert reason(contradicted["gunicorn-ten-times"]) == "8.296 is not within 10 % of 10"
    assert reason(contradicted["go-ten-times-gunicorn"]) == "7.232 is not within 10 % of 10"


def test_the_second_document_contradicts_itself_nowhere_and_gives_no_latency_to_test() -> None:
    verdicts = _audit("quart-vs-flask").verdicts
    assert {verdict.claim for verdict in verdicts if verdict.word == "contradicted"} == set()
    assert {verdict.claim for verdict in verdicts if verdict.word == "not testable here" and verdict.expression} == {
        "latency-film",
        "latency-films",
        "latency-review",
    }


def test_the_audit_of_both_documents_fits_a_hundred_columns() -> None:
    text = audit_published(ROOT)
    assert max(map(len, text.splitlines())) <= 100
    assert "59 of 60 figures in the table agree with the load generator's output" in text
    assert "7 of 15 mean latencies contradict Little's law" in text


def test_a_document_may_give_any_metric_that_says_so(tmp_path: Path) -> None:
    root = _copy(tmp_path, "    timeouts: 1833\n", "    timeouts: 1833\n    latency_corrected_p99_ms: 1980\n")
    row = published.read("web-frameworks", root).rows["flask-sync"]
    assert row.figures["latency_corrected_p99_ms"] == 1980
    with pytest.raises(InputError, match="unknown key 'latency_p98_ms'; did you mean"):
        published.read("web-frameworks", _copy(tmp_path / "wrong", "latency_max_ms: 1990", "latency_p98_ms: 1990"))


def test_what_wrk_printed_is_not_taken_for_latency_as_measured(tmp_path: Path) -> None:
    wrong = "'latency_p99_ms' is latency as measured, and wrk prints it corrected; write 'latency_corrected_p99_ms'"
    with pytest.raises(InputError, match=f"web-frameworks.yml:[0-9]+: {wrong}"):
        published.read(
            "web-frameworks", _copy(tmp_path, "    timeouts: 1833\n", "    timeouts: 1833\n    latency_p99_ms: 9\n")
        )


def test_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown published figures 'web-framework'; did you mean web-frameworks"):
        published.read("web-framework", ROOT)


def test_every_mistake_in_a_file_is_shown_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "configs/published/web-frameworks.yml").read_text(encoding="utf-8")
    text = text.replace("requests: 137538", "requests: many").replace("    title: Sanic\n", "    titel: Sanic\n")
    file = tmp_path / "configs/published/mine.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    with pytest.raises(InputError) as caught:
        published.read("mine", tmp_path)
    where = {int(problem.where.rsplit(":", 1)[1]) for problem in caught.value.problems}
    assert lines.index("    requests: many") + 1 in where
    assert lines.index("    titel: Sanic") + 1 in where


def test_a_figure_of_nothing_is_refused(tmp_path: Path) -> None:
    root = _copy(tmp_path, "requests_per_second: 964.31", "requests_per_second: 0")
    with pytest.raises(InputError, match="'requests_per_second' must be above 0"):
        published.read("web-frameworks", root)


@pytest.mark.parametrize(
    ("instead", "wrong"),
    [
        ("web-frameworks/sanik.txt", "web-frameworks/sanik.txt: cannot be read: No such file or directory"),
        ("web-frameworks.yml", "web-frameworks.yml: this is not what wrk prints"),
    ],
)
def test_a_raw_text_that_is_none_is_refused_with_its_line(tmp_path: Path, instead: str, wrong: str) -> None:
    root = _copy(tmp_path, "raw: web-frameworks/sanic.txt", f"raw: {instead}")
    with pytest.raises(InputError) as caught:
        published.read("web-frameworks", root)
    (problem,) = caught.value.problems
    assert problem.message == wrong
    lines = (root / "configs/published/web-frameworks.yml").read_text(encoding="utf-8").splitlines()
    assert problem.where.endswith(f"web-frameworks.yml:{lines.index(f'    raw: {instead}') + 1}")


def test_a_load_generator_that_does_not_exist_is_named_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "configs" / "published"
    shutil.copytree(ROOT / "configs" / "published", folder)
    path = folder / "web-frameworks.yml"
    path.write_text(path.read_text().replace("  threads: 4\n", "  threads: 4\n  generator: wrq\n"))
    with pytest.raises(InputError, match=r"web-frameworks\.yml:\d+: unknown load generator 'wrq'; did you mean wrk\?"):
        published.read("web-frameworks", tmp_path)
