"""Output of the real `./inv` that cannot be written, and text from outside in everything that it writes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchrig.console import CONTROLS
from tests.support import ROOT
from tests.support.clone import Clone
from tests.support.faults import fault

pytestmark = pytest.mark.faults

RESULTS = ROOT / "tests" / "cases" / "results" / "v2"

COMMANDS = (
    "report web-frameworks --lang zh",
    "compare tests/cases/comparing/before tests/cases/comparing/after",
    "claims --published",
    "bench --dry-run",
    "--help",
    "status",
    "completion bash",
)
"""One of each kind of output: tables, wide characters, help, a script."""


def shell(project: Clone, command: str, redirect: str, **environ: str) -> tuple[int, str, str]:
    """Run `./inv` in a shell with a redirection, see that nothing is a traceback, and return its code and its output."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; ./inv {command} {redirect}"],
        cwd=project.root,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        errors="surrogateescape",
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@fault(
    "Output and text from outside",
    done="standard output on a full disk (`> /dev/full`), closed (`>&-`), or a pipe whose reader has ended",
    promised="one line and exit code 1 for the full disk; exit code 0 for the other two, which the user asked for",
    seen="`error: standard output: No space left on device`; no traceback of any command",
)
@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written(project: Clone, command: str) -> None:
    full = "error: standard output: No space left on device\n"
    assert shell(project, command, ">/dev/full") == (1, "", full)
    assert shell(project, command, ">&-") == (0, "", "")
    assert shell(project, command, "| true") == (0, "", "")


@fault(
    "Output and text from outside",
    done="standard error full, closed, or a pipe whose reader has ended, and a command that has progress to write there",
    promised="the command goes on, and ends as it would otherwise",
    seen="an app and its suite were written, exit code 0; 2 for a mistake",
)
@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&-", "2>&1 | true"])
def test_progress_that_cannot_be_written(project: Clone, redirect: str) -> None:
    try:
        assert shell(project, "new app progress", redirect) == (0, "", "")
        assert (project.root / "configs" / "suites" / "progress.yml").is_file()
        assert shell(project, "nonsense", redirect) == (2, "", "")
    finally:
        shutil.rmtree(project.root / "apps" / "progress", ignore_errors=True)
        (project.root / "configs" / "suites" / "progress.yml").unlink(missing_ok=True)


@fault(
    "Output and text from outside",
    done="the reader of a table ends early, and another task stands behind it in the chain",
    promised="every task does its work, and the exit code is that of the work",
    seen="exit code 1: the second table's files could not be written",
)
def test_reader_that_ends_before_the_last_task(project: Clone, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(RESULTS, run, ignore=shutil.ignore_patterns("raw", "report.*"))
    (run / "report.md").mkdir()
    code, _, err = shell(project, f"report web-frameworks report {run}", "| true")
    assert (code, err) == (1, f"error: {run}/report.md: cannot be written: Is a directory\n")


@fault(
    "Output and text from outside",
    done="a terminal or locale that is not UTF-8: `LC_ALL=C` in ASCII, cp1252, Latin-1",
    promised="what it cannot show is written as an escape; the exit code is 0",
    seen="all tables printed, `–` as `\\u2013` in ASCII and as itself in cp1252",
)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_output_in_another_encoding(project: Clone, command: str, encoding: str) -> None:
    code, out, err = shell(project, command, "", LC_ALL="C", PYTHONIOENCODING=encoding)
    assert (code, err) == (0, "")
    assert out
    if encoding == "ascii":
        assert out.isascii()


def in_mount(project: Clone, mount: str, place: Path, command: str) -> tuple[int, str, str]:
    """Run a command of a shell in a mount namespace of its own, where a file system is mounted at `place`."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    script = f"{mount.format(place=shlex.quote(str(place)))} && {command}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@fault(
    "Output and text from outside",
    done="the folder of a run read-only, or its disk full, while `./inv report` writes its files (a bind mount, a "
    "tmpfs of 128 KiB)",
    promised="the table is printed all the same, then one line, exit code 1",
    seen="the table, and `report.md: cannot be written: Read-only file system` or `No space left on device`",
)
@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ("mount --bind {place} {place} && mount -o remount,ro,bind {place}", "Read-only file system"),
        (
            "mount -t tmpfs -o size=128k tmpfs {place} && tar -xf {place}.tar -C {place} "
            "&& head -c 200K /dev/zero > {place}/fill 2>/dev/null; true",
            "No space left on device",
        ),
    ],
)
def test_folder_of_a_run_that_cannot_be_written(project: Clone, tmp_path: Path, mount: str, said: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(RESULTS, run, ignore=shutil.ignore_patterns("raw", "report.*"))
    subprocess.run(["tar", "-cf", f"{run}.tar", "-C", run, "."], check=True)
    code, out, err = in_mount(project, mount, run, f"./inv report {run}")
    assert (code, err) == (1, f"error: {run}/report.md: cannot be written: {said}\n")
    assert "flask" in out.lower()


@fault(
    "Output and text from outside",
    done="the cache folder on a read-only file system, for `./inv status` and `./inv up`",
    promised="one line, and no traceback",
    seen="`status` shows the machines; `up` ends with one line",
)
def test_cache_that_cannot_be_written(project: Clone, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    mount = "mount -t tmpfs -o ro tmpfs {place}"
    code, out, err = in_mount(project, mount, cache, f"XDG_CACHE_HOME={cache} ./inv status -i lab")
    assert (code, err) == (0, "")
    assert "lab1" in out
    code, out, err = in_mount(project, mount, cache, f"XDG_CACHE_HOME={cache} ./inv up -i lab")
    assert code in (1, 4)
    assert "Read-only file system" in err
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [err.splitlines()[-1]]


EVIL = (
    "=cmd()|'\x1b[31m\x1b]8;;http://evil.example\x07x\x9b2J\u202eabc\u2066\u200b\ufeff"
    "<script>alert(1)</script><img src=http://evil.example/a>![](http://evil.example/b)[x](http://evil.example/c)"
    "`|\r\n\n# heading\n|---|\n```\n&amp;\u2028 end"
)
"""What a host, an app or a stored run may say: escapes of terminals, HTML, Markdown, a formula, lines of its own."""


def evil_run(folder: Path) -> None:
    """Write a stored run in which every text that is no name is EVIL."""
    shutil.copytree(RESULTS, folder, ignore=shutil.ignore_patterns("raw", "report.*"))
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    run["suite_title"] = run["benchrig_version"] = run["git_commit"] = EVIL
    for machine in run["machines"]:
        machine |= {"cpu": EVIL, "os": EVIL, "kernel": EVIL, "virtualization": EVIL, "versions": {EVIL: EVIL}}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    lines = []
    for number, line in enumerate((folder / "cells.jsonl").read_text(encoding="utf-8").splitlines()):
        cell = json.loads(line)
        cell |= {"system": EVIL, "route": EVIL, "versions": {EVIL: EVIL}}
        if number == 0:
            cell |= {"status": "failed", "reason": EVIL + "\nits last output:\n" + EVIL * 20, "load": None}
        lines.append(json.dumps(cell))
    (folder / "cells.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Page(HTMLParser):
    """Collects the elements of a page, the addresses that it names, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "style", "onload")]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


@fault(
    "Output and text from outside",
    done="a stored run whose titles, systems, machines, versions and causes have escapes of terminals (CSI, OSC 8, C1), "
    "characters that turn or hide text, HTML, Markdown's images and links, and a spreadsheet's formula",
    promised="every form shows them as text: no escape reaches the terminal, no page gets an element or an address "
    "from them, no spreadsheet a formula",
    seen="no control character in five forms; the pages and tables have the elements that they have otherwise",
)
def test_text_from_outside(project: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    evil_run(folder)
    code, out, err = shell(project, f"report {folder}", "")
    assert (code, err) == (0, "")
    controls = "".join(map(chr, CONTROLS)).replace("\n", "")
    for text in (out, *((folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("md", "html", "csv", "json"))):
        found = sorted({hex(ord(one)) for one in text if one in controls})
        assert not found
    assert "\\x1b[31m" in out
    assert "\\u202e" in out
    see_html((folder / "report.html").read_text(encoding="utf-8"))
    see_markdown((folder / "report.md").read_text(encoding="utf-8"))
    see_csv((folder / "report.csv").read_text(encoding="utf-8"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["rows"][0]["system"].startswith("=cmd()|'\x1b[31m")


def see_html(text: str) -> None:
    page = Page(text)
    assert not {"img", "iframe", "link"} & page.tags
    # The page's own script, and links to places in it and to files of its run.
    assert text.count("<script") == 1
    assert [one for one in page.addresses if not re.fullmatch(r"#[\w-]+|report\.(csv|json|md)|raw/[^:]+", one)] == []
    assert "<script>alert(1)</script>" in page.text


def see_markdown(text: str) -> None:
    # What stands in code is shown as it is.
    prose = re.sub(r"(?ms)^(`{3,})$.*?^\1$", "", text)
    prose = re.sub(r"(?m)^ {10}.*$", "", prose)
    assert not re.search(r"(?<!\\)<script|(?<!\\)<img|(?<!\\)\[|(?m:^# heading)|(?m:^\|---\|$)", prose)
    table = [line for line in prose.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table[:4]}) == 1


def see_csv(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    formula = re.compile(r"^[=+\-@\t\r\n]")
    words = [value for row in rows for value in row.values() if value and not re.fullmatch(r"-?[0-9.e+-]+", value)]
    assert words
    assert not [value for value in words if formula.match(value)]
    assert any(row["system"].startswith("'=cmd()") for row in rows)
    assert all(float(row["connections"]) > 0 for row in rows)


@fault(
    "Output and text from outside",
    done="a cause of 1 MB in a stored run, such as a journal",
    promised="reports show 1,000 characters and name the file that has the rest",
    seen="`… (more in cells.jsonl)`; all five reports together have 60 KB",
)
def test_cause_without_end(project: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    evil_run(folder)
    lines = (folder / "cells.jsonl").read_text(encoding="utf-8").splitlines()
    cell = json.loads(lines[0]) | {"reason": "why " * 250_000, "raw": ""}
    (folder / "cells.jsonl").write_text("\n".join([json.dumps(cell), *lines[1:]]) + "\n", encoding="utf-8")
    code, out, _ = shell(project, f"report {folder}", "")
    assert code == 0
    assert len(out) < 20_000
    shown = " ".join(out.split())
    assert "why why why… (more in cells.jsonl)" in shown
