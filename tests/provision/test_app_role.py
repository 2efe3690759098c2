"""The role `app` installs each app as the table of its runtimes says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from benchrig.bench.app import read_apps
from benchrig.bench.runtimes import runtimes
from tests.support import ROOT
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
