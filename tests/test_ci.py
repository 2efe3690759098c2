"""The pipeline of docs/ci.md: its script runs, from two commits to the text of a comment; its YAML is YAML."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from benchrig.inventory import Host
from tests.support import ROOT
from tests.support.clone import Clone, Done, copy_project
from tests.support.gate import BASE, rows, scaled, stored

PAGE = ROOT / "docs" / "ci.md"

STAND_IN = """\
#!/bin/sh
# In place of ./inv: a bench is played back from the run that the commit names; all else is real.
set -eu
if [ "$1 $2" = "provision bench" ]; then
    echo "$@" >> bench.log
    [ -e played ] || exit 1
    read -r run code < played
    cp -r "stored/$run" reports/
    ln -sfn "$run" reports/latest
    exit "$code"
fi
PYTHONPATH=. exec {python} -P -m benchrig.cli --search-root . "$@"
"""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, played: str) -> str:
    """Commit which run a bench of this commit makes, and with which exit code; return the commit."""
    (folder / "played").write_text(f"{played}\n")
    git(folder, "add", "-A", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", played or "nothing")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a commit for each kind of run: fast, equal, slow, half, and none."""
    made = copy_project(tmp_path_factory.mktemp("ci")).root
    runs = {"fast": scaled(1.001), "equal": BASE, "slow": scaled(0.8)}
    for name, rates in runs.items():
        stored(made, name, rows({"sanic": rates, "go-2000": BASE}))
    stored(made, "half", rows({"sanic": BASE}), "sanic", "go-2000")
    (made / "stored").mkdir()
    for name in (*runs, "half"):
        shutil.move(made / "reports" / name, made / "stored" / name)
    (made / "inv").write_text(STAND_IN.format(python=sys.executable))
    (made / ".gitignore").write_text((made / ".gitignore").read_text() + "/stored/\n/bench.log\n/gate.*\n")
    git(made, "init", "--quiet", "-b", "main")
    for name in ("fast 0", "equal 0", "slow 0", "half 1"):
        commit(made, name)
        git(made, "tag", name.split()[0])
    (made / "played").unlink()
    git(made, "commit", "--quiet", "-a", "-m", "none")
    git(made, "tag", "none")
    return made


@pytest.fixture
def clean(project: Path) -> Path:
    """Return the repository without results."""
    for path in (*(project / "reports").iterdir(), project / "bench.log", project / "gate.xml", project / "gate.md"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != "README.md":
            path.unlink(missing_ok=True)
    return project


def pipeline(folder: Path, *words: str, **environ: str) -> Done:
    return Clone(folder).run(["docs/ci/gate.sh", *words], timeout=600, **environ)


def test_a_commit_that_is_as_fast_passes(clean: Path) -> None:
    done = pipeline(clean, "fast", "equal", "5%", BENCH="--profile quick")
    assert done.code == 0, done.stderr
    assert "gate: passed (4 passed)" in done.stdout
    assert (clean / "gate.md").read_text().startswith("## benchrig gate: passed\n")
    assert ElementTree.parse(clean / "gate.xml").getroot().get("failures") == "0"
    assert (clean / "bench.log").read_text() == "provision bench --profile quick\n" * 2
    assert git(clean, "symbolic-ref", "--short", "HEAD") == "main"


def test_a_commit_that_is_slower_fails_and_the_comment_says_where(clean: Path) -> None:
    done = pipeline(clean, "fast", "slow")
    assert done.code == 8, done.stderr
    comment = (clean / "gate.md").read_text()
    assert comment.startswith("## benchrig gate: failed\n")
    assert "| **failed** | throughput(sanic) at most 5 % worse | 8,000 requests/s after 10,010: 20 % worse (" in comment
    assert ElementTree.parse(clean / "gate.xml").getroot().get("failures") == "2"
    assert (clean / "bench.log").read_text() == "provision bench --profile rigorous --until 2%\n" * 2
    assert git(clean, "symbolic-ref", "--short", "HEAD") == "main"


def test_a_row_that_failed_is_not_passed_over(clean: Path) -> None:
    done = pipeline(clean, "fast", "half")
    assert done.code == 8
    assert "| **not decided** | throughput(go-2000) at most 5 % worse |" in (clean / "gate.md").read_text()


def test_more_conditions_are_handed_on(clean: Path) -> None:
    done = pipeline(clean, "fast", "equal", GATE="--fail-if latency_p99(sanic)>100ms")
    assert done.code == 8
    assert "fail if latency_p99(sanic)>100ms" in (clean / "gate.md").read_text()


def test_a_bench_that_made_nothing_is_not_judged_by_an_older_run(clean: Path) -> None:
    done = pipeline(clean, "fast", "none")
    assert done.code == 1
    assert "error: no complete run of " in done.stderr
    assert not (clean / "gate.md").exists()


def test_an_unknown_commit_measures_nothing(clean: Path) -> None:
    assert pipeline(clean, "nosuch", "fast").code != 0
    assert not (clean / "bench.log").exists()


@pytest.mark.parametrize("text", re.findall(r"^```yaml title=\S+\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
def test_the_pipelines_of_the_page_are_yaml_and_run_the_script(text: str) -> None:
    assert yaml.safe_load(text)
    assert "docs/ci/gate.sh" in text
    assert "gate.md" in text


def test_the_page_shows_a_pipeline_for_both() -> None:
    titles = re.findall(r"^```yaml title=(\S+)", PAGE.read_text(), re.MULTILINE)
    assert titles == [".github/workflows/bench.yml", ".gitlab-ci.yml"]


@pytest.mark.lab
def test_the_pipeline_finds_a_slowdown_on_a_real_machine(clone: Clone, main_job: Done, lab1: Host) -> None:
    """The handler of one app waits longer in the pushed commit: the gate fails, and passes where nothing changed."""
    assert main_job.code == 0
    assert lab1
    bench = {"BENCH": "--only flask-sync --duration 1s --connections 12 --repeats 4"}
    source = next((clone.root / "apps" / "flask-sync").glob("*.py"))
    before = source.read_text()
    assert not (clone.root / ".git").exists()
    git(clone.root, "init", "--quiet", "-b", "main")
    try:
        git(clone.root, "add", "-A", ".")
        git(clone.root, "commit", "--quiet", "-m", "base")
        source.write_text(before.replace("0.1", "0.15"))
        git(clone.root, "commit", "--quiet", "-a", "-m", "slower")
        same = pipeline(clone.root, "HEAD~1", "HEAD~1", "20%", **bench)
        # On a busy machine, no row is valid, and nothing is decided.
        assert same.code == (8 if "disturbed" in same.stdout else 0), same.stdout + same.stderr
        slower = pipeline(clone.root, "HEAD~1", "HEAD", "20%", **bench)
        assert slower.code == 8, slower.stdout + slower.stderr
        comment = (clone.root / "gate.md").read_text()
        assert "**failed** | throughput(flask-sync) at most 20 % worse" in comment or "disturbed" in comment
    finally:
        # Others use the clone, and it is none of git's.
        source.write_text(before)
        shutil.rmtree(clone.root / ".git")
