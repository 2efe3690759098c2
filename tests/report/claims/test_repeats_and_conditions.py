"""Claims about counts and extremes of several repeats, and under other conditions than the article's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.report import claims
from benchrig.report.describe import next_steps
from benchrig.report.load import load
from benchrig.report.sentences import reason as because
from benchrig.report.table import make
from benchrig.results import store
from benchrig.results.model import Cell
from tests.support.claims import DOCUMENT, judged, judged_as_published, one, timed
from tests.support.reports import PUBLISHED, ROOT, SERVER, a_cell, a_run

PAPER = (
    "./inv bench -i lab --suite web-frameworks --profile paper --only sanic --duration 60s --threads 4 --repeats {repeats}"
)


def repeats(*errors: int, kind: str = "read") -> list[Cell]:
    """Return a row with so many errors in each repeat."""
    return [a_cell("sanic", repeat, timed(900, **{kind: count})) for repeat, count in enumerate(errors, 1)]


def slowest(*replies_ms: float) -> list[Cell]:
    """Return a row with the slowest reply of each repeat."""
    return [a_cell("sanic", repeat, timed(900, ms)) for repeat, ms in enumerate(replies_ms, 1)]


# All repeats


@pytest.mark.parametrize(
    ("expression", "errors", "word"),
    [
        ("errors(sanic) == 0", [0, 0, 0, 0, 0, 0], "reproduced"),
        ("errors(sanic) == 0", [0, 100_000, 0, 0, 100_000, 0], "inconclusive"),
        ("errors(sanic) == 0", [3, 1, 2], "contradicted"),
        ("errors(sanic) < 10", [3, 1, 2], "reproduced"),
        ("errors(sanic) < 10", [3, 1, 12], "inconclusive"),
        ("errors(sanic) < 10", [30, 11, 12], "contradicted"),
        ("errors(sanic) > 10", [30, 11, 12], "reproduced"),
        ("errors(sanic) > 10", [30, 0, 12], "inconclusive"),
        ("errors_read(sanic) >= 1", [0, 0, 1], "inconclusive"),
    ],
)
def test_a_count_is_judged_by_every_repeat(tmp_path: Path, expression: str, errors: list[int], word: str) -> None:
    assert judged_as_published(one(tmp_path, expression), repeats(*errors)).word == word


def test_repeats_that_differ_are_told_with_their_range_and_no_more_of_them_are_asked_for(tmp_path: Path) -> None:
    verdict = judged_as_published(one(tmp_path, "errors(sanic) == 0"), repeats(0, 100_000, 0, 0, 100_000, 0))
    assert because(verdict) == (
        "errors(sanic) 0 to 100,000 may or may not be equal to 0. The 6 repeats differ, and more of them would not decide."
    )
    assert (verdict.wanted, verdict.measured[0].text) == (None, "0 to 100,000")


def test_a_row_with_errors_in_some_repeats_shows_the_most_of_them() -> None:
    (row,) = make(a_run("sanic"), repeats(0, 0, 0, 7, 0, 0)).rows
    assert {name: row.figures[name].value for name in ("errors", "errors_read")} == {"errors": 7, "errors_read": 7}


def test_the_maximum_is_that_of_all_repeats_and_the_minimum_too() -> None:
    cells = slowest(300, 310, 305, 300, 302, 1_900, 300)
    latencies = [replace(cell.load.latency, min_us=1e3 * cell.repeat) for cell in cells if cell.load]
    loads = [replace(timed(900), latency=latency) for latency in latencies]
    (row,) = make(a_run("sanic"), [replace(cell, load=one) for cell, one in zip(cells, loads, strict=True)]).rows
    assert (row.figures["latency_max_ms"].value, row.figures["latency_max_ms"].median) == (1_900, 302)
    assert row.figures["latency_min_ms"].value == 1


def test_an_extreme_is_judged_by_every_repeat_once_there_are_enough(tmp_path: Path) -> None:
    claim = one(tmp_path, "latency_max(sanic) < 310")
    assert judged_as_published(claim, slowest(*[300.0] * 5)).word == "inconclusive"
    assert judged_as_published(claim, slowest(*[300.0] * 6)).word == "reproduced"
    # Of nine repeats, the interval of the median leaves the slowest out.
    verdict = judged_as_published(claim, slowest(*[300.0] * 8, 320.0))
    assert (verdict.word, verdict.measured[0].text) == ("inconclusive", "300 to 320 ms")
    assert judged_as_published(claim, slowest(*[320.0] * 6)).word == "contradicted"


# Late replies


@pytest.mark.parametrize(("late", "word"), [(0, "no"), (3, "yes (3 timeouts)")])
def test_a_load_as_long_and_with_the_timeout_of_the_articles_decides_on_late_replies(
    tmp_path: Path, late: int, word: str
) -> None:
    verdict = judged_as_published(one(tmp_path, "has_timeouts(sanic) == yes"), repeats(late, kind="timeout"))
    assert (verdict.word, verdict.measured[0].text) == ("reproduced" if late else "contradicted", word)


def test_a_late_reply_in_one_of_the_repeats_is_a_timeout(tmp_path: Path) -> None:
    verdict = judged_as_published(one(tmp_path, "has_timeouts(sanic) == no"), repeats(0, 4, 0, kind="timeout"))
    assert (verdict.word, verdict.measured[0].text) == ("contradicted", "yes (4 timeouts, in 1 of 3 repeats)")


@pytest.mark.parametrize("answer", ["yes", "no"])
@pytest.mark.parametrize("late", [0, 3])
def test_a_shorter_load_decides_nothing_on_late_replies_and_names_the_command_that_does(
    tmp_path: Path, answer: str, late: int
) -> None:
    claim = one(tmp_path, f"has_timeouts(sanic) == {answer}")
    verdict = judged_as_published(claim, repeats(late, kind="timeout"), seconds=30)
    assert verdict.word == "inconclusive"
    assert because(verdict) == (
        "The load lasted 30 s here, 60 s in the article. Measure as the article did to decide: " + PAPER.format(repeats=1)
    )


@pytest.mark.parametrize(("late", "word"), [(0, "reproduced"), (3, "inconclusive")])
def test_what_a_longer_load_never_had_a_shorter_one_would_not_have_had(tmp_path: Path, late: int, word: str) -> None:
    for name in ("has_timeouts(sanic) == no", "errors(sanic) == 0"):
        claim = one(tmp_path / name.partition("(")[0], name)
        assert judged_as_published(claim, repeats(late, kind="timeout"), seconds=300).word == word


@pytest.mark.parametrize("timeout", [1.0, 10.0])
@pytest.mark.parametrize("expression", ["has_timeouts(sanic) == no", "timeouts(sanic) > 80", "errors(sanic) == 0"])
def test_another_timeout_decides_nothing_on_late_replies(tmp_path: Path, expression: str, timeout: float) -> None:
    verdict = judged(one(tmp_path, expression), [a_cell("sanic", load=timed(900, 2_900), timeout_seconds=timeout)])
    assert verdict.word == "inconclusive"
    assert because(verdict) == (
        f"The load lasted 5 s with a timeout of {timeout:g} s here, 60 s with a timeout of 2 s in the article. "
        "Measure as the article did to decide: " + PAPER.format(repeats=1)
    )


@pytest.mark.parametrize(
    ("timeout", "max_ms", "text"),
    [(10.0, 1_900.0, "no (slowest reply 1,900 ms)"), (10.0, 2_100.0, "yes (slowest reply 2,100 ms)"), (1.0, 900.0, "no")],
)
def test_what_another_timeout_suggests_is_shown(tmp_path: Path, timeout: float, max_ms: float, text: str) -> None:
    verdict = judged(
        one(tmp_path, "has_timeouts(sanic) == yes"), [a_cell("sanic", load=timed(900, max_ms), timeout_seconds=timeout)]
    )
    assert (verdict.word, verdict.measured[0].text) == ("inconclusive", text)


def test_without_a_profile_with_the_articles_timeout_no_command_is_named(tmp_path: Path) -> None:
    (verdict,) = claims.judge(
        [one(tmp_path, "has_timeouts(sanic) == yes")], make(a_run("sanic"), [a_cell("sanic")], PUBLISHED), DOCUMENT
    )
    assert because(verdict).endswith("To decide, give a profile of the suite the article's timeout.")
    assert verdict.wanted is None


@pytest.mark.parametrize("expression", ["requests(sanic) > 80", "bytes(sanic) > 1", "errors_read(sanic) == 0"])
def test_a_count_over_another_time_is_another_count(tmp_path: Path, expression: str) -> None:
    verdict = judged(one(tmp_path, expression), repeats(0))
    assert verdict.word == "inconclusive"
    assert because(verdict).startswith(
        "The load lasted 5 s here, 60 s in the article. Measure as the article did to decide: "
    )


# What a longer load can only raise


@pytest.mark.parametrize(("max_ms", "word"), [(300.0, "inconclusive"), (320.0, "contradicted")])
def test_the_maximum_of_a_shorter_load_is_a_lower_bound(tmp_path: Path, max_ms: float, word: str) -> None:
    verdict = judged(one(tmp_path, "latency_max(sanic) < 310"), slowest(*[max_ms] * 6))
    assert verdict.word == word
    if word == "inconclusive":
        assert because(verdict).endswith(PAPER.format(repeats=6))


@pytest.mark.parametrize(("load_average", "word"), [(1.2, "inconclusive"), (2.5, "reproduced")])
def test_the_load_average_of_a_shorter_load_is_a_lower_bound(tmp_path: Path, load_average: float, word: str) -> None:
    server = replace(SERVER, load_average=load_average)
    cells = [a_cell("sanic", repeat, timed(900), server=server) for repeat in range(1, 7)]
    assert judged(one(tmp_path, "load_average(sanic) >= cores(sanic)"), cells).word == word
    at_length = judged_as_published(one(tmp_path / "b", "load_average(sanic) >= cores(sanic)"), cells)
    assert at_length.word == ("reproduced" if word == "reproduced" else "contradicted")


# The whole report


def test_a_report_names_one_command_for_all_claims_that_need_the_articles_load(tmp_path: Path) -> None:
    for name in ("published", "claims", "suites"):
        (tmp_path / "configs").mkdir(exist_ok=True)
        (tmp_path / "configs" / name).symlink_to(ROOT / "configs" / name)
    folder = store.create(tmp_path / "reports", "web-frameworks")
    store.write_run(folder, a_run("sanic", "go-2000"))
    for name in ("sanic", "go-2000"):
        store.append(folder, a_cell(name))
    report = load(folder, tmp_path)
    (_, more), (what, command) = next_steps(report.table, report.verdicts)
    assert "--repeats 6" in more
    assert what.endswith("inconclusive claims need the article's duration and timeout:")
    assert "--profile paper --only sanic,go-2000 --duration 60s" in command
    assert [verdict.word for verdict in report.verdicts if verdict.claim == "timeouts-go-2000"] == ["inconclusive"]


# What the machine allows


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("cpu(sanic) >= 4 * 85", "cpu(sanic) is at most 200 % of a core here, because lab1 has 2 CPU cores"),
        ("cpu(sanic) < 400", "cpu(sanic) is at most 200 % of a core here, because lab1 has 2 CPU cores"),
        ("cpu(sanic) / 3 ~= 100", "cpu(sanic) is at most 200 % of a core here, because lab1 has 2 CPU cores"),
        ("generator_cpu(sanic) > 300", "generator_cpu(sanic) is at most 200 % of a core here, because lab1 has 2 CPU cores"),
        ("memory(sanic) > 9000000000", "memory(sanic) is at most 8 GiB here, because lab1 has no more memory"),
        (
            "throughput(sanic) > 1 and cpu(sanic) > 300",
            "cpu(sanic) is at most 200 % of a core here, because lab1 has 2 CPU cores",
        ),
    ],
)
def test_what_the_size_of_the_machine_decides_is_not_testable_on_it(tmp_path: Path, expression: str, reason: str) -> None:
    cells = [a_cell("sanic", repeat, timed(900)) for repeat in range(1, 7)]
    verdict = judged(one(tmp_path, expression), cells)
    assert (verdict.word, because(verdict)) == ("not testable here", reason)


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("cpu(sanic) >= 150", "contradicted"),
        ("cpu(sanic) < 50 * cores(sanic)", "reproduced"),
        ("cpu(sanic) + 0 * cpu(sanic) < 250 %", "not testable here"),
        ("memory(sanic) < 50000000", "reproduced"),
        ("generator_cpu(sanic) < 100", "reproduced"),
        ("processes(sanic) == 1", "reproduced"),
        ("cores(sanic) == 2", "reproduced"),
    ],
)
def test_what_the_machine_leaves_open_is_judged(tmp_path: Path, expression: str, word: str) -> None:
    cells = [a_cell("sanic", repeat, timed(900)) for repeat in range(1, 7)]
    assert judged(one(tmp_path, expression), cells).word == word


def test_a_machine_that_is_not_recorded_limits_nothing(tmp_path: Path) -> None:
    cells = [a_cell("sanic", repeat, timed(900), host="elsewhere") for repeat in range(1, 7)]
    assert judged(one(tmp_path, "cpu(sanic) >= 4 * 85"), cells).word == "contradicted"
    verdict = judged(one(tmp_path / "b", "load_average(sanic) >= cores(sanic)"), cells)
    assert because(verdict) == "the number of CPU cores under sanic is not known"


def test_the_article_has_the_cores_that_its_machine_had(tmp_path: Path) -> None:
    claim = one(tmp_path, "throughput(sanic) / cores(sanic) > 4000")
    (verdict,) = claims.judge([claim], DOCUMENT, DOCUMENT)
    assert (verdict.word, verdict.published[-1].text) == ("reproduced", "4")
