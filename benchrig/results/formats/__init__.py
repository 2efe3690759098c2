"""Formats of stored runs: JSON text to records, whichever version of benchrig wrote it.

Every file says its format. A format that this benchrig no longer writes has a module here, which turns its data into that
of the next format; so a file of format 1 goes through each of them in turn. A later benchrig may add fields without a new
format: they are ignored here, and named in the `Reading`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from benchrig import reading
from benchrig.agent import spec
from benchrig.results.formats import v1
from benchrig.results.model import Cell, Run

T = TypeVar("T")

FORMAT = 2
"""The format that is written."""

Fields = Mapping[str, Any]
"""A record as JSON has it."""

_NEXT_RUN: Mapping[int, Callable[[Fields, Sequence[Fields]], Fields]] = {1: v1.next_run}
_NEXT_CELL: Mapping[int, Callable[[Fields], Fields]] = {1: v1.next_cell}
"""Each turns a record of an old format into one of the next format."""


LONGEST_NAME = 300
"""Characters: the longest is that of a run, which has a time and the name of a suite in it."""


LARGEST_NUMBER = 10**9
"""Of a run: a greater one is damage."""


class FormatError(Exception):
    """The text is not a record that this benchrig can read; the message says why."""


class LaterFormatError(FormatError):
    """The record is of a format that a later benchrig writes, and too different for this one."""


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A record, and what it was read from."""

    record: T
    format: int
    """The format of the file."""
    unknown: tuple[str, ...] = ()
    """Fields that this benchrig does not know, `load.jitter_us`: they stay in the file and are ignored."""


def text_of(record: Run | Cell, indent: int | None = None) -> str:
    """Return a record as JSON text in the format of today, with its number."""
    text = json.dumps({"format": FORMAT, **dataclasses.asdict(record)}, indent=indent, ensure_ascii=False)
    # Half of a surrogate pair, which JSON may hold and UTF-8 may not, stays in its escaped form.
    return text.encode(errors="backslashreplace").decode()


def parse(content: bytes) -> Fields:
    """Return the fields of a record. Raises FormatError when it is not one JSON object."""
    try:
        data = reading.json_value(content)
    except reading.ReadError as error:
        raise FormatError(str(error)) from None
    if not isinstance(data, dict):
        raise FormatError("not a JSON object")
    return data


@dataclass(frozen=True)
class Head:
    """What a list of runs needs of a `run.json`."""

    suite: str
    started_at: str
    finished_at: str
    number: int


def head(content: bytes) -> Head:
    """Return the head of a `run.json` of any format. Raises FormatError."""
    data = parse(content)
    suite, started, finished = (data.get(name, "") for name in ("suite", "started_at", "finished_at"))
    for value in (suite, started, finished):
        if not isinstance(value, str):
            raise FormatError(f"expected text, found {spec.describe(value)}")
    return Head(suite, started, finished, _number(data))


def _number(data: Fields) -> int:
    """Return a run's number; 0 for one that no benchrig gave: runs that begin later count on from the greatest."""
    number = data.get("number", 0)
    return number if type(number) is int and 0 <= number <= LARGEST_NUMBER else 0


def read_run(data: Fields, cells: Sequence[Fields]) -> Reading[Run]:
    """Return the run of a `run.json`; `cells` are the records beside it. Raises FormatError."""
    number = _format_of(data)
    for old in range(number, FORMAT):
        with _mistakes_named(old):
            data = _NEXT_RUN[old](data, cells)
    return _build(Run, {**data, "number": _number(data)}, number)


def read_cell(data: Fields) -> Reading[Cell]:
    """Return the cell of a line of `cells.jsonl`. Raises FormatError."""
    number = _format_of(data)
    for old in range(number, FORMAT):
        with _mistakes_named(old):
            data = _NEXT_CELL[old](data)
    return _build(Cell, data, number)


def _format_of(data: Fields) -> int:
    """Return a record's format; the first one had no number."""
    number = data.get("format", 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise FormatError(f"'format' is {spec.describe(number)}, not a format's number")
    return number


@contextmanager
def _mistakes_named(number: int) -> Iterator[None]:
    """Make a FormatError of what goes wrong while data of an old format is turned into the next."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FormatError(f"not a record of format {number}: {error}") from None


def _build(cls: type[T], data: Fields, number: int) -> Reading[T]:
    unknown: list[spec.Path] = []
    fields = {name: value for name, value in data.items() if name != "format"}
    try:
        record = spec.build(cls, fields, unknown=unknown)
    except spec.SpecError as error:
        if number > FORMAT:
            raise LaterFormatError(f"it has format {number}, and this benchrig reads formats up to {FORMAT}") from None
        raise FormatError(f"not a record of format {number}: {error}") from None
    if wrong := [name for name in _names(record) if not name.isprintable() or len(name) > LONGEST_NAME]:
        raise FormatError(f"not a record of format {number}: {spec.describe(wrong[0])} is no name")
    if wrong := [name for name in _percentiles(record) if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?|100", name)]:
        raise FormatError(f"not a record of format {number}: {spec.describe(wrong[0])} is no percentile")
    names = (".".join(key for key in path if isinstance(key, str)) for path in unknown)
    return Reading(record, number, tuple(dict.fromkeys(names)))


def _percentiles(record: Any) -> Iterator[str]:
    """Yield the names of a cell's percentiles, with which is computed."""
    if isinstance(record, Cell) and record.load:
        for latency in (record.load.latency, record.load.measured):
            yield from latency.percentiles_us if latency else ()


def _names(record: Any) -> Iterator[str]:
    """Yield what a record calls rows, machines, suites and itself: commands, files and tables are made of these."""
    if isinstance(record, Cell):
        yield from (record.name, record.host)
    elif isinstance(record, Run):
        yield from (record.name, record.suite, record.profile, record.inventory)
        yield from (*record.rows, *record.servers, *(machine.name for machine in record.machines))
