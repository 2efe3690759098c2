"""Reads an inventory: hosts, groups and variables, in a strict subset of Ansible's YAML format.

Read are `inventory/<name>.yml` and, beside it, `group_vars/` and `host_vars/`. Variables merge as Ansible merges them: `all`
first, then parent groups, then child groups, then the host; within each, the inventory file before `*_vars/`.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from benchrig import reading, yamlfile
from benchrig.agent import spec
from benchrig.agent.text import short
from benchrig.errors import InputError, unknown
from benchrig.mistakes import Mistakes

Variables = Mapping[str, object]

ONLY = {"ansible_connection": "ssh", "ansible_become_method": "sudo", "ansible_become_user": "root"}
"""Variables of Ansible's that say how a host is reached, and the one value that they may have."""

PASSWORDS = {"ansible_password", "ansible_ssh_pass", "ansible_ssh_password"} | {
    f"ansible_{word}" for word in ("become_password", "become_pass", "sudo_pass")
}
HOW_PASSWORDS_ARE_GIVEN = "benchrig reads no passwords from files; log in with a key, and use --ask-become-pass for sudo"

LONGEST_NAME = 253
"""Bytes of the name or address of a host, as DNS has it; files are named for hosts and groups."""

MOST_PATTERNS = 1000
"""Parts of a pattern of hosts."""

MOST_MEMBERS = 1_000_000
"""Hosts of all groups together: a host counts once for each group that it is in."""

SSH_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")


@dataclass(frozen=True)
class Host:
    """One host: its name, the groups it is in, and its variables, all merged."""

    name: str
    groups: tuple[str, ...]
    variables: Variables
    become_password: str | None = field(default=None, repr=False, compare=False)
    """The password for sudo. Not a variable, so that it leaves this process for sudo only."""

    @property
    def address(self) -> str:
        """Where it is reached: `ansible_host`, else its name."""
        return str(self.variables.get("ansible_host", self.name))

    @property
    def port(self) -> int | None:
        """`ansible_port`; None leaves it to ~/.ssh/config and then 22."""
        value = self.variables.get("ansible_port")
        return None if value is None else int(str(value))

    @property
    def user(self) -> str | None:
        """`ansible_user`; None leaves it to ~/.ssh/config and then the current user."""
        value = self.variables.get("ansible_user")
        return None if value is None else str(value)

    @property
    def key_file(self) -> Path | None:
        """`ansible_ssh_private_key_file`; None means the SSH agent and the user's own keys."""
        value = self.variables.get("ansible_ssh_private_key_file")
        return None if value is None else Path(str(value)).expanduser()

    @property
    def ssh_arguments(self) -> tuple[str, ...]:
        """`ansible_ssh_common_args` and `ansible_ssh_extra_args`: arguments for ssh(1), such as `-J` and a jump host."""
        return tuple(word for name in SSH_ARGUMENTS for word in shlex.split(str(self.variables.get(name) or "")))

    @property
    def known_hosts(self) -> Path | None:
        """`benchrig_known_hosts`, the pinned host keys; None means the user's own known_hosts."""
        value = self.variables.get("benchrig_known_hosts")
        return None if value is None else Path(str(value))

    @property
    def emulated(self) -> bool:
        """`benchrig_emulated`: a virtual machine whose CPU is a program; the kinds that make machines say so."""
        return spec.truth(self.variables.get("benchrig_emulated", False)) is True

    @property
    def become(self) -> bool:
        """`ansible_become`: the user is not root and reaches root through sudo."""
        return spec.truth(self.variables.get("ansible_become", False)) is True


@dataclass(frozen=True)
class Inventory:
    """The hosts of one inventory file."""

    name: str
    path: Path
    machine: str
    """The kind of machine they are, one of `machines.KINDS`; `existing` are hosts that somebody else looks after."""
    hosts: Mapping[str, Host]
    groups: Mapping[str, tuple[str, ...]]
    group_places: Mapping[str, str] = field(default_factory=dict)
    """Where in its file each group is first named: `file:line`."""

    def group(self, name: str) -> tuple[Host, ...]:
        """Return the hosts of a group, in the inventory's order; none if there is no such group."""
        return tuple(self.hosts[host] for host in self.groups.get(name, ()))

    def matching(self, pattern: str) -> tuple[Host, ...]:
        """Return the hosts that Ansible's pattern names: groups, hosts, `*`, joined by `,` or `:`, `!` excludes."""
        parts = _parts(pattern)
        included = [part for part in parts if not part.startswith("!")] or ["all"]
        chosen = dict.fromkeys(name for part in included for name in self._names(part))
        dropped = {name for part in parts if part.startswith("!") for name in self._names(part[1:])}
        return tuple(self.hosts[name] for name in chosen if name not in dropped)

    def _names(self, pattern: str) -> tuple[str, ...]:
        if pattern in self.groups:
            members = frozenset(self.groups[pattern])
            return tuple(name for name in self.hosts if name in members)
        return tuple(name for name in self.hosts if fnmatch.fnmatchcase(name, pattern))

    def limit(self, pattern: str) -> Inventory:
        """Return this inventory with only the hosts that `pattern` names. Raises InputError for a part that names none."""
        parts = _parts(pattern)
        if not parts:
            raise InputError(f"'{short(pattern)}' matches no host")
        if len(parts) > MOST_PATTERNS:
            raise InputError(f"'{short(pattern)}' has more than {MOST_PATTERNS:,} parts")
        for part in parts:
            if not self._names(part.lstrip("!")):
                raise unknown("host", part.lstrip("!"), [*self.hosts, *self.groups])
        names = {host.name for host in self.matching(pattern)}
        if not names:
            raise InputError(f"'{short(pattern)}' matches no host of inventory '{self.name}'")
        hosts = {name: host for name, host in self.hosts.items() if name in names}
        groups = {group: tuple(name for name in members if name in names) for group, members in self.groups.items()}
        return replace(self, hosts=hosts, groups=groups)

    def with_become_password(self, password: str) -> Inventory:
        """Return this inventory with a password for sudo on every host that becomes root by it."""
        hosts = {name: replace(host, become_password=password) if host.become else host for name, host in self.hosts.items()}
        return replace(self, hosts=hosts)

    def with_variables(self, host: str, variables: Variables) -> Inventory:
        """Return this inventory with more variables for one host, over those it has."""
        changed = replace(self.hosts[host], variables={**self.hosts[host].variables, **variables})
        return replace(self, hosts={**self.hosts, host: changed})


def _is_word(text: str) -> bool:
    """Return whether a text can be a name, an address or a user: no spaces, no control characters, and not like a flag."""
    return bool(re.fullmatch(r"(?!-)[^\s\x00-\x1f\x7f-\x9f]+", text)) and len(text.encode(errors="replace")) <= LONGEST_NAME


def _parts(pattern: str) -> list[str]:
    return [part.strip() for part in pattern.replace(":", ",").split(",") if part.strip()]


def read(name_or_path: str, root: Path) -> Inventory:
    """Read `root/inventory/<name>.yml`, or the file at a path.

    Raises InputError: unknown name with the nearest ones, or every mistake in the files with its `file:line`.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yml", ".yaml"):
        path = root / "inventory" / f"{name_or_path}.yml"
    if not reading.is_there(path):
        known = [file.stem for file in (root / "inventory").glob("*.yml")]
        raise unknown("inventory", name_or_path, known)
    return _Reader(path).read()


@dataclass
class _Group:
    """A group while it is read: who is in it, who is above it, and its variables."""

    hosts: dict[str, None] = field(default_factory=dict)
    """The names, without values: a dictionary keeps their order and finds one at once."""
    parents: list[str] = field(default_factory=list)
    variables: dict[str, object] = field(default_factory=dict)


class _Reader:
    """Reads one inventory file and the variable files beside it, and collects all mistakes."""

    def __init__(self, path: Path) -> None:
        self.document = yamlfile.read(path)
        self.mistakes = Mistakes()
        self.groups: dict[str, _Group] = {"all": _Group()}
        self.group_places: dict[str, str] = {}
        self.host_variables: dict[str, dict[str, object]] = {}
        self.host_places: dict[str, spec.Path] = {}
        self.depths: dict[str, int] = {}

    def read(self) -> Inventory:
        data = self.document.data
        if not isinstance(data, Mapping) or not data:
            raise self.document.error((), "expected groups, starting with 'all:'")
        for name, body in data.items():
            self.group(str(name), body, (name,), None)
        self.variable_files("group_vars", {name: group.variables for name, group in self.groups.items()})
        self.variable_files("host_vars", self.host_variables)
        self.order()
        self.mistakes.raise_all()
        inventory = self.inventory()
        for host in inventory.hosts.values():
            self.connection(host)
        self.mistakes.raise_all()
        return inventory

    def order(self) -> None:
        """Order the groups, each behind those above it, and note how far each is below `all`: deeper groups win."""
        try:
            ordered = tuple(TopologicalSorter({name: group.parents for name, group in self.groups.items()}).static_order())
        except CycleError as error:
            for name in dict.fromkeys(error.args[1]):
                self.wrong((name,), f"group '{name}' contains itself")
            return
        for name in ordered:
            parents = self.groups[name].parents
            self.depths[name] = 1 + max(map(self.depths.__getitem__, parents)) if parents else int(name != "all")

    def connection(self, host: Host) -> None:
        """Check the connection variables of a host."""
        place = self.host_places[host.name]
        port = host.variables.get("ansible_port")
        if port is not None and not (re.fullmatch("[0-9]{1,5}", str(port)) and 0 < int(str(port)) < 65536):
            self.wrong(place, f"ansible_port of '{host.name}' is {spec.describe(port)}, not a port number")
        self.address(host, place)
        for name in SSH_ARGUMENTS:
            try:
                shlex.split(str(host.variables.get(name) or ""))
            except ValueError:
                self.wrong(place, f"{name} of '{host.name}' has an unclosed quote")
        for name, allowed in ONLY.items():
            if str(host.variables.get(name, allowed)) != allowed:
                self.wrong(
                    place, f"{name} of '{host.name}' is {spec.describe(host.variables[name])}; only {allowed} is supported"
                )
        for name in sorted(PASSWORDS & host.variables.keys()):
            self.wrong(place, f"{name} of '{host.name}' is not allowed: {HOW_PASSWORDS_ARE_GIVEN}")
        if spec.truth(host.variables.get("ansible_become", False)) is None:
            self.wrong(place, f"ansible_become of '{host.name}' is neither yes nor no")

    def address(self, host: Host, place: spec.Path) -> None:
        """Check where a host is reached, and as whom."""
        for name in ("ansible_host", "benchrig_address", "ansible_user"):
            value = host.variables.get(name)
            if value is not None and not _is_word(str(value)):
                found = spec.describe(value)
                self.wrong(place, f"{name} of '{host.name}' is {found}; it is one word of at most {LONGEST_NAME} characters")
        if "@" in host.address or host.address.count(":") == 1:
            found = short(host.address)
            self.wrong(place, f"ansible_host of '{host.name}' is '{found}'; write ansible_user and ansible_port instead")

    def wrong(self, path: spec.Path, message: str) -> None:
        self.mistakes.add(self.document.where(path), message)

    def mapping(self, value: object, path: spec.Path) -> Mapping[str, Any]:
        """Return a mapping, or an empty one for nothing; anything else is a mistake."""
        if value is not None and not isinstance(value, Mapping):
            self.wrong(path, f"expected a mapping, found {spec.describe(value)}")
        return value if isinstance(value, Mapping) else {}

    def group(self, name: str, body: object, path: spec.Path, parent: str | None) -> None:
        self.name("group", name, path)
        group = self.groups.setdefault(name, _Group())
        self.group_places.setdefault(name, self.document.where(path))
        if parent and parent not in group.parents:
            group.parents.append(parent)
        parts = self.mapping(body, path)
        for key in parts:
            if key not in ("hosts", "vars", "children"):
                self.wrong(
                    (*path, key), f"unknown key '{short(str(key))}' in group '{name}'; allowed: hosts, vars, children"
                )
        group.variables.update(self.mapping(parts.get("vars"), (*path, "vars")))
        for host, variables in self.mapping(parts.get("hosts"), (*path, "hosts")).items():
            self.host(str(host), variables, (*path, "hosts", host), group)
        for child, inner in self.mapping(parts.get("children"), (*path, "children")).items():
            self.group(str(child), inner, (*path, "children", child), name)

    def host(self, name: str, variables: object, path: spec.Path, group: _Group) -> None:
        if "[" in name:
            self.wrong(path, f"host ranges are not supported: write one line for each host of '{short(name)}'")
        self.name("host", name, path)
        self.host_variables.setdefault(name, {}).update(self.mapping(variables, path))
        self.host_places.setdefault(name, path)
        group.hosts[name] = None

    def name(self, kind: str, name: str, path: spec.Path) -> None:
        """Check a name, of which files and folders are named."""
        if not _is_word(name) or "/" in name or name in (".", ".."):
            found = spec.describe(name)
            self.wrong(
                path, f"{found} cannot name a {kind}: a name is one word without '/', of at most {LONGEST_NAME} characters"
            )

    def variable_files(self, folder: str, targets: Mapping[str, dict[str, object]]) -> None:
        """Add `group_vars/<name>.yml`, or every file of the folder `group_vars/<name>/`, to the named target."""
        for name, variables in targets.items():
            base = self.document.path.parent / folder
            alone = [base / f"{name}{ending}" for ending in (".yml", ".yaml")]
            for path in [*alone, *sorted((base / name).glob("*.y*ml"))]:
                if reading.is_there(path):
                    document = yamlfile.read(path)
                    if document.data is not None and not isinstance(document.data, Mapping):
                        self.mistakes.add(document.where(), "expected variables as a mapping")
                    else:
                        variables.update(document.data or {})

    def inventory(self) -> Inventory:
        members = self.members()
        groups_of: dict[str, list[str]] = {host: [] for host in self.host_variables}
        for group, names in members.items():
            for host in names:
                groups_of[host].append(group)
        hosts = {host: self.merged(host, groups) for host, groups in groups_of.items()}
        machine = str(self.groups["all"].variables.get("benchrig_machine", "existing"))
        return Inventory(self.document.path.stem, self.document.path, machine, hosts, members, self.group_places)

    def members(self) -> dict[str, tuple[str, ...]]:
        """Return the hosts of each group and of the groups below it. Raises InputError when they are too many."""
        children: dict[str, list[str]] = {name: [] for name in self.groups}
        for name, group in self.groups.items():
            for parent in group.parents:
                children[parent].append(name)
        found: dict[str, dict[str, None]] = {}
        count = 0
        # The deepest first, so that a group is complete before it is added to the groups above it.
        for name in sorted(self.groups, key=lambda name: -self.depths[name]):
            found[name] = dict(self.groups[name].hosts)
            for child in children[name]:
                found[name].update(found[child])
                count += len(found[child])
            if count > MOST_MEMBERS:
                raise self.document.error((name,), f"the groups have more than {MOST_MEMBERS:,} members together")
        found["all"] = dict.fromkeys(self.host_variables)
        return {name: tuple(hosts) for name, hosts in found.items()}

    def merged(self, host: str, groups: list[str]) -> Host:
        variables: dict[str, object] = {}
        for group in sorted(groups, key=lambda name: (self.depths[name], name)):
            variables.update(self.groups[group].variables)
        variables.update(self.host_variables[host])
        return Host(host, tuple(name for name in sorted(groups) if name != "all"), variables)
