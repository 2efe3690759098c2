"""Lua patterns are checked before a run as LuaJIT would, and matched by LuaJIT itself."""

from __future__ import annotations

from typing import Any

import pytest
from lupa import luajit21

from benchrig.bench.generators.base import PatternError
from benchrig.bench.generators.wrk.pattern import check, find, mistake

WRONG_PATTERNS = ("(%d+", "%d+)", "id%", "[a-z", "[]", "[^]", "[a%", "%bx", "%f", "%fa", "(a[)]", "((a)", "%f[a", "[%]")
RIGHT_PATTERNS = (
    "(%d+)",
    '"id": "([^"]*)"',
    "%(%)",
    "[]]",
    "[^]]",
    "[(]",
    "%b()",
    "%f[%w]a",
    "()",
    "(a)(b)",
    "%%",
    "a%]",
    "",
)


@pytest.mark.parametrize("pattern", [*WRONG_PATTERNS, *RIGHT_PATTERNS])
def test_a_pattern_is_judged_as_lua_judges_it(pattern: str) -> None:
    """Lua looks at a pattern only as far as a text fits it, so that it is given texts of many kinds."""
    lua: Any = luajit21
    match = lua.LuaRuntime().eval("function(text, pattern) return (pcall(string.match, text, pattern)) end")
    texts = ("", "1", "a1", "aa", "id", 'x "id": "7"', "(a)", "^", "x", "a)", "]", "ab", "%")
    assert (mistake(pattern) == "") == all(match(text, pattern) for text in texts)
    assert bool(mistake(pattern)) == (pattern in WRONG_PATTERNS)


def test_a_capture_is_the_first_group_or_else_the_whole_match() -> None:
    assert find('"id": (%d+), "(%a+)"', '{"id": 42, "key": 1}') == "42"
    assert find("k%a+", '{"id": 42, "key": 1}') == "key"
    assert find("größ(e)", "größe") == "e"
    assert find("x(%d)", "nothing") is None


def test_a_pattern_that_only_a_match_shows_to_be_wrong_is_refused_then() -> None:
    check("(a%1)")
    with pytest.raises(PatternError, match=r"'\(a%1\)' is not a Lua pattern: "):
        find("(a%1)", "aa")
