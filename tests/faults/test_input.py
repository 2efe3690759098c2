"""Bad input to the real `./inv`: one line with its place, exit code 2, at once and in little memory."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchrig.report import EXPORTS, Report, render_terminal
from benchrig.report.table import make
from benchrig.results import store
from tests.support.clone import Clone
from tests.support.faults import fault
from tests.support.reports import a_cell, a_load, a_run

pytestmark = pytest.mark.faults

MOST_SECONDS = 30.0
"""A command that refuses its input takes half a second; the machine may be busy with other tests."""

MOST_BYTES = 1 << 30
"""Address space of a command that refuses its input; one that prints its help takes 40 MB of memory."""


@dataclass(frozen=True)
class Refused:
    """How a command ended that was given bad input."""

    code: int
    lines: tuple[str, ...]
    seconds: float


def refused(project: Clone, *arguments: str | bytes) -> Refused:
    """Run `./inv` in bounded memory, see that it shows no traceback, and return how it ended."""
    began = time.monotonic()
    done = subprocess.run(
        ["./inv", *arguments],
        cwd=project.root,
        capture_output=True,
        timeout=MOST_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES)),
    )
    said = done.stderr.decode(errors="replace")
    assert "Traceback" not in said, said
    assert done.stdout == b""
    return Refused(done.returncode, tuple(said.strip().splitlines()), time.monotonic() - began)


@pytest.fixture
def odd(project: Clone) -> Iterator[Path]:
    """Yield a path for an odd inventory, and remove what is there in the end."""
    path = project.root / "inventory" / "odd.yml"
    yield path
    path.unlink()


def bomb(levels: int = 9, width: int = 9) -> str:
    """Return an inventory of 571 bytes at most whose aliases stand for 9 ** 9 values."""
    lines = ["all:", "  vars:", "    a0: &a0 [x]"]
    lines += [f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels + 1)]
    return "\n".join(lines) + "\n"


@fault(
    "Input",
    done="an alias bomb as an inventory: aliases of aliases, a few hundred bytes that stand for 387 million values",
    promised="exit code 2 and one line, in less than 1 GiB of address space",
    seen="refused in 0.6 s",
)
def test_alias_bomb(project: Clone, odd: Path) -> None:
    odd.write_text(bomb())
    assert odd.stat().st_size < 600
    end = refused(project, "up", "-i", "odd")
    wrong = "more than 300,000 values, where those behind an alias count each time"
    assert (end.code, end.lines) == (2, (f"error: inventory/odd.yml:1: {wrong}",))


@fault(
    "Input",
    done="lists and mappings nested 100,000 levels deep: `[[[…`, `- - - …`, `{a: {a: …`",
    promised="exit code 2 and one line",
    seen="refused in 0.5 s",
)
@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000])
def test_levels_without_end(project: Clone, odd: Path, text: str) -> None:
    odd.write_text(text)
    end = refused(project, "status", "-i", "odd")
    wrong = "not valid YAML: nested too deeply, more than 100 levels"
    assert (end.code, end.lines) == (2, (f"error: inventory/odd.yml:1: {wrong}",))


@fault(
    "Input",
    done="a FIFO, a folder, `/dev/zero`, a socket or a file of 1 TB in place of a suite",
    promised="exit code 2 and one line; nothing is waited for or read without end",
    seen="refused in 0.5 s",
)
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("fifo", "it is a FIFO"),
        ("folder", "it is a folder"),
        ("device", "it is a device"),
        ("socket", "it is a socket"),
        ("huge", "it is larger than 16 MiB"),
        ("latin", "not UTF-8 text"),
    ],
)
def test_no_file_in_place_of_a_file(project: Clone, monkeypatch: pytest.MonkeyPatch, kind: str, said: str) -> None:
    path = project.root / "configs" / "suites" / "odd.yml"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        # The path of a socket has at most 107 characters.
        monkeypatch.chdir(path.parent)
        socket.socket(socket.AF_UNIX).bind(path.name)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.write_bytes(b"a: \xff\n")
    try:
        end = refused(project, "bench", "--dry-run", "--suite", "odd")
        assert (end.code, len(end.lines)) == (2, 1)
        assert end.lines[0].endswith(f"configs/suites/odd.yml: cannot be read: {said}")
    finally:
        path.rmdir() if kind == "folder" else path.unlink()


LONG = "x" * 4096

WORDS: tuple[tuple[tuple[str | bytes, ...], str], ...] = (
    (("bench", "--dry-run", "--suite", LONG), "unknown suite 'xxx"),
    (("bench", "--dry-run", "--suite", "x" * 253), "unknown suite 'xxx"),
    (("bench", "--dry-run", "--suite", "../suites/web-frameworks"), "unknown suite '../suites/web-frameworks'"),
    (("bench", "--dry-run", "--suite", "/etc/passwd"), "unknown suite '/etc/passwd'"),
    (("bench", "--dry-run", "--suite", b"\xff\xfe"), "unknown suite '\\udcff\\udcfe'"),
    (("bench", "--dry-run", "--only", ",".join(["a"] * 5000)), "has 5,000 names; at most 1,000 can be given"),
    (("bench", "--dry-run", "--repeats", "100001"), "are 1,600,016 cells; a run has at most 100,000"),
    (("bench", "--dry-run", "--repeats", "9" * 5000), "--repeats takes a whole number"),
    (("bench", "--dry-run", "--connections", "9" * 18), "--connections: 999999999999999999 is more than 1,000,000"),
    (("bench", "--dry-run", "--duration", "9" * 5000 + "s"), "is not a whole number of seconds"),
    (("bench", "--dry-run", "--duration", "nan"), "'nan' is not a whole number of seconds"),
    (("up", "-i", LONG), "unknown inventory 'xxx"),
    (("up", "-i", f"{LONG}.yml"), "unknown inventory 'xxx"),
    (("report", LONG), "unknown run 'xxx"),
    (("report", b"\xff"), "unknown run '\\udcff'"),
    (("compare", LONG, "latest"), "unknown run 'xxx"),
    (("provision", "--playbook", LONG), "there is no playbook 'xxx"),
    (("provision", "--extra-vars", "{" + '"a":[' * 5000), "is not valid JSON"),
    (("new", "app", LONG), "cannot name an app"),
    (("new", "app", "../x"), "'../x' cannot name an app"),
    (("new", "app", "mine", "--address", "http://h:65536"), "is not of the form http://host:port"),
    (("new", "app", "mine", "--address", b"\xff"), "is not of the form http://host:port"),
    (("--search-root", "/nonexistent", "up"), "--search-root: there is no tasks.py in '/nonexistent'"),
    (("-f", LONG, "up"), "--config: there is no file 'xxx"),
    ((b"\xff\x1b[31m",), "unknown task '\\udcff\\x1b[31m'"),
)


@fault(
    "Input",
    done="words on the command line: names of 4,096 characters, paths in place of names, bytes that are no text, "
    "counts and durations without end, 5,000 names at once",
    promised="exit code 2 and a line that names the word, cut where it is long",
    seen="refused in 0.4 to 0.8 s",
)
@pytest.mark.parametrize(("words", "said"), WORDS, ids=[f"{n}-{said[:30]}" for n, (_, said) in enumerate(WORDS)])
def test_odd_words(project: Clone, words: tuple[str | bytes, ...], said: str) -> None:
    end = refused(project, *words)
    assert end.code == 2
    assert said in end.lines[0]
    assert len(end.lines[0]) < 1500


APP = """\
title: Odd
runtime: system
command: /bin/true
routes: {one: {path: /}}
"""


@fault(
    "Input",
    done="an app that names files outside of the project (`source: [/etc/passwd]`, a symbolic link), a port above 65535, a "
    "wait that is no time, a title of 1 MB, headers with line breaks",
    promised="exit code 2 and a line at its place; no such file is sent to a host",
    seen="refused in 0.6 s",
)
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("source: [/etc/passwd]", "app.yml:5: '/etc/passwd' is not in the project's folder"),
        ("source: [../../../../../../../../etc/passwd]", "etc/passwd' is not in the project's folder"),
        ("source: [link]", "app.yml:5: 'link' is not in the project's folder"),
        ("port: 65536", "app.yml:5: a port is between 1 and 65535, not 65536"),
        ("port: -1", "app.yml:5: a port is between 1 and 65535, not -1"),
        ("sleep_seconds: .nan", "app.yml:5: expected a number, found nan"),
        ("sleep_seconds: .inf", "app.yml:5: expected a number, found inf"),
        ("sleep_seconds: -1", "app.yml:5: 'sleep_seconds' is between 0 and 3600, not -1"),
        ("sleep_seconds: 1e9", "app.yml:5: 'sleep_seconds' is between 0 and 3600, not 1e+09"),
        (f"note: {'9' * 5000}", "app.yml:5: a number of 5,000 characters; the longest has 100"),
        ("note: !!int x", "app.yml:5: not valid YAML: 'x' is no !!int"),
        ("note: !!binary eA==", "app.yml:5: the tag '!!binary' is not supported here"),
        ("<<: {title: x}\ntitle: x", "app.yml:6: 'title' is given twice"),
        (f"title: {'x' * 1_000_000}", "'title' is given twice"),
    ],
)
def test_odd_app(project: Clone, line: str, said: str) -> None:
    folder = project.root / "apps" / "odd"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "app.yml").write_text(f"{APP}{line}\n")
    try:
        end = refused(project, "provision", "-i", "lab", "--limit", "lab1")
        assert end.code == 2
        assert said in "\n".join(end.lines)
    finally:
        shutil.rmtree(folder)


@fault(
    "Input",
    done="a symbolic link to /etc/passwd, a file of 1 TB, or a file whose name is not UTF-8, among the files of an app, "
    "which no `source` names",
    promised="exit code 2 and a line; nothing is sent to a host",
    seen="refused in 0.8 s",
)
@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("link", "odd", "it leads out of the project, and would be sent to the hosts; copy it"),
        ("huge", "odd", "it is larger than 64 MiB"),
        ("name", "\udcff.txt", "its name is not UTF-8 text; rename it"),
    ],
)
def test_file_that_no_host_may_get(project: Clone, kind: str, name: str, said: str) -> None:
    path = project.root / "apps" / "sanic" / name
    if kind == "link":
        path.symlink_to("/etc/passwd")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40 if kind == "huge" else 7)
    try:
        end = refused(project, "provision", "-i", "lab")
        name = name.replace("\udcff", "\\xff")
        assert (end.code, end.lines) == (2, (f"error: apps/sanic/{name}: cannot be read: {said}",))
    finally:
        path.unlink()


SUITE = "title: {title}\nprofiles: {{quick: {{duration: 1s}}}}\nrows:\n{rows}"
ROW = "  - {{name: r{n}, app: sanic, connections: 4}}\n"


@fault(
    "Input",
    done="a suite of 100,000 rows, or with a title of 1 MB or with terminal escapes",
    promised="exit code 2 and a line at its place",
    seen="refused in 5 s (rows) and 0.6 s (title)",
)
@pytest.mark.parametrize(
    ("title", "rows", "said"),
    [
        ("x", 100_000, "it is larger than|100,000 rows; a suite has at most 10,000|more than 300,000 values"),
        ("x", 20_000, "20,000 rows; a suite has at most 10,000"),
        ("x" * 1_000_000, 1, "a title is one line of at most 200 characters"),
        ('"\\e[31m"', 1, "a title is one line of at most 200 characters, without control characters"),
    ],
)
def test_odd_suite(project: Clone, title: str, rows: int, said: str) -> None:
    path = project.root / "configs" / "suites" / "odd.yml"
    path.write_text(SUITE.format(title=title, rows="".join(ROW.format(n=n) for n in range(rows))))
    try:
        end = refused(project, "bench", "--dry-run", "--suite", "odd")
        assert end.code == 2
        assert "odd.yml:" in end.lines[0]
        assert any(one in end.lines[0] for one in said.split("|")), end.lines[0][:300]
    finally:
        path.unlink()


@fault(
    "Input",
    done="a stored run with 3,000 repeats of a row, one with 2,000 rows, and one with a title and a cause of 1 MB",
    promised="all reports are written, in a time that grows with the number of cells; long texts are cut",
    seen="3,000 repeats in 0.4 s, 2,000 rows in 3 s",
)
def test_reports_of_very_large_runs(tmp_path: Path) -> None:
    def seconds(rows: int, repeats: int) -> float:
        names = [f"r{n}" for n in range(rows)]
        cells = [a_cell(name, repeat, a_load(90_000 + 7 * repeat)) for repeat in range(1, repeats + 1) for name in names]
        began = time.process_time()
        report = Report(make(a_run(*names), cells))
        for export in (*EXPORTS.values(), render_terminal):
            export(report)
        return time.process_time() - began

    assert seconds(1, 3000) < 30
    assert seconds(2000, 1) < 60
    failed = a_cell("go", status="failed", reason="why " * 250_000, load=None)
    report = Report(make(replace(a_run("go"), suite_title="x" * 1_000_000), [replace(failed, load=None)]))
    for name, export in EXPORTS.items():
        text = export(report)
        assert len(text) < 60_000, f"{name} has {len(text)} characters"
        assert name == "report.json" or "why why… (more in raw/go-1.txt)" in text
    store.write_run(tmp_path, a_run("go"))


@fault(
    "Input",
    done="variables with which Python does not start, stays open or finds other modules: `PYTHONHOME=/nope`, "
    "`PYTHONUTF8=2`, `PYTHONIOENCODING=bogus`, `PYTHONINSPECT=1`; and `inv` through symbolic links",
    promised="`./inv` starts as otherwise",
    seen="the version, exit code 0",
)
@pytest.mark.parametrize(
    "variable",
    [
        "PYTHONHOME=/nope",
        "PYTHONPATH=/nope",
        "PYTHONUTF8=2",
        "PYTHONIOENCODING=bogus",
        "PYTHONHASHSEED=x",
        "PYTHONMALLOC=x",
        "PYTHONTRACEMALLOC=x",
        "PYTHONINTMAXSTRDIGITS=3",
        "PYTHONPLATLIBDIR=zz",
        "PYTHONINSPECT=1",
    ],
)
def test_start_in_an_odd_environment(project: Clone, tmp_path: Path, variable: str) -> None:
    (tmp_path / "one").symlink_to(project.root / "inv")
    (tmp_path / "two").symlink_to("one")
    name, _, value = variable.partition("=")
    done = project.run([str(tmp_path / "two"), "--version"], timeout=60, **{name: value})
    assert (done.code, done.stdout[:9], done.stderr) == (0, "benchrig ", "")


@fault(
    "Input",
    done="a user name that is not text: `USER=$'\\xff'`, alone and beside `ansible_user`",
    promised="one line that names the host; where `ansible_user` says who logs in, it does not matter",
    seen="`the user name '\\udcff' is not printable text`, exit code 3; and `cannot be reached`",
)
@pytest.mark.parametrize("task", ["provision", "status"])
@pytest.mark.parametrize(
    ("user", "said"), [("", "web1: the user name '\\udcff' is not printable text"), ("root", "cannot be reached")]
)
def test_user_name_that_is_no_text(project: Clone, tmp_path: Path, task: str, user: str, said: str) -> None:
    named = f", ansible_user: {user}" if user else ""
    host = f"{{ansible_host: 127.0.0.1, ansible_port: 1, benchrig_known_hosts: {tmp_path}/known{named}}}"
    (tmp_path / "known").touch()
    (tmp_path / "hosts.yml").write_text(f"servers:\n  hosts:\n    web1: {host}\n")
    environ = {name: os.fsdecode(b"\xff") for name in ("USER", "LOGNAME")}
    done = project.run(["./inv", task, "-i", str(tmp_path / "hosts.yml")], timeout=60, **environ)
    assert "Traceback" not in done.stderr
    if task == "provision":
        assert (done.code, done.stderr.count("error: ")) == (3, 1)
        assert said in done.stderr
    else:
        assert done.code == 0
