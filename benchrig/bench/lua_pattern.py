"""What can be said of a Lua pattern without matching it: that it ends too early, or that its brackets do not fit."""

from __future__ import annotations


def mistake(pattern: str) -> str:
    """Return why a text is no Lua pattern, in the words of Lua 5.1; empty when nothing is seen to be wrong.

    What shows only in a match, such as a reference to a group that is still open, is not seen.
    """
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
    """Return how many characters belong together here; a set after `%f` is read as any other."""
    if sign != "%":
        return 1
    return 4 if rest[0] == "b" else 2


def _end_of_set(pattern: str, start: int) -> int:
    """Return where the pattern goes on behind the set that begins at `start`; 0 when it does not end."""
    at = start + 2 if pattern[start + 1 : start + 2] == "^" else start + 1
    first = at
    while at < len(pattern):
        if pattern[at] == "]" and at > first:
            return at + 1
        at += 2 if pattern[at] == "%" else 1
    return 0
