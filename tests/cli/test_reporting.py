"""The flags of `./inv report`, from the command line to what is printed and written."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchrig.cli.charting import write_file
from benchrig.errors import InputError
from benchrig.report import EXPORTS, Report, load, write_reports
from benchrig.report import output as outputs
from benchrig.report.export import junit
from benchrig.report.table import make
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.documented import documented
from tests.support.reports import a_cell, a_run, every_kind
from tests.support.schema import mistakes


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a copy of a stored run; its reports are written into it."""
    folder = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "cases" / "results" / "v1", folder)
    return folder


def test_each_format_is_whole_and_that_of_the_runs_own_reports(run: Path) -> None:
    report = write_reports(run, ROOT)
    text = {name: render(report) for name, render in outputs.FORMATS.items()}
    rows = [row["name"] for row in csv.DictReader(io.StringIO(text["csv"]))]
    assert rows
    assert [row["name"] for row in json.loads(text["json"])["rows"]] == rows
    assert [one.get("name") for one in ElementTree.fromstring(text["junit"]).iter("testcase")] == rows
    assert text["html"].startswith("<!doctype html>")
    for name, file in (("csv", "report.csv"), ("json", "report.json"), ("markdown", "report.md")):
        assert (run / file).read_text() == text[name]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_format_for_programs_is_all_that_is_on_stdout(run: Path, form: str) -> None:
    done = inv("report", str(run), "--format", form, "--filter", "go*")
    assert (done.returncode, done.stderr) == (0, "1 of 3 rows shown\n")
    if form == "csv":
        assert [row["name"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["go-2000"]
    else:
        assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["go-2000"]
        assert mistakes("report", json.loads(done.stdout)) == []
    assert len((run / "report.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("flags", [["--output", "other.html"], ["--format", "markdown"], ["--charts", "charts"]])
def test_what_is_asked_for_alone_leaves_the_runs_own_files_as_they_are(run: Path, tmp_path: Path, flags: list[str]) -> None:
    flags = [str(tmp_path / word) if word in ("other.html", "charts") else word for word in flags]
    write_reports(run, ROOT)
    own = {name: (run / name).read_bytes() for name in EXPORTS}
    assert inv("report", str(run), "--lang", "zh", *flags).returncode == 0
    assert {name: (run / name).read_bytes() for name in EXPORTS} == own
    os.utime(run / "cells.jsonl", (2e9, 2e9))
    assert inv("report", str(run), "--lang", "zh", *flags).returncode == 0
    assert {name for name in EXPORTS if (run / name).read_bytes() != own[name]} >= {"report.md", "report.html"}
    assert 'lang="zh' in (run / "report.html").read_text()


def test_a_file_is_replaced_whole(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "shown.md"
    file.write_text("old " * 100_000)
    done = inv("report", str(run), "--output", str(file), "--filter", "go*")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"1 of 3 rows shown\nwrote {file}\n")
    text = file.read_text()
    assert text.startswith("# ")
    assert "1 of 3 rows shown" in text
    assert "old" not in text.split()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "shown.md"]


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", "csv"), ("a.json", "json"), ("a.md", "markdown"), ("a.html", "html"), ("a.xml", "junit"), ("a.txt", "table")],
)
def test_a_file_gets_the_format_of_its_ending_unless_another_is_named(tmp_path: Path, name: str, form: str) -> None:
    file = str(tmp_path / name)
    assert outputs.parse("", file, columns=False) == outputs.Output(form, file)
    assert outputs.parse("csv", file, columns=False) == outputs.Output("csv", file)


def test_the_links_of_a_page_lead_from_its_file_to_the_run(run: Path, tmp_path: Path) -> None:
    report = write_reports(run, ROOT)
    (tmp_path / "elsewhere").mkdir()
    there = outputs.text(report, outputs.Output("html", str(tmp_path / "elsewhere" / "a.html")))
    assert 'href="../run/report.csv"' in there
    assert 'href="run/report.csv"' in outputs.text(report, outputs.Output("html", str(tmp_path / "a.html")))
    for alone in (
        outputs.text(report, outputs.Output("html")),
        outputs.text(load("web-frameworks", ROOT), outputs.Output("html")),
    ):
        assert "report.csv" not in alone


def test_a_dash_is_standard_output() -> None:
    assert outputs.parse("csv", "-", columns=False) == outputs.parse("csv", "", columns=False) == outputs.Output("csv")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--output", "nosuch/a.csv"], "--output nosuch/a.csv: there is no folder nosuch"),
        (["--sort", "latency_p98"], "--sort: unknown column 'latency_p98'; did you mean latency_p99"),
        (["--columns", "sytem"], "--columns: unknown column 'sytem'; did you mean system"),
        (["--filter", "latency_p99 < 3 MiB"], "they cannot be compared"),
    ],
)
def test_a_mistake_in_a_flag_is_found_before_anything_is_measured(flags: list[str], said: str) -> None:
    done = inv("bench", "report", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("format", "output", "columns", "said"),
    [
        ("cvs", "", False, "unknown format 'cvs'; did you mean csv"),
        ("", "a.pdf", False, "--output a.pdf: its ending tells no format"),
        ("csv", "/dev/stdout", False, "--output /dev/stdout: is no regular file"),
        ("json", "", True, "--columns: json has all figures"),
    ],
)
def test_an_output_that_cannot_be_is_refused(format: str, output: str, columns: bool, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        outputs.parse(format, output, columns=columns)


def test_what_must_not_be_written_to_is_one_line(run: Path) -> None:
    os.mkfifo(run.parent / "pipe.csv")
    for file, said in ((run.parent / "pipe.csv", "is no regular file"), (run / "cells.csv", "where measured results are")):
        with pytest.raises(InputError, match=said):
            outputs.parse("", str(file), columns=False)
    (run.parent / "gone").mkdir()
    output = outputs.parse("", str(run.parent / "gone" / "a.csv"), columns=False)
    (run.parent / "gone").rmdir()
    wrong = f"--output {run.parent}/gone/a.csv: cannot be written: No such file or directory"
    assert str(write_file(output.file, "text")) == wrong


def test_junit_has_the_figures_and_says_what_failed() -> None:
    report = every_kind()
    root = ElementTree.fromstring(junit.render(report))
    (suite,) = root
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["5", "2", "0", "1"]
    cases = {str(case.get("name")): case for case in root.iter("testcase")}
    assert {name: [one.tag for one in case] for name, case in cases.items()} == {
        "flask-sync": ["properties", "failure"],
        "go-2000": ["properties", "system-out"],
        "go-20000": ["properties", "skipped"],
        "sanic": ["properties", "failure"],
        "openresty-2000": ["properties", "system-out"],
    }
    found = {one.get("name"): one.get("value") for one in cases["go-2000"].iter("property")}
    assert (found["system"], found["requests_per_second"], found["latency_p99_ms"]) == ("Go 1.22.12", "19200.0", "108.0")
    (failure,) = cases["sanic"].iter("failure")
    assert (failure.get("type"), failure.text) == ("failed", "it does not answer Traceback: ImportError: no *sanic*")
    (failure,) = cases["flask-sync"].iter("failure")
    assert failure.get("type") == "invalid"


def test_junit_names_the_rows_that_the_run_never_came_to() -> None:
    table = make(a_run("go-2000", "sanic", finished=False), [a_cell()])
    cases = list(ElementTree.fromstring(junit.render(Report(table))).iter("testcase"))
    assert [(case.get("name"), case[-1].tag) for case in cases][1:] == [("sanic", "skipped")]


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
    assert "\x1b" not in inv("report", str(run), TERM="xterm").stdout


def test_a_terminal_of_ascii_has_bars_of_it(run: Path) -> None:
    text = on_a_terminal("report", str(run), "--columns", "system,throughput", PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert "####" in text
    assert "\\u2588" not in text


def test_the_language_is_that_of_everything_for_people(run: Path) -> None:
    done = inv("report", str(run), "--lang", "zh", "--format", "html", PYTHONIOENCODING="utf-8")
    assert '<html lang="zh"' in done.stdout
    assert "连接数" in done.stdout
    assert '<html lang="zh"' in (run / "report.html").read_text()


@pytest.mark.parametrize("line", [one.line for one in documented() if one.line.startswith("./inv report web-frameworks")])
def test_what_the_page_shows_works_without_a_machine(line: str, tmp_path: Path) -> None:
    done = inv(*shlex.split(line)[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr.endswith("wrote figures.csv\n")
