"""`./inv history`: what it prints where, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import inv
from tests.support.clone import copy_project
from tests.support.history import stored


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with seven runs of a row."""
    root = copy_project(tmp_path_factory.mktemp("project")).root
    for number in range(1, 8):
        stored(root / "reports", number, [4000 + number, 4010 + number, 4005])
    return root


def history(project: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return inv("history", *words, cwd=project, root=project, PYTHONPATH=str(project), **environ)


def test_one_row_is_printed_run_by_run_and_all_rows_in_a_line_each(project: Path) -> None:
    done = history(project, "flask-sync")
    assert (done.returncode, done.stderr, done.stdout.count("2025-run-")) == (0, "", 7)
    done = history(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no step" in done.stdout


def test_json_is_all_that_is_printed(project: Path) -> None:
    done = history(project, "flask-sync", "--metric", "latency_p99", "--last", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["metric"], len(document["rows"][0]["points"])) == ("latency_p99_ms", 3)


def test_an_ascii_locale_without_colours_is_enough(project: Path) -> None:
    for words in ((), ("flask-sync",)):
        done = history(project, *words, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", NO_COLOR="1")
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()
        assert "\\u" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metric", "latency"], "unknown metric 'latency'; did you mean "),
        (["--last", "0"], "--last takes 1 to 1,000 runs, not 0"),
        (["--last", "many"], "--last takes a whole number, not 'many'"),
        (["flask-snc"], "unknown row 'flask-snc'; did you mean flask-sync?"),
        (["--suite", "quart-vs-flask"], "there is no complete run of suite 'quart-vs-flask'"),
        (["flask-sync", "--metric", "stored"], "no complete run has stored of row 'flask-sync'"),
    ],
)
def test_bad_input_is_one_line_and_ends_with_2(words: list[str], said: str, project: Path) -> None:
    done = history(project, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}"), done.stderr


def test_an_empty_history_says_what_to_do(tmp_path: Path) -> None:
    root = copy_project(tmp_path).root
    done = history(root)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:2] == ["error: there is no complete run yet", "./inv bench makes one."]
    assert not (root / "reports" / "index.sqlite").exists()


def test_rows_are_completed_from_the_index_alone(project: Path) -> None:
    history(project)
    done = inv("--complete", "--", "history", "fl", cwd=project, root=project, PYTHONPATH=str(project))
    assert done.stdout.split() == ["flask-sync"]


@pytest.mark.parametrize(
    ("name", "begins"), [("of.html", "<!doctype html>"), ("of.json", "{"), ("of.txt", "throughput(flask-sync)")]
)
def test_output_is_written_in_the_form_of_its_ending(name: str, begins: str, project: Path, tmp_path: Path) -> None:
    done = history(project, "flask-sync", "--output", str(tmp_path / name))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {tmp_path / name}\n")
    assert (tmp_path / name).read_text().startswith(begins)


def test_the_chart_is_written_and_named_behind_what_is_printed(project: Path, tmp_path: Path) -> None:
    done = history(project, "flask-sync", "--charts", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == sorted(map(str, tmp_path.iterdir()), reverse=True)
    done = history(project, "flask-sync", "--json", "--charts", str(tmp_path))
    assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "of.md"], "--output of.md: its ending tells no format"),
        (["--output", "of"], "--output of: its ending tells no format"),
        (["--output", "nowhere/of.html"], "--output nowhere/of.html: there is no folder nowhere"),
        (["--output", "of.html", "--json"], "--json prints, and --output writes a file"),
        (["--charts", "tasks.py"], "--charts tasks.py: this is a file"),
    ],
)
def test_files_that_cannot_be_written_are_told_before_anything_is_done(words: list[str], said: str, project: Path) -> None:
    done = history(project, "flask-sync", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}"), done.stderr
