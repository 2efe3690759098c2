"""Exit codes and the nearest names."""

from __future__ import annotations

import re

from benchrig.agent.nearest import close, nearest
from benchrig.errors import ExitCode
from tests.support import ROOT


def test_exit_codes_are_distinct_and_documented() -> None:
    assert [*ExitCode.__members__] == [code.name for code in ExitCode], "two names have one code"
    page = (ROOT / "docs" / "exit-codes.md").read_text()
    assert sorted(map(int, re.findall(r"^\| (\d+) \|", page, re.MULTILINE))) == sorted(ExitCode)


def test_nearest_names_are_three_at_most_and_else_all_are_said() -> None:
    assert nearest("go-200", ["go-2000", "go-20000", "sanic"]) == "did you mean go-2000 or go-20000?"
    assert nearest("xyz", ["b", "a"]) == "known: a, b"
    assert nearest("xyz", []) == "known: none"
    assert len(close("aaaa", ["aaab", "aaac", "aaad", "aaae"])) == 3
