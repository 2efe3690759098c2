"""The flags of `./inv report`, from the command line to what is printed and written."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support import ROOT
from tests.support.cli import inv
from tests.support.documented import documented
from tests.support.schema import mistakes

PROPERTIES = {"system", "requests_per_second", "latency_max_ms"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a copy of a stored run; its reports are written into it."""
    folder = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "cases" / "results" / "v1", folder)
    return folder


def test_each_format_on_stdout_is_plain_and_whole(run: Path) -> None:
    made = {name: inv("report", str(run), "--format", name) for name in ("markdown", "csv", "json", "html", "junit")}
    assert {name: (done.returncode, done.stderr) for name, done in made.items()} == dict.fromkeys(made, (0, ""))
    text = {name: done.stdout for name, done in made.items()}
    rows = [row["name"] for row in csv.DictReader(io.StringIO(text["csv"]))]
    assert rows
    assert [row["name"] for row in json.loads(text["json"])["rows"]] == rows
    assert mistakes("report", json.loads(text["json"])) == []
    assert [one.get("name") for one in ElementTree.fromstring(text["junit"]).iter("testcase")] == rows
    assert text["markdown"].startswith("# ")
    assert text["html"].startswith("<!doctype html>")
    assert text["html"].endswith("</html>\n")
    for name, file in (("csv", "report.csv"), ("json", "report.json"), ("markdown", "report.md")):
        assert (run / file).read_text() == text[name]


@pytest.mark.parametrize("ending", ["csv", "json", "md", "html", "xml", "txt"])
def test_a_file_gets_the_format_of_its_ending_and_the_runs_own_reports_have_all_rows(
    run: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"shown.{ending}"
    file.write_text("old " * 100_000)
    done = inv("report", str(run), "--output", str(file), "--filter", "go*")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    count = len((run / "report.csv").read_text().splitlines()) - 1
    assert done.stderr == f"1 of {count} rows shown\nwrote {file}\n"
    text = file.read_text()
    assert "old" not in text.split()
    assert "Go" in text
    assert ending not in ("csv", "xml") or "flask" not in text.lower()
    assert ending in ("csv", "json", "xml") or f"1 of {count} rows" in text
    assert count > 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_dash_is_standard_output(run: Path) -> None:
    named, unnamed = (inv("report", str(run), "--format", "csv", *more) for more in (("--output", "-"), ()))
    assert named.stdout == unnamed.stdout != ""


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--format", "cvs"], "unknown format 'cvs'; did you mean csv"),
        (["--output", "a.pdf"], "--output a.pdf: its ending tells no format"),
        (["--output", "nosuch/a.csv"], "--output nosuch/a.csv: there is no folder nosuch"),
        (["--output", "/dev/stdout", "--format", "csv"], "--output /dev/stdout: is no regular file"),
        (["--sort", "latency_p98"], "--sort: unknown column 'latency_p98'; did you mean latency_p99"),
        (["--columns", "sytem"], "--columns: unknown column 'sytem'; did you mean system"),
        (["--columns", "system", "--format", "json"], "--columns: json has all figures"),
        (["--filter", "latency_p99 < 3 MiB"], "they cannot be compared"),
        (["--lang", "fr"], "unknown language 'fr'; known: en, zh"),
    ],
)
def test_a_mistake_in_a_flag_is_found_before_anything_is_measured(flags: list[str], said: str) -> None:
    done = inv("bench", "report", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[0]


def test_what_cannot_be_written_is_one_line(run: Path) -> None:
    os.mkfifo(run.parent / "pipe.csv")
    done = inv("report", str(run), "--output", str(run.parent / "pipe.csv"))
    assert (done.returncode, done.stderr) == (2, f"error: --output {run.parent}/pipe.csv: is no regular file\n")
    inside = inv("report", str(run), "--output", str(run / "cells.csv"))
    assert inside.returncode == 2
    assert "where measured results are: name a file elsewhere" in inside.stderr


def test_junit_has_the_figures_and_says_what_failed(run: Path) -> None:
    root = ElementTree.fromstring(inv("report", str(run), "--format", "junit").stdout)
    cases = {str(case.get("name")): case for case in root.iter("testcase")}
    records = csv.DictReader(io.StringIO((run / "report.csv").read_text()))
    for record in records:
        case = cases[record["name"]]
        tags = {one.tag for one in case}
        wrong = record["status"] == "failed" or record["invalid"] == "True"
        assert ("failure" in tags, "skipped" in tags) == (wrong, record["status"] == "not_possible")
        found = {one.get("name"): one.get("value") for one in case.iter("property")}
        if record["status"] == "measured":
            assert found.keys() >= PROPERTIES
            assert found["requests_per_second"] == record["requests_per_second"]


def test_sorting_is_that_of_the_page_as_well(run: Path) -> None:
    orders = []
    for form in ("csv", "markdown", "html", "table"):
        text = inv("report", str(run), "--format", form, "--sort", "throughput:desc", "--columns", "name,throughput").stdout
        orders.append([text.find(name) for name in ("go-2000", "flask-sync")])
    assert all(first < second for first, second in orders) or all(first > second for first, second in orders)


def on_a_terminal(*arguments: str, **environ: str) -> str:
    """Return what is printed on a terminal of 160 columns."""
    argv = [sys.executable, "-P", "-m", "benchrig.cli", "--search-root", str(ROOT), *arguments]
    program = f"""
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if not pid:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    os.execv({argv[0]!r}, {argv!r})
text = b""
try:
    while part := os.read(terminal, 65536):
        text += part
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(text)
"""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "xterm", **environ}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    return done.stdout.decode()


def test_colour_is_on_a_terminal_alone_and_never_with_no_color(run: Path) -> None:
    coloured = on_a_terminal("report", str(run))
    assert "\x1b[1m" in coloured
    assert "\x1b" not in on_a_terminal("report", str(run), NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("report", str(run), TERM="dumb")
    assert "\x1b" not in inv("report", str(run), TERM="xterm").stdout


def test_a_terminal_of_ascii_has_bars_of_it(run: Path) -> None:
    text = on_a_terminal("report", str(run), "--columns", "system,throughput", PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert "####" in text
    assert "\\u2588" not in text
    assert "████" in on_a_terminal(
        "report", str(run), "--columns", "system,throughput", PYTHONIOENCODING="utf-8", NO_COLOR="1"
    )


def test_the_language_is_that_of_everything_for_people(run: Path) -> None:
    done = inv("report", str(run), "--lang", "zh", "--format", "html", PYTHONIOENCODING="utf-8")
    assert '<html lang="zh"' in done.stdout
    assert "连接数" in done.stdout
    assert (
        inv("report", str(run), "--lang", "zh", "--format", "csv").stdout
        == inv("report", str(run), "--format", "csv").stdout
    )


@pytest.mark.parametrize("line", [one.line for one in documented() if one.line.startswith("./inv report web-frameworks")])
def test_what_the_page_shows_works_without_a_machine(line: str, tmp_path: Path) -> None:
    done = inv(*shlex.split(line)[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr.endswith("wrote figures.csv\n")
