"""`./inv audit` on the command line: files of every kind, JSON, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.output import MARKER
from benchrig.report import texts
from benchrig.report.texts.lines import records
from benchrig.schema import documents
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.texts import SHAPES, WRK, WRK2

INVALID = WRK.replace("responses: 5", "responses: 2500")


def lines(*sources: texts.Source) -> list[dict[str, Any]]:
    return [json.loads(line) for line in texts.render_json(sources).splitlines()]


def source(tmp_path: Path, content: str | bytes) -> texts.Source:
    path = tmp_path / "pasted"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return texts.read(str(path), DEFAULT)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (WRK2, 0, ""),
        (WRK, 0, ""),
        (f"{INVALID}{WRK2}", 6, "error: 1 of 2 texts have figures that must not be used\n"),
        (f"{INVALID}Running 1s test @ http://192.0.2.7\n", 2, "error: 1 of 2 texts cannot be read\n"),
        ("nothing", 2, "error: 1 of 1 files: no text could be read\n"),
    ],
)
def test_the_exit_code_says_whether_figures_may_be_used(tmp_path: Path, content: str, code: int, said: str) -> None:
    path = tmp_path / "pasted.md"
    path.write_text(content)
    done = inv("audit", str(path))
    assert (done.returncode, done.stderr) == (code, said)
    assert done.stdout.startswith(f"{path}:1: " if "Running" in content else f"{path}: unreadable")


def test_several_files_and_standard_input_are_read_in_their_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(WRK)
    two.write_text(f"\n{WRK2}")
    done = subprocess.run(
        [str(ROOT / "inv"), "audit", str(one), "-", str(two), "--json"],
        input=INVALID, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["file"], line["first_line"], line["verdict"]) for line in found] == [
        (str(one), 1, "doubtful"),
        ("standard input", 1, "invalid"),
        (str(two), 2, "sound"),
    ]
    assert done.returncode == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "task 'audit' lacks FILES; see ./inv audit --help"),
        (["x", "--pipeline", "many"], "'many'"),
        ([""], "FILES of task 'audit' is empty"),
        (["--json", "-"], ""),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(words: list[str], said: str) -> None:
    done = subprocess.run(
        [str(ROOT / "inv"), "audit", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr


def test_files_that_are_no_text_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b" " * (17 << 20))
    os.mkfifo(tmp_path / "fifo")
    reasons = {
        name: texts.read(str(tmp_path / name), DEFAULT).refused for name in ("empty", "large", "fifo", "nowhere", ".", "\0")
    }
    assert reasons == {
        "empty": "it has no text of wrk",
        "large": "cannot be read: it is larger than 16 MiB",
        "fifo": "cannot be read: it is a FIFO",
        "nowhere": "cannot be read: No such file or directory",
        ".": "cannot be read: it is a folder",
        "\0": "cannot be read: its name has a NUL character",
    }
    assert texts.read(sys.executable, DEFAULT).refused.startswith("cannot be read: it is")


def test_what_stands_beside_the_texts_of_a_run_is_skipped(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "go.lua").write_text(f"io.write('{MARKER}')")
    (raw / "go-1.txt").write_text(f"$ wrk -t1 -c1 -d1s http://192.0.2.7/\n{WRK}")
    command = "$ wrk -t1 -c1 -d1s http://192.0.2.7/"
    (raw / "go-2.txt").write_text(f"{command}\n\n# the app's journal\nTraceback\n")
    files = sorted(map(str, raw.iterdir()))
    sources = [texts.read(file, DEFAULT) for file in files]
    assert [bool(source.skipped) for source in sources] == [False, True, True]
    assert texts.failure(sources) is None
    assert len(texts.render_json(sources).splitlines()) == 1
    text = texts.render_terminal(sources)
    assert f"{files[2]}: skipped\n  it is a script of wrk.\n" in f"{text}\n"
    assert f"{files[1]}: skipped\n  its cell failed before wrk printed anything" in text
    # Alone, they are nothing to check; a command without its output is no such file.
    assert str(texts.failure(sources[1:])) == "there is no text to check"
    (raw / "cut.txt").write_text(f"{command}\n")
    cut = texts.read(str(raw / "cut.txt"), DEFAULT)
    assert cut.refused
    assert str(texts.failure([*sources, cut])) == "1 of 4 files: no text could be read"
    assert texts.render_terminal([*sources, cut]).endswith("1 of 4 files: no text could be read")


@pytest.mark.parametrize(("folder", "pattern"), [("run/raw", "*.txt"), ("run", "raw/*.txt"), ("run", "raw/*/*.txt")])
def test_a_runs_folder_says_which_files_to_name(tmp_path: Path, folder: str, pattern: str) -> None:
    file = tmp_path / folder / pattern.replace("*", "one")
    file.parent.mkdir(parents=True)
    file.touch()
    said = texts.read(str(tmp_path / folder), DEFAULT).refused
    assert said == f"cannot be read: it is a folder; name its files: {tmp_path / folder}/{pattern}"


@pytest.mark.parametrize("content", [WRK, WRK2, INVALID, "nothing", WRK[:400], *list(SHAPES.values())[:3]])
def test_every_line_of_json_fits_its_schema(tmp_path: Path, content: str) -> None:
    schema = json.loads(documents.text("text"))
    for line in lines(source(tmp_path, content)):
        assert [error.message for error in Draft7Validator(schema).iter_errors(line)] == []


def test_an_object_has_figures_with_units_warnings_with_values_and_unread_lines(tmp_path: Path) -> None:
    (line,) = lines(source(tmp_path, WRK.replace("  Socket", "  ?? 7\n  Socket")))
    assert (line["invalid"], line["refused"], line["unread"]) == (False, None, [{"line": 12, "text": "?? 7"}])
    assert (line["figures"]["latency_p99_ms"], line["figures"]["errors_status"]) == (1520.0, 5)
    timeouts = next(one for one in line["warnings"] if one["code"] == "timeouts")
    assert timeouts["values"]["timeout"] == {"low": 2.0, "high": 2.0, "unit": "seconds"}
    assert timeouts["text"] == "2 of 2,500 replies came after the timeout of 2 s, the load generator's default."


def test_a_refused_text_says_why_and_keeps_what_it_has(tmp_path: Path) -> None:
    (line,) = lines(source(tmp_path, WRK[: WRK.index("  Thread Stats")]))
    assert (line["verdict"], line["invalid"]) == ("unreadable", False)
    assert line["refused"].startswith("it ends before its figures")
    assert line["figures"]["connections"] == 80


def test_no_text_of_a_file_reaches_the_terminal_unescaped(tmp_path: Path) -> None:
    found = source(tmp_path, WRK.replace("  Socket", "  x\x9b2J \u202e y\n  Socket"))
    assert "\x9b" not in texts.render_json([found])
    path = tmp_path / "pasted"
    assert not set("\x1b\x9b\u202e") & set(inv("audit", str(path)).stdout)


def test_the_terminals_text_fits_a_hundred_columns(tmp_path: Path) -> None:
    text = texts.render_terminal([source(tmp_path, f"{WRK}{WRK2}{INVALID}")])
    assert max(map(len, text.splitlines()[1:])) <= 100
    assert text.splitlines()[-1] == "3 texts: 1 sound, 1 doubtful, 1 invalid"


def test_the_page_names_every_key_and_every_verdict() -> None:
    page = (ROOT / "docs" / "audit.md").read_text()
    (record,) = records([texts.Source("x", (), "no text")])
    assert [name for name in record.__dataclass_fields__ if f"`{name}`" not in page] == []
    assert [one for one in texts.Verdict if not re.search(rf"^\| {one} \|", page, re.MULTILINE)] == []


def test_published_texts_have_the_same_verdicts() -> None:
    published = ROOT / "configs" / "published" / "web-frameworks"
    found = [texts.read(str(path), DEFAULT) for path in sorted(published.glob("*.txt"))]
    verdicts = [judged.verdict for one in found for judged in one.texts]
    assert {verdict: verdicts.count(verdict) for verdict in verdicts} == {"sound": 7, "doubtful": 2, "invalid": 6}


def test_closed_standard_input_is_unreadable() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{ROOT / 'inv'}' audit - <&-"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "standard input: unreadable\n  cannot be read: it is closed.\n")


def test_a_depth_of_0_is_refused_and_options_are_in_order(tmp_path: Path) -> None:
    done = inv("audit", str(tmp_path / "x"), "--pipeline", "0")
    assert (done.returncode, done.stderr) == (2, "error: --pipeline takes 1 or more: 1 is without pipelining\n")
    assert re.findall(r"--(files|json|pipeline)\b", inv("audit", "--help").stdout.partition("Options:")[2]) == [
        "files",
        "json",
        "pipeline",
    ]
