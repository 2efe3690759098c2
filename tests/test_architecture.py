"""The shape of the house: who imports whom, and how long a file and a function may be."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.support import ROOT

LAYERS = (
    ("statistics",),
    ("agent",),
    ("console", "drawing", "errors", "files", "language", "mistakes", "reading", "shell", "units", "yamlfile"),
    ("inventory",),
    ("remote",),
    ("machines",),
    ("provision",),
    ("results",),
    ("bench",),
    ("watch",),
    ("report",),
    ("ab",),
    ("selftest",),
    ("schema",),
    ("cli",),
    ("tasks",),
)
"""Packages and modules of `benchrig`, from the bottom to the top: one imports its own layer and those below it."""

LONGEST_FILE = 400
"""Lines."""

LONGEST_FUNCTION = 50
"""Lines of its body: what fits on a screen."""

AGENT_IMPORTS = sys.stdlib_module_names | {"jinja2", "markupsafe"}
"""What a host has, and what the agent brings along."""


def _files() -> dict[str, Path]:
    """Return our modules by their names."""
    paths = [*sorted((ROOT / "benchrig").rglob("*.py")), ROOT / "tasks.py"]
    paths = [path for path in paths if "templates" not in path.parts]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


FILES = _files()


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def _absolute(name: str, node: ast.ImportFrom) -> str:
    """Return the name of the module that an import in module `name` is from."""
    if not node.level:
        return node.module or ""
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def _imports(name: str) -> Iterator[tuple[str, str]]:
    """Yield the modules that a module imports, also within functions, with the name that it takes from each, if any."""
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(name, node)
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield (whole, "") if whole in FILES else (source, alias.name)


@cache
def _graph() -> Mapping[str, frozenset[str]]:
    """Return which of our modules each of our modules imports."""
    return {name: frozenset(source for source, _ in _imports(name) if source in FILES and source != name) for name in FILES}


def _layer(name: str) -> int:
    """Return the layer of a module; `benchrig` itself, which has only the version, is below all of them."""
    part = name.removeprefix("benchrig").strip(".").partition(".")[0]
    return next((level for level, layer in enumerate(LAYERS) if part in layer), -1)


def _cycles(graph: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """Yield each way of imports that leads back to where it starts."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> Iterator[list[str]]:
        if name in way:
            yield [*way[way.index(name) :], name]
        elif name not in done:
            for imported in sorted(graph[name]):
                yield from walk(imported, [*way, name])
            done.add(name)

    for name in sorted(graph):
        yield from walk(name, [])


def test_no_imports_lead_back_to_where_they_start() -> None:
    assert [" -> ".join(cycle) for cycle in _cycles(_graph())] == []


def test_every_module_has_a_layer() -> None:
    assert [name for name in FILES if _layer(name) < 0] == ["benchrig"]


def test_no_import_runs_up() -> None:
    assert [
        f"{name} imports {imported}"
        for name, all_imported in _graph().items()
        for imported in sorted(all_imported)
        if _layer(imported) > _layer(name)
    ] == []


def test_a_module_does_not_import_from_the_package_around_it() -> None:
    """A package's `__init__.py` imports its modules, or they import it, and not both."""
    assert [
        f"{name} imports {imported}"
        for name, all_imported in _graph().items()
        for imported in sorted(all_imported)
        if name.startswith(f"{imported}.") and any(inner.startswith(f"{imported}.") for inner in _graph()[imported])
    ] == []


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("benchrig.agent")])
def test_the_agent_imports_only_what_a_host_has(name: str) -> None:
    absolute = []
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            absolute += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            absolute.append(node.module or "")
    assert {module.partition(".")[0] for module in absolute} <= AGENT_IMPORTS
    assert all(source == "benchrig.agent" or source.startswith("benchrig.agent.") for source in _graph()[name])


def test_no_module_takes_a_private_name_of_another() -> None:
    assert [
        f"{name} imports {taken or source} of {source}"
        for name in FILES
        for source, taken in _imports(name)
        if source in FILES and (taken or source.rpartition(".")[2]).startswith("_") and not taken.startswith("__")
    ] == []


def test_no_module_reaches_into_another_by_a_private_attribute() -> None:
    def reached(name: str) -> Iterator[str]:
        tree = _tree(name)
        modules = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{_absolute(name, node)}.{alias.name}" in FILES
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules):
                continue
            if node.attr.startswith("_") and not node.attr.startswith("__"):
                yield f"{name}: {node.value.id}.{node.attr}"

    assert [one for name in FILES for one in reached(name)] == []


def test_only_a_load_generators_own_folder_names_it() -> None:
    """The registry names each once, the development tools install what the tests need, and help says what can be audited."""
    allowed = ("benchrig.bench.generators.", "benchrig.cli.development", "tasks")
    named = re.compile(r"\b(wrk|lua)\b", re.IGNORECASE)
    assert [name for name, path in FILES.items() if not name.startswith(allowed) and named.search(path.read_text())] == []


def test_tests_share_helpers_in_one_package() -> None:
    """No test file imports from another one, or from `conftest.py`."""
    imported = re.compile(r"^(?:from|import) (tests\.(?!support\b)\S+)", re.MULTILINE)
    paths = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests" / "support").glob("*.py")]
    assert {path.name: names for path in paths if (names := imported.findall(path.read_text()))} == {
        # It runs itself as a program of its own.
        "test_traces.py": ["tests.machines.lab.test_traces"]
    }


def test_every_module_says_what_it_is() -> None:
    docstrings = {name: ast.get_docstring(_tree(name)) or "" for name in FILES}
    assert [name for name, text in docstrings.items() if not text] == []


@pytest.mark.parametrize("pattern", ["benchrig/**/*.py", "tests/**/*.py", "benchmarks/*.py", "*.py"])
def test_no_file_is_too_long(pattern: str) -> None:
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in ROOT.glob(pattern)}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_function_fits_on_a_screen() -> None:
    assert {
        f"{name}: {node.name}": length
        for name in FILES
        for node in ast.walk(_tree(name))
        if isinstance(node, ast.FunctionDef)
        and (length := (node.end_lineno or 0) - node.body[0].lineno + 1) > LONGEST_FUNCTION
    } == {}
