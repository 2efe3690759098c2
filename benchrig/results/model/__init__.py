"""The records of a run: what `reports/` holds as JSON, with the units in the names of the fields.

A run (`run.json`) has cells (`cells.jsonl`): one cell is one row of a suite, measured once. Nothing derived is stored:
medians and warnings are computed again from these records. `formats/` reads what an earlier version wrote; a change here
that an earlier benchrig could not read, or that makes an old file wrong, needs a new format there.
"""

from benchrig.results.model.cell import (
    Cell,
    Status,
)
from benchrig.results.model.connections import (
    ClientEnd,
    ConnectionsSeen,
    Descriptors,
    Segments,
    ServerEnd,
    Silence,
)
from benchrig.results.model.ended import (
    Ended,
    RowLeft,
)
from benchrig.results.model.load import (
    Generator,
    Latency,
    Load,
    LoadErrors,
    LoadThread,
)
from benchrig.results.model.machine import (
    Activity,
    Database,
    Environment,
    Machine,
    Process,
)
from benchrig.results.model.network import (
    DatabaseNetwork,
    Network,
)
from benchrig.results.model.replies import (
    Check,
    Checks,
    RouteReplies,
)
from benchrig.results.model.run import (
    Part,
    Run,
    Settings,
)
from benchrig.results.model.server import (
    CpuShares,
    DatabaseLoad,
    MachineLoad,
    Series,
    ServerLoad,
    Throttle,
)

__all__ = [
    "Activity",
    "Cell",
    "Check",
    "Checks",
    "ClientEnd",
    "ConnectionsSeen",
    "CpuShares",
    "Database",
    "DatabaseLoad",
    "DatabaseNetwork",
    "Descriptors",
    "Ended",
    "Environment",
    "Generator",
    "Latency",
    "Load",
    "LoadErrors",
    "LoadThread",
    "Machine",
    "MachineLoad",
    "Network",
    "Part",
    "Process",
    "RouteReplies",
    "RowLeft",
    "Run",
    "Segments",
    "Series",
    "ServerEnd",
    "ServerLoad",
    "Settings",
    "Silence",
    "Status",
    "Throttle",
]
