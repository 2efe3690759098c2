"""Playbooks and roles are read whole, and refused with every mistake in them, each with its file and line."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchrig.agent.play import facts, filters, lookups, modules, plan
from benchrig.errors import ExitCode, InputError
from benchrig.provision import bundle, parse_extra_vars, subset
from benchrig.provision.playbook import read_playbook, tags_of
from tests.support import CASES, ROOT
from tests.support.rig import Project

REFUSED: list[dict[str, Any]] = yaml.safe_load((CASES / "refused.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", REFUSED, ids=[case["case"] for case in REFUSED])
def test_refused_with_file_and_line(case: dict[str, Any], tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(case["file"], case["text"])
    with pytest.raises(InputError) as refused:
        read_playbook(project.root / "site.yml")
    lines = str(refused.value).splitlines()
    assert refused.value.exit_code == ExitCode.BAD_INPUT
    for said in case["says"]:
        assert any(said in line for line in lines), lines
    assert len(lines) == len(case["says"]), lines


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks("- name: One\n  nothing: 1\n")
    project.handlers("- name: Two\n  nothing: 2\n")
    project.write("roles/one/defaults/main.yml", "a: [\n")
    with pytest.raises(InputError) as refused:
        read_playbook(project.root / "site.yml")
    assert len(refused.value.problems) == 3


def test_the_projects_own_playbook_is_within_the_subset() -> None:
    plays = read_playbook(ROOT / "site.yml")
    assert {"base", "tuning", "python", "golang", "openresty", "app", "wrk"} <= tags_of(plays)


def test_a_plan_survives_the_wire() -> None:
    plays = read_playbook(ROOT / "site.yml")
    text = plan.to_json(plays)
    assert plan.to_json(plan.from_json(text)) == text


def test_every_module_of_the_table_is_there_and_documented() -> None:
    for name in modules.MODULES:
        file = inspect.getmodule(modules.load(name).args)
        assert file is not None
        assert (file.__doc__ or "").startswith(f"{name}: ")


def test_a_file_that_keeps_no_contract_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    modules.load.cache_clear()
    monkeypatch.setattr("benchrig.agent.play.modules.fail.MODULE", lambda: None)
    with pytest.raises(TypeError, match=r"MODULE of ansible\.builtin\.fail is not a Module"):
        modules.load("ansible.builtin.fail")


def test_the_documentation_names_all_that_is_supported_and_no_more() -> None:
    text = (ROOT / "docs/roles.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(ansible\.builtin\.\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert set(rows) == set(modules.MODULES)
    for name in set(rows) - {"ansible.builtin.set_fact"}:
        arguments = [field.name for field in dataclasses.fields(modules.load(name).args)]
        assert re.findall(r"`(\w+)`", rows[name]) == arguments
    said = set(re.findall(r"`([\w.]+)`", text))
    own_filters = {name for name in filters.FILTERS if "." not in name}
    for names in (subset.KEYWORDS, subset.MAGIC, facts.FACTS, own_filters, filters.TESTS, lookups.LOOKUPS):
        assert {name for name in names if "." not in name} <= said


def test_every_fact_can_be_read_here() -> None:
    assert set(facts.Facts()) == set(facts.FACTS)
    assert json.dumps(dict(facts.Facts()))


def test_a_bundle_is_named_by_its_content(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("apps/x/app.yml", "title: X\n")
    first = bundle.make(project.root, read_playbook(project.root / "site.yml"))
    again = bundle.make(project.root, read_playbook(project.root / "site.yml"))
    assert (again.sha, again.archive) == (first.sha, first.archive)
    project.write("apps/x/app.yml", "title: Y\n")
    assert bundle.make(project.root, read_playbook(project.root / "site.yml")).sha != first.sha


def test_a_bundle_has_what_a_host_may_read_and_no_more(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for name in ("apps/x/run.sh", "apps/x/.secret", "apps/x/__pycache__/a.pyc", "inventory/lab.yml", "roles/one/files/f"):
        project.write(name, "")
    (project.root / "apps/x/run.sh").chmod(0o755)
    made = bundle.make(project.root, read_playbook(project.root / "site.yml"))
    with tarfile.open(fileobj=BytesIO(made.archive)) as archive:
        modes = {member.name: member.mode for member in archive}
    assert modes == {"apps/x/run.sh": 0o755, "plan.json": 0o644, "roles/one/files/f": 0o644, "yaml.json": 0o644}


def test_extra_variables_are_pairs_or_json() -> None:
    assert parse_extra_vars(["a=1", "b=x=y", '{"c": [1]}']) == {"a": "1", "b": "x=y", "c": [1]}
    for wrong in ("a", "a-b=1", "{", '{"a b": 1}'):
        with pytest.raises(InputError):
            parse_extra_vars([wrong])


def test_a_file_of_a_role_that_ansible_would_read_and_we_do_not_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: here}\n")
    project.write("roles/one/defaults/main.yaml", "size: 1\n")
    with pytest.raises(InputError, match=r"main.yaml:1: benchrig does not read this; write it in defaults/main.yml"):
        read_playbook(project.root / "site.yml")


def test_task_file_that_imports_itself_by_another_path_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks("- name: Again\n  ansible.builtin.import_tasks: ../tasks/main.yml\n")
    with pytest.raises(InputError, match=r"main.yml:2: .*imports itself"):
        read_playbook(project.root / "site.yml")
