"""What a gate prints and writes: for a terminal, for programs, for a comment."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from wcwidth import wcswidth

from benchrig.errors import InputError
from benchrig.report import gate
from benchrig.report.gate import junit, summary, words
from benchrig.report.gate.model import Basis, Gate, Judged, Judgement, Kind, Worsening
from tests.support.gate import BASE, a_project, judge, rows, scaled, stored
from tests.support.reports import missing
from tests.support.schema import mistakes

HOSTILE = 'it died </details>\x1b[31m\x00\ud800\uffff | `x` @torvalds #1 https://evil.example <script> ]]> & "'


def every_kind(root: Path) -> Gate:
    """Return a gate with a condition of each judgement, among them a row whose reason is hostile."""
    a_project(root)
    names = ("sanic", "go-2000", "slow")
    stored(root, "before", rows(dict.fromkeys(names, BASE)))
    cells = [*rows({"sanic": BASE, "slow": scaled(0.8), "new": BASE}), missing("go-2000", "failed", HOSTILE)]
    run = stored(root, "now", cells, expect=("throughput(sanic) > 9000",))
    return judge(root, run, "throughput(slow) < 9000", over="5%", against="before")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return every_kind(tmp_path_factory.mktemp("gate"))


def test_there_is_a_condition_of_each_judgement(found: Gate) -> None:
    assert {judged.judgement for judged in found.conditions} == {*Judgement}
    assert found.judgement is Judgement.FAILED


def test_a_terminal_shows_what_failed_first(found: Gate) -> None:
    text = gate.render_terminal(found, 80)
    lines = text.splitlines()
    assert lines[:2] == [
        "gate: failed (3 failed, 1 not decided, 3 passed, 1 skipped)",
        "run now of commit abc1234 (B), against before (A)",
    ]
    assert max(map(wcswidth, lines)) <= 80
    order = [line.split("  ")[0] for line in lines if re.match("failed|not decided|passed|skipped", line)]
    assert order == ["failed"] * 3 + ["not decided"] + ["passed"] * 3 + ["skipped"]


def test_the_document_fits_its_schema(found: Gate) -> None:
    document = json.loads(gate.render_json(found))
    assert mistakes("gate", document) == []
    assert (document["judgement"], document["failed"], document["not_decided"]) == ("failed", 3, 1)
    (failed,) = [one for one in document["conditions"] if one["condition"] == "throughput(slow)"]
    assert failed["worsening"]["worse_percent"] == pytest.approx(20, abs=0.1)
    assert failed["worsening"]["basis"] == "shown_worse"


def test_junit_has_a_case_for_each_condition(found: Gate) -> None:
    root = ElementTree.fromstring(junit.render(found))
    assert root.tag == "testsuites"
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "3",
        "errors": "1",
        "skipped": "1",
    }
    inner = {case.get("name"): [one.tag for one in case] for case in suite}
    assert inner["fail if throughput(slow) < 9000"] == ["failure"]
    assert inner["throughput(go-2000) at most 5 % worse"] == ["error"]
    assert inner["throughput(new) at most 5 % worse"] == ["skipped"]
    assert inner["expect throughput(sanic) > 9000"] == ["system-out"]
    assert all(case.get("classname") == "web-frameworks" for case in suite)
    assert all(one.get("message") for case in suite for one in case if one.tag in ("failure", "error", "skipped"))


KNOWN = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"classname", "name"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
"""The elements that Jenkins, GitHub and GitLab know, with attributes that each of them reads."""


def test_junit_has_only_what_its_readers_know(found: Gate) -> None:
    root = ElementTree.fromstring(junit.render(found))
    assert {one.tag for one in root.iter()} == {*KNOWN}
    assert all(set(one.attrib) == KNOWN[one.tag] for one in root.iter())


def test_junit_is_well_formed_whatever_a_reason_has(found: Gate) -> None:
    text = junit.render(found)
    text.encode()
    message = next(one.get("message") for one in ElementTree.fromstring(text).iter("error"))
    assert message
    assert "it died </details>" in message
    assert not re.search("[\x00-\x08\x1b\ud800\uffff]", message)
    assert r"\x1b[31m" in message


def test_a_comment_has_the_verdict_first_and_folds_the_rest(found: Gate) -> None:
    text = summary.render(found)
    counts = "3 failed, 1 not decided, 3 passed, 1 skipped"
    assert text.startswith(f"## benchrig gate: failed\n\n{counts}: run now of commit abc1234 (B), against before (A).\n")
    before, _, folded = text.partition("<details><summary>All 8 conditions</summary>")
    assert before.count("**failed**") == 3
    assert "**passed**" not in before
    assert folded.count("\n| **") == 8
    assert text.count("<details>") == text.count("\n</details>")


def test_a_comment_shows_text_from_outside_and_mentions_nobody(found: Gate) -> None:
    text = summary.render(found)
    assert text.count("</details>") == text.count("<details>") + text.count(r"\</details>")
    for live in ("@torvalds", "#1", "https://", "<script", "\x1b", "\x00"):
        assert not re.search(rf"(?<!\\){re.escape(live)}", text), live
    rows_of = [line for line in text.splitlines() if line.startswith("| **")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows_of} == {4}


def test_a_comment_is_never_too_long(found: Gate) -> None:
    many = replace(found, conditions=tuple(found.conditions) * 1000)
    text = summary.render(many)
    assert len(text) < 65_536
    assert re.search(r"and [\d]+ more", text)
    assert text.count("<details>") == text.count("\n</details>")


@pytest.mark.parametrize("most", [None, 5_000.0])
def test_a_worsening_without_end_can_be_shown(most: float | None) -> None:
    found = Worsening("sanic", "latency_p99", "ms", 1.0, 2.0, Basis.NO_DIFFERENCE, worse_high_percent=most)
    one = Judged(Kind.FAIL_OVER, "latency_p99(sanic)", Judgement.PASSED, worsening=found)
    made = Gate("now", "", "mine", "", "before", 5.0, (one,))
    assert "up to over 1,000 % worse" in words.reason(one, made)
    assert mistakes("gate", json.loads(gate.render_json(made))) == []


def test_files_are_replaced_as_a_whole(tmp_path: Path, found: Gate) -> None:
    outputs = gate.Outputs({"--junit": str(tmp_path / "a.xml"), "--summary": str(tmp_path / "a.md")})
    (tmp_path / "a.md").write_text("old")
    outputs.check()
    assert outputs.write(found) is None
    assert (tmp_path / "a.md").read_text().startswith("## benchrig gate: failed\n")
    assert (tmp_path / "a.xml").read_text() == junit.render(found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "a.xml"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is a folder"),
        ("fifo", "is no regular file"),
        ("/dev/stdout", "is no regular file"),
        ("nosuch/a.xml", "there is no folder"),
        ("x" * 300, "cannot be a file"),
    ],
)
def test_what_cannot_be_a_file_is_refused_before_anything_is_measured(tmp_path: Path, name: str, said: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    path = name if name.startswith("/") else str(tmp_path) + (name and f"/{name}")
    with pytest.raises(InputError, match=said):
        gate.Outputs({"--junit": path, "--summary": ""}).check()


def test_one_file_is_not_both(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="name the same file"):
        gate.Outputs({"--junit": str(tmp_path / "a"), "--summary": str(tmp_path / "link" / "a")}).check()


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, found: Gate) -> None:
    (tmp_path / "gone").mkdir()
    outputs = gate.Outputs({"--junit": str(tmp_path / "gone" / "a.xml"), "--summary": ""})
    outputs.check()
    (tmp_path / "gone").rmdir()
    assert str(outputs.write(found)) == f"--junit {tmp_path}/gone/a.xml: cannot be written: No such file or directory"


@pytest.mark.parametrize("name", ["run.json", "cells.jsonl", "raw/sanic-1.txt", "gate.xml"])
def test_what_was_measured_is_never_overwritten(tmp_path: Path, name: str) -> None:
    root = a_project(tmp_path)
    folder = root / "reports" / stored(root, "now", rows({"sanic": BASE}))
    (root / "there").symlink_to(folder)
    for path in (folder / name, root / "there" / name):
        with pytest.raises(InputError, match="where measured results are: name a file elsewhere"):
            gate.Outputs({"--junit": str(path)}).check()


def test_the_index_and_a_link_are_not_written_to(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    run = root / "reports" / stored(root, "now", rows({"sanic": BASE}))
    (root / "gate.xml").symlink_to(run / "run.json")
    for path, said in (("reports/index.sqlite", "is the index of runs"), ("gate.xml", "is a link: name the file itself")):
        with pytest.raises(InputError, match=said):
            gate.Outputs({"--summary": str(root / path)}).check()
    gate.Outputs({"--summary": str(root / "reports" / "gate.md")}).check()


@pytest.mark.parametrize("width", [40, 60])
def test_the_head_fits_a_narrow_terminal(found: Gate, width: int) -> None:
    assert max(map(wcswidth, gate.render_terminal(found, width).splitlines()[:3])) <= width
