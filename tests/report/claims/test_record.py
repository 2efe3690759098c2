"""Verdicts for programs: `./inv claims --json`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from benchrig.report import Report, claims
from benchrig.report.sentences import reason as because
from benchrig.schema import documents
from tests.support import ROOT
from tests.support.claims import DOCUMENT, measured, table
from tests.support.reports import VERDICTS, every_kind

ALL = claims.read("web-frameworks", ROOT) or ()


def read(text: str) -> Any:
    document = json.loads(text)
    schema = json.loads(documents.path(ROOT, "verdicts").read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []
    return document["judged"]


def test_a_run_is_written_with_its_verdicts_their_values_and_what_would_decide_the_rest() -> None:
    of_run = table(measured({"go-2000": [900, 910], "flask-gunicorn": [100, 101]}))
    report = Report(of_run, claims.judge(ALL, of_run, DOCUMENT))
    (judged,) = read(claims.render_json(report))
    assert (judged["name"], judged["is_run"], judged["audit"]) == (of_run.name, True, None)
    assert len(judged["claims"]) == len(ALL) == sum(judged["counts"].values())
    verdict = report.verdicts[0]
    written = judged["claims"][0]
    assert (written["claim"], written["word"], written["reason"]) == (verdict.claim, verdict.word, because(verdict))
    assert written["because"]["why"] == verdict.reason.why
    assert any("./inv bench" in step["command"] for step in judged["next"])


def test_published_figures_are_written_with_their_audit() -> None:
    first, second = read(claims.audit_published(ROOT, json=True))
    assert [first["name"], second["name"]] == ["quart-vs-flask", "web-frameworks"]
    assert not first["is_run"]
    assert second["audit"]["compared"] > 0
    assert second["counts"]["reproduced"] > 10


@pytest.mark.parametrize("report", [Report(every_kind().table, VERDICTS), Report(every_kind().table)])
def test_every_kind_of_verdict_fits_the_schema(report: Report) -> None:
    assert len(read(claims.render_json(report))[0]["claims"]) == len(report.verdicts)
