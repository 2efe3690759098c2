"""The wire format of a bench: each operation and each answer is one line of JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import spec
from .protocol import OPERATIONS, Operation

T = TypeVar("T")


@dataclass(frozen=True)
class Envelope:
    """One line of JSON: an operation with its arguments, an answer, or an error."""

    operation: str = ""
    value: Mapping[str, object] = dataclasses.field(default_factory=dict)
    error: str = ""

    def line(self) -> bytes:
        """Return it as it goes over the wire."""
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"


def read_envelope(line: bytes) -> Envelope:
    """Read one line. Raises ValueError when it is not an envelope."""
    return _build(Envelope, json.loads(line))


def request_line(operation: Operation[Any]) -> bytes:
    """Return the line that asks for an operation."""
    return Envelope(type(operation).__name__, vars(operation)).line()


def read_request(line: bytes) -> Operation[Any]:
    """Read the line that asks for an operation. Raises ValueError when there is no such operation."""
    envelope = read_envelope(line)
    if envelope.operation not in OPERATIONS:
        raise ValueError(f"unknown operation '{envelope.operation}'")
    return _build(OPERATIONS[envelope.operation], envelope.value)


def _build(cls: type[T], data: object) -> T:
    try:
        return spec.build(cls, data)
    except spec.SpecError as error:
        raise ValueError(str(error)) from None
