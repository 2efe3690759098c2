"""Several hosts in one run: what tasks of one found out templates of the others know, as in Ansible."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.ansible import ANSIBLE
from tests.support.hosts import GROUPS, MAKE, SHOW, SITE, WRITE, Hosts, hosts, of_roles, project, run, written
from tests.support.rig import Project

__all__ = ["hosts", "project"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")


def test_what_an_earlier_play_found_out_on_another_host_is_known(hosts: Hosts, project: Project) -> None:
    recaps = run(hosts, project)
    said = "made on db1 5432 hütte"
    assert written(project) == {"web1": said, "web2": said}
    assert [(recap.execs, recap.failed) for recap in recaps.values()] == [(1, 0)] * 3


def test_gathered_facts_of_another_host_are_known(hosts: Hosts, project: Project) -> None:
    show = "- name: Show\n  ansible.builtin.debug: {msg: \"{{ hostvars['db1'].ansible_facts.kernel }}\"}\n"
    of_roles(project, SITE.format(facts="true"), database="[]", server=show)
    run(hosts, project)
    assert os.uname().release in hosts.channels["web1"].told.decode()


def test_hosts_of_one_play_know_what_each_found_out_in_earlier_tasks(hosts: Hosts, project: Project) -> None:
    exchange = """
- name: Sleep
  ansible.builtin.command: sleep 0.{{ groups['all'].index(inventory_hostname) }}
  changed_when: false
- name: Make a key
  ansible.builtin.set_fact: {key: "key of {{ inventory_hostname }}"}
- name: Write all keys
  ansible.builtin.copy:
    content: "{% for name in groups['all'] %}{{ hostvars[name].key }}, {% endfor %}"
    dest: "{{ dir }}/{{ inventory_hostname }}"
    mode: "0644"
"""
    of_roles(project, "- hosts: all\n  gather_facts: false\n  roles: [exchange]\n", exchange=exchange)
    run(hosts, project)
    assert set(written(project).values()) == {"key of db1, key of web1, key of web2, "}
    assert set(written(project)) == {"db1", "web1", "web2"}


def test_all_that_is_known_of_every_host_can_be_listed(hosts: Hosts, project: Project) -> None:
    server = """
- name: Write
  ansible.builtin.copy: {content: "{{ hostvars | to_json }}", dest: "{{ dir }}/{{ inventory_hostname }}", mode: "0644"}
"""
    of_roles(project, SITE.format(facts="true"), database=MAKE, server=server)
    run(hosts, project, variables={"db1": {"port": 1, "label": "a"}, "web1": {"label": "b"}}, extra={"given": "yes"})
    listed = json.loads(written(project)["web1"])
    assert {name: sorted(variables) for name, variables in listed.items()} == {
        "db1": ["ansible_facts", "dir", "given", "label", "port", "settings", "word"],
        "web1": ["dir", "given", "label"],
        "web2": ["dir", "given"],
    }
    assert (listed["db1"]["port"], listed["db1"]["word"]["stdout"]) == (5432, "made on db1")


def test_a_host_that_is_ahead_is_seen_as_it_was_at_the_same_moment(hosts: Hosts, project: Project) -> None:
    again = "- name: Set it again\n  ansible.builtin.set_fact: {port: 6000}\n"
    site = SITE.format(facts="false") + "- hosts: databases\n  gather_facts: false\n  roles: [again]\n"
    sleep = "- name: Sleep\n  ansible.builtin.command: sleep 0.5\n  changed_when: false\n"
    of_roles(project, site, again=again, server=sleep + WRITE)
    run(hosts, project)
    assert written(project)["web1"].startswith("made on db1 5432 ")


def test_a_variable_that_was_rendered_before_is_rendered_anew_when_another_host_has_gone_on(
    hosts: Hosts, project: Project
) -> None:
    site = """
- hosts: all
  gather_facts: false
  vars: {seen: "{{ hostvars['db1'].port | default('nothing') }}"}
  roles: [one]
"""
    look = "- name: Look {0}\n  ansible.builtin.debug: {{msg: 'look {0}: {{{{ seen }}}}'}}\n"
    port = '- name: Set\n  ansible.builtin.set_fact: {port: 5432}\n  when: inventory_hostname == "db1"\n'
    of_roles(project, site, one=look.format(1) + port + look.format(2))
    run(hosts, project)
    told = hosts.channels["web1"].told.decode()
    assert "look 1: nothing" in told
    assert "look 2: 5432" in told


def test_what_a_handler_found_out_is_known_after_it_and_not_before(hosts: Hosts, project: Project) -> None:
    database = """
- name: Notify
  ansible.builtin.command: "true"
  notify: Handle
- name: Before
  ansible.builtin.debug: {msg: "before: {{ hostvars['web1'].handled | default('no') }}"}
- name: Flush
  ansible.builtin.meta: flush_handlers
- name: After
  ansible.builtin.debug: {msg: "after: {{ hostvars['web1'].handled | default('no') }}"}
"""
    of_roles(project, "- hosts: all\n  gather_facts: false\n  roles: [one]\n", one=database)
    project.handlers("- name: Handle\n  ansible.builtin.set_fact: {handled: 'yes'}\n")
    run(hosts, project)
    assert "before: no" in hosts.channels["db1"].told.decode()
    assert "after: yes" in hosts.channels["db1"].told.decode()


def test_a_host_waits_only_for_what_tasks_may_have_made(hosts: Hosts, project: Project) -> None:
    sleep = "- name: Sleep\n  ansible.builtin.command: sleep 2\n  changed_when: false\n"
    touch = (
        "- name: Write\n  ansible.builtin.file: {path: '{{ dir }}/{{ hostvars.db1.label }}', state: touch, mode: '0644'}\n"
    )
    late = "- name: See\n  ansible.builtin.stat: {path: '{{ dir }}/db'}\n  register: seen\n"
    late += "- name: Look\n  ansible.builtin.assert: {that: seen.stat.exists}\n"
    of_roles(project, database=sleep + late, server=touch)
    run(hosts, project, variables={"db1": {"label": "db"}})
    assert b"NeedFound" not in hosts.channels["web1"].told


@pytest.mark.parametrize(
    ("groups", "server"),
    [(GROUPS, "- name: Show\n  ansible.builtin.debug: {msg: x}\n"), ({"databases": ["db1"], "servers": ["db1"]}, WRITE)],
    ids=["nothing mentions hostvars", "one host"],
)
def test_where_nobody_can_ask_nothing_is_told(
    hosts: Hosts, project: Project, groups: dict[str, list[str]], server: str
) -> None:
    of_roles(project, server=server)
    run(hosts, project, groups)
    for channel in hosts.channels.values():
        assert not re.search(rb'"(Reached|Found|NeedFound)"', channel.told)


def test_a_host_outside_the_limit_has_its_inventory_variables_only(hosts: Hosts, project: Project) -> None:
    of_roles(project, server=SHOW + SHOW.replace("word.stdout", "label"))
    recaps = run(hosts, project, limit="web1", variables={"db1": {"label": "a label"}})
    assert list(recaps) == ["web1"]
    told = hosts.channels["web1"].told.decode()
    assert "it is not there" in told
    assert "it is a label" in told


def test_two_names_of_one_machine_do_not_wait_for_each_other(hosts: Hosts, project: Project) -> None:
    of_roles(project, server=SHOW)
    same = {"ansible_host": "192.0.2.1"}
    run(hosts, project, {"databases": ["db1"], "servers": ["web1"]}, variables={"db1": same, "web1": same})
    assert "it is not there" in hosts.channels["web1"].told.decode()


def test_looking_knows_them_as_well(hosts: Hosts, project: Project) -> None:
    database = '- name: Set\n  ansible.builtin.set_fact: {word: {stdout: "a fact"}}\n'
    of_roles(project, database=database, server=SHOW)
    run(hosts, project, check=True)
    assert "it is a fact" in hosts.channels["web1"].told.decode()


ORACLE = """
- hosts: all
  gather_facts: true
  roles: [first]
- hosts: databases
  gather_facts: false
  roles: [database]
- hosts: nowhere
  gather_facts: false
  roles: [server]
- hosts: servers
  gather_facts: false
  roles: [server]
- hosts: databases
  gather_facts: false
  roles: [last]
"""

FIRST = """
- name: Set
  ansible.builtin.set_fact: {own: "{{ inventory_hostname }}", port: 1}
- name: Only there
  ansible.builtin.set_fact: {port: 2}
  when: inventory_hostname == 'web2'
- name: Write
  ansible.builtin.template: {src: all.j2, dest: "{{ dir }}/first-{{ inventory_hostname }}", mode: "0644"}
"""

ALL = """
{% for host in groups['all'] | sort %}
{{ host }}: {{ hostvars[host].own | default('-') }} {{ hostvars[host].port }} {{ hostvars[host].word.stdout | default('-') }}
{{ hostvars[host].ansible_facts.kernel }} {{ 'port' in hostvars[host] }} {{ 'nothing' in hostvars[host] }}
{{ hostvars[host].get('port', 0) }} {{ hostvars[host].label | default('none') }}
{% endfor %}
"""

SERVER = """
- name: Write
  ansible.builtin.template: {src: all.j2, dest: "{{ dir }}/server-{{ inventory_hostname }}", mode: "0644"}
- name: Set again
  ansible.builtin.set_fact: {port: "3 {{ hostvars['db1'].port }}"}
"""

LAST = """
- name: Write
  ansible.builtin.template: {src: all.j2, dest: "{{ dir }}/last-{{ inventory_hostname }}", mode: "0644"}
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path(ANSIBLE).exists(), reason="Ansible is not installed")
def test_ansible_knows_the_same_of_other_hosts(hosts: Hosts, project: Project) -> None:
    of_roles(project, ORACLE, first=FIRST, database=MAKE, server=SERVER, last=LAST)
    for role in ("first", "server", "last"):
        project.write(f"roles/{role}/templates/all.j2", ALL)
    run(hosts, project, variables={"web1": {"label": "{{ own }} of {{ inventory_hostname }}"}})
    ours = written(project)
    for path in project.dir.iterdir():
        path.unlink()
    inventory = {
        "all": {
            "vars": {"ansible_python_interpreter": "/usr/bin/python3", "ansible_connection": "local"},
            "children": {group: {"hosts": {name: {} for name in names}} for group, names in GROUPS.items()},
            "hosts": {"web1": {"label": "{{ own }} of {{ inventory_hostname }}"}},
        }
    }
    project.write("hosts.yml", json.dumps(inventory))
    argv = [ANSIBLE, "-i", "hosts.yml", "-e", f"dir={project.dir}", "site.yml"]
    done = subprocess.run(argv, cwd=project.root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(ours) == 6
    assert written(project) == ours
