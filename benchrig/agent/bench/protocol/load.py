"""Operations that send requests: one alone, or the load."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .operation import Operation

Split = Literal["", "head", "body"]
"""Where a request is cut into two TCP segments: nowhere, in its head, or in its body."""

SPLIT_SECONDS = 0.05
"""The pause between two segments."""


@dataclass(frozen=True)
class Reply:
    """An HTTP reply: its status and its body, which is `cut` after 4 MiB; `error` when there was none."""

    status: int = 0
    body: str = ""
    """Decoded when it came with gzip or deflate."""
    cut: bool = False
    error: str = ""
    encoding: str = ""
    """The content encoding that the body came with."""
    unread: bool = False
    """That encoding cannot be decoded, and the body is left out."""
    early: bool = False
    """It began, or the connection ended, before the second segment of the request was sent."""


@dataclass(frozen=True)
class Fetch(Operation[Reply]):
    """Make one HTTP request and read its reply; a wait for the other end lasts `seconds` at most, all of them twice that.

    With `split`, the request is sent in two TCP segments, SPLIT_SECONDS apart.
    """

    host: str
    port: int
    path: str
    seconds: float
    method: str = "GET"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: str = ""
    split: Split = ""


@dataclass(frozen=True)
class LoadThread:
    """A thread of a load generator in some `seconds`: how long it ran, and how long it waited for a CPU."""

    seconds: float
    cpu_seconds: float
    """Without the time of interrupts, and what a hypervisor took, where the kernel counts these apart."""
    wait_seconds: float
    sleeps: int
    """How often it had nothing to do."""


@dataclass(frozen=True)
class LoadOutput:
    """What a load generator wrote and used. `wall_seconds` is from its start to its end; `killed` when it hung."""

    exit_code: int
    stdout: str
    stderr: str
    wall_seconds: float
    cpu_seconds: float
    open_files: int
    killed: bool = False
    threads: tuple[LoadThread, ...] = ()
    """Those that wanted most of the CPU, the most first; none where the kernel does not count it."""


@dataclass(frozen=True)
class RunLoad(Operation[LoadOutput]):
    """Run a load generator. `{script}` in its command stands for the file that `script` is written to."""

    command: tuple[str, ...]
    script: str
    kill_after_seconds: float
    cpus: str = ""
    """The CPUs that it is kept on, such as `4-7`; empty for all."""
