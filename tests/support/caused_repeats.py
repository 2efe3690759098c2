"""Repeats of a row that have each warning about repeats: their throughputs in the order in which they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchrig.results.codes import Code

SOUND = (1004.0, 993.0, 1011.0, 998.0, 985.0, 1007.0, 991.0, 1002.0, 1014.0, 995.0, 1001.0, 988.0)

OF_REPEATS: Mapping[Code, Sequence[float]] = {
    Code.REPEATS_DRIFT: [1000.0 + 8 * i for i in range(10)],
    Code.TWO_STATES: [1001.0, 1099.0, 1002.0, 1100.0, 1000.0, 1103.0, 1098.0, 999.0, 1003.0, 1101.0],
    Code.REPEATS_CORRELATED: [1000.0, 1012.0, 1021.0, 1030.0, 1024.0, 1013.0, 1002.0, 991.0, 980.0, 975.0, 984.0, 994.0],
    Code.OUTLIERS: [*SOUND[:5], 800.0, *SOUND[5:]],
}
