"""The wire format of a bench: operations, answers and signs of life, each one line of JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from .. import spec
from .protocol import OPERATIONS, News, Operation

T = TypeVar("T")

LONGEST_LINE = 32 << 20
"""Bytes. The longest answer is a body of 4 MiB in which JSON writes each byte with six."""

BEAT_SECONDS = 5.0
"""The agent gives a sign of life this often, and the controller answers it."""

SILENCE_SECONDS = 20.0
"""Who has heard nothing for this long takes the other end for gone."""


@dataclass(frozen=True)
class Envelope:
    """One line of JSON: an operation with its arguments, an answer, or an error. An answer has the id of its request."""

    operation: str = ""
    value: Mapping[str, object] = dataclasses.field(default_factory=dict)
    error: str = ""
    id: int = 0

    def line(self) -> bytes:
        """Return it as it goes over the wire."""
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"


@dataclass(frozen=True)
class Hello:
    """The first line of a controller. With `resume`, it wants the agent that it had, and no other one."""

    session: str
    client: str
    """Random for each host of a session: a machine that a controller takes for two is refused the second time."""
    who: str
    linger_seconds: float
    """How long the agent lives on when the controller is gone without a goodbye."""
    resume: bool = False

    def line(self) -> bytes:
        """Return it as it goes over the wire."""
        return Envelope(HELLO, vars(self)).line()


HELLO = "Hello"
ALIVE = Envelope("Alive").line()
"""A sign of life, in both directions."""

WAIT = "Wait"
"""What comes before a welcome that has to be waited for: its error says for whom."""

_NEWS = b'{"operation": "News", '
"""How a line of news begins: what reads them need not read all other lines for it."""

BYE = Envelope("Bye").line()
"""The controller's goodbye: the agent stops all that it started, says the same, and ends."""


def welcome(error: str = "") -> Envelope:
    """Return the answer to a greeting. It says which start of the machine this is."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return Envelope(HELLO, {"boot": boot}, error)


def read_envelope(line: bytes) -> Envelope:
    """Read one line. Raises ValueError when it is not an envelope."""
    try:
        data = json.loads(line, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return _build(Envelope, data)


def read_hello(envelope: Envelope) -> Hello | None:
    """Read a controller's first line; None for a greeting of another version. Raises ValueError when it is no greeting."""
    if envelope.operation != HELLO:
        raise ValueError(f"a controller begins with {HELLO}, and not with '{envelope.operation}'")
    try:
        return _build(Hello, envelope.value)
    except ValueError:
        return None


def request_line(operation: Operation[Any], number: int) -> bytes:
    """Return the line that asks for an operation, as the request of that id."""
    return Envelope(type(operation).__name__, vars(operation), id=number).line()


def read_operation(envelope: Envelope) -> Operation[Any]:
    """Read what an envelope asks for. Raises ValueError when there is no such operation."""
    if envelope.operation not in OPERATIONS:
        raise ValueError(f"unknown operation '{envelope.operation}'")
    return _build(OPERATIONS[envelope.operation], envelope.value)


def news_line(news: News) -> bytes:
    """Return the line that tells what the sampler has counted so far. Nothing answers it."""
    return Envelope(News.__name__, vars(news)).line()


def is_news(line: bytes) -> bool:
    """Return whether a line tells news."""
    return line.startswith(_NEWS)


def read_news(line: bytes) -> News:
    """Read a line of news. Raises ValueError when it is none."""
    return _build(News, read_envelope(line).value)


def _build(cls: type[T], data: object) -> T:
    try:
        return spec.build(cls, data)
    except spec.SpecError as error:
        raise ValueError(str(error)) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
