"""Superfluous warnings: one fact is told once, by the warning that says most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchrig.results.codes import Code
from benchrig.results.warnings import Warning

Which = tuple[Code, str]
"""A code, and one of its cases; '' of a code with one sentence."""

_UNDERSTATED: Which = (Code.LITTLES_LAW, "understated")

EXPLAINS: Mapping[Which, frozenset[Which]] = {
    (Code.DEAD_CONNECTIONS, "unanswered"): frozenset({(Code.UNANSWERED, ""), _UNDERSTATED}),
    (Code.DEAD_CONNECTIONS, "unaccepted"): frozenset({(Code.UNANSWERED, ""), _UNDERSTATED}),
    (Code.DEAD_CONNECTIONS, "quiet"): frozenset({_UNDERSTATED}),
    (Code.UNANSWERED, ""): frozenset({_UNDERSTATED}),
    (Code.CUT_BY_END, "late"): frozenset({_UNDERSTATED}),
    (Code.CUT_BY_END, "slow"): frozenset({_UNDERSTATED}),
    **{
        (Code.NO_KEEP_ALIVE, case): frozenset({(Code.CONNECTION_ERRORS, "closed"), (Code.CONNECTION_ERRORS, "read")})
        for case in Code.NO_KEEP_ALIVE.sentences
    },
    (Code.STALLED, "slowest"): frozenset({(Code.LITTLES_LAW, "overstated")}),
    (Code.SILENT, ""): frozenset((Code.STALLED, case) for case in Code.STALLED.sentences),
    **{(Code.GENERATOR_SATURATED, case): frozenset({(Code.NO_IDLE_CPU, "")}) for case in Code.GENERATOR_SATURATED.sentences},
}
"""What each warning makes superfluous, as its consequence."""


def without_explained(warnings: Sequence[Warning]) -> tuple[Warning, ...]:
    """Return the warnings less those that another explains. One that makes more values invalid than that one stays."""
    by = {_which(warning): warning for warning in warnings}
    explained = {
        which
        for one, consequences in EXPLAINS.items()
        if one in by
        for which in consequences & by.keys()
        if _spoilt(by[which]) <= _spoilt(by[one])
    }
    return tuple(warning for warning in warnings if _which(warning) not in explained)


def _which(warning: Warning) -> Which:
    return warning.code, str(warning.values.get("case", ""))


def _spoilt(warning: Warning) -> frozenset[object]:
    """Return the values that a warning makes invalid."""
    return frozenset(warning.spoils if warning.invalid else ())
