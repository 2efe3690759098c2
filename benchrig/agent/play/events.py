"""What travels between controller and host while a play runs: one JSON document a line.

The controller sends a Request; the agent asks for the bundle if it lacks it, then tells what happens, and ends with a Recap.
Where templates ask for variables of other hosts (`hostvars`), each host tells what its tasks found out, and asks for what it
needs of the others; that goes through the controller's memory and nowhere else.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, BinaryIO, Literal, get_args

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
    seconds: float = 0.0


@dataclass(frozen=True)
class Notice:
    """Something the user must know that is no failure."""

    text: str


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


Shown = PlayStarted | TaskStarted | ItemDone | Notice | Recap
"""What the user may see: it leaves the host without secrets."""

Event = Shown | NeedBundle | Reached | Found | NeedFound

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}


def encode(event: Event) -> bytes:
    """Return an event as a line of JSON."""
    data = {item.name: value for item in fields(event) if (value := getattr(event, item.name)) != item.default}
    return wire.dumps({"event": type(event).__name__, **data}).encode() + b"\n"


def decode(line: bytes) -> Event:
    """Read an event from its line. Raises ValueError when the line is none."""
    data = wire.loads(line)
    try:
        event: Event = _EVENTS[data.pop("event")](**data)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("not an event") from None
    return event


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


class Gone(BaseException):
    """The controller is not there any more; no error of a task, and not to be taken for one."""


class Inbox:
    """What the controller sends. Its end of the stream is the run's life line."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def line(self) -> bytes:
        """Wait for a line, an answer to what was asked. Raises Gone when the controller has closed its end."""
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise Gone
        return line

    def read(self, size: int) -> bytes:
        """Wait for so many bytes. Raises Gone when the controller has closed its end before."""
        data = self._stream.read(size)
        if len(data) < size:
            raise Gone
        return data

    def still_there(self) -> None:
        """Raise Gone when the controller has closed its end. What it sends without being asked is nothing."""
        ready, _, _ = select.select([self._stream], [], [], 0)
        if ready and not os.read(self._stream.fileno(), 1):
            raise Gone


class Outbox:
    """Sends events, many in one write: they wait until something slow begins or something worth seeing happens."""

    def __init__(self, descriptor: int, redact: Callable[[str], str]) -> None:
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self.redact = redact

    def send(self, event: Event) -> None:
        """Send an event soon."""
        self._waiting.append(encode(_redacted(event, self.redact) if isinstance(event, Shown) else event))
        if len(self._waiting) > 64 or (isinstance(event, ItemDone) and event.status in ("changed", "failed")):
            self.flush()

    def flush(self) -> None:
        """Send what waits now. Raises Gone when nobody listens any more."""
        data = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError:
            raise Gone from None


def _redacted(event: Shown, redact: Callable[[str], str]) -> Shown:
    texts: dict[str, Any] = {
        item.name: redact(value) for item in fields(event) if isinstance(value := getattr(event, item.name), str)
    }
    return replace(event, **texts)
