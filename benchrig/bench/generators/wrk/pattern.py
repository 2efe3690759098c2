"""Lua patterns: checked before a run, and matched as LuaJIT matches them in wrk."""

from __future__ import annotations

from typing import Any

from benchrig.agent import spec
from benchrig.bench.generators.base import PatternError

LONGEST = 500
"""Characters of a pattern."""


def check(pattern: str) -> None:
    """Raise PatternError when a text cannot be a Lua pattern."""
    if wrong := mistake(pattern):
        raise PatternError(f"{spec.describe(pattern)} is not a Lua pattern: {wrong}")


def find(pattern: str, body: str) -> str | None:
    """Return the first group of the first match in a body, or the whole match; None when nothing matches.

    Raises PatternError for a pattern that Lua refuses.
    """
    from lupa import luajit21  # late, as loading takes time: few rows capture anything

    lua: Any = luajit21  # its types do not know that without an encoding it works on bytes, as wrk's does
    match = lua.LuaRuntime(encoding=None).eval(b"string.match")
    try:
        found = match(body.encode(errors="replace"), pattern.encode())
    except luajit21.LuaError as error:
        why = str(error).partition("\n")[0]
        raise PatternError(f"{pattern!r} is not a Lua pattern: {why}") from None
    first = found[0] if isinstance(found, tuple) else found
    if first is None:
        return None
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def mistake(pattern: str) -> str:
    """Return why a text is not a Lua pattern, in the words of Lua 5.1; empty when no mistake is visible.

    Only a match shows some mistakes, such as a reference to a group that is still open.
    """
    if len(pattern) > LONGEST:
        return f"longer than {LONGEST} characters"
    at = opened = 0
    while at < len(pattern):
        sign, rest = pattern[at], pattern[at + 1 :]
        if sign == "%" and not rest:
            return "malformed pattern (ends with '%')"
        if sign == "%" and rest[0] == "b" and len(rest) < 3:
            return "unbalanced pattern"
        if sign == "%" and rest[0] == "f" and rest[1:2] != "[":
            return "missing '[' after '%f' in pattern"
        if sign == "[":
            at = _end_of_set(pattern, at)
            if not at:
                return "malformed pattern (missing ']')"
            continue
        opened += (sign == "(") - (sign == ")")
        if opened < 0:
            return "invalid pattern capture"
        at += _width(sign, rest)
    return "unfinished capture" if opened else ""


def _width(sign: str, rest: str) -> int:
    """Return the length of the item that begins here; a set after `%f` is an item of its own."""
    if sign != "%":
        return 1
    return 4 if rest[0] == "b" else 2


def _end_of_set(pattern: str, start: int) -> int:
    """Return the position after the set that begins at `start`; 0 when the set has no end."""
    at = start + 2 if pattern[start + 1 : start + 2] == "^" else start + 1
    first = at
    while at < len(pattern):
        if pattern[at] == "]" and at > first:
            return at + 1
        at += 2 if pattern[at] == "%" else 1
    return 0
