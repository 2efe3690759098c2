"""The load generators by name. To add one, write a module like wrk.py and name it here."""

from benchrig.bench.generators.load import LoadGenerator, Shape
from benchrig.bench.generators.wrk import WRK

__all__ = ["GENERATORS", "LoadGenerator", "Shape"]

GENERATORS: dict[str, LoadGenerator] = {"wrk": WRK}
