"""Real Ansible is the judge: what we converge it finds unchanged, what it converges we find unchanged; it counts alike.

The module cases (`cases/modules/`) are run on this machine, each in a folder of its own; what needs a whole machine
(packages, units, users) is in `cases/machine/` and runs on the lab machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchrig import provision as provisioning
from benchrig.agent.play.facts import FACTS
from benchrig.inventory import Host, Inventory
from tests.support import CASES
from tests.support.ansible import ANSIBLE, ansible
from tests.support.modules import MODULES, prepare
from tests.support.rig import Project

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root"),
    pytest.mark.skipif(not Path(ANSIBLE).exists(), reason="Ansible is not installed"),
]

JUDGED: list[dict[str, Any]] = [case for case in MODULES if "failed" not in case and case.get("oracle", True)]

COUNTED = """
- name: Ok
  ansible.builtin.command: "true"
  changed_when: false
- name: Changed, one of two items
  ansible.builtin.command: "true"
  changed_when: item == 2
  loop: [1, 2]
  notify: Handle
- name: Skipped
  ansible.builtin.command: "true"
  when: false
- name: Skipped for want of items
  ansible.builtin.command: "true"
  loop: []
- name: Every item skipped
  ansible.builtin.command: "true"
  loop: [1, 2]
  when: item > 2
- name: Ignored
  ansible.builtin.command: "false"
  ignore_errors: true
- name: Not a failure
  ansible.builtin.command: "false"
  failed_when: false
- name: Skipped when it only looks
  ansible.builtin.command: "true"
- name: Set
  ansible.builtin.set_fact: {a: 1}
- name: Show
  ansible.builtin.debug: {var: a}
- name: Flush
  ansible.builtin.meta: flush_handlers
- name: Look
  ansible.builtin.assert: {that: a == 1}
"""


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose role has the tasks of every case, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("cases")
    project = Project(folder)
    texts = []
    for number, case in enumerate(JUDGED):
        part = Project(folder / str(number))
        prepare(part, case)
        shutil.copytree(part.root / "roles/one", project.root / "roles/one", dirs_exist_ok=True)
        shutil.copytree(part.dir, project.dir / str(number))
        own = case["tasks"].replace("{{ dir }}", f"{{{{ dir }}}}/{number}").replace("dir]", f"dir ~ '/{number}']")
        texts.append(own)
    project.tasks("".join(texts))
    return project


@pytest.mark.slow
def test_what_we_converge_ansible_finds_unchanged_and_the_other_way_round(all_cases: Project, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(all_cases.dir, before, symlinks=True)
    where = ("-e", f"dir={all_cases.dir}")
    ours = all_cases.run()
    assert not ours.messages("failed")
    # Some cases change something each time, with either.
    again = all_cases.run().recap.changed
    assert ansible(all_cases.root, *where)["changed"] == again < ours.recap.changed

    shutil.rmtree(all_cases.dir)
    shutil.copytree(before, all_cases.dir, symlinks=True)
    theirs = ansible(all_cases.root, *where)
    assert (theirs["ok"], theirs["changed"], theirs["skipped"]) == (ours.recap.ok, ours.recap.changed, ours.recap.skipped)
    assert all_cases.run().recap.changed == again


@pytest.mark.parametrize("check", [False, True])
def test_ansible_counts_as_we_do(tmp_path: Path, check: bool) -> None:
    project = Project(tmp_path)
    project.tasks(COUNTED)
    project.handlers('- name: Handle\n  ansible.builtin.command: "true"\n')
    ours = project.run(check=check).recap
    theirs = ansible(project.root, *(["--check"] if check else []))
    names = ("ok", "changed", "skipped", "failed", "ignored")
    assert {name: getattr(ours, name) for name in names} == {name: theirs[name] for name in names}


def test_our_facts_are_ansibles(tmp_path: Path) -> None:
    project = Project(tmp_path, facts=True)
    names = sorted(set(FACTS) - {"python"})
    shown = "{{ {" + ", ".join(f"'{name}': ansible_facts['{name}']" for name in names) + "} | to_json }}"
    project.tasks(
        f'- name: Write\n  ansible.builtin.copy: {{content: "{shown}", dest: "{{{{ dir }}}}/facts", mode: "0644"}}\n'
    )
    got = []
    for run in (lambda: project.run(), lambda: ansible(project.root, "-e", f"dir={project.dir}")):
        run()
        got.append(json.loads((project.dir / "facts").read_text(encoding="utf-8")))
    ours, theirs = got
    # The agent runs with the Python of the tests here, Ansible with the system's.
    assert {**ours, "python_version": ""} == {**theirs, "python_version": ""}


@pytest.mark.lab
def test_packages_users_and_units_are_ansibles(lab1: Host, tmp_path: Path) -> None:
    """Both ways on the lab machine: ours, then Ansible looks; Ansible's, then ours looks."""
    shutil.copytree(CASES / "machine", tmp_path / "machine")
    for name, first, second in (("ours", us, them), ("theirs", them, us)):
        variables = {"name_of_all": f"benchrig-{name}"}
        made = first(lab1, tmp_path / "machine", variables, check=False)
        assert made["failed"] == 0
        assert made["changed"] > 5
        looked = second(lab1, tmp_path / "machine", variables, check=True)
        assert (looked["changed"], looked["failed"]) == (0, 0), name
        us(lab1, tmp_path / "machine", {**variables, "state_of_all": "absent"}, check=False)


def us(host: Host, root: Path, variables: dict[str, str], *, check: bool) -> dict[str, int]:
    """Run the machine cases with our engine."""
    inventory = Inventory("lab", root, "lab", {host.name: host}, {"all": (host.name,)})
    (recap,) = provisioning.provision(
        inventory, provisioning.prepare(inventory, root / "site.yml", check=check, extra_vars=variables)
    )
    assert isinstance(recap, provisioning.HostRecap)
    return {"changed": recap.changed, "failed": recap.failed}


def them(host: Host, root: Path, variables: dict[str, str], *, check: bool) -> dict[str, int]:
    """Run the machine cases with Ansible."""
    options = [
        *("-i", f"{host.name},", "-e", f"ansible_host={host.address}", "-e", f"ansible_port={host.port or 22}"),
        *("-e", "ansible_user=root", "-e", f"ansible_ssh_private_key_file={host.key_file}"),
        *("-e", f"ansible_ssh_common_args='-o UserKnownHostsFile={host.known_hosts}'"),
        *("-e", json.dumps(variables), *(["--check"] if check else [])),
    ]
    done = subprocess.run(
        [ANSIBLE, *options, "site.yml"], cwd=root, capture_output=True, text=True, timeout=500, check=False
    )
    recap = re.search(r"changed=(\d+).*failed=(\d+)", done.stdout)
    assert recap, done.stdout + done.stderr
    assert recap[2] == "0", done.stdout
    return {"changed": int(recap[1]), "failed": int(recap[2])}
