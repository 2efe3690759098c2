"""What a load generator is to a bench: a command line to run on the load host, and figures read from what it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchrig.bench.traffic import Script, Traffic
from benchrig.results.model import Load


@dataclass(frozen=True)
class Shape:
    """How much load, for how long."""

    threads: int
    connections: int
    duration_seconds: float
    timeout_seconds: float | None
    """None leaves the load generator its own."""


@dataclass(frozen=True)
class LoadGenerator:
    """A load generator: what it needs, how it is run, and how its output is read."""

    program: str
    """Its program, which the load host must have."""
    default_timeout_seconds: float
    """How long it waits for a reply when it is not told."""
    spare_files: int
    """How many descriptors it needs beside its connections."""
    command: Callable[[Shape, str], tuple[str, ...]]
    """Returns its command line for a URL; `{script}` in it stands for a file with its script."""
    script: Callable[[Traffic, Mapping[str, str]], str]
    """Returns the script with which it sends the requests and holds every reply against what is expected.

    The mapping has, by the name of a route, the exact body that every good reply must equal.
    """
    check_script: Callable[[Script], str]
    """Returns what is wrong with a user's script, as `file:line: reason`; empty when it can be loaded."""
    read_load: Callable[[str], Load]
    """Returns the figures in what it wrote. Raises OutputError when they are not there, or cannot be believed."""
