"""Suites: what is to be measured, made definite from the file and from what the user asks for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchrig.bench.app import App, read_apps
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.errors import ExitCode, InputError
from tests.support import ROOT

APPS = read_apps(ROOT)

DOCUMENT_ORDER = [
    "flask-no-sleep",
    "flask-sync",
    "flask-async",
    "flask-gevent",
    "flask-gevent-patched",
    "flask-gevent-patched-first",
    "flask-gunicorn",
    "go-2000",
    "go-20000",
    "fastapi-sync",
    "fastapi-async",
    "fastapi-workers",
    "fastapi-gunicorn",
    "sanic",
    "openresty-2000",
    "openresty-25000",
]

SUITE = """\
title: One
profiles:
  quick: {duration: 5s, timeout: 10s}
rows:
  - {name: go-12, app: go, connections: 12}
  - {name: sanic, connections: 20}
"""


def planned(**asked: object) -> Plan:
    return plan(ROOT, APPS, BenchRequest(**asked))


def written(root: Path, text: str, **asked: object) -> Plan:
    """Plan a suite with this text."""
    path = root / "configs" / "suites" / "one.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    shutil.copytree(ROOT / "configs" / "published", root / "configs" / "published")
    return plan(root, APPS, BenchRequest(suite="one", **asked))


def test_the_rows_are_the_documents_in_its_order() -> None:
    assert [row.name for row in planned().rows] == DOCUMENT_ORDER


def test_quick_has_a_timeout_that_can_count_and_is_the_default() -> None:
    quick = planned()
    assert (quick.profile, quick.duration_seconds, quick.timeout_seconds, quick.threads) == ("quick", 10.0, 8.0, 4)


def test_paper_is_the_documents_own_command() -> None:
    paper = planned(profile="paper")
    assert (paper.duration_seconds, paper.timeout_seconds, paper.threads) == (60.0, None, 4)
    assert {row.connections for row in paper.rows} == {2000, 20000, 25000}


def test_only_takes_rows_and_apps_and_keeps_the_order() -> None:
    assert [row.name for row in planned(only=("sanic", "go")).rows] == ["go-2000", "go-20000", "sanic"]


def test_two_rows_of_one_app_deploy_it_once() -> None:
    assert [app.name for app in planned(only=("go",)).apps] == ["go"]


def test_what_is_asked_for_comes_before_the_profile() -> None:
    asked = planned(only=("go",), duration="1m", connections=100, threads=2, repeats=3)
    assert (asked.duration_seconds, asked.threads, asked.repeats) == (60.0, 2, 3)
    assert [row.connections for row in asked.rows] == [100, 100]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"suite": "web-framework"}, "unknown suite 'web-framework'; did you mean web-frameworks?"),
        ({"profile": "quik"}, "unknown profile 'quik'; did you mean quick?"),
        ({"only": ("go-200",)}, r"unknown row 'go-200'; did you mean go-2000"),
        (
            {"duration": "5 parsecs"},
            "--duration: '5 parsecs' is not a whole number of seconds, at least 1; write for example 5s or 1m",
        ),
        ({"duration": "500ms"}, "--duration: '500ms' is not a whole number of seconds"),
        ({"duration": "9999h"}, "--duration: '9999h' is longer than a week; write for example 5s or 1m"),
        ({"only": ("go-2000", "!")}, "--only go-2000,!: '!' lacks the name or the pattern that it leaves out"),
        ({"repeats": 1_000_001}, "--repeats: 1000001 is more than 1,000,000"),
        ({"repeats": -1}, "--repeats: -1 is not at least 1"),
        ({"repeats": 0}, "--repeats: 0 is not at least 1"),
        ({"threads": 0}, "--threads: 0 is not at least 1"),
        ({"connections": 0}, "--connections: 0 is not at least 1"),
        ({"connections": 2}, "'flask-no-sleep': 4 threads need at least 4 connections, not 2; use --threads 2"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(asked: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        planned(**asked)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_a_row_is_named_for_its_app_unless_it_says_otherwise(tmp_path: Path) -> None:
    rows = written(tmp_path, SUITE).rows
    assert [(row.name, row.app.name) for row in rows] == [("go-12", "go"), ("sanic", "sanic")]


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    text = SUITE.replace("duration: 5s", "duration: soon").replace("app: go", "app: goo").replace("20}", "0}")
    with pytest.raises(InputError) as caught:
        written(tmp_path, text + "  - {name: sanic, connections: 1}\n")
    lines = [problem.where.rpartition(":")[2] + " " + problem.message for problem in caught.value.problems]
    assert lines == [
        "3 'soon' is not a whole number of seconds, at least 1; write for example 5s or 1m",
        "5 unknown app 'goo'; did you mean go?",
        "6 'connections' must be at least 1 and at most 1,000,000",
        "7 the row 'sanic' is given twice",
    ]


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one\.yml:3: unknown key 'duratoin'; did you mean duration"):
        written(tmp_path, SUITE.replace("duration", "duratoin"))


def test_apps_are_told_apart_by_their_files() -> None:
    first: App = APPS["flask-gevent-patched"]
    assert first.digests()["app.py"] != APPS["flask-gevent-patched-first"].digests()["app.py"]


def test_the_suite_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "measuring.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert [row.name for row in written(tmp_path, example).rows] == ["sanic", "go-20000"]


def test_connections_that_threads_cannot_share_evenly_are_refused_for_wrk_would_hold_fewer() -> None:
    with pytest.raises(
        InputError, match="'go-2000': 4 threads cannot share 7 connections evenly: wrk would open 4; use --threads 1"
    ):
        planned(only=("go-2000",), connections=7)


def test_published_figures_that_are_not_there_are_told_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one.yml:\d+: unknown published figures 'nosuch'"):
        written(
            tmp_path,
            (ROOT / "configs/suites/web-frameworks.yml").read_text().replace("published: web-", "published: nosuch #"),
        )
