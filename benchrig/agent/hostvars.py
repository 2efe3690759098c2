"""Ansible's `hostvars`: the variables of each host of the inventory by its name, rendered when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2.utils import missing

from .variables import Variables


class HostVars(Mapping[str, Mapping[str, Any]]):
    """The hosts' variables by host name. `variables_of` makes those of one host, for the moment they are asked for."""

    def __init__(self, names: Mapping[str, Mapping[str, Any]], variables_of: Callable[[str], Variables]) -> None:
        self._names = names
        self._variables_of = variables_of

    def __getitem__(self, host: str) -> Mapping[str, Any]:
        return _OfHost(self._names[host], self._variables_of(host))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _OfHost(Mapping[str, Any]):
    """The variables of one host: iterating yields those of the inventory, by name there are those of tasks as well."""

    def __init__(self, names: Mapping[str, Any], variables: Variables) -> None:
        self._names = names
        self._variables = variables

    def __getitem__(self, name: str) -> Any:
        value = self._variables.resolve(name)
        if value is missing:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
