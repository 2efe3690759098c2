"""Answers of agents: read into their classes, and cut to what a run can store, because a host may answer anything."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, TypeVar, cast

from benchrig.agent import spec
from benchrig.agent.bench import protocol
from benchrig.agent.text import short

A = TypeVar("A")

LONGEST_TEXT = 1000
"""Characters of a text in an answer."""

LONGEST_NAME = 100
"""Characters of a key in an answer."""

MOST_ENTRIES = 100
"""Of a list or a mapping in an answer: the longest that an agent of ours sends has 20."""

LONGER: Mapping[type, int] = {protocol.ServerLoad: protocol.MOST_SAMPLES}
"""The entries of a list in an answer that has a series."""

LONGEST_REASON = 100_000
"""Characters of the reason why something failed: an agent's error, or the whole of a cell's."""

LARGE: tuple[type, ...] = (protocol.Reply, protocol.LoadOutput, protocol.Journal, protocol.Stopped, protocol.Deployed)
"""Answers that are not cut: what a run stores of them is cut elsewhere, or a file of its own."""


def read(operation: protocol.Operation[A], value: object) -> A:
    """Return the answer to an operation; long texts in it are cut, with a … at their end. Raises SpecError."""
    answer = operation.answer()
    return cast(A, spec.build(answer, value if answer in LARGE else cut(value, LONGER.get(answer, MOST_ENTRIES))))


def cut(value: Any, entries: int = MOST_ENTRIES) -> object:
    """Return a value of JSON with its texts, names, lists and mappings cut to what is kept of them."""
    if isinstance(value, str):
        return short(value, LONGEST_TEXT)
    if isinstance(value, Mapping):
        return {short(str(key), LONGEST_NAME): cut(item, entries) for key, item in islice(value.items(), MOST_ENTRIES)}
    if isinstance(value, list):
        return [cut(item, entries) for item in islice(value, entries)]
    return value
