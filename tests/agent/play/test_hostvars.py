"""`hostvars` is rendered as Ansible renders it, for this host and for others."""

from __future__ import annotations

from typing import Any

import pytest

from benchrig.agent.play.hostvars import HostVars
from benchrig.agent.play.templating import NotDefinedError, Templates
from benchrig.agent.play.variables import Variables

INVENTORY: dict[str, dict[str, Any]] = {
    "lab1": {"url": "http://{{ inventory_hostname }}:{{ port }}", "port": 80},
    "lab2": {"url": "http://{{ inventory_hostname }}:{{ port }}", "port": 81, "again": "{{ hostvars['lab2'].again }}"},
}


def known() -> Variables:
    def of_host(name: str) -> Variables:
        magic = {"inventory_hostname": name, "hostvars": hostvars}
        if name == "lab1":
            return variables.as_hostvars(magic, INVENTORY[name])
        return variables.of_host(magic, INVENTORY[name], {}, {})

    variables = Variables(Templates({}, {}), {}, {})
    hostvars = HostVars(INVENTORY, of_host)
    variables.enter({"inventory_hostname": "lab1", "hostvars": hostvars}, INVENTORY["lab1"], {"role_variable": 1})
    return variables


def test_templates_of_each_host_are_rendered_with_its_own_variables() -> None:
    assert known().render("{{ hostvars['lab1'].url }} {{ hostvars.lab2.url }}") == "http://lab1:80 http://lab2:81"
    assert known().render("{{ hostvars.values() | map(attribute='url') | list }}") == ["http://lab1:80", "http://lab2:81"]
    assert known().render("{{ hostvars['lab1'] }}") == {"url": "http://lab1:80", "port": 80}
    assert known().render("{{ hostvars['lab1'] | to_json }}") == '{"url": "http://lab1:80", "port": 80}'


def test_what_tasks_found_out_is_there_and_what_roles_say_is_not() -> None:
    variables = known()
    template = "{{ hostvars['lab1'].found | default('none') }} {{ hostvars['lab1'].role_variable | default('none') }}"
    assert variables.render(template) == "none none"
    variables.set("found", "{{ 1 }}")
    assert variables.render(template) == "{{ 1 }} none"


def test_an_unknown_host_and_a_circle_are_errors() -> None:
    with pytest.raises(NotDefinedError, match="lab3"):
        known().render("{{ hostvars['lab3'].url }}")
    with pytest.raises(Exception, match="refers to itself"):
        known().render("{{ hostvars['lab2'].again }}")
