"""The published figures: the first document's table as data, and mistakes in such a file shown where they stand."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.report import published
from benchrig.report.columns import COLUMNS
from benchrig.report.published import Headings

ROOT = Path(__file__).parent.parent

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


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(ms|s)", text).groups()
    return float(number) * (1 if unit == "ms" else 1000)


@pytest.mark.parametrize("line", TABLE.strip().splitlines(), ids=lambda line: line.split()[0])
def test_each_row_has_the_figures_of_the_documents_table(line: str) -> None:
    name, connections, requests, throughput, mean, maximum, timeouts = line.split()
    row = published.read("web-frameworks", ROOT).rows[name]
    assert (row.connections, row.requests, row.requests_per_second) == (int(connections), int(requests), float(throughput))
    assert (row.latency_mean_ms, row.latency_max_ms) == (_milliseconds(mean), _milliseconds(maximum))
    assert (row.timeouts, row.timeouts_remarked) == (int(timeouts), timeouts != "0")


def test_the_rows_are_the_documents_in_its_order() -> None:
    names = [line.split()[0] for line in TABLE.strip().splitlines()]
    assert list(published.read("web-frameworks", ROOT).rows) == names


def test_requests_and_throughput_of_each_row_agree_over_its_minute() -> None:
    figures = published.read("web-frameworks", ROOT)
    for name, row in figures.rows.items():
        assert row.requests / figures.source.duration_seconds == pytest.approx(row.requests_per_second, rel=0.01), name


def test_every_column_can_have_a_heading_in_the_documents_language() -> None:
    headings = published.read("web-frameworks", ROOT).headings
    assert {field.name for field in fields(Headings)} == {*(column.key for column in COLUMNS), "remarks"}
    assert all(getattr(headings, field.name) for field in fields(Headings))


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
    text = (ROOT / "configs/published/web-frameworks.yml").read_text(encoding="utf-8")
    file = tmp_path / "configs/published/mine.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("requests_per_second: 964.31", "requests_per_second: 0"), encoding="utf-8")
    with pytest.raises(InputError, match="'requests_per_second' must be above 0"):
        published.read("mine", tmp_path)
