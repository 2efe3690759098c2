"""Operations on an app: its port, its start and its end, what it is made of, what it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..probe import VersionProbe
from .operation import Done, Operation


@dataclass(frozen=True)
class Port:
    """Whether a port is free; if not, whose it is, as far as that can be seen (pid 0: it cannot).

    `listens`: a server listens on it. Otherwise it is the local port of a client's connection.
    """

    free: bool
    pid: int = 0
    command: str = ""
    listens: bool = False


@dataclass(frozen=True)
class FreePort(Operation[Port]):
    """Stop every app of ours that still runs, then check the port."""

    port: int


@dataclass(frozen=True)
class Start(Operation[Done]):
    """Start an app's unit afresh, on the CPUs of a list such as `0-3`; on all where none is given."""

    unit: str
    cpus: str = ""


@dataclass(frozen=True)
class Readiness:
    """Whether an app has started completely; if not, why."""

    ready: bool
    reason: str = ""


@dataclass(frozen=True)
class AwaitAnswer(Operation[Readiness]):
    """Wait until a started app answers HTTP at all, and until all its workers have finished starting."""

    unit: str
    port: int
    path: str
    seconds: float


@dataclass(frozen=True)
class Ran:
    """What an app's processes are made of: versions by name, and the descriptor limit of its main process."""

    alive: bool
    versions: Mapping[str, str]
    open_files: int
    ending: str = ""
    """How it ended, when it is not alive."""


@dataclass(frozen=True)
class FindWhatRuns(Operation[Ran]):
    """Look at a running app: the versions that `probes` find, and those of the Python `distributions`.

    An error when another program listens on its `port` too.
    """

    app: str
    unit: str
    port: int
    distributions: tuple[str, ...]
    probes: tuple[VersionProbe, ...]


@dataclass(frozen=True)
class Journal:
    """The last lines that an app wrote since it was started."""

    text: str


@dataclass(frozen=True)
class ReadJournal(Operation[Journal]):
    """Read the end of the journal of an app's present or last start."""

    unit: str
    lines: int


@dataclass(frozen=True)
class Stopped:
    """An app that was stopped: its port, and the end of what it wrote since it was started."""

    port: Port
    journal: str = ""


@dataclass(frozen=True)
class Stop(Operation[Stopped]):
    """Stop an app, and check that its port is free."""

    unit: str
    port: int
