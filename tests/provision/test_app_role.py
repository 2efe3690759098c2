"""The role `app` installs each app as the table of its runtimes says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchrig.bench.app import read_apps
from benchrig.bench.runtimes import runtimes
from tests.support import ROOT
from tests.support.ansible import ANSIBLE, ansible
from tests.support.rig import Project

APPS = read_apps(ROOT)

TASKS = """\
- name: List the apps
  ansible.builtin.set_fact:
    app_list: "{{ app_list_json | from_json | select | list }}"
- name: Show where each has its programs
  ansible.builtin.copy:
    content: "{{ app_list | to_json }}"
    dest: "{{ dir }}/apps.json"
    mode: "0644"
- name: Write what installs each
  ansible.builtin.copy:
    content: COMMAND
    dest: "{{ dir }}/{{ item.name }}.sh"
    mode: "0644"
  loop: "{{ app_list }}"
  when: app_runtimes[item.runtime].install is defined
"""


def test_each_app_is_installed_as_its_runtime_says(tmp_path: Path) -> None:
    role = yaml.safe_load((ROOT / "roles/app/tasks/main.yml").read_text())
    (install,) = [task for task in role if "ansible.builtin.shell" in task]
    project = Project(tmp_path)
    for name in ("apps", "configs", "roles/app/vars", "roles/app/lookup_plugins"):
        shutil.copytree(ROOT / name, project.root / name.replace("/app/", "/one/"), dirs_exist_ok=True)
    project.tasks(TASKS.replace("COMMAND", json.dumps(install["ansible.builtin.shell"]["cmd"])))
    ran = project.run(extra={"app_only": []})
    assert not ran.items("failed"), ran.messages("failed")

    made: dict[str, dict[str, Any]] = {app["name"]: app for app in json.loads((project.dir / "apps.json").read_text())}
    assert set(made) == set(APPS)
    scripts = {path.stem: path.read_text() for path in project.dir.glob("*.sh")}
    assert set(scripts) == {name for name, app in APPS.items() if runtimes()[app.file.runtime].install}
    assert made["openresty"]["home"] == "/opt/benchrig/openresty"
    home = made["go"]["home"]
    assert home.startswith("/opt/benchrig/apps/go/build-")
    assert f"CGO_ENABLED=0 go build -trimpath -o {home}/bin/app .\n" in scripts["go"]
    home = made["sanic"]["home"]
    assert home.startswith("/opt/benchrig/apps/sanic/venv-")
    assert f'"$uv" venv --quiet --clear --python /usr/bin/python3.11 {home}\n' in scripts["sanic"]
    assert "--compile-bytecode requirements.txt\n" in scripts["sanic"]
    for name, script in scripts.items():
        assert script.startswith("set -eu\n")
        assert script.endswith(f"touch {made[name]['home']}/.complete\n")
        assert "{" not in script


RENDER = """\
- name: List the apps
  ansible.builtin.set_fact:
    app_list: "{{ app_list_json | from_json | select | list }}"
- name: Write the unit of each
  ansible.builtin.template:
    src: app.service.j2
    dest: "{{ dir }}/{{ item.name }}.service"
    mode: "0644"
  loop: "{{ app_list }}"
"""

HOSTILE = {
    "title": 'C:\\ %n {{ 6 * 7 }} "\\',
    "runtime": "system",
    "source": [],
    "routes": {"x": {"path": "/"}},
    "command": "python3 server.py '%n' ';' '+/bin/sh' '{{ 6 * 7 }}' $HOME \"a b\" 'C:\\'",
    "environment": {"QUOTED": '"x" %n \\n $HOME {{ 6 * 7 }}', "USER": "root"},
    "database": {"data": "films"},
}

WRITTEN = [
    'Description=benchrig: C:\\ %%n {{ 6 * 7 }} "\\ ',
    'Environment="PGDATABASE=films"',
    'Environment="QUOTED=\\"x\\" %%n \\\\n $HOME {{ 6 * 7 }}"',
    'Environment="USER=root"',
    'ExecStart="python3" "server.py" "%%n" ";" "+/bin/sh" "{{ 6 * 7 }}" "$$HOME" "a b" "C:\\\\"',
    "User=benchrig",
    "NoNewPrivileges=yes",
]


def units_of(project: Project) -> Project:
    """Make the project one that writes the units of all apps, of a hostile one, and of one without a sandbox."""
    for name in ("apps", "configs", *(f"roles/app/{part}" for part in ("vars", "templates", "defaults"))):
        shutil.copytree(ROOT / name, project.root / name.replace("/app/", "/one/"), dirs_exist_ok=True)
    for name in ("lookup_plugins", "filter_plugins"):
        shutil.copytree(ROOT / "roles/app" / name, project.root / "roles/one" / name)
    project.write("apps/hostile/app.yml", yaml.safe_dump(HOSTILE))
    project.write("apps/free/app.yml", yaml.safe_dump(HOSTILE | {"sandbox": False}))
    project.tasks(RENDER)
    return project


def test_a_unit_has_the_values_of_its_app_as_text(tmp_path: Path) -> None:
    project = units_of(Project(tmp_path))
    ran = project.run()
    assert not ran.items("failed"), ran.messages("failed")
    unit = (project.dir / "hostile.service").read_text().split("\n")
    assert [line for line in WRITTEN if line not in unit] == []
    assert [line for line in unit if line.startswith("User")] == ["User=benchrig"]
    free = (project.dir / "free.service").read_text().replace("free", "hostile").split("\n")
    assert set(unit) - set(free) > {"NoNewPrivileges=yes", "ProtectSystem=strict"}
    assert set(free) < set(unit)
    openresty = (project.dir / "openresty.service").read_text()
    assert '\nExecStart="/opt/benchrig/openresty/bin/nginx" "-e" "stderr" "-p" "${RUNTIME_DIRECTORY}" "-c" ' in openresty


@pytest.mark.slow
@pytest.mark.skipif(not Path(ANSIBLE).exists(), reason="Ansible is not installed")
def test_ansible_writes_the_same_units(tmp_path: Path) -> None:
    project = units_of(Project(tmp_path))
    assert project.run().recap.changed == 1
    units = {path.name: path.read_text() for path in project.dir.iterdir()}
    assert ansible(project.root, "-e", f"dir={project.dir}")["changed"] == 0
    for path in project.dir.iterdir():
        path.unlink()
    ansible(project.root, "-e", f"dir={project.dir}")
    assert {path.name: path.read_text() for path in project.dir.iterdir()} == units


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("command", "+{bin}/python3 server.py", "not the name or path of a program"),
        ("command", "python3 x\nUser=root", "a line break"),
        ("environment", {"A": "x\nUser=root"}, "a line break"),
        ("environment", {"A=x\nUser": "root"}, "is not the name of an environment variable"),
        ("title", "x\nUser=root", "a line break"),
    ],
)
def test_a_value_that_cannot_be_written_fails_the_task(tmp_path: Path, key: str, value: object, reason: str) -> None:
    """The controller refuses these; the role does too, for those who run it with ansible-playbook."""
    project = units_of(Project(tmp_path))
    project.write("apps/hostile/app.yml", yaml.safe_dump(HOSTILE | {key: value}))
    failed = project.run().items("failed")
    assert len(failed) == 1
    assert reason in failed[0].message
    assert not (project.dir / "hostile.service").exists()


@pytest.mark.parametrize("name", ["a b", "x\nUser=root", "a;id", "$(id)", "-x", "%h"])
def test_a_folder_that_cannot_name_an_app_ends_the_role(tmp_path: Path, name: str) -> None:
    role = yaml.safe_load((ROOT / "roles/app/tasks/main.yml").read_text())
    project = units_of(Project(tmp_path))
    project.tasks(yaml.safe_dump([task for task in role if task["name"] == "Check the names of the apps"]))
    assert not project.run().items("failed")
    project.write(f"apps/{name}/app.yml", yaml.safe_dump(HOSTILE))
    assert "cannot name an app" in project.run().messages("failed")[0]
