"""Selection of rows by `--only`: names or shell patterns of rows, apps and routes; with `!` in front, they exclude."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from benchrig.agent.nearest import nearest
from benchrig.bench.rows import Row
from benchrig.errors import InputError, unknown

EXCLUDE = "!"
WILDCARDS = "*?["


def chosen(rows: Sequence[Row], only: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows that `only` selects, in the suite's order.

    A pattern matches a row's name, its app's or that of one of its routes. A route's name counts only where no row and no
    app has the same name. Patterns that exclude come last; without any other pattern, they exclude from all rows.
    Raises InputError for a pattern that matches nothing, with the nearest names, and when no row is left.
    """
    if EXCLUDE in only:
        raise InputError(f"--only {','.join(only)}: '{EXCLUDE}' lacks the name or the pattern that it leaves out")
    names = _names(rows)
    known = frozenset().union(*names.values())
    includes = [word for word in only if not word.startswith(EXCLUDE)]
    excludes = [word.removeprefix(EXCLUDE) for word in only if word.startswith(EXCLUDE)]
    for pattern in (*includes, *excludes):
        _see_matched(pattern, known)
    found = tuple(
        row
        for row in rows
        if (not includes or _matches(names[row.name], includes)) and not _matches(names[row.name], excludes)
    )
    if only and not found:
        raise InputError(f"--only {','.join(only)}: no row is left")
    return found


def _names(rows: Sequence[Row]) -> Mapping[str, frozenset[str]]:
    """Return the names by which each row can be selected, by the row's own."""
    direct = {row.name: frozenset((row.name, row.app.name)) for row in rows}
    taken = frozenset().union(*direct.values())
    return {row.name: direct[row.name] | ({route.name for route in row.traffic.routes} - taken) for row in rows}


def _matches(names: Collection[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _see_matched(pattern: str, known: Collection[str]) -> None:
    if _matches(known, [pattern]):
        return
    bare = "".join(letter for letter in pattern if letter not in WILDCARDS)
    if bare == pattern:
        raise unknown("row", pattern, known)
    raise InputError(f"no row, app or route matches '{pattern}'; {nearest(bare, known)}")
