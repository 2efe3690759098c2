"""The command line against faults: odd configuration, numbers, terminals, and files that the system refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchrig.agent.text import short
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.clone import Clone, copy_project

BOMB = "error: {file}:16: more than 300,000 values, where those behind an alias count each time"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "error: --config: there is no file '{file}'"),
        ("a: [", "error: {file}:2: not valid YAML: did not find expected node content"),
        ("a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{b: *a{n - 1}, c: *a{n - 1}}}\n" for n in range(1, 30)), BOMB),
        ("hello", "error: {file} is not of the form of invoke.yaml: a mapping of mappings"),
        ("- a", "error: {file} is not of the form of invoke.yaml: a mapping of mappings"),
        ("benchrig: []", "error: {file} is not of the form of invoke.yaml: a mapping of mappings"),
    ],
)
def test_mistake_in_the_configuration_is_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text)
    done = inv("-f", str(file), "report", "web-frameworks")
    assert (done.returncode, done.stderr.strip()) == (2, said.format(file=file))


def test_text_that_the_terminal_cannot_show_is_written_as_its_escape() -> None:
    done = inv("report", "web-frameworks", "--lang", "zh", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u9879\\u76ee" in done.stdout


def test_language_that_no_article_has_is_refused_before_a_run_is_made() -> None:
    done = inv("bench", "report", "--lang", "tlh")
    assert (done.returncode, done.stderr.strip()) == (2, "error: unknown language 'tlh'; known: en, zh")


@pytest.mark.parametrize("digits", ["9" * 20, "9" * 5000])
def test_count_that_nothing_can_reckon_with_is_refused(digits: str) -> None:
    done = inv("bench", "--dry-run", "--repeats", digits)
    assert (done.returncode, done.stderr.strip()) == (2, f"error: --repeats takes a whole number, not '{short(digits)}'")


def test_table_is_shown_where_its_files_cannot_be_written(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "cases" / "results" / "v1", run)
    (run / "report.md").mkdir()
    done = inv("report", str(run))
    assert done.returncode == 1
    assert "Flask" in done.stdout
    assert done.stderr.strip() == f"error: {run}/report.md: cannot be written: Is a directory"


def test_what_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "cells.jsonl").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "cases" / "results" / "v1" / "run.json", run)
    done = inv("report", str(run))
    assert (done.returncode, done.stderr.strip()) == (2, f"error: {run}/cells.jsonl cannot be read: it is a folder")


@pytest.mark.parametrize("line", ["--help", "bench --help", "--list", "report web-frameworks"])
@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [("| true", 0, ""), (">/dev/full", 1, "error: standard output: No space left on device\n"), (">&-", 0, "")],
)
def test_output_that_cannot_be_written_is_no_traceback(line: str, shell: str, code: int, said: str) -> None:
    program = f"set -o pipefail; {sys.executable} -P -m benchrig.cli {line} {shell}"
    done = subprocess.run(
        ["bash", "-c", program], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


def test_control_characters_of_stored_texts_are_shown_as_escapes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "cases" / "results" / "v1", run)
    cells = (run / "cells.jsonl").read_text()
    (run / "cells.jsonl").write_text(cells.replace("Flask + gevent", "F\\u001b[31m\\u0007\\u202e\\r"))
    done = inv("report", str(run))
    assert "\\x07\\u202e" in done.stdout
    assert not set("\x1b\x07\u202e\r") & set(done.stdout)


def test_control_characters_of_what_was_typed_are_shown_as_escapes() -> None:
    assert inv("report", "\x1b[31m").stderr.startswith("error: unknown run '\\x1b[31m'")
    assert inv("\x1b[31m").stderr.startswith("error: unknown task '\\x1b[31m'")


@pytest.mark.parametrize("line", ["report -- web-frameworks", "-- web-frameworks"])
def test_words_behind_two_dashes_are_not_ignored(line: str) -> None:
    done = inv(*line.split())
    assert (done.returncode, done.stderr.strip()) == (2, "error: '--' ends the command line: leave out '-- web-frameworks'")


@pytest.fixture
def copied(tmp_path: Path) -> Clone:
    """Return a copy of the project, whose invoke.yaml can be spoilt."""
    return copy_project(tmp_path / "copy")


def in_copy(copied: Clone, *words: str) -> tuple[int, str]:
    """Run a command line in a copy, for 20 s at most; return its code and its errors."""
    argv = [sys.executable, "-P", "-m", "benchrig.cli", "--search-root", str(copied.root), *words]
    done = copied.run(argv, timeout=20, PYTHONPATH=str(copied.root), HOME=str(copied.root.parent / "home"))
    assert "Traceback" not in done.stderr, done.stderr
    return done.code, done.stderr


NO_CHAIN = "plain invoke needs the project's invoke.yaml with tasks.executor_class: benchrig.cli.chain.ChainExecutor"


@pytest.mark.parametrize("kind", ["empty", "missing", "dangling", "null", "nonsense"])
def test_no_configuration_makes_a_command_do_nothing(copied: Clone, kind: str) -> None:
    file = copied.root / "invoke.yaml"
    file.unlink()
    if kind == "empty":
        file.touch()
    elif kind == "dangling":
        file.symlink_to("nowhere.yaml")
    elif kind != "missing":
        file.write_text(f"tasks: {{executor_class: {kind}}}\n")
    code, said = in_copy(copied, "report", "nosuch")
    assert (code, said[:28]) == (2, "error: unknown run 'nosuch';")
    if kind in ("empty", "missing", "dangling"):
        # What a variable says counts, and plain Invoke, which runs tasks one by one, does not pass over them in silence.
        done = inv("status", cwd=copied.root, root=copied.root, PYTHONPATH=str(copied.root), INVOKE_BENCHRIG_INVENTORY="x")
        assert done.stderr.startswith("error: unknown inventory 'x'")
        invoke = copied.run([str(Path(sys.executable).with_name("invoke")), "status"])
        assert (invoke.code, invoke.stderr) == (2, f"error: {NO_CHAIN}\n")


@pytest.mark.parametrize("where", ["invoke.yaml", "invoke.json", "../home/.invoke.yaml", "../home/.invoke.py"])
def test_configuration_that_is_no_file_is_not_waited_for(copied: Clone, where: str) -> None:
    (copied.root / "invoke.yaml").unlink()
    (copied.root.parent / "home").mkdir()
    os.mkfifo(copied.root / where)
    code, said = in_copy(copied, "status")
    assert (code, said.count("\n")) == (2, 1)
    assert said.endswith("cannot be read: it is a FIFO\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "invoke.yaml:1: not valid YAML: nested too deeply, more than 100 levels"),
        ("1: 2", "Invoke's configuration, or a variable INVOKE_...: sequence item 0: expected str instance, int found"),
        ("[1]", "Invoke's configuration is not of the form of invoke.yaml: a mapping of mappings"),
    ],
)
def test_configuration_of_the_project_that_is_wrong_is_one_line(copied: Clone, text: str, said: str) -> None:
    (copied.root / "invoke.yaml").write_text(text)
    assert in_copy(copied, "status") == (2, f"error: {said}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nraise RuntimeError('no\\nway')\n", "{file}:2: RuntimeError: no way"),
        ("def f():\n    raise KeyError\n\nf()\n", "{file}:2: KeyError"),
        ("x = (\n", "{file}:1: SyntaxError: '(' was never closed"),
        ("import os\n", "Invoke's configuration: 'os' is a module, which can't be used as a config value."),
    ],
)
def test_python_configuration_that_raises_is_one_line(copied: Clone, text: str, said: str) -> None:
    file = copied.root.parent / "home" / ".invoke.py"
    file.parent.mkdir()
    file.write_text(text)
    code, shown = in_copy(copied, "status")
    assert (code, shown.count("\n")) == (2, 1)
    assert shown.startswith(f"error: {said.format(file=file)}")
