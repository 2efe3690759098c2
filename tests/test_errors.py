"""Exit codes and the nearest names."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from benchrig.agent.nearest import close, nearest
from benchrig.bench.host import OperationError
from benchrig.errors import BenchrigError, ExitCode, HostError, InputError, MachineError, UnfitError
from benchrig.provision.run import HostRecap, ProvisionError
from tests.support import ROOT


def test_exit_codes_are_distinct_and_documented() -> None:
    assert [*ExitCode.__members__] == [code.name for code in ExitCode], "two names have one code"
    page = (ROOT / "docs" / "exit-codes.md").read_text()
    assert sorted(map(int, re.findall(r"^\| (\d+) \|", page, re.MULTILINE))) == sorted(ExitCode)


@pytest.mark.parametrize(
    "error",
    [
        HostError(""),
        MachineError(""),
        InputError("", "a hint"),
        UnfitError(""),
        OperationError(""),
        ProvisionError("", (HostRecap("web1", failed=1),)),
        ProvisionError("", (HostRecap("web1", unreachable=1),)),
    ],
)
def test_errors_name_a_section_of_the_troubleshooting_page(error: BenchrigError) -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    assert f"\n## {error.section.capitalize()}\n" in page


def test_a_mistake_without_a_hint_names_no_section() -> None:
    assert InputError("unknown task 'benhc'; did you mean bench?").section == ""


def commands_in_hints() -> list[tuple[str, list[str], bool]]:
    """Return where each `Inv(...)` of the package stands, its constant words, and whether it works on an inventory."""
    found = []
    for path in sorted((ROOT / "benchrig").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Inv":
                words = [str(word.value) for word in node.args if isinstance(word, ast.Constant)]
                found.append((f"{path.name}:{node.lineno}", words, not node.keywords))
    return found


def test_commands_in_hints_are_tasks_and_take_the_inventory_where_they_say_so() -> None:
    import tasks

    hints = commands_in_hints()
    assert len(hints) > 20
    for place, words, on_inventory in hints:
        names = [word for word in words if hasattr(tasks, word.replace("-", "_"))]
        assert words[0] in names, place
        takes_it = any("inventory" in inspect.signature(getattr(tasks, name)).parameters for name in names)
        assert takes_it == on_inventory, place


def test_nearest_names_are_three_at_most_and_else_all_are_said() -> None:
    assert nearest("go-200", ["go-2000", "go-20000", "sanic"]) == "did you mean go-2000 or go-20000?"
    assert nearest("xyz", ["b", "a"]) == "known: a, b"
    assert nearest("xyz", []) == "known: none"
    assert len(close("aaaa", ["aaab", "aaac", "aaad", "aaae"])) == 3
