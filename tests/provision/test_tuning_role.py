"""The role `tuning` reserves the ports of the inventory's services, and leaves what others reserved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.support import ROOT
from tests.support.ansible import ANSIBLE, ansible
from tests.support.rig import Project

NAME = "net.ipv4.ip_local_reserved_ports"

TASKS = """\
- name: Take what the kernel has
  ansible.builtin.set_fact:
    tuning_before: {stdout_lines: ["NAME = RESERVED", "net.ipv4.tcp_tw_reuse = 1"]}
- name: Write
  ansible.builtin.template:
    src: sysctl.conf.j2
    dest: "{{ dir }}/sysctl.conf"
    mode: "0644"
- name: Write what differs
  ansible.builtin.copy:
    content: "{{ tuning_unmet | map(attribute='name') | join(' ') }}"
    dest: "{{ dir }}/unmet"
    mode: "0644"
"""

APPS = {
    "a": {"port": 9100},
    "b": {"address": "http://10.0.0.1:3000"},
    "c": {"address": "http://[::1]"},
    "d": {"title": "port 8080"},
}

CASES = {
    "": "22,80,2205,3000,5432,8080,9100",
    "8080": "8080,22,80,2205,3000,5432,9100",
    "22,80,2205,3000,5432,8080,9100": "22,80,2205,3000,5432,8080,9100",
    "22,80,100,2200-2210,3000,5000-6000,8079-8080,9100": "22,80,100,2200-2210,3000,5000-6000,8079-8080,9100",
    "1-21,5431,5433-9000": "1-21,5431,5433-9000,22,80,2205,3000,5432,9100",
}


def tuned(project: Project, reserved: str) -> Project:
    """Make the project one whose role writes the settings of a machine that has reserved some ports."""
    for part in ("vars", "defaults", "templates", "lookup_plugins"):
        shutil.copytree(ROOT / "roles/tuning" / part, project.root / "roles/one" / part, dirs_exist_ok=True)
    for name, app in APPS.items():
        project.write(f"apps/{name}/app.yml", yaml.safe_dump(app))
    project.tasks(TASKS.replace("NAME", NAME).replace("RESERVED", reserved))
    return project


@pytest.mark.parametrize("reserved", CASES)
def test_every_port_of_a_service_is_reserved_and_those_of_others_stay(tmp_path: Path, reserved: str) -> None:
    project = tuned(Project(tmp_path), reserved)
    ran = project.run(variables={"ansible_port": 2205})
    assert not ran.items("failed"), ran.messages("failed")
    lines = (project.dir / "sysctl.conf").read_text().split("\n")
    # Before the range of local ports becomes wide.
    assert lines[1] == f"{NAME} = {CASES[reserved]}"
    assert "net.ipv4.ip_local_port_range = 1024 65535" in lines
    assert (NAME in (project.dir / "unmet").read_text().split()) == (CASES[reserved] != reserved)


@pytest.mark.slow
@pytest.mark.skipif(not Path(ANSIBLE).exists(), reason="Ansible is not installed")
@pytest.mark.parametrize("reserved", ["", "1-21,5431,5433-9000"])
def test_ansible_reserves_the_same_ports(tmp_path: Path, reserved: str) -> None:
    project = tuned(Project(tmp_path), reserved)
    assert project.run(variables={"ansible_port": 2205}).recap.changed == 2
    assert ansible(project.root, "-e", f"dir={project.dir}", "-e", "ansible_port=2205")["changed"] == 0


def checked(project: Project, found: str, limit: int, **variables: object) -> list[str]:
    """Return what fails of the role's checks on a machine with a listen backlog and a limit of open files."""
    tasks = yaml.safe_load((ROOT / "roles/tuning/tasks/main.yml").read_text())
    checks = [task for task in tasks if "ansible.builtin.assert" in task]
    assert len(checks) == 3
    facts = {
        "tuning_before": {"stdout_lines": [f"net.core.somaxconn = {found}"]},
        "tuning_hard_limit": {"stdout": str(limit)},
    }
    tuned(project, "").tasks(yaml.safe_dump([{"name": "Know", "ansible.builtin.set_fact": facts}, *checks]))
    ran = project.run(variables={"ansible_port": 2205, **variables})
    return ran.messages("failed")


LISTEN = "tuning_somaxconn is 511, but this machine has 65535 and refuses to change it"
FILES = "tuning_nofile is 4096, but this machine allows 1024"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, ""),
        ({"tuning_somaxconn": 65535}, ""),
        ({"tuning_somaxconn": "65535"}, ""),
        ({"tuning_somaxconn": 511}, LISTEN),
        ({"tuning_somaxconn": "a"}, "tuning_somaxconn takes a whole number, not 'a'"),
        ({"tuning_nofile": 4096}, ""),
        ({"tuning_nofile": 4096, "tuning_required": ["tuning_nofile"]}, FILES),
        ({"tuning_nofile": 1024, "tuning_required": ["tuning_nofile"]}, ""),
    ],
)
def test_a_value_that_was_chosen_and_is_not_in_force_is_a_failure(
    tmp_path: Path, variables: dict[str, object], said: str
) -> None:
    found = checked(Project(tmp_path), "65535", 1024, **variables)
    assert len(found) == bool(said), found
    assert all(said in message for message in found), found
