"""Selection of rows by `--only`: names or shell patterns of rows, apps and routes; with `!` in front, they exclude."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from benchrig.agent.nearest import nearest
from benchrig.bench.rows import Row
from benchrig.errors import InputError, unknown

EXCLUDE = "!"
WILDCARDS = "*?["


def chosen(rows: Sequence[Row], only: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows that `only` selects, in the suite's order.

    A pattern matches a row's name, its app's or that of one of its routes. A route's name counts only where no row and no
    app has the same name. Raises InputError as `matching` does, and when no row is left.
    """
    flag = f"--only {','.join(only)}"
    found = tuple(row for row, is_chosen in zip(rows, matching(_names(rows), only, flag), strict=True) if is_chosen)
    if only and not found:
        raise InputError(f"{flag}: no row is left")
    return found


def matching(
    names: Sequence[Collection[str]], only: Sequence[str], flag: str, none: str = "no row, app or route matches"
) -> tuple[bool, ...]:
    """Say of each row, by the names that it can be chosen by, whether patterns choose it; `flag` is how they were given,
    and `none` begins the message about one without a match.

    Patterns that exclude come last; without any other pattern, they exclude from all rows. Raises InputError for a pattern
    that matches nothing, with the nearest names.
    """
    if EXCLUDE in only:
        raise InputError(f"{flag}: '{EXCLUDE}' lacks the name or the pattern that it leaves out")
    known = frozenset[str]().union(*names)
    includes = [word for word in only if not word.startswith(EXCLUDE)]
    excludes = [word.removeprefix(EXCLUDE) for word in only if word.startswith(EXCLUDE)]
    for pattern in (*includes, *excludes):
        _see_matched(pattern, known, none)
    return tuple((not includes or _matches(of, includes)) and not _matches(of, excludes) for of in names)


def _names(rows: Sequence[Row]) -> tuple[frozenset[str], ...]:
    """Return the names by which each row can be selected."""
    direct = [frozenset((row.name, row.app.name)) for row in rows]
    taken = frozenset[str]().union(*direct)
    return tuple(own | ({route.name for route in row.traffic.routes} - taken) for own, row in zip(direct, rows, strict=True))


def _matches(names: Collection[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _see_matched(pattern: str, known: Collection[str], none: str) -> None:
    if _matches(known, [pattern]):
        return
    bare = "".join(letter for letter in pattern if letter not in WILDCARDS)
    if bare == pattern:
        raise unknown("row", pattern, known)
    raise InputError(f"{none} '{pattern}'; {nearest(bare, known)}")
