"""The commit of a run is marked when a file took part that is not in it, and only then."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchrig.bench.app import read_apps
from benchrig.bench.commit import commit
from benchrig.bench.data import read_data
from benchrig.bench.suite import BenchRequest, plan
from tests.support import ROOT
from tests.support.clone import copy_project

SUITE = """\
title: Mine
rows: [{name: mine, app: mine, connections: 10}]
profiles: {quick: {duration: 1s, warm_up: 1s, threads: 1}}
"""


def git(root: Path, *words: str) -> None:
    name = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *name, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone in which all is committed."""
    root = copy_project(tmp_path_factory.mktemp("clone")).root
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    return root


def found(root: Path, suite: str = "web-frameworks", inventory: str = "inventory/lab.yml") -> str:
    planned = plan(root, read_apps(root), BenchRequest(suite=suite))
    data = read_data(root, "films") if suite == "quart-vs-flask" else None
    return commit(root, planned, data, root / inventory)


def is_dirty(root: Path, suite: str = "web-frameworks", inventory: str = "inventory/lab.yml") -> bool:
    name = found(root, suite, inventory)
    assert len(name.removesuffix("-dirty")) == 40
    return name.endswith("-dirty")


@pytest.mark.parametrize("suite", ["web-frameworks", "quart-vs-flask"])
def test_a_clone_in_which_all_is_committed_is_clean(whole: Path, suite: str) -> None:
    assert not is_dirty(whole, suite)


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        ("roles/mine/tasks/main.yml", "web-frameworks"),
        ("configs/suites/other.yml", "web-frameworks"),
        ("configs/claims/mine.yml", "web-frameworks"),
        ("configs/data/films/data.txt", "web-frameworks"),
        ("inventory/mine.yml", "web-frameworks"),
        ("apps/go/notes.txt", "web-frameworks"),
        ("notes.txt", "quart-vs-flask"),
        ("benchrig/__pycache__/x.pyc", "web-frameworks"),
    ],
)
def test_an_untracked_file_that_takes_no_part_marks_nothing(whole: Path, name: str, suite: str) -> None:
    with_file(whole, name)
    try:
        assert not is_dirty(whole, suite)
    finally:
        (whole / name).unlink()


@pytest.mark.parametrize(
    "name",
    ["roles/app/tasks/more.yml", "inventory/group_vars/servers.yml", "benchrig/more.py", "configs/data/films/more.sql"],
)
def test_an_untracked_file_that_takes_part_marks_the_commit(whole: Path, name: str) -> None:
    with_file(whole, name)
    try:
        assert is_dirty(whole, "quart-vs-flask")
    finally:
        (whole / name).unlink()


def test_an_untracked_app_and_suite_and_inventory_mark_the_commit(whole: Path) -> None:
    written = [
        with_file(whole, "configs/suites/mine.yml", SUITE.replace("app: mine", "app: sanic")),
        with_file(whole, "inventory/mine.yml", (ROOT / "inventory" / "lab.yml").read_text()),
    ]
    app = whole / "apps" / "mine"
    try:
        assert is_dirty(whole, "mine")
        assert is_dirty(whole, inventory="inventory/mine.yml")
        assert not is_dirty(whole)
        git(whole, "add", "configs/suites/mine.yml")
        git(whole, "commit", "-q", "-m", "mine")
        assert not is_dirty(whole, "mine")
        for path in (whole / "apps" / "sanic").iterdir():
            if path.is_file():
                with_file(whole, f"apps/mine/{path.name}", path.read_text())
        with_file(whole, "configs/suites/mine.yml", SUITE)
        git(whole, "commit", "-q", "-a", "-m", "of mine")
        # Also one that git is told to ignore: it is in no commit.
        with_file(whole, ".git/info/exclude", "apps/mine\n")
        assert is_dirty(whole, "mine")
    finally:
        written += list(app.glob("*"))
        for path in written[1:]:
            path.unlink()
        if app.is_dir():
            app.rmdir()


def test_a_changed_file_marks_the_commit_and_outside_a_clone_there_is_none(whole: Path, tmp_path: Path) -> None:
    suite = whole / "configs" / "suites" / "web-frameworks.yml"
    text = suite.read_text()
    suite.write_text(text + "# changed\n")
    try:
        assert is_dirty(whole)
    finally:
        suite.write_text(text)
    assert found(copy_project(tmp_path).root) == ""


def with_file(root: Path, name: str, text: str = "x\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
