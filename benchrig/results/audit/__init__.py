"""Detects what makes measured values doubtful. A warning is a value: it never stops anything.

An invalid warning says that values of the row are not what they seem: the load generator was the bottleneck, latency was
cut off, the hypervisor or another program took the CPU. Such a row is shown and not ranked. Each detector in these modules
finds one warning, and is named in its module's `DETECTORS`; the warning's code, what it spoils and its sentence are an entry
of `codes.Code`.
"""

from benchrig.results.audit.cell import warnings
from benchrig.results.audit.connections import connections_there
from benchrig.results.audit.figures import load_warnings
from benchrig.results.audit.measured import Measured
from benchrig.results.audit.repeats import ranges, repeat_warnings

__all__ = ["Measured", "connections_there", "load_warnings", "ranges", "repeat_warnings", "warnings"]
