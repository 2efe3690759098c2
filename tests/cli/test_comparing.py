"""`./inv compare` as it is typed: names, flags, mistakes, and what goes where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchrig.results import store
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.comparing import OTHER_SPREAD, SPREAD, cells, times
from tests.support.reports import a_run

OLD = ROOT / "tests/cases/results"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with stored runs: `before`, `after` and `again` of one row, `once` of one repeat, `other`."""
    folder = tmp_path_factory.mktemp("runs")
    shares = {
        "below": times(0.5),
        "before": SPREAD,
        "after": times(0.9),
        "again": OTHER_SPREAD,
        "once": SPREAD[:1],
        "other": SPREAD,
    }
    for name, repeats in shares.items():
        row = "sanic" if name == "other" else "go-2000"
        store.write_run(store.create(folder, "", name), a_run(row))
        for cell in cells(row, repeats, sleep_seconds=0.1 if name == "below" else 0.0):
            store.append(folder / name, cell)
    return folder


def test_two_and_more_runs_are_compared_with_the_first(runs: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), str(runs / "again"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("row ") >= 2
    assert "worse" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_is_alone_on_stdout(runs: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), "--json", "--noise", "1%")
    (pairing,) = json.loads(done.stdout)["pairings"]
    assert pairing["changes"][0]["verdict"] == "worse"
    assert done.stdout.endswith("}\n")


def test_markdown_is_one_text(runs: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), "--markdown")
    assert done.returncode == 0
    assert done.stdout.startswith("### B against A: 0 better, ")


def test_runs_without_repeats_are_shown_and_end_with_what_to_do(runs: Path) -> None:
    done = inv("compare", str(runs / "once"), str(runs / "before"))
    assert done.returncode == 2
    assert "19,200" in done.stdout or "18,912" in done.stdout
    assert "error: no difference can be judged: A (2025" in done.stderr
    assert "./inv bench" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["before"], "task 'compare' lacks B; see ./inv compare --help"),
        (["before", "before"], "'before' is given twice: name different runs"),
        (["before", "./before"], "'before' and './before' are the same run: name different runs"),
        (["web-frameworks", "web-frameworks"], "'web-frameworks' is given twice: name different runs"),
        (["before", "after", "after"], "'after' is given twice: name different runs"),
        (["before", "befor"], "unknown run 'befor'"),
        (["before", "other"], "no row is in both: A (2025-01-02T03-04-05) has go-2000; B (2025-01-02T03-04-05) has sanic"),
        (["before", "after", "--json", "--markdown"], "--json and --markdown are two forms of one output: leave one out"),
        (["before", "after", "--noise", "1"], "--noise takes a percentage below 100%, such as 1%, not '1'"),
        (["before", "after", "--noise", "-1%"], "--noise takes a percentage below 100%, such as 1%, not '-1%'"),
        (["before", "after", "--noise", "100%"], "--noise takes a percentage below 100%, such as 1%, not '100%'"),
        (["before", "after", "--noise", "nan%"], "--noise takes a percentage below 100%, such as 1%, not 'nan%'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(runs: Path, arguments: list[str], said: str) -> None:
    done = inv("compare", *arguments, cwd=runs)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) <= 3


def test_runs_of_earlier_formats_are_compared() -> None:
    done = inv("compare", str(OLD / "v1"), str(OLD / "v2"))
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    assert "requests/s" in done.stdout or "no row is in both" in done.stderr


def test_a_run_of_a_later_format_is_refused(runs: Path, tmp_path: Path) -> None:
    later = store.create(tmp_path, "", "later")
    text = (runs / "before" / "run.json").read_text()
    (later / "run.json").write_text(re.sub(r'"format":\s*', '"format": 9', text).replace('"rows":', '"lines":'))
    (later / "cells.jsonl").write_text((runs / "before" / "cells.jsonl").read_text())
    done = inv("compare", str(runs / "before"), str(later))
    assert done.returncode == 2
    assert "Update benchrig." in done.stderr


def test_published_figures_compare_with_a_run_and_with_others(runs: Path) -> None:
    done = inv("compare", "web-frameworks", str(runs / "below"))
    assert done.returncode == 0
    assert "published figures have no repeats" in done.stdout
    none = inv("compare", "web-frameworks", "quart-vs-flask")
    assert none.returncode == 2
    assert "no row is in both" in none.stderr


@pytest.mark.parametrize(
    ("name", "begins"),
    [("of.html", "<!doctype html>"), ("of.json", "{"), ("of.md", "### B against A"), ("of.txt", "A  run 2")],
)
def test_output_is_written_in_the_form_of_its_ending(name: str, begins: str, runs: Path, tmp_path: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), "--output", str(tmp_path / name))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {tmp_path / name}\n")
    assert (tmp_path / name).read_text().startswith(begins)


def test_charts_are_written_and_named_behind_what_is_printed(runs: Path, tmp_path: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), "--charts", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/ratios-B-throughput.svg" in done.stdout.splitlines()
    assert f"{tmp_path}/ratios-B-throughput.png" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "of.pdf"], "--output of.pdf: its ending tells no format"),
        (["--output", "nowhere/of.html"], "--output nowhere/of.html: there is no folder nowhere"),
        (["--output", "/dev/stdout.html"], "--output /dev/stdout.html: is no regular file"),
        (["--output", "of.html", "--markdown"], "--markdown prints, and --output writes a file"),
        (["--charts", "tasks.py"], "--charts tasks.py: this is a file"),
    ],
)
def test_files_that_cannot_be_written_are_told_before_anything_is_done(words: list[str], said: str, runs: Path) -> None:
    done = inv("compare", str(runs / "before"), str(runs / "after"), *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}"), done.stderr


def test_measured_results_are_never_overwritten(runs: Path) -> None:
    before = (runs / "before" / "run.json").read_bytes()
    done = inv("compare", str(runs / "before"), str(runs / "after"), "--output", str(runs / "before" / "run.json"))
    assert done.returncode == 2
    assert (runs / "before" / "run.json").read_bytes() == before
