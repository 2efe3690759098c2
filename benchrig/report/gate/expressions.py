"""Expressions that must hold of a run, or must not: judged by the judge of claims, on the figures of each server."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from benchrig.errors import InputError
from benchrig.report.claims import check_expectation, expectation
from benchrig.report.gate import complete
from benchrig.report.gate.model import MOST_EXPRESSIONS, Judged, Judgement, Kind
from benchrig.report.table import Table, on_first_server
from benchrig.report.verdict import Word

_NAMED = re.compile(r"\(\s*([A-Za-z0-9_][\w.-]*)\s*\)")
"""A row that an expression names outright."""

_FAIL_IF = {Word.REPRODUCED: Judgement.FAILED, Word.CONTRADICTED: Judgement.PASSED}
_EXPECT = {Word.REPRODUCED: Judgement.PASSED, Word.CONTRADICTED: Judgement.FAILED}
"""All other words leave it undecided."""


def fail_if(text: str, table: Table) -> Iterator[Judged]:
    """Yield the judgement on an expression that must not hold, for each server.

    Raises InputError for one that is none, or that names a row which neither the run nor its article has.
    """
    others = table.source.rows if table.source else ()
    try:
        yield from _judged(Kind.FAIL_IF, text, table, others, _FAIL_IF)
    except InputError as error:
        raise InputError(f"--fail-if {error}") from None


def expect(table: Table) -> Iterator[Judged]:
    """Yield the judgement on each expression that the suite said must hold when the run began, for each server.

    Raises InputError for one that this benchrig cannot read.
    """
    expected = table.run.expect if table.run else ()
    if len(expected) > MOST_EXPRESSIONS:
        many = f"{len(expected):,} expressions; at most {MOST_EXPRESSIONS:,} are judged"
        raise InputError(f"run {table.name}: 'expect' in its run.json: {many}")
    for text in expected:
        try:
            # The suite had all the rows that it names; the run may have left some out.
            yield from _judged(Kind.EXPECT, text, table, _NAMED.findall(text), _EXPECT)
        except InputError as error:
            raise InputError(f"run {table.name}: 'expect' in its run.json: {error}") from None


def _judged(
    kind: Kind, text: str, table: Table, others: Collection[str], words: Mapping[Word, Judgement]
) -> Iterator[Judged]:
    for server, part in _servers(table):
        verdict = expectation(text, part, others)
        judged = Judged(kind, text, words.get(verdict.word, Judgement.NOT_DECIDED), server, verdict)
        yield complete.checked(judged, _rows(text, part, others), part)


def _rows(text: str, table: Table, others: Collection[str]) -> set[str]:
    """Return the labels of the rows that an expression is about."""
    names = dict.fromkeys((*(table.run.rows if table.run else ()), *(row.name for row in table.rows)))
    expression = check_expectation(text, names, [name for name in dict.fromkeys(others) if name not in names])
    named = {figure.row for figure in expression.figures}
    return {row.label for row in table.rows if row.name in named}


def _servers(table: Table) -> Iterator[tuple[str, Table]]:
    """Yield each server of a run with the part of the table that was measured on it."""
    if not (table.run and table.first_server):
        yield "", table
        return
    for server in table.run.servers:
        others = tuple(other for other in table.run.servers if other != server)
        yield server, on_first_server(replace(table, origin=replace(table.run, servers=(server, *others))))
