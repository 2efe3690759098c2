"""A gate in words: its conditions, why each is judged as it is, and how many there are of each judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchrig.report import sentences
from benchrig.report.gate.model import Basis, Gate, Judged, Judgement, Kind, Short, Worsening
from benchrig.report.metrics import ERRORS
from benchrig.report.verdict import Reason, Why
from benchrig.units import number, percent

WORDS = {judgement: judgement.value.replace("_", " ") for judgement in Judgement}

_LARGEST_PERCENT = 1000.0
"""A worsening above this is only said to be so."""

_WHOLE = {
    Basis.OTHER_LOAD: "connections or route are not those of the reference.",
    Basis.ONLY_IN_RUN: "only the run has it: there is nothing to compare it with.",
    Basis.ONLY_IN_REFERENCE: "only the reference has it: there is nothing to compare.",
    Basis.ROW_GONE: "the reference has it, and the suite does not: it was removed or has another name.",
}
"""Reasons without values."""

_LONGEST_COMMIT = 12
"""Characters of a commit: enough to find it."""


def counts(gate: Gate) -> str:
    """Return how many conditions there are of each judgement: `1 failed, 6 passed`."""
    found = ((len(gate.those(judgement)), WORDS[judgement]) for judgement in Judgement)
    return ", ".join(f"{count} {word}" for count, word in found if count)


def of_all(gate: Gate) -> str:
    """Return how many conditions there are: `1 condition`."""
    return f"{len(gate.conditions):,} condition{'' if len(gate.conditions) == 1 else 's'}"


def condition(judged: Judged, gate: Gate) -> str:
    """Return a condition as the user meant it: `fail if throughput(sanic) < 100`."""
    on = f" on {judged.server}" if judged.server else ""
    if judged.worsening and judged.worsening.metric == ERRORS.name:
        return f"no more {judged.condition}{on}"
    match judged.kind:
        case Kind.FAIL_IF:
            return f"fail if {judged.condition}{on}"
        case Kind.EXPECT:
            return f"expect {judged.condition}{on}"
        case Kind.FAIL_OVER:
            return f"{judged.condition}{on} at most {_limit(gate)} worse"


def about(gate: Gate) -> str:
    """Return what was judged, and against what: `run NAME of commit 1a2b3c4 (B), against NAME (A)`."""
    commit = f" of commit {gate.commit[:_LONGEST_COMMIT]}" if gate.commit else ""
    what = f"run {gate.name}{commit}" if gate.suite else f"published figures {gate.name}"
    return f"{what} (B), against {gate.reference} (A)" if gate.reference else what


def reason(judged: Judged, gate: Gate) -> str:
    """Return why a condition is judged as it is, and what would decide it if it is not decided."""
    short = f"{_short(judged.short)} " if judged.short else ""
    if judged.verdict:
        because = judged.verdict.reason
        said = _few(because) if because.why is Why.TOO_FEW_REPEATS else sentences.reason(judged.verdict)
        return short + said
    assert judged.worsening
    return f"{short}{_worsening(judged.worsening, _limit(gate))}{_since(judged.worsening)}"


def _limit(gate: Gate) -> str:
    """Return the limit as the user gave it."""
    return f"{gate.limit_percent or 0.0:.12g} %"


def _short(rows: Sequence[Short]) -> str:
    """Return which rows lack repeats, so that nothing passes by them."""
    first, rest = rows[0], len(rows) - 1
    others = f", and {rest} more rows lack some" if rest > 1 else ", and another row lacks some" if rest else ""
    if first.wanted is None:
        return "The run was interrupted while rounds were added to it: resume it."
    return f"{first.repeats} of {first.wanted} repeats of {first.row} were measured{others}: it does not pass by those."


def _since(found: Worsening) -> str:
    """Return which runs before it were worse and are not in the reference; empty where they were not."""
    if not found.worse_since:
        return ""
    if found.worse_runs == 1:
        return f" The run before it, {found.worse_since}, was worse and is not in the reference."
    return f" The {found.worse_runs:,} runs since {found.worse_since} were worse and are not in the reference."


def _percent(value: float) -> str:
    """Write how much worse or better something is: `5 %`, `0.31 %`, `20 %`."""
    return f"over {_LARGEST_PERCENT:,.0f} %" if value > _LARGEST_PERCENT else f"{percent(value)} %"


def _few(because: Reason) -> str:
    """Return what the medians of too few repeats say of an expression."""
    one = because.repeats == 1
    who = "One measurement" if one else f"The median of {because.repeats} measurements"
    says = {True: "would say that it holds", False: "would say that it does not hold", None: "says nothing"}[
        because.supports
    ]
    return f"{who} {says}. Measure {because.needed} times to decide: {because.command}"


def _worsening(found: Worsening, limit: str) -> str:
    match found.basis:
        case Basis.SHOWN_WORSE:
            return f"{_values(found)}: {_worse(found)}, which is more than {limit}."
        case Basis.WITHIN_LIMIT:
            return f"{_values(found)}: {_within(found)}."
        case Basis.NO_DIFFERENCE:
            could = f"it could be up to {_percent(_most(found))} worse, and the limit is {limit}"
            return f"{_values(found)}: no difference shown, but {could}.{_narrow(found)}"
        case Basis.LIMIT_IN_INTERVAL:
            return f"{_values(found)}: {_worse(found)}, which may be more or less than {limit}.{_measure(found)}"
        case Basis.AT_CEILING:
            return f"{_values(found)}: both are at the ceiling, where the load limits them."
        case Basis.MORE_ERRORS:
            return f"{_values(found)}: more errors are shown."
        case _:
            return _unknown(found)


def _unknown(found: Worsening) -> str:
    """Return why a metric could not be compared."""
    match found.basis:
        case Basis.TOO_FEW_REPEATS:
            one, other = found.repeats
            return f"{_values(found)}: there are {one} repeats of the reference and {other} of the run.{_measure(found)}"
        case Basis.INVALID:
            names = ", ".join(map(sentences.title, found.codes))
            verb = "are" if " and " in found.detail else "is"
            return f"{found.detail or 'it'} {verb} invalid: {names}. Measure again."
        case Basis.NOT_MEASURED:
            return f"the run has no value of it that can be used{found.detail and f': {found.detail}'}."
        case Basis.TOO_FEW_RUNS:
            return f"there are {found.runs} earlier runs of like conditions, and {found.runs_needed} are needed."
        case Basis.NO_RATIO:
            return f"{_values(found)}: a value is 0, so there is no ratio. Use --fail-if."
        case Basis.OTHER_CONDITIONS:
            return f"it was measured otherwise than the reference: {found.detail}."
        case _:
            return _WHOLE[found.basis]


def _values(found: Worsening) -> str:
    """Return both values: `17,640 requests/s after 19,218`."""
    if found.value is None or found.reference_value is None:
        return f"{found.metric}({found.row})"
    before = f"{number(found.reference_value)} in {found.runs} earlier runs" if found.runs else number(found.reference_value)
    return f"{number(found.value)} {found.unit}".rstrip() + f" after {before}"


def _worse(found: Worsening) -> str:
    """Return how much worse, or better, it is, with its interval: `8.2 % worse (6.9 to 9.4 %)`."""
    low, high, middle = found.worse_low_percent or 0.0, _most(found), found.worse_percent or 0.0
    if high < 0:
        return f"{_percent(-middle)} better ({_ends(-high, -low)})"
    return f"{_percent(middle)} worse ({_ends(low, high)})"


def _within(found: Worsening) -> str:
    """Return how much worse it is at most, or how much better it is."""
    low, high = found.worse_low_percent or 0.0, _most(found)
    return _worse(found) if low > 0 or high < 0 else f"at most {_percent(high)} worse"


def _most(found: Worsening) -> float:
    """Return the worsening that is not excluded, in percent."""
    return math.inf if found.worse_high_percent is None else found.worse_high_percent


def _ends(low: float, high: float) -> str:
    return f"{_percent(low).removesuffix(' %')} to {_percent(high)}"


def _measure(found: Worsening) -> str:
    """Return what would tell on which side of the limit it is."""
    more = f"Measure both {found.needed} times to decide"
    return _decided(found, more, "It is too close to the limit for more repeats to decide.")


def _narrow(found: Worsening) -> str:
    """Return what would show that the limit is kept, if it is."""
    more = f"If it keeps that, about {found.needed} repeats of both show it"
    return _decided(
        found, more, "More repeats, a larger limit, or a comparison over several boots (./inv ab) would decide it."
    )


def _decided(found: Worsening, more: str, otherwise: str) -> str:
    """Return what would decide it: more in each run of a history, more repeats with their command, or something else."""
    if found.runs:
        return " Earlier runs differ by as much: more repeats in each run, or a larger limit, would decide it."
    if not found.needed:
        return f" {otherwise}"
    return f" {more}: {found.command}" if found.command else f" {more}."
