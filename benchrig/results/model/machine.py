"""Records of the machines and the database as they were when the run began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A host as it was when the run began."""

    name: str
    kind: str
    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    os: str
    virtualization: str
    sysctls: Mapping[str, str]
    limits: Mapping[str, str]
    versions: Mapping[str, str]
    emulated: bool = False
    """Its CPU is emulated by a program: the computer's own could not be used."""
    made_here: bool = False
    """benchrig made it on the computer that it ran on."""
    shares_kernel: bool = False
    """It is a container on the kernel of that computer: the CPU figures that it sees are those of the whole computer."""


@dataclass(frozen=True)
class Database:
    """PostgreSQL and its data set as they were when the run began."""

    host: str
    data: str
    """The data set's name."""
    version: str
    settings: Mapping[str, str]
    fingerprint: str
