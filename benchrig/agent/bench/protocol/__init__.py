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
    Stopped,
)
from .connections import (
    ClientEnd,
    ConnectionsSeen,
    Descriptors,
    Segments,
    ServerEnd,
    Silence,
    StopWatching,
    WatchConnections,
)
from .database import (
    DatabaseCounters,
    DatabaseFacts,
    FindDatabase,
    FindDatabaseLoad,
    Loaded,
    PinDatabase,
    ResetData,
)
from .doctor import (
    Examination,
    Examine,
    Holder,
    Room,
)
from .environment import (
    Activity,
    Environment,
    Process,
)
from .load import (
    SPLIT_SECONDS,
    Fetch,
    LoadOutput,
    LoadThread,
    Reply,
    RunLoad,
    Split,
)
from .machine import (
    CpuParts,
    CpuShares,
    CpuTimes,
    Deployed,
    DeployedApp,
    FindCpuParts,
    FindCpuTimes,
    FindDeployed,
    FindMachineFacts,
    MachineFacts,
    Throttle,
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
    CountSent,
    News,
    Sent,
    Series,
    ServerLoad,
    StartSampling,
    StopSampling,
)

__all__ = [
    "MOST_SAMPLES",
    "OPERATIONS",
    "SPLIT_SECONDS",
    "A",
    "Activity",
    "AwaitAnswer",
    "ClientEnd",
    "CloseNetwork",
    "ConnectionsSeen",
    "CountSent",
    "CpuParts",
    "CpuShares",
    "CpuTimes",
    "DatabaseCounters",
    "DatabaseFacts",
    "Deployed",
    "DeployedApp",
    "Descriptors",
    "Done",
    "Environment",
    "Examination",
    "Examine",
    "Fetch",
    "FindCpuParts",
    "FindCpuTimes",
    "FindDatabase",
    "FindDatabaseLoad",
    "FindDeployed",
    "FindMachineFacts",
    "FindWhatRuns",
    "FreePort",
    "Holder",
    "Journal",
    "LoadOutput",
    "LoadThread",
    "Loaded",
    "MachineFacts",
    "MeasureNetwork",
    "NetworkMeasurement",
    "NetworkPort",
    "News",
    "OpenNetwork",
    "Operation",
    "PinDatabase",
    "Port",
    "Process",
    "Ran",
    "ReadJournal",
    "Readiness",
    "Reply",
    "ResetData",
    "Room",
    "RunLoad",
    "Segments",
    "Sent",
    "Series",
    "ServerEnd",
    "ServerLoad",
    "Silence",
    "Split",
    "Start",
    "StartSampling",
    "Stop",
    "StopSampling",
    "StopWatching",
    "Stopped",
    "Throttle",
    "WatchConnections",
]

OPERATIONS: dict[str, type[Operation[Any]]] = {operation.__name__: operation for operation in Operation.__subclasses__()}
"""Every operation there is, by its name."""
