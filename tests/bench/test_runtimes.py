"""Runtimes are entries of one table, which the role `app` and the bench both read."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.bench import runtimes as table
from benchrig.bench.app import read_app
from benchrig.bench.runtimes import Runtime, probes, roles, runtimes, version_commands
from benchrig.errors import InputError
from tests.support import ROOT

ENTRY = """\
app_runtimes:
  node:
    role: node
    needs: [build]
    home: /opt/benchrig/apps/{name}/node-{digest}
    programs: {node: [node, --version]}
    probes:
      - {name: Node.js, program: node, command: ['{exe}', --version], pattern: 'v(\\S+)'}
  system: {home: /usr}
"""
APP = """\
title: Shop
command: "{bin}/shop"
routes: {home: {path: /}}
"""


@pytest.fixture
def with_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a table with one more runtime the one that is read."""
    path = tmp_path / "main.yml"
    path.write_text(ENTRY)
    monkeypatch.setattr(table, "TABLE", path)
    monkeypatch.setattr(table, "runtimes", table.runtimes.__wrapped__)
    return path


def mistakes(folder: Path, more: str) -> list[str]:
    app = folder / "shop" / "app.yml"
    app.parent.mkdir()
    app.write_text(APP + more)
    with pytest.raises(InputError) as caught:
        read_app(app.parent)
    return [f"{problem.where.rpartition(':')[2]} {problem.message}" for problem in caught.value.problems]


@pytest.mark.usefixtures("with_node")
def test_an_entry_of_the_table_is_all_that_a_bench_knows_of_a_runtime() -> None:
    assert roles() == ("node",)
    assert version_commands() == {"node": ("node", "--version")}
    assert [probe.name for probe in probes("node")] == ["Node.js"]


def test_an_app_of_the_machines_own_programs_is_asked_by_the_probes_of_all_runtimes() -> None:
    assert {probe.name for probe in probes("system")} >= {"Python", "Go", "nginx", "event loop"}
    assert {probe.name for probe in probes("go")} == {"Go"}


def test_a_mistake_in_the_table_has_its_line(with_node: Path) -> None:
    with_node.write_text(ENTRY.replace("role: node", "rolle: node"))
    with pytest.raises(InputError, match=r"main\.yml:3: unknown key 'rolle'; did you mean role"):
        table.runtimes()


def test_every_runtime_that_is_installed_has_its_role_in_the_playbook() -> None:
    playbook = (ROOT / "site.yml").read_text()
    for role in roles():
        assert (ROOT / "roles" / role / "tasks" / "main.yml").is_file()
        assert f"- role: {role}\n      tags: [{role}]" in playbook


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("runtime: pyton\n", "4 unknown runtime 'pyton'; did you mean python?"),
        ("runtime: python\n", "4 a python app needs 'requirements'"),
        ("runtime: go\n", "4 a go app needs 'build'"),
        ("runtime: system\nbuild: make\n", "5 the runtime 'system' does not use 'build'"),
    ],
)
def test_a_runtime_says_what_an_app_needs(tmp_path: Path, more: str, wrong: str) -> None:
    assert mistakes(tmp_path, more) == [wrong]


def test_the_title_is_that_of_what_really_ran() -> None:
    openresty = runtimes()["openresty"]
    stand_in = {"nginx": "1.22.1", "nginx Lua module": "0.10.23"}
    assert openresty.title(stand_in) == "nginx 1.22.1 + Lua module 0.10.23 (in OpenResty's place)"
    assert openresty.title({"openresty": "1.25.3"}) == ""
    assert Runtime(home="/usr").title(stand_in) == ""
