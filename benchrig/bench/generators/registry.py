"""The load generators by name. To add one, write a folder like `wrk/` and name its generator here."""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.bench.generators.base import LoadGenerator
from benchrig.bench.generators.wrk.generator import WRK

GENERATORS: Mapping[str, LoadGenerator] = {one.name: one for one in (WRK,)}

DEFAULT = WRK
"""The one that a suite, an app and published figures mean when they name none."""
