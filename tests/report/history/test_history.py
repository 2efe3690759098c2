"""The history of rows: like runs, steps with what differs there, the judgement of a run, and what is printed of it."""

from __future__ import annotations

import io
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from benchrig.drawing import ASCII, UNICODE, bars, scale, signs_for
from benchrig.errors import InputError
from benchrig.report import history as past
from benchrig.report.export.json import text_of
from benchrig.report.history.terminal import render
from benchrig.report.metrics import BY_NAME, ERRORS, THROUGHPUT
from benchrig.results import store
from benchrig.schema import documents
from tests.support.history import stored, written
from tests.support.reports import a_cell, a_load, a_run, missing

ROW = "flask-sync"


def some_runs(reports: Path, count: int, level: float = 4000, first: int = 1, **changes: object) -> None:
    """Store runs of three repeats with noise of 1 %."""
    rng = random.Random(first)
    for number in range(first, first + count):
        stored(reports, number, [level * rng.gauss(1, 0.01) for _ in range(3)], **changes)


@pytest.fixture
def stepping(tmp_path: Path) -> Path:
    """Return reports of 8 runs, and 4 that are slower by 10 % since another commit with other versions."""
    some_runs(tmp_path, 8)
    digests = {f"app go: {name}": "0" * 64 for name in ("app.yml", "main.go")}
    changed = {"git_commit": "def5678", "digests": {**digests, "app go: main.go": "1" * 64}}
    for number in range(1, 9):
        run, _ = store.read(tmp_path / f"2025-run-{number:03}")
        store.write_run(tmp_path / f"2025-run-{number:03}", replace(run, digests=digests))
    some_runs(tmp_path, 4, 3600, 9, cell={"versions": {"go": "1.23.0"}}, **changed)
    return tmp_path


def test_a_step_is_named_with_its_first_run_commit_and_what_differs(stepping: Path) -> None:
    (one,) = past.history(stepping, row=ROW).rows
    (step,) = one.steps
    assert (step.run_before, step.run) == ("2025-run-008", "2025-run-009")
    assert (step.commit_before, step.commit) == ("abc1234", "def5678")
    assert step.ratio == pytest.approx(0.9, abs=0.02)
    assert [str(change) for change in step.differs] == [
        "commit: abc1234 -> def5678",
        "files of app go: main.go: 000000000000 -> 111111111111",
        "go: 1.22.12 -> 1.23.0",
    ]


def test_it_is_printed_run_by_run(stepping: Path) -> None:
    text = render(past.history(stepping, row=ROW), UNICODE, 120)
    lines = text.splitlines()
    assert lines[0] == "throughput(flask-sync) in requests/s: 12 runs of like conditions, suite web-frameworks"
    assert [line.split()[0] for line in lines if line.startswith("2025-run")] == [f"2025-run-{i:03}" for i in range(1, 13)]
    assert re.search(r"^2025-run-009 .*●.* step -[\d.]+ %$", text, re.MULTILINE)
    assert re.search(r"^[\d.]+ % slower since 2025-run-009, the first run after 2025-run-008$", text, re.MULTILINE)
    assert "    git log --oneline abc1234..def5678" in lines
    assert max(map(len, lines)) <= 120


def test_in_ascii_nothing_else_is_drawn(stepping: Path) -> None:
    for row in ("", ROW):
        assert render(past.history(stepping, row=row), ASCII, 100).replace("\N{EN DASH}", "-").isascii()
    assert signs_for(io.TextIOWrapper(io.BytesIO(), "ascii")) is ASCII
    assert signs_for(io.TextIOWrapper(io.BytesIO(), "utf-8")) is UNICODE


def test_all_rows_have_a_line_each(stepping: Path) -> None:
    some_runs(stepping, 3, 8000, 20, row="sanic")
    text = render(past.history(stepping), UNICODE, 140)
    (flask,) = re.findall(r"^flask-sync .*", text, re.MULTILINE)
    (sanic,) = re.findall(r"^sanic .*", text, re.MULTILINE)
    assert re.search(
        r"[▁▂▃▄▅▆▇█]{12} .* slower since 2025-run-009; newest run off: 9\.8 % slower; last measured in 2025-run-012$", flask
    ), flask
    assert sanic.endswith("too few runs: 6 are needed")
    assert text.index("sanic") < text.index("flask-sync")


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({"cell": {"connections": 100}}, "connections"),
        ({"cell": {"route": "GET /other"}}, "route"),
        ({"cell": {"timeout_seconds": 2.0}}, "timeout"),
        ({"cell": {"load_on_server": False}}, "load generator"),
        ({"settings": replace(a_run().settings, duration_seconds=1.0)}, "duration"),
        ({"settings": replace(a_run().settings, threads=1)}, "threads"),
        ({"machines": (replace(a_run().machines[0], cores=64),)}, "machine lab1"),
        ({"machines": (replace(a_run().machines[0], memory_bytes=1 << 40),)}, "memory of lab1"),
        ({"machines": (replace(a_run().machines[0], name="lab2"),)}, "machines"),
    ],
)
def test_runs_under_other_conditions_are_left_out_and_told(
    changes: dict[str, object], condition: str, tmp_path: Path
) -> None:
    cell = {"route": "GET /health", **dict(changes.pop("cell", {}))}  # type: ignore[call-overload]
    for number, (of, more) in enumerate([(cell, changes), ({"route": "GET /health"}, {})], 1):
        run = replace(a_run(ROW), number=number, **more)
        written(tmp_path, f"run-{number}", run, [a_cell(ROW, sleep_seconds=0.0, **of)])
    (one,) = past.history(tmp_path, row=ROW).rows
    assert [point.run for point in one.points] == ["run-2"]
    assert [(other.condition, other.runs) for other in one.unlike] == [(condition, 1)]
    text = render(past.history(tmp_path, row=ROW), UNICODE, 140)
    assert f"left out: 1 run has another '{condition}': " in text
    assert "there is one run of like conditions" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"machines": (replace(a_run().machines[0], kernel="6.6.0", memory_bytes=int(8.05 * 2**30)),)},
        {"settings": replace(a_run().settings, repeats=3)},
        {"benchrig_version": "0.3.0", "git_commit": ""},
        {"machines": (replace(a_run().machines[0], sysctls={"net.core.somaxconn": "128"}),)},
    ],
)
def test_what_may_have_changed_does_not_part_runs(changes: dict[str, object], tmp_path: Path) -> None:
    written(tmp_path, "run-1", replace(a_run(ROW), number=1, **changes), [a_cell(ROW)])
    written(tmp_path, "run-2", replace(a_run(ROW), number=2), [a_cell(ROW)])
    (one,) = past.history(tmp_path, row=ROW).rows
    assert len(one.points) == 2


def test_invalid_and_failed_runs_are_shown_and_not_used(tmp_path: Path) -> None:
    some_runs(tmp_path, 7)
    broken = a_cell(ROW, sleep_seconds=0.0, wrong_after="status 500", load=a_load(100))
    written(tmp_path, "invalid", replace(a_run(ROW), number=8), [broken])
    failed = missing(ROW, "failed", "it died", sleep_seconds=0.0)
    written(tmp_path, "failed", replace(a_run(ROW), number=9), [failed])
    (one,) = past.history(tmp_path, row=ROW).rows
    assert [point.unused for point in one.points[-2:]] == ["invalid: Little's law, wrong after", "failed"]
    assert one.steps == ()
    assert one.newest.unknown == "failed"
    assert bars([None if point.unused else point.value for point in one.points], ASCII).endswith("xx")


def test_incomplete_runs_are_left_out(tmp_path: Path) -> None:
    some_runs(tmp_path, 2)
    stored(tmp_path, 3, 4000, finished_at="", rows=(ROW, "sanic"))
    assert len(past.history(tmp_path, row=ROW).rows[0].points) == 2


def test_a_run_is_judged_by_the_like_runs_before_it(tmp_path: Path) -> None:
    some_runs(tmp_path, 10)
    slow = stored(tmp_path, 11, [3500, 3520, 3510])
    (found,) = past.judge(slow, tmp_path)
    assert (found.row, found.run, len(found.runs), found.off) == (ROW, slow.name, 10, True)
    assert found.worse == pytest.approx(0.12, abs=0.02)
    assert (found.exceeds(0.05), found.exceeds(0.2)) == (True, False)
    (usual,) = past.judge("2025-run-010", tmp_path)
    assert (len(usual.runs), usual.off, usual.exceeds(0.0)) == (9, False, False)


def test_a_run_elsewhere_is_judged_too(tmp_path: Path) -> None:
    some_runs(tmp_path / "reports", 6)
    (found,) = past.judge(stored(tmp_path / "other", 1, 2000), tmp_path / "reports")
    assert (len(found.runs), found.off) == (6, True)


def test_a_metric_of_which_less_is_better_gets_worse_upwards(tmp_path: Path) -> None:
    for number in range(1, 8):
        stored(tmp_path, number, 4000 + number, cell={"load": a_load(4000, read=0)})
    found = past.judge("latest" if (tmp_path / "latest").exists() else "2025-run-007", tmp_path, [ERRORS])
    assert [one.off for one in found] == [False]
    bad = stored(tmp_path, 8, 4000, cell={"load": a_load(4000, read=3)})
    (errors,) = past.judge(bad, tmp_path, [ERRORS])
    assert (errors.off, errors.ratio, errors.exceeds(0.05)) == (True, None, True)


def test_slow_runs_are_not_what_the_next_is_judged_by(tmp_path: Path) -> None:
    some_runs(tmp_path, 8)
    for number in range(9, 19):
        slow = stored(tmp_path, number, [3400, 3420, 3410])
        (found,) = past.judge(slow, tmp_path)
        assert (found.off, len(found.runs), found.worse_runs) == (True, 8, number - 9)
        assert found.worse_since == ("2025-run-009" if number > 9 else "")
    text = render(past.history(tmp_path, row=ROW), UNICODE, 200)
    assert "expected from 8 runs; 9 worse runs since 2025-run-009 left out, p " in text


def test_the_rows_of_the_runs_just_before_are_known(tmp_path: Path) -> None:
    some_runs(tmp_path, 2, row="gone")
    some_runs(tmp_path, 3, first=3)
    assert past.rows_before("2025-run-005", tmp_path, 3) == {"gone": "gone", ROW: ROW}
    assert past.rows_before("2025-run-005", tmp_path, 2) == {ROW: ROW}


def test_too_few_runs_are_told_with_how_many_are_needed(tmp_path: Path) -> None:
    some_runs(tmp_path, 3)
    (found,) = past.judge("2025-run-003", tmp_path)
    assert (found.off, found.exceeds(0.05)) == (None, None)
    assert found.unknown == "too few runs of like conditions: 5 are needed, 2 are there"


def test_an_unusable_run_is_not_judged(tmp_path: Path) -> None:
    some_runs(tmp_path, 6)
    folder = written(tmp_path, "failed", replace(a_run(ROW), number=9), [missing(ROW, "failed", "it died")])
    (found,) = past.judge(folder, tmp_path)
    assert (found.value, found.off, found.unknown) == (None, None, "failed")


def test_judgements_of_several_rows_are_adjusted_for_their_number() -> None:
    one = past.Judgement("a", "m", "run", 1.0, True, (), (), 5, p=0.02)
    assert [found.p for found in past.together([one, replace(one, p=0.5), replace(one, p=None)])] == [0.04, 0.5, None]


def test_the_newest_runs_alone_are_looked_at(stepping: Path) -> None:
    (one,) = past.history(stepping, row=ROW, last=6).rows
    assert (len(one.points), one.left_out) == (6, 6)
    assert "6 earlier runs of like conditions not looked at; --last takes more" in render(
        past.history(stepping, row=ROW, last=6), UNICODE
    )


def test_a_step_between_runs_that_differ_in_nothing_says_so(tmp_path: Path) -> None:
    some_runs(tmp_path, 6)
    some_runs(tmp_path, 4, 3000, 7)
    assert "nothing that is recorded differs between the two runs" in render(past.history(tmp_path, row=ROW), UNICODE)


def test_the_json_fits_its_schema(stepping: Path) -> None:
    for row in ("", ROW):
        document = json.loads(text_of(past.document(past.history(stepping, row=row))))
        assert [*Draft7Validator(json.loads(documents.text("history"))).iter_errors(document)] == []
    (newest,) = [one["newest"] for one in document["rows"]]
    assert (newest["off"], newest["unknown"], newest["worse_since"], newest["worse_runs"]) == (True, "", "2025-run-009", 3)


def test_other_metrics_have_a_history(stepping: Path) -> None:
    text = render(past.history(stepping, BY_NAME["latency_p99_ms"], row=ROW), UNICODE, 120)
    assert text.startswith("latency_p99(flask-sync) in ms: 12 runs")
    assert "108.0ms" in text


def refused(reports: Path, **arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        past.history(reports, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_input_is_told_in_one_line(stepping: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "empty") == "there is no complete run yet"
    assert refused(stepping, row="flask-snc") == "unknown row 'flask-snc'; did you mean flask-sync?"
    assert refused(stepping, suite="a\nb" * 1000).startswith("there is no complete run of suite 'a b")
    assert refused(stepping, suite="web") == "there is no complete run of suite 'web'; known: web-frameworks"
    with pytest.raises(InputError, match="unknown metric 'latency_p9'; did you mean latency_p9"):
        past.metric_named("latency_p9")
    assert past.metric_named("throughput") is THROUGHPUT
    none = refused(stepping, metric=BY_NAME["stored"], row=ROW)
    assert none == "no complete run has stored of row 'flask-sync'"


def test_a_row_of_another_suite_is_told(stepping: Path) -> None:
    stored(stepping, 30, 4000, row="shop", suite="mine")
    assert refused(stepping, row=ROW, suite="mine") == (
        "no run of suite 'mine' has a row 'flask-sync'; suite web-frameworks has one"
    )
    assert past.history(stepping, row=ROW).suite == "web-frameworks"
    assert past.history(stepping).suite == "mine"


def test_damaged_runs_are_warned_of_and_left_out(stepping: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 6):
        (stepping / f"2025-run-{number:03}" / store.RUN).write_text("{")
    for _ in range(2):
        assert len(past.history(stepping, row=ROW).rows[0].points) == 7
        told = capsys.readouterr().err.splitlines()
        assert (len(told), told[-1]) == (4, "warning: 2 more damaged runs are left out")


def test_a_run_stored_elsewhere_makes_no_index_there(tmp_path: Path) -> None:
    folder = stored(tmp_path / "elsewhere", 1, 4000)
    past.enter(folder, tmp_path / "reports")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [folder.name]


def test_an_index_that_cannot_be_written_ends_no_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stored(tmp_path, 1, 4000)
    monkeypatch.setattr(past.entry, "read", lambda _: 1 / 0)
    past.enter(folder, tmp_path)


def test_drawings_are_between_the_lowest_and_the_highest() -> None:
    assert bars([1.0, 2.0, None, 3.0], ASCII) == "_+x@"
    assert bars([5.0, 5.0], ASCII) == "++"
    assert bars([100.0, 101.0, 99.0], ASCII) in ("++=", "+++", "===")
    assert bars([None, None], UNICODE) == "xx"
    assert scale((2.0, [1.0, 3.0]), [1.0, 2.0, 3.0], 5, ASCII) == "|--o--|"
    assert scale((1.0, [1.0]), [1.0, 3.0], 5, UNICODE) == "│●    │"
    assert scale(None, [], 3, ASCII) == "|   |"
