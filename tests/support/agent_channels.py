"""Stand-ins for the SSH channels to a bench agent: what comes back for each line that the controller sends."""

from __future__ import annotations

import queue
from collections.abc import Callable

from benchrig import inventory
from benchrig.agent.bench import protocol
from benchrig.agent.bench.lines import Envelope, read_envelope
from benchrig.errors import HostError
from benchrig.remote.channel import ConnectionLostError

LAB1 = inventory.Host("lab1", (), {})
CPU = protocol.CpuTimes(at=1.0, total=2.0, idle=1.0, steal=0.0, interrupts=0.1)
Answer = Callable[[Envelope], bytes]


class Channel:
    """A stand-in for the SSH channel to an agent: `answer` says what comes back for each line that is sent."""

    def __init__(self, answer: Answer) -> None:
        self.sent: list[Envelope] = []
        self._answer = answer
        self._data: queue.Queue[bytes | None] = queue.Queue()

    def wait_for(self, seconds: float) -> None:
        self.seconds = seconds

    def send(self, data: bytes) -> None:
        for line in filter(None, data.split(b"\n")):
            self.sent.append(read_envelope(line))
            self.say(self._answer(self.sent[-1]))

    def say(self, data: bytes) -> None:
        for begin in range(0, len(data), 1 << 16):
            self._data.put(data[begin : begin + (1 << 16)])

    def end(self) -> None:
        self._data.put(b"")

    def lose(self) -> None:
        self._data.put(None)

    def reason(self) -> str:
        return ""

    def read(self) -> bytes:
        try:
            data = self._data.get(timeout=self.seconds)
        except queue.Empty:
            raise HostError("lab1: no answer for some time") from None
        if data is None:
            raise ConnectionLostError("lab1: the connection was lost")
        return data

    def close(self) -> None:
        self.end()


class Connection:
    """A stand-in for a connection, which closes."""

    def close(self) -> None:
        """Do nothing."""


class Rig:
    """Hands out a channel for each connection; the n-th answers as the n-th of `answers` says, and an error is raised."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = iter(answers)
        self.channels: list[Channel] = []

    def start(self, _remote: object, _verb: str) -> Channel:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        self.channels.append(Channel(answer))
        return self.channels[-1]


def well(request: Envelope) -> bytes:
    """Answer as an agent does."""
    if request.operation in ("Hello", "Bye"):
        return Envelope(request.operation).line()
    if request.operation == "Alive":
        return b""
    return Envelope(value=vars(CPU), id=request.id).line()


def instead(answer: bytes) -> Answer:
    """Greet as an agent does, then answer with these bytes."""
    return lambda request: well(request) if request.operation in ("Hello", "Bye", "Alive") else answer
