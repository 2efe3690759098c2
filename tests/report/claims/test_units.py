"""Units in expressions: written, converted, and refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.report import claims
from benchrig.report.claims.dimensions import WRITTEN
from benchrig.report.claims.functions import names_of
from benchrig.report.claims.language import Number
from benchrig.report.claims.parser import ExpressionError, parse
from benchrig.report.sentences import reason as because
from tests.support import ROOT
from tests.support.claims import judged, measured, one, project

ROWS = ("go", "sanic")


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("200 ms", 200, "ms"),
        ("200ms", 200, "ms"),
        ("0.2 s", 200, "ms"),
        ("500 us", 0.5, "ms"),
        ("0.2 ms", 200, "µs"),
        ("500 µs", 0.5, "ms"),
        ("500 μs", 0.5, "ms"),
        ("20000 requests/s", 20000, "requests/s"),
        ("85 %", 85, "% of a core"),
        ("85%", 85, "% of a core"),
        ("100 B", 100, "bytes"),
        ("2 KiB", 2048, "bytes"),
        ("1.5 MiB", 1.5 * 2**20, "bytes"),
        ("2 GiB", 2 * 2**30, "bytes"),
    ],
)
def test_a_number_with_a_unit_is_converted_to_that_of_the_metrics(written: str, value: float, unit: str) -> None:
    function = {
        "ms": "latency_p99",
        "µs": "cpu_per_request",
        "requests/s": "throughput",
        "% of a core": "cpu",
        "bytes": "memory",
    }[unit]
    (comparison,) = parse(f"{function}(go) < {written}", names_of(ROWS)).comparisons
    number = comparison.terms[1]
    assert isinstance(number, Number)
    assert (number.value, number.unit) == (pytest.approx(value), unit)


@pytest.mark.parametrize(
    "text",
    [
        "latency_p99(go) > 200",
        "latency_p99(go) + 5 ms < 0.2 s",
        "latency_max(go) < 2 * latency_corrected_mean(go)",
        "latency_p99(go) - latency_p50(go) < 100 ms",
        "throughput(go) / throughput(sanic) >= 7",
        "throughput(go) > 95 % * throughput(sanic)",
        "cpu(go) * 10 % < cpu(sanic)",
        "cpu_per_request(go) < 2 * cpu_per_request(sanic)",
        "throughput(go) / cores(go) > 4000 requests/s",
        "cpu(go) < 50 * cores(go)",
        "cpu(go) < 50 % * cores(go)",
        "cpu(go) >= 4 * 85",
        "load_average(go) >= 0.9 * cores(go)",
        "errors(go) / requests(go) < 1 %",
        "1 % > errors(go) / requests(go)",
        "errors(go) / requests(go) < 1 % < errors(sanic) / requests(sanic) < 5 %",
        "errors(go) / requests(go) + 1 % < 0.05",
        "memory(go) < 200 MiB + 2 * memory(sanic)",
        "60 * throughput(go) > 1000000",
        "throughput(go) * latency_mean(go) / 1000 < 2000",
        "throughput(go) * latency_mean(go) < 2000 requests/s * 1 s",
        "1 / latency_mean(go) > 1 / 5 ms",
        "max(latency_p99(go), 100 ms, 5) < 0.2 s",
        "requests(go) > errors(go) + 100",
        "(throughput(go) / throughput(sanic) + latency_p50(sanic) / latency_p50(go)) / 2 > 1",
    ],
)
def test_what_is_of_one_kind_can_be_compared_and_added(text: str) -> None:
    assert parse(text, names_of(ROWS)).figures


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "latency_p99(go) > 200 requests/s", 17,
            "latency_p99(go) is in ms and 200 requests/s is in requests/s: they cannot be compared",
        ),
        ("throughput(go) > 200 ms", 16, "throughput(go) is in requests/s and 200 ms is in ms: they cannot be compared"),
        (
            "latency_mean(go) + throughput(go) > 5", 18,
            "latency_mean(go) is in ms and throughput(go) is in requests/s: they cannot be added",
        ),
        ("latency_mean(go) - 5 % > 5 ms", 18, "is in ms and 5 % is in % of a core: they cannot be subtracted"),
        ("latency_p99(go) < throughput(go)", 17, "they cannot be compared"),
        ("latency_p99(go) < 2 * throughput(go)", 17, "2 * throughput(go) is in requests/s: they cannot be compared"),
        ("cpu(go) > cores(go)", 9, "cpu(go) is in % of a core and cores(go) is a plain number: they cannot be compared"),
        ("errors(go) < 1 %", 12, "errors(go) is a plain number and 1 % is in % of a core: they cannot be compared"),
        ("throughput(go) / throughput(sanic) > 7 ms", 36, "is a plain number and 7 ms is in ms: they cannot be compared"),
        ("throughput(go) * 60 s > 1000000", 23, " * 60 s is in ms * requests/s: a number beside it needs units"),
        ("throughput(go) / latency_mean(go) > 5 ms", 35, "is in requests/s / ms and 5 ms is in ms: they cannot be compared"),
        ("latency_mean(go) * latency_mean(go) > 5 ms", 37, "is in ms^2 and 5 ms is in ms: they cannot be compared"),
        ("max(latency_p99(go), throughput(go)) > 5", 1, "they cannot be compared"),
        ("cpu(go) > 5 % > errors(go) / requests(go)", 15, "5 % has another unit here than before it: write two comparisons"),
        ("latency_p99(go) > 200 sec", 23, "unknown unit 'sec'; "),
        ("latency_p99(go) > 200 parsecs", 23, "unknown unit 'parsecs'"),
        ("throughput(go) > 20k requests/s", 20, "unknown unit 'k'; known: %, B, GiB, KiB, MiB, ms, requests/s, s, us, µs"),
        ("latency_p99(go) > 200 MB/s", 23, "unknown unit 'MB/s'"),
        ("has_timeouts(go) == 1 s", 18, "yes and no can only be compared by =="),
    ],
)  # fmt: skip
def test_what_is_of_different_kinds_is_refused_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError, match=f"^column {column} of the expression: ") as caught:
        parse(text, names_of(ROWS))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_a_file_of_claims_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "claims:\n  it:\n    says: It is so.\n    place: Summary\n    expression: latency_mean(sanic) < throughput(sanic)\n"
    )
    with pytest.raises(InputError) as caught:
        claims.read("web-frameworks", project(tmp_path, text))
    assert str(caught.value).endswith(
        "web-frameworks.yml:5: column 21 of the expression: latency_mean(sanic) is in ms and throughput(sanic) is in "
        "requests/s: they cannot be compared"
    )


def test_a_verdict_shows_units_as_they_are_written_and_those_of_sums(tmp_path: Path) -> None:
    cells = measured({"sanic": [800, 810, 820, 830, 840, 850], "flask-sync": [100] * 6})
    verdict = judged(one(tmp_path / "a", "throughput(sanic) > 0.5 * 1000 requests/s"), cells)
    assert verdict.word == "reproduced"
    verdict = judged(one(tmp_path / "b", "latency_max(sanic) >= 0.2 s"), cells)
    assert because(verdict) == "latency_max(sanic) 300 ms is at least 0.2 s"
    verdict = judged(one(tmp_path / "c", "throughput(sanic) + throughput(flask-sync) > 700 requests/s"), cells)
    assert because(verdict).startswith("924.8 [")
    assert because(verdict).endswith("] requests/s is above 700 requests/s")


def test_the_guide_names_every_unit() -> None:
    guide = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert [unit for unit in WRITTEN if f"`{unit}`" not in guide] == []


@pytest.mark.parametrize(("share", "word"), [("80 %", "reproduced"), ("95 %", "contradicted")])
def test_a_percentage_of_a_figure_is_a_share_of_it(tmp_path: Path, share: str, word: str) -> None:
    cells = measured({"sanic": [90, 90.5, 91, 89.5, 90, 90], "flask-sync": [100] * 6})
    assert judged(one(tmp_path, f"throughput(sanic) > {share} * throughput(flask-sync)"), cells).word == word
