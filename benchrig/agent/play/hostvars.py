"""Ansible's `hostvars`: the variables of each host of the inventory by its name, rendered when they are asked for.

What tasks of another host found out is asked for over the controller, one variable at a time, when a template gets to it: a
host waits for another only where it needs something of it, and is told no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from jinja2.utils import missing

from ..redact import Redactor
from . import plan
from .events import Found, Moment, NeedFound, Reached, decode_found
from .pipes import Inbox, Outbox
from .templating import UndefinedValue
from .variables import Layer, Variables

FACTS = "ansible_facts"


class HostVars(Mapping[str, Any]):
    """The hosts' variables by host name. `variables_of` makes those of one host, for the moment they are asked for."""

    def __init__(self, names: Collection[str], variables_of: Callable[[str], Variables]) -> None:
        self._names = names
        self._variables_of = variables_of

    def __getitem__(self, host: str) -> Any:
        return self.get(host, UndefinedValue(hint=f"the inventory has no host '{host}'"))

    def __contains__(self, host: object) -> bool:
        return host in self._names

    def get(self, host: str, default: Any = None) -> Any:
        """Return a host's variables, or `default` when there is no such host."""
        return _OfHost(host, self._variables_of(host)) if host in self else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _OfHost(Mapping[str, Any]):
    """The variables of one host; those that Ansible itself sets are there by name only."""

    def __init__(self, host: str, variables: Variables) -> None:
        self._host = host
        self._variables = variables

    def __getitem__(self, name: str) -> Any:
        return self.get(name, UndefinedValue(hint=f"host '{self._host}' has no variable '{name}'"))

    def __contains__(self, name: object) -> bool:
        return self._variables.resolve(str(name)) is not missing

    def get(self, name: str, default: Any = None) -> Any:
        """Return a variable's value, or `default` when the host has none of that name."""
        value = self._variables.resolve(name)
        return default if value is missing else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables.names())

    def __len__(self) -> int:
        return len(self._variables.names())


class Peers:
    """The other hosts of the run: they get the variables that tasks here set, and are asked for theirs.

    Without any, because there are none or nothing may ask for `hostvars`, it does nothing.
    """

    def __init__(
        self, names: Sequence[str], plays: Sequence[plan.Play], outbox: Outbox, inbox: Inbox, redactor: Redactor
    ) -> None:
        self._names = frozenset(names)
        self._plays = plays
        self._outbox = outbox
        self._inbox = inbox
        self._redactor = redactor
        self._at: Moment = ()
        self._answers: dict[tuple[str, str], Any] = {}

    def __bool__(self) -> bool:
        return bool(self._names)

    def reach(self, *at: int) -> None:
        """Report that this host has finished everything before a moment."""
        if self:
            self._at = at
            self._answers.clear()
            self._outbox.send(Reached(at))

    def tell(self, name: str, value: Any, *, secret: bool) -> None:
        """Report a variable that a task set."""
        if self:
            self._outbox.send(Found(name, value, secret))

    def found(self, host: str) -> Layer:
        """Return what tasks of another host found out by now, each variable asked for when it is looked up."""
        return _FoundThere(self._made - {FACTS}, lambda name: self._ask(host, name)) if host in self._names else {}

    def facts(self, host: str) -> Layer:
        """Return the gathered facts of another host."""
        return _FoundThere(self._made & {FACTS}, lambda name: self._ask(host, name)) if host in self._names else {}

    @cached_property
    def _made(self) -> frozenset[str]:
        """The names of all variables that a task may make: only for these is there anything to ask."""
        return plan.made(self._plays) | ({FACTS} if any(play.gather_facts for play in self._plays) else set())

    def _ask(self, host: str, name: str) -> Any:
        """Return a variable of another host as of this moment, or `missing`; waits for that host to get as far."""
        if (host, name) not in self._answers:
            self._outbox.send(NeedFound(host, name, self._at))
            self._outbox.flush()
            found = decode_found(self._inbox.line())
            if found:
                self._redactor.learn(name, found.value, no_log=found.secret)
            self._answers[host, name] = found.value if found else missing
        return self._answers[host, name]


class _FoundThere(Mapping[str, Any]):
    """Variables of another host, of those that may be there at all; `ask` returns a value or `missing`."""

    def __init__(self, names: frozenset[str], ask: Callable[[str], Any]) -> None:
        self._names = names
        self._ask = ask

    def __getitem__(self, name: str) -> Any:
        value = self._ask(name) if name in self._names else missing
        if value is missing:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in sorted(self._names) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
