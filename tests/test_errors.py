"""Exit codes and the nearest names."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from benchrig.agent.nearest import close, nearest
from benchrig.bench.host import OperationError
from benchrig.cli.sections import anchor
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


PAGE = ROOT / "docs" / "troubleshooting.md"


@pytest.mark.parametrize(
    ("chapter", "message", "section"),
    [
        ("hosts", "lab1: the host refused our key", "key-refused"),
        ("hosts", "lab1: a bench by me@here, process 1 has had this host for 4 s (process 2 on the host)", "host-in-use"),
        ("machines", "lab1 cannot be saved: in use by a bench by me@here, process 3, for 4 s", "machines-in-use"),
        ("machines", "something that the page does not have", "machines"),
        ("provisioning", "provisioning failed on lab1", "task-failed"),
        ("results", "reports: results cannot be written: No space left on device", "results-cannot-be-written"),
        ("cells", "db1: PostgreSQL does not answer: it does not run; ./inv provision --tags postgresql", "cells"),
        (
            "cells",
            "db1: PostgreSQL does not answer: it does not run; ./inv provision --tags postgresql starts it",
            "postgresql-does-not-answer",
        ),
    ],
)
def test_an_error_links_to_the_section_that_shows_its_message(chapter: str, message: str, section: str) -> None:
    assert anchor(PAGE, chapter, message) == section
    headings = re.findall(r"^##+ (.+)$", PAGE.read_text(), re.MULTILINE)
    assert section in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_second_of_two_sections_of_one_name_has_a_number(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("## A\n\n### Lost\n\n    one …\n\n## B\n\n### Lost\n\n    two …\n\n| three … | x |\n    …\n")
    asked = (("a", "one x"), ("b", "two x"), ("b", "three"), ("b", "four"))
    found = [anchor(page, chapter, said) for chapter, said in asked]
    assert found == ["lost", "lost-1", "b", "b"]
    assert anchor(tmp_path / "none", "b", "two x") == "b"


def test_every_page_and_heading_that_the_program_names_exists() -> None:
    found = [
        match
        for path in sorted((ROOT / "benchrig").rglob("*.py"))
        for match in re.findall(r"docs/([\w-]+\.md)#([\w-]+)", path.read_text(encoding="utf-8"))
    ]
    assert found
    for name, heading in found:
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, (name, heading)
