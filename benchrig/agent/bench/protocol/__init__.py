"""The protocol of a bench: the operations that the controller asks of a host, and their answers.

Both are dataclasses, used on both sides; `lines.py` says how they travel. An operation is added in the module of its theme.
"""

from __future__ import annotations

from typing import Any

from .app import (
    AwaitAnswer,
    FindWhatRuns,
    FreePort,
    Journal,
    Port,
    Ran,
    Readiness,
    ReadJournal,
    Start,
    Stop,
)
from .database import (
    DatabaseCounters,
    DatabaseFacts,
    FindDatabase,
    FindDatabaseLoad,
    Loaded,
    ResetData,
)
from .load import (
    Fetch,
    LoadOutput,
    Reply,
    RunLoad,
)
from .machine import (
    CpuShares,
    CpuTimes,
    Deployed,
    DeployedApp,
    FindCpuTimes,
    FindDeployed,
    FindMachineFacts,
    MachineFacts,
)
from .network import (
    CloseNetwork,
    MeasureNetwork,
    NetworkMeasurement,
    NetworkPort,
    OpenNetwork,
)
from .operation import (
    A,
    Done,
    Operation,
)
from .sampling import (
    MOST_SAMPLES,
    Series,
    ServerLoad,
    StartSampling,
    StopSampling,
)

__all__ = [
    "MOST_SAMPLES",
    "OPERATIONS",
    "A",
    "AwaitAnswer",
    "CloseNetwork",
    "CpuShares",
    "CpuTimes",
    "DatabaseCounters",
    "DatabaseFacts",
    "Deployed",
    "DeployedApp",
    "Done",
    "Fetch",
    "FindCpuTimes",
    "FindDatabase",
    "FindDatabaseLoad",
    "FindDeployed",
    "FindMachineFacts",
    "FindWhatRuns",
    "FreePort",
    "Journal",
    "LoadOutput",
    "Loaded",
    "MachineFacts",
    "MeasureNetwork",
    "NetworkMeasurement",
    "NetworkPort",
    "OpenNetwork",
    "Operation",
    "Port",
    "Ran",
    "ReadJournal",
    "Readiness",
    "Reply",
    "ResetData",
    "RunLoad",
    "Series",
    "ServerLoad",
    "Start",
    "StartSampling",
    "Stop",
    "StopSampling",
]

OPERATIONS: dict[str, type[Operation[Any]]] = {operation.__name__: operation for operation in Operation.__subclasses__()}
"""Every operation there is, by its name."""
