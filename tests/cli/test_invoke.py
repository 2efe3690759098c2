"""What benchrig uses of Invoke: a new version is taken only after these have passed with it."""

from __future__ import annotations

import ast
import inspect
from importlib import metadata

import pytest
from invoke.executor import Executor
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.tasks import Task

from benchrig.cli import chain, program
from benchrig.cli import task as tasks
from tests.support import ROOT

FILES = ["program.py", "command_line.py", "chain.py", "task.py", "completion.py"]


def test_version_is_the_one_this_was_written_for() -> None:
    assert metadata.version("invoke") == "2.2.1"
    assert "invoke==2.2.1\n" in (ROOT / "requirements.in").read_text()


@pytest.mark.parametrize(
    ("ours", "theirs"), [(program.BenchrigProgram, Program), (chain.ChainExecutor, Executor), (tasks.Command, Task)]
)
def test_only_public_methods_are_overridden(ours: type, theirs: type) -> None:
    own = {name for name, value in vars(ours).items() if inspect.isfunction(value)} - {"__init__", "__call__"}
    overridden = {name for name in own if hasattr(theirs, name)}
    assert overridden
    assert not [name for name in overridden if name.startswith("_")]


@pytest.mark.parametrize("file", FILES)
def test_nothing_private_of_invoke_is_used(file: str) -> None:
    """A private attribute is read of `self` only, where it is our own."""
    tree = ast.parse((ROOT / "benchrig" / "cli" / file).read_text())
    private = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")]
    of_others = [node for node in private if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "os"))]
    assert [ast.unparse(node) for node in of_others if not node.attr.startswith("__")] == []
    assert [node.attr for node in private if hasattr(Program, node.attr) and not node.attr.startswith("__")] == []


def test_what_is_read_of_a_task_is_there() -> None:
    context = ParserContext("one")
    context.add_arg(names=("flag", "f"), kind=bool, default=True)
    assert (context.name, [*context.args], [*context.positional_args]) == ("one", ["flag"], [])
    assert ("-f" in context.flags, context.inverse_flags) == (True, {"--no-flag": "--flag"})
