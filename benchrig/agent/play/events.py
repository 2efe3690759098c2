"""What travels between controller and host while a play runs: one JSON document a line.

The controller sends a Request; the agent asks for the bundle if it lacks it, then tells what happens, and ends with a Recap.
Where templates ask for variables of other hosts (`hostvars`), each host tells what its tasks found out, and asks for what it
needs of the others; that goes through the controller's memory and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from . import wire

Status = Literal["ok", "changed", "skipped", "failed", "ignored"]

Moment = Sequence[int]
"""A place in the plan: play, task, handler. Hosts share the plan, so one host's moments can be compared with another's."""


@dataclass(frozen=True)
class Request:
    """What a host is to do: plays of the plan in a bundle, by their position in it."""

    bundle: str
    """The bundle's hash."""
    plays: Sequence[int]
    host: str
    groups: Mapping[str, Sequence[str]]
    hostvars: Mapping[str, Mapping[str, Any]]
    """Variables of every host of the inventory, by host name."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()
    peers: Sequence[str] = ()
    """The other hosts of this run, if anything in the play may ask for what their tasks found out."""
    session: str = ""
    """Random for each command of a controller."""
    who: str = ""
    """The controller: `user@host, process 123`."""
    run: str = ""
    """Random for each run of a host; the same after a lost connection."""
    heard: int = 0
    """How many results, of those that a journal keeps, this run has heard of the host before."""


@dataclass(frozen=True)
class NeedBundle:
    """The host lacks the bundle: send its length on a line, then its bytes."""


@dataclass(frozen=True)
class PlayStarted:
    """A play begins."""

    name: str


@dataclass(frozen=True)
class TaskStarted:
    """A task or handler begins."""

    name: str
    role: str
    where: str
    handler: bool = False


@dataclass(frozen=True)
class ItemDone:
    """The result of the running task, or of one item of its loop. What is empty is not sent."""

    status: Status
    label: str = ""
    message: str = ""
    """What changed, or why it failed or was skipped."""
    diff: str = ""
    output: str = ""
    """What the task was written to show: the text of `debug`."""
    stdout: str = ""
    stderr: str = ""
    rc: int | None = None
    hint: str = ""
    """What to do about a failure whose cause is known."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Earlier:
    """A result that no controller heard: of this run before its connection was lost, or of an earlier run."""

    name: str
    role: str
    where: str
    handler: bool = False
    status: Status = "changed"
    label: str = ""
    message: str = ""
    seconds: float = 0.0
    who: str = ""
    """The controller of an earlier run; empty for this run."""
    cut_off: bool = False
    """That run was killed, or its end not confirmed: its controller may have heard of this."""


@dataclass(frozen=True)
class Ended:
    """The run on this host ends before its time, for this reason."""

    reason: str
    hint: str = ""
    in_use: bool = False
    """Another session has the host, so that nothing was done."""


@dataclass(frozen=True)
class Notice:
    """Something the user must know that is no failure."""

    text: str


@dataclass(frozen=True)
class Beat:
    """The agent lives, while a task takes long."""


@dataclass(frozen=True)
class Reached:
    """This host has finished, and reported, everything before this moment."""

    at: Moment


@dataclass(frozen=True)
class Found:
    """A variable that a task made, at the moment reached last. It may be a secret: it is neither shown nor redacted."""

    name: str
    value: Any
    secret: bool = False
    """Made under `no_log`."""


@dataclass(frozen=True)
class NeedFound:
    """A template needs a variable that tasks of another host may have made before this moment: send it as a line."""

    host: str
    name: str
    at: Moment


@dataclass(frozen=True)
class Recap:
    """The end: how many tasks fared how, as Ansible counts them."""

    ok: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    ignored: int = 0
    pending: Sequence[str] = ()
    """Handlers that are still to run, because the play failed before them."""
    seconds: float = 0.0
    """On the host, from the start of its Python on."""
    confirm: bool = False
    """The agent waits for the line HEARD, and forgets what it changed when that comes."""


HEARD = b"heard\n"

Shown = PlayStarted | TaskStarted | ItemDone | Earlier | Ended | Notice | Recap
"""What the user may see: it leaves the host without secrets."""

Event = Shown | Beat | NeedBundle | Reached | Found | NeedFound

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}


_LARGEST = 2**53
"""Counts and seconds from here on are none."""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _LARGEST


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "Any": lambda _: True,
    "Moment": lambda value: isinstance(value, list) and len(value) <= 3 and all(map(_is_count, value)),
    "Sequence[str]": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "Status": lambda value: value in get_args(Status),
    "bool": lambda value: isinstance(value, bool),
    "float": _is_number,
    "int": lambda value: _is_count(value),
    "int | None": lambda value: value is None or (isinstance(value, int) and abs(value) < _LARGEST),
    "str": lambda value: isinstance(value, str),
}
"""Whether a value read from JSON is of a type, by the type's text in the classes above."""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


_KINDS = {kind: {item.name: _CHECKS[str(item.type)] for item in fields(kind)} for kind in get_args(Event)}


def encode(event: Event) -> bytes:
    """Return an event as a line of JSON."""
    data = {item.name: value for item in fields(event) if (value := getattr(event, item.name)) != item.default}
    return wire.dumps({"event": type(event).__name__, **data}).encode() + b"\n"


def decode(line: bytes) -> Event:
    """Read an event from its line. Raises ValueError when the line is none: another host may send anything."""
    try:
        data = wire.loads(line)
        kind = _EVENTS[data.pop("event")]
        kinds = _KINDS[kind]
        if all(kinds[name](value) for name, value in data.items()):
            event: Event = kind(**data)
            return event
    except (KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ValueError("not an event")


def encode_found(found: Found | None) -> bytes:
    """Return the answer to NeedFound as a line of JSON; None when no task has made such a variable."""
    return wire.dumps(asdict(found) if found else None).encode() + b"\n"


def decode_found(line: bytes) -> Found | None:
    """Read the answer to NeedFound from its line."""
    data = wire.loads(line)
    return Found(**data) if data else None


def encode_request(request: Request) -> bytes:
    """Return a request as a line of JSON."""
    return wire.dumps(asdict(request)).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request from its line."""
    return Request(**wire.loads(line))
