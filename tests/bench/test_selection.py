"""`--only` selects rows by names and shell patterns, and excludes those behind a `!`."""

from __future__ import annotations

import pytest

from benchrig.bench.app import read_apps
from benchrig.bench.selection import chosen
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import InputError
from tests.support import ROOT

APPS = read_apps(ROOT)
FRAMEWORKS = plan(ROOT, APPS, BenchRequest()).rows
FILMS = plan(ROOT, APPS, BenchRequest(suite="quart-vs-flask")).rows


def names(only: str, rows: object = FRAMEWORKS) -> list[str]:
    return [row.name for row in chosen(rows, tuple(only.split(",")))]


@pytest.mark.parametrize(
    ("only", "selected"),
    [
        ("go-*", ["go-2000", "go-20000"]),
        ("*-2000", ["go-2000", "openresty-2000"]),
        ("g?", ["go-2000", "go-20000"]),
        ("sanic,flask-a*", ["flask-async", "sanic"]),
        ("flask-*,!*gevent*", ["flask-no-sleep", "flask-sync", "flask-async", "flask-gunicorn"]),
        ("!go,!flask-*,!fastapi-*", ["sanic", "openresty-2000", "openresty-25000"]),
        ("!go-20000,go", ["go-2000"]),
    ],
)
def test_patterns_select_rows_and_apps_in_the_suites_order(only: str, selected: list[str]) -> None:
    assert names(only) == selected


def test_patterns_select_routes_too() -> None:
    assert names("review", FILMS) == [row.name for row in FILMS if row.name.endswith(".review")] != []
    assert names("!rev*", FILMS) == [row.name for row in FILMS if not row.name.endswith(".review")]


@pytest.mark.parametrize(
    ("only", "wrong"),
    [
        ("go-200", "unknown row 'go-200'; did you mean go-2000 or go-20000"),
        ("!sanik", "unknown row 'sanik'; did you mean sanic?"),
        ("gol-*", "no row, app or route matches 'gol-*'; did you mean go"),
        ("go,!x*", "no row, app or route matches 'x*'; known: "),
        ("go,!go-*", "--only go,!go-*: no row is left"),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error_with_the_nearest_names(only: str, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        names(only)
    assert str(caught.value).startswith(wrong)
