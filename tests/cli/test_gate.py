"""`./inv gate` on the command line: exit codes, chains, stdout for programs; and `status --json`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.cli import inv
from tests.support.clone import Clone, copy_project
from tests.support.gate import BASE, rows, scaled, stored
from tests.support.schema import mistakes


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Yield a copy of the project with two runs: `now` is slower than `before`."""
    made = copy_project(tmp_path_factory.mktemp("gate"))
    stored(made.root, "before", rows({"sanic": BASE}))
    stored(made.root, "now", rows({"sanic": scaled(0.8)}))
    return made


def run(copied: Clone, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return inv(*words, cwd=copied.root, root=copied.root, PYTHONPATH=str(copied.root), **environ)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-if", "throughput(sanic) > 9000"), 0),
        (("--fail-if", "throughput(sanic) < 9000"), 8),
        (("--fail-if", "throughput(sanic) > 9000", "--fail-if", "latency_p99(sanic) > 10 ms"), 8),
        (("--fail-if", "throughput(sanic) > 8000"), 8),
        (("--fail-over", "5%", "--against", "before"), 8),
        (("--fail-over", "50%", "--against", "before"), 0),
        (("before", "--fail-over", "5%", "--against", "now"), 0),
        (("--fail-over", "5%", "--against", "history"), 8),
        (("web-frameworks", "--fail-if", "throughput(sanic) < 1"), 0),
        ((), 2),
        (("--fail-over", "5%"), 2),
        (("--fail-over", "5", "--against", "before"), 2),
        (("--fail-over", "100%", "--against", "before"), 2),
        (("--against", "before"), 2),
        (("--fail-if", "throughput(sanik) < 1"), 2),
        (("nosuch", "--fail-if", "throughput(sanic) < 1"), 2),
        (("--fail-if", "throughput(sanic) < 1", "--junit", "/nosuch/x.xml"), 2),
        (("--suite", "nosuch", "--fail-if", "throughput(sanic) < 1"), 2),
    ],
)
def test_exit_codes(copied: Clone, words: tuple[str, ...], code: int) -> None:
    done = run(copied, "gate", *words)
    assert done.returncode == code, done.stderr
    assert bool(done.stderr) is (code != 0)
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) is (code != 2)
    if code == 8:
        assert done.stderr.startswith("error: the gate does not pass: of ")


def test_with_json_stdout_has_the_document_alone(copied: Clone, tmp_path: Path) -> None:
    files = ("--junit", str(tmp_path / "a.xml"), "--summary", str(tmp_path / "a.md"))
    done = run(copied, "gate", "--fail-if", "throughput(sanic) < 9000", "--json", *files)
    document = json.loads(done.stdout)
    assert mistakes("gate", document) == []
    assert (document["run"], document["judgement"], done.returncode) == ("now", "failed", 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "a.xml"]


def test_later_tasks_of_a_chain_are_done(copied: Clone) -> None:
    done = run(copied, "gate", "--fail-if", "throughput(sanic) < 9000", "report")
    assert done.returncode == 8
    assert done.stdout.index("gate: failed") < done.stdout.index("requests/s  ")


def test_a_chain_with_a_mistake_measures_nothing(copied: Clone) -> None:
    for words, said in (
        (("--fail-if", "throughput(sanik) > 1"), "error: --fail-if 'throughput(sanik) > 1', column 12: unknown row 'sanik'"),
        ((), "error: there is nothing to judge: the suite 'web-frameworks' expects nothing"),
    ):
        done = run(copied, "bench", "-i", "lab", "gate", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(said)


def test_a_suite_with_a_wrong_expectation_measures_nothing(copied: Clone) -> None:
    suite = copied.root / "configs" / "suites" / "wrong.yml"
    rows_of = "rows: [{name: go-2000, connections: 2000, app: go}]"
    suite.write_text(f"title: T\nprofiles: {{quick: {{duration: 5s}}}}\n{rows_of}\nexpect: [throughput(go) > 1]\n")
    for words in (("bench",), ("bench", "--dry-run"), ("doctor",)):
        done = run(copied, *words, "--suite", "wrong", "-i", "lab")
        assert done.returncode == 2
        assert done.stderr.startswith("error: configs/suites/wrong.yml:4: 'throughput(go) > 1', column 12: unknown row 'go'")
    suite.unlink()


@pytest.mark.parametrize(
    "words",
    [
        ("gate", "--fail-over", "5%", "--against", "before"),
        ("claims", "web-frameworks"),
        ("compare", "web-frameworks", "now"),
        ("history", "sanic"),
        ("audit", "configs/published/web-frameworks/sanic.txt"),
    ],
)
def test_a_text_in_ascii_is_json_all_the_same(copied: Clone, words: tuple[str, ...]) -> None:
    suite = copied.root / "configs" / "published" / "web-frameworks.yml"
    before = suite.read_text()
    suite.write_text(before.replace("    title: ", "    title: \u00b5\u4e2d\U0001f600 ", 1))
    try:
        done = run(copied, *words, "--json", PYTHONIOENCODING="ascii")
    finally:
        suite.write_text(before)
    assert done.stdout.isascii()
    assert json.loads(done.stdout)
    assert not done.stdout.endswith("\n\n")


def test_completion_offers_the_history_and_runs(copied: Clone) -> None:
    done = run(copied, "--complete", "--", "gate", "--against", "")
    assert done.stdout.split()[:4] == ["history", "latest", "now", "before"]
    assert "now" in run(copied, "--complete", "--", "gate", "n").stdout.split()


def test_machines_and_their_states_are_a_document(copied: Clone) -> None:
    done = run(copied, "status", "-i", "lab", "--json")
    document = json.loads(done.stdout)
    assert mistakes("status", document) == []
    assert document == {
        "inventory": "lab",
        "machines": [{"name": "lab1", "state": "absent", "address": "", "detail": document["machines"][0]["detail"]}],
    }


def test_the_page_has_each_flag() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    assert all(f"`{flag}" in page for flag in ("--fail-if", "--fail-over", "--against", "--json", "--junit", "--summary"))
