"""Inventories are read as Ansible reads them, and mistakes in them are told with their place."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import InputError

THREE = """\
all:
  vars:
    benchrig_machine: lab
    level: all
  children:
    servers:
      hosts:
        one: {ansible_host: 192.0.2.1, ansible_port: 2222}
        two:
      vars: {level: servers}
      children:
        fast:
          hosts: {one: }
          vars: {level: fast}
    loadgens:
      hosts: {three: {level: host}}
"""


def write(root: Path, text: str, name: str = "three") -> Path:
    path = root / "inventory" / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_variables_of_deeper_groups_win_and_the_hosts_own_win_over_all(tmp_path: Path) -> None:
    write(tmp_path, THREE)
    hosts = inventory.read("three", tmp_path).hosts
    assert {name: host.variables["level"] for name, host in hosts.items()} == {
        "one": "fast",
        "two": "servers",
        "three": "host",
    }


def test_group_vars_beside_the_inventory_win_over_the_groups_own(tmp_path: Path) -> None:
    path = write(tmp_path, THREE)
    (path.parent / "group_vars").mkdir()
    (path.parent / "group_vars" / "servers.yml").write_text("level: file\nmore: yes\n")
    two = inventory.read("three", tmp_path).hosts["two"]
    assert (two.variables["level"], two.variables["more"]) == ("file", True)


def test_host_says_how_it_is_reached(tmp_path: Path) -> None:
    write(tmp_path, THREE)
    one = inventory.read("three", tmp_path).hosts["one"]
    assert (one.address, one.port, one.user, one.become, one.groups) == ("192.0.2.1", 2222, None, False, ("fast", "servers"))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", ["one", "two", "three"]),
        ("servers", ["one", "two"]),
        ("servers:!fast", ["two"]),
        ("t*", ["two", "three"]),
        ("one,three", ["one", "three"]),
    ],
)
def test_pattern_names_hosts_as_ansible_does(tmp_path: Path, pattern: str, names: list[str]) -> None:
    write(tmp_path, THREE)
    assert [host.name for host in inventory.read("three", tmp_path).matching(pattern)] == names


def test_unknown_inventory_and_host_name_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, THREE)
    with pytest.raises(InputError, match="unknown inventory 'tree'; did you mean three"):
        inventory.read("tree", tmp_path)
    with pytest.raises(InputError, match="unknown host 'thre'; did you mean three"):
        inventory.read("three", tmp_path).limit("thre")


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "all:\n  host: {}\n  children:\n    servers:\n      hosts: [one]\n    rest:\n      hosts:\n        w[1:3]:\n",
    )
    with pytest.raises(InputError) as caught:
        inventory.read(str(path), tmp_path)
    lines = [problem.where.rpartition(":")[2] for problem in caught.value.problems]
    assert lines == ["2", "5", "8"]
    assert "unknown key 'host'" in caught.value.problems[0].message


def test_key_given_twice_and_broken_yaml_are_told_with_their_line(tmp_path: Path) -> None:
    for text, line, words in [("all:\nall:\n", 2, "given twice"), ("all:\n  hosts: {one: [}\n", 2, "not valid YAML")]:
        path = write(tmp_path, text)
        with pytest.raises(InputError, match=f"three.yml:{line}: .*{words}"):
            inventory.read(str(path), tmp_path)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ("ansible_port: abc", "not a port number"),
        ("ansible_host: 'root@192.0.2.1'", "write ansible_user and ansible_port instead"),
        ("ansible_host: '192.0.2.1:2222'", "write ansible_user and ansible_port instead"),
        ("ansible_become: maybe", "neither yes nor no"),
        ("ansible_become_method: su", "only sudo is supported"),
        ("ansible_connection: local", "only ssh is supported"),
        ("ansible_become_password: secret", "use --ask-become-pass for sudo"),
        ("ansible_ssh_pass: secret", "log in with a key"),
        ("ansible_ssh_common_args: -o 'ProxyJump=x", "an unclosed quote"),
    ],
)
def test_connection_variable_that_cannot_be_used_is_told_with_its_host(tmp_path: Path, variables: str, words: str) -> None:
    path = write(tmp_path, f"all:\n  hosts:\n    web:\n      {variables}\n")
    with pytest.raises(InputError, match=rf"three.yml:3: .*'web'.*{words}"):
        inventory.read(str(path), tmp_path)


def test_group_below_itself_and_yaml_that_contains_itself_are_refused(tmp_path: Path) -> None:
    loop = write(tmp_path, "a: {children: {b: }}\nb: {children: {a: }}\n", "loop")
    with pytest.raises(InputError, match="group 'a' contains itself"):
        inventory.read(str(loop), tmp_path)
    knot = write(tmp_path, "all:\n  vars: &a {d: *a}\n", "knot")
    with pytest.raises(InputError, match=r"knot.yml:2: this contains itself"):
        inventory.read(str(knot), tmp_path)


def test_what_looks_like_a_date_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path, "all: {vars: {built: 2024-01-01, never: 2024-13-45}, hosts: {web: }}\n")
    variables = inventory.read(str(path), tmp_path).hosts["web"].variables
    assert (variables["built"], variables["never"]) == ("2024-01-01", "2024-13-45")


def test_part_of_a_limit_that_names_nothing_is_told_and_an_exclusion_alone_leaves_the_others(tmp_path: Path) -> None:
    write(tmp_path, THREE)
    read = inventory.read("three", tmp_path)
    with pytest.raises(InputError, match="unknown host 'nonsense'"):
        read.limit("one,nonsense")
    with pytest.raises(InputError, match="',' matches no host"):
        read.limit(",")
    assert list(read.limit("!two").hosts) == ["one", "three"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all: {hosts: {'a/../b': }}", "'a/../b' cannot name a host: a name is one word without '/'"),
        ("all: {hosts: {'-oProxyCommand=x': }}", "'-oProxyCommand=x' cannot name a host"),
        ("all: {hosts: {'a b': }}", "'a b' cannot name a host"),
        ('all: {hosts: {"a\\ec": }}', r"'a\x1bc' cannot name a host"),
        (f"all: {{hosts: {{{'x' * 254}: }}}}", "cannot name a host: a name is one word without '/', of at most 253"),
        (f"all: {{hosts: {{{'é' * 200}: }}}}", "cannot name a host: a name is one word without '/', of at most 253"),
        ("'../x': {hosts: {a: }}", "'../x' cannot name a group"),
        ("all: {hosts: {a: {ansible_host: -oProxyCommand=x}}}", "it is one word of at most 253 characters"),
        ("all: {hosts: {a: {ansible_user: 'a b'}}}", "it is one word of at most 253 characters"),
        ("all: {hosts: {a: {ansible_port: 65536}}}", "ansible_port of 'a' is 65536, not a port number"),
        (f"all: {{hosts: {{a: {{ansible_port: '{'9' * 5000}'}}}}}}", "not a port number"),
        ("all: {hosts: {a: {ansible_port: '٣'}}}", "ansible_port of 'a' is '٣', not a port number"),
        ("all: {hosts: {'web[1:99999999]': }}", "host ranges are not supported"),
    ],
)
def test_odd_names_addresses_and_ports_are_refused_in_a_short_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as raised:
        inventory.read(str(path), tmp_path)
    lines = str(raised.value).splitlines()
    assert said in lines[0]
    assert all("three.yml:1: " in line and len(line) < 600 for line in lines)


def test_members_of_groups_are_in_the_order_of_the_file_whatever_their_depth(tmp_path: Path) -> None:
    below = "{deep: {children: {deeper: {hosts: {b: }}}}, flat: {hosts: {a: }}}"
    text = f"all: {{children: {{top: {{hosts: {{own: }}, children: {below}}}}}}}"
    found = inventory.read(str(write(tmp_path, text)), tmp_path)
    assert found.groups["top"] == ("own", "b", "a")


def test_thousands_of_groups_within_each_other_are_read_and_their_members_are_bounded(tmp_path: Path) -> None:
    chain = "".join(f"g{n}: {{children: {{g{n + 1}: }}}}\n" for n in range(5000)) + "g5000: {hosts: {a: }}\n"
    found = inventory.read(str(write(tmp_path, chain)), tmp_path)
    assert found.groups["g0"] == ("a",)
    wide = "low: {hosts: {" + ", ".join(f"h{n}: " for n in range(1000)) + "}}\n"
    wide += "".join(f"g{n}: {{children: {{low: }}}}\n" for n in range(1001))
    with pytest.raises(InputError, match="the groups have more than 1,000,000 members together"):
        inventory.read(str(write(tmp_path, wide)), tmp_path)


@pytest.mark.parametrize("name", ["inventory/lab.yml", "inventory/group_vars/all.yml"])
def test_a_socket_in_place_of_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "inventory" / "group_vars").mkdir(parents=True)
    if "group_vars" in name:
        write(tmp_path, THREE, "lab")
    # The path of a socket has at most 107 characters.
    monkeypatch.chdir((tmp_path / name).parent)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(Path(name).name)
    with pytest.raises(InputError, match="cannot be read: it is a socket"):
        inventory.read("lab", tmp_path)
