"""`./inv runs`, `label`, `rm`, `export`, `import` and `publish`: what they print, what they refuse, and what they leave."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from benchrig.results.lock import RunLock
from tests.support.archives import NAME, RUN
from tests.support.cli import inv
from tests.support.clone import copy_project
from tests.support.history import stored
from tests.support.schema import mistakes

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project")).root


@pytest.fixture
def project(copied: Path) -> Path:
    """Return a copy of the project with three runs of one row, and one of several, which is damaged nowhere."""
    for path in (copied / "reports").iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in (copied / "configs" / "published").glob("ours*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for number in range(1, 4):
        stored(copied / "reports", number, [4000 + number, 4010 + number, 4005])
    shutil.copytree(RUN, copied / "reports" / NAME)
    return copied


def run(project: Path, *words: str, **environ: str) -> Done:
    return inv(*words, cwd=project, root=project, PYTHONPATH=str(project), **environ)


def answered(project: Path, answer: str, *words: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, type an answer, and return its exit code and what it printed."""
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(project)
        environ = {"PYTHONPATH": str(project), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "dumb"}
        argv = [sys.executable, "-P", "-m", "benchrig.cli", "--search-root", str(project), *words]
        os.execve(sys.executable, argv, environ)
    seen, asked = b"", False
    # Linux says EIO where the other end of a terminal is closed.
    with suppress(OSError):
        while part := os.read(handle, 4096):
            seen += part
            if b"[y/N] " in seen and not asked:
                asked = True
                os.write(handle, answer.encode())
    os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def there(project: Path) -> set[str]:
    return {path.name for path in (project / "reports").iterdir() if path.is_dir() and not path.is_symlink()}


def test_runs_are_listed_as_a_table_and_as_json(project: Path) -> None:
    done = run(project, "runs")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]][-1] == "2025-run-003"
    document = json.loads(run(project, "runs", "--json").stdout)
    assert mistakes("runs", document) == []
    assert len(document["runs"]) == 4


def test_the_list_is_printed_in_an_ascii_locale(project: Path) -> None:
    assert run(project, "label", "2025-run-001", "naïve").returncode == 0
    done = run(project, "runs", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", NO_COLOR="1")
    assert (done.returncode, done.stdout.isascii()) == (0, True), done.stderr
    done = run(project, "runs", "--json", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert json.loads(done.stdout)["runs"][1]["label"] == "naïve"


def test_a_label_takes_all_words_behind_its_run_and_is_shown_everywhere(project: Path) -> None:
    done = run(project, "label", "2025-run-002", "before", "the", "test", "of", "up", "and", "down")
    assert (done.returncode, done.stderr) == (0, "2025-run-002: before the test of up and down\n")
    label = "before the test of up and down"
    assert label in run(project, "runs").stdout
    assert f"run 2025-run-002 ({label}): suite" in run(project, "report", "2025-run-002").stdout
    folder = project / "reports" / "2025-run-002"
    assert all(label in (folder / name).read_text() for name in ("report.md", "report.html"))
    assert json.loads((folder / "report.json").read_text())["label"] == label
    assert f"B  run 2025-run-002 ({label}): suite" in run(project, "compare", "2025-run-001", "2025-run-002").stdout
    assert label in run(project, "history", "flask-sync").stdout
    assert run(project, "label", "2025-run-002", "--remove").returncode == 0
    assert label not in run(project, "runs").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["label"], "task 'label' lacks RUN"),
        (["label", "latest"], "task 'label' lacks TEXT; --remove removes a label"),
        (["label", "latest", "x", "--remove"], "--remove takes no text"),
        (["label", "latest", "x" * 201], "a label has at most 200 characters"),
        (["label", "latest", "a\nb"], "a label is one line without control characters"),
        (["label", "latest", ""], "TEXT of task 'label' is empty"),
        (["label", "2025-run-009", "x"], "unknown run '2025-run-009'"),
        (["rm"], "task 'rm' lacks RUNS"),
        (["rm", "2025-run-001"], "there is no terminal to ask on"),
        (["rm", "--yes", "2025-run"], "unknown run '2025-run'"),
        (["rm", "--yes", "web-frameworks"], "is a set of published figures, and no run"),
        (["export", "latest"], "task 'export' lacks FILE"),
        (["export", "nowhere", "x.tar.gz"], "unknown run 'nowhere'"),
        (["export", "latest", "README.md"], "README.md exists already"),
        (["import", "README.md"], "README.md is not imported: it is damaged, or no file in gzip's format"),
        (["import", "reports"], "reports is no file"),
        (["import", "/dev/zero"], "/dev/zero is no file"),
        (["import", "nowhere.tar.gz"], "nowhere.tar.gz cannot be read: No such file or directory"),
        (["export", "latest", "nowhere/x.tar.gz"], "there is no folder nowhere"),
        (["publish", "latest"], "task 'publish' lacks NAME"),
        (["publish", "latest", "web-frameworks"], "exists already: a set is never replaced"),
        (["publish", "latest", "../x"], "cannot name a set of figures"),
        (["runs", "--suite", "nonsense"], "there is no run of suite 'nonsense'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(project: Path, words: list[str], said: str) -> None:
    before = there(project)
    done = run(project, *words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert there(project) == before


def test_runs_are_removed_at_once_with_yes(project: Path) -> None:
    run(project, "runs")
    done = run(project, "rm", "2025-run-003", "2025-run-001", "2025-run-003", "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "removed reports/2025-run-003\nremoved reports/2025-run-001\n"
    assert there(project) == {"2025-run-002", NAME}
    assert run(project, "--complete", "--", "history", "flask-s").stdout == "flask-sync\n"
    assert "2025-run-003" not in run(project, "runs").stdout


@pytest.mark.parametrize(
    ("answer", "removed"), [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False), ("\x04", False)]
)
def test_a_terminal_is_asked_first(project: Path, answer: str, removed: bool) -> None:
    run(project, "label", "2025-run-003", "the third")
    code, seen = answered(project, answer, "rm", "2025-run-003", "2025-run-001")
    assert code == 0
    assert "reports/2025-run-003 'the third': 3 measured cells, " in seen
    assert "Remove these 2 runs, " in seen
    assert ("nothing was removed" in seen) is not removed
    assert ("2025-run-003" in there(project)) is not removed


def test_ctrl_c_at_the_question_removes_nothing(project: Path) -> None:
    code, _ = answered(project, "\x03", "rm", "2025-run-003")
    assert code == 130
    assert "2025-run-003" in there(project)


def test_a_run_that_is_measured_is_neither_removed_nor_exported(project: Path) -> None:
    lock = RunLock(project / "reports" / "2025-run-002")
    for words in (("rm", "--yes", "2025-run-001", "2025-run-002"), ("export", "2025-run-002", "x.tar.gz")):
        done = run(project, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "2025-run-002 is being measured by process" in done.stderr
    assert "being measured" in run(project, "runs").stdout
    assert there(project) >= {"2025-run-001", "2025-run-002"}
    assert not (project / "x.tar.gz").exists()
    lock.release()


def test_a_run_moves_to_another_project_and_gives_the_same_report(project: Path, tmp_path: Path) -> None:
    run(project, "label", NAME, "from the first machine")
    sent = tmp_path / "run.tar.gz"
    done = run(project, "export", NAME, str(sent))
    assert done.returncode == 0, done.stderr
    report = run(project, "report", NAME).stdout
    before = {path.name: path.read_bytes() for path in (project / "reports" / NAME).glob("*.json*")}
    shutil.rmtree(project / "reports" / NAME)
    done = run(project, "import", str(sent))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        0, f"imported reports/{NAME}; its table: ./inv report {NAME}"
    )  # fmt: skip
    assert run(project, "report", NAME).stdout == report
    assert {path.name: path.read_bytes() for path in (project / "reports" / NAME).glob("*.json*")} == before
    assert "is here already, with the same content" in run(project, "import", str(sent)).stderr
    assert "imported" in run(project, "runs").stdout


def test_an_archive_goes_through_pipes(project: Path) -> None:
    environ = {"PYTHONPATH": str(project), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    inv_ = f"{sys.executable} -P -m benchrig.cli --search-root {project}"
    script = f"{inv_} export {NAME} - > piped.tar.gz && {inv_} rm {NAME} --yes && cat piped.tar.gz | {inv_} import -"
    done = subprocess.run(["sh", "-c", script], cwd=project, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert NAME in there(project)
    script = f"{inv_} export {NAME} - | head -c 10 > /dev/null"
    done = subprocess.run(["sh", "-c", script], cwd=project, env=environ, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    (project / "piped.tar.gz").unlink()


def test_an_archive_is_not_printed_on_a_terminal(project: Path) -> None:
    code, seen = answered(project, "", "export", NAME, "-")
    assert code == 2
    assert "an archive is not for a terminal" in seen
    code, seen = answered(project, "", "import", "-")
    assert code == 2
    assert "standard input is a terminal" in seen


def test_a_run_is_published_and_compared_with(project: Path) -> None:
    done = run(project, "publish", "2025-run-001", "ours")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "wrote configs/published/ours.yml: 1 row, 0 with the load generator's text" in done.stderr
    done = run(project, "compare", "ours", "2025-run-003")
    assert done.returncode == 2 or "flask-sync" in done.stdout
    assert "published figures ours" in run(project, "report", "ours").stdout
    assert run(project, "publish", "2025-run-001", "ours").returncode == 2
    assert run(project, "label", "ours", "x").returncode == 2


def test_arguments_are_completed(project: Path) -> None:
    def offered(*words: str) -> list[str]:
        return run(project, "--complete", "--", *words).stdout.split()

    assert offered("rm", "2025-run-00") == ["2025-run-003", "2025-run-002", "2025-run-001"]
    assert offered("label", "lat") == ["latest"]
    assert offered("export", "2025-run-001") == ["2025-run-001"]
    assert offered("publish", "web") == []
    assert offered("label", "latest", "pro") == []
    assert offered("rm", "latest", "2025-run-002") == ["2025-run-002"]
